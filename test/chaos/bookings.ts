/*
 * What must be true of people, bookings and workshops by the answers that were given so far. An operation without an
 * answer may have been done, may be done later, when what hung on the way arrives, or never; so it adds to what may be
 * true and takes nothing away.
 */

/** A value that was acknowledged, and those that operations without an answer may put in its place. */
export type Belief<Value> = { certain: Value; perhaps: Set<Value> }

export type Campaign = { slug: string; workshops: Workshop[] }

export type Workshop = {
  slug: string
  campaign: Campaign
  capacity: Belief<number>
  state: Belief<'draft' | 'published' | 'closed'>
  venue: Belief<string>
  /** How often an organiser set about to change it. */
  changes: number
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

type Answered = 'no' | 'perhaps' | 'yes'

/** One sign-up of a person, with one idempotency key. */
export type Booking = {
  key: string
  person: Person
  /** The slug of the workshop that the sign-up was for. */
  first: string
  stored: Answered
  cancelled: Answered
  /** The slug of the workshop in which it is. */
  place: Belief<string>
  /** Whether it was told to have a seat there. */
  seated: boolean
  moves: { acknowledged: number; perhaps: number }
  /** As organisers corrected it. */
  name: Belief<string>
  /** An organiser let it pass, where it is now. */
  letPass: boolean
  /** An organiser has asked for that, wherever it was. */
  mayHavePassed: boolean
  toldApart: boolean
  /** From the first 201 on. */
  ticket: Ticket | undefined
  /** How often something was asked in its name. */
  changes: number
}

export type Ticket = { id: string; path: string }

/** How a booking looks to whoever reads it. */
export type Seen = { status: string; workshop: string }

export function believe<Value>(certain: Value): Belief<Value> {
  return { certain, perhaps: new Set() }
}

/** Whether a value is or may be the true one. */
export function mayBe<Value>({ certain, perhaps }: Belief<Value>, value: Value): boolean {
  return certain === value || perhaps.has(value)
}

/** A seat more, certainly or perhaps. What hung on the way may still come after it. */
export function raise(capacity: Belief<number>, certainly: boolean): void {
  for (const seats of [capacity.certain, ...capacity.perhaps]) capacity.perhaps.add(seats + 1)
  if (!certainly) return
  const isCertain = capacity.perhaps.size === 1
  capacity.certain++
  if (isCertain) capacity.perhaps.clear()
}

/** A new sign-up, of which nothing was sent yet. */
export function newBooking(person: Person, { slug }: Pick<Workshop, 'slug'>, key: string): Booking {
  const booking: Booking = {
    key,
    person,
    first: slug,
    stored: 'no',
    cancelled: 'no',
    place: believe(slug),
    seated: false,
    moves: { acknowledged: 0, perhaps: 0 },
    name: believe(person.name),
    letPass: false,
    mayHavePassed: false,
    toldApart: false,
    ticket: undefined,
    changes: 0,
  }
  person.bookings.push(booking)
  return booking
}

/** It is stored and nobody has cancelled it. */
export const isLive = ({ stored, cancelled }: Booking) => stored === 'yes' && cancelled === 'no'

/** Nothing of this person is stored and alive, save perhaps the booking that is left out. */
export function isFree({ bookings }: Person, save?: Booking): boolean {
  return bookings.every((booking) => booking === save || booking.stored === 'no' || booking.cancelled === 'yes')
}

/** Notes what came of a sign-up that has no answer. */
export function signUpUnanswered(booking: Booking): void {
  if (booking.stored === 'no') booking.stored = 'perhaps'
}

/** Notes a 201. Gives what contradicts it. */
export function signUpAcknowledged(booking: Booking, ticket: Ticket, status?: string): string | undefined {
  const { ticket: known } = booking
  booking.stored = 'yes'
  booking.ticket = known ?? ticket
  if (known && (known.id !== ticket.id || known.path !== ticket.path)) return `${booking.key} has another ticket now`
  if (booking.cancelled !== 'no' || !status) return undefined
  if (booking.seated && booking.place.perhaps.size === 0 && status !== 'confirmed') {
    return `${booking.key} had a seat and is ${status} now`
  }
  if (status === 'confirmed' && booking.place.perhaps.size === 0) booking.seated = true
  return undefined
}

export function cancelUnanswered(booking: Booking): void {
  if (booking.cancelled === 'no') booking.cancelled = 'perhaps'
}

export function cancelAcknowledged(booking: Booking): void {
  booking.cancelled = 'yes'
}

export function moveUnanswered(booking: Booking, to: string): void {
  booking.place.perhaps.add(to)
  booking.moves.perhaps++
  booking.seated = false
  booking.letPass = false
}

/** Earlier moves that have no answer may still arrive, so they stay possible. */
export function moveAcknowledged(booking: Booking, to: string): void {
  booking.place.certain = to
  booking.moves.acknowledged++
  booking.seated = false
  booking.letPass = false
}

/** What is wrong with how a booking looks, or undefined. */
export function contradiction(booking: Booking, { status, workshop }: Seen): string | undefined {
  const { key, cancelled, place, seated } = booking
  if (booking.stored === 'no') return `${key} is there and was refused`
  if (cancelled === 'yes' && status !== 'cancelled') return `${key} was cancelled and is ${status}`
  if (cancelled === 'no' && status === 'cancelled') return `${key} is cancelled and nobody did it`
  if (!mayBe(place, workshop)) return `${key} is in ${workshop} and should be in ${place.certain}`
  if (seated && cancelled === 'no' && status !== 'confirmed' && workshop === place.certain) {
    return `${key} had a seat in ${workshop} and is ${status}`
  }
  return undefined
}
