import { and, gt, inArray, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { pendingSignUps, type SignUp } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { createPendingSignUpCode, verifyPendingSignUpCode } from '../tickets/signed-tokens.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { type Refusal, type Registered, register } from './batcher.ts'

/** A sign-up to be confirmed by following a mailed link (double opt-in). */
export type PendingSignUp = {
  id: string
  signUp: SignUp
  idempotencyKey: string
  /** The secret in the mailed link. */
  code: string
  workshop: Workshop
}

/** Lifetime of the mailed link. The SQL function called below and `claim_mails` have the same limit. */
const expiresAfterMs = 24 * 3600 * 1000

/**
 * Stores a pending sign-up and enqueues the mail with its link, in one statement. Takes no seat. Returns the registration if
 * the sign-up was registered before, and a refusal if `register` would refuse it now.
 * @param idempotencyKey as for `register`; a form submitted twice is stored and mailed once
 */
export async function createPendingSignUp(
  deps: Deps,
  workshop: Workshop,
  signUp: SignUp,
  idempotencyKey: string,
): Promise<{ kind: 'held' } | Registered | { kind: 'refused'; refusal: Refusal }> {
  const [result] = await query<{ outcome: 'held' | 'known' | Refusal }>(
    deps.db,
    sql`select create_pending_sign_up(
      ${deps.newId()}::uuid, ${workshop.id}::uuid, ${JSON.stringify(signUp)}::jsonb, ${signUp.email.toLowerCase()},
      ${idempotencyKey}, ${timestamptz(deps.now())}
    ) as outcome`,
  )
  const outcome = result?.outcome ?? 'not_found'
  if (outcome === 'known') return register(deps, workshop, signUp, idempotencyKey, 'web')
  if (outcome === 'held' || outcome === 'already_registered') deps.notifyMailQueue()
  return outcome === 'held' ? { kind: 'held' } : { kind: 'refused', refusal: outcome }
}

/** Finds the pending sign-up of a mailed link. Undefined if the link is forged or has expired. */
export async function findPendingSignUp(deps: Deps, code: string): Promise<PendingSignUp | undefined> {
  const id = verifyPendingSignUpCode(deps.config.secret, code)
  return id ? (await findPendingSignUps(deps, [id]))[0] : undefined
}

/** Finds pending sign-ups by id, in no particular order, without expired ones. */
export async function findPendingSignUps(deps: Deps, ids: readonly string[]): Promise<PendingSignUp[]> {
  if (ids.length === 0) return []
  const oldest = new Date(deps.now().getTime() - expiresAfterMs)
  const rows = await deps.db
    .select()
    .from(pendingSignUps)
    .where(and(inArray(pendingSignUps.id, [...ids]), gt(pendingSignUps.createdAt, oldest)))
  return Promise.all(
    rows.map(async ({ id, signUp, idempotencyKey, workshopId }) => ({
      id,
      signUp,
      idempotencyKey,
      code: createPendingSignUpCode(deps.config.secret, id),
      workshop: (await findWorkshopById(deps, workshopId)) as Workshop,
    })),
  )
}

/** Registers a pending sign-up. Idempotent, by the idempotency key of its form. */
export function confirmPendingSignUp(deps: Deps, pending: PendingSignUp): ReturnType<typeof register> {
  return register(deps, pending.workshop, pending.signUp, pending.idempotencyKey, 'web')
}

/** Deletes expired pending sign-ups with their mails. */
export async function purgePendingSignUps(deps: Deps): Promise<void> {
  await deps.db.execute(
    sql`delete from pending_sign_ups where created_at <= ${timestamptz(new Date(deps.now().getTime() - expiresAfterMs))}`,
  )
}
