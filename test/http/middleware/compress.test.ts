import { expect, test } from 'vitest'
import { compress } from '../../../src/http/middleware/compress.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

test('compress compresses pages for clients that accept it, and no API response', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [compress()])
  const encoding = async (path: string, headers: Record<string, string> = { 'Accept-Encoding': 'gzip' }) =>
    (await app.request(path, { headers })).headers.get('content-encoding')
  expect(await encoding('/')).toBe('gzip')
  expect(await encoding('/', {})).toBeNull()
  expect(await encoding('/api/v1/workshops')).toBeNull()
  world.deps.compressResponses = false
  expect(await encoding('/')).toBeNull()
})
