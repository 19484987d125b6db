import { expect, test } from 'vitest'
import { cancelRegistration, forgetPeople } from '../../src/domain/seats.ts'
import { greeting } from '../../src/greeting.ts'
import { openPage } from '../support/browser.ts'
import { readQr } from '../support/qr.ts'
import { createWorld, type World } from '../support/world.ts'

const ask = (world: World, path: string, init: RequestInit = {}, peer?: string) =>
  world.request(`http://localhost:3000${path}`, init, peer)

test('GET /mailbox lists the mails, the newest first, with recipient, subject and state', async () => {
  await using world = await createWorld()
  expect(await text(ask(world, '/mailbox'))).toContain('还没有邮件')
  const workshop = await world.workshop({ capacity: 1 })
  await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
  await world.register(workshop, { name: '<b>李</b>', email: 'li@example.com' })
  const page = await text(ask(world, '/mailbox'))
  expect(page).toMatch(/留存.*已进入候补.*李.*li@example\.com.*留存.*报名成功.*王小明.*wang@example\.com/s)
  expect(page).toContain('href="/mailbox/2"')
  expect(page).not.toContain('<b>李')
  expect(await text(ask(world, '/mailbox?lang=en'))).toContain('held')
})

test('GET /mailbox goes on to older mails after fifty', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 60 })
  for (let i = 0; i < 52; i++) await world.register(workshop)
  const page = await text(ask(world, '/mailbox'))
  expect(page.match(/href="\/mailbox\/\d+"/g)).toHaveLength(50)
  const [, older = ''] = /href="(\/mailbox\?before=\d+)"/.exec(page) ?? []
  expect((await text(ask(world, older))).match(/href="\/mailbox\/\d+"/g)).toEqual([
    'href="/mailbox/2"',
    'href="/mailbox/1"',
  ])
})

test('GET /mailbox/:id shows what would be sent, and offers its attachments', async () => {
  await using world = await createWorld()
  const { ticket } = await world.register(await world.workshop(), { email: 'wang@example.com' })
  const page = await text(ask(world, '/mailbox/1'))
  expect(page).toContain(`http://localhost:3000/t/${ticket}`)
  expect(page).toContain('Auto-Submitted: auto-generated')
  expect(page).toContain('src="/mailbox/1/html"')
  const files = [...page.matchAll(/href="(\/mailbox\/1\/files\/\d)"/g)].map(([, path]) => path as string)
  const answers = await Promise.all(files.map((path) => ask(world, path)))
  expect(answers.map((answer) => answer.headers.get('content-type'))).toEqual([
    'image/png',
    'image/png',
    'text/calendar; charset=utf-8; method=PUBLISH',
  ])
  expect(answers[1]?.headers.get('content-disposition')).toMatch(/^attachment; filename="ticket-.*\.png"$/)
  expect(readQr(new Uint8Array(await (answers[1] as Response).arrayBuffer()))).toContain('/in/')
})

test('GET /mailbox/:id/html is a page of its own that can load nothing and run nothing', async () => {
  await using world = await createWorld()
  await world.register(await world.workshop())
  const answer = await ask(world, '/mailbox/1/html')
  expect(answer.headers.get('content-security-policy')).toBe(
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups",
  )
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const html = await answer.text()
  expect(html).not.toContain('cid:')
  const [, picture = ''] = /src="data:image\/png;base64,([^"]+)"/.exec(html) ?? []
  expect(readQr(Buffer.from(picture, 'base64'))).toContain('/in/')
})

test('the mail is visible in its frame in a real browser, under the policies that are really sent', async () => {
  await using world = await createWorld()
  await world.register(await world.workshop())
  await using page = await openPage({ width: 800 })
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  await page.route('**/*', async (route) => {
    const answer = await world.request(route.request().url())
    await route.fulfill({
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    })
  })
  await page.goto('http://localhost:3000/mailbox/1')
  const mail = page.frameLocator('iframe')
  await mail.getByRole('heading', { name: '报名成功' }).waitFor()
  expect(await mail.getByRole('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(200)
  expect(await mail.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor)).toBe(
    'rgb(251, 250, 247)',
  )
  expect(complaints).toEqual([])
})

test('a mail of a person who was erased shows that there is nothing left to show', async () => {
  await using world = await createWorld()
  const { id } = await world.register(await world.workshop())
  await cancelRegistration(world.deps, id, 'organiser')
  await forgetPeople(world.deps, [id], 'attendee')
  for (const path of ['/mailbox', '/mailbox/1']) expect(await text(ask(world, path))).toContain('资料已经删除')
  expect((await ask(world, '/mailbox/1/html')).status).toBe(404)
})

test.each(['/mailbox/2', '/mailbox/0', '/mailbox/x', '/mailbox/1e3', '/mailbox/1/files/9', '/mailbox/1/files/x'])(
  '%s is not there',
  async (path) => {
    await using world = await createWorld()
    await world.register(await world.workshop())
    expect((await ask(world, path)).status).toBe(404)
  },
)

test.each<[string, string, RequestInit, string]>([
  ['over the network', 'http://localhost:3000', {}, '192.168.1.7'],
  ['through a proxy', 'http://localhost:3000', { headers: { 'X-Forwarded-For': '127.0.0.1' } }, '127.0.0.1'],
  ['through a proxy that says so', 'http://localhost:3000', { headers: { Forwarded: 'for=127.0.0.1' } }, '127.0.0.1'],
  ['by a foreign name', 'http://evil.example:3000', {}, '127.0.0.1'],
])('nobody sees the mailbox %s', async (_, origin, init, peer) => {
  await using world = await createWorld()
  await world.register(await world.workshop())
  for (const path of ['/mailbox', '/mailbox/1', '/mailbox/1/html', '/mailbox/1/files/0']) {
    expect((await world.request(`${origin}${path}`, init, peer)).status).toBe(404)
  }
})

test.each<[string, Record<string, string>, number]>([
  ['whose address is another', { BASE_URL: 'https://workshops.example.com' }, 404],
  ['whose address is one of the network, where another server answers', { BASE_URL: 'http://192.168.1.20' }, 404],
  ['whose address is one of the internet', { BASE_URL: 'http://203.0.113.9:3000' }, 404],
  ['that sends its mails', { SMTP_URL: 'smtp://localhost:2525', MAIL_FROM: 'a@example.com' }, 404],
  ['in the network of a phone', { BASE_URL: 'http://192.168.1.20:3000' }, 200],
  ['on this machine', { BASE_URL: 'http://127.0.0.1:3000' }, 200],
])('behind a proxy that forwards no headers, the mailbox of a service %s: %j answers %i', async (_, env, status) => {
  await using world = await createWorld({ env })
  await world.register(await world.workshop())
  for (const path of ['/mailbox', '/mailbox/1', '/mailbox/1/html', '/mailbox/1/files/1']) {
    expect([path, (await ask(world, path)).status]).toEqual([path, status])
  }
  expect((await greeting(world.deps)).includes('/mailbox')).toBe(status === 200)
})

test('there is no mailbox on a server with a database of its own', async () => {
  await using world = await createWorld({ postgres: true })
  await world.register(await world.workshop())
  for (const path of ['/mailbox', '/mailbox/1', '/mailbox/1/html', '/mailbox/1/files/0']) {
    expect((await ask(world, path)).status).toBe(404)
  }
})

async function text(answer: Promise<Response>): Promise<string> {
  expect((await answer).status).toBe(200)
  return (await answer).text()
}
