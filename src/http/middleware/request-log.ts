import type { MiddlewareHandler } from 'hono'
import type { App } from '../context.ts'
import { matchedRoute } from '../route.ts'

/**
 * Logs each request at level debug and records it for the metrics. Logs the route, never the path: paths contain ticket
 * tokens.
 */
export function requestLog(): MiddlewareHandler<App> {
  let warned = false
  return async (c, next) => {
    const { deps } = c.env
    const startedAt = performance.now()
    if (!warned && deps.config.trustProxy === 0 && c.req.header('x-forwarded-for')) {
      warned = true
      deps.log.warn(
        {},
        'X-Forwarded-For arrives but TRUST_PROXY is 0: all visitors behind the proxy share one rate limit',
      )
    }
    await next()
    const milliseconds = Math.round(performance.now() - startedAt)
    const route = matchedRoute(c)
    const { status } = c.res
    deps.log.debug({ route, status, milliseconds }, 'request')
    deps.onResponse?.(route, status, milliseconds)
  }
}
