// Keeps the page that checks without a network, and answers for it. What it
// keeps is the list shell, by a name that changes with it. Everything else, and
// whatever is about a person, goes to the network as if this was not here. The page
// that checks with a network leads here where there is none.
const name = `attesta-page ${version}`;
const pages = ["/offline", "/c", "/C"];

// kept is the address in the list that answers a request, or "".
const kept = (request) => {
	const asked = new URL(request.url);
	if (request.method !== "GET" || asked.origin !== location.origin) return "";
	const path = pages.includes(asked.pathname) ? "/offline" : asked.pathname;
	if (shell.includes(path + asked.search)) return path + asked.search;
	return path === "/offline" && request.mode === "navigate" ? path : "";
};

// checking tells a visit to the page that checks with a network.
const checking = (request) => request.mode === "navigate" && request.method === "GET" && new URL(request.url).pathname === "/verify";

const answer = async (address) => {
	const found = await (await caches.open(name)).match(address, { ignoreVary: true });
	return found ?? fetch(address, { credentials: "omit" });
};

// fill fetches the list. What an earlier version has under a name that says its
// content is taken from there.
const fill = async () => {
	const cache = await caches.open(name);
	await Promise.all(shell.map(async (address) => {
		const earlier = address.startsWith("/assets/") ? await caches.match(address, { ignoreVary: true }) : undefined;
		const response = earlier ?? await fetch(address, { credentials: "omit", cache: "no-cache", redirect: "error" });
		if (!response.ok) throw new Error(`${address}: ${response.status}`);
		await cache.put(address, response);
	}));
	await self.skipWaiting();
};

const tidy = async () => {
	const old = (await caches.keys()).filter((n) => n.startsWith("attesta-page ") && n !== name);
	await Promise.all(old.map((n) => caches.delete(n)));
	await self.clients.claim();
};

// instead is this page in the place of the one that checks with a network, where
// there is none.
const instead = async (request) => {
	try {
		return await fetch(request);
	} catch {
		return Response.redirect(`/offline${new URL(request.url).search}`);
	}
};

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("fetch", (event) => {
	const address = kept(event.request);
	if (address !== "") event.respondWith(answer(address));
	else if (checking(event.request)) event.respondWith(instead(event.request));
});
