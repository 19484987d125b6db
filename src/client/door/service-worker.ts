// Installs and removes the service worker: one script, for the page of the door and for those of scanned tickets.

const scopes = ['/door', '/in/']

export async function installServiceWorker(): Promise<void> {
  if (!navigator.serviceWorker) return
  // Each language has a script of its own, which caches its page.
  const script = `/door/worker.js?lang=${document.documentElement.lang}`
  await Promise.all(
    scopes.map((scope) => navigator.serviceWorker.register(script, { scope, updateViaCache: 'none' })),
  ).catch(console.error)
}

export async function uninstallServiceWorker(): Promise<void> {
  const registrations = (await navigator.serviceWorker?.getRegistrations()) ?? []
  const ours = registrations.filter(({ scope }) => scopes.includes(new URL(scope).pathname))
  await Promise.all(ours.map((registration) => registration.unregister()))
  for (const name of (await window.caches?.keys()) ?? []) if (name.startsWith('door ')) await caches.delete(name)
}
