import { describe, expect, test } from 'vitest'
import { registrations } from '../../src/db/schema.ts'
import { limits } from '../../src/installation.ts'
import { challengeOf, prove, solved } from '../support/proofs.ts'
import { createWorld } from '../support/world.ts'
import { type Client, expectProblem, expectRefusedFields, openClient } from './client.ts'

const person = { name: '王小明', email: 'wang@example.com', consent: true }
const key = 'a-key-of-mine'

const signUp = (client: Client, slug: string, body: unknown, idempotencyKey = key) =>
  client.post(`/workshops/${slug}/registrations`, { body, headers: { 'Idempotency-Key': idempotencyKey } })

describe('GET /workshops/:slug/challenge', () => {
  test('gives anyone a challenge of their own, which nobody may keep', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const anyone = await openClient(world)
    const answer = await anyone.get('/workshops/shanghai/challenge', { headers: { 'Idempotency-Key': key } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({
      parameters: {
        algorithm: 'PBKDF2/SHA-256',
        cost: 2_000,
        data: { workshop: 'shanghai', key, expiresAt: world.clock.now().getTime() / 1000 + 20 * 60 },
      },
      signature: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const again = await anyone.get('/workshops/shanghai/challenge', { headers: { 'Idempotency-Key': key } })
    expect(again.body.parameters.nonce).not.toBe(answer.body.parameters.nonce)
  })

  test('wants the key of the sign-up, and a workshop that wants proofs', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    await world.workshop({ slug: 'nanjing' })
    await world.workshop({ slug: 'draft', proofOfWork: true, publish: false })
    const anyone = await openClient(world)
    const ask = (slug: string, headers = {}) => anyone.get(`/workshops/${slug}/challenge`, { headers })
    expectRefusedFields(await ask('shanghai'), { 'Idempotency-Key': 'missing' })
    expectRefusedFields(await ask('shanghai', { 'Idempotency-Key': 'short' }), { 'Idempotency-Key': 'key_invalid' })
    for (const slug of ['nanjing', 'draft', 'nowhere']) {
      expectProblem(await ask(slug, { 'Idempotency-Key': key }), 404, 'not_found')
    }
  })

  test('keeps a flood from one range of addresses from eating up the processor', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const ask = (peer: string) =>
      world.request('/api/v1/workshops/shanghai/challenge', { headers: { 'Idempotency-Key': key } }, peer)
    for (let n = 0; n < limits.challenge.points; n++) expect((await ask(`10.1.2.${n % 250}`)).status).toBe(200)
    const flooded = await ask('10.1.2.251')
    expect([flooded.status, Number(flooded.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await ask('10.1.3.1')).status).toBe(200)
  }, 60_000)
})

describe('POST /workshops/:slug/registrations of a workshop with proofOfWork', () => {
  test('takes a proof, retries included, for one registration', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    const anyone = await openClient(world)
    const proof = await prove(world, 'shanghai', key)
    const first = await signUp(anyone, 'shanghai', { ...person, proof })
    expect(first.status).toBe(201)
    expect(await signUp(anyone, 'shanghai', { ...person, proof })).toMatchObject({ status: 201, body: first.body })
    const colleague = { ...person, email: 'li@example.com', proof }
    expectProblem(await signUp(anyone, 'shanghai', colleague), 409, 'idempotency_mismatch')
    expectRefusedFields(await signUp(anyone, 'shanghai', colleague, 'another-key'), { proof: 'proof_invalid' })
    expect(await world.db.$count(registrations)).toBe(1)
  })

  test('without one, with a forged, foreign or expired one says so, beside all else that is wrong', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', proofOfWork: true })
    await world.workshop({ slug: 'nanjing', proofOfWork: true })
    const anyone = await openClient(world)
    expectRefusedFields(await signUp(anyone, 'shanghai', person), { proof: 'proof_missing' })
    expectRefusedFields(await signUp(anyone, 'shanghai', { ...person, proof: '' }), { proof: 'proof_missing' })
    expectRefusedFields(await signUp(anyone, 'shanghai', { ...person, email: 'wang@', proof: 'x' }), {
      email: 'email_invalid',
      proof: 'proof_invalid',
    })
    expectRefusedFields(await signUp(anyone, 'shanghai', { ...person, proof: 1 }), { proof: 'proof_invalid' })
    const elsewhere = await prove(world, 'nanjing', key)
    expectRefusedFields(await signUp(anyone, 'shanghai', { ...person, proof: elsewhere }), { proof: 'proof_invalid' })
    const late = await solved(await challengeOf(world, 'shanghai', key))
    world.clock.advance({ minutes: 20 })
    expectRefusedFields(await signUp(anyone, 'shanghai', { ...person, proof: late }), { proof: 'proof_invalid' })
    expect(await world.db.$count(registrations)).toBe(0)
    // The words are there in both languages.
    const { body } = await anyone.post('/workshops/shanghai/registrations?lang=en', {
      body: person,
      headers: { 'Idempotency-Key': key },
    })
    expect(body.errors[0].message).toContain('This workshop wants a proof')
  })

  test('is switched on and off by organisers, and passed over where it is off', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai' })
    const anyone = await openClient(world)
    const organiser = await openClient(world, 'organiser')
    expect((await anyone.get('/workshops/shanghai')).body.proofOfWork).toBe(false)
    const { body } = await organiser.patch('/workshops/shanghai', { body: { proofOfWork: true } })
    expect(body.proofOfWork).toBe(true)
    expectRefusedFields(await signUp(anyone, 'shanghai', person), { proof: 'proof_missing' })
    await organiser.patch('/workshops/shanghai', { body: { proofOfWork: false } })
    expect((await signUp(anyone, 'shanghai', { ...person, proof: 'left over' })).status).toBe(201)
  })
})
