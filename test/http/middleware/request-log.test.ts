import { expect, test } from 'vitest'
import { requestLog } from '../../../src/http/middleware/request-log.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

test('requestLog records the status of each response, and the route instead of the path', async () => {
  await using world = await createWorld()
  const logged: unknown[] = []
  const recorded: unknown[] = []
  world.deps.log.debug = (fields) => logged.push(fields)
  world.deps.onResponse = (route, status) => recorded.push([route, status])
  await createMiddlewareApp(world, [requestLog()]).request('/t/secret')
  expect(logged).toEqual([{ route: 'GET /*', status: 200, milliseconds: expect.any(Number) }])
  expect(recorded).toEqual([['GET /*', 200]])
})

test('requestLog warns once when X-Forwarded-For arrives and TRUST_PROXY is 0', async () => {
  await using world = await createWorld()
  const warnings: string[] = []
  world.deps.log.warn = (_, message) => warnings.push(message)
  const app = createMiddlewareApp(world, [requestLog()])
  for (let n = 0; n < 2; n++) await app.request('/', { headers: { 'X-Forwarded-For': '192.0.2.1' } })
  expect(warnings).toEqual([expect.stringContaining('TRUST_PROXY is 0')])
})
