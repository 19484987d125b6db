import { paths } from '../../src/links.ts'
import type { Booking } from './bookings.ts'
import type { DoorWorkshop, Entry, Phone, Result } from './day.ts'
import type { Answer } from './http.ts'
import type { Random } from './random.ts'
import { type Ask, ask, isAnswered, isUnsent, type Run, unexpected } from './run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** What helpers do at the doors, and how often in comparison to what is done elsewhere. */
export const doorOperations: [weight: number, Operation][] = [
  [6, scan],
  [1, scanByForm],
  [2, takeBackScan],
  [1.5, walkIn],
  [0.5, walkInByForm],
  [1, standOrLeave],
  [3, lend],
  [3, takeBoard],
  [4, comeBackOnline],
  [2, look],
]

/** Some people come through a door, by the clock of its phone; now and then with a ticket for another workshop. */
async function scan(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  for (let n = random.between(1, 5); n > 0; n--) {
    const booking = random.pick(bookingsOf(run, random.chance(0.95) ? phone.workshop : random.pick(run.day.doors)))
    tell(run, phone, { kind: 'in', registration: idOf(booking), at: ownTime(random) })
  }
  await maybeOnline(run, random, phone)
}

/** Without JavaScript, with the page's nonce. */
async function scanByForm(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const registration = idOf(random.pick(bookingsOf(run, phone.workshop)))
  const entry = noted(run, phone, { kind: 'in', registration, at: Date.now() })
  const form = { id: entry.id, registration }
  await byForm(run, random, entry, { kind: 'check in by form', path: paths.doorCheckIn(), form })
}

async function takeBackScan(run: Run, random: Random) {
  const scans = [...run.day.entries.values()].filter(
    ({ kind, answers }) => (kind === 'in' || kind === 'walk_in') && answers.some(({ outcome }) => outcome === 'in'),
  )
  if (scans.length === 0) return
  const { id, registration, phone } = random.pick(scans.slice(-100))
  run.day.undone.add(registration as string)
  tell(run, phone, { kind: 'undo', checkIn: id, registration: registration as string, at: Date.now() })
  await maybeOnline(run, random, phone)
}

async function walkIn(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  tell(run, phone, { kind: 'walk_in', name: `现场 ${run.day.entries.size}`, at: ownTime(random) })
  await maybeOnline(run, random, phone)
}

async function walkInByForm(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const entry = noted(run, phone, { kind: 'walk_in', name: `现场 ${run.day.entries.size}`, at: Date.now() })
  const form = { id: entry.id, name: entry.name as string, phone: '' }
  await byForm(run, random, entry, { kind: 'walk in by form', path: paths.doorWalkIn(), form })
}

/** Somebody who waits for a seat stands at the door, or has gone. */
async function standOrLeave(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const list = await readList(run, random, phone)
  const waiting = list?.people.filter(({ status }) => status === 'waitlisted') ?? []
  if (waiting.length === 0) return
  const { id, standing } = random.pick(waiting)
  const leaves = standing && random.chance(0.3)
  // Who walked in and goes is not there any more.
  run.day[leaves ? 'undone' : 'stood'].add(id)
  const kind = leaves ? 'leave the door' : 'stand at the door'
  const path = leaves ? paths.doorLeave() : paths.doorStand()
  const answer = await atDoor(run, random, phone, { kind, method: 'POST', path, form: { registration: id } })
  if (answer.status !== 303 && isAnswered(answer)) unexpected(run, kind, answer)
}

async function lend(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const registration = idOf(random.pick(bookingsOf(run, phone.workshop)))
  tell(run, phone, { kind: 'lend', registration, board: random.pick(run.day.boards), at: ownTime(random) })
  await maybeOnline(run, random, phone)
}

async function takeBoard(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const lent = [...run.day.entries.values()].filter(
    ({ kind, answers }) => kind === 'lend' && answers.some(({ outcome }) => outcome === 'lent'),
  )
  const board = lent.length > 0 && random.chance(0.8) ? random.pick(lent.slice(-60)).board : random.pick(run.day.boards)
  tell(run, phone, { kind: 'return', board: board as string, at: ownTime(random) })
  await maybeOnline(run, random, phone)
}

async function comeBackOnline(run: Run, random: Random) {
  await sendQueue(run, random, random.pick(run.day.phones))
}

/** What a phone keeps of its door: everyone who certainly came is in. */
async function look(run: Run, random: Random) {
  const phone = random.pick(run.day.phones)
  const expected = certainlyInside(run, phone.workshop)
  const list = await readList(run, random, phone)
  if (!list) return
  const shown = new Map(list.people.map((person) => [person.id, person]))
  for (const id of expected()) {
    run.findings.check('answers', !shown.get(id)?.checkedIn && `${id} came to ${phone.workshop.slug} and is not in`)
  }
}

type Listed = { id: string; status: string; standing: boolean; checkedIn: { id: string } | null }

async function readList(run: Run, random: Random, phone: Phone): Promise<{ people: Listed[] } | undefined> {
  const answer = await atDoor(run, random, phone, { kind: "read a door's list", path: paths.doorList() })
  if (answer.status === 200) {
    run.findings.check('answers', answer.body.includes('@example.com') && 'a door was told an e-mail address')
    return JSON.parse(answer.body)
  }
  unexpected(run, "read a door's list", answer)
  return undefined
}

/** Half of the time a phone has no network. */
async function maybeOnline(run: Run, random: Random, phone: Phone) {
  if (random.chance(0.5)) await sendQueue(run, random, phone)
}

/**
 * Sends what a phone has yet to hear of, in any order; now and then together with what was answered long ago, or to both
 * services at once.
 */
export async function sendQueue(run: Run, random: Random, phone: Phone): Promise<void> {
  if (phone.busy || phone.queue.length === 0) return
  phone.busy = true
  try {
    const old = random.chance(0.15)
      ? [...run.day.entries.values()].filter((entry) => entry.phone === phone && entry.answers.length > 0).slice(-100)
      : []
    const lot = random.shuffled([...new Set([...phone.queue.slice(0, 50), ...random.shuffled(old).slice(0, 5)])])
    const both = random.chance(0.1)
    await Promise.all((both ? run.stage.services : [undefined]).map((to) => sendLot(run, random, phone, lot, to)))
    phone.queue = phone.queue.filter(({ answers }) => answers.length === 0)
  } finally {
    phone.busy = false
  }
}

/** Sends everything that phones have yet to hear of, now that nothing fails any more. */
export async function allComeOnline(run: Run, random: Random): Promise<void> {
  for (const phone of run.day.phones) {
    for (let tries = 0; phone.queue.length > 0 && tries < 50; tries++) await sendQueue(run, random, phone)
    run.findings.check('checkIns', phone.queue.length > 0 && `${phone.name} gets no answer`)
  }
}

async function sendLot(run: Run, random: Random, phone: Phone, lot: Entry[], to: Ask['to']) {
  const kind = "send a phone's entries"
  for (const entry of lot) entry.firstSentAt ??= Date.now()
  const json = {
    entries: lot.map(({ kind, id, registration, board, checkIn, name, at }) => {
      const common = { kind, id, at: new Date(at).toISOString() }
      if (kind === 'in') return { ...common, registration }
      if (kind === 'undo') return { ...common, checkIn }
      if (kind === 'walk_in') return { ...common, name, phone: '' }
      return kind === 'lend' ? { ...common, registration, board } : { ...common, board }
    }),
  }
  const answer = await atDoor(run, random, phone, { kind, to, method: 'POST', path: paths.doorEntries(), json })
  if (answer.status !== 200) {
    if (isAnswered(answer)) unexpected(run, kind, answer)
    if (!isUnsent(answer)) for (const entry of lot) entry.unheard++
    return
  }
  const { results } = JSON.parse(answer.body) as { results: Result[] }
  for (const [n, entry] of lot.entries()) hear(run, entry, results[n] as Result)
}

async function byForm(run: Run, random: Random, entry: Entry, request: Ask) {
  entry.firstSentAt = Date.now()
  entry.byForm = true
  const answer = await atDoor(run, random, entry.phone, { ...request, method: 'POST' })
  if (answer.status === 303) {
    const leads = new URL(answer.headers.location ?? '', 'http://here').searchParams
    run.findings.check('answers', leads.get('scan') !== entry.id && `${entry.id} was answered as ${leads.get('scan')}`)
    if (entry.kind === 'walk_in') entry.registration = leads.get('person') ?? ''
  } else if (isAnswered(answer)) {
    // Nothing is free, and no seats of absent people are given away.
    const full = entry.kind === 'walk_in' && [200, 409, 422].includes(answer.status as number)
    if (!full) unexpected(run, request.kind, answer)
  } else if (!isUnsent(answer)) {
    entry.unheard++
  }
  // What became of it is told when it is sent once more.
  entry.phone.queue.push(entry)
}

/** Holds an answer against what was answered before, and notes it. */
function hear(run: Run, entry: Entry, result: Result) {
  entry.firstHeardAt ??= Date.now()
  const wrong = result?.id !== entry.id ? 'the answer to another' : wrongIn(run, entry, result)
  run.findings.check('answers', wrong && `${entry.kind} ${entry.id}: ${JSON.stringify(result)}: ${wrong}`)
  entry.answers.push(result)
  if (entry.kind === 'walk_in' && result.person) entry.registration = result.person.id
  if (entry.kind === 'walk_in' && result.outcome === 'standing') run.day.stood.add(entry.registration as string)
}

/** What nothing can explain in an answer, or undefined. */
function wrongIn({ day }: Run, entry: Entry, { outcome, checkedIn, person }: Result): string | undefined {
  const before = entry.answers.map(({ outcome }) => outcome)
  const kept = before.find((outcome) => outcome !== 'in' && outcome !== 'again')
  switch (entry.kind) {
    case 'in': {
      const isIn = outcome === 'in' || outcome === 'again'
      if (before.some((outcome) => outcome === 'in' || outcome === 'again') && !isIn) return 'it was in before'
      if (isIn) {
        const undone = day.undone.has(entry.registration as string)
        const booking = bookingWith(day.people, entry.registration)
        if (!checkedIn) return undone || booking?.cancelled !== 'no' ? undefined : 'nobody is told to be in'
        if (outcome === 'again' || checkedIn.id === entry.id || undone || before.length > 0 || entry.unheard > 0) return
        return 'another is told to be in'
      }
      if (outcome === 'elsewhere') return isAt(day.people, entry) ? 'it is the right workshop' : undefined
      if (outcome === 'cancelled') return mayBeCancelled(day.people, entry) ? undefined : 'nobody cancelled it'
      return outcome === 'waitlisted' ? undefined : 'it cannot be so'
    }
    case 'undo':
      return outcome === 'undone' || outcome === 'not_in' ? undefined : 'it is known'
    case 'walk_in':
      if (outcome === 'in' || outcome === 'standing') {
        const other = entry.registration !== undefined && person && person.id !== entry.registration
        return other ? 'it is somebody else now' : undefined
      }
      if (before.includes('in') || before.includes('standing')) return 'it was taken in'
      return outcome === 'full' ? undefined : 'it cannot be so'
    case 'lend':
      if (before.includes('lent') && outcome !== 'lent') return 'it was lent'
      return ['lent', 'board_taken', 'has_board', 'not_found'].includes(outcome) ? undefined : 'it cannot be so'
    case 'return':
      if (before.includes('returned') && outcome !== 'returned') return 'it was returned'
      return outcome === 'returned' || outcome === 'not_lent' ? undefined : `it cannot be so after ${kept}`
  }
}

/** A seat is given back, or it is lost after the grace time. */
function mayBeCancelled(people: Run['day']['people'], { registration, phone }: Entry): boolean {
  const booking = bookingWith(people, registration)
  return booking?.cancelled !== 'no' || (phone.workshop.grace !== null && Date.now() >= phone.workshop.startsAt)
}

function isAt(people: Run['day']['people'], { registration, phone }: Entry): boolean {
  return bookingWith(people, registration)?.first === phone.workshop.slug
}

function bookingWith(people: Run['day']['people'], registration: string | undefined): Booking | undefined {
  return people.flatMap(({ bookings }) => bookings).find(({ ticket }) => ticket?.id === registration)
}

/** Who was told to be in and of whom nobody wanted anything else. Gives a function that says of whom that was so until it is called. */
export function certainlyInside({ day }: Run, { slug }: Pick<DoorWorkshop, 'slug'>): () => string[] {
  const came = new Set(
    [...day.entries.values()]
      .filter(({ kind, answers, phone }) => kind === 'in' && phone.workshop.slug === slug && isInside(answers))
      .map(({ registration }) => registration as string),
  )
  const certain = () => [...came].filter((id) => !day.undone.has(id) && bookingWith(day.people, id)?.cancelled === 'no')
  const before = new Set(certain())
  return () => certain().filter((id) => before.has(id))
}

const isInside = (answers: Result[]) => answers.some(({ outcome }) => outcome === 'in' || outcome === 'again')

/** The bookings of a workshop that are stored, cancelled ones as well. */
export function bookingsOf({ day }: Run, { slug }: Pick<DoorWorkshop, 'slug'>): Booking[] {
  return day.people
    .flatMap(({ bookings }) => bookings)
    .filter(({ stored, first }) => stored === 'yes' && first === slug)
}

export const idOf = ({ ticket }: Booking) => ticket?.id as string

function tell(run: Run, phone: Phone, what: What) {
  phone.queue.push(noted(run, phone, what))
}

type What = Omit<Entry, 'id' | 'phone' | 'unheard' | 'answers'>

function noted({ day }: Run, phone: Phone, what: What): Entry {
  const entry: Entry = { ...what, id: crypto.randomUUID(), phone, unheard: 0, answers: [] }
  day.entries.set(entry.id, entry)
  return entry
}

/** Phones were offline, and their clocks differ. */
function ownTime(random: Random): number {
  return Date.now() - (random.chance(0.7) ? random.between(0, 600_000) : random.between(-20_000, 20_000))
}

function atDoor(run: Run, random: Random, { cookie }: Phone, request: Ask): Promise<Answer> {
  return ask(run, random, { ...request, headers: { Cookie: cookie } })
}
