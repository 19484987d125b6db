import { createTicketToken } from '../../../src/domain/tickets/signed-tokens.ts'
import { paths } from '../../../src/http/links.ts'
import { registrationMessages } from '../../../src/i18n/registrations.ts'
import { formValues } from '../../support/http/forms.ts'
import {
  acknowledgeCancel,
  acknowledgeMove,
  acknowledgeSignUp,
  type Booking,
  certainValue,
  couldBe,
  createBooking,
  increaseCapacity,
  isActive,
  markCancelUnanswered,
  markMoveUnanswered,
  markSignUpUnanswered,
  type Person,
  type Ticket,
  type Workshop,
} from '../bookings.ts'
import type { HttpResponse } from '../http.ts'
import type { Random } from '../random.ts'
import {
  isAnswered,
  latestBooking,
  pickCurrentCampaign,
  pickCurrentWorkshop,
  pickIdlePerson,
  type Run,
  reportUnexpected,
  type ServiceRequest,
  sendRequest,
  wasNotSent,
  withPersonLocked,
} from '../run.ts'
import { checkRefusal, sendSignUp, takeSnapshot } from './attendee-requests.ts'
import { pickUnregisteredPerson } from './attendees.ts'
import { certainlyRegistered, sendToApi, withWorkshopLocked } from './organisers.ts'

type Operation = (run: Run, random: Random) => Promise<void>

/** What organisers do in the console, and how often in comparison to what is done elsewhere. */
export const consoleOperations: [weight: number, Operation][] = [
  [4, promote],
  [3, correctName],
  [3, addManually],
  [1, merge],
  [1, mergeBothWays],
  [1, markNotDuplicates],
  [2, cancelOrMoveInBulk],
  [2, changeVenueAndNotify],
  [1, sendBroadcast],
  [0.5, copyCampaign],
  [2, unpublishDuringSignUp],
]

const t = registrationMessages('zh-CN')

/** Somebody who may be waiting gets a seat before their turn; where none is free, one more now and then. */
async function promote(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, ({ bookings }) =>
    bookings.some((booking) => isActive(booking) && !booking.seated && isWorkshopCertain(booking)),
  )
  if (!person) return
  await withPersonLocked(person, async () => {
    const booking = latestBooking(person) as Booking
    if (booking.seated || !isWorkshopCertain(booking)) return
    await withWorkshopLocked(bookedWorkshop(booking), async ({ capacity, state }) => {
      booking.mayBePromoted = true
      const addSeat = random.chance(0.6)
      const kind = addSeat ? 'let pass, with a seat more' : 'let pass'
      const response = await sendForBooking(booking, () =>
        sendToConsole(run, random, {
          kind,
          path: paths.personPromote(registrationId(booking)),
          form: { reason: `第 ${booking.revision} 次来电说明`, ...(addSeat && { addSeat: 'yes' }) },
        }),
      )
      // Where an open workshop has somebody who waits, it has no seat free.
      const isFull = state.acknowledged === 'published' && state.possible.size === 0
      if (response.status === 303) {
        booking.seated = true
        booking.promoted = true
        if (addSeat) increaseCapacity(capacity, isFull)
      } else if (response.status === 409) {
        const alreadySeated = response.body.includes(t.promoteRefusals.seated())
        if (alreadySeated) booking.seated = true
        const full = response.body.includes(t.promoteRefusals.full(0, 0).split('：')[0] as string) && !addSeat
        run.findings.check('answers', !alreadySeated && !full && `${booking.key} may not pass: ${pageText(response)}`)
      } else if (isAnswered(response)) {
        reportUnexpected(run, kind, response)
      } else if (!wasNotSent(response) && addSeat) {
        increaseCapacity(capacity, false)
      }
    })
  })
}

/** Another name. */
async function correctName(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, (person) => latestBooking(person) !== undefined)
  if (!person) return
  await withPersonLocked(person, async () => {
    const booking = latestBooking(person) as Booking
    const name = `${person.name} 改 ${booking.revision}`
    const form = { name, email: person.email, company: '睿赛德', phone: '' }
    const path = paths.personEdit(registrationId(booking))
    const response = await sendForBooking(booking, () =>
      sendToConsole(run, random, { kind: 'correct a name', path, form }),
    )
    if (response.status === 303) booking.name.acknowledged = name
    else if (isAnswered(response)) reportUnexpected(run, 'correct a name', response)
    else if (!wasNotSent(response)) booking.name.possible.add(name)
  })
}

/** Somebody is signed up by an organiser; without an answer the form is sent once more. */
async function addManually(run: Run, random: Random) {
  const person = pickUnregisteredPerson(run, random)
  await withPersonLocked(person, async () => {
    const workshop = random.pick(person.campaign.workshops)
    const booking = createBooking(person, workshop, crypto.randomUUID())
    const form = { key: booking.key, name: person.name, email: person.email, locale: 'zh-CN', consent: 'yes' }
    for (let tries = 1; tries <= 2; tries++) {
      const before = takeSnapshot(booking, workshop)
      const path = paths.addPerson(workshop.slug)
      const response = await sendForBooking(booking, () =>
        sendToConsole(run, random, { kind: 'add by hand', path, form }),
      )
      const id = /^\/console\/people\/([0-9a-f-]{36})\?/.exec(response.headers.location ?? '')?.[1]
      if (response.status === 303 && id) {
        const ticket = { id, path: paths.ticket(createTicketToken(run.cluster.secret, { id, version: 1 })) }
        run.findings.check('answers', acknowledgeSignUp(booking, ticket))
      } else if (response.status === 409) {
        const code = Object.entries(t.refusals).find(([, sentence]) => response.body.includes(sentence))?.[0]
        checkRefusal(run, booking, workshop, code ?? 'unknown', before, false)
      } else {
        if (!wasNotSent(response)) markSignUpUnanswered(booking)
        if (isAnswered(response)) reportUnexpected(run, 'add by hand', response)
      }
      if (isAnswered(response)) return
    }
  })
}

/** Of two registrations one is cancelled as that of the other's person. */
async function merge(run: Run, random: Random) {
  await withSeveralBookings(run, random, 2, async ([one, kept]) => {
    if (!one || !kept) return
    const [outcome] = await sendBulkAction(run, random, 'merge', [one], { kept: registrationId(kept) })
    recordCancellation(run, one, outcome)
  })
}

/** Two organisers merge the same two, each the other way round, through different processes. One of them stays. */
async function mergeBothWays(run: Run, random: Random) {
  await withSeveralBookings(run, random, 2, async ([one, other]) => {
    if (!one || !other) return
    const [first, second] = run.cluster.services
    const [[firstOutcome], [secondOutcome]] = await Promise.all([
      sendBulkAction(run, random, 'merge', [one], { kept: registrationId(other) }, first),
      sendBulkAction(run, random, 'merge', [other], { kept: registrationId(one) }, second),
    ])
    const done = [firstOutcome, secondOutcome].filter((outcome) => outcome === 'done').length
    run.findings.check('merges', done > 1 && `${one.key} and ${other.key} are both gone`)
    for (const [booking, ownOutcome, otherOutcome] of [
      [one, firstOutcome, secondOutcome],
      [other, secondOutcome, firstOutcome],
    ] as const) {
      if (ownOutcome === 'done') acknowledgeCancel(booking)
      // Whichever comes later finds nothing to keep.
      else if (ownOutcome === 'unanswered' && otherOutcome !== 'done') markCancelUnanswered(booking)
      else if (
        ownOutcome === t.mergeRefusals.kept_cancelled &&
        otherOutcome !== 'done' &&
        otherOutcome !== 'unanswered'
      ) {
        run.findings.check('merges', `${booking.key} was kept for the sake of one that nobody took away`)
      } else if (ownOutcome !== 'unanswered' && ownOutcome !== 'unsent') {
        const isExplained = ownOutcome === t.mergeRefusals.kept_cancelled
        run.findings.check('merges', !isExplained && `${booking.key}: ${ownOutcome}`)
      }
    }
    // The one was kept because the other was gone by then, whether or not that was answered.
    if (firstOutcome === t.mergeRefusals.kept_cancelled) acknowledgeCancel(other)
    if (secondOutcome === t.mergeRefusals.kept_cancelled) acknowledgeCancel(one)
  })
}

/** Two are settled to be two people. */
async function markNotDuplicates(run: Run, random: Random) {
  await withSeveralBookings(run, random, 2, async (bookings) => {
    const response = await sendToConsole(run, random, {
      kind: 'tell apart',
      path: paths.markNotDuplicates(),
      form: [
        ...bookings.map((booking): [string, string] => ['group', registrationId(booking)]),
        ['back', paths.console()],
      ],
    })
    if (response.status === 303) for (const booking of bookings) booking.markedNotDuplicate = true
    else if (isAnswered(response)) reportUnexpected(run, 'tell apart', response)
  })
}

/** Several are cancelled, or moved, with one press of a button; what became of each is told. */
async function cancelOrMoveInBulk(run: Run, random: Random) {
  await withSeveralBookings(run, random, 4, async (bookings) => {
    if (random.chance(0.5)) {
      const outcomes = await sendBulkAction(run, random, 'cancel', bookings)
      for (const [n, booking] of bookings.entries()) recordCancellation(run, booking, outcomes[n])
      return
    }
    const { slug: to } = random.pick(bookings[0]?.person.campaign.workshops as Workshop[])
    const outcomes = await sendBulkAction(run, random, 'move', bookings, { to })
    for (const [n, booking] of bookings.entries()) {
      const outcome = outcomes[n]
      const code = Object.entries(t.moveRefusals).find(([, sentence]) => sentence === outcome)?.[0]
      if (outcome === 'done') acknowledgeMove(booking, to)
      else if (outcome === 'unanswered') markMoveUnanswered(booking, to)
      else if (outcome !== 'unsent') {
        const isExplained = code === 'closed' || (code === 'already_registered' && couldBe(booking.workshop, to))
        run.findings.check('answers', !isExplained && `${booking.key} may not move to ${to}: ${outcome}`)
      }
    }
  })
}

/** A workshop is in another room, and everyone registered is told. */
async function changeVenueAndNotify(run: Run, random: Random) {
  await withWorkshopLocked(pickCurrentWorkshop(run, random), async (workshop) => {
    const { slug, venue, capacity } = workshop
    const path = paths.editWorkshop(slug)
    const form = await sendToConsole(run, random, { kind: 'open the form of a workshop', path, method: 'GET' })
    if (form.status !== 200) return reportUnexpected(run, 'open the form of a workshop', form)
    const formFields = formValues(form.body)
    const newVenue = `${++run.roomCount} 号教室`
    const expected = certainlyRegistered(run, slug)
    const kind = 'change the venue, and tell'
    const response = await sendToConsole(run, random, {
      kind,
      path,
      form: { ...formFields, 'venue.zh': newVenue, tell: 'yes' },
    })
    const seats = Number(formFields.capacity)
    if (response.status === 303) {
      // A change that hung on the way may have come in between.
      if (venue.possible.size === 0) run.venueNotices.push(expected())
      venue.acknowledged = newVenue
      capacity.acknowledged = seats
    } else if (response.status === 422 || response.status === 409) {
      // Seats were taken since it was opened, or its date is unread.
      run.findings.check('answers', capacity.possible.size === 0 && `${slug}: ${pageText(response)}`)
    } else if (isAnswered(response)) {
      reportUnexpected(run, kind, response)
    } else if (!wasNotSent(response)) {
      venue.possible.add(newVenue)
      capacity.possible.add(seats)
    }
  })
}

/** A message to the people of a workshop, or to those with a seat; the button is pressed twice, at both processes. */
async function sendBroadcast(run: Run, random: Random) {
  const { slug } = pickCurrentWorkshop(run, random)
  const seatedOnly = random.chance(0.5)
  const expected = certainlyRegistered(run, slug)
  const id = crypto.randomUUID()
  const form = { id, subject: `通知 ${run.broadcasts.length}`, body: '{{name}}，请看 {{ticket}}', do: 'send' }
  const path = paths.newWorkshopBroadcast(slug) + (seatedOnly ? '?status=confirmed' : '')
  const responses = await Promise.all(
    run.cluster.services.map((service) => sendToConsole(run, random, { kind: 'write to people', path, form, service })),
  )
  const recipients = expected().filter(({ seated }) => seated || !seatedOnly)
  for (const response of responses) {
    // Nobody is there to write to.
    const hasNoRecipients = response.status === 409 && recipients.length === 0
    if (response.status === 303) run.broadcasts.push({ id, bookings: recipients })
    else if (isAnswered(response) && !hasNoRecipients) reportUnexpected(run, 'write to people', response)
  }
}

/** The month is copied into the next; the form is sent twice, to both processes. */
async function copyCampaign(run: Run, random: Random) {
  const campaign = pickCurrentCampaign(run, random)
  const path = paths.copyCampaign(campaign.slug)
  const form = await sendToConsole(run, random, { kind: 'open the next month', path, method: 'GET' })
  if (form.status !== 200) return reportUnexpected(run, 'open the next month', form)
  const formFields = formValues(form.body)
  const responses = await Promise.all(
    run.cluster.services.map((service) =>
      sendToConsole(run, random, { kind: 'copy a month', path: paths.newCampaign(), form: formFields, service }),
    ),
  )
  for (const response of responses) {
    // Fifty of a city may begin on one day.
    const limitReached = response.status === 422 && run.campaignCopies.length > 40
    if (response.status === 303)
      run.campaignCopies.push({ id: formFields.id ?? '', workshops: campaign.workshops.length })
    else if (isAnswered(response) && !limitReached) reportUnexpected(run, 'copy a month', response)
  }
}

/** A workshop that nobody is registered to is taken back, or published, while somebody signs up: both cannot be. */
async function unpublishDuringSignUp(run: Run, random: Random) {
  await withWorkshopLocked(random.pick(run.spareWorkshops), async (spare) => {
    const n = run.people.length + 1
    // Nobody else does anything in this person's name.
    const personData = { name: `学员 ${n}`, email: `person-${n}@example.com`, campaign: spare.campaign, busy: true }
    const person: Person = { ...personData, bookings: [] }
    run.people.push(person)
    const booking = createBooking(person, spare, crypto.randomUUID())
    const newState = spare.state.acknowledged === 'draft' ? 'published' : 'draft'
    await Promise.all([
      setState(run, random, spare, newState),
      sendSignUp(run, random, booking, spare, { atOnce: true, mayBeDraft: true }),
    ])
    if (booking.stored !== 'yes') return
    const path = `/api/v1/registrations/${registrationId(booking)}/cancel`
    const response = await sendToApi(run, random, { kind: 'cancel a registration', method: 'POST', path })
    if (response.status === 200) acknowledgeCancel(booking)
    else if (isAnswered(response)) reportUnexpected(run, 'cancel a registration', response)
    else if (!wasNotSent(response)) markCancelUnanswered(booking)
  })
}

async function setState(run: Run, random: Random, { slug, state }: Workshop, newState: 'draft' | 'published') {
  const kind = newState === 'draft' ? 'take back' : 'publish'
  const response = await sendToConsole(run, random, {
    kind,
    path: paths.setWorkshopState(slug),
    form: { state: newState },
  })
  // Somebody is registered.
  if (response.status === 409 && newState === 'draft') return
  if (response.status === 303) state.acknowledged = newState
  else if (isAnswered(response)) reportUnexpected(run, kind, response)
  else if (!wasNotSent(response)) state.possible.add(newState)
}

/** Publishes what was taken back, once nothing fails any more, so that every sign-up can be sent once more. */
export async function publishSpareWorkshops(run: Run, random: Random): Promise<void> {
  for (const spare of run.spareWorkshops) {
    await setState(run, random, spare, 'published')
    spare.state = certainValue('published')
  }
}

/** What became of one of several: done, or the sentence that says why not. */
type Outcome = string | 'done' | 'unanswered' | 'unsent'

async function sendBulkAction(
  run: Run,
  random: Random,
  action: 'cancel' | 'move' | 'merge',
  bookings: readonly Booking[],
  more: Record<string, string> = {},
  service?: ServiceRequest['service'],
): Promise<Outcome[]> {
  const kind = `${action} several`
  for (const booking of bookings) booking.revision++
  const response = await sendToConsole(run, random, {
    kind,
    service,
    path: paths.bulkActions(),
    form: [
      ...Object.entries({ action, sure: 'yes', ...more }),
      ...bookings.map((booking): [string, string] => ['id', registrationId(booking)]),
    ],
  })
  for (const booking of bookings) booking.revision++
  if (response.status !== 200) {
    if (isAnswered(response)) reportUnexpected(run, kind, response)
    return bookings.map(() => (wasNotSent(response) ? 'unsent' : 'unanswered'))
  }
  return bookings.map((booking) => {
    const [, line = ''] = response.body.split(`href="${paths.person(registrationId(booking))}"`)
    const [, mark = '', message = 'nothing'] = /<span class="(mark[^"]*)">([^<]*)</.exec(line) ?? []
    return mark === 'mark' ? 'done' : message
  })
}

function recordCancellation(run: Run, booking: Booking, outcome: Outcome | undefined) {
  if (outcome === 'done') acknowledgeCancel(booking)
  else if (outcome === 'unanswered') markCancelUnanswered(booking)
  else if (outcome !== 'unsent') run.findings.check('answers', `${booking.key} could not be cancelled: ${outcome}`)
}

/** Does something with the live bookings of so many people of one campaign, while nobody else does anything with them. */
async function withSeveralBookings(
  run: Run,
  random: Random,
  max: number,
  callback: (bookings: Booking[]) => Promise<void>,
) {
  const first = pickIdlePerson(run, random, ({ bookings }) => bookings.some(isActive))
  if (!first) return
  const several = new Set([first])
  for (let tries = 0; tries < 3 * max && several.size < max; tries++) {
    const other = pickIdlePerson(
      run,
      random,
      ({ bookings, campaign }) => campaign === first.campaign && bookings.some(isActive),
    )
    if (other) several.add(other)
  }
  if (several.size < 2) return
  for (const person of several) person.busy = true
  try {
    await callback([...several].map((person) => latestBooking(person) as Booking))
  } finally {
    for (const person of several) person.busy = false
  }
}

/** Asks in its name, so that whoever was certain of it looks again. */
async function sendForBooking(booking: Booking, request: () => Promise<HttpResponse>): Promise<HttpResponse> {
  booking.revision++
  const response = await request()
  booking.revision++
  return response
}

/** Sends a form of the console with the organiser's session, or opens a page of it. */
export function sendToConsole(run: Run, random: Random, request: ServiceRequest) {
  return sendRequest(run, random, { method: 'POST', ...request, headers: { Cookie: run.cluster.cookie } })
}

const registrationId = ({ ticket }: Booking) => (ticket as Ticket).id

/** It is certain in which workshop it is. */
const isWorkshopCertain = ({ workshop }: Booking) => workshop.possible.size === 0

function bookedWorkshop({ person, workshop }: Booking): Workshop {
  return person.campaign.workshops.find(({ slug }) => slug === workshop.acknowledged) as Workshop
}

/** What a page says first, for whoever reads what was broken. */
const pageText = ({ body }: HttpResponse) =>
  body
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 300)
