import type { Context, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { detectFromHeader } from 'hono/language'
import { type Locale, locales } from '../../lib/config.ts'
import type { App } from '../context.ts'
import { isApiPath } from '../route.ts'

/** Sets the language of the response, and stores it in a cookie when a page is requested with `?lang=`. */
export function language(): MiddlewareHandler<App> {
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

/** `?lang=`, else the cookie (pages only), else Accept-Language, else DEFAULT_LOCALE. */
export function detectLocale(c: Context<App>): Locale {
  return (
    parseLocale(c.req.query('lang')) ??
    (isApiPath(c.req.path) ? undefined : parseLocale(getCookie(c, 'lang'))) ??
    parseLocale(detectFromHeader(c, headerOptions)) ??
    c.env.deps.config.defaultLocale
  )
}

/** Of Hono's detector only the header is used: its cookie is set by every response, ours by a choice. */
const headerOptions: Parameters<typeof detectFromHeader>[1] = {
  lookupFromHeaderKey: 'accept-language',
  supportedLanguages: [...locales],
  fallbackLanguage: 'zh-CN',
  // Chinese of any region is zh-CN.
  convertDetectedLanguage: (tag) => parseLocale(tag) ?? tag,
  ignoreCase: true,
  order: ['header'],
  lookupQueryString: 'lang',
  lookupCookie: 'lang',
  lookupFromPathIndex: 0,
  caches: false,
}

function parseLocale(tag: string | undefined): Locale | undefined {
  const language = tag?.toLowerCase().split('-')[0]
  return language === 'zh' ? 'zh-CN' : language === 'en' ? 'en' : undefined
}
