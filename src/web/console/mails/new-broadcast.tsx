import { type Context, Hono } from 'hono'
import {
  type Audience,
  type BroadcastDraft,
  type BroadcastProblem,
  broadcastLimits,
  findAudience,
  parseBroadcast,
  placeholders,
  sendBroadcast,
  sendTestBroadcast,
} from '../../../domain/mails/broadcasts.ts'
import { countPeople } from '../../../domain/registrations/list.ts'
import { requiredItems } from '../../../domain/registrations/readiness.ts'
import { findRegistrations, type Registration } from '../../../domain/registrations/registrations.ts'
import { previewMessage } from '../../../email/message.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App, SignedInOrganiser } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { type BroadcastMessages, broadcastMessages } from '../../../i18n/broadcasts.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { localize } from '../../../i18n/format.ts'
import { registrationMessages } from '../../../i18n/registrations.ts'
import { RefusalNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import {
  attendeeListPath,
  loadScope,
  newBroadcastPath,
  type PeopleScope,
  parsePeopleQuery,
  scopeIds,
  scopeTitle,
  serializePeopleQuery,
} from '../registrations/query.ts'
import { EmailPreview } from '../ui/email-preview.tsx'
import { ErrorSummary, Field, type FieldError, optionalUuid, stringField } from '../ui/fields.tsx'

/** Writes a broadcast: form, preview, test mail, sending. */
export const newBroadcastPages = new Hono<App>()

newBroadcastPages.get('/console/workshops/:slug/messages/new', (c) => newBroadcastPage(c, 'workshop'))
newBroadcastPages.get('/console/campaigns/:slug/messages/new', (c) => newBroadcastPage(c, 'campaign'))
newBroadcastPages.post('/console/workshops/:slug/messages/new', (c) => submitBroadcast(c, 'workshop'))
newBroadcastPages.post('/console/campaigns/:slug/messages/new', (c) => submitBroadcast(c, 'campaign'))

/** `id` is the broadcast's id, so that submitting twice sends once. */
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
  const values = { ...draft, id: optionalUuid(body, 'id') ?? deps.newId() }
  const action = stringField(body, 'do')
  if (action === 'edit') return broadcastFormPage(c, scope, values)
  if (problems.length > 0) return broadcastFormPage(c, scope, values, { problems })
  const { first } = await findAudience(deps, buildAudience(c, scope))
  const [registration] = first ? await findRegistrations(deps, [first]) : []
  if (!registration) return broadcastFormPage(c, scope, values, { refusal: 'nobody' })
  // Without an id, submitting twice could send twice: the preview is rendered again with one.
  if (action === 'send' && optionalUuid(body, 'id')) {
    const outcome = await sendBroadcast(deps, currentActor(c), { ...values, audience: buildAudience(c, scope) })
    if (outcome.kind === 'sent') return c.redirect(paths.broadcast(values.id), 303)
    const { refusal } = outcome
    if (refusal === 'invalid') return broadcastFormPage(c, scope, values, { problems: outcome.problems })
    return broadcastFormPage(c, scope, { ...values, id: deps.newId() }, { refusal })
  }
  const testId = optionalUuid(body, 'test')
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

function buildAudience(c: Context<App>, scope: PeopleScope): Audience {
  return { about: scopeIds(scope), workshops: scope.workshops, filter: parsePeopleQuery(c).filter }
}

function broadcastFormPath(c: Context<App>, scope: PeopleScope): string {
  return withQuery(newBroadcastPath(scope), serializePeopleQuery(parsePeopleQuery(c)))
}

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
      {rejected?.refusal && <RefusalNotice>{t.refusals[rejected.refusal]}</RefusalNotice>}
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

/** The filter in the query string as a sentence. */
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

/** Previews the mail to the first recipient, with a placeholder for their secret ticket link. */
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
      <EmailPreview mail={mail} />
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

function broadcastListLink(c: Context<App>, scope: PeopleScope): { href: string; text: string } {
  return {
    href:
      scope.kind === 'workshop'
        ? paths.workshopBroadcasts(scope.workshops[0].slug)
        : paths.campaignBroadcasts(scope.slug),
    text: broadcastMessages(c.var.locale).list.title,
  }
}
