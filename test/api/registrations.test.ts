import { describe, expect, test } from 'vitest'
import { admitWalkIn, seatDoorQueue } from '../../src/domain/door/walk-ins.ts'
import { type ApiClient, createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { openDoorSession } from '../support/seeds/door.ts'
import { createWorld, type World } from '../support/world.ts'

const person = { name: '王小明', email: 'wang@example.com', consent: true }

let keyCount = 0
const newKey = () => `a-key-of-the-tests-${++keyCount}`

function signUp(client: ApiClient, slug: string, body: unknown = person, key = newKey(), query = '') {
  return client.post(`/workshops/${slug}/registrations${query}`, { body, headers: { 'Idempotency-Key': key } })
}

/** All stored registrations, in order of sign-up. */
const storedRegistrations = (world: World) =>
  world.db.query.registrations.findMany({ orderBy: (row, { asc }) => asc(row.seq) })

describe('POST /workshops/:slug/registrations', () => {
  test('returns a seat, then waitlist places, each with a ticket', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai', capacity: 1 })

    const first = await signUp(anonymous, 'shanghai')
    expect(first.status).toBe(201)
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(first.body).toEqual({
      id: expect.any(String),
      status: 'confirmed',
      position: null,
      ticketUrl: expect.stringMatching(/^http:\/\/localhost:3000\/t\/[\w-]{44}$/),
    })
    const second = await signUp(anonymous, 'shanghai', { ...person, email: 'li@example.com' })
    expect(second.status).toBe(201)
    expect(second.body).toMatchObject({ status: 'waitlisted', position: 1 })
    const third = await signUp(anonymous, 'shanghai', { ...person, email: 'zhao@example.com' })
    expect(third.body).toMatchObject({ status: 'waitlisted', position: 2 })

    const ticket = await world.request(new URL(first.body.ticketUrl).pathname)
    expect(ticket.status).toBe(200)
  })

  test('stores normalized values', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({
      slug: 'shanghai',
      items: [{ kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true }],
    })
    const item = workshop.items[0]?.id as string
    const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: 'poster' } })
    const { status } = await signUp(anonymous, 'shanghai', {
      name: ' 王\u3000小明\n',
      email: ' Wang@Example.com ',
      phone: '１３８ 0013 8000',
      company: '睿赛德',
      locale: 'en',
      via: link.code,
      ready: { [item]: true, '00000000-0000-7000-8000-00000000ffff': true },
      consent: true,
    })
    expect(status).toBe(201)
    expect(await storedRegistrations(world)).toMatchObject([
      {
        name: '王 小明',
        email: 'Wang@Example.com',
        phone: '+8613800138000',
        company: '睿赛德',
        locale: 'en',
        linkCode: link.code,
        ready: { [item]: true },
      },
    ])
  })

  test('uses the language of the request for mails when no locale is given', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    await signUp(anonymous, 'shanghai', person, newKey(), '?lang=en')
    await signUp(anonymous, 'shanghai', { ...person, email: 'li@example.com' })
    expect(await storedRegistrations(world)).toMatchObject([{ locale: 'en' }, { locale: 'zh-CN' }])
  })

  test('returns the first result when repeated with the same key, and stores it once', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    const first = await signUp(anonymous, 'shanghai', person, 'the-same-key')
    const again = await signUp(anonymous, 'shanghai', person, 'the-same-key')
    expect(again.status).toBe(201)
    expect(again.body).toEqual(first.body)
    expect(await storedRegistrations(world)).toHaveLength(1)
  })

  test('rejects another sign-up under the same key, but accepts the key in another workshop', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    await world.workshop({ slug: 'nanjing' })
    await signUp(anonymous, 'shanghai', person, 'the-same-key')
    const other = { ...person, name: '李雷', email: 'li@example.com' }
    expectProblem(await signUp(anonymous, 'shanghai', other, 'the-same-key'), 409, 'idempotency_mismatch')
    expect((await signUp(anonymous, 'nanjing', person, 'the-same-key')).status).toBe(201)
    expect(await storedRegistrations(world)).toHaveLength(2)
  })

  test('returns already_registered without personal data for a registered address', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    const { body: first } = await signUp(anonymous, 'shanghai')
    const refused = await signUp(anonymous, 'shanghai', { ...person, email: 'WANG@example.com' })
    const body = expectProblem(refused, 409, 'already_registered')
    expect(Object.keys(body).sort()).toEqual(['code', 'detail', 'status', 'title', 'type'])
    expect(JSON.stringify(body)).not.toContain(first.id)
  })

  test('rejects a workshop that is full, not open, closed, cancelled or over', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const organiser = await createApiClient(world, 'organiser')
    await world.register(await world.workshop({ slug: 'full', capacity: 1, waitlist: false }))
    await world.workshop({ slug: 'upcoming', opensAt: new Date('2026-12-02T00:00:00Z') })
    await world.workshop({ slug: 'closed', closesAt: new Date('2026-11-30T00:00:00Z') })
    await world.workshop({ slug: 'shut' })
    await organiser.patch('/workshops/shut', { body: { state: 'closed' } })
    await world.workshop({ slug: 'cancelled' })
    await organiser.post('/workshops/cancelled/cancel')
    await world.workshop({ slug: 'over', startsAt: new Date('2026-11-01T01:30:00Z') })
    for (const [slug, code] of [
      ['full', 'full'],
      ['upcoming', 'not_open'],
      ['closed', 'closed'],
      ['shut', 'closed'],
      ['cancelled', 'cancelled'],
      ['over', 'closed'],
    ] as const) {
      expectProblem(await signUp(anonymous, slug), 409, code)
    }
    expect(await storedRegistrations(world)).toHaveLength(1)
  })

  test('describes a refusal in the language of the request', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'closed', closesAt: new Date('2026-11-30T00:00:00Z') })
    const detail = async (query: string) => (await signUp(anonymous, 'closed', person, newKey(), query)).body.detail
    expect(await detail('')).toMatch('报名已经截止')
    expect(await detail('?lang=en')).toMatch('Registration has closed')
  })

  test('returns 404 for an unknown or unpublished workshop, before validation', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'draft', publish: false })
    for (const slug of ['draft', 'nowhere', 'A%20B']) {
      expectProblem(await signUp(anonymous, slug), 404, 'not_found')
      expectProblem(await signUp(anonymous, slug, {}), 404, 'not_found')
    }
  })

  test.each([
    ['name', undefined, 'missing'],
    ['name', ' \u3000', 'missing'],
    ['name', 5, 'invalid'],
    ['name', 'x'.repeat(81), 'too_long'],
    ['name', 'win at example.com', 'web_address'],
    ['name', 'win prize evil.de', 'web_address'],
    ['company', 'ｅｖｉｌ。ｃｏｍ', 'web_address'],
    ['email', undefined, 'missing'],
    ['email', '', 'missing'],
    ['email', 'wang', 'email_invalid'],
    ['email', 'wang@example.com, li@example.com', 'email_invalid'],
    ['email', ['wang@example.com'], 'invalid'],
    ['phone', '12345', 'phone_invalid'],
    ['phone', '1'.repeat(41), 'too_long'],
    ['phone', '1'.repeat(50_000), 'too_long'],
    ['email', `${'x'.repeat(243)}@example.com`, 'too_long'],
    ['name', `e${'\u0301\u0323'.repeat(10_000)}`, 'too_long'],
    ['company', ' '.repeat(481), 'too_long'],
    ['phone', 13800138000, 'invalid'],
    ['company', 'x'.repeat(121), 'too_long'],
    ['company', 'https://example.com', 'web_address'],
    ['locale', 'fr', 'invalid'],
    ['via', 5, 'invalid'],
    ['ready', 'yes', 'invalid'],
    ['ready', Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, true])), 'too_long'],
    ['ready', Object.fromEntries(Array.from({ length: 6_000 }, (_, n) => [n, 0])), 'too_long'],
    ['consent', undefined, 'consent_missing'],
    ['consent', false, 'consent_missing'],
    ['consent', 'true', 'consent_missing'],
    ['wechat', 'wang', 'unknown_field'],
    ['constructor', 'x', 'unknown_field'],
  ])('rejects %s: %j as %s', async (field, value, code) => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, [field]: value }), { [field]: code })
    expect(await storedRegistrations(world)).toEqual([])
  })

  test('names at most 50 invalid fields and truncates long field names', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`field${n}`, 0]))
    const { errors } = expectProblem(await signUp(anonymous, 'shanghai', { ...person, ...many }), 422, 'invalid')
    expect(errors).toHaveLength(50)
    expect(errors[49]).toMatchObject({ field: 'field49', code: 'unknown_field' })
    const long = await signUp(anonymous, 'shanghai', {
      ...person,
      ['名'.repeat(10_000)]: 0,
      ready: { ['x'.repeat(9_000)]: true },
    })
    const named = expectProblem(long, 422, 'invalid').errors.map(({ field }: { field: string }) => field)
    expect(named).toEqual([`ready.${'x'.repeat(93)}…`, `${'名'.repeat(99)}…`])
    expect(await storedRegistrations(world)).toEqual([])
  })

  test("reports all errors at once, including the key and the workshop's requirements", async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai', phone: 'required' })
    const body = { email: 'wang', ready: { laptop: true }, wechat: 'wang' }
    expectFieldErrors(await anonymous.post('/workshops/shanghai/registrations', { body }), {
      'Idempotency-Key': 'missing',
      name: 'missing',
      email: 'email_invalid',
      phone: 'missing',
      'ready.laptop': 'invalid',
      consent: 'consent_missing',
      wechat: 'unknown_field',
    })
    expectFieldErrors(await signUp(anonymous, 'shanghai', { ...person, phone: '' }), { phone: 'missing' })
  })

  test.each(['short', 'x'.repeat(201), 'with a space in it', 'späßchen-schlüssel'])(
    'rejects the key %j',
    async (key) => {
      await using world = await createWorld()
      const anonymous = await createApiClient(world)
      await world.workshop({ slug: 'shanghai' })
      expectFieldErrors(await signUp(anonymous, 'shanghai', person, key), { 'Idempotency-Key': 'key_invalid' })
    },
  )

  test.each(['12345678', 'x'.repeat(200), '"0f4f7f0e-2a57-4f6c-9a35-6f2f6e0f3b8b"', '!~#$%&/()=?'])(
    'accepts the key %j',
    async (key) => {
      await using world = await createWorld()
      const anonymous = await createApiClient(world)
      await world.workshop({ slug: 'shanghai' })
      expect((await signUp(anonymous, 'shanghai', person, key)).status).toBe(201)
    },
  )

  test('neither requires nor stores a phone number where the workshop does not ask for one', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai', phone: 'no' })
    expect((await signUp(anonymous, 'shanghai', { ...person, phone: '13800138000' })).status).toBe(201)
    expect(await storedRegistrations(world)).toMatchObject([{ phone: null }])
  })

  test('accepts characters that databases reject, and unknown link codes', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    const odd = { ...person, name: '王\ud83d\u0000小明', company: '\udc00 公司', via: 'a\u0000\ud83d' }
    expect((await signUp(anonymous, 'shanghai', odd)).status).toBe(201)
    expect(await storedRegistrations(world)).toMatchObject([
      { name: '王\ufffd 小明', company: '\ufffd 公司', linkCode: null },
    ])
  })

  test('rejects a body that is not an object, not JSON, has another content type or is too large', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    for (const body of ['null', '"x"', '5', '[]']) {
      expectProblem(await signUp(anonymous, 'shanghai', body), 422, 'invalid')
    }
    expectProblem(await signUp(anonymous, 'shanghai', '{"name":'), 400, 'malformed_json')
    const form = {
      body: 'name=x&consent=true',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Idempotency-Key': newKey() },
    }
    expectProblem(await anonymous.post('/workshops/shanghai/registrations', form), 415, 'unsupported_media_type')
    expectProblem(await signUp(anonymous, 'shanghai', { ...person, name: 'x'.repeat(70_000) }), 413, 'too_large')
  })

  test('returns 429 with Retry-After when rate limited', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    const limitedKeys: string[] = []
    world.deps.rateLimit = async (bucket, key) => {
      limitedKeys.push(`${bucket} ${key}`)
      return { ok: false, retryAfter: 42 }
    }
    const refused = await signUp(anonymous, 'shanghai')
    expectProblem(refused, 429, 'too_many_requests')
    expect(refused.headers.get('retry-after')).toBe('42')
    expect(limitedKeys).toEqual(['register 127.0.0'])
    expect(await storedRegistrations(world)).toEqual([])
  })

  test('returns 503 with Retry-After while the database is unavailable', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    await world.workshop({ slug: 'shanghai' })
    world.deps.registrationBatcher = () =>
      Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
    const refused = await signUp(anonymous, 'shanghai')
    expectProblem(refused, 503, 'unavailable')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('GET /workshops/:slug/registrations', () => {
  test("lists registrations in order of sign-up, with times in the workshop's time zone", async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1 })
    const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: 'AI newsletter' } })
    const item = '00000000-0000-7000-8000-0000000000aa'
    const first = await world.register(workshop, {
      name: '王小明',
      email: 'wang@example.com',
      phone: '+8613800138000',
      company: '睿赛德',
      via: link.code,
      ready: { [item]: false },
    })
    world.clock.advance({ minutes: 5 })
    const second = await world.register(workshop, { name: '李雷', email: 'li@example.com', locale: 'en' })
    world.clock.advance({ minutes: 5 })
    await organiser.post(`/registrations/${first.id}/cancel`)

    const { status, body, headers } = await organiser.get('/workshops/shanghai/registrations')
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(body).toEqual({
      items: [
        {
          id: first.id,
          seq: 1,
          status: 'cancelled',
          position: null,
          name: '王小明',
          email: 'wang@example.com',
          phone: '+8613800138000',
          phoneShared: false,
          company: '睿赛德',
          locale: 'zh-CN',
          channel: 'AI newsletter',
          walkIn: false,
          ready: { [item]: false },
          createdAt: '2026-12-01T10:00:00+08:00',
          seatedAt: '2026-12-01T10:00:00+08:00',
          offeredUntil: null,
          cancelledAt: '2026-12-01T10:10:00+08:00',
          cancelledBy: 'organiser',
          consentVersion: expect.any(String),
          erased: false,
        },
        {
          id: second.id,
          seq: 2,
          status: 'confirmed',
          position: null,
          name: '李雷',
          email: 'li@example.com',
          phone: null,
          phoneShared: false,
          company: null,
          locale: 'en',
          channel: null,
          walkIn: false,
          ready: {},
          createdAt: '2026-12-01T10:05:00+08:00',
          seatedAt: '2026-12-01T10:10:00+08:00',
          offeredUntil: null,
          cancelledAt: null,
          cancelledBy: null,
          consentVersion: expect.any(String),
          erased: false,
        },
      ],
    })
  })

  test('marks walk-ins and no-shows', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1, graceMinutes: 15 })
    await world.register(workshop, { email: 'wang@example.com' })
    const { actor } = await openDoorSession(world, workshop)
    world.clock.set(workshop.startsAt)
    const at = world.clock.now()
    const arrived = await admitWalkIn(world.deps, actor, { name: '张三', phone: undefined }, crypto.randomUUID(), at)
    expect(arrived.outcome).toBe('standing')
    world.clock.advance({ minutes: 16 })
    await seatDoorQueue(world.deps, actor)

    expect((await organiser.get('/workshops/shanghai/registrations')).body.items).toMatchObject([
      { email: 'wang@example.com', status: 'cancelled', cancelledBy: 'absence', walkIn: false },
      { name: '张三', email: '', phone: null, status: 'confirmed', channel: null, walkIn: true, erased: false },
    ])
  })

  test('filters by status and includes waitlist positions', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1 })
    for (let n = 0; n < 3; n++) await world.register(workshop)
    const { body } = await organiser.get('/workshops/shanghai/registrations?status=waitlisted')
    expect(body.items).toMatchObject([
      { seq: 2, position: 1 },
      { seq: 3, position: 2 },
    ])
    expectFieldErrors(await organiser.get('/workshops/shanghai/registrations?status=present'), { status: 'invalid' })
  })

  test('returns pages of 100 with a cursor', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 101 })
    await Promise.all(Array.from({ length: 101 }, () => world.register(workshop)))
    const first = await organiser.get('/workshops/shanghai/registrations')
    expect(first.body.items).toHaveLength(100)
    const second = await organiser.get(`/workshops/shanghai/registrations?cursor=${first.body.next}`)
    expect(second.body.items).toMatchObject([{ seq: 101 }])
    expect(second.body).not.toHaveProperty('next')
    expectFieldErrors(await organiser.get('/workshops/shanghai/registrations?cursor=x'), { cursor: 'invalid' })
  })

  test('marks a phone number shared by two registrations', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 5 })
    const phone = '+8613800138000'
    await world.register(workshop, { phone })
    const again = await world.register(workshop, { phone })
    await world.register(workshop, { phone: '+8613900139000' })
    await world.register(workshop)
    await world.register(workshop)
    const shared = async () => {
      const { body } = await organiser.get('/workshops/shanghai/registrations')
      return body.items.map((line: { phoneShared: boolean }) => line.phoneShared)
    }
    expect(await shared()).toEqual([true, true, false, false, false])
    await organiser.post(`/registrations/${again.id}/cancel`)
    expect(await shared()).toEqual([false, false, false, false, false])
  })

  test('requires an organiser', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai' })
    for (const path of ['registrations', 'registrations.csv', 'registrations.xlsx']) {
      const at = `/workshops/shanghai/${path}`
      expectProblem(await (await createApiClient(world)).get(at), 401, 'unauthorized')
      expectProblem(await (await createApiClient(world, 'viewer')).get(at), 403, 'forbidden')
      expect((await (await createApiClient(world, 'owner')).get(at)).status).toBe(200)
      expectProblem(await (await createApiClient(world, 'owner')).get(`/workshops/nowhere/${path}`), 404, 'not_found')
    }
  })
})

describe('POST /registrations/:id/cancel', () => {
  test('cancels and gives the seat to the next on the waitlist', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1 })
    const first = await world.register(workshop)
    await world.register(workshop)
    const { status, body } = await organiser.post(`/registrations/${first.id}/cancel`)
    expect(status).toBe(200)
    expect(body).toEqual({ id: first.id, status: 'cancelled' })
    expect(await storedRegistrations(world)).toMatchObject([
      { status: 'cancelled', cancelledBy: 'organiser' },
      { status: 'confirmed' },
    ])
    expectProblem(await organiser.post(`/registrations/${first.id}/cancel`), 409, 'already_cancelled')
  })

  test('returns 404 for an unknown id', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    for (const id of ['00000000-0000-7000-8000-00000000ffff', '5', "'"]) {
      expectProblem(await organiser.post(`/registrations/${id}/cancel`), 404, 'not_found')
    }
  })

  test('requires an organiser', async () => {
    await using world = await createWorld()
    const { id } = await world.register(await world.workshop())
    expectProblem(await (await createApiClient(world)).post(`/registrations/${id}/cancel`), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).post(`/registrations/${id}/cancel`), 403, 'forbidden')
  })
})

describe('DELETE /registrations/:id', () => {
  test('erases the person, releases the seat and keeps an anonymous row', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1 })
    const first = await world.register(workshop, { name: '王小明', phone: '+8613800138000' })
    const second = await world.register(workshop)
    const { status, body } = await organiser.delete(`/registrations/${first.id}`)
    expect(status).toBe(204)
    expect(body).toBe('')
    const list = await organiser.get('/workshops/shanghai/registrations')
    expect(list.body.items).toMatchObject([
      { id: first.id, status: 'cancelled', name: '', email: '', phone: null, company: null, ready: {}, erased: true },
      { id: second.id, status: 'confirmed', erased: false },
    ])
    expectProblem(await organiser.delete(`/registrations/${first.id}`), 404, 'not_found')
  })

  test('returns 404 for an unknown id and requires an organiser', async () => {
    await using world = await createWorld()
    const { id } = await world.register(await world.workshop())
    const organiser = await createApiClient(world, 'organiser')
    for (const other of ['00000000-0000-7000-8000-00000000ffff', 'x']) {
      expectProblem(await organiser.delete(`/registrations/${other}`), 404, 'not_found')
    }
    expectProblem(await (await createApiClient(world)).delete(`/registrations/${id}`), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).delete(`/registrations/${id}`), 403, 'forbidden')
    expect(await storedRegistrations(world)).toMatchObject([{ erasedAt: null }])
  })
})
