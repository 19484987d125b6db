import { expect, test } from 'vitest'
import { createMailboxKey } from '../../../src/domain/tickets/signed-tokens.ts'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { createWorld } from '../../support/world.ts'

test('a mail is visible in its frame in a real browser under the actual policies', async () => {
  await using world = await createWorld()
  await world.register(await world.workshop())
  await using server = await serveWorld(world)
  await using page = await openPage({ width: 800 })
  const problems: string[] = []
  page.on('console', (message) => problems.push(message.text()))
  await page.goto(`${server.url}/mailbox?key=${createMailboxKey(world.deps.config.secret)}`)
  expect(page.url()).toBe(`${server.url}/mailbox`)
  await page.click('a[href="/mailbox/1"]')
  const mail = page.frameLocator('iframe')
  await mail.getByRole('heading', { name: '报名成功' }).waitFor()
  expect(await mail.getByRole('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(200)
  expect(await mail.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor)).toBe(
    'rgb(251, 250, 247)',
  )
  expect(problems).toEqual([])
})
