import { Hono, type MiddlewareHandler } from 'hono'
import type { App } from '../../../src/http/context.ts'
import { onError } from '../../../src/http/middleware/errors.ts'
import type { World } from '../world.ts'

/**
 * Creates an app with some middleware and nothing else. It answers 200 `ok` to GET and POST of every path, after `handler`.
 * @param handler may set headers or throw
 */
export function createMiddlewareApp(
  { deps }: World,
  middleware: MiddlewareHandler<App>[],
  handler: (c: Parameters<MiddlewareHandler<App>>[0]) => void = () => {},
) {
  const app = new Hono<App>()
  app.use(async (c, next) => {
    c.set('locale', 'en')
    await next()
  })
  for (const each of middleware) app.use(each)
  app.on(['GET', 'POST'], '*', (c) => {
    handler(c)
    return c.html('ok')
  })
  app.onError(onError)
  return {
    request: (path: string, init?: RequestInit, remoteAddress = '127.0.0.1') =>
      app.request(path, init, { deps, remoteAddress }),
  }
}
