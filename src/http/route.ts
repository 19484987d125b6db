import type { Context } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { App } from './context.ts'
import { paths } from './links.ts'

/** The route that answers a request, as access.ts writes it (`GET /w/:workshop`). Undefined if no route matches. */
export function matchedRoute(c: Context<App>): string | undefined {
  // `new` and `:slug` may both match: the first one answers.
  const route = matchedRoutes(c).find(({ method }) => method !== 'ALL')
  return route && `${route.method} ${route.path}`
}

export const isApiPath = (path: string) => path.startsWith('/api/')

export const isConsolePath = (path: string) => /^\/console(?:\/|$)/.test(path)

/** Paths that use the door session of a helper's phone. */
export const isDoorPath = (path: string) => /^\/(?:door|in|b)(?:\/|$)/.test(path)

/** Paths whose errors are JSON: the API and the two endpoints of the door's script. */
export const wantsJson = (path: string) => isApiPath(path) || path === paths.doorList() || path === paths.doorEntries()
