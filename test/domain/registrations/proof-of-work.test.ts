import { describe, expect, test } from 'vitest'
import { createSignUpChallenge, verifyProof } from '../../../src/domain/registrations/proof-of-work.ts'
import { createSolution, encodeProof } from '../../support/http/proof-of-work.ts'
import { createWorld } from '../../support/world.ts'

const idempotencyKey = 'a-key-of-mine'

describe('a proof of work', () => {
  test('is good for its workshop and its key, again and again, for twenty minutes', async () => {
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

  test('that nobody worked for, that is forged or no proof at all is refused', async () => {
    await using world = await createWorld()
    await using elsewhere = await createWorld({ env: { SECRET: 'a secret of another installation, nowhere else' } })
    const challenge = await createSignUpChallenge(world.deps, 'shanghai', idempotencyKey)
    const { solution } = JSON.parse(Buffer.from(await createSolution(challenge), 'base64').toString())
    const { parameters, signature } = challenge
    const changed = (change: object) =>
      encodeProof({ challenge: { parameters: { ...parameters, ...change }, signature }, solution })
    const other = await createSignUpChallenge(world.deps, 'shanghai', 'another-key')
    for (const [what, proof] of Object.entries({
      nothing: '',
      'no base64': '!',
      'no JSON': 'eA==',
      'no object': encodeProof(1),
      'no solution': encodeProof({ challenge }),
      'a guess': encodeProof({ challenge, solution: { counter: 1, derivedKey: parameters.keyPrefix.padEnd(64, '0') } }),
      'the solution of another challenge': encodeProof({ challenge: other, solution }),
      'less cost': changed({ cost: 1 }),
      'a later end': changed({ data: { ...parameters.data, expiresAt: 4e9 } }),
      'another key': changed({ data: { ...parameters.data, key: 'another-key' } }),
      'no signature': encodeProof({ challenge: { parameters }, solution }),
      'a signature of one’s own': await createSolution(
        await createSignUpChallenge(elsewhere.deps, 'shanghai', idempotencyKey),
      ),
      'far too long': 'A'.repeat(60_000),
      'nested without end': Buffer.from('['.repeat(2_900)).toString('base64'),
    })) {
      expect([what, await verifyProof(world.deps, 'shanghai', idempotencyKey, proof)]).toEqual([what, false])
    }
    expect(await verifyProof(world.deps, 'shanghai', idempotencyKey, changed({}))).toBe(true)
  })

  test('takes a million iterations of PBKDF2, give or take a third, and says so', async () => {
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
