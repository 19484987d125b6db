import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { pendingSignUps, registrations } from '../../../src/db/schema.ts'
import { deliverDueMails } from '../../../src/email/delivery.ts'
import { createPooledTransport } from '../../../src/email/transport.ts'
import { openPage, remoteHost, serveWorld } from '../../support/browser/browser.ts'
import { startMailServer } from '../../support/mail/smtp-server.ts'
import { createWorld } from '../../support/world.ts'

/** A world with a workshop that wants a proof of work, for a browser and with a mail server. */
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
    /** Fills in the form, and takes as long as people do. */
    async fillIn(page: Page) {
      world.clock.advance({ seconds: 20 })
      await page.fill('#name', '王小明')
      await page.fill('#email', 'wang@example.com')
      await page.check('#consent')
    },
    /** Delivers what is owed and gives the path of the link in the last mail. */
    async mailedLink() {
      const transport = createPooledTransport(world.deps.config)
      if (!transport) throw new Error('there is no mail server')
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

test('a phone works for the sign-up while one types, and one lands on the ticket as ever', async () => {
  await using w = await createProofOfWorkWorld()
  await using page = await openPage()
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(w.url + w.path)
  // Nothing is worked for those who only look.
  expect(await page.textContent('#proof')).toBe('')
  expect(await page.inputValue('[name=proof]')).toBe('')
  await w.fillIn(page)
  await expect.poll(() => page.textContent('#proof'), { timeout: 20_000 }).toBe('防机器人计算已完成')
  expect(await page.isVisible('#proof-progress')).toBe(false)
  await page.click('#submit')
  await page.waitForURL('**/t/**')
  expect(await page.textContent('main')).toContain('王小明，到时见')
  expect(problems).toEqual([])
  expect(await w.world.db.$count(registrations)).toBe(1)
  expect(await w.world.db.$count(pendingSignUps)).toBe(0)
}, 60_000)

test('who is quicker than the phone sees how far it is, and the form goes by itself, once', async () => {
  await using w = await createProofOfWorkWorld()
  await using page = await openPage()
  const challenge = Promise.withResolvers<void>()
  await page.route('**/challenge', async (route) => {
    await challenge.promise
    await route.continue()
  })
  let sent = 0
  page.on('request', (request) => void (request.method() === 'POST' && sent++))
  await page.goto(w.url + w.path)
  await w.fillIn(page)
  expect(await page.textContent('#proof')).toContain('请继续填写')
  await page.click('#submit')
  await page.click('#submit')
  expect(await page.textContent('#proof')).toContain('完成后自动提交')
  challenge.resolve()
  await page.waitForURL('**/t/**')
  expect(sent).toBe(1)
  expect(await w.world.db.$count(registrations)).toBe(1)
}, 60_000)

test.each([
  { where: 'without JavaScript', host: '127.0.0.1', javaScriptEnabled: false, broken: false },
  { where: 'over plain HTTP, where browsers derive no keys', host: remoteHost, javaScriptEnabled: true, broken: false },
  { where: 'when the challenge cannot be had', host: '127.0.0.1', javaScriptEnabled: true, broken: true },
])(
  '$where a link is mailed, and one press behind it registers',
  async ({ host, javaScriptEnabled, broken }) => {
    await using w = await createProofOfWorkWorld()
    await using page = await openPage({ javaScriptEnabled })
    if (broken) await page.route('**/challenge', (route) => route.fulfill({ status: 503, body: '' }))
    const url = w.url.replace('127.0.0.1', host)
    await page.goto(url + w.path)
    await w.fillIn(page)
    await expect.poll(() => page.textContent('#proof')).toContain('请打开我们发到你邮箱的链接')
    await page.click('#submit')
    await expect.poll(() => page.textContent('h1')).toBe('还差一步')
    expect(await page.textContent('main')).toContain('wang@example.com')
    expect(await w.world.db.$count(registrations)).toBe(0)

    await page.goto(url + (await w.mailedLink()))
    expect(await page.textContent('h1')).toBe('确认报名')
    await page.click('button[type=submit]')
    await page.waitForURL('**/t/**')
    expect(await page.textContent('main')).toContain('王小明，到时见')
    expect(await w.world.db.$count(registrations)).toBe(1)
  },
  60_000,
)
