// Refreshes #progress while the page is visible and something is pending (data-waiting).
const pollInterval = 3_000

async function poll(): Promise<void> {
  const progress = document.getElementById('progress')
  if (!progress?.dataset.waiting) return
  if (!document.hidden) await refresh(progress).catch(() => {})
  setTimeout(poll, pollInterval)
}

async function refresh(progress: HTMLElement): Promise<void> {
  const response = await fetch(location.href, { cache: 'no-store' })
  if (!response.ok || response.redirected) return
  const updated = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('progress')
  // Replacing it would move the keyboard focus away from a link in it.
  const hasFocus = progress.contains(document.activeElement)
  if (updated && updated.innerHTML !== progress.innerHTML && !hasFocus) progress.replaceWith(updated)
}

setTimeout(poll, pollInterval)
