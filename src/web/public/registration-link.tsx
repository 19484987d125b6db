import { type Context, Hono } from 'hono'
import { findLink, isLinkActive, type RegistrationLink } from '../../domain/promotion/registration-links.ts'
import type { App } from '../../http/context.ts'
import { absoluteUrl, paths, withQuery } from '../../http/links.ts'
import { publicMessages } from '../../i18n/public.ts'
import { qrPng, qrSvg } from '../../lib/qr.ts'
import { errorPage } from './error-page.tsx'
import { renderPage } from './layout.tsx'

/** Short links behind QR codes. Redirects without setting a cookie. */
export const linkPages = new Hono<App>()

linkPages.get('/q/:code', async (c) => {
  const { deps } = c.env
  const link = await loadLink(c)
  if (!link) return errorPage(c, 404)
  if (!isLinkActive(link, deps.now())) return expiredLinkPage(c)
  if (isRealScan(c)) deps.recordScan(link.code)
  const { target } = link
  const path = 'campaign' in target ? paths.campaign(target.campaign) : paths.workshop(target.workshop)
  c.header('Cache-Control', 'no-store')
  return c.redirect(withQuery(path, { via: link.code }), 302)
})

linkPages.get('/q/:code/qr.svg', async (c) => {
  const link = await loadLink(c)
  if (!link) return errorPage(c, 404)
  return c.body(qrSvg(absoluteUrl(c.env.deps.config.baseUrl, paths.registrationLink(link.code))), 200, {
    'Content-Type': 'image/svg+xml',
    ...hourlyCache,
  })
})

linkPages.get('/q/:code/qr.png', async (c) => {
  const link = await loadLink(c)
  if (!link) return errorPage(c, 404)
  const scale = parseScale(c.req.query('scale'))
  return c.body(qrPng(absoluteUrl(c.env.deps.config.baseUrl, paths.registrationLink(link.code)), { scale }), 200, {
    'Content-Type': 'image/png',
    ...hourlyCache,
  })
})

const hourlyCache = { 'Cache-Control': 'public, max-age=3600' }

function loadLink(c: Context<App>): Promise<RegistrationLink | undefined> {
  const { deps } = c.env
  const code = c.req.param('code') ?? ''
  return deps.cache(`link ${code}`, () => findLink(deps, code))
}

/** False for link previews and prefetching, recognized by HEAD or their headers. */
function isRealScan(c: Context<App>): boolean {
  const purpose = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => c.req.header(name) ?? '').join()
  return c.req.method !== 'HEAD' && !/prefetch|preview|prerender/i.test(purpose)
}

/** Pixels per module, 1 to 40; 8 if missing or invalid. */
function parseScale(value: string | undefined): number {
  const scale = Number(value)
  return Number.isInteger(scale) && scale >= 1 && scale <= 40 ? scale : 8
}

function expiredLinkPage(c: Context<App>) {
  const t = publicMessages(c.var.locale)
  return renderPage(
    c,
    { title: t.link.expired, status: 410 },
    <>
      <h1>{t.link.expired}</h1>
      <p class="lead">{t.link.expiredHint}</p>
      <a class="button" href={paths.home()}>
        {t.home.go}
      </a>
    </>,
  )
}
