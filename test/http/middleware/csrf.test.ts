import { expect, test } from 'vitest'
import { csrf } from '../../../src/http/middleware/csrf.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

test.each([
  ['no Origin', {}, 200],
  ['the Origin of the request', { Origin: 'http://localhost' }, 200],
  ['the Origin of BASE_URL', { Origin: 'https://workshops.example.com' }, 200],
  ['Sec-Fetch-Site same-origin', { 'Sec-Fetch-Site': 'same-origin' }, 200],
  ['another Origin', { Origin: 'https://evil.example.com' }, 403],
  ['the opaque Origin', { Origin: 'null' }, 403],
  ['Sec-Fetch-Site cross-site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
  ['Sec-Fetch-Site same-site', { 'Sec-Fetch-Site': 'same-site' }, 403],
])('csrf answers a POST with %s', async (_, headers, status) => {
  await using world = await createWorld({ env: { BASE_URL: 'https://workshops.example.com' } })
  const app = createMiddlewareApp(world, [csrf()])
  expect((await app.request('/find', { method: 'POST', headers })).status).toBe(status)
})

test('csrf lets GET and the API pass', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [csrf()])
  const headers = { Origin: 'https://evil.example.com' }
  expect((await app.request('/find', { headers })).status).toBe(200)
  expect((await app.request('/api/v1/workshops', { method: 'POST', headers })).status).toBe(200)
})
