// Keeps the counts of a message up to date while its mails go out and somebody looks at it.
const pause = 3_000

async function look() {
  const part = document.getElementById('progress')
  if (!part?.dataset.waiting) return
  if (!document.hidden) await update(part).catch(() => {})
  setTimeout(look, pause)
}

async function update(part) {
  const answer = await fetch(location.href, { cache: 'no-store' })
  if (!answer.ok || answer.redirected) return
  const now = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('progress')
  // Whoever is on a link of it would lose their place.
  if (now && now.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.replaceWith(now)
}

setTimeout(look, pause)
