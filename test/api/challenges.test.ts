import { describe, expect, test } from 'vitest'
import { registrations } from '../../src/db/schema.ts'
import { rateLimits } from '../../src/server/runtime.ts'
import { type ApiClient, createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { createProof, createSolution, fetchChallenge } from '../support/http/proof-of-work.ts'
import { createWorld } from '../support/world.ts'

const person = { name: '王小明', email: 'wang@example.com', consent: true }
const idempotencyKey = 'a-key-of-mine'

const signUp = (client: ApiClient, slug: string, body: unknown, key = idempotencyKey) =>
  client.post(`/workshops/${slug}/registrations`, { body, headers: { 'Idempotency-Key': key } })

describe('GET /workshops/:slug/challenge', () => {
  test('returns a new challenge to anonymous clients with no-store', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const anonymous = await createApiClient(world)
    const answer = await anonymous.get('/workshops/shanghai/challenge', {
      headers: { 'Idempotency-Key': idempotencyKey },
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({
      parameters: {
        algorithm: 'PBKDF2/SHA-256',
        cost: 2_000,
        data: { workshop: 'shanghai', key: idempotencyKey, expiresAt: world.clock.now().getTime() / 1000 + 20 * 60 },
      },
      signature: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const again = await anonymous.get('/workshops/shanghai/challenge', {
      headers: { 'Idempotency-Key': idempotencyKey },
    })
    expect(again.body.parameters.nonce).not.toBe(answer.body.parameters.nonce)
  })

  test('requires an Idempotency-Key and a workshop with proofOfWork', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    await world.workshop({ slug: 'nanjing' })
    await world.workshop({ slug: 'draft', proofOfWork: true, publish: false })
    const anonymous = await createApiClient(world)
    const fetchChallengeFor = (slug: string, headers = {}) => anonymous.get(`/workshops/${slug}/challenge`, { headers })
    expectFieldErrors(await fetchChallengeFor('shanghai'), { 'Idempotency-Key': 'missing' })
    expectFieldErrors(await fetchChallengeFor('shanghai', { 'Idempotency-Key': 'short' }), {
      'Idempotency-Key': 'key_invalid',
    })
    for (const slug of ['nanjing', 'draft', 'nowhere']) {
      expectProblem(await fetchChallengeFor(slug, { 'Idempotency-Key': idempotencyKey }), 404, 'not_found')
    }
  })

  test('rate limits each IP prefix separately', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const fetchChallengeFor = (remoteAddress: string) =>
      world.request(
        '/api/v1/workshops/shanghai/challenge',
        { headers: { 'Idempotency-Key': idempotencyKey } },
        remoteAddress,
      )
    for (let n = 0; n < rateLimits.challenge.points; n++)
      expect((await fetchChallengeFor(`10.1.2.${n % 250}`)).status).toBe(200)
    const flooded = await fetchChallengeFor('10.1.2.251')
    expect([flooded.status, Number(flooded.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await fetchChallengeFor('10.1.3.1')).status).toBe(200)
  }, 60_000)
})

describe('POST /workshops/:slug/registrations with proofOfWork', () => {
  test('accepts a proof for one registration, including retries', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const anonymous = await createApiClient(world)
    const proof = await createProof(world, 'shanghai', idempotencyKey)
    const first = await signUp(anonymous, 'shanghai', { ...person, proof })
    expect(first.status).toBe(201)
    expect(await signUp(anonymous, 'shanghai', { ...person, proof })).toMatchObject({ status: 201, body: first.body })
    const colleague = { ...person, email: 'li@example.com', proof }
    expectProblem(await signUp(anonymous, 'shanghai', colleague), 409, 'idempotency_mismatch')
    expectFieldErrors(await signUp(anonymous, 'shanghai', colleague, 'another-key'), { proof: 'proof_invalid' })
    expect(await world.db.$count(registrations)).toBe(1)
  })

  test("rejects a missing, forged, expired or other workshop's proof together with other errors", async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    await world.workshop({ slug: 'nanjing', proofOfWork: true })
    const anonymous = await createApiClient(world)
    expectFieldErrors(await signUp(anonymous, 'shanghai', person), { proof: 'proof_missing' })
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, proof: '' }), { proof: 'proof_missing' })
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, email: 'wang@', proof: 'x' }), {
      email: 'email_invalid',
      proof: 'proof_invalid',
    })
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, proof: 1 }), { proof: 'proof_invalid' })
    const otherProof = await createProof(world, 'nanjing', idempotencyKey)
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, proof: otherProof }), { proof: 'proof_invalid' })
    const expiredProof = await createSolution(await fetchChallenge(world, 'shanghai', idempotencyKey))
    world.clock.advance({ minutes: 20 })
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, proof: expiredProof }), {
      proof: 'proof_invalid',
    })
    expect(await world.db.$count(registrations)).toBe(0)
    // The message is translated.
    const { body } = await anonymous.post('/workshops/shanghai/registrations?lang=en', {
      body: person,
      headers: { 'Idempotency-Key': idempotencyKey },
    })
    expect(body.errors[0].message).toContain('This workshop wants a proof')
  })

  test('requires a proof only while organisers have it enabled', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai' })
    const anonymous = await createApiClient(world)
    const organiser = await createApiClient(world, 'organiser')
    expect((await anonymous.get('/workshops/shanghai')).body.proofOfWork).toBe(false)
    const { body } = await organiser.patch('/workshops/shanghai', { body: { proofOfWork: true } })
    expect(body.proofOfWork).toBe(true)
    expectFieldErrors(await signUp(anonymous, 'shanghai', person), { proof: 'proof_missing' })
    await organiser.patch('/workshops/shanghai', { body: { proofOfWork: false } })
    expect((await signUp(anonymous, 'shanghai', { ...person, proof: 'left over' })).status).toBe(201)
  })
})
