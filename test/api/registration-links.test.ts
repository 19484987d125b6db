import { describe, expect, test } from 'vitest'
import { addScans } from '../../src/domain/promotion/registration-links.ts'
import { createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { createWorld } from '../support/world.ts'

describe('POST /workshops/:slug/links and /campaigns/:slug/links', () => {
  test.each(['workshop', 'campaign'] as const)('creates a link to a %s', async (kind) => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world[kind]({ slug: 'target' })
    const { status, body } = await organiser.post(`/${kind}s/target/links`, {
      body: { channel: ' AI newsletter 2023-07-07 ', expiresAt: '2026-12-31T23:59' },
    })
    expect(status).toBe(201)
    expect(body).toEqual({
      code: expect.stringMatching(/^\w{7}$/),
      channel: 'AI newsletter 2023-07-07',
      target: { [kind]: 'target' },
      active: true,
      expiresAt: '2026-12-31T23:59:00+08:00',
      url: `http://localhost:3000/q/${body.code}`,
      qrSvgUrl: `http://localhost:3000/q/${body.code}/qr.svg`,
      qrPngUrl: `http://localhost:3000/q/${body.code}/qr.png`,
    })
    for (const url of [body.qrSvgUrl, body.qrPngUrl]) {
      const picture = await world.request(new URL(url).pathname)
      expect(picture.status).toBe(200)
      expect(picture.headers.get('content-type')).toMatch('image/')
    }
    const scan = await world.request(new URL(body.url).pathname)
    expect(scan.status).toBe(302)
    expect(scan.headers.get('location')).toContain(`/${kind === 'workshop' ? 'w' : 'c'}/target?via=${body.code}`)
  })

  test("reads a time without an offset in the server's time zone", async () => {
    await using world = await createWorld({ env: { TIME_ZONE: 'Europe/Berlin' } })
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai', timeZone: 'Asia/Shanghai' })
    const { body } = await organiser.post('/workshops/shanghai/links', {
      body: { channel: 'poster', expiresAt: '2026-12-31T23:59' },
    })
    expect(body.expiresAt).toBe('2026-12-31T23:59:00+01:00')
  })

  test.each([
    ['channel', undefined, 'missing'],
    ['channel', ' ', 'missing'],
    ['channel', 'x'.repeat(101), 'too_long'],
    ['channel', 5, 'invalid'],
    ['expiresAt', 'soon', 'time_invalid'],
    ['expiresAt', 5, 'invalid'],
    ['code', 'mine', 'unknown_field'],
  ])('rejects %s: %j as %s', async (field, value, code) => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    const body = { channel: 'poster', [field]: value }
    expectFieldErrors(await organiser.post('/workshops/shanghai/links', { body }), { [field]: code })
  })

  test('returns 404 for an unknown target and requires an organiser', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai' })
    const sent = { body: { channel: 'poster' } }
    const organiser = await createApiClient(world, 'organiser')
    expectProblem(await organiser.post('/workshops/nowhere/links', sent), 404, 'not_found')
    expectProblem(await organiser.post('/campaigns/shanghai/links', sent), 404, 'not_found')
    expectProblem(await (await createApiClient(world)).post('/workshops/shanghai/links', sent), 401, 'unauthorized')
    expectProblem(
      await (await createApiClient(world, 'viewer')).post('/workshops/shanghai/links', sent),
      403,
      'forbidden',
    )
  })
})

describe('GET /workshops/:slug/links and /campaigns/:slug/links', () => {
  test.each(['workshop', 'campaign'] as const)('lists the links of a %s only, oldest first', async (kind) => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const viewer = await createApiClient(world, 'viewer')
    await world[kind]({ slug: 'target' })
    await world[kind]({ slug: 'other' })
    const created = []
    for (const channel of ['newsletter', 'poster']) {
      created.push((await organiser.post(`/${kind}s/target/links`, { body: { channel } })).body)
      world.clock.advance({ minutes: 1 })
    }
    await organiser.post(`/${kind}s/other/links`, { body: { channel: 'group' } })
    const { status, body } = await viewer.get(`/${kind}s/target/links`)
    expect(status).toBe(200)
    expect(body).toEqual({ items: created })
    expectProblem(await viewer.get(`/${kind}s/nowhere/links`), 404, 'not_found')
    expectProblem(await (await createApiClient(world)).get(`/${kind}s/target/links`), 401, 'unauthorized')
  })
})

describe('PATCH /links/:code', () => {
  test('changes the target of an existing link', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    await world.campaign({ slug: 'december' })
    const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: 'poster' } })
    const { status, body } = await organiser.patch(`/links/${link.code}`, {
      body: { target: { campaign: 'december' } },
    })
    expect(status).toBe(200)
    expect(body).toEqual({ ...link, target: { campaign: 'december' } })
    const scan = await world.request(`/q/${link.code}`)
    expect(scan.headers.get('location')).toContain(`/c/december?via=${link.code}`)
  })

  test('changes expiry, active and channel', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: 'poster' } })
    const patch = async (body: unknown) => (await organiser.patch(`/links/${link.code}`, { body })).body
    expect(await patch({ expiresAt: '2026-12-05T00:00' })).toEqual({ ...link, expiresAt: '2026-12-05T00:00:00+08:00' })
    expect(await patch({ active: false })).toMatchObject({ active: false, expiresAt: '2026-12-05T00:00:00+08:00' })
    expect((await world.request(`/q/${link.code}`)).status).not.toBe(302)
    expect(await patch({ active: true, expiresAt: null, channel: '海报' })).toEqual({ ...link, channel: '海报' })
    expect(await patch({})).toEqual({ ...link, channel: '海报' })
  })

  test('rejects invalid changes', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: 'poster' } })
    const patch = (body: unknown) => organiser.patch(`/links/${link.code}`, { body })
    expectFieldErrors(await patch({ target: { workshop: 'nowhere' } }), { target: 'not_found' })
    expectFieldErrors(await patch({ target: 'shanghai' }), { target: 'invalid' })
    expectFieldErrors(await patch({ target: {} }), { 'target.campaign': 'missing' })
    expectFieldErrors(await patch({ channel: '', expiresAt: 'soon', active: 1, code: 'x' }), {
      channel: 'missing',
      expiresAt: 'time_invalid',
      active: 'invalid',
      code: 'unknown_field',
    })
    for (const code of ['nowhere', 'no-code!']) {
      expectProblem(await organiser.patch(`/links/${code}`, { body: { active: false } }), 404, 'not_found')
    }
    const sent = { body: { active: false } }
    expectProblem(await (await createApiClient(world)).patch(`/links/${link.code}`, sent), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).patch(`/links/${link.code}`, sent), 403, 'forbidden')
  })
})

describe('GET /links/:code/stats', () => {
  test('counts scans and the registrations they led to', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const viewer = await createApiClient(world, 'viewer')
    const workshop = await world.workshop({ slug: 'shanghai' })
    const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: 'poster' } })
    const stats = () => viewer.get(`/links/${link.code}/stats`)
    expect((await stats()).body).toEqual({ scans: 0, registrations: 0 })
    await addScans(world.deps, new Map([[link.code, 3]]))
    const first = await world.register(workshop, { via: link.code })
    await world.register(workshop, { via: link.code })
    await world.register(workshop)
    await organiser.post(`/registrations/${first.id}/cancel`)
    expect((await stats()).body).toEqual({ scans: 3, registrations: 2 })
    expectProblem(await viewer.get('/links/nowhere/stats'), 404, 'not_found')
    expectProblem(await (await createApiClient(world)).get(`/links/${link.code}/stats`), 401, 'unauthorized')
  })
})
