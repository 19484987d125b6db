/*
 * Expected state of people, bookings and workshops, derived from the responses so far. A request without a response may
 * have been executed, may be executed later when delayed packets arrive, or never; so it only adds possible values.
 */

/** An acknowledged value, and the values that unanswered requests may have set instead. */
export type Uncertain<Value> = { acknowledged: Value; possible: Set<Value> }

export type Campaign = { slug: string; workshops: Workshop[] }

export type Workshop = {
  slug: string
  campaign: Campaign
  capacity: Uncertain<number>
  state: Uncertain<'draft' | 'published' | 'closed'>
  venue: Uncertain<string>
  /** Number of changes that an organiser has started. */
  revision: number
  /** An organiser is changing it. */
  busy: boolean
}

export type Person = {
  name: string
  email: string
  campaign: Campaign
  bookings: Booking[]
  /** An operation for this person is in progress. */
  busy: boolean
}

type Certainty = 'no' | 'perhaps' | 'yes'

/** One sign-up of a person, with one idempotency key. */
export type Booking = {
  key: string
  person: Person
  /** Slug of the workshop of the sign-up. */
  firstWorkshop: string
  stored: Certainty
  cancelled: Certainty
  /** Slug of the current workshop. */
  workshop: Uncertain<string>
  /** Whether a response confirmed a seat there. */
  seated: boolean
  moves: { acknowledged: number; perhaps: number }
  /** Name after corrections by organisers. */
  name: Uncertain<string>
  /** Promoted manually in the current workshop. */
  promoted: boolean
  /** A manual promotion was requested, in any workshop. */
  mayBePromoted: boolean
  markedNotDuplicate: boolean
  /** Set by the first 201. */
  ticket: Ticket | undefined
  /** Number of requests for this booking. */
  revision: number
}

export type Ticket = { id: string; path: string }

/** State of a booking as a client sees it. */
export type ObservedState = { status: string; workshop: string }

export function certainValue<Value>(value: Value): Uncertain<Value> {
  return { acknowledged: value, possible: new Set() }
}

/** Whether a value is or may be the current one. */
export function couldBe<Value>({ acknowledged, possible }: Uncertain<Value>, value: Value): boolean {
  return acknowledged === value || possible.has(value)
}

/** Adds a seat, certainly or possibly. Delayed requests may still arrive afterwards. */
export function increaseCapacity(capacity: Uncertain<number>, isAcknowledged: boolean): void {
  for (const seats of [capacity.acknowledged, ...capacity.possible]) capacity.possible.add(seats + 1)
  if (!isAcknowledged) return
  const isCertain = capacity.possible.size === 1
  capacity.acknowledged++
  if (isCertain) capacity.possible.clear()
}

/** A new sign-up that was not sent yet. */
export function createBooking(person: Person, { slug }: Pick<Workshop, 'slug'>, key: string): Booking {
  const booking: Booking = {
    key,
    person,
    firstWorkshop: slug,
    stored: 'no',
    cancelled: 'no',
    workshop: certainValue(slug),
    seated: false,
    moves: { acknowledged: 0, perhaps: 0 },
    name: certainValue(person.name),
    promoted: false,
    mayBePromoted: false,
    markedNotDuplicate: false,
    ticket: undefined,
    revision: 0,
  }
  person.bookings.push(booking)
  return booking
}

/** Stored and not cancelled. */
export const isActive = ({ stored, cancelled }: Booking) => stored === 'yes' && cancelled === 'no'

/** Whether the person has no active booking, except possibly the given one. */
export function hasNoActiveBooking({ bookings }: Person, except?: Booking): boolean {
  return bookings.every((booking) => booking === except || booking.stored === 'no' || booking.cancelled === 'yes')
}

/** Records a sign-up without a response. */
export function markSignUpUnanswered(booking: Booking): void {
  if (booking.stored === 'no') booking.stored = 'perhaps'
}

/** Records a 201. Returns a contradiction, if any. */
export function acknowledgeSignUp(booking: Booking, ticket: Ticket, status?: string): string | undefined {
  const { ticket: existing } = booking
  booking.stored = 'yes'
  booking.ticket = existing ?? ticket
  if (existing && (existing.id !== ticket.id || existing.path !== ticket.path))
    return `${booking.key} has another ticket`
  if (booking.cancelled !== 'no' || !status) return undefined
  if (booking.seated && booking.workshop.possible.size === 0 && status !== 'confirmed') {
    return `${booking.key} had a seat and is ${status}`
  }
  if (status === 'confirmed' && booking.workshop.possible.size === 0) booking.seated = true
  return undefined
}

export function markCancelUnanswered(booking: Booking): void {
  if (booking.cancelled === 'no') booking.cancelled = 'perhaps'
}

export function acknowledgeCancel(booking: Booking): void {
  booking.cancelled = 'yes'
}

export function markMoveUnanswered(booking: Booking, to: string): void {
  booking.workshop.possible.add(to)
  booking.moves.perhaps++
  booking.seated = false
  booking.promoted = false
}

/** Earlier moves without a response may still arrive, so they stay possible. */
export function acknowledgeMove(booking: Booking, to: string): void {
  booking.workshop.acknowledged = to
  booking.moves.acknowledged++
  booking.seated = false
  booking.promoted = false
}

/** Describes what contradicts the expected state, or returns undefined. */
export function findContradiction(booking: Booking, { status, workshop }: ObservedState): string | undefined {
  const { key, cancelled, workshop: expectedWorkshop, seated } = booking
  if (booking.stored === 'no') return `${key} is stored although it was rejected`
  if (cancelled === 'yes' && status !== 'cancelled') return `${key} was cancelled and is ${status}`
  if (cancelled === 'no' && status === 'cancelled') return `${key} is cancelled although nobody cancelled it`
  if (!couldBe(expectedWorkshop, workshop))
    return `${key} is in ${workshop} instead of ${expectedWorkshop.acknowledged}`
  if (seated && cancelled === 'no' && status !== 'confirmed' && workshop === expectedWorkshop.acknowledged) {
    return `${key} had a seat in ${workshop} and is ${status}`
  }
  return undefined
}
