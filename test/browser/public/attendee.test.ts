import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPage, type PageOptions, remoteHost, waitMinFillTime } from '../../support/browser/browser.ts'
import { decodeQr, decodeSvgQr } from '../../support/browser/qr.ts'
import { publishWorkshop } from '../../support/http/concurrent-sign-ups.ts'
import { type Server, startServer } from '../../support/processes/server.ts'

let server: Server
let token: string
let publishedCount = 0

beforeAll(async () => {
  server = await startServer()
  token = (await server.cli('token', 'create', '--name', 'browser', '--role', 'organiser')).stdout.trim()
}, 60_000)
afterAll(() => server[Symbol.asyncDispose]())

describe.each([true, false])('on a phone with JavaScript: %s', (javaScriptEnabled) => {
  const phone = (options: PageOptions = {}) => openPage({ width: 390, javaScriptEnabled, ...options })

  test('an attendee scans the campaign QR code, chooses a city and registers', async () => {
    const link = await createLink()
    const scanned = await decodeSvgQr(await (await server.request(`/q/${link}/qr.svg`)).text())
    expect(decodeQr(await fetchImage(`/q/${link}/qr.png`))).toBe(scanned)
    expect(new URL(scanned).pathname).toBe(`/q/${link}`)

    await using page = await phone()
    await page.goto(server.url + new URL(scanned).pathname)
    expect(new URL(page.url()).pathname).toMatch(/^\/c\//)
    await page.locator('a[href^="/w/shanghai"]').first().click()
    await page.fill('#name', '王小明')
    await page.fill('#email', `wang-${javaScriptEnabled}@example.com`)
    await page.fill('#phone', '１３８ ００１３ ８０００')
    await page.check('#consent')
    await waitMinFillTime(page)
    await page.click('button[type=submit]')
    await page.waitForURL('**/t/**')
    expect(await page.locator('main').textContent()).toContain('王小明')

    // The QR code on the ticket contains the check-in URL, which redirects non-helpers to the workshop page.
    const checkInUrl = new URL(decodeQr(await page.locator('.qr img').screenshot()))
    expect(checkInUrl.pathname).toMatch(/^\/in\//)
    await page.goto(server.url + checkInUrl.pathname)
    expect(new URL(page.url()).pathname).toMatch(/^\/w\/shanghai/)

    const response = await server.request(
      `${new URL(page.url()).pathname.replace('/w/', '/api/v1/workshops/')}/registrations`,
      {
        headers: { Authorization: `Bearer ${token}` },
      },
    )
    const { items } = (await response.json()) as { items: { email: string; phone: string; channel: string }[] }
    expect(items.find(({ email }) => email === `wang-${javaScriptEnabled}@example.com`)).toMatchObject({
      phone: '+8613800138000',
      channel: 'group 3',
    })
  }, 60_000)

  test('an invalid form keeps the input, lists the errors and takes the focus', async () => {
    const slug = await createWorkshop(2)
    await using page = await phone()
    await page.goto(`${server.url}/w/${slug}`)
    await page.fill('#name', '李雷')
    await page.fill('#email', 'li@example')
    await page.fill('#phone', '12345')
    await page.click('button[type=submit]')
    expect(await page.inputValue('#name')).toBe('李雷')
    expect(await page.inputValue('#email')).toBe('li@example')
    expect(await page.inputValue('#phone')).toBe('12345')
    const summary = page.locator('[role=alert]')
    expect(await summary.getByRole('link').count()).toBe(3)
    await expect.poll(() => summary.evaluate((element) => element.contains(document.activeElement))).toBe(true)
    await summary.getByRole('link').first().click()
    await expect.poll(() => page.evaluate(() => location.hash)).toBe('#email')
  }, 60_000)

  test('cancelling works over plain HTTP by IP address and passes the seat on', async () => {
    const slug = await createWorkshop(1)
    const baseUrl = server.url.replace('127.0.0.1', remoteHost)
    await using first = await phone()
    await using second = await phone()
    for (const [page, name] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      await page.goto(`${baseUrl}/w/${slug}`)
      await page.fill('#name', name)
      await page.fill('#email', `${slug}-${name}@example.com`)
      await page.check('#consent')
      await waitMinFillTime(page)
      await page.click('button[type=submit]')
      await page.waitForURL('**/t/**')
    }
    expect(await second.locator('.qr').count()).toBe(0)
    expect(await first.evaluate(() => window.isSecureContext)).toBe(false)
    await first.click('a[href$="/cancel"]')
    await first.click('button[type=submit]')
    await first.waitForURL((url) => !url.pathname.endsWith('/cancel'))
    expect(await first.locator('.seats b').textContent()).toBe('已取消')
    await second.reload()
    expect(await second.locator('.qr').count()).toBe(1)
  }, 60_000)
})

async function createWorkshop(capacity: number): Promise<string> {
  const slug = `browser-${++publishedCount}`
  await publishWorkshop(server, token, { slug, capacity })
  return slug
}

/** Adds a channel to the sample campaign of a new installation. */
async function createLink(): Promise<string> {
  const campaigns = (await (await server.request('/api/v1/campaigns')).json()) as { items: { slug: string }[] }
  const response = await server.request(`/api/v1/campaigns/${campaigns.items[0]?.slug}/links`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ channel: 'group 3' }),
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { code: string }).code
}

async function fetchImage(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await server.request(path)).arrayBuffer())
}
