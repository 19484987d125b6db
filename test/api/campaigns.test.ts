import { describe, expect, test } from 'vitest'
import { createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { createWorld } from '../support/world.ts'

describe('GET /campaigns', () => {
  test('lists published campaigns newest first, with their published workshops by date', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const campaign = await world.campaign({ slug: 'december' })
    await world.workshop({ slug: 'late', campaignId: campaign.id, startsAt: new Date('2026-12-20T01:30:00Z') })
    await world.workshop({ slug: 'early', campaignId: campaign.id, startsAt: new Date('2026-12-19T01:30:00Z') })
    await world.workshop({ slug: 'hidden', campaignId: campaign.id, publish: false })
    world.clock.advance({ days: 1 })
    await world.campaign({ slug: 'january' })
    await world.campaign({ slug: 'draft', publish: false })

    const { status, body, headers } = await anonymous.get('/campaigns')
    expect(status).toBe(200)
    expect(body.items).toMatchObject([
      { slug: 'january', workshops: [] },
      { slug: 'december', workshops: [{ slug: 'early', campaign: 'december' }, { slug: 'late' }] },
    ])
    expect(headers.get('cache-control')).toBe('public, max-age=1')
    expect(headers.get('access-control-allow-origin')).toBe('*')

    const all = await (await createApiClient(world, 'viewer')).get('/campaigns')
    expect(all.body.items).toMatchObject([
      { slug: 'draft', state: 'draft' },
      { slug: 'january' },
      { slug: 'december', workshops: [{ slug: 'hidden' }, { slug: 'early' }, { slug: 'late' }] },
    ])
    expect(all.headers.get('cache-control')).toBe('no-store')
  })
})

describe('GET /campaigns/:slug', () => {
  test('returns all fields in the language of the request', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const campaign = await world.campaign({
      slug: 'december',
      oneSeatPerPerson: false,
      items: [{ kind: 'bring', text: { zh: '电脑', en: 'Laptop' }, mustConfirm: true }],
    })
    await world.workshop({ slug: 'shanghai', campaignId: campaign.id })
    const { status, body } = await anonymous.get('/campaigns/december?lang=en')
    expect(status).toBe(200)
    expect(body).toEqual({
      slug: 'december',
      title: 'RT-Thread beginner workshop',
      summary: 'Hands-on labs and theory',
      oneSeatPerPerson: false,
      items: [{ id: expect.any(String), kind: 'bring', text: 'Laptop', mustConfirm: true }],
      workshops: [expect.objectContaining({ slug: 'shanghai', city: 'Shanghai', bring: ['Laptop'] })],
      state: 'published',
      url: 'http://localhost:3000/c/december',
    })
  })

  test('returns 404 for unknown and unpublished slugs', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.campaign({ slug: 'draft', publish: false })
    for (const slug of ['draft', 'nowhere', 'A%20B']) {
      expectProblem(await anonymous.get(`/campaigns/${slug}`), 404, 'not_found')
    }
    expect((await (await createApiClient(world, 'viewer')).get('/campaigns/draft')).body.state).toBe('draft')
  })
})

describe('POST /campaigns', () => {
  test('creates a draft with a slug from title and date', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { status, body } = await organiser.post('/campaigns', { body: { title: { zh: '入门培训' } } })
    expect(status).toBe(201)
    expect(body).toEqual({
      slug: 'rumenpeixun-2026-12-01',
      title: '入门培训',
      summary: '',
      oneSeatPerPerson: true,
      items: [],
      workshops: [],
      state: 'draft',
      url: 'http://localhost:3000/c/rumenpeixun-2026-12-01',
    })
    const again = await organiser.post('/campaigns', { body: { title: '入门培训' } })
    expect(again.body.slug).toBe('rumenpeixun-2026-12-01-2')
  })

  test('accepts every field and keeps paragraphs of the summary', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { status, body } = await organiser.post('/campaigns', {
      body: {
        slug: 'december',
        title: '入门培训',
        summary: ' 动手实验\r\n\r\n理论\u0000 \n',
        oneSeatPerPerson: false,
        prerequisites: ['C 语言'],
        bring: ['电脑'],
        publish: true,
      },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      summary: '动手实验\n\n理论',
      oneSeatPerPerson: false,
      items: [
        { kind: 'prerequisite', text: 'C 语言' },
        { kind: 'bring', text: '电脑' },
      ],
      state: 'published',
    })
  })

  test.each([
    ['title', undefined, 'missing'],
    ['title', '', 'missing'],
    ['title', 'x'.repeat(201), 'too_long'],
    ['title', 5, 'invalid'],
    ['summary', 'x'.repeat(5001), 'too_long'],
    ['summary', 5, 'invalid'],
    ['oneSeatPerPerson', 'no', 'invalid'],
    ['slug', 'Not A Slug', 'slug_invalid'],
    ['publish', 'yes', 'invalid'],
    ['items', {}, 'invalid'],
    ['workshops', [], 'unknown_field'],
  ])('rejects %s: %j as %s', async (field, value, code) => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    expectFieldErrors(await organiser.post('/campaigns', { body: { title: '标题', [field]: value } }), {
      [field]: code,
    })
    expect((await organiser.get('/campaigns')).body.items).toEqual([])
  })

  test('rejects a slug that is taken and requires an organiser', async () => {
    await using world = await createWorld()
    await world.campaign({ slug: 'december' })
    const sent = { body: { title: '标题', slug: 'december' } }
    expectProblem(await (await createApiClient(world, 'organiser')).post('/campaigns', sent), 409, 'slug_taken')
    expectProblem(await (await createApiClient(world)).post('/campaigns', sent), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).post('/campaigns', sent), 403, 'forbidden')
  })
})

describe('PATCH /campaigns/:slug', () => {
  test('publish: true publishes', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { slug } = await world.campaign({ publish: false })
    const patch = async (body: object) => (await organiser.patch(`/campaigns/${slug}`, { body })).body.state
    expect(await patch({ publish: false })).toBe('draft')
    expect(await patch({ publish: true })).toBe('published')
  })

  test('changes only the given fields', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.campaign({ slug: 'december', items: [{ kind: 'bring', text: { zh: '电脑' }, mustConfirm: true }] })
    const { body: before } = await organiser.get('/campaigns/december')
    const { status, body } = await organiser.patch('/campaigns/december', {
      body: { summary: '', oneSeatPerPerson: false, provided: ['开发板'] },
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      ...before,
      summary: '',
      oneSeatPerPerson: false,
      items: [{ id: expect.any(String), kind: 'provided', text: '开发板', mustConfirm: false }, before.items[0]],
    })
  })

  test('publishes and unpublishes', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.campaign({ slug: 'december', publish: false })
    for (const state of ['published', 'draft']) {
      expect((await organiser.patch('/campaigns/december', { body: { state } })).body.state).toBe(state)
    }
    expectFieldErrors(await organiser.patch('/campaigns/december', { body: { state: 'cancelled' } }), {
      state: 'invalid',
    })
  })

  test('rejects changes that are not allowed', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.campaign({ slug: 'december' })
    await world.campaign({ slug: 'draft', publish: false })
    const patch = (slug: string, body: unknown) => organiser.patch(`/campaigns/${slug}`, { body })
    expectProblem(await patch('december', { slug: 'winter' }), 409, 'slug_fixed')
    expectProblem(await patch('draft', { slug: 'december' }), 409, 'slug_taken')
    expect((await patch('draft', { slug: 'january' })).body.slug).toBe('january')
    expectProblem(await patch('nowhere', { summary: 'x' }), 404, 'not_found')
    expectFieldErrors(await patch('december', { title: '', publish: 'yes' }), {
      title: 'missing',
      publish: 'invalid',
    })
  })
})
