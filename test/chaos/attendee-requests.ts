import { readTicket } from '../../src/domain/tickets.ts'
import { messagesFor } from '../../src/messages/messages.ts'
import {
  type Booking,
  cancelAcknowledged,
  cancelUnanswered,
  isFree,
  isLive,
  mayBe,
  moveAcknowledged,
  moveUnanswered,
  signUpAcknowledged,
  signUpUnanswered,
  type Ticket,
  type Workshop,
} from './bookings.ts'
import type { Answer } from './http.ts'
import type { Random } from './random.ts'
import { type Ask, ask, codeOf, isAnswered, isUnsent, type Run, unexpected } from './run.ts'

/**
 * Sends a sign-up over the API and holds the answer against what is known. Gives its status.
 * @param atOnce another one of this person is under way, so that what was known before says less
 * @param mayBeDraft the workshop may have been taken back, and nobody sees it
 */
export async function sendSignUp(
  run: Run,
  random: Random,
  booking: Booking,
  workshop: Workshop,
  {
    kind = 'sign up',
    to,
    atOnce = false,
    mayBeDraft = false,
  }: { kind?: string; to?: Ask['to']; atOnce?: boolean; mayBeDraft?: boolean } = {},
): Promise<Answer['status']> {
  const { person, key } = booking
  const before = knownBefore(booking, workshop)
  booking.changes++
  const answer = await ask(run, random, {
    kind,
    to,
    method: 'POST',
    path: `/api/v1/workshops/${workshop.slug}/registrations`,
    headers: { 'Idempotency-Key': key },
    json: { name: person.name, email: person.email, consent: true },
  })
  booking.changes++
  if (answer.status === 201) {
    const { id, status, ticketUrl } = JSON.parse(answer.body) as { id: string; status: string; ticketUrl: string }
    acknowledge(run, booking, { id, path: new URL(ticketUrl).pathname }, status)
  } else if (answer.status === 409) {
    refuse(run, booking, workshop, codeOf(answer) ?? 'none', before, atOnce)
  } else if (answer.status !== 404 || !mayBeDraft) {
    if (!isUnsent(answer)) signUpUnanswered(booking)
    if (isAnswered(answer)) unexpected(run, kind, answer)
  }
  return answer.status
}

/** Sends the form of a workshop's page. Tells whether it was answered. */
export async function sendForm(
  run: Run,
  random: Random,
  booking: Booking,
  workshop: Workshop,
  given: Record<string, string>,
): Promise<boolean> {
  const { name, email } = booking.person
  const before = knownBefore(booking, workshop)
  booking.changes++
  const answer = await ask(run, random, {
    kind: 'send the form',
    method: 'POST',
    path: `/w/${workshop.slug}`,
    form: { ...given, name, email, consent: 'yes' },
  })
  booking.changes++
  if (answer.status === 303) {
    const path = answer.headers.location ?? ''
    const id = readTicket(run.stage.secret, path.replace('/t/', ''))?.id
    if (id) acknowledge(run, booking, { id, path })
    else unexpected(run, 'send the form', answer)
  } else if (answer.status === 409) {
    refuse(run, booking, workshop, refusalOn(answer), before, false)
  } else {
    if (!isUnsent(answer)) signUpUnanswered(booking)
    if (isAnswered(answer)) unexpected(run, 'send the form', answer)
  }
  return isAnswered(answer)
}

/** What was known when a sign-up was sent: what is found out meanwhile may have come first. */
type Before = { free: boolean; closable: boolean; changes: number }

export function knownBefore(booking: Booking, workshop: Workshop): Before {
  return { free: isFree(booking.person, booking), closable: mayBeClosed(workshop), changes: workshop.changes }
}

/** It was closed, or an organiser is about it. */
const mayBeClosed = ({ state, busy }: Workshop) => busy || mayBe(state, 'closed')

function acknowledge(run: Run, booking: Booking, ticket: Ticket, status?: string) {
  const other = booking.person.bookings.find((other) => other !== booking && isLive(other))
  const isNew = booking.stored !== 'yes'
  run.findings.check('answers', isNew && other && `${booking.key} was taken beside ${other.key} of the same person`)
  run.findings.check('answers', signUpAcknowledged(booking, ticket, status))
}

/** A refusal must be true. */
export function refuse(run: Run, booking: Booking, workshop: Workshop, code: string, before: Before, atOnce: boolean) {
  const because = () => {
    if (booking.stored === 'yes' && !atOnce) return 'its key was acknowledged'
    if (code === 'already_registered')
      return before.free && !atOnce && booking.stored === 'no' && 'nobody is registered'
    if (code !== 'closed') return 'it cannot be so'
    const closable = before.closable || mayBeClosed(workshop) || workshop.changes !== before.changes
    return !closable && 'nobody closed it'
  }
  const wrong = because()
  run.findings.check('answers', wrong && `${booking.key} was refused as ${code} and ${wrong}`)
}

/** Which refusal a page tells of. */
function refusalOn({ body }: Answer): string {
  const refusals = Object.entries(messagesFor('zh-CN').refusals)
  return refusals.find(([, sentence]) => body.includes(sentence))?.[0] ?? 'unknown'
}

export async function sendCancel(run: Run, random: Random, booking: Booking) {
  const path = `${(booking.ticket as Ticket).path}/cancel`
  booking.changes++
  const answer = await ask(run, random, { kind: 'cancel', method: 'POST', path, form: {} })
  booking.changes++
  if (answer.status === 303) cancelAcknowledged(booking)
  else if (isAnswered(answer)) unexpected(run, 'cancel', answer)
  else if (!isUnsent(answer)) cancelUnanswered(booking)
}

export async function sendMove(run: Run, random: Random, booking: Booking, { atOnce = false } = {}) {
  const others = booking.person.campaign.workshops.filter(({ slug }) => slug !== booking.place.certain)
  const { slug: to } = random.pick(others)
  const cancellable = atOnce || booking.cancelled !== 'no'
  booking.changes++
  const answer = await ask(run, random, {
    kind: 'move',
    method: 'POST',
    path: `${(booking.ticket as Ticket).path}/move`,
    form: { to },
  })
  booking.changes++
  if (answer.status === 303) {
    moveAcknowledged(booking, to)
  } else if (answer.status === 409) {
    const refusals = Object.entries(messagesFor('zh-CN').moveRefusals)
    const code = refusals.find(([, sentence]) => answer.body.includes(sentence))?.[0]
    const explained =
      code === 'closed' ||
      (code === 'not_live' && cancellable) ||
      (code === 'already_registered' && mayBe(booking.place, to))
    run.findings.check('answers', !explained && `${booking.key} may not move to ${to}: ${code}`)
  } else if (isAnswered(answer)) {
    unexpected(run, 'move', answer)
  } else if (!isUnsent(answer)) {
    moveUnanswered(booking, to)
  }
}
