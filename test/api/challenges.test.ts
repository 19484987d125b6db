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
  test('gives anyone a challenge of their own, which nobody may keep', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const anyone = await createApiClient(world)
    const answer = await anyone.get('/workshops/shanghai/challenge', { headers: { 'Idempotency-Key': idempotencyKey } })
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
    const again = await anyone.get('/workshops/shanghai/challenge', { headers: { 'Idempotency-Key': idempotencyKey } })
    expect(again.body.parameters.nonce).not.toBe(answer.body.parameters.nonce)
  })

  test('wants the key of the sign-up, and a workshop that wants proofs', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    await world.workshop({ slug: 'nanjing' })
    await world.workshop({ slug: 'draft', proofOfWork: true, publish: false })
    const anyone = await createApiClient(world)
    const ask = (slug: string, headers = {}) => anyone.get(`/workshops/${slug}/challenge`, { headers })
    expectFieldErrors(await ask('shanghai'), { 'Idempotency-Key': 'missing' })
    expectFieldErrors(await ask('shanghai', { 'Idempotency-Key': 'short' }), { 'Idempotency-Key': 'key_invalid' })
    for (const slug of ['nanjing', 'draft', 'nowhere']) {
      expectProblem(await ask(slug, { 'Idempotency-Key': idempotencyKey }), 404, 'not_found')
    }
  })

  test('keeps a flood from one range of addresses from eating up the processor', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const ask = (peer: string) =>
      world.request('/api/v1/workshops/shanghai/challenge', { headers: { 'Idempotency-Key': idempotencyKey } }, peer)
    for (let n = 0; n < rateLimits.challenge.points; n++) expect((await ask(`10.1.2.${n % 250}`)).status).toBe(200)
    const flooded = await ask('10.1.2.251')
    expect([flooded.status, Number(flooded.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await ask('10.1.3.1')).status).toBe(200)
  }, 60_000)
})

describe('POST /workshops/:slug/registrations of a workshop with proofOfWork', () => {
  test('takes a proof, retries included, for one registration', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const anyone = await createApiClient(world)
    const proof = await createProof(world, 'shanghai', idempotencyKey)
    const first = await signUp(anyone, 'shanghai', { ...person, proof })
    expect(first.status).toBe(201)
    expect(await signUp(anyone, 'shanghai', { ...person, proof })).toMatchObject({ status: 201, body: first.body })
    const colleague = { ...person, email: 'li@example.com', proof }
    expectProblem(await signUp(anyone, 'shanghai', colleague), 409, 'idempotency_mismatch')
    expectFieldErrors(await signUp(anyone, 'shanghai', colleague, 'another-key'), { proof: 'proof_invalid' })
    expect(await world.db.$count(registrations)).toBe(1)
  })

  test('without one, with a forged, foreign or expired one says so, beside all else that is wrong', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    await world.workshop({ slug: 'nanjing', proofOfWork: true })
    const anyone = await createApiClient(world)
    expectFieldErrors(await signUp(anyone, 'shanghai', person), { proof: 'proof_missing' })
    expectFieldErrors(await signUp(anyone, 'shanghai', { ...person, proof: '' }), { proof: 'proof_missing' })
    expectFieldErrors(await signUp(anyone, 'shanghai', { ...person, email: 'wang@', proof: 'x' }), {
      email: 'email_invalid',
      proof: 'proof_invalid',
    })
    expectFieldErrors(await signUp(anyone, 'shanghai', { ...person, proof: 1 }), { proof: 'proof_invalid' })
    const elsewhere = await createProof(world, 'nanjing', idempotencyKey)
    expectFieldErrors(await signUp(anyone, 'shanghai', { ...person, proof: elsewhere }), { proof: 'proof_invalid' })
    const late = await createSolution(await fetchChallenge(world, 'shanghai', idempotencyKey))
    world.clock.advance({ minutes: 20 })
    expectFieldErrors(await signUp(anyone, 'shanghai', { ...person, proof: late }), { proof: 'proof_invalid' })
    expect(await world.db.$count(registrations)).toBe(0)
    // The words are there in both languages.
    const { body } = await anyone.post('/workshops/shanghai/registrations?lang=en', {
      body: person,
      headers: { 'Idempotency-Key': idempotencyKey },
    })
    expect(body.errors[0].message).toContain('This workshop wants a proof')
  })

  test('is switched on and off by organisers, and passed over where it is off', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai' })
    const anyone = await createApiClient(world)
    const organiser = await createApiClient(world, 'organiser')
    expect((await anyone.get('/workshops/shanghai')).body.proofOfWork).toBe(false)
    const { body } = await organiser.patch('/workshops/shanghai', { body: { proofOfWork: true } })
    expect(body.proofOfWork).toBe(true)
    expectFieldErrors(await signUp(anyone, 'shanghai', person), { proof: 'proof_missing' })
    await organiser.patch('/workshops/shanghai', { body: { proofOfWork: false } })
    expect((await signUp(anyone, 'shanghai', { ...person, proof: 'left over' })).status).toBe(201)
  })
})
