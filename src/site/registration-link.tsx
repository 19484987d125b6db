import { type Context, Hono } from 'hono'
import type { App } from '../context.ts'
import { findLink, leadsOn, type RegistrationLink } from '../domain/registration-links.ts'
import { paths, urlOf, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { qrPng, qrSvg } from '../qr.ts'
import { errorPage } from './error-page.tsx'
import { page } from './layout.tsx'

/** The short code behind a QR. It leads on without a cookie. */
export const linkPages = new Hono<App>()

linkPages.get('/q/:code', async (c) => {
  const { deps } = c.env
  const link = await linkOf(c)
  if (!link) return errorPage(c, 404)
  if (!leadsOn(link, deps.now())) return gonePage(c)
  if (isSomeone(c)) deps.countScan(link.code)
  const { target } = link
  const path = 'campaign' in target ? paths.campaign(target.campaign) : paths.workshop(target.workshop)
  c.header('Cache-Control', 'no-store')
  return c.redirect(withQuery(path, { via: link.code }), 302)
})

linkPages.get('/q/:code/qr.svg', async (c) => {
  const link = await linkOf(c)
  if (!link) return errorPage(c, 404)
  return c.body(qrSvg(urlOf(c.env.deps.config.baseUrl, paths.link(link.code))), 200, {
    'Content-Type': 'image/svg+xml',
    ...keepForAnHour,
  })
})

linkPages.get('/q/:code/qr.png', async (c) => {
  const link = await linkOf(c)
  if (!link) return errorPage(c, 404)
  const scale = readScale(c.req.query('scale'))
  return c.body(qrPng(urlOf(c.env.deps.config.baseUrl, paths.link(link.code)), { scale }), 200, {
    'Content-Type': 'image/png',
    ...keepForAnHour,
  })
})

const keepForAnHour = { 'Cache-Control': 'public, max-age=3600' }

function linkOf(c: Context<App>): Promise<RegistrationLink | undefined> {
  const { deps } = c.env
  const code = c.req.param('code') ?? ''
  return deps.fresh(`link ${code}`, () => findLink(deps, code))
}

/** Programs that look ahead ask with HEAD or say that they only fetch in advance: nobody scanned anything. */
function isSomeone(c: Context<App>): boolean {
  const purpose = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => c.req.header(name) ?? '').join()
  return c.req.method !== 'HEAD' && !/prefetch|preview|prerender/i.test(purpose)
}

/** Pixels a module: 1 to 40, and 8 where nothing sensible was asked. */
function readScale(asked: string | undefined): number {
  const scale = Number(asked)
  return Number.isInteger(scale) && scale >= 1 && scale <= 40 ? scale : 8
}

function gonePage(c: Context<App>) {
  const t = messagesFor(c.var.locale)
  return page(
    c,
    { title: t.link.gone, status: 410 },
    <>
      <h1>{t.link.gone}</h1>
      <p class="lead">{t.link.goneHint}</p>
      <a class="button" href={paths.home()}>
        {t.home.go}
      </a>
    </>,
  )
}
