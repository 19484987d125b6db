import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { accepts } from 'hono/accepts'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { getCookie, setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { matchedRoutes } from 'hono/route'
import { timeout } from 'hono/timeout'
import { type CachedAvailability, sendAvailability } from '../api/availability.ts'
import { type ProblemCode, type ProblemStatus, problem } from '../api/problem.ts'
import { apiRoutes } from '../api/routes.ts'
import { isDatabaseUnavailable, redactError } from '../db/database.ts'
import type { Deps } from '../domain/deps.ts'
import { findDoorSession } from '../domain/door/sessions.ts'
import { findToken, hasRole } from '../domain/organisers/organisers.ts'
import { type Locale, locales } from '../lib/config.ts'
import { consoleRoutes } from '../web/console/routes.tsx'
import { sessionRequiredPage } from '../web/door/layout.tsx'
import { doorRoutes } from '../web/door/routes.tsx'
import { type ErrorStatus, errorPage } from '../web/public/error-page.tsx'
import { mailPreview } from '../web/public/mailbox.tsx'
import { publicRoutes } from '../web/public/routes.tsx'
import { cachedWorkshopPage } from '../web/public/workshops/workshop.tsx'
import { access } from './access.ts'
import { type App, isLoopback, rateLimitByIp, TooManyRequestsError } from './context.ts'
import { healthRoutes, wechatVerificationFile } from './health.ts'
import { paths, withQuery } from './links.ts'
import { securityHeaderValues } from './responses.ts'
import { currentOrganiser } from './sign-in.ts'

/** The whole service as a function from request to answer. The same routes serve Node, Workers and tests. */
export function createApp(deps: Deps) {
  /** @param peer the address of whoever opened the connection */
  function fetch(request: Request, peer?: string): Response | Promise<Response> {
    return (hotPathPattern.test(request.url) ? fastPath : app).fetch(request, { deps, peer })
  }
  return {
    fetch,
    request: (path: string, init?: RequestInit, peer = '127.0.0.1') =>
      Promise.resolve(fetch(new Request(new URL(path, 'http://localhost'), init), peer)),
  }
}

export const app = new Hono<App>()

app.use(requestLogger())
app.use(securityHeaders())
app.use(rejectNullBytes())
app.use(compression())
app.use(timeout(4_000, () => new HTTPException(503)))
app.use(languageDetector())
app.use(csrf())
app.use(bearerAuth())
app.use(organiserSession())
app.use(doorSession())
app.use(authorize())
app.use(bodySizeLimit())

app.route('/', healthRoutes)
app.route('/', publicRoutes)
app.route('/', doorRoutes)
app.route('/', mailPreview)
app.route('/', consoleRoutes)
app.route('/api', apiRoutes)

app.notFound((c) => {
  const file = wechatVerificationFile(c)
  if (file) return file
  const allowed = matchedRoute(c) ? [] : allowedMethods(c.req.path)
  if (allowed.length === 0) return wantsJson(c.req.path) ? problem(c, 404, 'not_found') : errorPage(c, 404)
  // RFC 9110, 15.5.6.
  c.header('Allow', allowed.join(', '))
  return wantsJson(c.req.path) ? problem(c, 405, 'method_not_allowed') : errorPage(c, 405)
})

/** The methods that routes take at a path. Those that only this machine may call are not told of. */
function allowedMethods(path: string): string[] {
  return ['GET', 'POST', 'PATCH', 'DELETE'].flatMap((method) => {
    const routes = app.router.match(method, path)[0].map(([[, route]]) => `${route.method} ${route.path}`)
    const isAllowed = routes.some((route) => access[route] !== undefined && access[route] !== 'this machine')
    return isAllowed ? (method === 'GET' ? ['GET', 'HEAD'] : [method]) : []
  })
}

/**
 * Stands before the whole of it for the two questions that thousands ask at once, as long as their answers are at hand:
 * what every request goes through takes longer than such an answer.
 */
const fastPath = new Hono<App>()
const hotPathPattern = /\/availability$|\/w\/[^/]+$/
const availabilityPath = '/api/v1/workshops/:slug/availability'
const availabilityRoute = `GET ${availabilityPath}`
fastPath.get(availabilityPath, (c) => {
  const seats = !bypassesCache(c) && c.env.deps.cache.peek<CachedAvailability>(`availability ${c.req.param('slug')}`)
  return seats
    ? recordResponse(c, availabilityRoute, sendAvailability(seats, c.req.header('if-none-match')))
    : forwardToApp(c)
})
fastPath.get('/w/:workshop', (c) => {
  if (bypassesCache(c)) return forwardToApp(c)
  c.set('locale', detectLocale(c))
  const page = cachedWorkshopPage(c)
  return page ? recordResponse(c, 'GET /w/:workshop', page) : forwardToApp(c)
})
fastPath.notFound(forwardToApp)

/** Organisers see drafts too, and whoever chooses a language is to find it again. */
function bypassesCache(c: Context<App>): boolean {
  return c.req.header('authorization') !== undefined || c.req.url.includes('lang=')
}

function recordResponse(c: Context<App>, route: string, response: Response): Response {
  c.env.deps.onResponse?.(route, response.status, 0)
  return response
}

function forwardToApp(c: Context<App>): Response | Promise<Response> {
  return app.fetch(c.req.raw, c.env)
}

app.onError((error, c) => {
  const { log } = c.env.deps
  const answer = (status: ErrorStatus & ProblemStatus, code: ProblemCode) =>
    wantsJson(c.req.path) ? problem(c, status, code) : errorPage(c, status)
  if (error instanceof TooManyRequestsError) {
    c.header('Retry-After', String(error.retryAfter))
    return answer(429, 'too_many_requests')
  }
  if (isDatabaseUnavailable(error) || (error instanceof HTTPException && error.status === 503)) {
    log.warn({ route: matchedRoute(c), reason: redactError(error).reason }, 'answered 503')
    c.header('Retry-After', '5')
    return answer(503, 'unavailable')
  }
  if (error instanceof HTTPException) {
    const status = error.status in problemCodes ? (error.status as keyof typeof problemCodes) : 400
    return answer(status, problemCodes[status])
  }
  log.error({ route: matchedRoute(c), ...redactError(error) }, 'answered 500')
  return answer(500, 'internal')
})

const problemCodes = {
  400: 'malformed_json',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
} as const satisfies Partial<Record<ErrorStatus, ProblemCode>>

const isApiPath = (path: string) => path.startsWith('/api/')
/** What programs and scripts ask, and a door's own script: they are told of problems in JSON too. */
const wantsJson = (path: string) => isApiPath(path) || path === paths.doorList() || path === paths.doorEntries()
const isConsolePath = (path: string) => /^\/console(?:\/|$)/.test(path)
/** Where a helper's phone may do what others may not. */
const isDoorPath = (path: string) => /^\/(?:door|in|b)(?:\/|$)/.test(path)

/** One line a request, with the route and never the path: paths carry tickets. */
function requestLogger(): MiddlewareHandler<App> {
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

/** Adds what every answer says, unless it is whole already. */
function securityHeaders(): MiddlewareHandler<App> {
  const fixed = Object.entries(securityHeaderValues)
  return async (c, next) => {
    await next()
    if (c.get('whole')) return
    const { headers } = c.res
    for (const [name, value] of fixed) if (!headers.has(name)) headers.set(name, value)
    const locale = c.get('locale')
    if (locale) headers.set('Content-Language', locale)
  }
}

/** Pages and their files, for slow networks. Lists are streamed as they come, and Cloudflare compresses by itself. */
function compression(): MiddlewareHandler<App> {
  const compressBody = compress()
  return (c, next) =>
    c.env.deps.compressResponses && c.req.header('accept-encoding') && !isApiPath(c.req.path)
      ? compressBody(c, next)
      : next()
}

/** No text of ours holds the character NUL, and Postgres cannot even compare with one. */
function rejectNullBytes(): MiddlewareHandler<App> {
  return (c, next) => (c.req.url.includes('%00') ? Promise.resolve(c.notFound()) : next())
}

const kB = 1024

/** How many bytes a body may have. At the console and the door few do until somebody is signed in. */
function maxBodySize(c: Context<App>): number {
  if (isConsolePath(c.req.path) && !c.get('organiser')) return 8 * kB
  // The largest form brings a picture; what a passkey says is a few kB of JSON.
  if (isConsolePath(c.req.path)) return c.req.path.startsWith(paths.auth()) ? 64 * kB : 1024 * kB
  if (isDoorPath(c.req.path)) return c.get('door') ? 256 * kB : 8 * kB
  return 64 * kB
}

/**
 * Refuses a body that is too large with 413. Comes after the access check, so that nothing is read of a body whose sender
 * may not call the route. Of a body with a Content-Length, which Node and Cloudflare enforce, nothing is read here either.
 */
function bodySizeLimit(): MiddlewareHandler<App> {
  const tooLarge = () => Promise.reject(new HTTPException(413))
  const limitStream = (maxSize: number) => bodyLimit({ maxSize, onError: tooLarge })
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const maxSize = maxBodySize(c)
    const length = c.req.header('transfer-encoding') ? undefined : c.req.header('content-length')
    if (length === undefined) return limitStream(maxSize)(c, next)
    return Number(length) <= maxSize ? next() : tooLarge()
  }
}

/** Chooses the language of the answer, and remembers it where a page was asked for with `?lang=`. */
function languageDetector(): MiddlewareHandler<App> {
  return async (c, next) => {
    const { config } = c.env.deps
    c.set('locale', detectLocale(c))
    await next()
    const requested = parseLocale(c.req.query('lang'))
    if (requested && !isApiPath(c.req.path) && c.res.headers.get('content-type')?.startsWith('text/html')) {
      const secure = config.baseUrl.startsWith('https:')
      setCookie(c, 'lang', requested, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'Lax', httpOnly: true, secure })
    }
  }
}

/** `?lang=`, else what was remembered, else Accept-Language, else DEFAULT_LOCALE. */
function detectLocale(c: Context<App>): Locale {
  return (
    parseLocale(c.req.query('lang')) ??
    (isApiPath(c.req.path) ? undefined : parseLocale(getCookie(c, 'lang'))) ??
    (c.req.header('accept-language') ? preferredLocale(c) : c.env.deps.config.defaultLocale)
  )
}

function preferredLocale(c: Context<App>): Locale {
  const { defaultLocale } = c.env.deps.config
  const preferred = accepts(c, {
    header: 'Accept-Language',
    supports: [...locales],
    default: defaultLocale,
    match: (accepted) =>
      accepted
        .toSorted((a, b) => b.q - a.q)
        .map(({ type }) => parseLocale(type))
        .find(Boolean) ?? defaultLocale,
  })
  return parseLocale(preferred) ?? defaultLocale
}

function parseLocale(tag: string | undefined): Locale | undefined {
  const language = tag?.toLowerCase().split('-')[0]
  return language === 'zh' ? 'zh-CN' : language === 'en' ? 'en' : undefined
}

/**
 * Refuses what another site sends, a form or anything else. Browsers name the origin of a form; those that name none,
 * such as old web views, cannot be told from a command line, and no cookie of ours gives them power. The API goes by
 * bearer tokens, which no browser adds by itself.
 */
function csrf(): MiddlewareHandler<App> {
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || isApiPath(c.req.path)) return next()
    const origin = c.req.header('origin')
    const from = c.req.header('sec-fetch-site')
    if (origin === undefined && from === undefined) return next()
    const isOurs = origin === new URL(c.req.url).origin || origin === c.env.deps.config.baseUrl
    return from === 'same-origin' || isOurs ? next() : Promise.reject(new HTTPException(403))
  }
}

/** What the bearer token allows. An unknown one is refused, and guessing is slow. */
function bearerAuth(): MiddlewareHandler<App> {
  return async (c, next) => {
    const authorization = isConsolePath(c.req.path) ? undefined : c.req.header('authorization')
    // Other schemes are the business of a proxy in front.
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

/** Who is signed in. Sessions open the console and nothing else, tokens everything but the console. */
function organiserSession(): MiddlewareHandler<App> {
  return async (c, next) => {
    if (!isConsolePath(c.req.path)) return next()
    const organiser = await currentOrganiser(c)
    c.set('organiser', organiser)
    c.set('role', organiser?.role)
    return next()
  }
}

/** The door that a helper's phone is, by its cookie. It opens its own pages and nothing else. */
function doorSession(): MiddlewareHandler<App> {
  return async (c, next) => {
    const token = isDoorPath(c.req.path) ? getCookie(c, 'door') : undefined
    const found = token && (await findDoorSession(c.env.deps, token))
    if (found) {
      c.set('door', found.kind === 'open' ? found.session : undefined)
      c.set('doorOver', found.kind === 'over')
    }
    return next()
  }
}

/** Lets through who the access list names; a route that is not on it serves nobody. */
function authorize(): MiddlewareHandler<App> {
  return async (c, next) => {
    const route = matchedRoute(c)
    if (!route) return next()
    const requiredAccess = access[route]
    if (requiredAccess === undefined) throw new Error(`${route} is not on the access list`)
    if (requiredAccess === 'this machine' && !isLoopback(c)) return c.notFound()
    if (requiredAccess === 'door' && !c.get('door')) {
      return wantsJson(c.req.path) ? problem(c, 401, 'session_over') : sessionRequiredPage(c)
    }
    if (requiredAccess === 'viewer' || requiredAccess === 'organiser' || requiredAccess === 'owner') {
      const role = c.get('role')
      if (!role && isConsolePath(c.req.path) && c.req.method === 'GET')
        return c.redirect(withQuery(paths.signIn(), { back: c.req.path }))
      if (!role) throw new HTTPException(401)
      if (!hasRole(role, requiredAccess)) throw new HTTPException(403)
    }
    return next()
  }
}

/** The route that answers, as the access list writes it, or undefined where none does. */
function matchedRoute(c: Parameters<MiddlewareHandler<App>>[0]): string | undefined {
  // Of several that match, `new` and `:slug` say, the first answers.
  const route = matchedRoutes(c).find(({ method }) => method !== 'ALL')
  return route && `${route.method} ${route.path}`
}
