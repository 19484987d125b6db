import { paths } from '../../../src/http/links.ts'
import { confirmField } from '../../support/http/forms.ts'
import {
  acknowledgeCancel,
  type Booking,
  createBooking,
  hasNoActiveBooking,
  isActive,
  markCancelUnanswered,
  type Ticket,
} from '../bookings.ts'
import { createDayBooking, type DoorWorkshop } from '../day.ts'
import type { Random } from '../random.ts'
import { isAnswered, type Run, reportUnexpected, sendRequest, wasNotSent, withPersonLocked } from '../run.ts'
import { sendSignUp } from './attendee-requests.ts'
import { sendToConsole } from './console.ts'
import { certainlyCheckedIn, storedBookings } from './door.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** Operations of attendees and organisers before and after the day, with their relative frequency. */
export const dayOperations: [weight: number, Operation][] = [
  [1.5, signUpForTheDay],
  [1.5, updateReadiness],
  [1.5, confirmAttendance],
  [1.5, cancelSeat],
  [0.6, closeOrReopenAttendance],
  [0.4, requestReturns],
]

/** Signs up a new person, or one who has cancelled, for a workshop that has not started. */
async function signUpForTheDay(run: Run, random: Random) {
  const { doors, reminderWorkshops, people } = run.day
  const open = [...doors, ...reminderWorkshops].filter(
    (one) => !('startsAt' in one) || one.startsAt > Date.now() + 1000,
  )
  const workshop = random.pick(open)
  const returning = people.find(
    (person) =>
      !person.busy && person.campaign === workshop.campaign && person.bookings.length < 3 && hasNoActiveBooking(person),
  )
  const person = returning && random.chance(0.4) ? returning : undefined
  const booking = person ? createBooking(person, workshop, crypto.randomUUID()) : createDayBooking(run, workshop)
  await withPersonLocked(booking.person, async () => {
    await sendSignUp(run, random, booking, workshop, { kind: 'sign up for the day', atOnce: person !== undefined })
  })
}

/** Ticks all items of the checklist, or none. */
async function updateReadiness(run: Run, random: Random) {
  await withTicket(run, random, run.day.reminderWorkshops, async (booking, path) => {
    const page = await sendRequest(run, random, { kind: 'open preparation', path })
    if (page.status !== 200) return reportUnexpected(run, 'open preparation', page)
    const boxes = [...page.body.matchAll(/name="(ready\.[^"]+)"/g)].map(([, name]): [string, string] => [
      name as string,
      'yes',
    ])
    if (boxes.length === 0) return
    requestTimesOf(run, booking).answer ??= Date.now()
    const form = random.chance(0.8) ? boxes : []
    const response = await sendRequest(run, random, {
      kind: 'save readiness',
      method: 'POST',
      path: `${path}/ready`,
      form,
    })
    if (response.status !== 303 && isAnswered(response)) reportUnexpected(run, 'save readiness', response)
  })
}

async function confirmAttendance(run: Run, random: Random) {
  const { doors, reminderWorkshops } = run.day
  await withTicket(run, random, [...doors, ...reminderWorkshops], async (booking, path) => {
    requestTimesOf(run, booking).answer ??= Date.now()
    const response = await sendRequest(run, random, {
      kind: 'confirm attendance',
      method: 'POST',
      path: `${path}/coming`,
      form: {},
    })
    // Rejected without a seat and after the start.
    if (response.status !== 303 && response.status !== 409 && isAnswered(response))
      reportUnexpected(run, 'confirm attendance', response)
    if (response.status === 303) requestTimesOf(run, booking).answered ??= Date.now()
  })
}

/** Cancels a seat, which an attendee can do until the start. */
async function cancelSeat(run: Run, random: Random) {
  const { doors, reminderWorkshops } = run.day
  await withTicket(run, random, [...doors, ...reminderWorkshops], async (booking, path) => {
    const door = doors.find(({ slug }) => slug === booking.firstWorkshop)
    const kind = 'cancel seat'
    const before = booking.cancelled
    markCancelUnanswered(booking)
    requestTimesOf(run, booking).cancel ??= Date.now()
    const response = await sendRequest(run, random, { kind, method: 'POST', path: `${path}/cancel`, form: {} })
    const hasStarted = response.status === 409 && door && Date.now() >= door.startsAt
    if (response.status === 303) {
      acknowledgeCancel(booking)
      requestTimesOf(run, booking).cancelled ??= Date.now()
    } else if (wasNotSent(response) || hasStarted) {
      booking.cancelled = before
    } else if (isAnswered(response)) reportUnexpected(run, kind, response)
  })
}

/** Closes attendance, with or without thank-you mails, or reopens it. */
async function closeOrReopenAttendance(run: Run, random: Random) {
  const started = run.day.doors.filter(({ startsAt, busy }) => startsAt < Date.now() - 1000 && !busy)
  if (started.length === 0) return
  const workshop: DoorWorkshop = random.pick(started)
  workshop.busy = true
  try {
    const state = run.day.attendance.get(workshop.slug) ?? { closed: false, certain: true, thanked: new Set<string>() }
    run.day.attendance.set(workshop.slug, state)
    const shouldClose = !state.closed
    const path = shouldClose ? paths.closeAttendance(workshop.slug) : paths.reopenAttendance(workshop.slug)
    const sendThanks = shouldClose && random.chance(0.6)
    const kind = shouldClose ? 'close attendance' : 'reopen attendance'
    const expected = certainlyCheckedIn(run, workshop)
    const response = await sendToConsole(run, random, {
      kind,
      path,
      form: { ...confirmField, ...(sendThanks && { thank: 'yes' }) },
    })
    // May already be done if the previous request had no response.
    const alreadyDone = response.status === 200 || response.status === 409 || response.status === 422
    if (response.status === 303) {
      Object.assign(state, { closed: shouldClose })
      if (sendThanks) for (const id of expected()) state.thanked.add(id)
    } else if (alreadyDone && !state.certain) Object.assign(state, { closed: shouldClose })
    else if (isAnswered(response)) reportUnexpected(run, kind, response)
    else if (!wasNotSent(response)) state.certain = false
  } finally {
    workshop.busy = false
  }
}

async function requestReturns(run: Run, random: Random) {
  const { slug } = random.pick(run.day.doors)
  const kind = 'request returns'
  const response = await sendToConsole(run, random, { kind, path: paths.requestBoardReturns(slug), form: confirmField })
  if (response.status !== 303 && isAnswered(response)) reportUnexpected(run, kind, response)
}

/** Runs a callback with the ticket of an active booking, locked against other operations. */
async function withTicket(
  run: Run,
  random: Random,
  workshops: { slug: string }[],
  callback: (booking: Booking, path: string) => Promise<void>,
) {
  const bookings = storedBookings(run, random.pick(workshops)).filter((one) => isActive(one) && !one.person.busy)
  if (bookings.length === 0) return
  const booking = random.pick(bookings)
  await withPersonLocked(booking.person, () => callback(booking, (booking.ticket as Ticket).path))
}

function requestTimesOf({ day }: Run, booking: Booking) {
  const times = day.requestTimes.get(booking) ?? {}
  day.requestTimes.set(booking, times)
  return times
}
