import type { MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { findDoorSession } from '../../domain/door/sessions.ts'
import { findToken } from '../../domain/organisers/organisers.ts'
import { type App, rateLimitByIp } from '../context.ts'
import { isConsolePath, isDoorPath } from '../route.ts'
import { currentOrganiser } from '../sign-in.ts'

/**
 * Authenticates a bearer token, everywhere but in the console. Unknown tokens get 401 and are rate-limited by IP.
 * Other schemes are ignored: a proxy in front may use them.
 */
export function bearerAuth(): MiddlewareHandler<App> {
  return async (c, next) => {
    const authorization = isConsolePath(c.req.path) ? undefined : c.req.header('authorization')
    if (!authorization || !/^Bearer\b/i.test(authorization)) return next()
    const bearerToken = /^Bearer ([\w-]{20,200})$/i.exec(authorization)?.[1]
    const token = bearerToken && (await findToken(c.env.deps, bearerToken))
    if (!token) {
      await rateLimitByIp(c, 'token')
      throw new HTTPException(401)
    }
    c.set('token', token)
    c.set('role', token.role)
    return next()
  }
}

/** Loads the organiser who is signed in, from the session cookie. Sessions are valid in the console only. */
export function organiserSession(): MiddlewareHandler<App> {
  return async (c, next) => {
    if (!isConsolePath(c.req.path)) return next()
    const organiser = await currentOrganiser(c)
    c.set('organiser', organiser)
    c.set('role', organiser?.role)
    return next()
  }
}

/** Loads the door session of a helper's phone from its cookie. Valid for door routes only. */
export function doorSession(): MiddlewareHandler<App> {
  return async (c, next) => {
    const token = isDoorPath(c.req.path) ? getCookie(c, 'door') : undefined
    const found = token && (await findDoorSession(c.env.deps, token))
    if (found) {
      c.set('door', found.kind === 'open' ? found.session : undefined)
      c.set('doorSessionExpired', found.kind === 'over')
    }
    return next()
  }
}
