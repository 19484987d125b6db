import { ticketOf } from '../../src/domain/tickets.ts'
import { paths } from '../../src/links.ts'
import { peopleMessagesFor } from '../../src/messages/people.ts'
import { valuesOf } from '../support/forms.ts'
import { knownBefore, refuse, sendSignUp } from './attendee-requests.ts'
import { somebodyFree } from './attendees.ts'
import {
  type Booking,
  believe,
  cancelAcknowledged,
  cancelUnanswered,
  isLive,
  mayBe,
  moveAcknowledged,
  moveUnanswered,
  newBooking,
  type Person,
  raise,
  signUpAcknowledged,
  signUpUnanswered,
  type Ticket,
  type Workshop,
} from './bookings.ts'
import type { Answer } from './http.ts'
import { asOrganiser, certainlyIn, changing } from './organisers.ts'
import type { Random } from './random.ts'
import {
  type Ask,
  ask,
  bookingOf,
  campaignOfTheDay,
  inTheNameOf,
  isAnswered,
  isUnsent,
  type Run,
  somebody,
  unexpected,
  workshopOfTheDay,
} from './run.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** What organisers do in the console, and how often in comparison to what is done elsewhere. */
export const consoleOperations: [weight: number, Operation][] = [
  [4, letPass],
  [3, correct],
  [3, addByHand],
  [1, merge],
  [1, mergeCrosswise],
  [1, tellApart],
  [2, cancelOrMoveSeveral],
  [2, changeVenueAndTell],
  [1, write],
  [0.5, copyMonth],
  [2, takeBackWhileSomebodySignsUp],
]

const t = peopleMessagesFor('zh-CN')

/** Somebody who may be waiting gets a seat before their turn; where none is free, one more now and then. */
async function letPass(run: Run, random: Random) {
  const person = somebody(run, random, ({ bookings }) =>
    bookings.some((booking) => isLive(booking) && !booking.seated && isPlaced(booking)),
  )
  if (!person) return
  await inTheNameOf(person, async () => {
    const booking = bookingOf(person) as Booking
    if (booking.seated || !isPlaced(booking)) return
    await changing(workshopOf(booking), async ({ capacity, state }) => {
      booking.mayHavePassed = true
      const addSeat = random.chance(0.6)
      const kind = addSeat ? 'let pass, with a seat more' : 'let pass'
      const answer = await inItsName(booking, () =>
        inConsole(run, random, {
          kind,
          path: paths.personPromote(idOf(booking)),
          form: { reason: `第 ${booking.changes} 次来电说明`, ...(addSeat && { addSeat: 'yes' }) },
        }),
      )
      // Where an open workshop has somebody who waits, it has no seat free.
      const isFull = state.certain === 'published' && state.perhaps.size === 0
      if (answer.status === 303) {
        booking.seated = true
        booking.letPass = true
        if (addSeat) raise(capacity, isFull)
      } else if (answer.status === 409) {
        const seated = answer.body.includes(t.promoteRefusals.seated())
        if (seated) booking.seated = true
        const full = answer.body.includes(t.promoteRefusals.full(0, 0).split('：')[0] as string) && !addSeat
        run.findings.check('answers', !seated && !full && `${booking.key} may not pass: ${titleOf(answer)}`)
      } else if (isAnswered(answer)) {
        unexpected(run, kind, answer)
      } else if (!isUnsent(answer) && addSeat) {
        raise(capacity, false)
      }
    })
  })
}

/** Another name. */
async function correct(run: Run, random: Random) {
  const person = somebody(run, random, (person) => bookingOf(person) !== undefined)
  if (!person) return
  await inTheNameOf(person, async () => {
    const booking = bookingOf(person) as Booking
    const name = `${person.name} 改 ${booking.changes}`
    const form = { name, email: person.email, company: '睿赛德', phone: '' }
    const path = paths.personEdit(idOf(booking))
    const answer = await inItsName(booking, () => inConsole(run, random, { kind: 'correct a name', path, form }))
    if (answer.status === 303) booking.name.certain = name
    else if (isAnswered(answer)) unexpected(run, 'correct a name', answer)
    else if (!isUnsent(answer)) booking.name.perhaps.add(name)
  })
}

/** Somebody is signed up by an organiser; without an answer the form is sent once more. */
async function addByHand(run: Run, random: Random) {
  const person = somebodyFree(run, random)
  await inTheNameOf(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const booking = newBooking(person, workshop, crypto.randomUUID())
    const form = { key: booking.key, name: person.name, email: person.email, locale: 'zh-CN', consent: 'yes' }
    for (let tries = 1; tries <= 2; tries++) {
      const before = knownBefore(booking, workshop)
      const path = paths.addPerson(workshop.slug)
      const answer = await inItsName(booking, () => inConsole(run, random, { kind: 'add by hand', path, form }))
      const id = /^\/console\/people\/([0-9a-f-]{36})\?/.exec(answer.headers.location ?? '')?.[1]
      if (answer.status === 303 && id) {
        const ticket = { id, path: paths.ticket(ticketOf(run.stage.secret, { id, version: 1 })) }
        run.findings.check('answers', signUpAcknowledged(booking, ticket))
      } else if (answer.status === 409) {
        const code = Object.entries(t.refusals).find(([, sentence]) => answer.body.includes(sentence))?.[0]
        refuse(run, booking, workshop, code ?? 'unknown', before, false)
      } else {
        if (!isUnsent(answer)) signUpUnanswered(booking)
        if (isAnswered(answer)) unexpected(run, 'add by hand', answer)
      }
      if (isAnswered(answer)) return
    }
  })
}

/** Of two registrations one is cancelled as that of the other's person. */
async function merge(run: Run, random: Random) {
  await withSeveral(run, random, 2, async ([one, kept]) => {
    if (!one || !kept) return
    const [outcome] = await sendTogether(run, random, 'merge', [one], { kept: idOf(kept) })
    noteCancelled(run, one, outcome)
  })
}

/** Two organisers merge the same two, each the other way round, through different processes. One of them stays. */
async function mergeCrosswise(run: Run, random: Random) {
  await withSeveral(run, random, 2, async ([one, other]) => {
    if (!one || !other) return
    const [first, second] = run.stage.services
    const [[ofOne], [ofOther]] = await Promise.all([
      sendTogether(run, random, 'merge', [one], { kept: idOf(other) }, first),
      sendTogether(run, random, 'merge', [other], { kept: idOf(one) }, second),
    ])
    const done = [ofOne, ofOther].filter((outcome) => outcome === 'done').length
    run.findings.check('merges', done > 1 && `${one.key} and ${other.key} are both gone`)
    for (const [booking, its, others] of [
      [one, ofOne, ofOther],
      [other, ofOther, ofOne],
    ] as const) {
      if (its === 'done') cancelAcknowledged(booking)
      // Whichever comes later finds nothing to keep.
      else if (its === 'unanswered' && others !== 'done') cancelUnanswered(booking)
      else if (its === t.mergeRefusals.kept_cancelled && others !== 'done' && others !== 'unanswered') {
        run.findings.check('merges', `${booking.key} was kept for the sake of one that nobody took away`)
      } else if (its !== 'unanswered' && its !== 'unsent') {
        const explained = its === t.mergeRefusals.kept_cancelled
        run.findings.check('merges', !explained && `${booking.key}: ${its}`)
      }
    }
    // The one was kept because the other was gone by then, whether or not that was answered.
    if (ofOne === t.mergeRefusals.kept_cancelled) cancelAcknowledged(other)
    if (ofOther === t.mergeRefusals.kept_cancelled) cancelAcknowledged(one)
  })
}

/** Two are settled to be two people. */
async function tellApart(run: Run, random: Random) {
  await withSeveral(run, random, 2, async (bookings) => {
    const answer = await inConsole(run, random, {
      kind: 'tell apart',
      path: paths.apartPeople(),
      form: [...bookings.map((booking): [string, string] => ['group', idOf(booking)]), ['back', paths.console()]],
    })
    if (answer.status === 303) for (const booking of bookings) booking.toldApart = true
    else if (isAnswered(answer)) unexpected(run, 'tell apart', answer)
  })
}

/** Several are cancelled, or moved, with one press of a button; what became of each is told. */
async function cancelOrMoveSeveral(run: Run, random: Random) {
  await withSeveral(run, random, 4, async (bookings) => {
    if (random.chance(0.5)) {
      const outcomes = await sendTogether(run, random, 'cancel', bookings)
      for (const [n, booking] of bookings.entries()) noteCancelled(run, booking, outcomes[n])
      return
    }
    const { slug: to } = random.pick(bookings[0]?.person.campaign.workshops as Workshop[])
    const outcomes = await sendTogether(run, random, 'move', bookings, { to })
    for (const [n, booking] of bookings.entries()) {
      const outcome = outcomes[n]
      const code = Object.entries(t.moveRefusals).find(([, sentence]) => sentence === outcome)?.[0]
      if (outcome === 'done') moveAcknowledged(booking, to)
      else if (outcome === 'unanswered') moveUnanswered(booking, to)
      else if (outcome !== 'unsent') {
        const explained = code === 'closed' || (code === 'already_registered' && mayBe(booking.place, to))
        run.findings.check('answers', !explained && `${booking.key} may not move to ${to}: ${outcome}`)
      }
    }
  })
}

/** A workshop is in another room, and everyone registered is told. */
async function changeVenueAndTell(run: Run, random: Random) {
  await changing(workshopOfTheDay(run, random), async (workshop) => {
    const { slug, venue, capacity } = workshop
    const path = paths.editWorkshop(slug)
    const form = await inConsole(run, random, { kind: 'open the form of a workshop', path, method: 'GET' })
    if (form.status !== 200) return unexpected(run, 'open the form of a workshop', form)
    const given = valuesOf(form.body)
    const wanted = `${++run.rooms} 号教室`
    const expected = certainlyIn(run, slug)
    const kind = 'change the venue, and tell'
    const answer = await inConsole(run, random, { kind, path, form: { ...given, 'venue.zh': wanted, tell: 'yes' } })
    const seats = Number(given.capacity)
    if (answer.status === 303) {
      // A change that hung on the way may have come in between.
      if (venue.perhaps.size === 0) run.tellings.push(expected())
      venue.certain = wanted
      capacity.certain = seats
    } else if (answer.status === 422 || answer.status === 409) {
      // Seats were taken since it was opened, or its date is unread.
      run.findings.check('answers', capacity.perhaps.size === 0 && `${slug}: ${titleOf(answer)}`)
    } else if (isAnswered(answer)) {
      unexpected(run, kind, answer)
    } else if (!isUnsent(answer)) {
      venue.perhaps.add(wanted)
      capacity.perhaps.add(seats)
    }
  })
}

/** A message to the people of a workshop, or to those with a seat; the button is pressed twice, at both processes. */
async function write(run: Run, random: Random) {
  const { slug } = workshopOfTheDay(run, random)
  const seatedOnly = random.chance(0.5)
  const expected = certainlyIn(run, slug)
  const id = crypto.randomUUID()
  const form = { id, subject: `通知 ${run.written.length}`, body: '{{name}}，请看 {{ticket}}', do: 'send' }
  const path = paths.newWorkshopMessage(slug) + (seatedOnly ? '?status=confirmed' : '')
  const answers = await Promise.all(
    run.stage.services.map((to) => inConsole(run, random, { kind: 'write to people', path, form, to })),
  )
  const wanted = expected().filter(({ seated }) => seated || !seatedOnly)
  for (const answer of answers) {
    // Nobody is there to write to.
    const nobody = answer.status === 409 && wanted.length === 0
    if (answer.status === 303) run.written.push({ id, bookings: wanted })
    else if (isAnswered(answer) && !nobody) unexpected(run, 'write to people', answer)
  }
}

/** The month is copied into the next; the form is sent twice, to both processes. */
async function copyMonth(run: Run, random: Random) {
  const campaign = campaignOfTheDay(run, random)
  const path = paths.nextCampaign(campaign.slug)
  const form = await inConsole(run, random, { kind: 'open the next month', path, method: 'GET' })
  if (form.status !== 200) return unexpected(run, 'open the next month', form)
  const given = valuesOf(form.body)
  const answers = await Promise.all(
    run.stage.services.map((to) =>
      inConsole(run, random, { kind: 'copy a month', path: paths.newCampaign(), form: given, to }),
    ),
  )
  for (const answer of answers) {
    // Fifty of a city may begin on one day.
    const enough = answer.status === 422 && run.copies.length > 40
    if (answer.status === 303) run.copies.push({ id: given.id ?? '', workshops: campaign.workshops.length })
    else if (isAnswered(answer) && !enough) unexpected(run, 'copy a month', answer)
  }
}

/** A workshop that nobody is registered to is taken back, or published, while somebody signs up: both cannot be. */
async function takeBackWhileSomebodySignsUp(run: Run, random: Random) {
  await changing(random.pick(run.spares), async (spare) => {
    const n = run.people.length + 1
    // Nobody else does anything in this person's name.
    const whom = { name: `学员 ${n}`, email: `person-${n}@example.com`, campaign: spare.campaign, busy: true }
    const person: Person = { ...whom, bookings: [] }
    run.people.push(person)
    const booking = newBooking(person, spare, crypto.randomUUID())
    const wanted = spare.state.certain === 'draft' ? 'published' : 'draft'
    await Promise.all([
      setState(run, random, spare, wanted),
      sendSignUp(run, random, booking, spare, { atOnce: true, mayBeDraft: true }),
    ])
    if (booking.stored !== 'yes') return
    const path = `/api/v1/registrations/${idOf(booking)}/cancel`
    const answer = await asOrganiser(run, random, { kind: 'cancel a registration', method: 'POST', path })
    if (answer.status === 200) cancelAcknowledged(booking)
    else if (isAnswered(answer)) unexpected(run, 'cancel a registration', answer)
    else if (!isUnsent(answer)) cancelUnanswered(booking)
  })
}

async function setState(run: Run, random: Random, { slug, state }: Workshop, wanted: 'draft' | 'published') {
  const kind = wanted === 'draft' ? 'take back' : 'publish'
  const answer = await inConsole(run, random, { kind, path: paths.setWorkshopState(slug), form: { state: wanted } })
  // Somebody is registered.
  if (answer.status === 409 && wanted === 'draft') return
  if (answer.status === 303) state.certain = wanted
  else if (isAnswered(answer)) unexpected(run, kind, answer)
  else if (!isUnsent(answer)) state.perhaps.add(wanted)
}

/** Publishes what was taken back, once nothing fails any more, so that every sign-up can be sent once more. */
export async function publishSpares(run: Run, random: Random): Promise<void> {
  for (const spare of run.spares) {
    await setState(run, random, spare, 'published')
    spare.state = believe('published')
  }
}

/** What became of one of several: done, or the sentence that says why not. */
type Outcome = string | 'done' | 'unanswered' | 'unsent'

async function sendTogether(
  run: Run,
  random: Random,
  action: 'cancel' | 'move' | 'merge',
  bookings: readonly Booking[],
  more: Record<string, string> = {},
  to?: Ask['to'],
): Promise<Outcome[]> {
  const kind = `${action} several`
  for (const booking of bookings) booking.changes++
  const answer = await inConsole(run, random, {
    kind,
    to,
    path: paths.chosenPeople(),
    form: [
      ...Object.entries({ action, sure: 'yes', ...more }),
      ...bookings.map((booking): [string, string] => ['id', idOf(booking)]),
    ],
  })
  for (const booking of bookings) booking.changes++
  if (answer.status !== 200) {
    if (isAnswered(answer)) unexpected(run, kind, answer)
    return bookings.map(() => (isUnsent(answer) ? 'unsent' : 'unanswered'))
  }
  return bookings.map((booking) => {
    const [, line = ''] = answer.body.split(`href="${paths.person(idOf(booking))}"`)
    const [, mark = '', said = 'nothing'] = /<span class="(mark[^"]*)">([^<]*)</.exec(line) ?? []
    return mark === 'mark' ? 'done' : said
  })
}

function noteCancelled(run: Run, booking: Booking, outcome: Outcome | undefined) {
  if (outcome === 'done') cancelAcknowledged(booking)
  else if (outcome === 'unanswered') cancelUnanswered(booking)
  else if (outcome !== 'unsent') run.findings.check('answers', `${booking.key} could not be cancelled: ${outcome}`)
}

/** Does something with the live bookings of so many people of one campaign, while nobody else does anything with them. */
async function withSeveral(run: Run, random: Random, most: number, work: (bookings: Booking[]) => Promise<void>) {
  const first = somebody(run, random, ({ bookings }) => bookings.some(isLive))
  if (!first) return
  const several = new Set([first])
  for (let tries = 0; tries < 3 * most && several.size < most; tries++) {
    const other = somebody(
      run,
      random,
      ({ bookings, campaign }) => campaign === first.campaign && bookings.some(isLive),
    )
    if (other) several.add(other)
  }
  if (several.size < 2) return
  for (const person of several) person.busy = true
  try {
    await work([...several].map((person) => bookingOf(person) as Booking))
  } finally {
    for (const person of several) person.busy = false
  }
}

/** Asks in its name, so that whoever was certain of it looks again. */
async function inItsName(booking: Booking, asking: () => Promise<Answer>): Promise<Answer> {
  booking.changes++
  const answer = await asking()
  booking.changes++
  return answer
}

/** Sends a form of the console with the organiser's session, or opens a page of it. */
export function inConsole(run: Run, random: Random, request: Ask) {
  return ask(run, random, { method: 'POST', ...request, headers: { Cookie: run.stage.cookie } })
}

const idOf = ({ ticket }: Booking) => (ticket as Ticket).id

/** It is certain in which workshop it is. */
const isPlaced = ({ place }: Booking) => place.perhaps.size === 0

function workshopOf({ person, place }: Booking): Workshop {
  return person.campaign.workshops.find(({ slug }) => slug === place.certain) as Workshop
}

/** What a page says first, for whoever reads what was broken. */
const titleOf = ({ body }: Answer) =>
  body
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 300)
