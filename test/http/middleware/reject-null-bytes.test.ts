import { expect, test } from 'vitest'
import { rejectNullBytes } from '../../../src/http/middleware/reject-null-bytes.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

test('rejectNullBytes answers 404 to a NUL in the path or the query', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [rejectNullBytes()])
  for (const [path, status] of [
    ['/w/a%00b', 404],
    ['/find?q=%00', 404],
    ['/w/a%2500b', 200],
  ] as const) {
    expect([path, (await app.request(path)).status]).toEqual([path, status])
  }
})
