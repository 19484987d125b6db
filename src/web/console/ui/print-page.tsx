import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { publicMessages } from '../../../i18n/public.ts'

/**
 * A page for printing, with a header of title, hint and back link that is not printed.
 * @param subject shown after the title in the browser's title bar
 */
export function printPage(
  c: Context<App>,
  {
    title,
    subject,
    back,
    hint,
  }: { title: string; subject: string; back: { href: string; text: string }; hint: string },
  content: Child,
) {
  c.header('Cache-Control', 'no-store')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={publicMessages(c.var.locale).lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>{`${title} · ${subject}`}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('sheets.css')} />
        </head>
        <body>
          <header class="no-print">
            <a href={back.href}>{back.text}</a>
            <h1>{title}</h1>
            <p>{hint}</p>
          </header>
          {/* Wider than a phone: focusable, so that it can be scrolled by keyboard. */}
          <main tabindex={0}>{content}</main>
        </body>
      </html>
    </>,
  )
}

/** Splits the items into pages of `size`. */
export function chunk<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
