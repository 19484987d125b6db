import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { type Refusal, type Registered, register } from './batcher.ts'
import { minFillTimeMs } from './form-timing.ts'
import { createPendingSignUp } from './pending-sign-ups.ts'
import { verifyProof } from './proof-of-work.ts'
import { type FieldProblem, parseSignUp } from './registrations.ts'

/** A sign-up as it arrives by form or API. */
export type SignUpRequest = {
  /** Fields of the sign-up, not validated yet. */
  input: unknown
  /** Language of the page, used if the input has none. */
  locale: string
  /** Undefined if the client sent none that is usable; the sign-up is invalid then. */
  idempotencyKey: string | undefined
} & (
  | {
      source: 'web'
      proof: string
      /** When the form was first shown; undefined if it carries no valid timestamp. */
      shownAt: Date | undefined
      /** Value of the field that people do not see. */
      honeypot: string
    }
  | {
      source: 'api'
      proof: unknown
      /** True if the caller has found other errors in the request: nothing is registered then. */
      hasOtherErrors: boolean
    }
)

export type SignUpOutcome =
  | Registered
  | { kind: 'refused'; refusal: Refusal }
  /** A form without a proof of work was stored; a mailed link confirms it. */
  | { kind: 'pending'; email: string }
  /** `proof`: what is wrong with an API client's proof of work. Forms without one become pending. */
  | { kind: 'invalid'; problems: FieldProblem[]; proof: 'missing' | 'invalid' | undefined }
  /** The form looks like a bot's; submitting it again registers. */
  | { kind: 'bot_suspected'; reason: 'honeypot' | 'too_soon' }

/**
 * Signs up for a workshop: validates the input, checks the form against bots or the proof of work, and registers.
 * @throws if the database is unavailable; see `register`
 */
export function signUp(
  deps: Deps,
  workshop: Workshop,
  request: Extract<SignUpRequest, { source: 'api' }>,
): Promise<Exclude<SignUpOutcome, { kind: 'pending' | 'bot_suspected' }>>
export function signUp(deps: Deps, workshop: Workshop, request: SignUpRequest): Promise<SignUpOutcome>
export async function signUp(deps: Deps, workshop: Workshop, request: SignUpRequest): Promise<SignUpOutcome> {
  const { idempotencyKey } = request
  const parsed = parseSignUp(request.input, workshop, request.locale)
  const problems = 'problems' in parsed ? parsed.problems : []
  if (request.source === 'api') {
    const proof = workshop.proofOfWork
      ? await findProofProblem(deps, workshop, idempotencyKey, request.proof)
      : undefined
    if ('problems' in parsed || proof || request.hasOtherErrors || idempotencyKey === undefined)
      return { kind: 'invalid', problems, proof }
    return register(deps, workshop, parsed.signUp, idempotencyKey, 'api')
  }
  if ('problems' in parsed || idempotencyKey === undefined) return { kind: 'invalid', problems, proof: undefined }
  if (request.honeypot) return { kind: 'bot_suspected', reason: 'honeypot' }
  const { shownAt } = request
  if (!shownAt || deps.now().getTime() - shownAt.getTime() < minFillTimeMs)
    return { kind: 'bot_suspected', reason: 'too_soon' }
  if (!workshop.proofOfWork || (await verifyProof(deps, workshop.slug, idempotencyKey, request.proof)))
    return register(deps, workshop, parsed.signUp, idempotencyKey, 'web')
  const outcome = await createPendingSignUp(deps, workshop, parsed.signUp, idempotencyKey)
  return outcome.kind === 'held' ? { kind: 'pending', email: parsed.signUp.email } : outcome
}

async function findProofProblem(
  deps: Deps,
  { slug }: Workshop,
  key: string | undefined,
  proof: unknown,
): Promise<'missing' | 'invalid' | undefined> {
  if (proof === undefined || proof === '') return 'missing'
  const isValid = key !== undefined && typeof proof === 'string' && (await verifyProof(deps, slug, key, proof))
  return isValid ? undefined : 'invalid'
}
