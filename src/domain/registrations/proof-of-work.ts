import { type Challenge, createChallenge, randomInt, verifySolution } from 'altcha-lib'
// Uses WebCrypto, which exists in Node and Workers and does not block the event loop.
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import { z } from 'zod'
import type { Deps } from '../deps.ts'
import { hmac } from '../tickets/signed-tokens.ts'

/*
 * Cost of a sign-up: 350 to 650 attempts of 2,000 iterations, a million in total, about a second on an average phone. The
 * solution is drawn here from that range; left to chance, some challenges would cost five times as much. Creating a challenge
 * costs one attempt, verifying a proof none.
 */
const iterations = 2_000
const counterRange = { min: 350, max: 650 }

/** Lifetime of a challenge: enough to fill in the form and retry. */
const expiresAfterMs = 20 * 60 * 1000

/**
 * Creates an ALTCHA challenge (version 2, PBKDF2) for one sign-up. Stateless: workshop, idempotency key and expiry are part
 * of the signed challenge, so a proof is valid for one registration.
 */
export function createSignUpChallenge(deps: Deps, slug: string, key: string): Promise<Challenge> {
  return createChallenge({
    algorithm: 'PBKDF2/SHA-256',
    cost: iterations,
    counter: randomInt(counterRange.max, counterRange.min),
    deriveKey,
    ...hmacSecrets(deps),
    data: {
      workshop: slug,
      key,
      atMost: counterRange.max,
      // Not in ALTCHA's own field, because the library compares that with the system clock.
      expiresAt: Math.floor((deps.now().getTime() + expiresAfterMs) / 1000),
    },
  })
}

/**
 * Verifies a proof of work: a challenge signed by us, for this workshop and key, not expired, and solved.
 * @param proof base64 of the JSON `{ challenge, solution }`
 */
export async function verifyProof(deps: Deps, slug: string, key: string, proof: string): Promise<boolean> {
  const parsed = proofSchema.safeParse(proof)
  if (!parsed.success) return false
  const challenge = parsed.data.challenge as unknown as Challenge
  // The library checks the signature first, so unsigned values are never used.
  const { verified } = await verifySolution({
    challenge,
    solution: parsed.data.solution,
    deriveKey,
    ...hmacSecrets(deps),
  })
  const { workshop, key: challengeKey, expiresAt } = challenge.parameters.data ?? {}
  return verified && workshop === slug && challengeKey === key && Number(expiresAt) * 1000 > deps.now().getTime()
}

const proofSchema = z
  .string()
  .max(4_000)
  .transform((text, context) => {
    try {
      return JSON.parse(Buffer.from(text, 'base64').toString())
    } catch {
      context.addIssue({ code: 'custom' })
      return z.NEVER
    }
  })
  .pipe(
    z.object({
      challenge: z.object({ parameters: z.record(z.string(), z.unknown()), signature: z.string() }),
      solution: z.object({ counter: z.int(), derivedKey: z.string() }),
    }),
  )

function hmacSecrets({ config }: Deps) {
  const secretFor = (purpose: 'challenge' | 'solution') => hmac(config.secret, purpose, Buffer.alloc(0)).toString('hex')
  return { hmacSignatureSecret: secretFor('challenge'), hmacKeySignatureSecret: secretFor('solution') }
}
