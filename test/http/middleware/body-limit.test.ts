import { expect, test } from 'vitest'
import { bodyLimit } from '../../../src/http/middleware/body-limit.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

const kilobyte = 1024

test.each([
  ['/w/shanghai', 64],
  ['/console/sign-in', 8],
  ['/door/entries', 8],
])('bodyLimit accepts a body of %s up to %i kB, with and without a Content-Length', async (path, limit) => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [bodyLimit()])
  for (const [size, status] of [
    [limit * kilobyte, 200],
    [limit * kilobyte + 1, 413],
  ] as const) {
    const body = new Uint8Array(size)
    const known = { method: 'POST', headers: { 'Content-Length': String(size) }, body }
    expect([size, (await app.request(path, known)).status]).toEqual([size, status])
  }
})

test('bodyLimit reads nothing of a GET', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [bodyLimit()])
  expect((await app.request('/', { headers: { 'Content-Length': '999999999' } })).status).toBe(200)
})
