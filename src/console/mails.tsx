import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import { type App, hasMailbox, isThisMachine } from '../context.ts'
import { owedMails } from '../domain/attention.ts'
import {
  countMails,
  findMail,
  isToSomeone,
  listMails,
  type MailInList,
  reasonsNotToSend,
  type ShownState,
  sendAgain,
  shownStates,
} from '../domain/mails.ts'
import { messageProgress } from '../domain/messages.ts'
import { isId } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { subjectOf } from '../mail/message.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { type MailingMessages, mailingMessagesFor } from '../messages/mailing.ts'
import { moment } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { consolePage } from './layout.tsx'

/** All mails that are or were owed to somebody, and what became of them. */
export const mailPages = new Hono<App>()

const pageLength = 50

mailPages.get('/console/mails', (c) => mailsPage(c))

async function mailsPage(c: Context<App>) {
  const { deps } = c.env
  const locale = c.var.locale
  const t = mailingMessagesFor(locale).mails
  const query = readQuery(c)
  const message = query.message ? await messageProgress(deps, query.message) : undefined
  const found = await listMails(deps, { ...query, writtenId: query.message, limit: pageLength + 1 })
  const shown = found.slice(0, pageLength)
  const { states } = await countMails(deps)
  const all = Object.values(states).reduce((sum, mails) => sum + mails, 0)
  const [troubled] = await owedMails(deps)
  const done = (['owed', 'not_dead'] as const).find((known) => known === c.req.query('done'))
  return consolePage(
    c,
    { title: t.title, section: 'mails', done: done && t[done] },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      {troubled?.kind === 'mails_held' && (
        <p class="warning">
          {t.held} {hasMailbox(deps) && isThisMachine(c) && <a href={paths.mailbox()}>{t.toMailbox}</a>}
        </p>
      )}
      {troubled?.kind === 'delivery_paused' && (
        <>
          <p class="warning">{t.paused(troubled.count, moment(troubled.since, deps.config.timeZone, locale))}</p>
          <p>
            {t.answered} <code>{troubled.reason}</code>
          </p>
          <p>{t.pausedToDo}</p>
        </>
      )}
      {troubled?.kind === 'mails_waiting' && (
        <p class="warning">{t.standstill(troubled.count, moment(troubled.since, deps.config.timeZone, locale))}</p>
      )}
      {message ? (
        <p>
          {t.ofMessage(message.subject)} · <a href={paths.consoleMails()}>{t.everyMail}</a>
        </p>
      ) : (
        <States states={states} all={all} chosen={query.state} t={t} />
      )}
      {shown.length === 0 && <p>{all === 0 ? t.none : t.noneFound}</p>}
      <ul class="rows mails">
        {shown.map((mail) => (
          <Line c={c} mail={mail} t={t} />
        ))}
      </ul>
      {found.length > pageLength && (
        <p>
          <a href={addressOf(query, shown.at(-1)?.id)}>{t.older}</a>
        </p>
      )}
    </>,
  )
}

mailPages.post('/console/mails/:id/send-again', async (c) => {
  const { deps } = c.env
  const id = c.req.param('id')
  const mail = /^\d{1,15}$/.test(id) ? await findMail(deps, Number(id)) : undefined
  if (!mail) return c.notFound()
  if (!(await isConfirmed(c))) return mailsPage(c)
  const outcome = await sendAgain(deps, mail.id)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'message_paused' && mail.written)
    return c.redirect(withQuery(paths.message(mail.written.id), { done: outcome }), 303)
  if (outcome === 'owed') await audited(c, auditOf(mail))
  return c.redirect(withQuery(addressOf(readQuery(c)), { done: outcome }), 303)
})

type Query = { state: ShownState | undefined; message: string | undefined; before: number | undefined }

/** What the address asks for. What it does not know counts as not said. */
function readQuery(c: Context<App>): Query {
  const { state, message = '', before = '' } = c.req.query()
  return {
    state: shownStates.find((known) => known === state),
    message: isId(message) ? message : undefined,
    before: /^[1-9]\d{0,14}$/.test(before) ? Number(before) : undefined,
  }
}

function addressOf({ state, message, before }: Query, from = before): string {
  return withQuery(paths.consoleMails(), { state, message, before: from === undefined ? undefined : String(from) })
}

/** How many mails there are in each state, each leading to those. */
function States({
  states,
  all,
  chosen,
  t,
}: {
  states: Record<ShownState, number>
  all: number
  chosen: ShownState | undefined
  t: MailingMessages['mails']
}) {
  const link = (state: ShownState | undefined, text: string, mails: number) => (
    <a
      href={addressOf({ state, message: undefined, before: undefined })}
      aria-current={state === chosen ? 'page' : undefined}
      class={state === 'dead' && mails > 0 ? 'failed' : undefined}
    >
      {t.of(text, mails)}
    </a>
  )
  return (
    <nav class="ways" aria-label={t.title}>
      {link(undefined, t.all, all)}
      {shownStates
        .filter((state) => states[state] > 0 || state === chosen)
        .map((state) => link(state, t.states[state], states[state]))}
    </nav>
  )
}

function Line({ c, mail, t }: { c: Context<App>; mail: MailInList; t: MailingMessages['mails'] }) {
  const { deps } = c.env
  const kind = consoleMessagesFor(c.get('locale')).mailKinds[mail.kind]
  const { registration, held, organiser, state, reason, attempt } = mail
  const name = registration?.name ?? held?.signUp.name ?? (organiser && (organiser.name || organiser.email))
  const email = registration?.email ?? held?.signUp.email ?? organiser?.email
  const sent = mail.sentAt ?? mail.createdAt
  const again = state === 'dead' && name !== undefined && !isPointless(reason)
  return (
    <li>
      <span>
        {isToSomeone(mail) ? subjectOf(deps, mail) : kind}
        <small>
          {registration ? <a href={paths.person(registration.id)}>{name}</a> : (name ?? t.erased)}
          {email && email !== name && ` · ${email}`} · {kind} ·{' '}
          <time datetime={sent.toISOString()}>{moment(sent, deps.config.timeZone, c.var.locale)}</time>
          {attempt > 1 && ` · ${t.attempts(attempt)}`}
        </small>
        {reason && <small class={isPointless(reason) ? undefined : 'failed'}>{sayReason(reason, t)}</small>}
      </span>
      <span class={marks[state]}>{t.states[state]}</span>
      {again && (
        <form method="post" action={withQuery(paths.sendMailAgain(mail.id), Object.fromEntries(keptQuery(c)))}>
          <ConfirmField />
          <button type="submit" class="small second" aria-label={t.sendAgainTo(name)}>
            {t.sendAgain}
          </button>
        </form>
      )}
    </li>
  )
}

const marks: Record<ShownState, string> = {
  pending: 'mark',
  held: 'mark warn',
  sending: 'mark',
  sent: 'mark off',
  dead: 'mark warn',
}

/** What of the address stays when a mail is sent again. */
function keptQuery(c: Context<App>): [string, string][] {
  const { state, message, before } = readQuery(c)
  return Object.entries({ state, message, before: before && String(before) }).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
}

/** Whether a mail was given up because nobody should get it any more: then it would be once more. */
function isPointless(reason: string | null): reason is (typeof reasonsNotToSend)[number] {
  return (reasonsNotToSend as readonly (string | null)[]).includes(reason)
}

function sayReason(reason: string, t: MailingMessages['mails']): string {
  if (isPointless(reason)) return t.pointless[reason]
  const [, why] = /^given up after 24 hours: (.*)$/s.exec(reason) ?? []
  return why === undefined ? reason : t.givenUp(why)
}

function auditOf({ kind, registration, held }: MailInList): Parameters<typeof audited>[1] {
  const workshop = registration?.workshop ?? held?.workshop
  const { name, email } = registration ?? held?.signUp ?? {}
  return {
    action: 'mail.sent_again',
    campaignId: workshop?.campaignId ?? undefined,
    workshopId: workshop?.id,
    registrationId: registration?.id,
    facts: { kind },
    personal: { name, email },
  }
}
