import type { MiddlewareHandler } from 'hono'
import type { App } from '../context.ts'
import { securityHeaderValues } from '../responses.ts'

/**
 * Sets the security headers and Content-Language, unless the handler returned a complete response. A header that the
 * handler set stays, which Hono's secure-headers would overwrite: pages that may be framed and the door's camera page
 * have a Content-Security-Policy of their own.
 */
export function securityHeaders(): MiddlewareHandler<App> {
  const defaults = Object.entries(securityHeaderValues)
  return async (c, next) => {
    await next()
    if (c.get('headersDone')) return
    const { headers } = c.res
    for (const [name, value] of defaults) if (!headers.has(name)) headers.set(name, value)
    const locale = c.get('locale')
    if (locale) headers.set('Content-Language', locale)
  }
}
