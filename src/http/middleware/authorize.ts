import type { MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { problem } from '../../api/problem.ts'
import { hasRole } from '../../domain/organisers/organisers.ts'
import { sessionRequiredPage } from '../../web/door/layout.tsx'
import { access } from '../access.ts'
import { type App, isLoopback } from '../context.ts'
import { paths, withQuery } from '../links.ts'
import { isConsolePath, matchedRoute, wantsJson } from '../route.ts'

/**
 * Authorizes the request by access.ts: 401 or the sign-in page without a login, 403 with too low a role.
 * @throws if the route is missing there
 */
export function authorize(): MiddlewareHandler<App> {
  return async (c, next) => {
    const route = matchedRoute(c)
    if (!route) return next()
    const required = access[route]
    if (required === undefined) throw new Error(`${route} is not on the access list`)
    if (required === 'localhost' && !isLoopback(c)) return c.notFound()
    if (required === 'door' && !c.get('door')) {
      return wantsJson(c.req.path) ? problem(c, 401, 'session_over') : sessionRequiredPage(c)
    }
    if (required === 'viewer' || required === 'organiser' || required === 'owner') {
      const role = c.get('role')
      if (!role && isConsolePath(c.req.path) && c.req.method === 'GET')
        return c.redirect(withQuery(paths.signIn(), { back: c.req.path }))
      if (!role) throw new HTTPException(401)
      if (!hasRole(role, required)) throw new HTTPException(403)
    }
    return next()
  }
}
