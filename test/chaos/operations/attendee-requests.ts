import { verifyTicketToken } from '../../../src/domain/tickets/signed-tokens.ts'
import { publicMessages } from '../../../src/i18n/public.ts'
import {
  acknowledgeCancel,
  acknowledgeMove,
  acknowledgeSignUp,
  type Booking,
  couldBe,
  hasNoActiveBooking,
  isActive,
  markCancelUnanswered,
  markMoveUnanswered,
  markSignUpUnanswered,
  type Ticket,
  type Workshop,
} from '../bookings.ts'
import type { HttpResponse } from '../http.ts'
import type { Random } from '../random.ts'
import {
  isAnswered,
  problemCode,
  type Run,
  reportUnexpected,
  type ServiceRequest,
  sendRequest,
  wasNotSent,
} from '../run.ts'

/**
 * Sends a sign-up over the API and checks the response against the expected state. Returns its status.
 * @param atOnce another request for this person is in progress, so the expected state is less certain
 * @param mayBeDraft the workshop may have been unpublished
 */
export async function sendSignUp(
  run: Run,
  random: Random,
  booking: Booking,
  workshop: Workshop,
  {
    kind = 'sign up',
    to: service,
    atOnce = false,
    mayBeDraft = false,
  }: { kind?: string; to?: ServiceRequest['service']; atOnce?: boolean; mayBeDraft?: boolean } = {},
): Promise<HttpResponse['status']> {
  const { person, key } = booking
  const before = takeSnapshot(booking, workshop)
  booking.revision++
  const response = await sendRequest(run, random, {
    kind,
    service,
    method: 'POST',
    path: `/api/v1/workshops/${workshop.slug}/registrations`,
    headers: { 'Idempotency-Key': key },
    json: { name: person.name, email: person.email, consent: true },
  })
  booking.revision++
  if (response.status === 201) {
    const { id, status, ticketUrl } = JSON.parse(response.body) as { id: string; status: string; ticketUrl: string }
    recordSignUp(run, booking, { id, path: new URL(ticketUrl).pathname }, status)
  } else if (response.status === 409) {
    checkRefusal(run, booking, workshop, problemCode(response) ?? 'none', before, atOnce)
  } else if (response.status !== 404 || !mayBeDraft) {
    if (!wasNotSent(response)) markSignUpUnanswered(booking)
    if (isAnswered(response)) reportUnexpected(run, kind, response)
  }
  return response.status
}

/** Submits the form of a workshop page. Returns whether it was answered. */
export async function sendForm(
  run: Run,
  random: Random,
  booking: Booking,
  workshop: Workshop,
  formFields: Record<string, string>,
): Promise<boolean> {
  const { name, email } = booking.person
  const before = takeSnapshot(booking, workshop)
  booking.revision++
  const response = await sendRequest(run, random, {
    kind: 'submit form',
    method: 'POST',
    path: `/w/${workshop.slug}`,
    form: { ...formFields, name, email, consent: 'yes' },
  })
  booking.revision++
  if (response.status === 303) {
    const path = response.headers.location ?? ''
    const id = verifyTicketToken(run.cluster.secret, path.replace('/t/', ''))?.id
    if (id) recordSignUp(run, booking, { id, path })
    else reportUnexpected(run, 'submit form', response)
  } else if (response.status === 409) {
    checkRefusal(run, booking, workshop, parseRefusal(response), before, false)
  } else {
    if (!wasNotSent(response)) markSignUpUnanswered(booking)
    if (isAnswered(response)) reportUnexpected(run, 'submit form', response)
  }
  return isAnswered(response)
}

/** State when a sign-up is sent: what is learned until its response may have happened first. */
type Snapshot = { hadNoActiveBooking: boolean; couldBeClosed: boolean; revision: number }

export function takeSnapshot(booking: Booking, workshop: Workshop): Snapshot {
  return {
    hadNoActiveBooking: hasNoActiveBooking(booking.person, booking),
    couldBeClosed: couldBeClosed(workshop),
    revision: workshop.revision,
  }
}

/** Closed, or being changed by an organiser. */
const couldBeClosed = ({ state, busy }: Workshop) => busy || couldBe(state, 'closed')

function recordSignUp(run: Run, booking: Booking, ticket: Ticket, status?: string) {
  const other = booking.person.bookings.find((other) => other !== booking && isActive(other))
  const isNew = booking.stored !== 'yes'
  run.findings.check(
    'answers',
    isNew && other && `${booking.key} was accepted in addition to ${other.key} of the same person`,
  )
  run.findings.check('answers', acknowledgeSignUp(booking, ticket, status))
}

/** Checks that a rejection is justified. */
export function checkRefusal(
  run: Run,
  booking: Booking,
  workshop: Workshop,
  code: string,
  before: Snapshot,
  atOnce: boolean,
) {
  const findReason = () => {
    if (booking.stored === 'yes' && !atOnce) return 'its key was acknowledged'
    if (code === 'already_registered')
      return before.hadNoActiveBooking && !atOnce && booking.stored === 'no' && 'nobody is registered'
    if (code !== 'closed') return 'that is impossible'
    const couldHaveClosed = before.couldBeClosed || couldBeClosed(workshop) || workshop.revision !== before.revision
    return !couldHaveClosed && 'nobody closed it'
  }
  const reason = findReason()
  run.findings.check('answers', reason && `${booking.key} was rejected as ${code}, but ${reason}`)
}

/** Refusal code of the message on a page. */
function parseRefusal({ body }: HttpResponse): string {
  const refusals = Object.entries(publicMessages('zh-CN').refusals)
  return refusals.find(([, sentence]) => body.includes(sentence))?.[0] ?? 'unknown'
}

export async function sendCancel(run: Run, random: Random, booking: Booking) {
  const path = `${(booking.ticket as Ticket).path}/cancel`
  booking.revision++
  const response = await sendRequest(run, random, { kind: 'cancel', method: 'POST', path, form: {} })
  booking.revision++
  if (response.status === 303) acknowledgeCancel(booking)
  else if (isAnswered(response)) reportUnexpected(run, 'cancel', response)
  else if (!wasNotSent(response)) markCancelUnanswered(booking)
}

export async function sendMove(run: Run, random: Random, booking: Booking, { atOnce = false } = {}) {
  const otherWorkshops = booking.person.campaign.workshops.filter(({ slug }) => slug !== booking.workshop.acknowledged)
  const { slug: to } = random.pick(otherWorkshops)
  const cancellable = atOnce || booking.cancelled !== 'no'
  booking.revision++
  const response = await sendRequest(run, random, {
    kind: 'move',
    method: 'POST',
    path: `${(booking.ticket as Ticket).path}/move`,
    form: { to },
  })
  booking.revision++
  if (response.status === 303) {
    acknowledgeMove(booking, to)
  } else if (response.status === 409) {
    const refusals = Object.entries(publicMessages('zh-CN').moveRefusals)
    const code = refusals.find(([, sentence]) => response.body.includes(sentence))?.[0]
    const isExplained =
      code === 'closed' ||
      (code === 'not_live' && cancellable) ||
      (code === 'already_registered' && couldBe(booking.workshop, to))
    run.findings.check('answers', !isExplained && `${booking.key} may not move to ${to}: ${code}`)
  } else if (isAnswered(response)) {
    reportUnexpected(run, 'move', response)
  } else if (!wasNotSent(response)) {
    markMoveUnanswered(booking, to)
  }
}
