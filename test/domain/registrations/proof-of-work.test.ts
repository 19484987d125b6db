import { describe, expect, test } from 'vitest'
import { createSignUpChallenge, verifyProof } from '../../../src/domain/registrations/proof-of-work.ts'
import { createSolution, encodeProof } from '../../support/http/proof-of-work.ts'
import { createWorld } from '../../support/world.ts'

const idempotencyKey = 'a-key-of-mine'

describe('verifyProof', () => {
  test('accepts a proof repeatedly for its workshop and key for 20 minutes', async () => {
    await using world = await createWorld()
    const proof = await createSolution(await createSignUpChallenge(world.deps, 'shanghai', idempotencyKey))
    world.clock.advance({ minutes: 19, seconds: 59 })
    expect(await verifyProof(world.deps, 'shanghai', idempotencyKey, proof)).toBe(true)
    expect(await verifyProof(world.deps, 'shanghai', idempotencyKey, proof)).toBe(true)
    expect(await verifyProof(world.deps, 'nanjing', idempotencyKey, proof)).toBe(false)
    expect(await verifyProof(world.deps, 'shanghai', 'another-key', proof)).toBe(false)
    world.clock.advance({ seconds: 1 })
    expect(await verifyProof(world.deps, 'shanghai', idempotencyKey, proof)).toBe(false)
  })

  test('rejects proofs that are unsolved, forged or malformed', async () => {
    await using world = await createWorld()
    await using otherWorld = await createWorld({ env: { SECRET: 'a secret of another installation, nowhere else' } })
    const challenge = await createSignUpChallenge(world.deps, 'shanghai', idempotencyKey)
    const { solution } = JSON.parse(Buffer.from(await createSolution(challenge), 'base64').toString())
    const { parameters, signature } = challenge
    const changed = (change: object) =>
      encodeProof({ challenge: { parameters: { ...parameters, ...change }, signature }, solution })
    const other = await createSignUpChallenge(world.deps, 'shanghai', 'another-key')
    for (const [name, proof] of Object.entries({
      empty: '',
      'not base64': '!',
      'not JSON': 'eA==',
      'not an object': encodeProof(1),
      'no solution': encodeProof({ challenge }),
      'a guessed solution': encodeProof({
        challenge,
        solution: { counter: 1, derivedKey: parameters.keyPrefix.padEnd(64, '0') },
      }),
      'the solution of another challenge': encodeProof({ challenge: other, solution }),
      'a lower cost': changed({ cost: 1 }),
      'a later expiry': changed({ data: { ...parameters.data, expiresAt: 4e9 } }),
      'another key': changed({ data: { ...parameters.data, key: 'another-key' } }),
      'no signature': encodeProof({ challenge: { parameters }, solution }),
      'a signature with another secret': await createSolution(
        await createSignUpChallenge(otherWorld.deps, 'shanghai', idempotencyKey),
      ),
      'far too long': 'A'.repeat(60_000),
      'deeply nested JSON': Buffer.from('['.repeat(2_900)).toString('base64'),
    })) {
      expect([name, await verifyProof(world.deps, 'shanghai', idempotencyKey, proof)]).toEqual([name, false])
    }
    expect(await verifyProof(world.deps, 'shanghai', idempotencyKey, changed({}))).toBe(true)
  })

  test('requires about a million PBKDF2 iterations, within a third, and announces the maximum', async () => {
    await using world = await createWorld()
    for (let n = 0; n < 20; n++) {
      const { parameters } = await createSignUpChallenge(world.deps, 'shanghai', `${idempotencyKey}-${n}`)
      expect(parameters).toMatchObject({ algorithm: 'PBKDF2/SHA-256', cost: 2_000, data: { atMost: 650 } })
    }
    const { solution } = JSON.parse(
      Buffer.from(
        await createSolution(await createSignUpChallenge(world.deps, 'shanghai', idempotencyKey)),
        'base64',
      ).toString(),
    )
    expect(solution.counter).toBeGreaterThanOrEqual(350)
    expect(solution.counter).toBeLessThanOrEqual(650)
  })
})
