import type { Context } from 'hono'
import type { App } from '../../http/context.ts'
import { paths } from '../../http/links.ts'
import { publicMessages } from '../../i18n/public.ts'
import { renderPage } from './layout.tsx'

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 503

/** Error page with links to the home page and to ticket search. */
export function errorPage(c: Context<App>, status: ErrorStatus): Response | Promise<Response> {
  const t = publicMessages(c.var.locale)
  // RFC 9110, 15.5.2.
  if (status === 401) c.header('WWW-Authenticate', 'Bearer')
  const { title, hint } = t.errors[status === 401 ? 403 : status === 405 || status === 415 ? 400 : status]
  return renderPage(
    c,
    { title, status, canonicalPath: c.req.method === 'GET' ? undefined : paths.home() },
    <>
      <h1>{title}</h1>
      <p class="lead">{hint}</p>
      <p>
        <a class="button" href={paths.home()}>
          {t.home.go}
        </a>
      </p>
      <p>
        <a class="quiet" href={paths.findTickets()}>
          {t.footer.find}
        </a>
      </p>
    </>,
  )
}
