/*
 * The field page without a link: its own files, kept as they last came. Data are none of its business: tasks and
 * orders are kept by the page itself, and nothing of the API is ever answered from here.
 */
const CACHE = 'foreshock-field';
const SHELL = new URL('./', self.location).href;
const PATIENCE = 3000; // milliseconds that a poor link gets before the kept page is shown

self.addEventListener('install', (event) => {
  event.waitUntil(renew().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return;
  if (request.mode === 'navigate') event.respondWith(page(event));
  else event.respondWith(file(request));
});

/** The page from the server while that answers soon, else as it was kept. */
async function page(event) {
  const kept = await caches.match(SHELL);
  const asked = fetch(event.request);
  if (!kept) return asked;
  const late = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE));
  const answer = await Promise.race([asked.catch(() => null), late]);
  if (!answer || !answer.ok) return kept;
  event.waitUntil(renew().catch(() => undefined));
  return answer;
}

async function file(request) {
  const kept = await caches.match(request);
  return kept ?? fetch(request);
}

/** Keep the page and all that it names; let go of what it no longer does. */
async function renew() {
  const answer = await fetch(SHELL, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const text = await answer.clone().text();
  const named = [...text.matchAll(/(?:src|href)="(\.[^"]+)"/g)].map((found) => new URL(found[1], SHELL).href);
  const wanted = [...new Set(named)];
  const cache = await caches.open(CACHE);
  const missing = [];
  for (const one of wanted) if (!(await cache.match(one))) missing.push(one);
  await cache.addAll(missing);
  await cache.put(SHELL, answer);
  for (const old of await cache.keys()) if (old.url !== SHELL && !wanted.includes(old.url)) await cache.delete(old);
}
