import { and, gt, inArray, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { pendingSignUps, type SignUp } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { createPendingSignUpCode, verifyPendingSignUpCode } from '../tickets/signed-tokens.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { type Refusal, type Registered, register } from './seats.ts'

/** A sign-up that waits for its person to follow the link that was mailed to them. */
export type PendingSignUp = {
  id: string
  signUp: SignUp
  idempotencyKey: string
  /** The secret of the link. */
  code: string
  workshop: Workshop
}

/** How long the mailed link is good, in milliseconds; `create_pending_sign_up` and `claim_mails` in drizzle/functions know it too. */
const expiresAfterMs = 24 * 3600 * 1000

/**
 * Holds a sign-up and owes the mail with the link that completes it, in one statement. No seat is taken. A sign-up that
 * was registered since is answered as `register` answers a retry; one that would be refused now is refused now.
 * @param idempotencyKey as for `register`; the same form sent twice is held and mailed once
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

/** The held sign-up that a mailed link stands for; undefined if the link is forged, or good no longer. */
export async function findPendingSignUp(deps: Deps, code: string): Promise<PendingSignUp | undefined> {
  const id = verifyPendingSignUpCode(deps.config.secret, code)
  return id ? (await findPendingSignUps(deps, [id]))[0] : undefined
}

/** The held sign-ups with these ids whose links are still good, in no order. */
export async function findPendingSignUps(deps: Deps, ids: readonly string[]): Promise<PendingSignUp[]> {
  if (ids.length === 0) return []
  const oldest = new Date(deps.now().getTime() - expiresAfterMs)
  const found = await deps.db
    .select()
    .from(pendingSignUps)
    .where(and(inArray(pendingSignUps.id, [...ids]), gt(pendingSignUps.createdAt, oldest)))
  return Promise.all(
    found.map(async ({ id, signUp, idempotencyKey, workshopId }) => ({
      id,
      signUp,
      idempotencyKey,
      code: createPendingSignUpCode(deps.config.secret, id),
      workshop: (await findWorkshopById(deps, workshopId)) as Workshop,
    })),
  )
}

/** Registers a held sign-up. Pressed twice it is one registration, as its idempotency key is the form's. */
export function confirmPendingSignUp(deps: Deps, pending: PendingSignUp): ReturnType<typeof register> {
  return register(deps, pending.workshop, pending.signUp, pending.idempotencyKey, 'web')
}

/** Deletes the held sign-ups whose links are good no longer, with their mails. */
export async function purgePendingSignUps(deps: Deps): Promise<void> {
  await deps.db.execute(
    sql`delete from pending_sign_ups where created_at <= ${timestamptz(new Date(deps.now().getTime() - expiresAfterMs))}`,
  )
}
