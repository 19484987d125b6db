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

/** Operations of organisers in the console with their relative frequency. */
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

/** Promotes a possibly waitlisted person manually, sometimes with an additional seat. */
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
      const kind = addSeat ? 'promote with an additional seat' : 'promote'
      const response = await sendForBooking(booking, () =>
        sendToConsole(run, random, {
          kind,
          path: paths.personPromote(registrationId(booking)),
          form: { reason: `第 ${booking.revision} 次来电说明`, ...(addSeat && { addSeat: 'yes' }) },
        }),
      )
      // An open workshop with a waitlist has no free seat.
      const isFull = state.acknowledged === 'published' && state.possible.size === 0
      if (response.status === 303) {
        booking.seated = true
        booking.promoted = true
        if (addSeat) increaseCapacity(capacity, isFull)
      } else if (response.status === 409) {
        const alreadySeated = response.body.includes(t.promoteRefusals.seated())
        if (alreadySeated) booking.seated = true
        const full = response.body.includes(t.promoteRefusals.full(0, 0).split('：')[0] as string) && !addSeat
        run.findings.check(
          'answers',
          !alreadySeated && !full && `${booking.key} could not be promoted: ${pageText(response)}`,
        )
      } else if (isAnswered(response)) {
        reportUnexpected(run, kind, response)
      } else if (!wasNotSent(response) && addSeat) {
        increaseCapacity(capacity, false)
      }
    })
  })
}

async function correctName(run: Run, random: Random) {
  const person = pickIdlePerson(run, random, (person) => latestBooking(person) !== undefined)
  if (!person) return
  await withPersonLocked(person, async () => {
    const booking = latestBooking(person) as Booking
    const name = `${person.name} 改 ${booking.revision}`
    const form = { name, email: person.email, company: '睿赛德', phone: '' }
    const path = paths.personEdit(registrationId(booking))
    const response = await sendForBooking(booking, () =>
      sendToConsole(run, random, { kind: 'correct name', path, form }),
    )
    if (response.status === 303) booking.name.acknowledged = name
    else if (isAnswered(response)) reportUnexpected(run, 'correct name', response)
    else if (!wasNotSent(response)) booking.name.possible.add(name)
  })
}

/** Adds a person by hand; submits the form once more without a response. */
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

/** Merges two registrations: one is cancelled as a duplicate of the other. */
async function merge(run: Run, random: Random) {
  await withSeveralBookings(run, random, 2, async ([one, kept]) => {
    if (!one || !kept) return
    const [outcome] = await sendBulkAction(run, random, 'merge', [one], { kept: registrationId(kept) })
    recordCancellation(run, one, outcome)
  })
}

/**
 * Two organisers merge the same two registrations in opposite directions through different processes. One must stay.
 */
async function mergeBothWays(run: Run, random: Random) {
  await withSeveralBookings(run, random, 2, async ([one, other]) => {
    if (!one || !other) return
    const [first, second] = run.cluster.services
    const [[firstOutcome], [secondOutcome]] = await Promise.all([
      sendBulkAction(run, random, 'merge', [one], { kept: registrationId(other) }, first),
      sendBulkAction(run, random, 'merge', [other], { kept: registrationId(one) }, second),
    ])
    const done = [firstOutcome, secondOutcome].filter((outcome) => outcome === 'done').length
    run.findings.check('merges', done > 1 && `${one.key} and ${other.key} are both cancelled`)
    for (const [booking, ownOutcome, otherOutcome] of [
      [one, firstOutcome, secondOutcome],
      [other, secondOutcome, firstOutcome],
    ] as const) {
      if (ownOutcome === 'done') acknowledgeCancel(booking)
      // The later request finds no registration to keep.
      else if (ownOutcome === 'unanswered' && otherOutcome !== 'done') markCancelUnanswered(booking)
      else if (
        ownOutcome === t.mergeRefusals.kept_cancelled &&
        otherOutcome !== 'done' &&
        otherOutcome !== 'unanswered'
      ) {
        run.findings.check('merges', `${booking.key} was not merged although the other one was not cancelled`)
      } else if (ownOutcome !== 'unanswered' && ownOutcome !== 'unsent') {
        const isExplained = ownOutcome === t.mergeRefusals.kept_cancelled
        run.findings.check('merges', !isExplained && `${booking.key}: ${ownOutcome}`)
      }
    }
    // One was rejected because the other was cancelled by then, whether or not that was acknowledged.
    if (firstOutcome === t.mergeRefusals.kept_cancelled) acknowledgeCancel(other)
    if (secondOutcome === t.mergeRefusals.kept_cancelled) acknowledgeCancel(one)
  })
}

/** Marks two registrations as different people. */
async function markNotDuplicates(run: Run, random: Random) {
  await withSeveralBookings(run, random, 2, async (bookings) => {
    const response = await sendToConsole(run, random, {
      kind: 'mark not duplicates',
      path: paths.markNotDuplicates(),
      form: [
        ...bookings.map((booking): [string, string] => ['group', registrationId(booking)]),
        ['back', paths.console()],
      ],
    })
    if (response.status === 303) for (const booking of bookings) booking.markedNotDuplicate = true
    else if (isAnswered(response)) reportUnexpected(run, 'mark not duplicates', response)
  })
}

/** Cancels or moves several registrations with one form, and checks each outcome. */
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
        run.findings.check('answers', !isExplained && `${booking.key} could not move to ${to}: ${outcome}`)
      }
    }
  })
}

/** Moves a workshop to another room and notifies its attendees. */
async function changeVenueAndNotify(run: Run, random: Random) {
  await withWorkshopLocked(pickCurrentWorkshop(run, random), async (workshop) => {
    const { slug, venue, capacity } = workshop
    const path = paths.editWorkshop(slug)
    const form = await sendToConsole(run, random, { kind: 'open workshop form', path, method: 'GET' })
    if (form.status !== 200) return reportUnexpected(run, 'open workshop form', form)
    const formFields = formValues(form.body)
    const newVenue = `${++run.roomCount} 号教室`
    const expected = certainlyRegistered(run, slug)
    const kind = 'change venue and notify'
    const response = await sendToConsole(run, random, {
      kind,
      path,
      form: { ...formFields, 'venue.zh': newVenue, tell: 'yes' },
    })
    const seats = Number(formFields.capacity)
    if (response.status === 303) {
      // A delayed change may have been applied in between.
      if (venue.possible.size === 0) run.venueNotices.push(expected())
      venue.acknowledged = newVenue
      capacity.acknowledged = seats
    } else if (response.status === 422 || response.status === 409) {
      // Seats were taken since the form was opened, or its date is invalid.
      run.findings.check('answers', capacity.possible.size === 0 && `${slug}: ${pageText(response)}`)
    } else if (isAnswered(response)) {
      reportUnexpected(run, kind, response)
    } else if (!wasNotSent(response)) {
      venue.possible.add(newVenue)
      capacity.possible.add(seats)
    }
  })
}

/** Sends a broadcast to the registrations of a workshop, or to those with a seat, twice, through both processes. */
async function sendBroadcast(run: Run, random: Random) {
  const { slug } = pickCurrentWorkshop(run, random)
  const seatedOnly = random.chance(0.5)
  const expected = certainlyRegistered(run, slug)
  const id = crypto.randomUUID()
  const form = { id, subject: `通知 ${run.broadcasts.length}`, body: '{{name}}，请看 {{ticket}}', do: 'send' }
  const path = paths.newWorkshopBroadcast(slug) + (seatedOnly ? '?status=confirmed' : '')
  const responses = await Promise.all(
    run.cluster.services.map((service) => sendToConsole(run, random, { kind: 'send broadcast', path, form, service })),
  )
  const recipients = expected().filter(({ seated }) => seated || !seatedOnly)
  for (const response of responses) {
    // No recipients.
    const hasNoRecipients = response.status === 409 && recipients.length === 0
    if (response.status === 303) run.broadcasts.push({ id, bookings: recipients })
    else if (isAnswered(response) && !hasNoRecipients) reportUnexpected(run, 'send broadcast', response)
  }
}

/** Copies a campaign into the next month, twice, through both processes. */
async function copyCampaign(run: Run, random: Random) {
  const campaign = pickCurrentCampaign(run, random)
  const path = paths.copyCampaign(campaign.slug)
  const form = await sendToConsole(run, random, { kind: 'open copy form', path, method: 'GET' })
  if (form.status !== 200) return reportUnexpected(run, 'open copy form', form)
  const formFields = formValues(form.body)
  const responses = await Promise.all(
    run.cluster.services.map((service) =>
      sendToConsole(run, random, { kind: 'copy campaign', path: paths.newCampaign(), form: formFields, service }),
    ),
  )
  for (const response of responses) {
    // At most fifty workshops of a city may start on the same day.
    const limitReached = response.status === 422 && run.campaignCopies.length > 40
    if (response.status === 303)
      run.campaignCopies.push({ id: formFields.id ?? '', workshops: campaign.workshops.length })
    else if (isAnswered(response) && !limitReached) reportUnexpected(run, 'copy campaign', response)
  }
}

/** Unpublishes or publishes an empty workshop while a person signs up: both must not succeed. */
async function unpublishDuringSignUp(run: Run, random: Random) {
  await withWorkshopLocked(random.pick(run.spareWorkshops), async (spare) => {
    const n = run.people.length + 1
    // No other operation uses this person.
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
  const kind = newState === 'draft' ? 'unpublish' : 'publish'
  const response = await sendToConsole(run, random, {
    kind,
    path: paths.setWorkshopState(slug),
    form: { state: newState },
  })
  // There is a registration.
  if (response.status === 409 && newState === 'draft') return
  if (response.status === 303) state.acknowledged = newState
  else if (isAnswered(response)) reportUnexpected(run, kind, response)
  else if (!wasNotSent(response)) state.possible.add(newState)
}

/** Publishes the workshops after the last fault, so that every sign-up can be repeated. */
export async function publishSpareWorkshops(run: Run, random: Random): Promise<void> {
  for (const spare of run.spareWorkshops) {
    await setState(run, random, spare, 'published')
    spare.state = certainValue('published')
  }
}

/** Outcome of one item of a bulk action: done, or the refusal message. */
type Outcome = string | 'done' | 'unanswered' | 'unsent'

async function sendBulkAction(
  run: Run,
  random: Random,
  action: 'cancel' | 'move' | 'merge',
  bookings: readonly Booking[],
  more: Record<string, string> = {},
  service?: ServiceRequest['service'],
): Promise<Outcome[]> {
  const kind = `bulk ${action}`
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

/** Runs a callback with the active bookings of several people of one campaign, locked against other operations. */
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

/** Sends a request for a booking. Its revision changes, so that concurrent checks do not rely on it. */
async function sendForBooking(booking: Booking, request: () => Promise<HttpResponse>): Promise<HttpResponse> {
  booking.revision++
  const response = await request()
  booking.revision++
  return response
}

/** Submits a console form with the organiser's session, or opens a page. */
export function sendToConsole(run: Run, random: Random, request: ServiceRequest) {
  return sendRequest(run, random, { method: 'POST', ...request, headers: { Cookie: run.cluster.cookie } })
}

const registrationId = ({ ticket }: Booking) => (ticket as Ticket).id

/** Whether the current workshop is certain. */
const isWorkshopCertain = ({ workshop }: Booking) => workshop.possible.size === 0

function bookedWorkshop({ person, workshop }: Booking): Workshop {
  return person.campaign.workshops.find(({ slug }) => slug === workshop.acknowledged) as Workshop
}

/** Beginning of a page's text, for failure messages. */
const pageText = ({ body }: HttpResponse) =>
  body
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 300)
