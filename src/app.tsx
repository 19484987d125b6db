import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { accepts } from 'hono/accepts'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { getCookie, setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { matchedRoutes } from 'hono/route'
import { timeout } from 'hono/timeout'
import { access } from './access.ts'
import { everyAnswer } from './answer.ts'
import { answerSeats, type Seats } from './api/availability.ts'
import { type ProblemCode, type ProblemStatus, problem } from './api/problem.ts'
import { api } from './api/routes.ts'
import { type Locale, locales } from './config.ts'
import { console_ } from './console/routes.tsx'
import { type App, isThisMachine, limitRange, TooMany } from './context.ts'
import { isDatabaseAway, saidOf } from './db/database.ts'
import type { Deps } from './deps.ts'
import { findDoor } from './domain/door-sessions.ts'
import { findToken, mayActAs } from './domain/organisers.ts'
import { closedDoorPage } from './door/layout.tsx'
import { door } from './door/routes.tsx'
import { paths, withQuery } from './links.ts'
import { operations, wechatFile } from './operations.ts'
import { signedIn } from './sign-in.ts'
import { type ErrorStatus, errorPage } from './site/error-page.tsx'
import { mailbox } from './site/mailbox.tsx'
import { site } from './site/routes.tsx'
import { workshopPageAtHand } from './site/workshop.tsx'

/** The whole service as a function from request to answer. The same routes serve Node, Workers and tests. */
export function createApp(deps: Deps) {
  /** @param peer the address of whoever opened the connection */
  function fetch(request: Request, peer?: string): Response | Promise<Response> {
    return (askedAllTheTime.test(request.url) ? front : app).fetch(request, { deps, peer })
  }
  return {
    fetch,
    request: (path: string, init?: RequestInit, peer = '127.0.0.1') =>
      Promise.resolve(fetch(new Request(new URL(path, 'http://localhost'), init), peer)),
  }
}

export const app = new Hono<App>()

app.use(logRequest())
app.use(headAnswer())
app.use(refuseNul())
app.use(compressPages())
app.use(timeout(4_000, () => new HTTPException(503)))
app.use(chooseLanguage())
app.use(refuseForeignForms())
app.use(readToken())
app.use(readSession())
app.use(readDoor())
app.use(checkAccess())
app.use(limitBody())

app.route('/', operations)
app.route('/', site)
app.route('/', door)
app.route('/', mailbox)
app.route('/', console_)
app.route('/api', api)

app.notFound((c) => {
  const file = wechatFile(c)
  if (file) return file
  const allowed = routeOf(c) ? [] : methodsOf(c.req.path)
  if (allowed.length === 0) return isJson(c.req.path) ? problem(c, 404, 'not_found') : errorPage(c, 404)
  // RFC 9110, 15.5.6.
  c.header('Allow', allowed.join(', '))
  return isJson(c.req.path) ? problem(c, 405, 'method_not_allowed') : errorPage(c, 405)
})

/** The methods that routes take at a path. Those that only this machine may call are not told of. */
function methodsOf(path: string): string[] {
  return ['GET', 'POST', 'PATCH', 'DELETE'].flatMap((method) => {
    const routes = app.router.match(method, path)[0].map(([[, route]]) => `${route.method} ${route.path}`)
    const taken = routes.some((route) => access[route] !== undefined && access[route] !== 'this machine')
    return taken ? (method === 'GET' ? ['GET', 'HEAD'] : [method]) : []
  })
}

/**
 * Stands before the whole of it for the two questions that thousands ask at once, as long as their answers are at hand:
 * what every request goes through takes longer than such an answer.
 */
const front = new Hono<App>()
const askedAllTheTime = /\/availability$|\/w\/[^/]+$/
const availability = '/api/v1/workshops/:slug/availability'
const availabilityRoute = `GET ${availability}`
front.get(availability, (c) => {
  const seats = !mayDiffer(c) && c.env.deps.fresh.atHand<Seats>(`availability ${c.req.param('slug')}`)
  return seats ? answered(c, availabilityRoute, answerSeats(seats, c.req.header('if-none-match'))) : askWhole(c)
})
front.get('/w/:workshop', (c) => {
  if (mayDiffer(c)) return askWhole(c)
  c.set('locale', localeOf(c))
  const page = workshopPageAtHand(c)
  return page ? answered(c, 'GET /w/:workshop', page) : askWhole(c)
})
front.notFound(askWhole)

/** Organisers see drafts too, and whoever chooses a language is to find it again. */
function mayDiffer(c: Context<App>): boolean {
  return c.req.header('authorization') !== undefined || c.req.url.includes('lang=')
}

function answered(c: Context<App>, route: string, answer: Response): Response {
  c.env.deps.answered?.(route, answer.status, 0)
  return answer
}

function askWhole(c: Context<App>): Response | Promise<Response> {
  return app.fetch(c.req.raw, c.env)
}

app.onError((error, c) => {
  const { log } = c.env.deps
  const answer = (status: ErrorStatus & ProblemStatus, code: ProblemCode) =>
    isJson(c.req.path) ? problem(c, status, code) : errorPage(c, status)
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
/** What programs and scripts ask, and a door's own script: they are told of problems in JSON too. */
const isJson = (path: string) => isApi(path) || path === paths.doorList() || path === paths.doorEntries()
const isConsole = (path: string) => /^\/console(?:\/|$)/.test(path)
/** Where a helper's phone may do what others may not. */
const isDoor = (path: string) => /^\/(?:door|in|b)(?:\/|$)/.test(path)

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
    const route = routeOf(c)
    const { status } = c.res
    deps.log.debug({ route, status, milliseconds }, 'request')
    deps.answered?.(route, status, milliseconds)
  }
}

/** Adds what every answer says, unless it is whole already. */
function headAnswer(): MiddlewareHandler<App> {
  const fixed = Object.entries(everyAnswer)
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
function compressPages(): MiddlewareHandler<App> {
  const compressed = compress()
  return (c, next) =>
    c.env.deps.compresses && c.req.header('accept-encoding') && !isApi(c.req.path) ? compressed(c, next) : next()
}

/** No text of ours holds the character NUL, and Postgres cannot even compare with one. */
function refuseNul(): MiddlewareHandler<App> {
  return (c, next) => (c.req.url.includes('%00') ? Promise.resolve(c.notFound()) : next())
}

const kB = 1024

/** How many bytes a body may have. At the console and the door few do until somebody is signed in. */
function largestBody(c: Context<App>): number {
  if (isConsole(c.req.path) && !c.get('organiser')) return 8 * kB
  // The largest form brings a picture; what a passkey says is a few kB of JSON.
  if (isConsole(c.req.path)) return c.req.path.startsWith(paths.auth()) ? 64 * kB : 1024 * kB
  if (isDoor(c.req.path)) return c.get('door') ? 256 * kB : 8 * kB
  return 64 * kB
}

/**
 * Refuses a body that is too large with 413. Comes after the access check, so that nothing is read of a body whose sender
 * may not call the route. Of a body with a Content-Length, which Node and Cloudflare enforce, nothing is read here either.
 */
function limitBody(): MiddlewareHandler<App> {
  const tooLarge = () => Promise.reject(new HTTPException(413))
  const measured = (maxSize: number) => bodyLimit({ maxSize, onError: tooLarge })
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const maxSize = largestBody(c)
    const length = c.req.header('transfer-encoding') ? undefined : c.req.header('content-length')
    if (length === undefined) return measured(maxSize)(c, next)
    return Number(length) <= maxSize ? next() : tooLarge()
  }
}

/** Chooses the language of the answer, and remembers it where a page was asked for with `?lang=`. */
function chooseLanguage(): MiddlewareHandler<App> {
  return async (c, next) => {
    const { config } = c.env.deps
    c.set('locale', localeOf(c))
    await next()
    const asked = readLocale(c.req.query('lang'))
    if (asked && !isApi(c.req.path) && c.res.headers.get('content-type')?.startsWith('text/html')) {
      const secure = config.baseUrl.startsWith('https:')
      setCookie(c, 'lang', asked, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'Lax', httpOnly: true, secure })
    }
  }
}

/** `?lang=`, else what was remembered, else Accept-Language, else DEFAULT_LOCALE. */
function localeOf(c: Context<App>): Locale {
  return (
    readLocale(c.req.query('lang')) ??
    (isApi(c.req.path) ? undefined : readLocale(getCookie(c, 'lang'))) ??
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
        .map(({ type }) => readLocale(type))
        .find(Boolean) ?? defaultLocale,
  })
  return readLocale(preferred) ?? defaultLocale
}

function readLocale(tag: string | undefined): Locale | undefined {
  const language = tag?.toLowerCase().split('-')[0]
  return language === 'zh' ? 'zh-CN' : language === 'en' ? 'en' : undefined
}

/**
 * Refuses what another site sends, a form or anything else. Browsers name the origin of a form; those that name none,
 * such as old web views, cannot be told from a command line, and no cookie of ours gives them power. The API goes by
 * bearer tokens, which no browser adds by itself.
 */
function refuseForeignForms(): MiddlewareHandler<App> {
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || isApi(c.req.path)) return next()
    const origin = c.req.header('origin')
    const from = c.req.header('sec-fetch-site')
    if (origin === undefined && from === undefined) return next()
    const isOurs = origin === new URL(c.req.url).origin || origin === c.env.deps.config.baseUrl
    return from === 'same-origin' || isOurs ? next() : Promise.reject(new HTTPException(403))
  }
}

/** What the bearer token allows. An unknown one is refused, and guessing is slow. */
function readToken(): MiddlewareHandler<App> {
  return async (c, next) => {
    const given = isConsole(c.req.path) ? undefined : c.req.header('authorization')
    // Other schemes are the business of a proxy in front.
    if (!given || !/^Bearer\b/i.test(given)) return next()
    const brought = /^Bearer ([\w-]{20,200})$/i.exec(given)?.[1]
    const token = brought && (await findToken(c.env.deps, brought))
    if (!token) {
      await limitRange(c, 'token')
      throw new HTTPException(401)
    }
    c.set('token', token)
    c.set('role', token.role)
    return next()
  }
}

/** Who is signed in. Sessions open the console and nothing else, tokens everything but the console. */
function readSession(): MiddlewareHandler<App> {
  return async (c, next) => {
    if (!isConsole(c.req.path)) return next()
    const organiser = await signedIn(c)
    c.set('organiser', organiser)
    c.set('role', organiser?.role)
    return next()
  }
}

/** The door that a helper's phone is, by its cookie. It opens its own pages and nothing else. */
function readDoor(): MiddlewareHandler<App> {
  return async (c, next) => {
    const token = isDoor(c.req.path) ? getCookie(c, 'door') : undefined
    const found = token && (await findDoor(c.env.deps, token))
    if (found) {
      c.set('door', found.kind === 'open' ? found.session : undefined)
      c.set('doorOver', found.kind === 'over')
    }
    return next()
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
    if (needed === 'door' && !c.get('door')) {
      return isJson(c.req.path) ? problem(c, 401, 'session_over') : closedDoorPage(c)
    }
    if (needed === 'viewer' || needed === 'organiser' || needed === 'owner') {
      const role = c.get('role')
      if (!role && isConsole(c.req.path) && c.req.method === 'GET')
        return c.redirect(withQuery(paths.signIn(), { back: c.req.path }))
      if (!role) throw new HTTPException(401)
      if (!mayActAs(role, needed)) throw new HTTPException(403)
    }
    return next()
  }
}

/** The route that answers, as the access list writes it, or undefined where none does. */
function routeOf(c: Parameters<MiddlewareHandler<App>>[0]): string | undefined {
  // Of several that match, `new` and `:slug` say, the first answers.
  const route = matchedRoutes(c).find(({ method }) => method !== 'ALL')
  return route && `${route.method} ${route.path}`
}
