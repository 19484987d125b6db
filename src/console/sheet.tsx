import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { App } from '../context.ts'
import { paths } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'

/**
 * A page for paper, without what leads elsewhere but for one line that is not printed.
 * @param of what the sheet is of, for the title of the page
 */
export function sheetPage(
  c: Context<App>,
  { title, of, back, hint }: { title: string; of: string; back: { href: string; text: string }; hint: string },
  content: Child,
) {
  c.header('Cache-Control', 'no-store')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={messagesFor(c.var.locale).lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>{`${title} · ${of}`}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('sheets.css')} />
        </head>
        <body>
          <header class="no-print">
            <a href={back.href}>{back.text}</a>
            <h1>{title}</h1>
            <p>{hint}</p>
          </header>
          {/* Wider than a phone, and scrolled there, by keys too. */}
          <main tabindex={0}>{content}</main>
        </body>
      </html>
    </>,
  )
}

/** What is printed, as many of it on each page as there is room for. */
export function onPages<Item>(all: readonly Item[], perPage: number): Item[][] {
  return Array.from({ length: Math.ceil(all.length / perPage) }, (_, page) =>
    all.slice(page * perPage, (page + 1) * perPage),
  )
}
