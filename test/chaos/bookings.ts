/*
 * What must be true of people, bookings and workshops by the answers that were given so far. An operation without an
 * answer may have been done, may be done later, when what hung on the way arrives, or never; so it adds to what may be
 * true and takes nothing away.
 */

/** A value that was acknowledged, and those that operations without an answer may put in its place. */
export type Uncertain<Value> = { acknowledged: Value; possible: Set<Value> }

export type Campaign = { slug: string; workshops: Workshop[] }

export type Workshop = {
  slug: string
  campaign: Campaign
  capacity: Uncertain<number>
  state: Uncertain<'draft' | 'published' | 'closed'>
  venue: Uncertain<string>
  /** How often an organiser set about to change it. */
  revision: number
  /** An organiser is changing it. */
  busy: boolean
}

export type Person = {
  name: string
  email: string
  campaign: Campaign
  bookings: Booking[]
  /** Somebody is doing something in this person's name. */
  busy: boolean
}

type Certainty = 'no' | 'perhaps' | 'yes'

/** One sign-up of a person, with one idempotency key. */
export type Booking = {
  key: string
  person: Person
  /** The slug of the workshop that the sign-up was for. */
  firstWorkshop: string
  stored: Certainty
  cancelled: Certainty
  /** The slug of the workshop in which it is. */
  workshop: Uncertain<string>
  /** Whether it was told to have a seat there. */
  seated: boolean
  moves: { acknowledged: number; perhaps: number }
  /** As organisers corrected it. */
  name: Uncertain<string>
  /** An organiser let it pass, where it is now. */
  promoted: boolean
  /** An organiser has asked for that, wherever it was. */
  mayBePromoted: boolean
  markedNotDuplicate: boolean
  /** From the first 201 on. */
  ticket: Ticket | undefined
  /** How often something was asked in its name. */
  revision: number
}

export type Ticket = { id: string; path: string }

/** How a booking looks to whoever reads it. */
export type ObservedState = { status: string; workshop: string }

export function certainValue<Value>(value: Value): Uncertain<Value> {
  return { acknowledged: value, possible: new Set() }
}

/** Whether a value is or may be the true one. */
export function couldBe<Value>({ acknowledged, possible }: Uncertain<Value>, value: Value): boolean {
  return acknowledged === value || possible.has(value)
}

/** A seat more, certainly or perhaps. What hung on the way may still come after it. */
export function increaseCapacity(capacity: Uncertain<number>, isAcknowledged: boolean): void {
  for (const seats of [capacity.acknowledged, ...capacity.possible]) capacity.possible.add(seats + 1)
  if (!isAcknowledged) return
  const isCertain = capacity.possible.size === 1
  capacity.acknowledged++
  if (isCertain) capacity.possible.clear()
}

/** A new sign-up, of which nothing was sent yet. */
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

/** It is stored and nobody has cancelled it. */
export const isActive = ({ stored, cancelled }: Booking) => stored === 'yes' && cancelled === 'no'

/** Nothing of this person is stored and alive, save perhaps the booking that is left out. */
export function hasNoActiveBooking({ bookings }: Person, except?: Booking): boolean {
  return bookings.every((booking) => booking === except || booking.stored === 'no' || booking.cancelled === 'yes')
}

/** Notes what came of a sign-up that has no answer. */
export function markSignUpUnanswered(booking: Booking): void {
  if (booking.stored === 'no') booking.stored = 'perhaps'
}

/** Notes a 201. Gives what contradicts it. */
export function acknowledgeSignUp(booking: Booking, ticket: Ticket, status?: string): string | undefined {
  const { ticket: existing } = booking
  booking.stored = 'yes'
  booking.ticket = existing ?? ticket
  if (existing && (existing.id !== ticket.id || existing.path !== ticket.path))
    return `${booking.key} has another ticket now`
  if (booking.cancelled !== 'no' || !status) return undefined
  if (booking.seated && booking.workshop.possible.size === 0 && status !== 'confirmed') {
    return `${booking.key} had a seat and is ${status} now`
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

/** Earlier moves that have no answer may still arrive, so they stay possible. */
export function acknowledgeMove(booking: Booking, to: string): void {
  booking.workshop.acknowledged = to
  booking.moves.acknowledged++
  booking.seated = false
  booking.promoted = false
}

/** What is wrong with how a booking looks, or undefined. */
export function findContradiction(booking: Booking, { status, workshop }: ObservedState): string | undefined {
  const { key, cancelled, workshop: place, seated } = booking
  if (booking.stored === 'no') return `${key} is there and was refused`
  if (cancelled === 'yes' && status !== 'cancelled') return `${key} was cancelled and is ${status}`
  if (cancelled === 'no' && status === 'cancelled') return `${key} is cancelled and nobody did it`
  if (!couldBe(place, workshop)) return `${key} is in ${workshop} and should be in ${place.acknowledged}`
  if (seated && cancelled === 'no' && status !== 'confirmed' && workshop === place.acknowledged) {
    return `${key} had a seat in ${workshop} and is ${status}`
  }
  return undefined
}
