import { expect, test } from 'vitest'
import { createWorld } from '../../support/world.ts'

test('methodNotAllowed answers 405 with the methods of the path, as a page or problem+json', async () => {
  await using world = await createWorld()
  const page = await world.request('/w/shanghai', { method: 'DELETE' })
  expect([page.status, page.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  const json = await world.request('/api/v1/workshops/shanghai/availability', { method: 'DELETE' })
  expect([json.status, json.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  expect(await json.json()).toMatchObject({ code: 'method_not_allowed' })
})

test('methodNotAllowed does not disclose routes for localhost', async () => {
  await using world = await createWorld()
  const response = await world.request('/mailbox', { method: 'POST' }, '192.0.2.1')
  expect([response.status, response.headers.get('allow')]).toEqual([404, null])
})
