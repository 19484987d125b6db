import { describe, expect, test } from 'vitest'
import { createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { createWorld } from '../support/world.ts'

const draft = {
  title: { zh: 'RT-Thread 入门培训', en: 'RT-Thread beginner workshop' },
  city: { zh: '南京', en: 'Nanjing' },
  venue: { zh: '江北新区图书馆', en: 'Jiangbei Library' },
  address: '浦滨路 150 号',
  startsAt: '2026-12-20T09:30',
  endsAt: '2026-12-20T17:00',
  capacity: 30,
}

describe('GET /workshops', () => {
  test('lists published workshops that are not over, ordered by start', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'second', startsAt: new Date('2026-12-20T01:30:00Z') })
    await world.workshop({ slug: 'first', startsAt: new Date('2026-12-19T01:30:00Z') })
    await world.workshop({ slug: 'over', startsAt: new Date('2026-11-01T01:30:00Z') })
    await world.workshop({ slug: 'draft', publish: false })

    const { status, body, headers } = await anonymous.get('/workshops')
    expect(status).toBe(200)
    expect(body.items.map((workshop: { slug: string }) => workshop.slug)).toEqual(['first', 'second'])
    expect(body).not.toHaveProperty('next')
    expect(headers.get('cache-control')).toBe('public, max-age=1')
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })

  test('includes drafts for a bearer token and sets no-store', async () => {
    await using world = await createWorld()
    const viewer = await createApiClient(world, 'viewer')
    await world.workshop({ slug: 'draft', publish: false })
    const { body, headers } = await viewer.get('/workshops')
    expect(body.items).toMatchObject([{ slug: 'draft', state: 'draft' }])
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('filters by city in either language', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'nanjing', city: { zh: '南京', en: 'Nanjing' } })
    await world.workshop({ slug: 'shanghai' })
    for (const city of ['南京', 'nanjing', 'NANJING']) {
      const { body } = await anonymous.get(`/workshops?city=${encodeURIComponent(city)}`)
      expect(body.items).toMatchObject([{ slug: 'nanjing' }])
    }
    expect((await anonymous.get('/workshops?city=Beijing')).body.items).toEqual([])
  })

  test('filters by status, including over', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'open' })
    await world.workshop({ slug: 'over', startsAt: new Date('2026-11-01T01:30:00Z') })
    await world.workshop({ slug: 'upcoming', opensAt: new Date('2026-12-05T00:00:00Z') })
    for (const status of ['open', 'over', 'upcoming']) {
      expect((await anonymous.get(`/workshops?status=${status}`)).body.items).toMatchObject([{ slug: status, status }])
    }
    expectFieldErrors(await anonymous.get('/workshops?status=sold'), { status: 'invalid' })
  })

  test('returns pages of 50 with a cursor', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    for (let n = 1; n <= 51; n++) await world.workshop({ slug: `w${n}`, startsAt: new Date(Date.UTC(2026, 11, 5, n)) })
    const first = await anonymous.get('/workshops')
    expect(first.body.items).toHaveLength(50)
    const second = await anonymous.get(`/workshops?cursor=${first.body.next}`)
    expect(second.body.items).toMatchObject([{ slug: 'w51' }])
    expect(second.body).not.toHaveProperty('next')
  })
})

describe('GET /workshops/:slug', () => {
  test('returns all fields in the language of the request', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const campaign = await world.campaign({ slug: 'december' })
    await world.workshop({
      slug: 'shanghai',
      campaignId: campaign.id,
      startsAt: new Date('2026-12-19T01:30:00Z'),
      endsAt: new Date('2026-12-19T09:00:00Z'),
      closesAt: new Date('2026-12-17T16:00:00Z'),
      boards: 20,
      phone: 'required',
      items: [
        { kind: 'prerequisite', text: { zh: 'C 语言', en: 'C' }, mustConfirm: true },
        { kind: 'provided', text: { zh: '开发板', en: 'A board' }, mustConfirm: false },
        { kind: 'bring', text: { zh: '笔记本电脑' }, url: 'https://example.com/laptop', mustConfirm: false },
      ],
    })
    const { status, body, headers } = await anonymous.get('/workshops/shanghai?lang=en')
    expect(status).toBe(200)
    expect(headers.get('content-language')).toBe('en')
    expect(body).toEqual({
      slug: 'shanghai',
      campaign: 'december',
      title: 'RT-Thread beginner workshop',
      city: 'Shanghai',
      venue: 'Zhangjiang Science Hall',
      address: '1393 Haike Road',
      startsAt: '2026-12-19T09:30:00+08:00',
      endsAt: '2026-12-19T17:00:00+08:00',
      timeZone: 'Asia/Shanghai',
      closesAt: '2026-12-18T00:00:00+08:00',
      capacity: 2,
      boards: 20,
      seatsLeft: 2,
      waitlisted: 0,
      status: 'open',
      state: 'published',
      waitlist: true,
      confirmHours: null,
      phone: 'required',
      proofOfWork: false,
      items: [
        { id: expect.any(String), kind: 'prerequisite', text: 'C', mustConfirm: true },
        { id: expect.any(String), kind: 'provided', text: 'A board', mustConfirm: false },
        {
          id: expect.any(String),
          kind: 'bring',
          text: '笔记本电脑',
          url: 'https://example.com/laptop',
          mustConfirm: false,
        },
      ],
      prerequisites: ['C'],
      provided: ['A board'],
      bring: ['笔记本电脑'],
      url: 'http://localhost:3000/w/shanghai',
    })
    const inChinese = await anonymous.get('/workshops/shanghai', { headers: { 'Accept-Language': 'zh' } })
    expect(inChinese.body).toMatchObject({ city: '上海', prerequisites: ['C 语言'] })
  })

  test("formats times with the offset of the workshop's time zone on that day", async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({
      slug: 'berlin',
      timeZone: 'Europe/Berlin',
      opensAt: new Date('2027-03-27T08:00:00Z'),
      startsAt: new Date('2027-03-30T07:00:00Z'),
      endsAt: new Date('2027-03-30T15:00:00Z'),
    })
    expect((await anonymous.get('/workshops/berlin')).body).toMatchObject({
      opensAt: '2027-03-27T09:00:00+01:00',
      startsAt: '2027-03-30T09:00:00+02:00',
      endsAt: '2027-03-30T17:00:00+02:00',
    })
  })

  test("returns the campaign's checklist until the workshop has its own", async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const campaign = await world.campaign({ items: [{ kind: 'bring', text: { zh: '电脑' }, mustConfirm: false }] })
    await world.workshop({ slug: 'shanghai', campaignId: campaign.id })
    expect((await organiser.get('/workshops/shanghai')).body.bring).toEqual(['电脑'])
    await organiser.patch('/workshops/shanghai', { body: { items: [{ kind: 'bring', text: '插线板' }] } })
    expect((await organiser.get('/workshops/shanghai')).body.bring).toEqual(['插线板'])
    await organiser.patch('/workshops/shanghai', { body: { items: [] } })
    expect((await organiser.get('/workshops/shanghai')).body.bring).toEqual(['电脑'])
  })

  test('returns 404 for unknown, unpublished and malformed slugs', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'draft', publish: false })
    for (const slug of ['draft', 'nowhere', 'NOT%20A%20SLUG', '%00', '..%2f..', 'a'.repeat(90)]) {
      expectProblem(await anonymous.get(`/workshops/${slug}`), 404, 'not_found')
      expectProblem(await anonymous.get(`/workshops/${slug}/availability`), 404, 'not_found')
    }
    const viewer = await createApiClient(world, 'viewer')
    expect((await viewer.get('/workshops/draft')).body).toMatchObject({ slug: 'draft', state: 'draft' })
  })

  test('hides an unpublished campaign from anonymous clients', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign({ slug: 'secret', publish: false })
    await world.workshop({ slug: 'shanghai', campaignId: campaign.id })
    expect((await (await createApiClient(world)).get('/workshops/shanghai')).body.campaign).toBeNull()
    expect((await (await createApiClient(world, 'viewer')).get('/workshops/shanghai')).body.campaign).toBe('secret')
  })
})

describe('GET /workshops/:slug/availability', () => {
  test('counts seats and returns 304 while nothing has changed', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 2 })
    const first = await anonymous.get('/workshops/shanghai/availability')
    expect(first.status).toBe(200)
    expect(first.body).toEqual({
      slug: 'shanghai',
      capacity: 2,
      taken: 0,
      seatsLeft: 2,
      waitlisted: 0,
      status: 'open',
    })
    expect(first.headers.get('cache-control')).toBe('public, max-age=1')
    expect(first.headers.get('access-control-allow-origin')).toBe('*')

    const etag = first.headers.get('etag') as string
    expect(etag).toMatch(/^"[^"]+"$/)
    const ifNoneMatch = { headers: { 'If-None-Match': etag } }
    const same = await anonymous.get('/workshops/shanghai/availability', ifNoneMatch)
    expect(same.status).toBe(304)
    expect(same.body).toBe('')
    expect(same.headers.get('etag')).toBe(etag)
    expect(same.headers.get('cache-control')).toBe('public, max-age=1')
    expect(same.headers.get('access-control-allow-origin')).toBe('*')

    await world.register(workshop)
    await world.register(workshop)
    await world.register(workshop)
    const changed = await anonymous.get('/workshops/shanghai/availability', ifNoneMatch)
    expect(changed.status).toBe(200)
    expect(changed.body).toMatchObject({ taken: 2, seatsLeft: 0, waitlisted: 1, status: 'waitlist' })
    expect(changed.headers.get('etag')).not.toBe(etag)
  })

  test('returns every status', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const organiser = await createApiClient(world, 'organiser')
    const status = async (slug: string) => (await anonymous.get(`/workshops/${slug}/availability`)).body.status
    await world.workshop({ slug: 'upcoming', opensAt: new Date('2026-12-02T00:00:00Z') })
    await world.workshop({ slug: 'open' })
    await world.register(await world.workshop({ slug: 'waitlist', capacity: 1 }))
    await world.register(await world.workshop({ slug: 'full', capacity: 1, waitlist: false }))
    await world.workshop({ slug: 'closed', closesAt: new Date('2026-11-30T00:00:00Z') })
    await world.workshop({ slug: 'cancelled' })
    await organiser.post('/workshops/cancelled/cancel')
    await world.workshop({ slug: 'over', startsAt: new Date('2026-11-01T01:30:00Z') })
    for (const expected of ['upcoming', 'open', 'waitlist', 'full', 'closed', 'cancelled', 'over']) {
      expect(await status(expected)).toBe(expected)
    }
  })
})

describe('POST /workshops', () => {
  test('creates a draft with a slug from city and date and reads times as local', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { status, body, headers } = await organiser.post('/workshops', { body: draft })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toMatchObject({
      slug: 'nanjing-2026-12-20',
      campaign: null,
      city: '南京',
      address: '浦滨路 150 号',
      startsAt: '2026-12-20T09:30:00+08:00',
      endsAt: '2026-12-20T17:00:00+08:00',
      timeZone: 'Asia/Shanghai',
      capacity: 30,
      boards: 0,
      waitlist: true,
      phone: 'optional',
      proofOfWork: false,
      state: 'draft',
      items: [],
    })
    expectProblem(await (await createApiClient(world)).get(`/workshops/${body.slug}`), 404, 'not_found')
  })

  test('accepts every field of a workshop', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.campaign({ slug: 'december' })
    const { status, body } = await organiser.post('/workshops', {
      body: {
        ...draft,
        campaign: 'december',
        slug: 'berlin-2027',
        startsAt: '2027-03-30T09:00',
        endsAt: '2027-03-30T15:00:00Z',
        timeZone: 'Europe/Berlin',
        opensAt: '2027-03-01T00:00+08:00',
        closesAt: '2027-03-27T12:00',
        boards: 12,
        waitlist: false,
        phone: 'no',
        items: [
          {
            kind: 'prerequisite',
            text: { zh: '装好 RT-Thread Studio' },
            url: 'https://example.com/studio',
            mustConfirm: true,
          },
          { kind: 'bring', text: '电脑', url: null },
        ],
        publish: true,
      },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      slug: 'berlin-2027',
      campaign: 'december',
      startsAt: '2027-03-30T09:00:00+02:00',
      endsAt: '2027-03-30T17:00:00+02:00',
      timeZone: 'Europe/Berlin',
      opensAt: '2027-02-28T17:00:00+01:00',
      closesAt: '2027-03-27T12:00:00+01:00',
      boards: 12,
      waitlist: false,
      phone: 'no',
      state: 'published',
      status: 'upcoming',
      items: [
        { kind: 'prerequisite', text: '装好 RT-Thread Studio', url: 'https://example.com/studio', mustConfirm: true },
        { kind: 'bring', text: '电脑', mustConfirm: false },
      ],
    })
    expect(body.items[1]).not.toHaveProperty('url')
  })

  test('combines prerequisites, provided and bring into one checklist', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { body } = await organiser.post('/workshops', {
      body: {
        ...draft,
        prerequisites: ['C 语言', { zh: '单片机基础', en: 'Microcontroller basics' }],
        provided: ['开发板'],
        bring: ['电脑', '插线板'],
      },
    })
    expect(body).toMatchObject({
      prerequisites: ['C 语言', '单片机基础'],
      provided: ['开发板'],
      bring: ['电脑', '插线板'],
      items: [
        { kind: 'prerequisite', text: 'C 语言', mustConfirm: false },
        { kind: 'prerequisite', text: '单片机基础' },
        { kind: 'provided', text: '开发板' },
        { kind: 'bring', text: '电脑' },
        { kind: 'bring', text: '插线板' },
      ],
    })
  })

  test('stores plain text in the language of ?lang=, otherwise in the default locale, ignoring Accept-Language', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const headers = { 'Accept-Language': 'en' }
    const plain = { ...draft, title: 'A title' }
    await organiser.post('/workshops?lang=en', { body: { ...plain, slug: 'english' } })
    await organiser.post('/workshops', { body: { ...plain, slug: 'default' }, headers })
    const title = async (slug: string) => {
      const [row] = await world.db.query.workshops.findMany({ where: (workshop, { eq }) => eq(workshop.slug, slug) })
      return row?.title
    }
    expect(await title('english')).toEqual({ en: 'A title' })
    expect(await title('default')).toEqual({ zh: 'A title' })
  })

  test('normalizes control characters, line breaks and lone surrogates', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { status, body } = await organiser.post('/workshops', {
      body: { ...draft, title: '  入门\u0000\u3000培训\r\nRT\u2028Thread \ud83d ' },
    })
    expect(status).toBe(201)
    expect(body.title).toBe('入门 培训 RT Thread \ufffd')
  })

  test.each([
    ['title', undefined, 'missing'],
    ['title', '', 'missing'],
    ['title', ' \u3000 ', 'missing'],
    ['title', {}, 'missing'],
    ['title', { zh: '', en: ' ' }, 'missing'],
    ['title', null, 'invalid'],
    ['title', 5, 'invalid'],
    ['title', ['a'], 'invalid'],
    ['title', 'x'.repeat(201), 'too_long'],
    ['city', undefined, 'missing'],
    ['city', 'x'.repeat(81), 'too_long'],
    ['venue', undefined, 'missing'],
    ['address', undefined, 'missing'],
    ['startsAt', undefined, 'missing'],
    ['startsAt', 'next Tuesday', 'time_invalid'],
    ['startsAt', '2026-02-30T09:30', 'time_invalid'],
    ['startsAt', 1_797_643_800, 'invalid'],
    ['startsAt', null, 'invalid'],
    ['endsAt', undefined, 'missing'],
    ['endsAt', '2026-12-20', 'time_invalid'],
    ['endsAt', '2026-12-20T09:30', 'ends_before_start'],
    ['opensAt', 'soon', 'time_invalid'],
    ['closesAt', 'late', 'time_invalid'],
    ['timeZone', 'Mars/Olympus', 'time_zone_invalid'],
    ['timeZone', '+08:00', 'time_zone_invalid'],
    ['timeZone', '', 'time_zone_invalid'],
    ['capacity', undefined, 'missing'],
    ['capacity', 0, 'out_of_range'],
    ['capacity', 100_001, 'out_of_range'],
    ['capacity', 1.5, 'invalid'],
    ['capacity', '30', 'invalid'],
    ['boards', -1, 'out_of_range'],
    ['boards', 'many', 'invalid'],
    ['waitlist', 'yes', 'invalid'],
    ['phone', 'maybe', 'invalid'],
    ['publish', 1, 'invalid'],
    ['slug', 'Not A Slug', 'slug_invalid'],
    ['slug', 'a'.repeat(81), 'too_long'],
    ['slug', '', 'slug_invalid'],
    ['slug', 'A'.repeat(81), 'too_long'],
    ['campaign', 'nowhere', 'not_found'],
    ['campaign', 'No Slug', 'slug_invalid'],
    ['items', 'board', 'invalid'],
    ['items', Array(51).fill({ kind: 'bring', text: 'x' }), 'too_long'],
    ['items', Array(20_000).fill(0), 'too_long'],
    ['bring', Array(20_000).fill(0), 'too_long'],
    ['venue', `e${'\u0301\u0323'.repeat(10_000)}`, 'too_long'],
    ['prerequisites', 'C', 'invalid'],
    ['colour', 'green', 'unknown_field'],
    ['state', 'published', 'unknown_field'],
  ])('rejects %s: %j as %s', async (field, value, code) => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    expectFieldErrors(await organiser.post('/workshops', { body: { ...draft, [field]: value } }), { [field]: code })
    expect((await organiser.get('/workshops')).body.items).toEqual([])
  })

  test('names the errors inside texts, items and lists', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const id = '00000000-0000-7000-8000-000000000099'
    const body = {
      ...draft,
      title: { zh: '标题', en: 'x'.repeat(201) },
      city: { zh: '南京', fr: 'Nankin' },
      venue: { zh: 5 },
      items: [
        { kind: 'snack', text: 'x' },
        { kind: 'bring', text: 'x', url: 'javascript:alert(1)' },
        { kind: 'bring', text: { zh: 'x'.repeat(301) } },
        { kind: 'bring', text: 'x', must: true },
        { kind: 'bring' },
        { kind: 'bring', text: 'x', id: 'one' },
        'laptop',
        { kind: 'bring', text: 'x', url: `https://example.com/${'x'.repeat(2000)}` },
      ],
    }
    expectFieldErrors(await organiser.post('/workshops', { body }), {
      'title.en': 'too_long',
      'city.fr': 'unknown_field',
      'venue.zh': 'invalid',
      'items.0.kind': 'invalid',
      'items.1.url': 'url_invalid',
      'items.2.text.zh': 'too_long',
      'items.3.must': 'unknown_field',
      'items.4.text': 'missing',
      'items.5.id': 'invalid',
      'items.6': 'invalid',
      'items.7.url': 'too_long',
    })
    expectFieldErrors(
      await organiser.post('/workshops', {
        body: {
          ...draft,
          items: [
            { id, kind: 'bring', text: 'x' },
            { id, kind: 'bring', text: 'y' },
          ],
        },
      }),
      { 'items.1.id': 'duplicate' },
    )
    expectFieldErrors(await organiser.post('/workshops', { body: { ...draft, items: [], bring: ['x'] } }), {
      items: 'both_forms',
    })
    expectFieldErrors(await organiser.post('/workshops', { body: { ...draft, bring: ['x', ''] } }), {
      'bring.1': 'missing',
    })
  })

  test('rejects a body that is not an object, not JSON or has another content type', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    for (const body of ['null', '[]', '"x"', '5']) {
      expectFieldErrors(await organiser.post('/workshops', { body }), { '': 'invalid' })
    }
    for (const body of ['', '{', '{"title":}', 'title=x']) {
      expectProblem(await organiser.post('/workshops', { body }), 400, 'malformed_json')
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'application/vnd.api+json',
    ]) {
      const sent = { body: draft, headers: { 'Content-Type': type } }
      expectProblem(await organiser.post('/workshops', sent), 415, 'unsupported_media_type')
    }
    expectProblem(await organiser.post('/workshops'), 415, 'unsupported_media_type')
    const utf8 = { body: { ...draft }, headers: { 'Content-Type': 'application/json; charset=utf-8' } }
    expect((await organiser.post('/workshops', utf8)).status).toBe(201)
  })

  test('rejects a slug that is taken', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    expectProblem(await organiser.post('/workshops', { body: { ...draft, slug: 'shanghai' } }), 409, 'slug_taken')
  })

  test('describes errors in the language of the request', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const chinese = await organiser.post('/workshops', { body: { ...draft, capacity: 0 } })
    expect(chinese.body).toMatchObject({ title: '内容没有通过检查', errors: [{ message: 'capacity 超出允许的范围' }] })
    const english = await organiser.post('/workshops?lang=en', { body: { ...draft, capacity: 0 } })
    expect(english.body).toMatchObject({
      title: 'Did not pass the checks',
      errors: [{ message: 'capacity is out of range' }],
    })
  })

  test('names unknown fields as sent, including those on Object.prototype', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const fields = ['constructor', 'toString', 'hasOwnProperty']
    const unknown = Object.fromEntries(fields.map((field) => [field, 'x']))
    const answer = await organiser.post('/workshops', { body: { ...draft, ...unknown } })
    expectFieldErrors(answer, Object.fromEntries(fields.map((field) => [field, 'unknown_field'])))
    for (const { field, message } of answer.body.errors) expect(message).toContain(field)
    expect(JSON.stringify(answer.body)).not.toContain('native code')
  })

  test('requires an organiser', async () => {
    await using world = await createWorld()
    expectProblem(await (await createApiClient(world)).post('/workshops', { body: draft }), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).post('/workshops', { body: draft }), 403, 'forbidden')
    expect((await (await createApiClient(world, 'owner')).post('/workshops', { body: draft })).status).toBe(201)
  })
})

describe('PATCH /workshops/:slug', () => {
  test('changes only the given fields', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { body: before } = await organiser.post('/workshops', { body: { ...draft, closesAt: '2026-12-18T18:00' } })
    const { status, body } = await organiser.patch(`/workshops/${before.slug}`, { body: { capacity: 40 } })
    expect(status).toBe(200)
    expect(body).toEqual({ ...before, capacity: 40, seatsLeft: 40 })
    const cleared = await organiser.patch(`/workshops/${before.slug}`, { body: { closesAt: null } })
    expect(cleared.body).not.toHaveProperty('closesAt')
    expect((await organiser.patch(`/workshops/${before.slug}`, { body: {} })).status).toBe(200)
  })

  test('publish: true publishes, unless state is given', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { slug } = await world.workshop({ publish: false })
    const patch = async (body: object) => (await organiser.patch(`/workshops/${slug}`, { body })).body.state
    expect(await patch({ publish: false })).toBe('draft')
    expect(await patch({ publish: true })).toBe('published')
    expect(await patch({ publish: false })).toBe('published')
    expect(await patch({ publish: true, state: 'closed' })).toBe('closed')
  })

  test('publishes, closes and reopens', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai', publish: false })
    const setState = async (state: string) => (await organiser.patch('/workshops/shanghai', { body: { state } })).body
    expect(await setState('published')).toMatchObject({ state: 'published', status: 'open' })
    expect((await anonymous.get('/workshops/shanghai')).status).toBe(200)
    expect(await setState('closed')).toMatchObject({ state: 'closed', status: 'closed' })
    expect(await setState('published')).toMatchObject({ status: 'open' })
    expect(await setState('draft')).toMatchObject({ state: 'draft' })
    expect((await anonymous.get('/workshops/shanghai')).status).toBe(404)
    expectFieldErrors(await organiser.patch('/workshops/shanghai', { body: { state: 'cancelled' } }), {
      state: 'invalid',
    })
  })

  test("reads a time without an offset in the workshop's time zone, or in the new one", async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'berlin', timeZone: 'Europe/Berlin' })
    const moved = await organiser.patch('/workshops/berlin', {
      body: { startsAt: '2027-01-10T09:00', endsAt: '2027-01-10T17:00' },
    })
    expect(moved.body).toMatchObject({ startsAt: '2027-01-10T09:00:00+01:00', endsAt: '2027-01-10T17:00:00+01:00' })
    const inTokyo = await organiser.patch('/workshops/berlin', {
      body: { timeZone: 'Asia/Tokyo', startsAt: '2027-01-10T09:00' },
    })
    expect(inTokyo.body).toMatchObject({
      startsAt: '2027-01-10T09:00:00+09:00',
      endsAt: '2027-01-11T01:00:00+09:00',
    })
  })

  test('replaces a text in both languages, so that neither keeps an old address', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    await organiser.patch('/workshops/shanghai', { body: { address: '新地址 1 号' } })
    expect((await organiser.get('/workshops/shanghai?lang=en')).body.address).toBe('新地址 1 号')
  })

  test('promotes the waitlist when the capacity is raised', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1 })
    await world.register(workshop)
    await world.register(workshop)
    const { body } = await organiser.patch('/workshops/shanghai', { body: { capacity: 2 } })
    expect(body).toMatchObject({ seatsLeft: 0, waitlisted: 0 })
  })

  test('rejects a capacity below the seats taken and reports that number', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 3 })
    await world.register(workshop)
    await world.register(workshop)
    const refused = await organiser.patch('/workshops/shanghai', { body: { capacity: 1 } })
    expect(expectProblem(refused, 409, 'capacity_below_taken').taken).toBe(2)
  })

  test('replaces one kind of the checklist, keeping other kinds and the ids of unchanged items', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({
      slug: 'shanghai',
      items: [
        { kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true },
        { kind: 'bring', text: { zh: '电脑', en: 'Laptop' }, url: 'https://example.com', mustConfirm: true },
      ],
    })
    const { body: before } = await organiser.get('/workshops/shanghai')
    const { body } = await organiser.patch('/workshops/shanghai', { body: { bring: ['插线板', '电脑', '电脑'] } })
    expect(body.items).toEqual([
      before.items[0],
      { id: expect.any(String), kind: 'bring', text: '插线板', mustConfirm: false },
      before.items[1],
      { id: expect.any(String), kind: 'bring', text: '电脑', mustConfirm: false },
    ])
    expect((await organiser.get('/workshops/shanghai?lang=en')).body.bring).toEqual(['插线板', 'Laptop', '电脑'])
    expect((await organiser.patch('/workshops/shanghai', { body: { bring: [] } })).body.items).toEqual([
      before.items[0],
    ])
  })

  test('moves a workshop into a campaign', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.campaign({ slug: 'december' })
    await world.workshop({ slug: 'shanghai' })
    expect((await organiser.patch('/workshops/shanghai', { body: { campaign: 'december' } })).body.campaign).toBe(
      'december',
    )
    expectFieldErrors(await organiser.patch('/workshops/shanghai', { body: { campaign: 'nowhere' } }), {
      campaign: 'not_found',
    })
  })

  test('rejects changes that are not allowed', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    await world.workshop({ slug: 'draft', publish: false })
    const patch = (slug: string, body: unknown) => organiser.patch(`/workshops/${slug}`, { body })
    expectProblem(await patch('shanghai', { slug: 'elsewhere' }), 409, 'slug_fixed')
    await patch('shanghai', { state: 'draft' })
    expectProblem(await patch('shanghai', { slug: 'elsewhere' }), 409, 'slug_fixed')
    await patch('shanghai', { state: 'published' })
    expectFieldErrors(await patch('shanghai', { opensAt: '2026-12-05T10:00', closesAt: '2026-12-05T09:00' }), {
      closesAt: 'closes_before_opening',
    })
    const full = await world.workshop({ slug: 'full' })
    await world.register(full)
    expectProblem(await patch('full', { state: 'draft' }), 409, 'has_registrations')
    expectProblem(await patch('draft', { slug: 'shanghai' }), 409, 'slug_taken')
    expect((await patch('draft', { slug: 'nanjing' })).body.slug).toBe('nanjing')
    expectProblem(await patch('nowhere', { capacity: 5 }), 404, 'not_found')
    expectFieldErrors(await patch('shanghai', { endsAt: '2026-12-01T00:00' }), { endsAt: 'ends_before_start' })
    expectFieldErrors(await patch('shanghai', { publish: 'yes' }), { publish: 'invalid' })
    expectFieldErrors(await patch('shanghai', { title: null, capacity: '5' }), {
      title: 'invalid',
      capacity: 'invalid',
    })
    await organiser.post('/workshops/shanghai/cancel')
    expectProblem(await patch('shanghai', { capacity: 50 }), 409, 'cancelled')
  })
})

describe('POST /workshops/:slug/cancel', () => {
  test('cancels a workshop permanently', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai' })
    await world.register(workshop)
    const cancelled = await organiser.post('/workshops/shanghai/cancel')
    expect(cancelled.status).toBe(200)
    expect(cancelled.body).toMatchObject({ state: 'cancelled', status: 'cancelled', seatsLeft: 2 })
    expectProblem(await organiser.post('/workshops/shanghai/cancel'), 409, 'already_cancelled')
  })

  test('rejects a workshop that is over, unknown, or a client that is not an organiser', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'past', startsAt: new Date('2026-11-01T01:30:00Z') })
    expectProblem(await organiser.post('/workshops/past/cancel'), 409, 'over')
    expectProblem(await organiser.post('/workshops/nowhere/cancel'), 404, 'not_found')
    expectProblem(await (await createApiClient(world, 'viewer')).post('/workshops/past/cancel'), 403, 'forbidden')
  })
})
