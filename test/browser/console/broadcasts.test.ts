import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { deliverDueMails } from '../../../src/email/delivery.ts'
import { createPooledTransport, type Transport } from '../../../src/email/transport.ts'
import { paths } from '../../../src/http/links.ts'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { startMailServer } from '../../support/mail/smtp-server.ts'
import { createWorld, type World } from '../../support/world.ts'

test('a broadcast is written from the people list, tested and sent, and its page follows the deliveries', async () => {
  await using mailServer = await startMailServer()
  await using world = await createWorld({ env: { SMTP_URL: mailServer.url, MAIL_FROM: 'workshops@example.org' } })
  await using server = await serveWorld(world)
  const workshop = await world.workshop({ capacity: 5 })
  for (const name of ['王小明', '李安', '赵云']) await world.register(workshop, { name })
  await using page = await openPage({ width: 1280, height: 800, baseURL: server.url })
  await signIn(world, page)
  await page.goto(paths.workshopPeople(workshop.slug))
  await page.click('text=给这些人发消息')
  await page.fill('#subject', '记得带电脑')
  await page.fill('#body', '{{name}}，\n\n  {{date}}见。 {{nmae}}')
  await page.click('main form button')
  await expect.poll(() => page.locator('.alert li').textContent()).toContain('{{nmae}}')
  await page.fill('#body', '{{name}}，\n\n  {{date}}见。')
  await page.click('main form button')
  await expect.poll(() => page.locator('.panel .source').textContent()).toContain('王小明，\n\n2026年12月11日 周五见。')
  await page.click('button[value="test"]')
  await expect.poll(() => page.locator('.done').textContent()).toContain('测试邮件')
  await page.click('button[value="edit"]')
  await expect.poll(() => page.locator('#body').inputValue()).toBe('{{name}}，\n\n{{date}}见。')
  await page.click('main form button')
  await page.click('button[value="send"]')
  await page.waitForURL(/\/console\/messages\//)
  const numbers = () => page.locator('.numbers b').allTextContents()
  expect(await numbers()).toEqual(['3', '0', '3', '0'])
  const transport = createPooledTransport(world.deps.config) as Transport
  await deliverDueMails(world.deps, transport)
  transport.close()
  // The page updates without a reload.
  await expect.poll(numbers, { timeout: 10_000 }).toEqual(['3', '3', '0', '0'])
  expect(await page.locator('text=刷新进度').count()).toBe(0)
})

test('the broadcast pages fit a 360 px screen without JavaScript', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  const workshop = await world.workshop({ capacity: 5 })
  await world.register(workshop, { name: 'Wolfeschlegelsteinhausenbergerdorff'.repeat(2) })
  await using page = await openPage({ width: 360, locale: 'en', javaScriptEnabled: false, baseURL: server.url })
  await signIn(world, page)
  const expectToFit = async () => {
    await page.waitForLoadState()
    expect([page.url(), await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([page.url(), 360])
  }
  await page.goto(paths.newWorkshopBroadcast(workshop.slug))
  await expectToFit()
  await page.fill('#subject', 'x'.repeat(200))
  await page.fill('#body', `https://example.com/${'x'.repeat(200)}`)
  await page.click('main form button')
  await expectToFit()
  await page.click('button[value="send"]')
  await page.waitForURL(/\/console\/messages\//)
  await expectToFit()
  await page.click('text=All mails of this message')
  await page.waitForURL(/message=/)
  await expectToFit()
  await page.click('main a:text-is("All mails")')
  await page.waitForURL(/mails$/)
  await expectToFit()
  await page.goto(paths.workshopBroadcasts(workshop.slug))
  await expectToFit()
})

async function signIn(world: World, page: Page): Promise<void> {
  const { Cookie } = await world.signIn('organiser', '林老师')
  const [name = '', value = ''] = Cookie.split(/=(.*)/s)
  await page.context().addCookies([{ name, value, url: 'http://127.0.0.1' }])
}
