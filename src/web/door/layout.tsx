import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { App } from '../../http/context.ts'
import { paths, withQuery } from '../../http/links.ts'
import { doorSecurityHeaders } from '../../http/responses.ts'
import { type DoorMessages, doorMessages } from '../../i18n/door.ts'
import { publicMessages } from '../../i18n/public.ts'
import { DoorAppShell, EndSessionForm } from './app-shell.tsx'

/** Result shown by colour, sign and words: can be checked in, checked in, stop, needs attention. */
export type Severity = 'ready' | 'in' | 'stop' | 'wait'

export type DoorPageOptions = {
  title: string
  severity?: Severity | undefined
  /** False for pages that the phone's script does not replace. */
  loadApp?: boolean | undefined
  /** Path of this page, if it is not the requested one. */
  path?: string | undefined
  /** Content of the top left corner. */
  header?: Child | undefined
  status?: 200 | 401 | 404 | 409 | 410 | 422 | undefined
}

/** Renders a door page in the helper's language, uncached. */
export async function doorPage(c: Context<App>, options: DoorPageOptions, content: Child): Promise<Response> {
  for (const [name, value] of Object.entries(doorSecurityHeaders)) c.header(name, value)
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
  return c.html(await renderDoorPage(c, options, content), options.status ?? 200)
}

export async function renderDoorPage(c: Context<App>, options: DoorPageOptions, content: Child): Promise<string> {
  return String(await (<DoorDocument c={c} options={options} content={content} />).toString())
}

function DoorDocument({ c, options, content }: { c: Context<App>; options: DoorPageOptions; content: Child }) {
  const t = publicMessages(c.var.locale)
  const { skip } = doorMessages(c.var.locale)
  const { pathname } = new URL(c.req.url)
  // A response to a POST has no URL of its own that the language switch could link to.
  const path = options.path ?? (c.req.method === 'GET' ? pathname.replace(/^\/+/, '/') : paths.doorPage())
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
              href={withQuery(path, { lang: t.otherLanguage.locale })}
              hreflang={t.otherLanguage.locale}
              lang={t.otherLanguage.locale}
            >
              {t.otherLanguage.name}
            </a>
          </header>
          <main id="main">
            {loadApp && <DoorAppShell locale={c.var.locale} />}
            <div id="door-plain">{content}</div>
            {loadApp && (c.get('door') || options.path) && <EndSessionForm locale={c.var.locale} />}
          </main>
        </body>
      </html>
    </>
  )
}

/** Tells that the door session has ended, or that there is none, and how to start one. */
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

/** Result of a scan or action. Never by colour alone: with a sign and words (WCAG 1.4.1). */
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

/** A form with hidden fields and a button, for an action on a person. */
export function PersonActionForm({
  action,
  fields,
  label,
  text,
  second = false,
}: {
  action: string
  fields: Record<string, string>
  /** Accessible name, with the person's name. */
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

/** The name of a helper, or "automatically". */
export const actorLabel = (by: string, t: DoorMessages) => by || t.byItself
