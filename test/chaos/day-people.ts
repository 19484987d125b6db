import { paths } from '../../src/links.ts'
import { sure } from '../support/forms.ts'
import { sendSignUp } from './attendee-requests.ts'
import {
  type Booking,
  cancelAcknowledged,
  cancelUnanswered,
  isFree,
  isLive,
  newBooking,
  type Ticket,
} from './bookings.ts'
import { inConsole } from './console.ts'
import { type DoorWorkshop, newDayBooking } from './day.ts'
import { bookingsOf, certainlyInside } from './door.ts'
import type { Random } from './random.ts'
import { ask, inTheNameOf, isAnswered, isUnsent, type Run, unexpected } from './run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** What people and organisers do before the day and after it. */
export const dayOperations: [weight: number, Operation][] = [
  [1.5, signUpForTheDay],
  [1.5, getReady],
  [1.5, sayComing],
  [1.5, giveBack],
  [0.6, closeOrReopenAttendance],
  [0.4, askForBoards],
]

/** Somebody new, or somebody who gave a seat back; to workshops that have started nobody comes by form. */
async function signUpForTheDay(run: Run, random: Random) {
  const { doors, reminded, people } = run.day
  const open = [...doors, ...reminded].filter((one) => !('startsAt' in one) || one.startsAt > Date.now() + 1000)
  const workshop = random.pick(open)
  const again = people.find(
    (person) => !person.busy && person.campaign === workshop.campaign && person.bookings.length < 3 && isFree(person),
  )
  const person = again && random.chance(0.4) ? again : undefined
  const booking = person ? newBooking(person, workshop, crypto.randomUUID()) : newDayBooking(run, workshop)
  await inTheNameOf(booking.person, async () => {
    await sendSignUp(run, random, booking, workshop, { kind: 'sign up for the day', atOnce: person !== undefined })
  })
}

/** All of the list is ticked, or nothing. */
async function getReady(run: Run, random: Random) {
  await withTicket(run, random, run.day.reminded, async (booking, path) => {
    const page = await ask(run, random, { kind: 'read the list', path })
    if (page.status !== 200) return unexpected(run, 'read the list', page)
    const boxes = [...page.body.matchAll(/name="(ready\.[^"]+)"/g)].map(([, name]): [string, string] => [
      name as string,
      'yes',
    ])
    if (boxes.length === 0) return
    askedOf(run, booking).answer ??= Date.now()
    const form = random.chance(0.8) ? boxes : []
    const answer = await ask(run, random, { kind: 'get ready', method: 'POST', path: `${path}/ready`, form })
    if (answer.status !== 303 && isAnswered(answer)) unexpected(run, 'get ready', answer)
  })
}

async function sayComing(run: Run, random: Random) {
  const { doors, reminded } = run.day
  await withTicket(run, random, [...doors, ...reminded], async (booking, path) => {
    askedOf(run, booking).answer ??= Date.now()
    const answer = await ask(run, random, {
      kind: 'say that they come',
      method: 'POST',
      path: `${path}/coming`,
      form: {},
    })
    // Not without a seat, and not any more after the start.
    if (answer.status !== 303 && answer.status !== 409 && isAnswered(answer))
      unexpected(run, 'say that they come', answer)
    if (answer.status === 303) askedOf(run, booking).answered ??= Date.now()
  })
}

/** A seat is given back, which an attendee may do until the start. */
async function giveBack(run: Run, random: Random) {
  const { doors, reminded } = run.day
  await withTicket(run, random, [...doors, ...reminded], async (booking, path) => {
    const door = doors.find(({ slug }) => slug === booking.first)
    const kind = 'give a seat back'
    const before = booking.cancelled
    cancelUnanswered(booking)
    askedOf(run, booking).cancel ??= Date.now()
    const answer = await ask(run, random, { kind, method: 'POST', path: `${path}/cancel`, form: {} })
    const over = answer.status === 409 && door && Date.now() >= door.startsAt
    if (answer.status === 303) {
      cancelAcknowledged(booking)
      askedOf(run, booking).cancelled ??= Date.now()
    } else if (isUnsent(answer) || over) {
      booking.cancelled = before
    } else if (isAnswered(answer)) unexpected(run, kind, answer)
  })
}

/** The attendance is closed, with thanks to those who came or without, or opened again. */
async function closeOrReopenAttendance(run: Run, random: Random) {
  const started = run.day.doors.filter(({ startsAt, busy }) => startsAt < Date.now() - 1000 && !busy)
  if (started.length === 0) return
  const workshop: DoorWorkshop = random.pick(started)
  workshop.busy = true
  try {
    const known = run.day.attendance.get(workshop.slug) ?? { closed: false, certain: true, thanked: new Set<string>() }
    run.day.attendance.set(workshop.slug, known)
    const wanted = !known.closed
    const path = wanted ? paths.closeAttendance(workshop.slug) : paths.reopenAttendance(workshop.slug)
    const thank = wanted && random.chance(0.6)
    const kind = wanted ? 'close the attendance' : 'reopen the attendance'
    const expected = certainlyInside(run, workshop)
    const answer = await inConsole(run, random, { kind, path, form: { ...sure, ...(thank && { thank: 'yes' }) } })
    // Without an answer to the one before it may be so already.
    const already = answer.status === 200 || answer.status === 409 || answer.status === 422
    if (answer.status === 303) {
      Object.assign(known, { closed: wanted })
      if (thank) for (const id of expected()) known.thanked.add(id)
    } else if (already && !known.certain) Object.assign(known, { closed: wanted })
    else if (isAnswered(answer)) unexpected(run, kind, answer)
    else if (!isUnsent(answer)) known.certain = false
  } finally {
    workshop.busy = false
  }
}

async function askForBoards(run: Run, random: Random) {
  const { slug } = random.pick(run.day.doors)
  const kind = 'ask for boards'
  const answer = await inConsole(run, random, { kind, path: paths.askForBoards(slug), form: sure })
  if (answer.status !== 303 && isAnswered(answer)) unexpected(run, kind, answer)
}

/** Does something with the ticket of a live booking while nobody else does. */
async function withTicket(
  run: Run,
  random: Random,
  workshops: { slug: string }[],
  work: (booking: Booking, path: string) => Promise<void>,
) {
  const bookings = bookingsOf(run, random.pick(workshops)).filter((one) => isLive(one) && !one.person.busy)
  if (bookings.length === 0) return
  const booking = random.pick(bookings)
  await inTheNameOf(booking.person, () => work(booking, (booking.ticket as Ticket).path))
}

function askedOf({ day }: Run, booking: Booking) {
  const asked = day.asked.get(booking) ?? {}
  day.asked.set(booking, asked)
  return asked
}
