import { type Challenge, createChallenge, randomInt, verifySolution } from 'altcha-lib'
// WebCrypto's, which Node and Workers both have, and which leaves the process free meanwhile.
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import { z } from 'zod'
import type { Deps } from '../deps.ts'
import { hmac } from '../tickets/signed-tokens.ts'

/*
 * How much work a sign-up takes: 350 to 650 tries of 2,000 iterations, a million in all, about a second on a middling
 * phone. The right try is drawn here and not left to luck, which now and then would ask for five times as much. Making a
 * challenge costs one try and checking a proof none.
 */
const iterations = 2_000
const counterRange = { min: 350, max: 650 }

/** How long a challenge is good, in milliseconds: for filling in a form, and for some retries. */
const expiresAfterMs = 20 * 60 * 1000

/**
 * An ALTCHA challenge (version 2, PBKDF2) for one sign-up to a workshop. Nothing of it is stored: it says itself for which
 * workshop and idempotency key it is good and until when, and is signed. So one proof is good for one registration.
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
      // Not in the field that ALTCHA has for it, because the library reads the clock of the machine.
      expiresAt: Math.floor((deps.now().getTime() + expiresAfterMs) / 1000),
    },
  })
}

/**
 * Whether somebody worked for this sign-up: the challenge is ours, for this workshop and key, not expired, and solved.
 * @param proof base64 of the JSON `{ challenge, solution }`
 */
export async function verifyProof(deps: Deps, slug: string, key: string, proof: string): Promise<boolean> {
  const parsed = proofSchema.safeParse(proof)
  if (!parsed.success) return false
  const challenge = parsed.data.challenge as unknown as Challenge
  // The library says no before it looks at anything that is not signed by us.
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
