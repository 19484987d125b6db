import { expect, test } from 'vitest'
import { securityHeaders } from '../../../src/http/middleware/security-headers.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld } from '../../support/world.ts'

test('securityHeaders sets the security headers and Content-Language', async () => {
  await using world = await createWorld()
  const { headers } = await createMiddlewareApp(world, [securityHeaders()]).request('/')
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('content-language')).toBe('en')
})

test('securityHeaders keeps a header that the handler set', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [securityHeaders()], (c) => c.header('X-Frame-Options', 'SAMEORIGIN'))
  expect((await app.request('/')).headers.get('x-frame-options')).toBe('SAMEORIGIN')
})

test('securityHeaders leaves a complete response alone', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [securityHeaders()], (c) => c.set('headersDone', true))
  expect((await app.request('/')).headers.get('content-security-policy')).toBeNull()
})
