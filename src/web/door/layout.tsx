import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { App } from '../../http/context.ts'
import { paths, withQuery } from '../../http/links.ts'
import { doorSecurityHeaders } from '../../http/responses.ts'
import { type DoorMessages, doorMessages } from '../../i18n/door.ts'
import { publicMessages } from '../../i18n/public.ts'
import { DoorAppShell, EndSessionForm } from './app-shell.tsx'

/** What the whole screen says at a glance, in colour, sign and words: to be checked in, in, stop, something is to be done. */
export type Severity = 'ready' | 'in' | 'stop' | 'wait'

/** What a page of the door is, apart from its content. */
export type DoorPageOptions = {
  title: string
  severity?: Severity | undefined
  /** False for a page in whose place the phone's script draws nothing. */
  loadApp?: boolean | undefined
  /** The path that shows this page, where it is not the one that was asked. */
  here?: string | undefined
  /** What stands at the top left. */
  header?: Child | undefined
  status?: 200 | 401 | 404 | 409 | 410 | 422 | undefined
}

/** A page of the door as an answer in the helper's language. Nobody keeps it. */
export async function doorPage(c: Context<App>, options: DoorPageOptions, content: Child): Promise<Response> {
  for (const [name, value] of Object.entries(doorSecurityHeaders)) c.header(name, value)
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
  return c.html(await renderDoorPage(c, options, content), options.status ?? 200)
}

/** The HTML of a page of the door. */
export async function renderDoorPage(c: Context<App>, options: DoorPageOptions, content: Child): Promise<string> {
  return String(await (<DoorDocument c={c} view={options} content={content} />).toString())
}

function DoorDocument({ c, view: options, content }: { c: Context<App>; view: DoorPageOptions; content: Child }) {
  const t = publicMessages(c.var.locale)
  const { skip } = doorMessages(c.var.locale)
  const { pathname } = new URL(c.req.url)
  // The other language of an answer to a form is that of the page it stands on.
  const here = options.here ?? (c.req.method === 'GET' ? pathname.replace(/^\/+/, '/') : paths.doorPage())
  const { loadApp = true } = options
  return (
    <>
      {raw('<!doctype html>')}
      <html lang={t.lang} class={options.severity && `tone-${options.severity}`}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
          <meta name="color-scheme" content="light dark" />
          <meta name="format-detection" content="telephone=no" />
          <meta name="robots" content="noindex" />
          <title>{options.title}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('site.css')} />
          <link rel="stylesheet" href={paths.asset('door.css')} />
          {loadApp && <link rel="stylesheet" href={paths.asset('door-phone.css')} />}
          {loadApp && <script type="module" src={paths.asset('door.js')} />}
        </head>
        <body class="door">
          <a class="skip" href="#main">
            {skip}
          </a>
          <header class="top">
            <span>{options.header}</span>
            <a
              href={withQuery(here, { lang: t.otherLanguage.locale })}
              hreflang={t.otherLanguage.locale}
              lang={t.otherLanguage.locale}
            >
              {t.otherLanguage.name}
            </a>
          </header>
          <main id="main">
            {loadApp && <DoorAppShell locale={c.var.locale} />}
            <div id="door-plain">{content}</div>
            {loadApp && (c.get('door') || options.here) && <EndSessionForm locale={c.var.locale} />}
          </main>
        </body>
      </html>
    </>
  )
}

/** Says that this phone is a door no longer, and how it becomes one again; or that it never was one. */
export function sessionRequiredPage(c: Context<App>): Promise<Response> {
  const t = doorMessages(c.var.locale)
  const { title, hint } = c.get('doorSessionExpired') ? t.over : t.nobody
  return doorPage(
    c,
    { title, severity: 'wait', status: c.req.method === 'GET' && !c.get('doorSessionExpired') ? 200 : 401 },
    <Notice title={title} lines={[...(c.req.method === 'POST' ? [t.over.changed] : []), hint]}>
      {!c.get('doorSessionExpired') && (
        <a class="quiet" href={paths.console()}>
          {t.nobody.organisers}
        </a>
      )}
    </Notice>,
  )
}

/** A page that only says something. */
export function Notice({ title, lines, children }: { title: string; lines: readonly string[]; children?: Child }) {
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
export function StatusPanel({ severity, title, name, lines, children }: StatusPanelProps) {
  return (
    <section class={`panel panel-${severity}`} role="status" aria-labelledby="panel">
      <h1 id="panel">
        <span class="sign" aria-hidden="true">
          {severitySigns[severity]}
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

type StatusPanelProps = {
  severity: Severity
  title: string
  name?: string | undefined
  lines: readonly string[]
  children?: Child
}

const severitySigns: Record<Severity, string> = { ready: '→', in: '✓', stop: '✕', wait: '!' }

/** A button that sends something about one person. */
export function PersonActionForm({
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
export const actorLabel = (by: string, t: DoorMessages) => by || t.byItself
