import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { pendingSignUps, registrations } from '../../../src/db/schema.ts'
import { deliverDueMails } from '../../../src/email/delivery.ts'
import { createPooledTransport } from '../../../src/email/transport.ts'
import { openPage, remoteHost, serveWorld } from '../../support/browser/browser.ts'
import { startMailServer } from '../../support/mail/smtp-server.ts'
import { createWorld } from '../../support/world.ts'

/** A world with a proof-of-work workshop, an HTTP server and a mail server. */
async function createProofOfWorkWorld() {
  const stack = new AsyncDisposableStack()
  const mail = stack.use(await startMailServer())
  const world = stack.use(
    await createWorld({ env: { SMTP_URL: mail.url, MAIL_FROM: 'Workshops <workshops@example.com>' } }),
  )
  const server = stack.use(await serveWorld(world))
  const { slug } = await world.workshop({ proofOfWork: true })
  return {
    world,
    url: server.url,
    path: `/w/${slug}`,
    /** Fills in the form, taking as long as people do. */
    async fillIn(page: Page) {
      world.clock.advance({ seconds: 20 })
      await page.fill('#name', '王小明')
      await page.fill('#email', 'wang@example.com')
      await page.check('#consent')
    },
    /** Delivers the due mails. Returns the path of the link in the last one. */
    async mailedLink() {
      const transport = createPooledTransport(world.deps.config)
      if (!transport) throw new Error('no mail server')
      await deliverDueMails(world.deps, transport)
      transport.close()
      const newest = mail.mails.at(-1)?.mail
      expect(newest?.to).toMatchObject({ text: expect.stringContaining('wang@example.com') })
      const [, link = ''] = /http:\/\/localhost:3000(\/w\/\S+)/.exec(newest?.text ?? '') ?? []
      return link
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('the proof is computed while the form is filled in, and the sign-up leads to the ticket', async () => {
  await using setup = await createProofOfWorkWorld()
  await using page = await openPage()
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(setup.url + setup.path)
  // Nothing is computed before the form is used.
  expect(await page.textContent('#proof')).toBe('')
  expect(await page.inputValue('[name=proof]')).toBe('')
  await setup.fillIn(page)
  await expect.poll(() => page.textContent('#proof'), { timeout: 20_000 }).toBe('防机器人计算已完成')
  expect(await page.isVisible('#proof-progress')).toBe(false)
  await page.click('#submit')
  await page.waitForURL('**/t/**')
  expect(await page.textContent('main')).toContain('王小明，到时见')
  expect(problems).toEqual([])
  expect(await setup.world.db.$count(registrations)).toBe(1)
  expect(await setup.world.db.$count(pendingSignUps)).toBe(0)
}, 60_000)

test('submitting before the proof is done shows the progress and submits once when it is', async () => {
  await using setup = await createProofOfWorkWorld()
  await using page = await openPage()
  const challenge = Promise.withResolvers<void>()
  await page.route('**/challenge', async (route) => {
    await challenge.promise
    await route.continue()
  })
  let sent = 0
  page.on('request', (request) => void (request.method() === 'POST' && sent++))
  await page.goto(setup.url + setup.path)
  await setup.fillIn(page)
  expect(await page.textContent('#proof')).toContain('请继续填写')
  await page.click('#submit')
  await page.click('#submit')
  expect(await page.textContent('#proof')).toContain('完成后自动提交')
  challenge.resolve()
  await page.waitForURL('**/t/**')
  expect(sent).toBe(1)
  expect(await setup.world.db.$count(registrations)).toBe(1)
}, 60_000)

test.each([
  { where: 'without JavaScript', host: '127.0.0.1', javaScriptEnabled: false, broken: false },
  {
    where: 'over plain HTTP, where browsers have no crypto.subtle,',
    host: remoteHost,
    javaScriptEnabled: true,
    broken: false,
  },
  { where: 'when the challenge request fails', host: '127.0.0.1', javaScriptEnabled: true, broken: true },
])(
  '$where a confirmation link is mailed, and its button registers',
  async ({ host, javaScriptEnabled, broken }) => {
    await using setup = await createProofOfWorkWorld()
    await using page = await openPage({ javaScriptEnabled })
    if (broken) await page.route('**/challenge', (route) => route.fulfill({ status: 503, body: '' }))
    const url = setup.url.replace('127.0.0.1', host)
    await page.goto(url + setup.path)
    await setup.fillIn(page)
    await expect.poll(() => page.textContent('#proof')).toContain('请打开我们发到你邮箱的链接')
    await page.click('#submit')
    await expect.poll(() => page.textContent('h1')).toBe('还差一步')
    expect(await page.textContent('main')).toContain('wang@example.com')
    expect(await setup.world.db.$count(registrations)).toBe(0)

    await page.goto(url + (await setup.mailedLink()))
    expect(await page.textContent('h1')).toBe('确认报名')
    await page.click('button[type=submit]')
    await page.waitForURL('**/t/**')
    expect(await page.textContent('main')).toContain('王小明，到时见')
    expect(await setup.world.db.$count(registrations)).toBe(1)
  },
  60_000,
)
