// Keeps the counts on a page up to date while somebody looks at it. What people type is never touched.
const watchedParts = [...document.querySelectorAll('[data-availability]')]
const pause = 10_000

async function look() {
  if (!document.hidden) await Promise.allSettled(watchedParts.map(update))
  // Not all at the same moment, when a newsletter brought everyone at once.
  setTimeout(look, pause * (1 + Math.random() / 2))
}

async function update(part) {
  // The browser sends the ETag along and hands us the copy that it has, if nothing changed.
  const answer = await fetch(part.dataset.availability, { cache: 'no-cache' })
  if (!answer.ok) return
  const { seatsLeft, taken, waitlisted, status } = await answer.json()
  if (status !== part.dataset.status) return redraw(part, status)
  for (const place of part.querySelectorAll('[data-seats-left]')) place.textContent = seatsLeft
  for (const place of part.querySelectorAll('[data-waitlisted]')) place.textContent = waitlisted
  for (const bar of part.querySelectorAll('progress')) bar.value = taken
}

/** Another state has other words: they are taken from the page as the server draws it now. */
async function redraw(part, status) {
  const answer = await fetch(location.href, { cache: 'no-cache' })
  if (!answer.ok) return
  const now = new DOMParser().parseFromString(await answer.text(), 'text/html')
  part.dataset.status = status
  for (const old of document.querySelectorAll('[data-live]')) {
    const drawn = now.getElementById(old.id)
    old.hidden = !drawn
    if (!drawn) continue
    old.className = drawn.className
    old.replaceChildren(...drawn.childNodes)
  }
}

setTimeout(look, pause)
