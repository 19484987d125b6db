import { type Context, Hono } from 'hono'
import {
  type BroadcastProgress,
  findBroadcastProgress,
  listBroadcasts,
  resendBroadcast,
} from '../../../domain/mails/broadcasts.ts'
import { displayState } from '../../../domain/mails/outbox.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { broadcastMessages } from '../../../i18n/broadcasts.ts'
import { formatDateTime, formatNumber, formatPlace, localize } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import {
  loadScope,
  newBroadcastPath,
  type PeopleScope,
  scopeIds,
  scopePath,
  scopeTitle,
} from '../registrations/query.ts'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { EmailPreview } from '../ui/email-preview.tsx'
import { KeyNumbers } from '../ui/numbers.tsx'

/** Broadcasts to the people of a workshop or campaign: list, delivery progress, resending. */
export const broadcastPages = new Hono<App>()

broadcastPages.get('/console/workshops/:slug/messages', (c) => broadcastListPage(c, 'workshop'))
broadcastPages.get('/console/campaigns/:slug/messages', (c) => broadcastListPage(c, 'campaign'))

broadcastPages.get('/console/messages/:id', async (c) => {
  const id = c.req.param('id')
  const message = isUuid(id) ? await findBroadcastProgress(c.env.deps, id) : undefined
  return message ? broadcastProgressPage(c, message) : c.notFound()
})

broadcastPages.get('/console/messages/:id/send-again', async (c) => {
  const id = c.req.param('id')
  const message = isUuid(id) ? await findBroadcastProgress(c.env.deps, id) : undefined
  if (!message) return c.notFound()
  return canResend(message) ? resendPage(c, message) : c.redirect(broadcastHref(message, 'nothing'), 303)
})

broadcastPages.post('/console/messages/:id/send-again', async (c) => {
  const { deps } = c.env
  const id = c.req.param('id')
  const message = isUuid(id) ? await findBroadcastProgress(deps, id) : undefined
  if (!message) return c.notFound()
  if (!(await isConfirmed(c))) return resendPage(c, message)
  const count = await resendBroadcast(deps, currentActor(c), message.id)
  return c.redirect(broadcastHref(message, count === undefined ? 'nothing' : 'sent'), 303)
})

function broadcastHref({ id }: BroadcastProgress, done: 'sent' | 'nothing'): string {
  return withQuery(paths.broadcast(id), { done })
}

/** Whether the mail server refused the content, so that an organiser may resend the broadcast to recipients who did not get it. */
function canResend({ paused, refused }: BroadcastProgress): boolean {
  return paused !== null || refused > 0
}

function resendPage(c: Context<App>, message: BroadcastProgress) {
  const t = broadcastMessages(c.var.locale).resend
  const people = (message.paused ? message.states.pending : 0) + message.refused
  return consolePage(
    c,
    {
      title: `${t.title} · ${message.subject}`,
      section: 'campaigns',
      back: { href: paths.broadcast(message.id), text: message.subject },
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead(people)}</p>
      <EmailPreview mail={{ subject: message.subject, text: message.body }} />
      <form class="actions" method="post" action={paths.resendBroadcast(message.id)}>
        <ConfirmField />
        <button type="submit">{t.send(people)}</button>
        <a class="button second" href={paths.broadcast(message.id)}>
          {t.cancel}
        </a>
      </form>
    </>,
  )
}

async function broadcastListPage(c: Context<App>, kind: PeopleScope['kind']): Promise<Response> {
  const scope = await loadScope(c, kind)
  if (!scope) return c.notFound()
  const t = broadcastMessages(c.var.locale).list
  const broadcasts = await listBroadcasts(c.env.deps, scopeIds(scope))
  return consolePage(
    c,
    {
      title: `${t.title} · ${scopeTitle(c, scope)}`,
      section: 'campaigns',
      back: { href: scopePath(scope), text: scopeTitle(c, scope) },
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      <p>
        <a class="button" href={newBroadcastPath(scope)}>
          {t.write}
        </a>
      </p>
      {broadcasts.length === 0 && <p>{t.none}</p>}
      <ul class="rows">
        {broadcasts.map((message) => (
          <li>
            <span>
              <a href={paths.broadcast(message.id)}>{message.subject}</a>
              <small>
                {[
                  formatDateTime(message.createdAt, c.env.deps.config.timeZone, c.var.locale),
                  t.to(broadcastScopeLinks(c, message).text),
                  ...(message.author ? [t.by(message.author)] : []),
                ].join(' · ')}
              </small>
            </span>
            <DeliveryCounts c={c} message={message} />
          </li>
        ))}
      </ul>
    </>,
  )
}

function DeliveryCounts({ c, message: { states, people, paused } }: { c: Context<App>; message: BroadcastProgress }) {
  const t = broadcastMessages(c.var.locale)
  const waiting = states.pending + states.sending
  return (
    <span>
      {t.list.people(people)}
      {paused && <span class="mark warn">{t.list.paused}</span>}
      {waiting > 0 && <span class="mark warn">{`${t.progress.waiting} ${formatNumber(waiting)}`}</span>}
      {states.dead > 0 && <span class="mark warn">{`${t.progress.failed} ${formatNumber(states.dead)}`}</span>}
    </span>
  )
}

function broadcastProgressPage(c: Context<App>, message: BroadcastProgress) {
  const { deps } = c.env
  const t = broadcastMessages(c.var.locale).progress
  const { states, people, paused, refused } = message
  const waiting = states.pending + states.sending
  const { resend } = broadcastMessages(c.var.locale)
  const flashCode = (['sent', 'nothing', 'message_paused'] as const).find((known) => known === c.req.query('done'))
  const notConfigured = waiting > 0 && displayState(deps, 'pending') === 'held'
  const scopeLinks = broadcastScopeLinks(c, message)
  const mailsHref = (state?: string) => withQuery(paths.consoleMails(), { message: message.id, state })
  return consolePage(
    c,
    {
      title: message.subject,
      section: 'campaigns',
      back: { href: scopeLinks.messages, text: broadcastMessages(c.var.locale).list.title },
      scripts: ['progress'],
      flash: flashCode && resend[flashCode],
    },
    <>
      <h1>{message.subject}</h1>
      <div id="progress" data-waiting={waiting > 0 && !notConfigured && !paused ? waiting : undefined}>
        <KeyNumbers
          numbers={[
            [people, t.people],
            [states.sent, t.sent],
            [waiting, t.waiting],
            [states.dead, t.failed],
          ]}
        />
        {notConfigured && <p class="warning">{broadcastMessages(c.var.locale).mails.held}</p>}
        {canResend(message) && (
          <>
            <p class="warning">{paused ? t.paused(states.sent, waiting) : t.refused(refused)}</p>
            {paused && (
              <p>
                {t.answered} <code>{paused.reason}</code>
              </p>
            )}
            <p>{t.whatToDo}</p>
            <p>
              <a class="button" href={paths.resendBroadcast(message.id)}>
                {t.sendAgain}
              </a>
            </p>
          </>
        )}
        {waiting === 0 && <p>{t.done}</p>}
        <p class="links">
          {waiting > 0 && <a href={paths.broadcast(message.id)}>{t.refresh}</a>}
          {states.dead > 0 && <a href={mailsHref('dead')}>{t.failedLink}</a>}
          <a href={mailsHref()}>{t.allLink}</a>
        </p>
      </div>
      <dl class="facts-list">
        <dt>{t.about}</dt>
        <dd>
          <a href={scopeLinks.href}>{scopeLinks.text}</a>
        </dd>
        <dt>{t.written}</dt>
        <dd>
          <time datetime={message.createdAt.toISOString()}>
            {formatDateTime(message.createdAt, deps.config.timeZone, c.var.locale)}
          </time>
        </dd>
        <dt>{t.author}</dt>
        <dd>{message.author ?? t.gone}</dd>
      </dl>
      <h2>{t.body}</h2>
      <p class="source">{message.body}</p>
    </>,
  )
}

/** Links to the workshop or campaign of a broadcast. */
function broadcastScopeLinks(c: Context<App>, { campaign, workshop }: BroadcastProgress) {
  if (workshop) {
    const { slug } = workshop
    return {
      text: formatPlace(workshop, c.var.locale),
      href: paths.consoleWorkshop(slug),
      messages: paths.workshopBroadcasts(slug),
    }
  }
  const slug = campaign?.slug ?? ''
  return {
    text: campaign ? localize(campaign.title, c.var.locale) : '',
    href: paths.consoleCampaign(slug),
    messages: paths.campaignBroadcasts(slug),
  }
}
