// The page of a static copy: it takes a file or a text, asks the verifier in
// this browser, and shows its answer. Nothing leaves the device: what is fetched
// are files of the copy.
"use strict";
(() => {
	const form = document.getElementById("check");
	const answer = document.getElementById("answer");
	const busy = document.getElementById("busy");
	const file = document.getElementById("file");
	const text = document.getElementById("text");
	const root = new URL(form.dataset.root || "./", document.baseURI);
	const most = 4 << 20;

	// fetched gets a file of the copy, or null when it has none.
	const fetched = async (name) => {
		const response = await fetch(new URL(name, root), { credentials: "omit", redirect: "error" });
		if (response.status === 404) return null;
		if (!response.ok) throw new Error(`${name}: ${response.status}`);
		return new Uint8Array(await response.arrayBuffer());
	};

	const needed = async (name) => {
		const data = await fetched(name);
		if (data === null) throw new Error(`${name} is missing`);
		return data;
	};

	// unpacked undoes gzip, unless the server has done so already.
	const unpacked = async (data) => {
		if (data[0] !== 0x1f || data[1] !== 0x8b) return data;
		const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
		return new Response(stream).arrayBuffer();
	};

	const started = (name) => new Promise((resolve, reject) => {
		const script = document.createElement("script");
		script.src = new URL(name, root);
		script.onload = resolve;
		script.onerror = () => reject(new Error(`${name} is missing`));
		document.head.append(script);
	});

	// load gets the verifier and what it works with, when somebody first checks.
	const load = async () => {
		const [manifest, program] = await Promise.all([needed("export.json"), needed("assets/verifier.bin").then(unpacked), started("assets/wasm_exec.js")]);
		const copy = JSON.parse(new TextDecoder().decode(manifest));
		const all = (names) => Promise.all(names.map(async (name) => ({ name, data: await needed(name) })));
		const [anchors, accreditations] = await Promise.all([all(copy.anchors), all(copy.accreditations)]);
		const go = new Go();
		const { instance } = await WebAssembly.instantiate(program, go.importObject);
		const ready = new Promise((resolve) => { globalThis.attestaReady = resolve; });
		const ended = go.run(instance).then(() => { throw new Error("the verifier ended"); });
		await Promise.race([ready, ended]);
		const names = new Map(copy.files.map((f) => [copy.public_url + f.path, f.name]));
		const list = (address) => names.has(address) ? fetched(names.get(address)) : Promise.resolve(null);
		return (presented) => Promise.race([ended, attesta({
			presented, anchors, accreditations, list, made: copy.made, until: copy.until || "", now: new Date().toISOString(), at: "",
			origin: copy.public_url, language: document.documentElement.lang,
		})]);
	};
	let loading = null;

	const say = (words) => {
		answer.textContent = "";
		busy.textContent = words;
	};

	// check judges the newest thing that was given: an answer that comes late is
	// not shown.
	let turn = 0;
	const check = async (read) => {
		const mine = ++turn;
		say(form.dataset.busy);
		try {
			const presented = await read();
			if (presented.length > most) return mine === turn && say(form.dataset.large);
			loading = loading || load();
			const said = JSON.parse(await (await loading)(presented));
			if (mine !== turn) return;
			busy.textContent = "";
			answer.innerHTML = said.html;
			answer.focus();
			answer.scrollIntoView();
		} catch (fault) {
			loading = null;
			console.error(fault);
			if (mine === turn) say(form.dataset.failed);
		}
	};

	const checkFile = (chosen) => {
		text.value = "";
		return check(async () => chosen.size > most ? { length: chosen.size } : new Uint8Array(await chosen.arrayBuffer()));
	};

	const checkText = () => {
		const given = text.value.trim();
		if (given === "") return say(form.dataset.empty);
		if (!given.includes("#AT1:") && /^(https?:\/\/\S+|[A-Za-z0-9][A-Za-z0-9 -]{4,40})$/.test(given)) return say(form.dataset.link);
		return check(async () => new TextEncoder().encode(given));
	};

	form.addEventListener("submit", (event) => {
		event.preventDefault();
		if (text.value.trim() === "" && file.files.length > 0) checkFile(file.files[0]);
		else checkText();
	});
	file.addEventListener("change", () => file.files.length > 0 && checkFile(file.files[0]));
	document.addEventListener("dragover", (event) => event.preventDefault());
	document.addEventListener("drop", (event) => {
		event.preventDefault();
		const dropped = event.dataTransfer;
		if (dropped.files.length > 0) checkFile(dropped.files[0]);
		else if ((text.value = dropped.getData("text")) !== "") checkText();
	});
	form.hidden = false;
})();
