import type { MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { App } from '../context.ts'
import { isApiPath } from '../route.ts'

/**
 * Rejects requests with a side effect that another site sends, with 403.
 *
 * Not Hono's csrf, because that also rejects requests without an Origin, and old web views send none. Such a request
 * cannot be told from one of a command line; it carries no cookie that authorizes it. The API authenticates by bearer tokens,
 * which browsers do not add.
 */
export function csrf(): MiddlewareHandler<App> {
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || isApiPath(c.req.path)) return next()
    const origin = c.req.header('origin')
    const fetchSite = c.req.header('sec-fetch-site')
    if (origin === undefined && fetchSite === undefined) return next()
    const isSameOrigin = origin === new URL(c.req.url).origin || origin === c.env.deps.config.baseUrl
    return fetchSite === 'same-origin' || isSameOrigin ? next() : Promise.reject(new HTTPException(403))
  }
}
