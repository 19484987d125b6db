import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { FC, PropsWithChildren } from 'hono/jsx'
import type { Deps } from '../../domain/deps.ts'
import { findMail, isDeliverable, type ListedMail, listMails } from '../../domain/mails/outbox.ts'
import { isMailboxKey } from '../../domain/tickets/signed-tokens.ts'
import { buildMessage, type Message } from '../../email/message.ts'
import { emailMessages } from '../../email/templates/content.ts'
import { type App, isLoopback, isMailPreviewEnabled } from '../../http/context.ts'
import { paths, withQuery } from '../../http/links.ts'
import { formatDateTime } from '../../i18n/format.ts'
import type { Locale } from '../../lib/config.ts'

/**
 * Preview of the mails in the outbox, for trying the service locally. Only with the embedded database and without SMTP.
 */
export const mailPreview = new Hono<App>()

mailPreview.use('/mailbox', requireKey())
mailPreview.use('/mailbox/*', requireKey())

mailPreview.get('/mailbox', async (c) => {
  const { deps } = c.env
  const before = parseMailId(c.req.query('before') ?? '') || undefined
  const mails = await listMails(deps, { before, limit: pageSize + 1 })
  return c.html(`<!doctype html>${(<MailList deps={deps} locale={c.get('locale')} mails={mails} />).toString()}`)
})

mailPreview.get('/mailbox/:id', async (c) => {
  const mail = await findMail(c.env.deps, parseMailId(c.req.param('id')))
  if (!mail) return c.notFound()
  const message = renderMail(c.env.deps, mail)
  return c.html(
    `<!doctype html>${(<MailPage deps={c.env.deps} locale={c.get('locale')} mail={mail} message={message} />).toString()}`,
  )
})

/** The HTML as a mail program shows it: without scripts and without external requests. */
mailPreview.get('/mailbox/:id/html', async (c) => {
  const message = await findMessage(c.env.deps, c.req.param('id'))
  if (!message) return c.notFound()
  c.header(
    'Content-Security-Policy',
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups",
  )
  return c.html(inlineImages(message))
})

mailPreview.get('/mailbox/:id/files/:n', async (c) => {
  const message = await findMessage(c.env.deps, c.req.param('id'))
  const file = message?.attachments[parseMailId(c.req.param('n')) - 1]
  if (!file) return c.notFound()
  return c.body(new Uint8Array(file.content), 200, {
    'Content-Type': file.contentType,
    'Content-Disposition': `attachment; filename="${file.filename}"`,
  })
})

const pageSize = 50

/**
 * Restricts the preview, because mails contain ticket links: to installations that send no mail, to localhost, and to
 * the key in the link printed at the start, because other accounts and programs on the machine can make requests too.
 * The key is then stored in a cookie.
 */
function requireKey(): MiddlewareHandler<App> {
  return async (c, next) => {
    const { deps } = c.env
    if (!isMailPreviewEnabled(deps) || !isLoopback(c)) return c.notFound()
    c.header('Cache-Control', 'no-store')
    const { secret, port } = deps.config
    // Cookies are shared between ports.
    const cookie = `mailbox-${port}`
    const queryKey = c.req.query('key')
    if (!isMailboxKey(secret, queryKey ?? getCookie(c, cookie) ?? '')) return lockedPage(c)
    if (queryKey === undefined) return next()
    setCookie(c, cookie, queryKey, { path: paths.mailbox(), httpOnly: true, sameSite: 'Lax', maxAge: keyCookieMaxAge })
    const { pathname, search } = new URL(c.req.url)
    return c.redirect(withQuery(pathname + search, { key: undefined }))
  }
}

/** 14 days in seconds, like a session of the console. */
const keyCookieMaxAge = 14 * 24 * 3600

/** 404 with the command that prints the key. */
async function lockedPage(c: Context<App>) {
  const locale = c.get('locale')
  const { mailbox: t } = emailMessages(locale)
  const page = (
    <Page locale={locale} title={t.locked}>
      <h1>{t.locked}</h1>
      <p class="lead">{t.lockedLead}</p>
      <p>
        <code>npm run cli -- mailbox</code>
      </p>
    </Page>
  )
  return c.html(`<!doctype html>${page.toString()}`, 404)
}

async function findMessage(deps: Deps, id: string): Promise<Message | undefined> {
  const mail = await findMail(deps, parseMailId(id))
  return mail && renderMail(deps, mail)
}

/** 0, which is no mail's id, for invalid input. */
const parseMailId = (text: string) => (/^\d{1,15}$/.test(text) ? Number(text) : 0)

/**
 * Renders a mail as it would be sent now, but without sign-in links, so that this page gives no access to accounts.
 * Undefined if the person was erased or the link has expired.
 */
function renderMail(deps: Deps, mail: ListedMail): Message | undefined {
  return isDeliverable(mail) ? buildMessage(deps, mail, { signInLink: false }) : undefined
}

/** Replaces cid: references by data: URLs of the attached images. */
function inlineImages({ html, attachments }: Message): string {
  return attachments.reduce(
    (page, { cid, contentType, content }) =>
      cid ? page.replaceAll(`cid:${cid}`, `data:${contentType};base64,${content.toString('base64')}`) : page,
    html,
  )
}

const MailList: FC<{ deps: Deps; locale: Locale; mails: ListedMail[] }> = ({ deps, locale, mails }) => {
  const { mailbox: t } = emailMessages(locale)
  const visibleMails = mails.slice(0, pageSize)
  return (
    <Page locale={locale} title={t.title}>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      {visibleMails.length === 0 && <p>{t.none}</p>}
      <ul class="list">
        {visibleMails.map((mail) => {
          const message = renderMail(deps, mail)
          return (
            <li>
              <span class={mail.state === 'dead' ? 'tag yours' : 'tag'}>{t.states[mail.state]}</span>
              <span>
                <a href={paths.mailboxMail(mail.id)}>{message?.subject ?? t.erased}</a>
                <small>
                  {message && `${formatRecipient(message)} · `}
                  {formatDateTime(mail.createdAt, deps.config.timeZone, locale)}
                </small>
                {mail.reason && <small>{mail.reason}</small>}
              </span>
            </li>
          )
        })}
      </ul>
      {mails.length > pageSize && (
        <p>
          <a href={withQuery(paths.mailbox(), { before: String(visibleMails.at(-1)?.id) })}>{t.older}</a>
        </p>
      )}
    </Page>
  )
}

const MailPage: FC<{ deps: Deps; locale: Locale; mail: ListedMail; message: Message | undefined }> = ({
  deps,
  locale,
  mail,
  message,
}) => {
  const { mailbox: t } = emailMessages(locale)
  return (
    <Page locale={locale} title={message?.subject ?? t.erased}>
      <p>
        <a href={paths.mailbox()}>{t.back}</a>
      </p>
      <h1>{message?.subject ?? t.erased}</h1>
      <p class="lead">
        {[
          t.states[mail.state],
          ...(message ? [formatRecipient(message)] : []),
          formatDateTime(mail.sentAt ?? mail.createdAt, deps.config.timeZone, locale),
        ].join(' · ')}
      </p>
      {mail.reason && <p class="alert">{mail.reason}</p>}
      {message && (
        <>
          <h2>{t.html}</h2>
          <iframe
            class="panel"
            src={paths.mailboxHtml(mail.id)}
            title={t.html}
            sandbox="allow-popups"
            width="100%"
            height="900"
          ></iframe>
          <h2>{t.files}</h2>
          <ul>
            {message.attachments.map(({ filename, contentDisposition, contentType }, n) => (
              <li>
                <a href={paths.mailboxFile(mail.id, n + 1)}>{filename}</a> {contentDisposition}, {contentType}
              </li>
            ))}
          </ul>
          <h2>{t.text}</h2>
          <PlainText text={message.text} />
          <h2>{t.headers}</h2>
          <PlainText text={formatHeaders(message)} />
        </>
      )}
    </Page>
  )
}

/** Preformatted text that wraps at the width of the page. */
const PlainText: FC<{ text: string }> = ({ text }) => (
  <p>{text.split('\n').map((line) => [line.replace(/^ +/, (spaces) => '\u00a0'.repeat(spaces.length)), <br />])}</p>
)

const Page: FC<PropsWithChildren<{ locale: Locale; title: string }>> = ({ locale, title, children }) => (
  <html lang={locale}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{title}</title>
      <link rel="stylesheet" href={paths.asset('site.css')} />
    </head>
    <body>
      <main>{children}</main>
    </body>
  </html>
)

const formatRecipient = ({ to }: Message) => `${to.name} <${to.address}>`

function formatHeaders({ from, to, replyTo, subject, date, messageId, headers }: Message): string {
  return Object.entries({
    From: `${from.name} <${from.address}>`.trim(),
    To: `${to.name} <${to.address}>`,
    ...(replyTo && { 'Reply-To': replyTo }),
    Subject: subject,
    Date: date.toUTCString(),
    'Message-ID': messageId,
    ...headers,
  })
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}
