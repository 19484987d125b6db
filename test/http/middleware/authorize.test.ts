import { expect, test } from 'vitest'
import { createWorld } from '../../support/world.ts'

test.each([
  ['GET', '/console/boards', 302],
  ['POST', '/console/boards/add', 401],
  ['GET', '/door', 200],
  ['GET', '/door/list.json', 401],
  ['GET', '/w/shanghai', 200],
])('authorize answers an anonymous %s %s', async (method, path, status) => {
  await using world = await createWorld()
  await world.workshop({ slug: 'shanghai' })
  expect((await world.request(path, { method })).status).toBe(status)
})

test('authorize answers 403 to a role that is too low', async () => {
  await using world = await createWorld()
  const headers = { Authorization: `Bearer ${await world.token('viewer')}`, 'Content-Type': 'application/json' }
  expect((await world.request('/api/v1/workshops', { method: 'POST', headers, body: '{}' })).status).toBe(403)
})
