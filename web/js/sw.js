// The service worker: keeps a copy of the whole page, so that it works without a network after the first visit. The
// build (xtask/src/dist/offline.rs) puts its id and the digest of every file into BUILD; another build is another
// cache, filled while the old page goes on, and taken over when the learner asks for it.
const BUILD = { id: "none", files: {} };

/** Files fetched at once. */
const FETCHES_MAX = 6;
/** Where the page is: the caches of other pages of this host are not ours. */
const BASE = new URL("./", self.location.href).href;
const PREFIX = `kubonsai ${BASE} `;
const CACHE = PREFIX + BUILD.id;

/** The address of a file; that of index.html is the folder's, as learners ask for it. */
const address = (path) => new URL(path === "index.html" ? "./" : path, BASE).href;

async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A file of this build: the copy that the browser has already, or else a new one. */
async function fetchFile(path, expected) {
  for (const cache of ["force-cache", "reload"]) {
    const answer = await fetch(address(path), { cache });
    if (!answer.ok) continue;
    const bytes = await answer.arrayBuffer();
    if ((await digest(bytes)) === expected) {
      const type = answer.headers.get("content-type") ?? "application/octet-stream";
      return new Response(bytes, { headers: { "content-type": type } });
    }
  }
  throw new Error(`${path} is not that of build ${BUILD.id}`);
}

async function fill() {
  const cache = await caches.open(CACHE);
  const files = Object.entries(BUILD.files);
  const fetchers = Array.from({ length: FETCHES_MAX }, async () => {
    for (let next = files.pop(); next; next = files.pop()) {
      const [path, expected] = next;
      await cache.put(address(path), await fetchFile(path, expected));
    }
  });
  await Promise.all(fetchers).catch(async (error) => {
    // Half a page is none: the next visit tries again.
    await caches.delete(CACHE);
    throw error;
  });
}

async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request) {
  const url = new URL(request.url);
  const cache = await caches.open(CACHE);
  const path = url.href.slice(BASE.length).split(/[?#]/)[0];
  const kept = await cache.match(address(path === "" ? "index.html" : path));
  if (kept) return kept;
  // The build has no such file, so the host has none either; it is asked all the same while it can be.
  return fetch(request).catch(() => new Response("", { status: 404, statusText: "Not Found" }));
}

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(BASE)) {
    event.respondWith(answer(event.request));
  }
});
