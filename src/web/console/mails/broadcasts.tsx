import { type Context, Hono } from 'hono'
import {
  type Audience,
  type BroadcastDraft,
  type BroadcastProblem,
  type BroadcastProgress,
  broadcastLimits,
  findAudience,
  findBroadcastProgress,
  listBroadcasts,
  parseBroadcast,
  placeholders,
  resendBroadcast,
  sendBroadcast,
  sendTestBroadcast,
} from '../../../domain/mails/broadcasts.ts'
import { displayState } from '../../../domain/mails/outbox.ts'
import { countPeople } from '../../../domain/registrations/list.ts'
import { requiredItems } from '../../../domain/registrations/readiness.ts'
import { findRegistrations, type Registration } from '../../../domain/registrations/registrations.ts'
import { previewMessage } from '../../../email/message.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App, SignedInOrganiser } from '../../../http/context.ts'
import { isUuid, parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { type BroadcastMessages, broadcastMessages } from '../../../i18n/broadcasts.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime, formatNumber, formatPlace, localize } from '../../../i18n/format.ts'
import { registrationMessages } from '../../../i18n/registrations.ts'
import { consolePage } from '../layout.tsx'
import { scopeIds, scopeTitle } from '../registrations/list.tsx'
import {
  attendeeListPath,
  loadScope,
  newBroadcastPath,
  type PeopleScope,
  parsePeopleQuery,
  serializePeopleQuery,
} from '../registrations/query.ts'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary, Field, type FieldError, stringField } from '../ui/fields.tsx'

/** Messages to the people of a workshop or campaign: written, previewed, tried, sent, and followed until they are out. */
export const broadcastPages = new Hono<App>()

broadcastPages.get('/console/workshops/:slug/messages', (c) => broadcastListPage(c, 'workshop'))
broadcastPages.get('/console/campaigns/:slug/messages', (c) => broadcastListPage(c, 'campaign'))
broadcastPages.get('/console/workshops/:slug/messages/new', (c) => newBroadcastPage(c, 'workshop'))
broadcastPages.get('/console/campaigns/:slug/messages/new', (c) => newBroadcastPage(c, 'campaign'))
broadcastPages.post('/console/workshops/:slug/messages/new', (c) => submitBroadcast(c, 'workshop'))
broadcastPages.post('/console/campaigns/:slug/messages/new', (c) => submitBroadcast(c, 'campaign'))

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

/** Whether the mail server refused the message, so that an organiser may send it again to those who did not get it. */
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
      <article class="panel letter">
        <h2>{message.subject}</h2>
        <p class="source">{message.body}</p>
      </article>
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
    { title: `${t.title} · ${scopeTitle(c, scope)}`, section: 'campaigns', back: scopeBackLink(c, scope) },
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

/** How far a message is, in a line of the list. */
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

function scopeBackLink(c: Context<App>, scope: PeopleScope): { href: string; text: string } {
  return scope.kind === 'workshop'
    ? { href: paths.consoleWorkshop(scope.workshops[0].slug), text: scopeTitle(c, scope) }
    : { href: paths.consoleCampaign(scope.slug), text: scopeTitle(c, scope) }
}

function broadcastListLink(c: Context<App>, scope: PeopleScope): { href: string; text: string } {
  return {
    href:
      scope.kind === 'workshop'
        ? paths.workshopBroadcasts(scope.workshops[0].slug)
        : paths.campaignBroadcasts(scope.slug),
    text: broadcastMessages(c.var.locale).list.title,
  }
}

/** What the form holds. `id`: of the message, so that it is sent once. */
type BroadcastFormValues = BroadcastDraft & { id: string }

async function newBroadcastPage(c: Context<App>, kind: PeopleScope['kind']): Promise<Response> {
  const scope = await loadScope(c, kind)
  if (!scope) return c.notFound()
  return broadcastFormPage(c, scope, { id: c.env.deps.newId(), subject: '', body: '' })
}

async function submitBroadcast(c: Context<App>, kind: PeopleScope['kind']): Promise<Response> {
  const { deps } = c.env
  const scope = await loadScope(c, kind)
  if (!scope) return c.notFound()
  const body = await parseFormBody(c)
  const { draft, problems } = parseBroadcast({ subject: stringField(body, 'subject'), body: stringField(body, 'body') })
  const values = { ...draft, id: parseUuidField(body, 'id') ?? deps.newId() }
  const action = stringField(body, 'do')
  if (action === 'edit') return broadcastFormPage(c, scope, values)
  if (problems.length > 0) return broadcastFormPage(c, scope, values, { problems })
  const { first } = await findAudience(deps, buildAudience(c, scope))
  const [registration] = first ? await findRegistrations(deps, [first]) : []
  if (!registration) return broadcastFormPage(c, scope, values, { refusal: 'nobody' })
  // A form without its id could be sent twice: it is shown once more, with one.
  if (action === 'send' && parseUuidField(body, 'id')) {
    const outcome = await sendBroadcast(deps, currentActor(c), { ...values, audience: buildAudience(c, scope) })
    if (outcome.kind === 'sent') return c.redirect(paths.broadcast(values.id), 303)
    const { refusal } = outcome
    if (refusal === 'invalid') return broadcastFormPage(c, scope, values, { problems: outcome.problems })
    return broadcastFormPage(c, scope, { ...values, id: deps.newId() }, { refusal })
  }
  const testId = parseUuidField(body, 'test')
  if (action === 'test' && testId) {
    const { id: organiserId } = c.get('organiser') as SignedInOrganiser
    await sendTestBroadcast(
      deps,
      { ...currentActor(c), organiserId },
      { ...draft, id: testId, workshop: registration.workshop },
    )
    return broadcastPreviewPage(c, scope, values, registration, true)
  }
  return broadcastPreviewPage(c, scope, values, registration, false)
}

function parseUuidField(body: Record<string, unknown>, name: string): string | undefined {
  const id = stringField(body, name)
  return isUuid(id) ? id : undefined
}

function buildAudience(c: Context<App>, scope: PeopleScope): Audience {
  return { about: scopeIds(scope), workshops: scope.workshops, filter: parsePeopleQuery(c).filter }
}

/** The address of the form, with the filter of whom it is for. */
function broadcastFormPath(c: Context<App>, scope: PeopleScope): string {
  return withQuery(newBroadcastPath(scope), serializePeopleQuery(parsePeopleQuery(c)))
}

/** Why the form is shown again. */
type RejectedBroadcast = { problems?: BroadcastProblem[]; refusal?: 'nobody' | 'sent_already' }

async function broadcastFormPage(
  c: Context<App>,
  scope: PeopleScope,
  values: BroadcastFormValues,
  rejected?: RejectedBroadcast,
): Promise<Response> {
  const t = broadcastMessages(c.var.locale)
  const problems = broadcastFieldErrors(rejected?.problems ?? [], t)
  const { people } = await findAudience(c.env.deps, buildAudience(c, scope))
  return consolePage(
    c,
    {
      title: `${t.write.title} · ${scopeTitle(c, scope)}`,
      section: 'campaigns',
      back: broadcastListLink(c, scope),
      status: rejected ? (rejected.refusal ? 409 : 422) : 200,
    },
    <>
      {rejected?.refusal && (
        <div class="alert" role="alert">
          <p>{t.refusals[rejected.refusal]}</p>
        </div>
      )}
      <ErrorSummary problems={problems} t={consoleMessages(c.var.locale)} />
      <h1>{t.write.title}</h1>
      <dl class="facts-list">
        <dt>{t.write.to}</dt>
        <dd>
          {await describeAudience(c, scope)}
          <br />
          <b>{people > 0 ? t.write.people(people) : t.write.nobody}</b>{' '}
          <a href={withQuery(attendeeListPath(scope), serializePeopleQuery(parsePeopleQuery(c)))}>{t.write.choose}</a>
        </dd>
      </dl>
      <form class="narrow" method="post" action={broadcastFormPath(c, scope)} novalidate>
        <input type="hidden" name="id" value={values.id} />
        <Field name="subject" label={t.write.subject} value={values.subject} problems={problems} required />
        <Field
          name="body"
          label={t.write.body}
          hint={t.write.bodyHint}
          value={values.body}
          problems={problems}
          rows={12}
          required
        />
        <p class="hint">{t.write.placeholders}</p>
        <dl class="facts-list placeholders">
          {placeholders.map((name) => (
            <>
              <dt>
                <code>{`{{${name}}}`}</code>
              </dt>
              <dd>{t.write.placeholder[name]}</dd>
            </>
          ))}
        </dl>
        <button type="submit">{t.write.preview}</button>
      </form>
    </>,
  )
}

function broadcastFieldErrors(problems: BroadcastProblem[], t: BroadcastMessages): FieldError[] {
  return problems.map((problem) => {
    const { field, code } = problem
    const names = 'names' in problem ? t.named(problem.names) : ''
    return { field, text: t.problems[code](t.write[field], broadcastLimits[field], names) }
  })
}

/** Whom the filter in the address lets through, in words. */
async function describeAudience(c: Context<App>, scope: PeopleScope): Promise<string> {
  const t = broadcastMessages(c.var.locale).write
  const people = registrationMessages(c.var.locale)
  const { status, link, readiness, item, coming, search } = parsePeopleQuery(c).filter
  const requiredItem = scope.workshops.flatMap(requiredItems).find(({ id }) => id === item?.id)
  const channels = link && link !== 'none' ? (await countPeople(c.env.deps, scope.workshops)).links : []
  const criteria = [
    ...(status ? [t.status(people.statuses[status])] : []),
    ...(link === 'none' ? [t.noLink] : []),
    ...(link && link !== 'none' ? [t.link(channels.find(({ code }) => code === link)?.channel ?? link)] : []),
    ...(readiness ? [t.readiness(people.readinessStatuses[readiness])] : []),
    ...(item ? [people.list.item(localize(requiredItem?.text ?? {}, c.var.locale), item.ready)] : []),
    ...(coming ? [t.coming(people.attendanceConfirmations[coming])] : []),
    ...(search ? [t.search(search)] : []),
  ]
  return criteria.length > 0 ? t.some(scopeTitle(c, scope), criteria.join(t.between)) : t.everyone(scopeTitle(c, scope))
}

/** The mail as the first of them would get it. Their ticket is theirs alone, and stays out of it. */
async function broadcastPreviewPage(
  c: Context<App>,
  scope: PeopleScope,
  values: BroadcastFormValues,
  sample: Registration,
  testSent: boolean,
) {
  const { deps } = c.env
  const t = broadcastMessages(c.var.locale)
  const { email } = c.get('organiser') as SignedInOrganiser
  const { people } = await findAudience(deps, buildAudience(c, scope))
  const mail = previewMessage(
    deps,
    { kind: 'message', payload: {}, written: { ...values, workshop: undefined } },
    { ...sample, ticket: '******' },
  )
  return consolePage(
    c,
    {
      title: `${t.preview.title} · ${scopeTitle(c, scope)}`,
      section: 'campaigns',
      back: broadcastListLink(c, scope),
      flash: testSent ? t.preview.tested(email) : undefined,
    },
    <>
      <h1>{t.preview.title}</h1>
      <p class="lead">
        {t.preview.nothingSent} {await describeAudience(c, scope)} · {t.list.people(people)}
      </p>
      <p>{t.preview.first(sample.name)}</p>
      <article class="panel letter">
        <h2>{mail.subject}</h2>
        <p class="source">{mail.text}</p>
      </article>
      <form class="actions" method="post" action={broadcastFormPath(c, scope)}>
        <input type="hidden" name="id" value={values.id} />
        <input type="hidden" name="test" value={deps.newId()} />
        <input type="hidden" name="subject" value={values.subject} />
        <textarea name="body" hidden>
          {values.body}
        </textarea>
        <button type="submit" name="do" value="send">
          {t.preview.send(people)}
        </button>
        <button class="second" type="submit" name="do" value="test">
          {t.preview.test(email)}
        </button>
        <button class="second" type="submit" name="do" value="edit">
          {t.preview.edit}
        </button>
      </form>
    </>,
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
        <ul class="numbers">
          <li>
            <b>{formatNumber(people)}</b>
            <small>{t.people}</small>
          </li>
          <li>
            <b>{formatNumber(states.sent)}</b>
            <small>{t.sent}</small>
          </li>
          <li>
            <b>{formatNumber(waiting)}</b>
            <small>{t.waiting}</small>
          </li>
          <li>
            <b>{formatNumber(states.dead)}</b>
            <small>{t.failed}</small>
          </li>
        </ul>
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

/** The workshop or campaign whose people a message went to. */
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
