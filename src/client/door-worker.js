// Shows the door where there is no network: its page without a name on it, and the files of that page. The server writes the
// constants `version` and `files` above this line. Nothing else goes into the cache: the list never passes through here.
const shellPath = `/door/shell${location.search}`
/** Each of the two registrations has a cache of its own, so that none takes away what the other is just filling. */
const cachePrefix = `door ${registration.scope} `
const cacheName = cachePrefix + version

addEventListener('install', (event) => {
  event.waitUntil(fillCache())
  skipWaiting()
})

addEventListener('activate', (event) => {
  event.waitUntil(activate())
})

addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request
  const { origin, pathname, search } = new URL(url)
  if (method !== 'GET' || origin !== location.origin) return
  if (mode === 'navigate') {
    if (!/^\/(door|in\/[^/]+)$/.test(pathname)) return
    // With a question it is for the server: a search without the script, another language.
    event.respondWith(
      search ? fetch(event.request).catch(() => fromCache(shellPath)) : fromCache(shellPath, event.request),
    )
  } else if (files.includes(pathname)) {
    event.respondWith(fromCache(pathname, event.request))
  }
})

async function fillCache() {
  const cache = await caches.open(cacheName)
  await cache.addAll([shellPath, ...files].map((path) => new Request(path, { cache: 'reload' })))
}

/** All files are of one release: those of the one before go at once. */
async function activate() {
  for (const name of await caches.keys())
    if (name.startsWith(cachePrefix) && name !== cacheName) await caches.delete(name)
  await clients.claim()
}

/** What is kept; where the browser has thrown it away, what the server says. */
async function fromCache(path, request) {
  const found = await caches.match(path, { cacheName })
  return found ?? (request ? fetch(request) : Response.error())
}
