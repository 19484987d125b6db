import { type Context, Hono } from 'hono'
import { type DiscardReason, discardReasons, type MailReason } from '../../../db/schema.ts'
import { findBroadcastProgress } from '../../../domain/mails/broadcasts.ts'
import {
  countMails,
  type DisplayState,
  displayStates,
  findMail,
  isDeliverable,
  type ListedMail,
  listMails,
  retryMail,
} from '../../../domain/mails/outbox.ts'
import { listMailAlerts } from '../../../domain/reports/alerts.ts'
import { renderSubject } from '../../../email/message.ts'
import { audit } from '../../../http/audit.ts'
import { type App, isLoopback, isMailPreviewEnabled } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { type BroadcastMessages, broadcastMessages } from '../../../i18n/broadcasts.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'

/** The outbox: all mails with their state. */
export const outboxPages = new Hono<App>()

const pageSize = 50

outboxPages.get('/console/mails', (c) => outboxPage(c))

async function outboxPage(c: Context<App>) {
  const { deps } = c.env
  const locale = c.var.locale
  const t = broadcastMessages(locale).mails
  const query = parseOutboxQuery(c)
  const broadcast = query.message ? await findBroadcastProgress(deps, query.message) : undefined
  const listed = await listMails(deps, { ...query, broadcastId: query.message, limit: pageSize + 1 })
  const visibleMails = listed.slice(0, pageSize)
  const { states } = await countMails(deps)
  const total = Object.values(states).reduce((sum, mails) => sum + mails, 0)
  const [outboxAlert] = await listMailAlerts(deps)
  const flash = (['owed', 'not_dead'] as const).find((known) => known === c.req.query('done'))
  return consolePage(
    c,
    { title: t.title, section: 'mails', flash: flash && t[flash] },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      {outboxAlert?.kind === 'mails_held' && (
        <p class="warning">
          {t.held} {isMailPreviewEnabled(deps) && isLoopback(c) && <a href={paths.mailbox()}>{t.toMailbox}</a>}
        </p>
      )}
      {outboxAlert?.kind === 'delivery_paused' && (
        <>
          <p class="warning">
            {t.paused(outboxAlert.count, formatDateTime(outboxAlert.since, deps.config.timeZone, locale))}
          </p>
          <p>
            {t.answered} <code>{outboxAlert.reason}</code>
          </p>
          <p>{t.pausedToDo}</p>
        </>
      )}
      {outboxAlert?.kind === 'mails_waiting' && (
        <p class="warning">
          {t.standstill(outboxAlert.count, formatDateTime(outboxAlert.since, deps.config.timeZone, locale))}
        </p>
      )}
      {broadcast ? (
        <p>
          {t.ofMessage(broadcast.subject)} · <a href={paths.consoleMails()}>{t.everyMail}</a>
        </p>
      ) : (
        <StateFilter states={states} total={total} selected={query.state} t={t} />
      )}
      {visibleMails.length === 0 && <p>{total === 0 ? t.none : t.noneFound}</p>}
      <ul class="rows mails">
        {visibleMails.map((mail) => (
          <MailRow c={c} mail={mail} t={t} />
        ))}
      </ul>
      {listed.length > pageSize && (
        <p>
          <a href={outboxHref(query, visibleMails.at(-1)?.id)}>{t.older}</a>
        </p>
      )}
    </>,
  )
}

outboxPages.post('/console/mails/:id/send-again', async (c) => {
  const { deps } = c.env
  const id = c.req.param('id')
  const mail = /^\d{1,15}$/.test(id) ? await findMail(deps, Number(id)) : undefined
  if (!mail) return c.notFound()
  if (!(await isConfirmed(c))) return outboxPage(c)
  const outcome = await retryMail(deps, mail.id)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'message_paused' && mail.written)
    return c.redirect(withQuery(paths.broadcast(mail.written.id), { done: outcome }), 303)
  if (outcome === 'queued') await audit(c, resendAuditEntry(mail))
  return c.redirect(withQuery(outboxHref(parseOutboxQuery(c)), { done: outcome === 'queued' ? 'owed' : outcome }), 303)
})

type OutboxQuery = { state: DisplayState | undefined; message: string | undefined; before: number | undefined }

/** Parses the query string. Unknown values are ignored. */
function parseOutboxQuery(c: Context<App>): OutboxQuery {
  const { state, message = '', before = '' } = c.req.query()
  return {
    state: displayStates.find((known) => known === state),
    message: isUuid(message) ? message : undefined,
    before: /^[1-9]\d{0,14}$/.test(before) ? Number(before) : undefined,
  }
}

function outboxHref({ state, message, before }: OutboxQuery, from = before): string {
  return withQuery(paths.consoleMails(), { state, message, before: from === undefined ? undefined : String(from) })
}

/** Links that filter by state, with counts. */
function StateFilter({
  states,
  total,
  selected,
  t,
}: {
  states: Record<DisplayState, number>
  total: number
  selected: DisplayState | undefined
  t: BroadcastMessages['mails']
}) {
  const link = (state: DisplayState | undefined, text: string, mails: number) => (
    <a
      href={outboxHref({ state, message: undefined, before: undefined })}
      aria-current={state === selected ? 'page' : undefined}
      class={state === 'dead' && mails > 0 ? 'failed' : undefined}
    >
      {t.of(text, mails)}
    </a>
  )
  return (
    <nav class="ways" aria-label={t.title}>
      {link(undefined, t.all, total)}
      {displayStates
        .filter((state) => states[state] > 0 || state === selected)
        .map((state) => link(state, t.states[state], states[state]))}
    </nav>
  )
}

function MailRow({ c, mail, t }: { c: Context<App>; mail: ListedMail; t: BroadcastMessages['mails'] }) {
  const { deps } = c.env
  const kind = consoleMessages(c.get('locale')).mailKinds[mail.kind]
  const { registration, held, organiser, state, reason, reasonCode, attempt } = mail
  const name = registration?.name ?? held?.signUp.name ?? (organiser && (organiser.name || organiser.email))
  const email = registration?.email ?? held?.signUp.email ?? organiser?.email
  const sentAt = mail.sentAt ?? mail.createdAt
  const canRetry = state === 'dead' && name !== undefined && !isDiscardReason(reasonCode)
  return (
    <li>
      <span>
        {isDeliverable(mail) ? renderSubject(deps, mail) : kind}
        <small>
          {registration ? <a href={paths.person(registration.id)}>{name}</a> : (name ?? t.erased)}
          {email && email !== name && ` · ${email}`} · {kind} ·{' '}
          <time datetime={sentAt.toISOString()}>{formatDateTime(sentAt, deps.config.timeZone, c.var.locale)}</time>
          {attempt > 1 && ` · ${t.attempts(attempt)}`}
        </small>
        {reason && <small class={isDiscardReason(reasonCode) ? undefined : 'failed'}>{describeReason(mail, t)}</small>}
      </span>
      <span class={badgeClasses[state]}>{t.states[state]}</span>
      {canRetry && (
        <form method="post" action={withQuery(paths.resendMail(mail.id), Object.fromEntries(filterParams(c)))}>
          <ConfirmField />
          <button type="submit" class="small second" aria-label={t.sendAgainTo(name)}>
            {t.sendAgain}
          </button>
        </form>
      )}
    </li>
  )
}

const badgeClasses: Record<DisplayState, string> = {
  pending: 'mark',
  held: 'mark warn',
  sending: 'mark',
  sent: 'mark off',
  dead: 'mark warn',
}

/** The query parameters to keep when a mail is retried. */
function filterParams(c: Context<App>): [string, string][] {
  const { state, message, before } = parseOutboxQuery(c)
  return Object.entries({ state, message, before: before && String(before) }).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
}

/** Whether a mail was discarded as obsolete. Retrying it would only discard it again. */
function isDiscardReason(code: MailReason | null): code is DiscardReason {
  return (discardReasons as readonly (string | null)[]).includes(code)
}

function describeReason({ reason, reasonCode }: ListedMail, t: BroadcastMessages['mails']): string {
  if (isDiscardReason(reasonCode)) return t.pointless[reasonCode]
  const [, lastError] = /^given up after 24 hours: (.*)$/s.exec(reason ?? '') ?? []
  return lastError === undefined ? (reason ?? '') : t.givenUp(lastError)
}

function resendAuditEntry({ kind, registration, held }: ListedMail): Parameters<typeof audit>[1] {
  const workshop = registration?.workshop ?? held?.workshop
  const { name, email } = registration ?? held?.signUp ?? {}
  return {
    action: 'mail.sent_again',
    campaignId: workshop?.campaignId ?? undefined,
    workshopId: workshop?.id,
    registrationId: registration?.id,
    payload: { kind },
    pii: { name, email },
  }
}
