import { expect, test } from 'vitest'
import { openPage, remoteHost, serveWorld } from '../support/browser/browser.ts'
import { createWorld } from '../support/world.ts'

test('the seat count updates while the page is visible and keeps the input', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 3 })
  await using server = await serveWorld(world)
  await using page = await openPage()
  await page.clock.install()
  let requestCount = 0
  page.on('request', (request) => void (request.url().endsWith('/availability') && requestCount++))
  await page.goto(`${server.url}/w/${workshop.slug}`)
  await page.fill('#name', '王小明')
  expect(await page.textContent('#seats b')).toBe('3')

  await world.register(workshop)
  await page.clock.runFor(16_000)
  await expect.poll(() => page.textContent('#seats b')).toBe('2')
  expect(await page.textContent('#go')).toContain('还有\u00a02\u00a0个名额')
  expect(await page.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBe(1)

  await world.register(workshop)
  await world.register(workshop)
  await page.clock.runFor(16_000)
  await expect.poll(() => page.textContent('#seats b')).toBe('已满')
  expect(await page.textContent('#submit')).toBe('排队候补')
  expect(await page.textContent('#go')).toContain('排队候补')
  expect(await page.inputValue('#name')).toBe('王小明')

  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true }))
  const before = requestCount
  await page.clock.runFor(60_000)
  expect(requestCount).toBe(before)
}, 60_000)

test.each(['127.0.0.1', remoteHost])(
  'in WeChat the copy button copies the ticket link at %s',
  async (host) => {
    await using world = await createWorld()
    const { ticket } = await world.register(await world.workshop())
    await using server = await serveWorld(world)
    await using page = await openPage({ userAgent: 'Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0.42' })
    await page.goto(`${server.url.replace('127.0.0.1', host)}/t/${ticket}`)
    await page.click('[data-copy]')
    await expect.poll(() => page.textContent('[data-copy]')).toBe('已复制')
    // Pasted into a visible field.
    await page.evaluate(() => document.querySelector('main')?.append(document.createElement('textarea')))
    await page.focus('textarea')
    await page.keyboard.press('Control+V')
    expect(await page.inputValue('textarea')).toBe(`http://localhost:3000/t/${ticket}`)
  },
  60_000,
)
