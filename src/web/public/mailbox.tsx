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

/** The mails that would be sent, for trying the service on one's own machine. Embedded and without SMTP only. */
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

/** The HTML as a mail program shows it: on its own, without scripts and without a request to anywhere. */
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
 * Mails hold tickets: they are shown only where nothing sends them, on this machine, and with the key that the start
 * prints, because other accounts and programs on this machine can make requests too. The key comes with the printed link
 * and is kept in a cookie from then on.
 */
function requireKey(): MiddlewareHandler<App> {
  return async (c, next) => {
    const { deps } = c.env
    if (!isMailPreviewEnabled(deps) || !isLoopback(c)) return c.notFound()
    c.header('Cache-Control', 'no-store')
    const { secret, port } = deps.config
    // Browsers do not keep the cookies of two ports apart.
    const cookie = `mailbox-${port}`
    const queryKey = c.req.query('key')
    if (!isMailboxKey(secret, queryKey ?? getCookie(c, cookie) ?? '')) return lockedPage(c)
    if (queryKey === undefined) return next()
    setCookie(c, cookie, queryKey, { path: paths.mailbox(), httpOnly: true, sameSite: 'Lax', maxAge: keyCookieMaxAge })
    const { pathname, search } = new URL(c.req.url)
    return c.redirect(withQuery(pathname + search, { key: undefined }))
  }
}

/** Seconds: 14 days, as long as a session of the console. */
const keyCookieMaxAge = 14 * 24 * 3600

/** A 404 as for strangers; on this machine it names the command that prints the key. */
async function lockedPage(c: Context<App>) {
  const locale = c.get('locale')
  const { mailbox: words } = emailMessages(locale)
  const page = (
    <Page locale={locale} title={words.locked}>
      <h1>{words.locked}</h1>
      <p class="lead">{words.lockedLead}</p>
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

/** Whatever is no number of ours is the number of no mail. */
const parseMailId = (text: string) => (/^\d{1,15}$/.test(text) ? Number(text) : 0)

/**
 * Renders a mail as it would be sent now, without sign-in links: reading this page must not give access to an account.
 * Undefined for a person who was erased, or whose link has expired.
 */
function renderMail(deps: Deps, mail: ListedMail): Message | undefined {
  return isDeliverable(mail) ? buildMessage(deps, mail, { signInLink: false }) : undefined
}

/** The pictures that a mail carries along, put where its HTML shows them. */
function inlineImages({ html, attachments }: Message): string {
  return attachments.reduce(
    (page, { cid, contentType, content }) =>
      cid ? page.replaceAll(`cid:${cid}`, `data:${contentType};base64,${content.toString('base64')}`) : page,
    html,
  )
}

const MailList: FC<{ deps: Deps; locale: Locale; mails: ListedMail[] }> = ({ deps, locale, mails }) => {
  const { mailbox: words } = emailMessages(locale)
  const visibleMails = mails.slice(0, pageSize)
  return (
    <Page locale={locale} title={words.title}>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {visibleMails.length === 0 && <p>{words.none}</p>}
      <ul class="list">
        {visibleMails.map((mail) => {
          const message = renderMail(deps, mail)
          return (
            <li>
              <span class={mail.state === 'dead' ? 'tag yours' : 'tag'}>{words.states[mail.state]}</span>
              <span>
                <a href={paths.mailboxMail(mail.id)}>{message?.subject ?? words.erased}</a>
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
          <a href={withQuery(paths.mailbox(), { before: String(visibleMails.at(-1)?.id) })}>{words.older}</a>
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
  const { mailbox: words } = emailMessages(locale)
  return (
    <Page locale={locale} title={message?.subject ?? words.erased}>
      <p>
        <a href={paths.mailbox()}>{words.back}</a>
      </p>
      <h1>{message?.subject ?? words.erased}</h1>
      <p class="lead">
        {[
          words.states[mail.state],
          ...(message ? [formatRecipient(message)] : []),
          formatDateTime(mail.sentAt ?? mail.createdAt, deps.config.timeZone, locale),
        ].join(' · ')}
      </p>
      {mail.reason && <p class="alert">{mail.reason}</p>}
      {message && (
        <>
          <h2>{words.html}</h2>
          <iframe
            class="panel"
            src={paths.mailboxHtml(mail.id)}
            title={words.html}
            sandbox="allow-popups"
            width="100%"
            height="900"
          ></iframe>
          <h2>{words.files}</h2>
          <ul>
            {message.attachments.map(({ filename, contentDisposition, contentType }, n) => (
              <li>
                <a href={paths.mailboxFile(mail.id, n + 1)}>{filename}</a> {contentDisposition}, {contentType}
              </li>
            ))}
          </ul>
          <h2>{words.text}</h2>
          <PlainText text={message.text} />
          <h2>{words.headers}</h2>
          <PlainText text={formatHeaders(message)} />
        </>
      )}
    </Page>
  )
}

/** Plain text as it stands, but broken where the page ends. */
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
