// The page of a copy, static or kept on a device: it takes a file, a text, what
// a camera read or what stands after the # of its address, asks the verifier in
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
	const most = 16 << 20;

	// fetched gets a file of the copy, or null when it has none.
	const fetched = async (name) => {
		const response = await fetch(new URL(name, root), { credentials: "omit", redirect: "error" });
		if (response.status === 404) return null;
		if (!response.ok) throw new Error(`${name}: ${response.status}`);
		return new Uint8Array(await response.arrayBuffer());
	};

	const needed = async (from, name) => {
		const data = await from(name);
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

	// load gets the verifier, when somebody first checks.
	const load = async () => {
		const [program] = await Promise.all([
			needed(fetched, form.dataset.program || "assets/verifier.bin").then(unpacked), started(form.dataset.loader || "assets/wasm_exec.js"),
		]);
		const go = new Go();
		const { instance } = await WebAssembly.instantiate(program, go.importObject);
		const ready = new Promise((resolve) => { globalThis.attestaReady = resolve; });
		const ended = go.run(instance).then(() => { throw new Error("the verifier ended"); });
		await Promise.race([ready, ended]);
		return (request) => Promise.race([ended, attesta(request)]);
	};
	let loading = null;

	// prepared is what the verifier works with: the files beside this page, or
	// those that the device keeps, which others may follow while this is open.
	let last = { from: null };
	const prepared = async () => {
		const from = globalThis.attestaCopy ? await attestaCopy() : fetched;
		if (last.from === from) return last;
		const copy = JSON.parse(new TextDecoder().decode(await needed(from, form.dataset.manifest || "export.json")));
		const all = (names) => Promise.all(names.map(async (name) => ({ name, data: await needed(from, name) })));
		const [anchors, accreditations] = await Promise.all([all(copy.anchors), all(copy.accreditations)]);
		const names = new Map(copy.files.map((f) => [copy.public_url + f.path, f.name]));
		const list = (address) => names.has(address) ? from(names.get(address)) : Promise.resolve(null);
		return last = { from, copy, anchors, accreditations, list };
	};

	// slow tells a device whose clock is behind the copy: by it lists that ended
	// would still count.
	const slow = (copy) => Date.parse(copy.made) - Date.now() > 600000;

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
			const [ask, { copy, anchors, accreditations, list }] = await Promise.all([loading, prepared()]);
			if (slow(copy)) return mine === turn && say(form.dataset.clock);
			const said = JSON.parse(await ask({
				presented, anchors, accreditations, list, made: copy.made, until: copy.until || "", now: new Date().toISOString(), at: "",
				origin: copy.public_url, renews: Boolean(globalThis.attestaCopy), language: document.documentElement.lang,
			}));
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

	const checkWords = (words) => check(async () => new TextEncoder().encode(words));

	// read checks what was typed, pasted or scanned. The link of a compact QR holds
	// all of it after the #, whatever site it names: no link is opened.
	const compact = /^https?:\/\/[^\s/?#]+\/c\/?(?:\?[^\s#]*)?#(.+)$/is;
	const read = (given) => {
		if (given === "") return say(form.dataset.empty);
		const inside = compact.exec(given);
		if (inside !== null) return checkWords(inside[1]);
		if (/^(https?:\/\/\S+|[A-Za-z0-9][A-Za-z0-9 -]{4,40})$/i.test(given)) {
			turn++;
			return say(form.dataset.link);
		}
		return checkWords(given);
	};

	const checkText = () => read(text.value.trim());

	// readAddress checks what stands after the # of the address, and takes it out
	// of there. A # that names a part of this page is left.
	let carried = "";
	const readAddress = () => {
		const data = location.hash.slice(1);
		if (data === "" || document.getElementById(data) !== null) return;
		history.replaceState(null, "", location.pathname + location.search);
		text.value = "";
		carried = data;
		checkWords(data);
	};

	// The same page in another language is given what this one was.
	document.addEventListener("click", (event) => {
		const link = event.target.closest?.("nav a[hreflang]");
		if (link && carried !== "") link.hash = carried;
	}, true);

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
	document.addEventListener("scanned", (event) => {
		event.preventDefault();
		text.value = "";
		read(event.detail.trim());
	});
	addEventListener("hashchange", readAddress);
	form.hidden = false;
	readAddress();
})();
