// Keeps the seat counts of a page up to date while it is visible. The fields of a form are never touched.
import type { Availability } from '../api/availability.ts'

const watched = [...document.querySelectorAll<HTMLElement>('[data-availability]')]
const pollInterval = 10_000

async function poll(): Promise<void> {
  if (!document.hidden) await Promise.allSettled(watched.map(update))
  // With jitter, for pages that a newsletter opened at the same moment.
  setTimeout(poll, pollInterval * (1 + Math.random() / 2))
}

async function update(section: HTMLElement): Promise<void> {
  // The browser revalidates with the ETag, and returns its cached copy on 304.
  const response = await fetch(section.dataset.availability as string, { cache: 'no-cache' })
  if (!response.ok) return
  const { seatsLeft, taken, waitlisted, status }: Availability = await response.json()
  if (status !== section.dataset.status) return redraw(section, status)
  for (const element of section.querySelectorAll('[data-seats-left]')) element.textContent = `${seatsLeft}`
  for (const element of section.querySelectorAll('[data-waitlisted]')) element.textContent = `${waitlisted}`
  for (const bar of section.querySelectorAll('progress')) bar.value = taken
}

/** After a change of status, takes over the texts of the page as the server renders it now. */
async function redraw(section: HTMLElement, status: string): Promise<void> {
  const response = await fetch(location.href, { cache: 'no-cache' })
  if (!response.ok) return
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  section.dataset.status = status
  for (const element of document.querySelectorAll<HTMLElement>('[data-live]')) {
    const updated = page.getElementById(element.id)
    element.hidden = !updated
    if (!updated) continue
    element.className = updated.className
    element.replaceChildren(...updated.childNodes)
  }
}

setTimeout(poll, pollInterval)
