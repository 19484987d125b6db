import { Hono } from 'hono'
import { raw } from 'hono/html'
import { letBeFramed } from '../answer.ts'
import type { App } from '../context.ts'
import { findPublicWorkshop } from '../domain/workshops.ts'
import { paths, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { errorPage } from './error-page.tsx'
import { Day } from './facts.tsx'
import { SeatsInShort } from './home.tsx'
import { readVia } from './sign-up-form.tsx'

/** A workshop in a frame on somebody else's page: when, where, the seats left, and a way here. */
export const embedPages = new Hono<App>()

embedPages.get('/w/:workshop/embed', async (c) => {
  const { locale } = c.var
  const workshop = await findPublicWorkshop(c.env.deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  const t = messagesFor(locale)
  const { weekday, time } = when(workshop, locale)
  // There is nothing to be tricked into here: what can be pressed opens the page itself, in a window of its own.
  letBeFramed(c, '*')
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
          <title>{pick(workshop.title, locale)}</title>
          <link rel="stylesheet" href={paths.asset('site.css')} />
          <script type="module" src={paths.asset('seats.js')} />
        </head>
        <body>
          <main class="embed" data-availability={paths.availability(workshop.slug)} data-status={workshop.status}>
            <a
              class="row"
              href={withQuery(paths.workshop(workshop.slug), { via: readVia(c.req.query('via')) })}
              target="_blank"
              rel="noopener"
            >
              <Day workshop={workshop} locale={locale} />
              <span>
                {pick(workshop.title, locale)}
                <small>
                  {placeOf(workshop, locale)} · {weekday} {time}
                </small>
                <SeatsInShort workshop={workshop} locale={locale} />
              </span>
            </a>
          </main>
        </body>
      </html>
    </>,
  )
})
