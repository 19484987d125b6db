import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPage } from '../support/browser/browser.ts'
import { type Server, startServer } from '../support/processes/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('GET /api/docs lists every route and can call them, same-origin and under the strict content security policy', async () => {
  await using page = await openPage({ width: 1280 })
  const crossOrigin: string[] = []
  const problems: string[] = []
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== server.url && protocol !== 'data:') crossOrigin.push(request.url())
  })
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(String(error)))

  const response = await page.goto(`${server.url}/api/docs`)
  expect(response?.headers()['content-security-policy']).not.toContain('unsafe-inline')
  const { paths } = (await (await server.request('/api/v1/openapi.json')).json()) as { paths: Record<string, object> }
  const operations = Object.values(paths).flatMap((methods) => Object.keys(methods))
  await expect.poll(() => page.locator('.opblock').count(), { timeout: 10_000 }).toBe(operations.length)

  const availability = page.locator('.opblock', { hasText: 'Seats left' })
  await availability.locator('.opblock-summary').click()
  await availability.getByRole('button', { name: 'Try it out' }).click()
  await availability.getByPlaceholder('slug').fill('nowhere')
  await availability.getByRole('button', { name: 'Execute' }).click()
  await availability.locator('.live-responses-table').getByText('not_found').first().waitFor()
  expect(crossOrigin).toEqual([])
  // The browser logs the 404 itself.
  expect(problems).toEqual([expect.stringContaining('404')])
})

test('GET /api/docs links to the OpenAPI document without JavaScript', async () => {
  await using page = await openPage({ javaScriptEnabled: false })
  await page.goto(`${server.url}/api/docs`)
  await page.getByRole('link', { name: 'OpenAPI 3.1' }).click()
  expect(page.url()).toBe(`${server.url}/api/v1/openapi.json`)
})
