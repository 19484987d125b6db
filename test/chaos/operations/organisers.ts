import { parse } from 'csv-parse/sync'
import {
  acknowledgeCancel,
  type Booking,
  couldBe,
  findContradiction,
  isActive,
  markCancelUnanswered,
  type Workshop,
} from '../bookings.ts'
import type { Random } from '../random.ts'
import {
  isAnswered,
  latestBooking,
  pickCurrentWorkshop,
  pickIdlePerson,
  problemCode,
  type Run,
  reportUnexpected,
  type ServiceRequest,
  sendRequest,
  wasNotSent,
  withPersonLocked,
} from '../run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** Operations of organisers through the API with their relative frequency. */
export const organiserOperations: [weight: number, Operation][] = [
  [4, changeCapacity],
  [4, closeOrReopen],
  [2, cancelRegistration],
  [2, checkList],
  [1, checkExport],
]

async function changeCapacity(run: Run, random: Random) {
  await withWorkshopLocked(pickCurrentWorkshop(run, random), async (workshop) => {
    const { slug, capacity } = workshop
    const newCapacity = Math.max(1, capacity.acknowledged + random.between(-8, 10))
    const response = await sendToApi(run, random, {
      kind: 'change the capacity',
      method: 'PATCH',
      path: `/api/v1/workshops/${slug}`,
      json: { capacity: newCapacity },
    })
    if (response.status === 200) {
      capacity.acknowledged = newCapacity
      const reported = (JSON.parse(response.body) as { capacity: number }).capacity
      run.findings.check(
        'answers',
        !couldBe(capacity, reported) && `${slug}: requested ${newCapacity}, got ${reported}`,
      )
    } else if (problemCode(response) === 'capacity_below_taken') {
      const { taken } = JSON.parse(response.body) as { taken: number }
      // Seats may have been freed between the rejection and its number.
      run.findings.check(
        'answers',
        taken > Math.max(capacity.acknowledged, ...capacity.possible) && `${slug}: taken ${taken}`,
      )
    } else if (isAnswered(response)) {
      reportUnexpected(run, 'change the capacity', response)
    } else if (!wasNotSent(response)) {
      capacity.possible.add(newCapacity)
    }
  })
}

/** Sometimes closes an open workshop, and reopens one that may be closed. */
async function closeOrReopen(run: Run, random: Random) {
  const { workshops } = pickCurrentWorkshop(run, random).campaign
  const closed = workshops.find(({ state, busy }) => couldBe(state, 'closed') && !busy)
  await withWorkshopLocked(closed ?? random.pick(workshops), async ({ slug, state }) => {
    const newState = state.acknowledged === 'closed' || random.chance(0.3) ? 'published' : 'closed'
    const response = await sendToApi(run, random, {
      kind: newState === 'closed' ? 'close' : 'reopen',
      method: 'PATCH',
      path: `/api/v1/workshops/${slug}`,
      json: { state: newState },
    })
    if (response.status === 200) state.acknowledged = newState
    else if (isAnswered(response)) reportUnexpected(run, 'close or reopen', response)
    else if (!wasNotSent(response)) state.possible.add(newState)
  })
}

async function cancelRegistration(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) => bookings.some(isActive))
  if (!person) return
  await withPersonLocked(person, async () => {
    const booking = latestBooking(person) as Booking
    const kind = 'cancel a registration'
    booking.revision++
    const path = `/api/v1/registrations/${booking.ticket?.id}/cancel`
    const response = await sendToApi(run, random, { kind, method: 'POST', path })
    booking.revision++
    const cancelledBefore = problemCode(response) === 'already_cancelled' && booking.cancelled !== 'no'
    if (response.status === 200 || cancelledBefore) acknowledgeCancel(booking)
    else if (isAnswered(response)) reportUnexpected(run, kind, response)
    else if (!wasNotSent(response)) markCancelUnanswered(booking)
  })
}

type Line = { id: string; status: string; email: string }

/** Reads the attendee list page by page and checks that it has everyone who is certainly registered. */
async function checkList(run: Run, random: Random) {
  const { slug } = pickCurrentWorkshop(run, random)
  const expected = certainlyRegistered(run, slug)
  const lines = new Map<string, Line>()
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const path = `/api/v1/workshops/${slug}/registrations${cursor && `?cursor=${cursor}`}`
    const response = await sendToApi(run, random, { kind: 'list page', path })
    if (response.status !== 200) return reportUnexpected(run, 'list page', response)
    const page = JSON.parse(response.body) as { items: Line[]; next?: string }
    for (const line of page.items) lines.set(line.id, line)
    cursor = page.next
  }
  for (const booking of expected()) {
    const line = lines.get(booking.ticket?.id ?? '')
    const problem = line
      ? findContradiction(booking, { status: line.status, workshop: slug })
      : `${booking.key} is missing`
    run.findings.check('answers', problem && `the list of ${slug}: ${problem}`)
  }
}

async function checkExport(run: Run, random: Random) {
  const { slug } = pickCurrentWorkshop(run, random)
  const expected = certainlyRegistered(run, slug)
  const path = `/api/v1/workshops/${slug}/registrations.csv`
  const response = await sendToApi(run, random, { kind: 'export', path })
  if (response.status !== 200) return reportUnexpected(run, 'export', response)
  const rows = parse(response.body, { bom: true }) as string[][]
  const addresses = new Set(rows.flat())
  for (const { key, person } of expected()) {
    run.findings.check('answers', !addresses.has(person.email) && `the export of ${slug}: ${key} is missing`)
  }
}

/**
 * Returns a function that lists the bookings that were certainly active in a workshop from this call until its own:
 * without any request for them.
 */
export function certainlyRegistered({ people }: Run, slug: string): () => Booking[] {
  const certain = people
    .slice(-4000)
    .filter(({ busy }) => !busy)
    .flatMap(({ bookings }) => bookings)
    .filter(
      (booking) => isActive(booking) && booking.workshop.acknowledged === slug && booking.workshop.possible.size === 0,
    )
    .map((booking) => ({ booking, changes: booking.revision }))
  return () => certain.filter(({ booking, changes }) => booking.revision === changes).map(({ booking }) => booking)
}

/** Changes a workshop, locked against other organisers. */
export async function withWorkshopLocked(
  workshop: Workshop,
  callback: (workshop: Workshop) => Promise<void>,
): Promise<void> {
  if (workshop.busy) return
  workshop.busy = true
  workshop.revision++
  try {
    await callback(workshop)
  } finally {
    workshop.revision++
    workshop.busy = false
  }
}

/** Sends a request with the organiser's API token. */
export function sendToApi(run: Run, random: Random, request: ServiceRequest) {
  return sendRequest(run, random, { ...request, headers: { Authorization: `Bearer ${run.cluster.token}` } })
}
