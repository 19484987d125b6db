import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import { doorPolicy } from '../answer.ts'
import type { App } from '../context.ts'
import { paths, withQuery } from '../links.ts'
import { type DoorMessages, doorMessagesFor } from '../messages/door.ts'
import { messagesFor } from '../messages/messages.ts'
import { DoorFrame, LeaveForm } from './frame.tsx'

/** What the whole screen says at a glance, in colour, sign and words: to be checked in, in, stop, something is to be done. */
export type Tone = 'ready' | 'in' | 'stop' | 'wait'

/** What a page of the door is, apart from its content. */
export type View = {
  title: string
  tone?: Tone | undefined
  /** False for a page in whose place the phone's script draws nothing. */
  phone?: boolean | undefined
  /** The path that shows this page, where it is not the one that was asked. */
  here?: string | undefined
  /** What stands at the top left. */
  top?: Child | undefined
  status?: 200 | 401 | 404 | 409 | 410 | 422 | undefined
}

/** A page of the door as an answer in the helper's language. Nobody keeps it. */
export async function doorPage(c: Context<App>, view: View, content: Child): Promise<Response> {
  for (const [name, value] of Object.entries(doorPolicy)) c.header(name, value)
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
  return c.html(await drawDoorPage(c, view, content), view.status ?? 200)
}

/** The HTML of a page of the door. */
export async function drawDoorPage(c: Context<App>, view: View, content: Child): Promise<string> {
  return String(await (<Page c={c} view={view} content={content} />).toString())
}

function Page({ c, view, content }: { c: Context<App>; view: View; content: Child }) {
  const t = messagesFor(c.var.locale)
  const { skip } = doorMessagesFor(c.var.locale)
  const { pathname } = new URL(c.req.url)
  // The other language of an answer to a form is that of the page it stands on.
  const here = view.here ?? (c.req.method === 'GET' ? pathname.replace(/^\/+/, '/') : paths.doorPage())
  const { phone = true } = view
  return (
    <>
      {raw('<!doctype html>')}
      <html lang={t.lang} class={view.tone && `tone-${view.tone}`}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
          <meta name="color-scheme" content="light dark" />
          <meta name="format-detection" content="telephone=no" />
          <meta name="robots" content="noindex" />
          <title>{view.title}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('site.css')} />
          <link rel="stylesheet" href={paths.asset('door.css')} />
          {phone && <link rel="stylesheet" href={paths.asset('door-phone.css')} />}
          {phone && <script type="module" src={paths.asset('door.js')} />}
        </head>
        <body class="door">
          <a class="skip" href="#main">
            {skip}
          </a>
          <header class="top">
            <span>{view.top}</span>
            <a
              href={withQuery(here, { lang: t.otherLanguage.locale })}
              hreflang={t.otherLanguage.locale}
              lang={t.otherLanguage.locale}
              aria-label={t.otherLanguage.name}
            >
              {t.otherLanguage.short}
            </a>
          </header>
          <main id="main">
            {phone && <DoorFrame locale={c.var.locale} />}
            <div id="door-plain">{content}</div>
            {phone && (c.get('door') || view.here) && <LeaveForm locale={c.var.locale} />}
          </main>
        </body>
      </html>
    </>
  )
}

/** Says that this phone is a door no longer, and how it becomes one again; or that it never was one. */
export function closedDoorPage(c: Context<App>): Promise<Response> {
  const t = doorMessagesFor(c.var.locale)
  const { title, hint } = c.get('doorOver') ? t.over : t.nobody
  return doorPage(
    c,
    { title, tone: 'wait', status: c.req.method === 'GET' && !c.get('doorOver') ? 200 : 401 },
    <Plain title={title} lines={[...(c.req.method === 'POST' ? [t.over.changed] : []), hint]}>
      {!c.get('doorOver') && (
        <a class="quiet" href={paths.console()}>
          {t.nobody.organisers}
        </a>
      )}
    </Plain>,
  )
}

/** A page that only says something. */
export function Plain({ title, lines, children }: { title: string; lines: readonly string[]; children?: Child }) {
  return (
    <>
      <h1>{title}</h1>
      {lines.map((line) => (
        <p class="lead">{line}</p>
      ))}
      {children}
    </>
  )
}

/** Something that was done or found out about one person. Colour is never all that says so: there is a sign, and words. */
export function Panel({ tone, title, name, lines, children }: PanelProps) {
  return (
    <section class={`panel panel-${tone}`} role="status" aria-labelledby="panel">
      <h1 id="panel">
        <span class="sign" aria-hidden="true">
          {signs[tone]}
        </span>
        {title}
      </h1>
      {name && <p class="who">{name}</p>}
      {lines.map((line) => (
        <p>{line}</p>
      ))}
      {children}
    </section>
  )
}

type PanelProps = { tone: Tone; title: string; name?: string | undefined; lines: readonly string[]; children?: Child }

const signs: Record<Tone, string> = { ready: '→', in: '✓', stop: '✕', wait: '!' }

/** A button that sends something about one person. */
export function PersonForm({
  action,
  fields,
  label,
  text,
  second = false,
}: {
  action: string
  fields: Record<string, string>
  /** What the button does and to whom, for those who do not see where it stands. */
  label: string
  text: string
  second?: boolean
}) {
  return (
    <form method="post" action={action}>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" class={second ? 'second' : undefined} aria-label={label === text ? undefined : label}>
        {text}
      </button>
    </form>
  )
}

/** A helper's name, or that nobody did it. */
export const byWhom = (by: string, t: DoorMessages) => by || t.byItself
