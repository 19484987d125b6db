// The service worker: shows the door without a network. It caches the page, which contains no names, and the page's files,
// nothing else; the list never passes through the cache. offline.tsx writes the constants `version` and `files` above it.
// The names of caches never change: phones have them.

declare const version: string
declare const files: string[]

/** The parts of ServiceWorkerGlobalScope used here: TypeScript's WebWorker library conflicts with that of pages. */
type WorkerScope = {
  registration: { scope: string }
  clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
}
type ExtendableEvent = Event & { waitUntil(promise: Promise<unknown>): void }
type FetchEvent = Event & { request: Request; respondWith(response: Promise<Response>): void }

const worker = globalThis as unknown as WorkerScope

const shellPath = `/door/shell${location.search}`
/** A cache for each of the two registrations, so that neither deletes what the other one is filling. */
const cachePrefix = `door ${worker.registration.scope} `
const cacheName = cachePrefix + version

worker.addEventListener('install', (event) => {
  event.waitUntil(fillCache())
  worker.skipWaiting()
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(activate())
})

worker.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request
  const { origin, pathname, search } = new URL(url)
  if (method !== 'GET' || origin !== location.origin) return
  if (mode === 'navigate') {
    if (!/^\/(door|in\/[^/]+)$/.test(pathname)) return
    // A query string needs the server: a search without the script, another language.
    event.respondWith(
      search ? fetch(event.request).catch(() => fromCache(shellPath)) : fromCache(shellPath, event.request),
    )
  } else if (files.includes(pathname)) {
    event.respondWith(fromCache(pathname, event.request))
  }
})

async function fillCache(): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll([shellPath, ...files].map((path) => new Request(path, { cache: 'reload' })))
}

/** Deletes the caches of other releases: all files of a page have to be of the same one. */
async function activate(): Promise<void> {
  for (const name of await caches.keys())
    if (name.startsWith(cachePrefix) && name !== cacheName) await caches.delete(name)
  await worker.clients.claim()
}

/** The cached response. If the browser has evicted it, the server's, or a network error without a request. */
async function fromCache(path: string, request?: Request): Promise<Response> {
  const cached = await caches.match(path, { cacheName })
  return cached ?? (request ? fetch(request) : Response.error())
}
