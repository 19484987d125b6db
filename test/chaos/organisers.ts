import { parse } from 'csv-parse/sync'
import {
  type Booking,
  cancelAcknowledged,
  cancelUnanswered,
  contradiction,
  isLive,
  mayBe,
  type Workshop,
} from './bookings.ts'
import type { Random } from './random.ts'
import {
  type Ask,
  ask,
  bookingOf,
  codeOf,
  inTheNameOf,
  isAnswered,
  isUnsent,
  type Run,
  somebody,
  unexpected,
  workshopOfTheDay,
} from './run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** What organisers do, and how often in comparison to attendees. */
export const organiserOperations: [weight: number, Operation][] = [
  [4, changeCapacity],
  [4, closeOrReopen],
  [2, cancelSomebody],
  [2, readList],
  [1, exportList],
]

/** A few seats more or fewer. */
async function changeCapacity(run: Run, random: Random) {
  await changing(workshopOfTheDay(run, random), async (workshop) => {
    const { slug, capacity } = workshop
    const wanted = Math.max(1, capacity.certain + random.between(-8, 10))
    const answer = await asOrganiser(run, random, {
      kind: 'change the capacity',
      method: 'PATCH',
      path: `/api/v1/workshops/${slug}`,
      json: { capacity: wanted },
    })
    if (answer.status === 200) {
      capacity.certain = wanted
      const shown = (JSON.parse(answer.body) as { capacity: number }).capacity
      run.findings.check('answers', !mayBe(capacity, shown) && `${slug}: asked for ${wanted}, told ${shown}`)
    } else if (codeOf(answer) === 'capacity_below_taken') {
      const { taken } = JSON.parse(answer.body) as { taken: number }
      // Seats may have been given back between the refusal and the number that comes with it.
      run.findings.check(
        'answers',
        taken > Math.max(capacity.certain, ...capacity.perhaps) && `${slug}: taken ${taken}`,
      )
    } else if (isAnswered(answer)) {
      unexpected(run, 'change the capacity', answer)
    } else if (!isUnsent(answer)) {
      capacity.perhaps.add(wanted)
    }
  })
}

/** Closes a workshop that is open, now and then, and opens one that may be closed. */
async function closeOrReopen(run: Run, random: Random) {
  const { workshops } = workshopOfTheDay(run, random).campaign
  const closed = workshops.find(({ state, busy }) => mayBe(state, 'closed') && !busy)
  await changing(closed ?? random.pick(workshops), async ({ slug, state }) => {
    const wanted = state.certain === 'closed' || random.chance(0.3) ? 'published' : 'closed'
    const answer = await asOrganiser(run, random, {
      kind: wanted === 'closed' ? 'close' : 'reopen',
      method: 'PATCH',
      path: `/api/v1/workshops/${slug}`,
      json: { state: wanted },
    })
    if (answer.status === 200) state.certain = wanted
    else if (isAnswered(answer)) unexpected(run, 'close or reopen', answer)
    else if (!isUnsent(answer)) state.perhaps.add(wanted)
  })
}

async function cancelSomebody(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) => bookings.some(isLive))
  if (!person) return
  await inTheNameOf(person, async () => {
    const booking = bookingOf(person) as Booking
    const kind = 'cancel a registration'
    booking.changes++
    const path = `/api/v1/registrations/${booking.ticket?.id}/cancel`
    const answer = await asOrganiser(run, random, { kind, method: 'POST', path })
    booking.changes++
    const cancelledBefore = codeOf(answer) === 'already_cancelled' && booking.cancelled !== 'no'
    if (answer.status === 200 || cancelledBefore) cancelAcknowledged(booking)
    else if (isAnswered(answer)) unexpected(run, kind, answer)
    else if (!isUnsent(answer)) cancelUnanswered(booking)
  })
}

type Line = { id: string; status: string; email: string }

/** Reads the attendee list page by page and looks for those of whom it is certain that they are on it. */
async function readList(run: Run, random: Random) {
  const { slug } = workshopOfTheDay(run, random)
  const expected = certainlyIn(run, slug)
  const lines = new Map<string, Line>()
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const path = `/api/v1/workshops/${slug}/registrations${cursor && `?cursor=${cursor}`}`
    const answer = await asOrganiser(run, random, { kind: 'list page', path })
    if (answer.status !== 200) return unexpected(run, 'list page', answer)
    const page = JSON.parse(answer.body) as { items: Line[]; next?: string }
    for (const line of page.items) lines.set(line.id, line)
    cursor = page.next
  }
  for (const booking of expected()) {
    const line = lines.get(booking.ticket?.id ?? '')
    const wrong = line ? contradiction(booking, { status: line.status, workshop: slug }) : `${booking.key} is missing`
    run.findings.check('answers', wrong && `the list of ${slug}: ${wrong}`)
  }
}

async function exportList(run: Run, random: Random) {
  const { slug } = workshopOfTheDay(run, random)
  const expected = certainlyIn(run, slug)
  const path = `/api/v1/workshops/${slug}/registrations.csv`
  const answer = await asOrganiser(run, random, { kind: 'export', path })
  if (answer.status !== 200) return unexpected(run, 'export', answer)
  const rows = parse(answer.body, { bom: true }) as string[][]
  const addresses = new Set(rows.flat())
  for (const { key, person } of expected()) {
    run.findings.check('answers', !addresses.has(person.email) && `the export of ${slug}: ${key} is missing`)
  }
}

/**
 * The bookings that are certainly live in a workshop now and of which nobody asks anything. Gives a function that says of which of them it was certain all
 * the time until it is called.
 */
export function certainlyIn({ people }: Run, slug: string): () => Booking[] {
  const certain = people
    .slice(-4000)
    .filter(({ busy }) => !busy)
    .flatMap(({ bookings }) => bookings)
    .filter((booking) => isLive(booking) && booking.place.certain === slug && booking.place.perhaps.size === 0)
    .map((booking) => ({ booking, changes: booking.changes }))
  return () => certain.filter(({ booking, changes }) => booking.changes === changes).map(({ booking }) => booking)
}

/** Changes a workshop while no other organiser does. */
export async function changing(workshop: Workshop, work: (workshop: Workshop) => Promise<void>): Promise<void> {
  if (workshop.busy) return
  workshop.busy = true
  workshop.changes++
  try {
    await work(workshop)
  } finally {
    workshop.changes++
    workshop.busy = false
  }
}

/** Asks with the organiser's token. */
export function asOrganiser(run: Run, random: Random, request: Ask) {
  return ask(run, random, { ...request, headers: { Authorization: `Bearer ${run.stage.token}` } })
}
