// Keeps on this device what checks are made with, when the person asks for it,
// and finds it again. It fetches what this site publishes for everybody and
// sends nothing.
"use strict";
(() => {
	const device = document.getElementById("device"), age = document.getElementById("age");
	const keep = document.getElementById("device-keep"), drop = document.getElementById("device-drop");
	const said = document.getElementById("device-said"), form = document.getElementById("check");
	const manifest = form.dataset.manifest, root = new URL(form.dataset.root, document.baseURI);
	const spoken = document.documentElement.lang, language = spoken === "en" ? "en-GB" : spoken; // days first, as everywhere here
	const prefix = "attesta-copy ";
	const old = 6 * 3600 * 1000; // milliseconds after which a copy is fetched anew where that can be
	const recent = 2 * 60 * 1000; // milliseconds for which one that is not kept is used again
	const patience = 20000; // milliseconds for a file
	const here = "caches" in window && "serviceWorker" in navigator;

	const get = async (name) => {
		const response = await fetch(new URL(name, root), { credentials: "omit", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(patience) });
		if (response.status === 404) return null;
		if (!response.ok) throw new Error(`${name}: ${response.status}`);
		return new Uint8Array(await response.arrayBuffer());
	};

	const read = (data) => JSON.parse(new TextDecoder().decode(data));

	// kept is the newest whole copy on this device, or null: the manifest is
	// written last.
	let last = null;
	const kept = async () => {
		if (!here) return null;
		const names = (await caches.keys()).filter((name) => name.startsWith(prefix)).sort().reverse();
		for (const name of names) {
			if (last !== null && last.name === name) return last;
			const cache = await caches.open(name);
			const file = async (path) => {
				const found = await cache.match(new URL(path, root), { ignoreVary: true });
				return found ? new Uint8Array(await found.arrayBuffer()) : null;
			};
			const whole = await file(manifest);
			if (whole !== null) return last = { name, file, made: Date.parse(read(whole).made) };
		}
		return last = null;
	};

	// fetched is a copy of now. Its lists are fetched when they are asked for,
	// unless it is to be kept.
	let passing = null;
	const fetched = async () => {
		if (passing !== null && Math.abs(Date.now() - passing.made) < recent) return passing;
		const whole = await get(manifest);
		if (whole === null) throw new Error(`${manifest} is missing`);
		const seen = new Map([[manifest, whole]]);
		const file = async (path) => {
			if (!seen.has(path)) seen.set(path, await get(path));
			return seen.get(path);
		};
		return passing = { file, whole, made: Date.parse(read(whole).made) };
	};

	const forget = async (but) => {
		const names = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== but);
		await Promise.all(names.map((name) => caches.delete(name)));
	};

	// renew fetches a whole copy and keeps it in the place of earlier ones.
	let renewing = null;
	const renew = () => renewing ??= (async () => {
		const whole = await get(manifest);
		if (whole === null) throw new Error(`${manifest} is missing`);
		const copy = read(whole), name = prefix + copy.made;
		const put = async (path, data) => (await caches.open(name)).put(new URL(path, root), new Response(data));
		await Promise.all(copy.files.map(async (f) => {
			const data = await get(f.name);
			if (data === null) throw new Error(`${f.name} is missing`);
			await put(f.name, data);
		}));
		await put(manifest, whole);
		await forget(name);
		last = null;
		return kept();
	})().finally(() => { renewing = null; tell(); });

	// attestaCopy gives whoever checks the files of a copy, by name: of the kept
	// one, renewed where it is old and the network is there.
	globalThis.attestaCopy = async () => {
		const mine = await kept();
		if (mine === null) return (await fetched()).file;
		if (Date.now() - mine.made < old) return mine.file;
		try {
			return (await renew()).file;
		} catch {
			return mine.file;
		}
	};

	const since = (made) => {
		const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
		const minutes = Math.max(0, Math.round((Date.now() - made) / 60000));
		if (minutes < 60) return words.format(-minutes, "minute");
		if (minutes < 48 * 60) return words.format(-Math.round(minutes / 60), "hour");
		return words.format(-Math.round(minutes / 60 / 24), "day");
	};

	// tell says how old the copy on this device is.
	const tell = async () => {
		const mine = await kept();
		drop.hidden = mine === null;
		keep.textContent = mine === null ? device.dataset.keep : device.dataset.again;
		let words = age.dataset.none;
		if (mine !== null) {
			const moment = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short", timeZone: "Europe/Rome" }).format(mine.made);
			words = age.dataset.made.replace("{moment}", moment).replace("{age}", since(mine.made));
		}
		if (age.textContent !== words) age.textContent = words;
	};

	const registered = async () => {
		const registration = await navigator.serviceWorker.register("/worker.js", { updateViaCache: "none" });
		const coming = registration.installing ?? registration.waiting;
		if (!coming) return;
		await new Promise((done, failed) => {
			const look = () => {
				if (coming.state === "activated") done();
				if (coming.state === "redundant") failed(new Error("the worker could not keep the page"));
			};
			coming.addEventListener("statechange", look);
			look();
		});
	};

	let busy = false;
	const doing = (words, work) => async () => {
		if (busy) return;
		busy = true;
		said.textContent = device.dataset.busy;
		try {
			await work();
			said.textContent = device.dataset[words];
		} catch (fault) {
			console.error(fault);
			said.textContent = device.dataset.failed;
		}
		busy = false;
		await tell();
	};

	const removed = async () => {
		await forget("");
		const names = (await caches.keys()).filter((name) => name.startsWith("attesta-page "));
		await Promise.all(names.map((name) => caches.delete(name)));
		for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
	};

	// A new version of this page takes the place of an idle one.
	const replace = () => {
		const idle = ["answer", "busy"].every((id) => document.getElementById(id).textContent === "") && document.getElementById("text").value === "" && !busy;
		if (idle) location.reload();
	};

	device.hidden = false;
	if (!here) {
		said.textContent = device.dataset.insecure;
		keep.hidden = drop.hidden = true;
		return;
	}
	keep.addEventListener("click", doing("done", async () => {
		await registered();
		await renew();
		await navigator.storage?.persist?.();
	}));
	drop.addEventListener("click", doing("dropped", removed));
	if (navigator.serviceWorker.controller) navigator.serviceWorker.addEventListener("controllerchange", replace);
	tell();
	setInterval(tell, 60000);
	kept().then((mine) => mine !== null && Date.now() - mine.made >= old && renew()).catch(() => {});
})();
