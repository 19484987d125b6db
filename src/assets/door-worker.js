// Shows the door where there is no network: its page without a name on it, and the files of that page. The server writes the
// constants `version` and `files` above this line. Nothing else goes into the cache: the list never passes through here.
const shell = `/door/shell${location.search}`
/** Each of the two registrations has a cache of its own, so that none takes away what the other is just filling. */
const ours = `door ${registration.scope} `
const cacheName = ours + version

addEventListener('install', (event) => {
  event.waitUntil(fill())
  skipWaiting()
})

addEventListener('activate', (event) => {
  event.waitUntil(takeOver())
})

addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request
  const { origin, pathname, search } = new URL(url)
  if (method !== 'GET' || origin !== location.origin) return
  if (mode === 'navigate') {
    if (!/^\/(door|in\/[^/]+)$/.test(pathname)) return
    // With a question it is for the server: a search without the script, another language.
    event.respondWith(search ? fetch(event.request).catch(() => kept(shell)) : kept(shell, event.request))
  } else if (files.includes(pathname)) {
    event.respondWith(kept(pathname, event.request))
  }
})

async function fill() {
  const cache = await caches.open(cacheName)
  await cache.addAll([shell, ...files].map((path) => new Request(path, { cache: 'reload' })))
}

/** All files are of one release: those of the one before go at once. */
async function takeOver() {
  for (const name of await caches.keys()) if (name.startsWith(ours) && name !== cacheName) await caches.delete(name)
  await clients.claim()
}

/** What is kept; where the browser has thrown it away, what the server says. */
async function kept(path, request) {
  const found = await caches.match(path, { cacheName })
  return found ?? (request ? fetch(request) : Response.error())
}
