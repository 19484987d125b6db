import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { App } from '../../http/context.ts'
import { absoluteUrl, paths, withQuery } from '../../http/links.ts'
import { publicMessages } from '../../i18n/public.ts'

export type PageOptions = {
  title: string
  /** One sentence; chat programs show it below the title of a shared link. */
  description?: string | undefined
  /** Link above the title. Default: the home page. */
  back?: { href: string; text: string } | 'none' | undefined
  /** Path of this page, if it differs from the request's, e.g. for responses to a POST. */
  canonicalPath?: string | undefined
  /** Scripts in src/client that enhance the page. */
  scripts?: readonly ('seats' | 'copy' | 'proof' | 'ready')[] | undefined
  status?: 200 | 202 | 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503 | undefined
}

/** Renders a page in the visitor's language. Shared caches must not store it. */
export async function renderPage(c: Context<App>, view: PageOptions, content: Child): Promise<Response> {
  c.header('Cache-Control', c.req.method === 'POST' ? 'no-store' : 'private, no-cache')
  return c.html(await renderPageHtml(c, view, content), view.status ?? 200)
}

export async function renderPageHtml(c: Context<App>, view: PageOptions, content: Child): Promise<string> {
  return String(await (<Page c={c} view={view} content={content} />).toString())
}

function Page({ c, view, content }: { c: Context<App>; view: PageOptions; content: Child }) {
  const { config } = c.env.deps
  const t = publicMessages(c.var.locale)
  const { pathname, search } = new URL(c.req.url)
  // A path with two leading slashes would be a URL of another site.
  const currentPath = view.canonicalPath ?? pathname.replace(/^\/+/, '/') + search
  const back = view.back ?? { href: paths.home(), text: t.home.title }
  return (
    <>
      {raw('<!doctype html>')}
      <html lang={t.lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
          <meta name="color-scheme" content="light dark" />
          <meta name="format-detection" content="telephone=no" />
          <title>{view.title}</title>
          {view.description && <meta name="description" content={view.description} />}
          <meta property="og:title" content={view.title} />
          {view.description && <meta property="og:description" content={view.description} />}
          <meta property="og:type" content="website" />
          <meta property="og:url" content={absoluteUrl(config.baseUrl, currentPath)} />
          <meta property="og:locale" content={t.lang.replace('-', '_')} />
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('site.css')} />
          {view.scripts?.map((name) => (
            <script type="module" src={paths.asset(`${name}.js`)} />
          ))}
        </head>
        <body>
          <a class="skip" href="#main">
            {t.skip}
          </a>
          <header class="top">
            {back === 'none' ? <span /> : <a href={back.href}>{back.text}</a>}
            <a
              href={withQuery(currentPath, { lang: t.otherLanguage.locale })}
              hreflang={t.otherLanguage.locale}
              lang={t.otherLanguage.locale}
            >
              {t.otherLanguage.name}
            </a>
          </header>
          <main id="main">{content}</main>
          <footer class="foot">
            <a href={paths.findTickets()}>{t.footer.find}</a>
            <a href={paths.privacy()}>{t.footer.privacy}</a>
            {config.footer && <span>{config.footer}</span>}
          </footer>
        </body>
      </html>
    </>
  )
}

/** True for WeChat's browser, which cannot download files. */
export function isWeChat(c: Context<App>): boolean {
  return /MicroMessenger/i.test(c.req.header('user-agent') ?? '')
}
