// Keeps what a lesson needs, so that it can be opened again without a network. What JupyterLite asks
// its own service worker for, the files of the notebook's drive, is left to that one, loaded below.

const KEPT = "course-RELEASE"; // another name, written by the build, for each content of the site
const JUPYTERLITE = ["/api/drive", "/api/stdin/", "/api/service-worker-heartbeat"];
let everything = null;

const find = (cache, request) => cache.match(request, { ignoreSearch: true, ignoreVary: true });

const load = async (cache, request) => {
  const response = await fetch(request);
  if (response.ok || response.type === "opaque") await cache.put(request, response.clone());
  return response;
};

// The cache is that of one content of the site, so what is in it need not be asked for again. Another
// content brings another service worker, which takes over from the next visit on.
const answer = async (request) => {
  const cache = await caches.open(KEPT);
  return (await find(cache, request)) ?? load(cache, request);
};

// What the page had loaded before there was a service worker, and what it will load only when
// somebody clicks on something: one file after the other, when the page asks for anything.
const keepEverything = async () => {
  const cache = await caches.open(KEPT);
  for (const file of await (await load(cache, "files.json")).json()) {
    if (!(await find(cache, file))) await load(cache, file);
  }
};

self.addEventListener("fetch", (event) => {
  const { pathname, protocol } = new URL(event.request.url);
  if (event.request.method !== "GET" || !protocol.startsWith("http")) return;
  if (JUPYTERLITE.some((part) => pathname.includes(part))) return;
  event.stopImmediatePropagation();
  event.respondWith(answer(event.request));
  everything ??= keepEverything().catch(() => {
    everything = null; // without a network: the next request tries again
  });
  event.waitUntil(everything);
});

self.addEventListener("activate", (event) => {
  const remove = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("course-"));
    await Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
  };
  event.waitUntil(remove());
});

importScripts("jupyterlite-service-worker.js");
