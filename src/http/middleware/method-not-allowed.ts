import type { Context, Hono, MiddlewareHandler } from 'hono'
import { methodNotAllowed as honoMethodNotAllowed } from 'hono/method-not-allowed'
import { problem } from '../../api/problem.ts'
import { errorPage } from '../../web/public/error-page.tsx'
import { access } from '../access.ts'
import type { App } from '../context.ts'
import { wantsJson } from '../route.ts'

const methodOrder = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']

/**
 * Answers 405 with an Allow header (RFC 9110, 15.5.6) when a path has routes, but none for the request's method. Routes
 * for localhost only are not disclosed: their paths answer 404.
 * @param app whose routes are looked up at the first such request
 */
export function methodNotAllowed(app: Hono<App>): MiddlewareHandler<App> {
  const disclosed = {
    get routes() {
      return app.routes.filter(({ method, path }) => access[`${method} ${path}`] !== 'localhost')
    },
  }
  const onMethodNotAllowed = (c: Context<App>, methods: string[]) => {
    c.header('Allow', methods.toSorted((a, b) => methodOrder.indexOf(a) - methodOrder.indexOf(b)).join(', '))
    return wantsJson(c.req.path) ? problem(c, 405, 'method_not_allowed') : errorPage(c, 405)
  }
  // Hono's types know no environment here.
  const options = { app: disclosed, onMethodNotAllowed } as unknown as Parameters<typeof honoMethodNotAllowed>[0]
  return honoMethodNotAllowed(options) as unknown as MiddlewareHandler<App>
}
