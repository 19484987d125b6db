import { gunzipSync } from 'node:zlib'
import { sql } from 'drizzle-orm'
import { expect, test, vi } from 'vitest'
import { createToken, listTokens, revokeToken } from '../../src/domain/organisers/organisers.ts'
import { ipPrefix } from '../../src/http/context.ts'
import { paths } from '../../src/http/links.ts'
import { createCache } from '../../src/lib/cache.ts'
import { rateLimits } from '../../src/server/runtime.ts'
import { openForm } from '../support/http/forms.ts'
import { joinPath, openDoorSession } from '../support/seeds/door.ts'
import { createWorld, type World } from '../support/world.ts'

const formHeaders = { 'Content-Type': 'application/x-www-form-urlencoded' }

test('every response has the security headers', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { ticket } = await world.register(workshop)
  for (const path of [
    '/',
    `/w/${workshop.slug}`,
    `/t/${ticket}`,
    '/nowhere',
    '/find',
    '/api/v1/workshops',
    '/api/docs',
  ]) {
    const { headers } = await world.request(path)
    const policy = headers.get('content-security-policy') ?? ''
    expect([path, policy]).toEqual([path, expect.stringContaining("default-src 'none'")])
    expect([path, /script-src[^;]*unsafe/.test(policy)]).toEqual([path, false])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('same-origin')
  }
  expect((await world.request('/')).headers.get('content-security-policy')).not.toContain('unsafe')
  expect((await world.request(`/t/${ticket}`)).headers.get('cache-control')).toBe('no-store')
})

test('forms from other sites are rejected, same-origin forms and forms without an origin are accepted', async () => {
  await using world = await createWorld({ env: { BASE_URL: 'https://workshops.example.com' } })
  const { ticket } = await world.register(await world.workshop())
  const post = async (headers: Record<string, string>) =>
    (await world.request(`/t/${ticket}/cancel`, { method: 'POST', headers: { ...formHeaders, ...headers }, body: '' }))
      .status
  expect(await post({ Origin: 'https://evil.example.com' })).toBe(403)
  expect(await post({ Origin: 'null' })).toBe(403)
  expect(await post({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
  expect(await post({ 'Sec-Fetch-Site': 'same-site', Origin: 'https://other.example.com' })).toBe(403)
  expect(await post({ Origin: 'https://workshops.example.com' })).toBe(303)
  const other = await world.register(await world.workshop())
  expect(
    (await world.request(`/t/${other.ticket}/cancel`, { method: 'POST', headers: formHeaders, body: '' })).status,
  ).toBe(303)
})

test('GET requests change nothing, so mail scanners may follow the links of a ticket', async () => {
  await using world = await createWorld()
  const { ticket } = await world.register(await world.workshop())
  for (const path of ['cancel', 'erase', 'calendar.ics', 'qr.png', 'data.json']) {
    expect((await world.request(`/t/${ticket}/${path}`)).status).toBe(200)
  }
  expect(await (await world.request(`/t/${ticket}`)).text()).toContain('/cancel')
})

test('a body over 64 KB is rejected on pages and in the API', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  const body = 'x'.repeat(70_000)
  expect((await world.request(`/w/${slug}`, { method: 'POST', headers: formHeaders, body })).status).toBe(413)
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'a-key-of-mine' }
  const response = await world.request(`/api/v1/workshops/${slug}/registrations`, { method: 'POST', headers, body })
  expect([response.status, await problemCode(response)]).toEqual([413, 'too_large'])
})

test('bodies are limited to 8 kB without a session, and to 1 MB in the console and 256 kB at the door with one', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { Cookie } = await world.signIn('viewer')
  const door = (await openDoorSession(world, workshop)).Cookie
  const status = async (path: string, bytes: number, headers: Record<string, string> = {}) => {
    const body = `name=${'x'.repeat(bytes - 'name='.length)}`
    const withLength = await world.request(path, { method: 'POST', headers: { ...formHeaders, ...headers }, body })
    // Without a Content-Length, sent in chunks: counted while read.
    const stream = new Blob([body]).stream()
    const init = { method: 'POST', headers: { ...formHeaders, ...headers }, body: stream, duplex: 'half' }
    const chunked = await world.request(path, init as RequestInit)
    expect([path, bytes, chunked.status]).toEqual([path, bytes, withLength.status])
    return withLength.status
  }
  const kB = 1024
  const join = joinPath(world, workshop)
  for (const path of [paths.signIn(), join]) {
    expect([path, await status(path, 8 * kB)]).toEqual([path, 422])
    expect([path, await status(path, 8 * kB + 1)]).toEqual([path, 413])
    // An unknown cookie is not a session.
    const unknownCookie = { Cookie: `baoming.session_token=${'x'.repeat(40)}; door=${'x'.repeat(43)}` }
    expect([path, await status(path, 8 * kB + 1, unknownCookie)]).toEqual([path, 413])
  }
  expect(await status(join, 256 * kB, { Cookie: door })).toBe(422)
  expect(await status(join, 256 * kB + 1, { Cookie: door })).toBe(413)
  expect(await status(paths.account(), 1024 * kB, { Cookie })).toBe(422)
  expect(await status(paths.account(), 1024 * kB + 1, { Cookie })).toBe(413)
  // Without a session the response is 401: the session may have ended while a long form was filled in.
  expect(await status(paths.account(), 1024 * kB)).toBe(401)
  const passkey = `${paths.auth()}/passkey/verify-authentication`
  const json = { 'Content-Type': 'application/json', Origin: 'http://localhost' }
  const sign = (bytes: number) => ({ response: { id: 'x'.repeat(bytes) } })
  const verify = async (bytes: number) =>
    (await world.request(passkey, { method: 'POST', headers: json, body: JSON.stringify(sign(bytes)) })).status
  expect([await verify(6 * kB), await verify(9 * kB)]).toEqual([400, 413])
})

test('forms are limited to 200 fields without a session and 2,000 with one, in either encoding', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { Cookie } = await world.signIn('viewer')
  const door = (await openDoorSession(world, workshop)).Cookie
  const status = async (path: string, fields: number, headers: Record<string, string> = {}) => {
    const names = ['name=', ...Array.from({ length: fields - 1 }, (_, n) => `f${n}=x`)]
    const encoded = await world.request(path, {
      method: 'POST',
      headers: { ...formHeaders, ...headers },
      body: names.join('&'),
    })
    const parts = new FormData()
    for (const name of names) parts.append(name.split('=')[0] ?? '', 'x'.repeat(100).slice(0, name === 'name=' ? 0 : 1))
    const multipart = await world.request(path, { method: 'POST', headers, body: parts })
    expect([path, fields, multipart.status]).toEqual([path, fields, encoded.status])
    return encoded.status
  }
  expect([await status('/find', 200), await status('/find', 201)]).toEqual([422, 413])
  const { slug } = workshop
  expect([await status(`/w/${slug}`, 200), await status(`/w/${slug}`, 201)]).toEqual([422, 413])
  const walkIn = paths.doorWalkIn()
  expect([await status(walkIn, 2_000, { Cookie: door }), await status(walkIn, 2_001, { Cookie: door })]).toEqual([
    422, 413,
  ])
  expect([await status(paths.account(), 2_000, { Cookie }), await status(paths.account(), 2_001, { Cookie })]).toEqual([
    422, 413,
  ])
  // A megabyte of fields, and a megabyte in few fields.
  const send = async (body: string) =>
    (await world.request(paths.account(), { method: 'POST', headers: { ...formHeaders, Cookie }, body })).status
  expect([
    await send('a&'.repeat(520_000)),
    await send(`a=${'x'.repeat(90_000)}&`.repeat(5).replaceAll('&a', '&b')),
  ]).toEqual([413, 422])
  const fiveFields = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}=${'x'.repeat(90_000)}`).join('&')
  expect(await send(fiveFields)).toBe(413)
})

test('forms are decoded as browsers encode them, with plus signs for spaces', async () => {
  await using world = await createWorld()
  const { Cookie } = await world.signIn('viewer')
  const body = 'name=%E6%9D%8E%2B+%E5%9B%9B++%26&x=+'
  await world.request(paths.account(), { method: 'POST', headers: { ...formHeaders, Cookie }, body })
  expect(await (await world.request(paths.account(), { headers: { Cookie } })).text()).toContain('value="李+ 四 &amp;"')
})

test('a NUL in a path or text does not cause a database error', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  for (const path of ['/w/%00', '/q/a%00', '/api/v1/workshops?city=%00', '/t/%00']) {
    expect([path, (await world.request(path)).status]).toEqual([path, 404])
  }
  const body = JSON.stringify({
    name: '王\u0000小\ud800明',
    email: 'a@example.com',
    company: '\u0000',
    consent: true,
    via: '\u0000',
  })
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'a-key-of-mine' }
  expect(
    (await world.request(`/api/v1/workshops/${slug}/registrations`, { method: 'POST', headers, body })).status,
  ).toBe(201)
})

test('unknown and revoked tokens return 401, and guessing is rate limited', async () => {
  await using world = await createWorld()
  const token = await createToken(world.deps, 'mine', 'organiser')
  const request = (bearer: string) =>
    world.request('/api/v1/workshops', { headers: { Authorization: `Bearer ${bearer}` } })
  expect((await request(token)).status).toBe(200)
  const [stored] = await listTokens(world.deps)
  await revokeToken(world.deps, stored?.id ?? '')
  const refused = await request(token)
  expect(refused.headers.get('www-authenticate')).toBe('Bearer')
  expect(await problemCode(refused)).toBe('unauthorized')
  const page = await world.request('/metrics')
  expect([page.status, page.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  for (let i = 1; i < rateLimits.token.points; i++) await request(`bm_guess_number_${i}_xxxxxxxxxxxx`)
  const slowed = await request('bm_one_guess_too_many_xxxxxxxxxx')
  expect([slowed.status, Number(slowed.headers.get('retry-after')) > 0]).toEqual([429, true])
})

test('ignores Authorization headers with a scheme other than Bearer', async () => {
  await using world = await createWorld()
  const headers = { Authorization: `Basic ${btoa('user:password')}` }
  expect((await world.request('/', { headers })).status).toBe(200)
  expect((await world.request('/metrics', { headers })).status).toBe(401)
})

test('a flood from one IP prefix is rate limited, other prefixes are not', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  const post = (peer: string) => world.request(`/w/${slug}`, { method: 'POST', headers: formHeaders, body: '' }, peer)
  for (let i = 0; i < rateLimits.register.points; i++) expect((await post(`10.1.2.${i % 250}`)).status).toBe(422)
  const flooded = await post('10.1.2.251')
  expect([flooded.status, Number(flooded.headers.get('retry-after')) > 0]).toEqual([429, true])
  expect((await post('10.1.3.1')).status).toBe(422)
}, 60_000)

test('X-Forwarded-For is trusted only for the configured number of proxies', async () => {
  // The warning is logged once per process.
  vi.resetModules()
  const refused = async (world: World, forwarded: (i: number) => string) => {
    let status = 0
    for (let i = 0; i <= rateLimits.find.points && status !== 429; i++) {
      const headers = { ...formHeaders, 'X-Forwarded-For': forwarded(i) }
      status = (await world.request('/find', { method: 'POST', headers, body: 'email=a@example.com' }, '10.0.0.1'))
        .status
    }
    return status === 429
  }
  await using open = await createWorld()
  expect(await refused(open, (i) => `203.0.${i}.1`)).toBe(true)
  expect(open.logEntries.filter(({ message }) => message.includes('TRUST_PROXY'))).toHaveLength(1)
  await using proxied = await createWorld({ env: { TRUST_PROXY: '1' } })
  expect(await refused(proxied, (i) => `203.0.${i}.1`)).toBe(false)
  // Entries left of the proxy's own are written by the client.
  expect(await refused(proxied, (i) => `203.0.${i}.1, 198.51.100.7`)).toBe(true)
})

test.each([
  ['192.0.2.77', '192.0.2'],
  ['::ffff:192.0.2.77', '192.0.2'],
  ['2001:db8:1:2345::1', '2001:0db8:0001:23'],
  ['2001:db8:1:23ff:9:9:9:9', '2001:0db8:0001:23'],
  ['::1', '0000:0000:0000:00'],
  ['fe80::1%eth0', 'fe80:0000:0000:00'],
  ['unknown', 'unknown'],
])('ipPrefix of %s is %s', (address, range) => {
  expect(ipPrefix(address)).toBe(range)
})

test('tickets, check-in codes, tokens and addresses are never logged', async () => {
  await using world = await createWorld({ env: { LOG_LEVEL: 'debug' } })
  const workshop = await world.workshop()
  const { ticket } = await world.register(workshop, { email: 'wang@example.com' })
  const token = await world.token('organiser')
  await world.request(`/t/${ticket}`)
  await world.request(`/t/${ticket}x`)
  await world.request('/find', { method: 'POST', headers: formHeaders, body: 'email=wang@example.com' })
  await world.request(`/api/v1/workshops/${workshop.slug}/registrations`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  const logged = JSON.stringify(world.logEntries)
  expect(logged).toContain('GET /t/:ticket')
  for (const secret of [ticket, token, 'wang@']) expect(logged).not.toContain(secret)
})

test('the language comes from the query, then the cookie, then the browser, then the default', async () => {
  await using world = await createWorld()
  const language = async (path: string, headers: Record<string, string> = {}) =>
    (await world.request(path, { headers })).headers.get('content-language')
  expect(await language('/')).toBe('zh-CN')
  expect(await language('/', { 'Accept-Language': 'fr-FR, en-GB;q=0.8, zh;q=0.5' })).toBe('en')
  expect(await language('/', { 'Accept-Language': 'zh-TW, en;q=0.5' })).toBe('zh-CN')
  expect(await language('/', { 'Accept-Language': 'en', Cookie: 'lang=zh-CN' })).toBe('zh-CN')
  expect(await language('/?lang=en', { Cookie: 'lang=zh-CN' })).toBe('en')
  expect(await language('/?lang=fr')).toBe('zh-CN')
  expect((await world.request('/?lang=en')).headers.get('set-cookie')).toMatch(/^lang=en; .*HttpOnly; SameSite=Lax$/)
  expect((await world.request('/')).headers.get('set-cookie')).toBeNull()
})

test('pages and assets are compressed on request with the same content', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  for (const path of [`/w/${slug}`, '/assets/site.css']) {
    const plain = await world.request(path)
    const compressed = await world.request(path, { headers: { 'Accept-Encoding': 'gzip' } })
    expect([path, plain.headers.get('content-encoding'), compressed.headers.get('content-encoding')]).toEqual([
      path,
      null,
      'gzip',
    ])
    const text = gunzipSync(await compressed.arrayBuffer()).toString()
    const form = /value="[0-9a-f-]{36}".*name="guard" value="[^"]*"/
    expect(text.replace(form, '')).toBe((await plain.text()).replace(form, ''))
  }
})

test('a cached page is identical to a rendered one', async () => {
  const { app } = await import('../../src/http/app.ts')
  await using world = await createWorld({ env: { BASE_URL: 'https://workshops.example.com' } })
  world.deps.cache = createCache(60_000)
  const { slug } = await world.workshop()
  const key = '11111111-2222-3333-4444-555555555555'
  const request = async (init: RequestInit, query = '') => {
    const env = { deps: world.deps, remoteAddress: '127.0.0.1' }
    const rendered = await app.request(`/w/${slug}${query}`, init, env)
    const cached = await world.request(`/w/${slug}${query}`, init)
    return Promise.all(
      [rendered, cached].map(async (response) => {
        const { 'set-cookie': cookie, ...headers } = Object.fromEntries(response.headers)
        const body = Buffer.from(await response.arrayBuffer())
        const text = (headers['content-encoding'] ? gunzipSync(body) : body).toString()
        return {
          status: response.status,
          headers,
          cookie: cookie?.replace(/key=[0-9a-f-]{36}/, 'key'),
          text: text.replace(/value="[0-9a-f-]{36}".*name="guard" value="[^"]*"/, ''),
          length: text.length,
        }
      }),
    )
  }
  for (const [init, query] of [
    [{}],
    [{ headers: { 'Accept-Language': 'en' } }],
    [{ headers: { Cookie: `lang=en; key=${key}` } }, '?via=poster'],
    [{ headers: { 'Accept-Encoding': 'gzip, br' } }],
    [{ headers: { Cookie: 'lang=en' } }, '?lang=zh'],
    [{ headers: { Authorization: 'Bearer of-a-token-that-nobody-has-made' } }],
    [{ method: 'HEAD' }],
  ] satisfies [RequestInit, string?][]) {
    const [rendered, cached] = await request(init, query)
    expect(cached).toEqual(rendered)
  }
  const page = await (await world.request(`/w/${slug}`, { headers: { Cookie: `key=${key}` } })).text()
  expect(page).toContain(key)
  expect((await world.request('/w/nowhere')).status).toBe(404)
})

test('GET of an asset returns 304 when the browser has it', async () => {
  await using world = await createWorld()
  for (const path of ['/assets/site.css', '/favicon.ico']) {
    const headers = { 'Accept-Encoding': 'gzip' }
    const first = await world.request(path, { headers })
    const etag = first.headers.get('etag') ?? ''
    const second = await world.request(path, { headers: { ...headers, 'If-None-Match': etag } })
    expect([path, second.status, await second.text()]).toEqual([path, 304, ''])
    expect(second.headers.get('cache-control')).toBe(first.headers.get('cache-control'))
    expect((await world.request(path, { headers: { 'If-None-Match': '"another"' } })).status).toBe(200)
  }
})

test('a form whose body does not match its content type returns 400', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { ticket } = await world.register(workshop)
  for (const path of [`/w/${workshop.slug}`, '/find', `/t/${ticket}/email`, `/t/${ticket}/move`]) {
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=x']) {
      const response = await world.request(path, { method: 'POST', headers: { 'Content-Type': type }, body: 'email=a' })
      expect([path, type, response.status]).toEqual([path, type, 400])
      expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    }
  }
})

test('the WeChat domain verification file is served, and no other', async () => {
  await using world = await createWorld({ env: { WECHAT_VERIFY: 'MP_verify_aBc123.txt' } })
  expect(await (await world.request('/MP_verify_aBc123.txt')).text()).toBe('aBc123')
  expect((await world.request('/MP_verify_other.txt')).status).toBe(404)
})

async function problemCode(response: Response): Promise<unknown> {
  return ((await response.json()) as { code: unknown }).code
}

test.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('an unexpected error is logged without user input, on $where', async ({ postgres }) => {
  await using world = await createWorld({ postgres })
  const { slug } = await world.workshop()
  await world.db.execute(sql`alter function register rename to register_no_more`)
  const input = { name: '王小明', email: 'wang.xm@example.com', phone: '+8613800138000' }
  const opened = await openForm(world, `/w/${slug}`)
  const pageResponse = await world.request(`/w/${slug}`, {
    method: 'POST',
    headers: formHeaders,
    body: new URLSearchParams({ ...opened, ...input, consent: 'yes' }).toString(),
  })
  const apiResponse = await world.request(`/api/v1/workshops/${slug}/registrations`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'another-key-of-mine' },
    body: JSON.stringify({ ...input, consent: true }),
  })
  expect([pageResponse.status, apiResponse.status]).toEqual([500, 500])
  const logged = JSON.stringify(world.logEntries)
  for (const personal of [...Object.values(input), 'wang', '13800138000']) expect(logged).not.toContain(personal)
  const errors = world.logEntries.filter(({ level }) => level === 'error')
  expect(errors.map(({ message }) => message)).toEqual(['internal error', 'internal error'])
  expect(errors[0]?.facts).toMatchObject({
    route: 'POST /w/:workshop',
    reason: expect.stringMatching(/^42883: function register\(.*\) does not exist/),
    stack: expect.stringContaining('registrations/batcher.ts'),
  })
})
