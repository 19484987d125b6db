import { sql } from 'drizzle-orm'
import { at, rows, uuids } from '../db/database.ts'
import type { Refusal } from '../db/desk.ts'
import type { SignUp } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { fingerprintOf, ticketOf } from './tickets.ts'
import { findWorkshop, type Workshop, type WorkshopChanged } from './workshops.ts'

/*
 * Who gets the last seat is decided by SQL functions in drizzle/functions: one statement each, under the lock of the
 * workshop's row, with counters that a trigger moves and a check that no code can pass. This file is how they are called.
 */

export { type Refusal, refusals } from '../db/desk.ts'

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
): Promise<Registered | { kind: 'refused'; refusal: Refusal }> {
  const emailKey = signUp.email.toLowerCase()
  const answer = await deps.desk({
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
    idempotency_key: idempotencyKey,
    fingerprint: fingerprintOf(
      deps.config.secret,
      JSON.stringify([emailKey, signUp.name, signUp.phone, signUp.company, signUp.ready]),
    ),
  })
  if (answer.outcome === 'registered' || answer.outcome === 'already_registered') deps.mailOwed()
  if (answer.outcome !== 'registered' && answer.outcome !== 'replayed') {
    return { kind: 'refused', refusal: answer.outcome }
  }
  return {
    kind: 'registered',
    replayed: answer.outcome === 'replayed',
    id: answer.id,
    status: answer.status,
    position: answer.place,
    ticket: ticketOf(deps.config.secret, { id: answer.id, version: answer.ticket_version }),
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
  const [answer] = await rows<{ outcome: 'cancelled' | 'already_cancelled' | 'over' | 'not_found' }>(
    deps.db,
    sql`select outcome from cancel_registration(${id}::uuid, ${by}, ${at(deps.now())})`,
  )
  if (answer?.outcome === 'cancelled') deps.mailOwed()
  return answer?.outcome ?? 'not_found'
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
  const [answer] = await rows<{ outcome: Awaited<ReturnType<typeof mergeRegistration>> }>(
    deps.db,
    sql`select outcome from merge_registration(${id}::uuid, ${kept}::uuid, ${at(deps.now())})`,
  )
  if (answer?.outcome === 'cancelled') deps.mailOwed()
  return answer?.outcome ?? 'not_found'
}

export const offerRefusals = ['lapsed', 'cancelled', 'not_offered', 'not_found'] as const
/** `lapsed`: the deadline has come. `not_offered`: the person still waits. */
export type OfferRefusal = (typeof offerRefusals)[number]

/** Takes an offered seat before its deadline; from then on it is the attendee's own, and a mail brings the code for the door. */
export async function takeOffer(deps: Deps, id: string): Promise<'taken' | 'already_taken' | OfferRefusal> {
  const [answer] = await rows<{ outcome: 'taken' | 'already_taken' | OfferRefusal }>(
    deps.db,
    sql`select outcome from take_offer(${id}::uuid, ${at(deps.now())})`,
  )
  if (answer?.outcome === 'taken') deps.mailOwed()
  return answer?.outcome ?? 'not_found'
}

/**
 * Ends the offers that were not taken in time and gives their seats to those who wait next, with a mail to both. Returns
 * how many ended. To be called several times a minute, from as many processes as there are.
 */
export async function passOnOffers(deps: Deps): Promise<number> {
  const [answer] = await rows<{ lapsed: number }>(deps.db, sql`select pass_on_offers(${at(deps.now())}) as lapsed`)
  if (answer?.lapsed) deps.mailOwed()
  return answer?.lapsed ?? 0
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
  const [answer] = await rows<{ outcome: 'confirmed' | 'waitlisted' | MoveRefusal }>(
    deps.db,
    sql`select outcome from move_registration(${id}::uuid, ${workshop.id}::uuid, ${at(deps.now())})`,
  )
  const outcome = answer?.outcome ?? 'not_found'
  if (outcome !== 'confirmed' && outcome !== 'waitlisted') return { kind: 'refused', refusal: outcome }
  deps.mailOwed()
  return { kind: 'moved', status: outcome }
}

/** Cancels a workshop for good, with every registration to it; each of these people is owed a mail. */
export async function cancelWorkshop(deps: Deps, slug: string): Promise<WorkshopChanged> {
  const workshop = await findWorkshop(deps, slug)
  if (!workshop) return { kind: 'refused', refusal: 'not_found' }
  const [answer] = await rows<{ outcome: 'cancelled' | 'already_cancelled' | 'over' | 'not_found' }>(
    deps.db,
    sql`select outcome from cancel_workshop(${workshop.id}::uuid, ${at(deps.now())})`,
  )
  const outcome = answer?.outcome ?? 'not_found'
  if (outcome !== 'cancelled') return { kind: 'refused', refusal: outcome }
  deps.mailOwed()
  return { kind: 'changed', workshop: (await findWorkshop(deps, slug)) as Workshop }
}

/** `board_not_returned`: they have a board, and nobody would know any more whom to ask for it. */
export type EraseRefusal = 'board_not_returned' | 'not_found'

/** Erases one person who asks for it, or for whom an organiser does: see `forgetPeople`. */
export async function forgetPerson(
  deps: Deps,
  id: string,
  by: 'attendee' | 'organiser',
): Promise<'erased' | EraseRefusal> {
  const [answer] = await rows<{ outcome: 'erased' | EraseRefusal }>(
    deps.db,
    sql`select erase_person(${id}::uuid, ${by}, ${at(deps.now())}) as outcome`,
  )
  if (answer?.outcome === 'erased') deps.mailOwed()
  return answer?.outcome ?? 'not_found'
}

/**
 * Erases people: gives back the seats they still hold, empties the personal fields and deletes what their mailboxes still
 * hold back. Returns how many.
 * @param by `purge` where only the time of these registrations is over
 */
export async function forgetPeople(
  deps: Deps,
  ids: readonly string[],
  by: 'attendee' | 'organiser' | 'purge',
): Promise<number> {
  const [answer] = await rows<{ forgotten: number }>(
    deps.db,
    sql`select forget_people(${uuids(ids)}, ${by}, ${at(deps.now())}) as forgotten`,
  )
  if (answer?.forgotten) deps.mailOwed()
  return answer?.forgotten ?? 0
}
