import { sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import type { RegistrationSource, SignUp } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { createTicketToken, fingerprint } from '../tickets/signed-tokens.ts'
import { findWorkshop, type Workshop, type WorkshopResult } from '../workshops/workshops.ts'
import type { Refusal } from './batcher.ts'

/*
 * Who gets the last seat is decided by SQL functions in drizzle/functions: one statement each, under the lock of the
 * workshop's row, with counters that a trigger moves and a check that no code can pass. This file is how they are called.
 */

export { type Refusal, refusals } from './batcher.ts'

export type Registered = {
  kind: 'registered'
  /** True where the same sign-up had come before and this is its answer once more. */
  replayed: boolean
  id: string
  status: 'confirmed' | 'waitlisted' | 'offered'
  /** Position on the waitlist, counted from 1; null with a seat. */
  position: number | null
  ticket: string
}

/**
 * Signs a person up for a workshop: a seat if one is free and nobody waits, else a place in line. To be waitlisted is a
 * success. The confirmation mail is owed from the same statement.
 * @param idempotencyKey made by the client; the same key with the same sign-up is answered again and stored once
 * @throws if the database is away; whether the sign-up was stored is then unknown, and the same key finds out
 */
export async function register(
  deps: Deps,
  workshop: Workshop,
  signUp: SignUp,
  idempotencyKey: string,
  source: RegistrationSource,
): Promise<Registered | { kind: 'refused'; refusal: Refusal }> {
  const emailKey = signUp.email.toLowerCase()
  const result = await deps.registrationBatcher({
    id: deps.newId(),
    workshop_id: workshop.id,
    name: signUp.name,
    email: signUp.email,
    email_key: emailKey,
    phone: workshop.phone === 'no' ? undefined : signUp.phone,
    company: signUp.company,
    locale: signUp.locale,
    via: signUp.via,
    ready: signUp.ready,
    consent_version: signUp.consentVersion,
    source,
    idempotency_key: idempotencyKey,
    fingerprint: fingerprint(
      deps.config.secret,
      JSON.stringify([emailKey, signUp.name, signUp.phone, signUp.company, signUp.ready]),
    ),
  })
  if (result.outcome === 'registered' || result.outcome === 'already_registered') deps.notifyMailQueue()
  if (result.outcome !== 'registered' && result.outcome !== 'replayed') {
    return { kind: 'refused', refusal: result.outcome }
  }
  return {
    kind: 'registered',
    replayed: result.outcome === 'replayed',
    id: result.id,
    status: result.status,
    position: result.place,
    ticket: createTicketToken(deps.config.secret, { id: result.id, version: result.ticket_version }),
  }
}

/**
 * Cancels a registration, also one that waits or is offered a seat, and serves the next in line, with a mail to both.
 * `over`: an attendee may cancel until the workshop starts, an organiser also after.
 */
export async function cancelRegistration(
  deps: Deps,
  id: string,
  by: 'attendee' | 'organiser',
): Promise<'cancelled' | 'already_cancelled' | 'over' | 'not_found'> {
  const [result] = await query<{ outcome: 'cancelled' | 'already_cancelled' | 'over' | 'not_found' }>(
    deps.db,
    sql`select outcome from cancel_registration(${id}::uuid, ${by}, ${timestamptz(deps.now())})`,
  )
  if (result?.outcome === 'cancelled') deps.notifyMailQueue()
  return result?.outcome ?? 'not_found'
}

/**
 * Cancels a registration that is of the same person as one that is kept, as an organiser does, if that one is live.
 * `kept_cancelled`: it is not, and nothing changes.
 */
export async function mergeRegistration(
  deps: Deps,
  id: string,
  kept: string,
): Promise<'cancelled' | 'already_cancelled' | 'over' | 'not_found' | 'kept_cancelled'> {
  const [result] = await query<{ outcome: Awaited<ReturnType<typeof mergeRegistration>> }>(
    deps.db,
    sql`select outcome from merge_registration(${id}::uuid, ${kept}::uuid, ${timestamptz(deps.now())})`,
  )
  if (result?.outcome === 'cancelled') deps.notifyMailQueue()
  return result?.outcome ?? 'not_found'
}

export const offerRefusals = ['lapsed', 'cancelled', 'not_offered', 'not_found'] as const
/** `lapsed`: the deadline has come. `not_offered`: the person still waits. */
export type OfferRefusal = (typeof offerRefusals)[number]

/** Takes an offered seat before its deadline; from then on it is the attendee's own, and a mail brings the code for the door. */
export async function acceptOffer(deps: Deps, id: string): Promise<'taken' | 'already_taken' | OfferRefusal> {
  const [result] = await query<{ outcome: 'taken' | 'already_taken' | OfferRefusal }>(
    deps.db,
    sql`select outcome from accept_offer(${id}::uuid, ${timestamptz(deps.now())})`,
  )
  if (result?.outcome === 'taken') deps.notifyMailQueue()
  return result?.outcome ?? 'not_found'
}

/**
 * Ends the offers that were not taken in time and gives their seats to those who wait next, with a mail to both. Returns
 * how many ended. To be called several times a minute, from as many processes as there are.
 */
export async function expireOffers(deps: Deps): Promise<number> {
  const [result] = await query<{ lapsed: number }>(
    deps.db,
    sql`select expire_offers(${timestamptz(deps.now())}) as lapsed`,
  )
  if (result?.lapsed) deps.notifyMailQueue()
  return result?.lapsed ?? 0
}

export const moveRefusals = [
  'already_registered',
  'too_many',
  'full',
  'not_open',
  'closed',
  'cancelled',
  'over',
  'not_live',
  'not_found',
] as const
/** `over`: the workshop that one would leave has started. `not_live`: the registration is cancelled. */
export type MoveRefusal = (typeof moveRefusals)[number]

/**
 * Moves a registration to another workshop of its campaign: same id, same ticket, a seat if one is free there and
 * nobody waits, else a place in line. The seat that it leaves goes to the next in line. If it is refused nothing changes.
 * @param to the slug of the other workshop
 */
export async function moveRegistration(
  deps: Deps,
  id: string,
  to: string,
): Promise<{ kind: 'moved'; status: 'confirmed' | 'waitlisted' } | { kind: 'refused'; refusal: MoveRefusal }> {
  const workshop = await findWorkshop(deps, to)
  if (!workshop) return { kind: 'refused', refusal: 'not_found' }
  const [result] = await query<{ outcome: 'confirmed' | 'waitlisted' | MoveRefusal }>(
    deps.db,
    sql`select outcome from move_registration(${id}::uuid, ${workshop.id}::uuid, ${timestamptz(deps.now())})`,
  )
  const outcome = result?.outcome ?? 'not_found'
  if (outcome !== 'confirmed' && outcome !== 'waitlisted') return { kind: 'refused', refusal: outcome }
  deps.notifyMailQueue()
  return { kind: 'moved', status: outcome }
}

/** Cancels a workshop for good, with every registration to it; each of these people is owed a mail. */
export async function cancelWorkshop(deps: Deps, slug: string): Promise<WorkshopResult> {
  const workshop = await findWorkshop(deps, slug)
  if (!workshop) return { kind: 'refused', refusal: 'not_found' }
  const [result] = await query<{ outcome: 'cancelled' | 'already_cancelled' | 'over' | 'not_found' }>(
    deps.db,
    sql`select outcome from cancel_workshop(${workshop.id}::uuid, ${timestamptz(deps.now())})`,
  )
  const outcome = result?.outcome ?? 'not_found'
  if (outcome !== 'cancelled') return { kind: 'refused', refusal: outcome }
  deps.notifyMailQueue()
  return { kind: 'changed', workshop: (await findWorkshop(deps, slug)) as Workshop }
}

/** `board_not_returned`: they have a board, and nobody would know any more whom to ask for it. */
export type EraseRefusal = 'board_not_returned' | 'not_found'

/** Erases one person who asks for it, or for whom an organiser does: see `forgetPeople`. */
export async function eraseRegistration(
  deps: Deps,
  id: string,
  by: 'attendee' | 'organiser',
): Promise<'erased' | EraseRefusal> {
  const [result] = await query<{ outcome: 'erased' | EraseRefusal }>(
    deps.db,
    sql`select erase_person(${id}::uuid, ${by}, ${timestamptz(deps.now())}) as outcome`,
  )
  if (result?.outcome === 'erased') deps.notifyMailQueue()
  return result?.outcome ?? 'not_found'
}

/**
 * Erases people: gives back the seats they still hold, empties the personal fields and deletes what their mailboxes still
 * hold back. Returns how many.
 * @param by `purge` where only the time of these registrations is over
 */
export async function eraseRegistrations(
  deps: Deps,
  ids: readonly string[],
  by: 'attendee' | 'organiser' | 'purge',
): Promise<number> {
  const [result] = await query<{ forgotten: number }>(
    deps.db,
    sql`select erase_people(${uuidArray(ids)}, ${by}, ${timestamptz(deps.now())}) as forgotten`,
  )
  if (result?.forgotten) deps.notifyMailQueue()
  return result?.forgotten ?? 0
}
