import { sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import type { Deps } from '../deps.ts'
import { findWorkshop, type Workshop, type WorkshopResult } from '../workshops/workshops.ts'

/*
 * Seats are assigned by SQL functions in drizzle/functions: one statement each, under the lock of the workshop's row, with
 * counters that a trigger maintains and a check constraint on them. This file calls these functions.
 */

/**
 * Cancels a registration in any state and promotes the next on the waitlist; mails both. `over`: attendees may cancel until
 * the workshop starts, organisers also later.
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
 * Cancels a duplicate registration as an organiser, if the one to keep is live. `kept_cancelled`: it is not, and nothing
 * changes.
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
/** `lapsed`: the deadline has passed. `not_offered`: the registration is waitlisted. */
export type OfferRefusal = (typeof offerRefusals)[number]

/** Accepts an offered seat before its deadline. Mails the ticket with the check-in code. */
export async function acceptOffer(deps: Deps, id: string): Promise<'taken' | 'already_taken' | OfferRefusal> {
  const [result] = await query<{ outcome: 'taken' | 'already_taken' | OfferRefusal }>(
    deps.db,
    sql`select outcome from accept_offer(${id}::uuid, ${timestamptz(deps.now())})`,
  )
  if (result?.outcome === 'taken') deps.notifyMailQueue()
  return result?.outcome ?? 'not_found'
}

/**
 * Expires the offers that were not accepted in time and passes their seats on to the waitlist; mails both sides. Returns the
 * number of expired offers. Called several times a minute; concurrent calls of several processes are safe.
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
/** `over`: the current workshop has started. `not_live`: the registration is cancelled. */
export type MoveRefusal = (typeof moveRefusals)[number]

/**
 * Moves a registration to another workshop of its campaign, with the same id and ticket: a seat there if one is free and
 * nobody is waitlisted, else the waitlist. Its former seat goes to the next on the waitlist. A refusal changes nothing.
 * @param to slug of the other workshop
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

/** Cancels a workshop permanently, with all its registrations, and enqueues a mail to each attendee. */
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

/** `board_not_returned`: the person has a board, and erasing would lose track of who has it. */
export type EraseRefusal = 'board_not_returned' | 'not_found'

/** Erases one registration, requested by the attendee or an organiser; see `eraseRegistrations`. */
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
 * Erases registrations: releases their seats, clears personal fields and deletes their pending sign-ups. Returns how many.
 * @param by `purge` if their retention period has ended
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
