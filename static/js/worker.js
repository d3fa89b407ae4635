// Keeps the scan page and what it needs, so that it starts without a network. The lines above this one, written by the
// server, name the version and its files. Scans and signs of life are never touched here.
const CACHE = `jitapp-${VERSION}`;
const PAGE = "/s/";
const CAMERA = "/s/camera.js"; // the worker that reads pictures; what it loads comes by here too
const PATIENCE_MS = 1500;

// Not the choice of a station, nor a login: without a network only the scan page is of use. A page of another version
// names files that this cache lacks.
const isScanPage = (answer) => Boolean(answer?.ok) && answer.headers.get("X-Page") === `scan ${VERSION}`;

addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
      const page = await fetch(PAGE, { redirect: "manual" }).catch(() => null);
      if (isScanPage(page)) await cache.put(PAGE, page);
      // Without a page this version could not start without a network, and the one before can: it stays, and this one is
      // tried again with the next update.
      else if (registration.active) throw new Error("The scan page could not be fetched.");
      // The first worker of a browser has nobody to wait for; a later one waits until nothing is in the queue.
      if (!registration.active) await skipWaiting();
    })(),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("jitapp-") && name !== CACHE) await caches.delete(name);
      }
      await clients.claim();
    })(),
  );
});

addEventListener("message", (event) => event.data === "take over" && skipWaiting());

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(request));
  else if (url.pathname.startsWith(STATIC) || url.pathname === CAMERA) event.respondWith(file(request));
});

// The network first, so that the page is the newest; the kept one when the server does not answer in time.
async function page(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(PAGE);
  const asked = fetch(request).then((answer) => {
    if (isScanPage(answer)) cache.put(PAGE, answer.clone());
    return answer;
  });
  if (!kept) return asked;
  asked.catch(() => {});
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const answer = await Promise.race([asked.catch(() => null), late]);
  return answer && answer.status < 500 ? answer : kept.clone();
}

// A file whose name holds its fingerprint never changes; the others are asked for again while there is a network.
async function file(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreVary: true });
  const isFixed = /\.[0-9a-f]{12}\.[a-z0-9]+$/.test(new URL(request.url).pathname);
  if (kept && isFixed) return kept;
  const asked = fetch(request).then((answer) => {
    if (answer.ok) cache.put(request, answer.clone());
    return answer;
  });
  if (!kept) return asked;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([asked.catch(() => kept), late]);
}
