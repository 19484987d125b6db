import { desc } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { mails } from '../../../src/db/schema.ts'
import { cancelRegistration, eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import { createMailboxKey, createSignInCode } from '../../../src/domain/tickets/signed-tokens.ts'
import { mailSignInLink } from '../../../src/http/sign-in.ts'
import { renderStartupBanner } from '../../../src/server/startup-banner.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { mailPreviewCookie, requestMailPreview } from '../../support/mail/mail-preview.ts'
import { createWorld, type World } from '../../support/world.ts'

const previewPaths = ['/mailbox', '/mailbox/1', '/mailbox/1/html', '/mailbox/1/files/1']
const previewPath = (world: World) => `/mailbox?key=${createMailboxKey(world.deps.config.secret)}`

test('the startup banner prints a link with a key that opens the mailbox and is kept in a cookie', async () => {
  await using world = await createWorld()
  await world.register(await world.workshop(), { name: '王小明' })
  const printed =
    /http:\/\/localhost:3000\/mailbox\?key=[\w-]{22}(?= )/.exec(await renderStartupBanner(world.deps))?.[0] ?? ''
  expect(printed).toBe(`http://localhost:3000${previewPath(world)}`)
  const opened = await world.request(`${printed}&lang=en`)
  expect([opened.status, opened.headers.get('location')]).toEqual([302, '/mailbox?lang=en'])
  expect(opened.headers.get('cache-control')).toBe('no-store')
  const [cookie = '', ...attributes] = (opened.headers.getSetCookie()[0] ?? '').split('; ')
  expect(cookie).toBe(mailPreviewCookie(world))
  expect(attributes.toSorted()).toEqual(['HttpOnly', 'Max-Age=1209600', 'Path=/mailbox', 'SameSite=Lax'])
  for (const path of previewPaths) {
    expect((await world.request(`http://localhost:3000${path}`, { headers: { Cookie: cookie } })).status).toBe(200)
  }
})

test.each<[string, (world: World) => { query?: string; Cookie?: string }]>([
  ['without a key', () => ({})],
  ['with an empty key', () => ({ query: '?key=', Cookie: 'mailbox-3000=' })],
  ['with a wrong key', () => ({ query: `?key=${'x'.repeat(22)}` })],
  ['with a longer key', (world) => ({ query: `${previewPath(world).replace('/mailbox', '')}x` })],
  ['with the key of another secret', () => ({ query: `?key=${createMailboxKey('another secret')}` })],
  ['with a wrong key in the cookie', () => ({ Cookie: `mailbox-3000=${createMailboxKey('another secret')}` })],
  ['with the cookie of an owner', () => ({ Cookie: 'owner' })],
])('/mailbox %s returns 404 and names the command that prints the link', async (_, credentials) => {
  await using world = await createWorld()
  await world.register(await world.workshop(), { name: '王小明', email: 'wang@example.com' })
  const { query = '', Cookie = '' } = credentials(world)
  const headers = { Cookie: Cookie === 'owner' ? (await world.signIn('owner')).Cookie : Cookie }
  for (const path of previewPaths) {
    const response = await world.request(`http://localhost:3000${path}${query}`, { headers })
    const page = await response.text()
    expect([response.status, response.headers.getSetCookie()]).toEqual([404, []])
    expect(page).toContain('npm run cli -- mailbox')
    expect(page).not.toMatch(/王小明|wang@/)
  }
})

test('no page contains the mailbox key, not even for owners on localhost', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  const { Cookie } = await world.signIn('owner')
  const pages = ['/', `/w/${slug}`, '/find', '/console', '/console/mails', '/console/account', '/mailbox', '/nowhere']
  for (const path of pages) {
    const page = await (await world.request(path, { headers: { Cookie } })).text()
    expect(page).not.toContain(createMailboxKey(world.deps.config.secret))
    if (path === '/console/mails') expect(page).toContain('href="/mailbox"')
  }
})

test('the mailbox shows a sign-in mail without its link and names the command that prints one', async () => {
  await using world = await createWorld()
  await world.signIn('owner')
  await mailSignInLink(world.deps, 'owner-1@example.com')
  const { secret } = world.deps.config
  const [signInMail, , invitation] = await world.db.select().from(mails).orderBy(desc(mails.id))
  const code = createSignInCode(secret, signInMail?.uid ?? '')
  const list = await okText(requestMailPreview(world, '/mailbox'))
  expect(list).toContain(`href="/mailbox/${signInMail?.id}"`)
  for (const part of ['', '/html']) {
    const page = await okText(requestMailPreview(world, `/mailbox/${signInMail?.id}${part}`))
    expect(page).toContain('npm run cli -- organiser link owner-1@example.com')
    expect(page).not.toMatch(new RegExp(`${code}|/console/sign-in/`))
  }
  expect((await requestMailPreview(world, `/mailbox/${signInMail?.id}/files/1`)).status).toBe(404)
  // An invitation links to the page that requests a sign-in link.
  expect(await okText(requestMailPreview(world, `/mailbox/${invitation?.id}`))).toContain(
    '/console/sign-in?email=owner-1%40example.com',
  )
})

test('GET /mailbox lists the newest mails first with recipient, subject and state', async () => {
  await using world = await createWorld()
  expect(await okText(requestMailPreview(world, '/mailbox'))).toContain('还没有邮件')
  const workshop = await world.workshop({ capacity: 1 })
  await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
  await world.register(workshop, { name: '<b>李</b>', email: 'li@example.com' })
  const page = await okText(requestMailPreview(world, '/mailbox'))
  expect(page).toMatch(/留存.*已进入候补.*李.*li@example\.com.*留存.*报名成功.*王小明.*wang@example\.com/s)
  expect(page).toContain('href="/mailbox/2"')
  expect(page).not.toContain('<b>李')
  expect(await okText(requestMailPreview(world, '/mailbox?lang=en'))).toContain('held')
})

test('GET /mailbox has 50 mails per page and links to older ones', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 60 })
  for (let i = 0; i < 52; i++) await world.register(workshop)
  const page = await okText(requestMailPreview(world, '/mailbox'))
  expect(page.match(/href="\/mailbox\/\d+"/g)).toHaveLength(50)
  const [, older = ''] = /href="(\/mailbox\?before=\d+)"/.exec(page) ?? []
  expect((await okText(requestMailPreview(world, older))).match(/href="\/mailbox\/\d+"/g)).toEqual([
    'href="/mailbox/2"',
    'href="/mailbox/1"',
  ])
})

test('GET /mailbox/:id shows the mail and links to its attachments', async () => {
  await using world = await createWorld()
  const { ticket } = await world.register(await world.workshop(), { email: 'wang@example.com' })
  const page = await okText(requestMailPreview(world, '/mailbox/1'))
  expect(page).toContain(`http://localhost:3000/t/${ticket}`)
  expect(page).toContain('Auto-Submitted: auto-generated')
  expect(page).toContain('src="/mailbox/1/html"')
  const files = [...page.matchAll(/href="(\/mailbox\/1\/files\/\d)"/g)].map(([, path]) => path as string)
  const responses = await Promise.all(files.map((path) => requestMailPreview(world, path)))
  expect(responses.map((response) => response.headers.get('content-type'))).toEqual([
    'image/png',
    'image/png',
    'text/calendar; charset=utf-8; method=PUBLISH',
  ])
  expect(responses[1]?.headers.get('content-disposition')).toMatch(/^attachment; filename="ticket-.*\.png"$/)
  expect(decodeQr(new Uint8Array(await (responses[1] as Response).arrayBuffer()))).toContain('/in/')
})

test('GET /mailbox/:id/html is a sandboxed page that loads and runs nothing', async () => {
  await using world = await createWorld()
  await world.register(await world.workshop())
  const response = await requestMailPreview(world, '/mailbox/1/html')
  expect(response.headers.get('content-security-policy')).toBe(
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups",
  )
  expect(response.headers.get('cache-control')).toBe('no-store')
  const html = await response.text()
  expect(html).not.toContain('cid:')
  const [, picture = ''] = /src="data:image\/png;base64,([^"]+)"/.exec(html) ?? []
  expect(decodeQr(Buffer.from(picture, 'base64'))).toContain('/in/')
})

test('GET /mailbox/:id shows no content for a mail to an erased person', async () => {
  await using world = await createWorld()
  const { id } = await world.register(await world.workshop())
  await cancelRegistration(world.deps, id, 'organiser')
  await eraseRegistrations(world.deps, [id], 'attendee')
  for (const path of ['/mailbox', '/mailbox/1'])
    expect(await okText(requestMailPreview(world, path))).toContain('资料已经删除')
  expect((await requestMailPreview(world, '/mailbox/1/html')).status).toBe(404)
})

test.each(['/mailbox/2', '/mailbox/0', '/mailbox/x', '/mailbox/1e3', '/mailbox/1/files/9', '/mailbox/1/files/x'])(
  '%s returns 404',
  async (path) => {
    await using world = await createWorld()
    await world.register(await world.workshop())
    expect((await requestMailPreview(world, path)).status).toBe(404)
  },
)

/** Headers that nginx, Apache, HAProxy, Envoy, Caddy, Traefik, tunnels and CDNs add. */
const forwardingHeaders = [
  ...['Forwarded', 'Via', 'CDN-Loop', 'X-Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto'],
  ...['X-Forwarded-Port', 'X-Forwarded-Server', 'X-Forwarded-Client-Cert', 'X-Real-IP', 'X-Client-IP', 'Client-IP'],
  ...['True-Client-IP', 'CF-Connecting-IP', 'CF-Ray', 'CF-Visitor', 'Fastly-Client-IP', 'Fly-Client-IP'],
  ...['X-Cluster-Client-IP', 'Proxy-Client-IP', 'WL-Proxy-Client-IP', 'Ali-CDN-Real-IP', 'X-Azure-ClientIP'],
  ...['X-Original-For', 'X-Original-Forwarded-For', 'X-Original-Host', 'X-Original-URI', 'X-Remote-IP'],
  ...['X-Envoy-External-Address', 'X-Envoy-Expected-Rq-Timeout-Ms', 'X-Amzn-Trace-Id', 'X-Amz-Cf-Id', 'X-ARR-SSL'],
  ...['X-AppEngine-User-IP', 'X-ProxyUser-IP', 'X-Request-ID', 'X-Scheme', 'X-Host', 'X-Varnish'],
  ...['Tailscale-User-Login', 'Akamai-Origin-Hop'],
]

test.each<[string, string, RequestInit, string]>([
  ['over the network', 'http://localhost:3000', {}, '192.168.1.7'],
  ['by another host name', 'http://evil.example:3000', {}, '127.0.0.1'],
  ...forwardingHeaders.map((name): [string, string, RequestInit, string] => [
    `through a proxy that adds ${name}`,
    'http://localhost:3000',
    { headers: { [name]: '127.0.0.1' } },
    '127.0.0.1',
  ]),
])('the mailbox returns 404 %s, even with its key', async (_, origin, { headers }, peer) => {
  await using world = await createWorld()
  await world.register(await world.workshop())
  const init = { headers: { ...headers, Cookie: mailPreviewCookie(world) } }
  for (const path of [...previewPaths, previewPath(world)]) {
    const response = await world.request(`${origin}${path}`, init, peer)
    expect([path, response.status]).toEqual([path, 404])
    expect(await response.text()).not.toContain('npm run')
  }
})

test.each([
  ...['Accept', 'Accept-Language', 'Authorization', 'Cache-Control', 'DNT', 'Origin', 'Purpose', 'Referer', 'Sec-GPC'],
  ...['Sec-Fetch-Site', 'Upgrade-Insecure-Requests', 'User-Agent', 'X-Edge-Shopping-Flag', 'X-Requested-With'],
])('the mailbox opens in a browser that sends %s', async (name) => {
  await using world = await createWorld()
  const value = name === 'Authorization' ? 'Basic eDp5' : 'x'
  expect((await requestMailPreview(world, '/mailbox', { headers: { [name]: value } })).status).toBe(200)
})

test.each<[string, Record<string, string>, number]>([
  ['with another host name', { BASE_URL: 'https://workshops.example.com' }, 404],
  ['with a LAN address on another port', { BASE_URL: 'http://192.168.1.20' }, 404],
  ['with a public IP address', { BASE_URL: 'http://203.0.113.9:3000' }, 404],
  ['with a mail server', { SMTP_URL: 'smtp://localhost:2525', MAIL_FROM: 'a@example.com' }, 404],
  ['on a LAN address', { BASE_URL: 'http://192.168.1.20:3000' }, 200],
  ['on localhost', { BASE_URL: 'http://127.0.0.1:3000' }, 200],
])('behind a proxy without forwarding headers, the mailbox of a service %s (%j) returns %i', async (_, env, status) => {
  await using world = await createWorld({ env })
  await world.register(await world.workshop())
  for (const path of previewPaths)
    expect([path, (await requestMailPreview(world, path)).status]).toEqual([path, status])
  expect((await renderStartupBanner(world.deps)).includes('/mailbox')).toBe(status === 200)
})

test('the mailbox returns 404 on a database server', async () => {
  await using world = await createWorld({ postgres: true })
  await world.register(await world.workshop())
  for (const path of previewPaths) expect((await requestMailPreview(world, path)).status).toBe(404)
})

async function okText(result: Promise<Response>): Promise<string> {
  expect((await result).status).toBe(200)
  return (await result).text()
}
