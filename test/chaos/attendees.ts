import { setTimeout as sleep } from 'node:timers/promises'
import { shortestLook } from '../../src/domain/guards.ts'
import { valuesOf } from '../support/forms.ts'
import { sendCancel, sendForm, sendMove, sendSignUp } from './attendee-requests.ts'
import {
  type Booking,
  contradiction,
  isFree,
  isLive,
  newBooking,
  type Person,
  type Seen,
  type Ticket,
  type Workshop,
} from './bookings.ts'
import type { Answer } from './http.ts'
import type { Random } from './random.ts'
import {
  ask,
  bookingOf,
  campaignOfTheDay,
  inTheNameOf,
  type Run,
  somebody,
  unexpected,
  workshopOfTheDay,
} from './run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** What attendees and visitors do, and how often in comparison. */
export const attendeeOperations: [weight: number, Operation][] = [
  [20, signUpByApi],
  [9, signUpByForm],
  [2, pressTwice],
  [2, twoPhones],
  [10, retry],
  [8, signUpAgain],
  [8, cancel],
  [9, move],
  [1, cancelAndMove],
  [9, openTicket],
  [12, readAvailability],
  [7, readPages],
]

/** Somebody new signs up, or somebody who has cancelled. */
async function signUpByApi(run: Run, random: Random) {
  const person = somebodyFree(run, random)
  await inTheNameOf(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    await sendSignUp(run, random, newBooking(person, workshop, crypto.randomUUID()), workshop)
  })
}

/** The page is opened, its form filled in and sent; where there is no answer it is sent once more, as people do. */
async function signUpByForm(run: Run, random: Random) {
  const person = somebodyFree(run, random)
  await inTheNameOf(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const page = await ask(run, random, { kind: 'open the form', path: `/w/${workshop.slug}` })
    if (page.status !== 200) return unexpected(run, 'open the form', page)
    const given = valuesOf(page.body)
    // A workshop that is closed shows no form.
    if (!given.key) return
    const booking = newBooking(person, workshop, given.key)
    // Who is quicker is taken for a bot.
    await sleep(shortestLook)
    for (let tries = 1; tries <= 2; tries++) {
      if (await sendForm(run, random, booking, workshop, given)) return
    }
  })
}

/** The button is pressed twice, and the two go to different processes. */
async function pressTwice(run: Run, random: Random) {
  const person = somebodyFree(run, random)
  await inTheNameOf(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const booking = newBooking(person, workshop, crypto.randomUUID())
    await Promise.all(run.stage.services.map((to) => sendSignUp(run, random, booking, workshop, { to, atOnce: true })))
  })
}

/** Somebody tries two cities in the same instant. One of them at most is theirs. */
async function twoPhones(run: Run, random: Random) {
  const person = somebodyFree(run, random)
  await inTheNameOf(person, async () => {
    const [here, there] = random.shuffled(person.campaign.workshops) as [Workshop, Workshop]
    const bookings = [here, there].map((workshop) => newBooking(person, workshop, crypto.randomUUID()))
    await Promise.all([
      sendSignUp(run, random, bookings[0] as Booking, here, { to: run.stage.services[0], atOnce: true }),
      sendSignUp(run, random, bookings[1] as Booking, there, { to: run.stage.services[1], atOnce: true }),
    ])
    run.findings.check('answers', bookings.filter(isLive).length > 1 && `${person.email} is in two cities`)
  })
}

/** The same sign-up once more, with its key, whatever became of it. */
async function retry(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) => bookings.length > 0)
  if (!person) return signUpByApi(run, random)
  await inTheNameOf(person, async () => {
    const unanswered = person.bookings.find(({ stored }) => stored === 'perhaps')
    const booking = unanswered ?? random.pick(person.bookings)
    await sendSignUp(run, random, booking, workshopNamed(person, booking.first), { kind: 'retry' })
  })
}

/** Somebody who is registered signs up with another key, here or in the other city. */
async function signUpAgain(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) => bookings.length < 6 && bookings.some(isLive))
  if (!person) return signUpByApi(run, random)
  await inTheNameOf(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const booking = newBooking(person, workshop, crypto.randomUUID())
    await sendSignUp(run, random, booking, workshop, { kind: 'sign up again' })
  })
}

async function cancel(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) => bookings.some(isLive))
  if (!person) return signUpByApi(run, random)
  await inTheNameOf(person, () => sendCancel(run, random, bookingOf(person) as Booking))
}

async function move(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) => bookings.some(isLive))
  if (!person) return signUpByApi(run, random)
  await inTheNameOf(person, () => sendMove(run, random, bookingOf(person) as Booking))
}

/** Both at once, from two phones: the registration ends cancelled, wherever it is. */
async function cancelAndMove(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) => bookings.some(isLive))
  if (!person) return signUpByApi(run, random)
  await inTheNameOf(person, async () => {
    const booking = bookingOf(person) as Booking
    await Promise.all([sendCancel(run, random, booking), sendMove(run, random, booking, { atOnce: true })])
  })
}

/** The ticket as a page, or as the data that it shows. */
async function openTicket(run: Run, random: Random) {
  const person = somebody(run, random, (person) => bookingOf(person) !== undefined)
  if (!person) return readPages(run, random)
  await inTheNameOf(person, async () => {
    const booking = bookingOf(person) as Booking
    const path = (booking.ticket as Ticket).path
    const page = random.pick(['', '/data.json', '/cancel', '/move', '/calendar.ics'])
    const answer = await ask(run, random, { kind: 'read the ticket', path: path + page })
    // One that is cancelled has nothing to cancel or move, and leads back.
    const leadsBack = answer.status === 302 && booking.cancelled !== 'no'
    if (answer.status !== 200 && !leadsBack) return unexpected(run, 'read the ticket', answer)
    if (page === '/data.json') run.findings.check('answers', contradiction(booking, dataOf(answer)))
  })
}

async function readAvailability(run: Run, random: Random) {
  const { slug } = workshopOfTheDay(run, random)
  const answer = await ask(run, random, { kind: 'availability', path: `/api/v1/workshops/${slug}/availability` })
  if (answer.status !== 200) return unexpected(run, 'availability', answer)
  const { capacity, taken, seatsLeft } = JSON.parse(answer.body) as Record<string, number>
  const addsUp = taken !== undefined && capacity !== undefined && taken <= capacity && seatsLeft === capacity - taken
  run.findings.check('answers', !addsUp && `${slug}: ${answer.body}`)
}

async function readPages(run: Run, random: Random) {
  const { slug, campaign } = workshopOfTheDay(run, random)
  const [kind, path] = random.pick([
    ['workshop page', `/w/${slug}`],
    ['workshop page', `/w/${slug}`],
    ['campaign page', `/c/${campaign.slug}`],
    ['home page', '/'],
    ['badge', `/w/${slug}/badge.svg`],
    ['campaign', `/api/v1/campaigns/${campaign.slug}`],
  ] as const)
  const answer = await ask(run, random, { kind, path })
  if (answer.status !== 200) unexpected(run, kind, answer)
}

/** Somebody new, or now and then somebody of whom nothing is left. */
export function somebodyFree(run: Run, random: Random): Person {
  const again = random.chance(0.1) && somebody(run, random, (person) => person.bookings.length < 5 && isFree(person))
  if (again) return again
  const n = run.people.length + 1
  const campaign = campaignOfTheDay(run, random)
  const person: Person = { name: `学员 ${n}`, email: `person-${n}@example.com`, campaign, bookings: [], busy: false }
  run.people.push(person)
  return person
}

function workshopNamed({ campaign }: Person, slug: string): Workshop {
  return campaign.workshops.find((workshop) => workshop.slug === slug) as Workshop
}

/** What the copy of the data says of a registration. */
function dataOf({ body }: Answer): Seen {
  const { registration, workshop } = JSON.parse(body) as {
    registration: { status: string }
    workshop: { slug: string }
  }
  return { status: registration.status, workshop: workshop.slug }
}
