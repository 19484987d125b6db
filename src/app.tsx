import { Hono, type MiddlewareHandler } from 'hono'
import { accepts } from 'hono/accepts'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { getCookie, setCookie } from 'hono/cookie'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import { matchedRoutes } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import { timeout } from 'hono/timeout'
import { access } from './access.ts'
import { type ProblemCode, type ProblemStatus, problem } from './api/problem.ts'
import { api } from './api/routes.ts'
import { type Locale, locales } from './config.ts'
import { type App, isThisMachine, limitRange, TooMany } from './context.ts'
import { isDatabaseAway, saidOf } from './db/database.ts'
import type { Deps } from './deps.ts'
import { mayActAs, roleOfToken } from './domain/organisers.ts'
import { operations } from './operations.ts'
import { type ErrorStatus, errorPage } from './site/error-page.tsx'
import { mailbox } from './site/mailbox.tsx'
import { site } from './site/routes.tsx'

/** The whole service as a function from request to answer. The same routes serve Node, Workers and tests. */
export function createApp(deps: Deps) {
  return {
    /** @param peer the address of whoever opened the connection */
    fetch: (request: Request, peer?: string) => app.fetch(request, { deps, peer }),
    request: (path: string, init?: RequestInit, peer = '127.0.0.1') => app.request(path, init, { deps, peer }),
  }
}

export const app = new Hono<App>()

app.use(logRequest())
app.use(
  secureHeaders({
    referrerPolicy: 'same-origin',
    // Badges and QR codes are there to be shown on other sites.
    crossOriginResourcePolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xFrameOptions: 'DENY',
    // For this host alone: its neighbours may still speak plain HTTP.
    strictTransportSecurity: 'max-age=15552000',
  }),
)
app.use(contentPolicy())
app.use(refuseNul())
app.use(compressPages())
app.use(timeout(4_500, () => new HTTPException(503)))
app.use(bodyLimit({ maxSize: 64 * 1024, onError: () => Promise.reject(new HTTPException(413)) }))
app.use(chooseLanguage())
app.use(refuseForeignForms())
app.use(readToken())
app.use(checkAccess())

app.route('/', operations)
app.route('/', site)
app.route('/', mailbox)
app.route('/api', api)

app.notFound((c) => (isApi(c.req.path) ? problem(c, 404, 'not_found') : errorPage(c, 404)))

app.onError((error, c) => {
  const { log } = c.env.deps
  const answer = (status: ErrorStatus & ProblemStatus, code: ProblemCode) =>
    isApi(c.req.path) ? problem(c, status, code) : errorPage(c, status)
  if (error instanceof TooMany) {
    c.header('Retry-After', String(error.retryAfter))
    return answer(429, 'too_many_requests')
  }
  if (isDatabaseAway(error) || (error instanceof HTTPException && error.status === 503)) {
    log.warn({ route: routeOf(c), reason: saidOf(error).reason }, 'answered 503')
    c.header('Retry-After', '5')
    return answer(503, 'unavailable')
  }
  if (error instanceof HTTPException) {
    const status = error.status in codes ? (error.status as keyof typeof codes) : 400
    return answer(status, codes[status])
  }
  log.error({ route: routeOf(c), ...saidOf(error) }, 'answered 500')
  return answer(500, 'internal')
})

const codes = {
  400: 'malformed_json',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
} as const satisfies Partial<Record<ErrorStatus, ProblemCode>>

const isApi = (path: string) => path.startsWith('/api/')

/** One line a request, with the route and never the path: paths carry tickets. */
function logRequest(): MiddlewareHandler<App> {
  let warned = false
  return async (c, next) => {
    const { deps } = c.env
    const begun = performance.now()
    if (!warned && deps.config.trustProxy === 0 && c.req.header('x-forwarded-for')) {
      warned = true
      deps.log.warn(
        {},
        'X-Forwarded-For arrives but TRUST_PROXY is 0: all visitors behind the proxy share one rate limit',
      )
    }
    await next()
    const milliseconds = Math.round(performance.now() - begun)
    deps.log.debug({ route: routeOf(c), status: c.res.status, milliseconds }, 'request')
    deps.answered?.(routeOf(c), c.res.status, milliseconds)
  }
}

/** Nothing from elsewhere, nothing inline. Routes that must show foreign HTML bring a policy of their own. */
function contentPolicy(): MiddlewareHandler<App> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return async (c, next) => {
    await next()
    if (!c.res.headers.has('content-security-policy')) c.header('Content-Security-Policy', policy)
  }
}

/** Pages and their files, for slow networks. Lists are streamed as they come, and Cloudflare compresses by itself. */
function compressPages(): MiddlewareHandler<App> {
  const compressed = compress()
  return (c, next) => (c.env.deps.compresses && !isApi(c.req.path) ? compressed(c, next) : next())
}

/** No text of ours holds the character NUL, and Postgres cannot even compare with one. */
function refuseNul(): MiddlewareHandler<App> {
  return (c, next) => (c.req.url.includes('%00') ? Promise.resolve(c.notFound()) : next())
}

/** `?lang=` and remembers it, else what was remembered, else Accept-Language, else DEFAULT_LOCALE. */
function chooseLanguage(): MiddlewareHandler<App> {
  return async (c, next) => {
    const { config } = c.env.deps
    const asked = readLocale(c.req.query('lang'))
    const locale =
      asked ??
      (isApi(c.req.path) ? undefined : readLocale(getCookie(c, 'lang'))) ??
      readLocale(
        accepts(c, {
          header: 'Accept-Language',
          supports: [...locales],
          default: config.defaultLocale,
          match: (accepted) =>
            accepted
              .toSorted((a, b) => b.q - a.q)
              .map(({ type }) => readLocale(type))
              .find(Boolean) ?? config.defaultLocale,
        }),
      ) ??
      config.defaultLocale
    c.set('locale', locale)
    await next()
    c.header('Content-Language', locale)
    if (asked && !isApi(c.req.path) && c.res.headers.get('content-type')?.startsWith('text/html')) {
      const secure = config.baseUrl.startsWith('https:')
      setCookie(c, 'lang', asked, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'Lax', httpOnly: true, secure })
    }
  }
}

function readLocale(tag: string | undefined): Locale | undefined {
  const language = tag?.toLowerCase().split('-')[0]
  return language === 'zh' ? 'zh-CN' : language === 'en' ? 'en' : undefined
}

/**
 * Refuses forms that another site sends. Browsers name the origin of a form; those that name none, such as old web
 * views, cannot be told from a command line, and no cookie of ours gives them power.
 */
function refuseForeignForms(): MiddlewareHandler<App> {
  const check = csrf({
    origin: (origin, c) => origin === new URL(c.req.url).origin || origin === c.env.deps.config.baseUrl,
  })
  return async (c, next) => {
    const named = c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined
    return named ? check(c, next) : next()
  }
}

/** What the bearer token allows. An unknown one is refused, and guessing is slow. */
function readToken(): MiddlewareHandler<App> {
  return async (c, next) => {
    const token = /^Bearer ([\w-]{20,200})$/i.exec(c.req.header('authorization') ?? '')?.[1]
    const role = token && (await roleOfToken(c.env.deps, token))
    // Other schemes are the business of a proxy in front.
    if (/^Bearer\b/i.test(c.req.header('authorization') ?? '') && !role) {
      await limitRange(c, 'token')
      throw new HTTPException(401)
    }
    c.set('role', role || undefined)
    await next()
  }
}

/** Lets through who the access list names; a route that is not on it serves nobody. */
function checkAccess(): MiddlewareHandler<App> {
  return async (c, next) => {
    const route = routeOf(c)
    if (!route) return next()
    const needed = access[route]
    if (needed === undefined) throw new Error(`${route} is not on the access list`)
    if (needed === 'this machine' && !isThisMachine(c)) return c.notFound()
    if (needed === 'viewer' || needed === 'organiser' || needed === 'owner') {
      const role = c.get('role')
      if (!role) throw new HTTPException(401)
      if (!mayActAs(role, needed)) throw new HTTPException(403)
    }
    return next()
  }
}

/** The route that answers, as the access list writes it, or undefined where none does. */
function routeOf(c: Parameters<MiddlewareHandler<App>>[0]): string | undefined {
  const route = matchedRoutes(c).findLast(({ method }) => method !== 'ALL')
  return route && `${route.method} ${route.path}`
}
