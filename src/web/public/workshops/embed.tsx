import { Hono } from 'hono'
import { raw } from 'hono/html'
import { findPublicWorkshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { allowFraming } from '../../../http/responses.ts'
import { formatDateRange, formatPlace, localize } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { errorPage } from '../error-page.tsx'
import { SeatsSummary } from '../home.tsx'
import { DateTile } from '../workshop-summary.tsx'
import { parseVia } from './sign-up-form.tsx'

/** A workshop for an iframe on another site: date, place, seats left and a link to its page. */
export const embedPages = new Hono<App>()

embedPages.get('/w/:workshop/embed', async (c) => {
  const { locale } = c.var
  const workshop = await findPublicWorkshop(c.env.deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  const t = publicMessages(locale)
  const { weekday, time } = formatDateRange(workshop, locale)
  // Clickjacking is no risk: the only link opens the workshop's page in a new window.
  allowFraming(c, '*')
  c.header('Cache-Control', 'public, max-age=1')
  c.header('Vary', 'Accept-Language, Cookie')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={t.lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{localize(workshop.title, locale)}</title>
          <link rel="stylesheet" href={paths.asset('site.css')} />
          <script type="module" src={paths.asset('seats.js')} />
        </head>
        <body>
          <main class="embed" data-availability={paths.availability(workshop.slug)} data-status={workshop.status}>
            <a
              class="row"
              href={withQuery(paths.workshop(workshop.slug), { via: parseVia(c.req.query('via')) })}
              target="_blank"
              rel="noopener"
            >
              <DateTile workshop={workshop} locale={locale} />
              <span>
                {localize(workshop.title, locale)}
                <small>
                  {formatPlace(workshop, locale)} · {weekday} {time}
                </small>
                <SeatsSummary workshop={workshop} locale={locale} />
              </span>
            </a>
          </main>
        </body>
      </html>
    </>,
  )
})
