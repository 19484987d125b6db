import { setTimeout as sleep } from 'node:timers/promises'
import { minFillTimeMs } from '../../../src/domain/registrations/form-timing.ts'
import { formValues } from '../../support/http/forms.ts'
import {
  type Booking,
  createBooking,
  findContradiction,
  hasNoActiveBooking,
  isActive,
  type ObservedState,
  type Person,
  type Ticket,
  type Workshop,
} from '../bookings.ts'
import type { HttpResponse } from '../http.ts'
import type { Random } from '../random.ts'
import {
  latestBooking,
  pickCurrentCampaign,
  pickCurrentWorkshop,
  pickIdlePerson,
  type Run,
  reportUnexpected,
  sendRequest,
  withPersonLocked,
} from '../run.ts'
import { sendCancel, sendForm, sendMove, sendSignUp } from './attendee-requests.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** Operations of attendees and visitors with their relative frequency. */
export const attendeeOperations: [weight: number, Operation][] = [
  [20, signUpByApi],
  [9, signUpByForm],
  [2, submitTwice],
  [2, signUpInTwoCities],
  [10, retry],
  [8, signUpAgain],
  [8, cancel],
  [9, move],
  [1, cancelWhileMoving],
  [9, openTicket],
  [12, readAvailability],
  [7, readPages],
]

/** Signs up a new person, or one who has cancelled. */
async function signUpByApi(run: Run, random: Random) {
  const person = pickUnregisteredPerson(run, random)
  await withPersonLocked(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    await sendSignUp(run, random, createBooking(person, workshop, crypto.randomUUID()), workshop)
  })
}

/** Opens the page, fills in the form and submits it, once more without a response. */
async function signUpByForm(run: Run, random: Random) {
  const person = pickUnregisteredPerson(run, random)
  await withPersonLocked(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const page = await sendRequest(run, random, { kind: 'open form', path: `/w/${workshop.slug}` })
    if (page.status !== 200) return reportUnexpected(run, 'open form', page)
    const formFields = formValues(page.body)
    // A closed workshop has no form.
    if (!formFields.key) return
    const booking = createBooking(person, workshop, formFields.key)
    // Faster submissions are rejected as a bot's.
    await sleep(minFillTimeMs)
    for (let tries = 1; tries <= 2; tries++) {
      if (await sendForm(run, random, booking, workshop, formFields)) return
    }
  })
}

/** Submits the same sign-up twice, to different processes. */
async function submitTwice(run: Run, random: Random) {
  const person = pickUnregisteredPerson(run, random)
  await withPersonLocked(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const booking = createBooking(person, workshop, crypto.randomUUID())
    await Promise.all(
      run.cluster.services.map((to) => sendSignUp(run, random, booking, workshop, { to, atOnce: true })),
    )
  })
}

/** Signs a person up in two cities at the same time. At most one may succeed. */
async function signUpInTwoCities(run: Run, random: Random) {
  const person = pickUnregisteredPerson(run, random)
  await withPersonLocked(person, async () => {
    const [first, second] = random.shuffle(person.campaign.workshops) as [Workshop, Workshop]
    const bookings = [first, second].map((workshop) => createBooking(person, workshop, crypto.randomUUID()))
    await Promise.all([
      sendSignUp(run, random, bookings[0] as Booking, first, { to: run.cluster.services[0], atOnce: true }),
      sendSignUp(run, random, bookings[1] as Booking, second, { to: run.cluster.services[1], atOnce: true }),
    ])
    run.findings.check('answers', bookings.filter(isActive).length > 1 && `${person.email} is in two cities`)
  })
}

/** Repeats a sign-up with its key. */
async function retry(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) => bookings.length > 0)
  if (!person) return signUpByApi(run, random)
  await withPersonLocked(person, async () => {
    const pending = person.bookings.find(({ stored }) => stored === 'perhaps')
    const booking = pending ?? random.pick(person.bookings)
    await sendSignUp(run, random, booking, findWorkshop(person, booking.firstWorkshop), { kind: 'retry' })
  })
}

/** Signs up a registered person with another key, in the same or another city. */
async function signUpAgain(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) => bookings.length < 6 && bookings.some(isActive))
  if (!person) return signUpByApi(run, random)
  await withPersonLocked(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const booking = createBooking(person, workshop, crypto.randomUUID())
    await sendSignUp(run, random, booking, workshop, { kind: 'sign up again' })
  })
}

async function cancel(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) => bookings.some(isActive))
  if (!person) return signUpByApi(run, random)
  await withPersonLocked(person, () => sendCancel(run, random, latestBooking(person) as Booking))
}

async function move(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) => bookings.some(isActive))
  if (!person) return signUpByApi(run, random)
  await withPersonLocked(person, () => sendMove(run, random, latestBooking(person) as Booking))
}

/** Both at once: the registration ends up cancelled, in either workshop. */
async function cancelWhileMoving(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) => bookings.some(isActive))
  if (!person) return signUpByApi(run, random)
  await withPersonLocked(person, async () => {
    const booking = latestBooking(person) as Booking
    await Promise.all([sendCancel(run, random, booking), sendMove(run, random, booking, { atOnce: true })])
  })
}

/** Opens the ticket page or one of its subpages. */
async function openTicket(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, (person) => latestBooking(person) !== undefined)
  if (!person) return readPages(run, random)
  await withPersonLocked(person, async () => {
    const booking = latestBooking(person) as Booking
    const path = (booking.ticket as Ticket).path
    const page = random.pick(['', '/data.json', '/cancel', '/move', '/calendar.ics'])
    const response = await sendRequest(run, random, { kind: 'open ticket', path: path + page })
    // A cancelled ticket has nothing to cancel or move, and redirects.
    const redirectsBack = response.status === 302 && booking.cancelled !== 'no'
    if (response.status !== 200 && !redirectsBack) return reportUnexpected(run, 'open ticket', response)
    if (page === '/data.json') run.findings.check('answers', findContradiction(booking, parseTicketData(response)))
  })
}

async function readAvailability(run: Run, random: Random) {
  const { slug } = pickCurrentWorkshop(run, random)
  const response = await sendRequest(run, random, {
    kind: 'availability',
    path: `/api/v1/workshops/${slug}/availability`,
  })
  if (response.status !== 200) return reportUnexpected(run, 'availability', response)
  const { capacity, taken, seatsLeft } = JSON.parse(response.body) as Record<string, number>
  const addsUp = taken !== undefined && capacity !== undefined && taken <= capacity && seatsLeft === capacity - taken
  run.findings.check('answers', !addsUp && `${slug}: ${response.body}`)
}

async function readPages(run: Run, random: Random) {
  const { slug, campaign } = pickCurrentWorkshop(run, random)
  const [kind, path] = random.pick([
    ['workshop page', `/w/${slug}`],
    ['workshop page', `/w/${slug}`],
    ['campaign page', `/c/${campaign.slug}`],
    ['home page', '/'],
    ['badge', `/w/${slug}/badge.svg`],
    ['campaign', `/api/v1/campaigns/${campaign.slug}`],
  ] as const)
  const response = await sendRequest(run, random, { kind, path })
  if (response.status !== 200) reportUnexpected(run, kind, response)
}

/** Returns a new person, or occasionally one without an active booking. */
export function pickUnregisteredPerson(run: Run, random: Random): Person {
  const returning =
    random.chance(0.1) &&
    pickIdlePerson(run, random, (person) => person.bookings.length < 5 && hasNoActiveBooking(person))
  if (returning) return returning
  const n = run.people.length + 1
  const campaign = pickCurrentCampaign(run, random)
  const person: Person = { name: `学员 ${n}`, email: `person-${n}@example.com`, campaign, bookings: [], busy: false }
  run.people.push(person)
  return person
}

function findWorkshop({ campaign }: Person, slug: string): Workshop {
  return campaign.workshops.find((workshop) => workshop.slug === slug) as Workshop
}

/** State of a registration in its data export. */
function parseTicketData({ body }: HttpResponse): ObservedState {
  const { registration, workshop } = JSON.parse(body) as {
    registration: { status: string }
    workshop: { slug: string }
  }
  return { status: registration.status, workshop: workshop.slug }
}
