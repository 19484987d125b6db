import { HTTPException } from 'hono/http-exception'
import { expect, test } from 'vitest'
import { TooManyRequestsError } from '../../../src/http/context.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

test.each([
  [new HTTPException(403), 403, 'forbidden'],
  [new HTTPException(413), 413, 'too_large'],
  [new HTTPException(418), 400, 'malformed_json'],
  [new TooManyRequestsError(60), 429, 'too_many_requests'],
  [new HTTPException(503), 503, 'unavailable'],
  [new Error('a bug'), 500, 'internal'],
])('onError answers %s with a page or problem+json', async (error, status, code) => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [], () => {
    throw error
  })
  const page = await app.request('/w/shanghai')
  const json = await app.request('/api/v1/workshops')
  expect([page.status, page.headers.get('content-type')]).toEqual([status, expect.stringContaining('text/html')])
  expect([json.status, ((await json.json()) as { code: string }).code]).toEqual([status, code])
  expect(await page.text()).not.toContain('a bug')
})

test('onError tells when to retry', async () => {
  await using world = await createWorld()
  const retryAfter = async (error: Error) => {
    const app = createMiddlewareApp(world, [], () => {
      throw error
    })
    return (await app.request('/')).headers.get('retry-after')
  }
  expect(await retryAfter(new TooManyRequestsError(60))).toBe('60')
  expect(await retryAfter(new HTTPException(503))).toBe('5')
})
