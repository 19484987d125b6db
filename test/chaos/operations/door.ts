import { paths } from '../../../src/http/links.ts'
import type { Booking } from '../bookings.ts'
import type { DoorWorkshop, Entry, Phone, Result } from '../day.ts'
import type { HttpResponse } from '../http.ts'
import type { Random } from '../random.ts'
import { isAnswered, type Run, reportUnexpected, type ServiceRequest, sendRequest, wasNotSent } from '../run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** Operations of helpers at the doors with their relative frequency. */
export const doorOperations: [weight: number, Operation][] = [
  [6, scan],
  [1, scanByForm],
  [2, undoScan],
  [1.5, walkIn],
  [0.5, walkInByForm],
  [1, joinOrLeaveQueue],
  [3, lend],
  [3, returnBoard],
  [4, sendRandomQueue],
  [2, checkList],
]

/** Checks in some people by the phone's clock, occasionally with a ticket for another workshop. */
async function scan(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  for (let n = random.between(1, 5); n > 0; n--) {
    const booking = random.pick(storedBookings(run, random.chance(0.95) ? phone.workshop : random.pick(run.day.doors)))
    queueEntry(run, phone, { kind: 'in', registration: registrationId(booking), at: phoneTime(random) })
  }
  await maybeSendQueue(run, random, phone)
}

/** Checks in by form, without JavaScript, with the page's nonce. */
async function scanByForm(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const registration = registrationId(random.pick(storedBookings(run, phone.workshop)))
  const entry = recordEntry(run, phone, { kind: 'in', registration, at: Date.now() })
  const form = { id: entry.id, registration }
  await sendByForm(run, random, entry, { kind: 'check in by form', path: paths.doorCheckIn(), form })
}

async function undoScan(run: Run, random: Random) {
  const scans = [...run.day.entries.values()].filter(
    ({ kind, results }) => (kind === 'in' || kind === 'walk_in') && results.some(({ outcome }) => outcome === 'in'),
  )
  if (scans.length === 0) return
  const { id, registration, phone } = random.pick(scans.slice(-100))
  run.day.undoRequested.add(registration as string)
  queueEntry(run, phone, { kind: 'undo', checkIn: id, registration: registration as string, at: Date.now() })
  await maybeSendQueue(run, random, phone)
}

async function walkIn(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  queueEntry(run, phone, { kind: 'walk_in', name: `现场 ${run.day.entries.size}`, at: phoneTime(random) })
  await maybeSendQueue(run, random, phone)
}

async function walkInByForm(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const entry = recordEntry(run, phone, { kind: 'walk_in', name: `现场 ${run.day.entries.size}`, at: Date.now() })
  const form = { id: entry.id, name: entry.name as string, phone: '' }
  await sendByForm(run, random, entry, { kind: 'walk in by form', path: paths.doorWalkIn(), form })
}

/** Puts a waitlisted person into the door queue, or takes them out. */
async function joinOrLeaveQueue(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const list = await fetchList(run, random, phone)
  const waiting = list?.people.filter(({ status }) => status === 'waitlisted') ?? []
  if (waiting.length === 0) return
  const { id, standing } = random.pick(waiting)
  const isLeaving = standing && random.chance(0.3)
  // Leaving the queue cancels a walk-in.
  run.day[isLeaving ? 'undoRequested' : 'queuedAtDoor'].add(id)
  const kind = isLeaving ? 'leave door queue' : 'join door queue'
  const path = isLeaving ? paths.doorQueueLeave() : paths.doorQueueJoin()
  const response = await sendFromPhone(run, random, phone, { kind, method: 'POST', path, form: { registration: id } })
  if (response.status !== 303 && isAnswered(response)) reportUnexpected(run, kind, response)
}

async function lend(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const registration = registrationId(random.pick(storedBookings(run, phone.workshop)))
  queueEntry(run, phone, { kind: 'lend', registration, board: random.pick(run.day.boards), at: phoneTime(random) })
  await maybeSendQueue(run, random, phone)
}

async function returnBoard(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const lent = [...run.day.entries.values()].filter(
    ({ kind, results }) => kind === 'lend' && results.some(({ outcome }) => outcome === 'lent'),
  )
  const board = lent.length > 0 && random.chance(0.8) ? random.pick(lent.slice(-60)).board : random.pick(run.day.boards)
  queueEntry(run, phone, { kind: 'return', board: board as string, at: phoneTime(random) })
  await maybeSendQueue(run, random, phone)
}

async function sendRandomQueue(run: Run, random: Random) {
  await sendQueue(run, random, random.pick(run.day.phones))
}

/** Checks that the list of a door shows everyone who is certainly checked in. */
async function checkList(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const expected = certainlyCheckedIn(run, phone.workshop)
  const list = await fetchList(run, random, phone)
  if (!list) return
  const shown = new Map(list.people.map((person) => [person.id, person]))
  for (const id of expected()) {
    run.findings.check(
      'answers',
      !shown.get(id)?.checkedIn && `${id} is not shown as checked in to ${phone.workshop.slug}`,
    )
  }
}

type ListedPerson = { id: string; status: string; standing: boolean; checkedIn: { id: string } | null }

async function fetchList(run: Run, random: Random, phone: Phone): Promise<{ people: ListedPerson[] } | undefined> {
  const response = await sendFromPhone(run, random, phone, { kind: 'door list', path: paths.doorList() })
  if (response.status === 200) {
    run.findings.check('answers', response.body.includes('@example.com') && 'the door list contains an e-mail address')
    return JSON.parse(response.body)
  }
  reportUnexpected(run, 'door list', response)
  return undefined
}

/** Phones are offline half of the time. */
async function maybeSendQueue(run: Run, random: Random, phone: Phone) {
  if (random.chance(0.5)) await sendQueue(run, random, phone)
}

/**
 * Sends the pending entries of a phone in random order, occasionally with entries that were answered long ago, or to
 * both services at once.
 */
export async function sendQueue(run: Run, random: Random, phone: Phone): Promise<void> {
  if (phone.busy || phone.queue.length === 0) return
  phone.busy = true
  try {
    const alreadySent = random.chance(0.15)
      ? [...run.day.entries.values()].filter((entry) => entry.phone === phone && entry.results.length > 0).slice(-100)
      : []
    const batch = random.shuffle([
      ...new Set([...phone.queue.slice(0, 50), ...random.shuffle(alreadySent).slice(0, 5)]),
    ])
    const sendToBoth = random.chance(0.1)
    await Promise.all(
      (sendToBoth ? run.cluster.services : [undefined]).map((to) => sendBatch(run, random, phone, batch, to)),
    )
    phone.queue = phone.queue.filter(({ results }) => results.length === 0)
  } finally {
    phone.busy = false
  }
}

/** Sends the pending entries of all phones after the last fault. */
export async function flushQueues(run: Run, random: Random): Promise<void> {
  for (const phone of run.day.phones) {
    for (let tries = 0; phone.queue.length > 0 && tries < 50; tries++) await sendQueue(run, random, phone)
    run.findings.check('checkIns', phone.queue.length > 0 && `${phone.name} gets no response`)
  }
}

async function sendBatch(run: Run, random: Random, phone: Phone, batch: Entry[], service: ServiceRequest['service']) {
  const kind = 'sync entries'
  for (const entry of batch) entry.firstSentAt ??= Date.now()
  const json = {
    entries: batch.map(({ kind, id, registration, board, checkIn, name, at }) => {
      const common = { kind, id, at: new Date(at).toISOString() }
      if (kind === 'in') return { ...common, registration }
      if (kind === 'undo') return { ...common, checkIn }
      if (kind === 'walk_in') return { ...common, name, phone: '' }
      return kind === 'lend' ? { ...common, registration, board } : { ...common, board }
    }),
  }
  const response = await sendFromPhone(run, random, phone, {
    kind,
    service,
    method: 'POST',
    path: paths.doorEntries(),
    json,
  })
  if (response.status !== 200) {
    if (isAnswered(response)) reportUnexpected(run, kind, response)
    if (!wasNotSent(response)) for (const entry of batch) entry.lostResponses++
    return
  }
  const { results } = JSON.parse(response.body) as { results: Result[] }
  for (const [n, entry] of batch.entries()) recordResult(run, entry, results[n] as Result)
}

async function sendByForm(run: Run, random: Random, entry: Entry, request: ServiceRequest) {
  entry.firstSentAt = Date.now()
  entry.viaForm = true
  const response = await sendFromPhone(run, random, entry.phone, { ...request, method: 'POST' })
  if (response.status === 303) {
    const redirectParams = new URL(response.headers.location ?? '', 'http://here').searchParams
    run.findings.check(
      'answers',
      redirectParams.get('scan') !== entry.id && `${entry.id} redirected to ${redirectParams.get('scan')}`,
    )
    if (entry.kind === 'walk_in') entry.registration = redirectParams.get('person') ?? ''
  } else if (isAnswered(response)) {
    // The workshop is full, and no-shows keep their seats.
    const isRejected = entry.kind === 'walk_in' && [200, 409, 422].includes(response.status as number)
    if (!isRejected) reportUnexpected(run, request.kind, response)
  } else if (!wasNotSent(response)) {
    entry.lostResponses++
  }
  // The sync response will tell its outcome.
  entry.phone.queue.push(entry)
}

/** Checks a result against earlier ones and records it. */
function recordResult(run: Run, entry: Entry, result: Result) {
  entry.firstResponseAt ??= Date.now()
  const problem = result?.id !== entry.id ? 'the result of another entry' : findEntryError(run, entry, result)
  run.findings.check('answers', problem && `${entry.kind} ${entry.id}: ${JSON.stringify(result)}: ${problem}`)
  entry.results.push(result)
  if (entry.kind === 'walk_in' && result.person) entry.registration = result.person.id
  if (entry.kind === 'walk_in' && result.outcome === 'standing') run.day.queuedAtDoor.add(entry.registration as string)
}

/** Describes what is impossible about a result, or returns undefined. */
function findEntryError({ day }: Run, entry: Entry, { outcome, checkedIn, person }: Result): string | undefined {
  const before = entry.results.map(({ outcome }) => outcome)
  const lastRefusal = before.find((outcome) => outcome !== 'in' && outcome !== 'again')
  switch (entry.kind) {
    case 'in': {
      const isCheckedIn = outcome === 'in' || outcome === 'again'
      if (before.some((outcome) => outcome === 'in' || outcome === 'again') && !isCheckedIn)
        return 'it was checked in before'
      if (isCheckedIn) {
        const undone = day.undoRequested.has(entry.registration as string)
        const booking = findBooking(day.people, entry.registration)
        if (!checkedIn) return undone || booking?.cancelled !== 'no' ? undefined : 'nobody is checked in'
        if (outcome === 'again' || checkedIn.id === entry.id || undone || before.length > 0 || entry.lostResponses > 0)
          return
        return 'another check-in is returned'
      }
      if (outcome === 'elsewhere') return isRightWorkshop(day.people, entry) ? 'it is the right workshop' : undefined
      if (outcome === 'cancelled') return mayBeCancelled(day.people, entry) ? undefined : 'nobody cancelled it'
      return outcome === 'waitlisted' ? undefined : 'that is impossible'
    }
    case 'undo':
      return outcome === 'undone' || outcome === 'not_in' ? undefined : 'that is impossible'
    case 'walk_in':
      if (outcome === 'in' || outcome === 'standing') {
        const isOtherPerson = entry.registration !== undefined && person && person.id !== entry.registration
        return isOtherPerson ? 'it is another person' : undefined
      }
      if (before.includes('in') || before.includes('standing')) return 'it was accepted before'
      return outcome === 'full' ? undefined : 'that is impossible'
    case 'lend':
      if (before.includes('lent') && outcome !== 'lent') return 'it was lent'
      return ['lent', 'board_taken', 'has_board', 'not_found'].includes(outcome) ? undefined : 'that is impossible'
    case 'return':
      if (before.includes('returned') && outcome !== 'returned') return 'it was returned'
      return outcome === 'returned' || outcome === 'not_lent' ? undefined : `that is impossible after ${lastRefusal}`
  }
}

/** A seat is cancelled by the attendee, or lost after the grace period. */
function mayBeCancelled(people: Run['day']['people'], { registration, phone }: Entry): boolean {
  const booking = findBooking(people, registration)
  return booking?.cancelled !== 'no' || (phone.workshop.grace !== null && Date.now() >= phone.workshop.startsAt)
}

function isRightWorkshop(people: Run['day']['people'], { registration, phone }: Entry): boolean {
  return findBooking(people, registration)?.firstWorkshop === phone.workshop.slug
}

function findBooking(people: Run['day']['people'], registration: string | undefined): Booking | undefined {
  return people.flatMap(({ bookings }) => bookings).find(({ ticket }) => ticket?.id === registration)
}

/**
 * Returns a function that lists who was certainly checked in from this call until its own: acknowledged, and without
 * any other request.
 */
export function certainlyCheckedIn({ day }: Run, { slug }: Pick<DoorWorkshop, 'slug'>): () => string[] {
  const checkedIn = new Set(
    [...day.entries.values()]
      .filter(({ kind, results, phone }) => kind === 'in' && phone.workshop.slug === slug && wasCheckedIn(results))
      .map(({ registration }) => registration as string),
  )
  const certain = () =>
    [...checkedIn].filter((id) => !day.undoRequested.has(id) && findBooking(day.people, id)?.cancelled === 'no')
  const before = new Set(certain())
  return () => certain().filter((id) => before.has(id))
}

const wasCheckedIn = (answers: Result[]) => answers.some(({ outcome }) => outcome === 'in' || outcome === 'again')

/** Stored bookings of a workshop, including cancelled ones. */
export function storedBookings({ day }: Run, { slug }: Pick<DoorWorkshop, 'slug'>): Booking[] {
  return day.people
    .flatMap(({ bookings }) => bookings)
    .filter(({ stored, firstWorkshop }) => stored === 'yes' && firstWorkshop === slug)
}

export const registrationId = ({ ticket }: Booking) => ticket?.id as string

function queueEntry(run: Run, phone: Phone, draft: EntryDraft) {
  phone.queue.push(recordEntry(run, phone, draft))
}

type EntryDraft = Omit<Entry, 'id' | 'phone' | 'lostResponses' | 'results'>

function recordEntry({ day }: Run, phone: Phone, draft: EntryDraft): Entry {
  const entry: Entry = { ...draft, id: crypto.randomUUID(), phone, lostResponses: 0, results: [] }
  day.entries.set(entry.id, entry)
  return entry
}

/** Phones are offline for a while, and their clocks differ. */
function phoneTime(random: Random): number {
  return Date.now() - (random.chance(0.7) ? random.between(0, 600_000) : random.between(-20_000, 20_000))
}

function sendFromPhone(run: Run, random: Random, { cookie }: Phone, request: ServiceRequest): Promise<HttpResponse> {
  return sendRequest(run, random, { ...request, headers: { Cookie: cookie } })
}
