import { describe, expect, test } from 'vitest'
import { challengeFor, isProven } from '../../src/domain/proofs.ts'
import { proofOf, solved } from '../support/proofs.ts'
import { createWorld } from '../support/world.ts'

const key = 'a-key-of-mine'

describe('a proof of work', () => {
  test('is good for its workshop and its key, again and again, for twenty minutes', async () => {
    await using world = await createWorld()
    const proof = await solved(await challengeFor(world.deps, 'shanghai', key))
    world.clock.advance({ minutes: 19, seconds: 59 })
    expect(await isProven(world.deps, 'shanghai', key, proof)).toBe(true)
    expect(await isProven(world.deps, 'shanghai', key, proof)).toBe(true)
    expect(await isProven(world.deps, 'nanjing', key, proof)).toBe(false)
    expect(await isProven(world.deps, 'shanghai', 'another-key', proof)).toBe(false)
    world.clock.advance({ seconds: 1 })
    expect(await isProven(world.deps, 'shanghai', key, proof)).toBe(false)
  })

  test('that nobody worked for, that is forged or no proof at all is refused', async () => {
    await using world = await createWorld()
    await using elsewhere = await createWorld({ env: { SECRET: 'a secret of another installation, nowhere else' } })
    const challenge = await challengeFor(world.deps, 'shanghai', key)
    const { solution } = JSON.parse(Buffer.from(await solved(challenge), 'base64').toString())
    const { parameters, signature } = challenge
    const changed = (change: object) =>
      proofOf({ challenge: { parameters: { ...parameters, ...change }, signature }, solution })
    const other = await challengeFor(world.deps, 'shanghai', 'another-key')
    for (const [what, proof] of Object.entries({
      nothing: '',
      'no base64': '!',
      'no JSON': 'eA==',
      'no object': proofOf(1),
      'no solution': proofOf({ challenge }),
      'a guess': proofOf({ challenge, solution: { counter: 1, derivedKey: parameters.keyPrefix.padEnd(64, '0') } }),
      'the solution of another challenge': proofOf({ challenge: other, solution }),
      'less cost': changed({ cost: 1 }),
      'a later end': changed({ data: { ...parameters.data, expiresAt: 4e9 } }),
      'another key': changed({ data: { ...parameters.data, key: 'another-key' } }),
      'no signature': proofOf({ challenge: { parameters }, solution }),
      'a signature of one’s own': await solved(await challengeFor(elsewhere.deps, 'shanghai', key)),
      'far too long': 'A'.repeat(60_000),
      'nested without end': Buffer.from('['.repeat(2_900)).toString('base64'),
    })) {
      expect([what, await isProven(world.deps, 'shanghai', key, proof)]).toEqual([what, false])
    }
    expect(await isProven(world.deps, 'shanghai', key, changed({}))).toBe(true)
  })

  test('takes a million iterations of PBKDF2, give or take a third, and says so', async () => {
    await using world = await createWorld()
    for (let n = 0; n < 20; n++) {
      const { parameters } = await challengeFor(world.deps, 'shanghai', `${key}-${n}`)
      expect(parameters).toMatchObject({ algorithm: 'PBKDF2/SHA-256', cost: 2_000, data: { atMost: 650 } })
    }
    const { solution } = JSON.parse(
      Buffer.from(await solved(await challengeFor(world.deps, 'shanghai', key)), 'base64').toString(),
    )
    expect(solution.counter).toBeGreaterThanOrEqual(350)
    expect(solution.counter).toBeLessThanOrEqual(650)
  })
})
