import { type Context, Hono } from 'hono'
import { actorOf } from '../audited.ts'
import type { App, SignedIn } from '../context.ts'
import { shownState } from '../domain/mails.ts'
import {
  type Audience,
  findAudience,
  listMessages,
  type MessageDraft,
  type MessageProblem,
  type MessageProgress,
  messageLimits,
  messageProgress,
  placeholders,
  readMessage,
  resendMessage,
  sendMessage,
  sendTest,
} from '../domain/messages.ts'
import { countPeople } from '../domain/people.ts'
import { askedOf } from '../domain/readiness.ts'
import { findRegistrations, type Registration } from '../domain/registrations.ts'
import { isId, readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { draftOf } from '../mail/message.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { type MailingMessages, mailingMessagesFor } from '../messages/mailing.ts'
import { peopleMessagesFor } from '../messages/people.ts'
import { moment, number, pick, placeOf } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Field, type Problem, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { nameOf, whoseIds } from './people.tsx'
import { findWhose, listPath, newMessagePath, readPeopleQuery, type Whose, writePeopleQuery } from './people-query.ts'

/** Messages to the people of a workshop or campaign: written, previewed, tried, sent, and followed until they are out. */
export const messagePages = new Hono<App>()

messagePages.get('/console/workshops/:slug/messages', (c) => showMessages(c, 'workshop'))
messagePages.get('/console/campaigns/:slug/messages', (c) => showMessages(c, 'campaign'))
messagePages.get('/console/workshops/:slug/messages/new', (c) => showForm(c, 'workshop'))
messagePages.get('/console/campaigns/:slug/messages/new', (c) => showForm(c, 'campaign'))
messagePages.post('/console/workshops/:slug/messages/new', (c) => takeForm(c, 'workshop'))
messagePages.post('/console/campaigns/:slug/messages/new', (c) => takeForm(c, 'campaign'))

messagePages.get('/console/messages/:id', async (c) => {
  const id = c.req.param('id')
  const message = isId(id) ? await messageProgress(c.env.deps, id) : undefined
  return message ? progressPage(c, message) : c.notFound()
})

messagePages.get('/console/messages/:id/send-again', async (c) => {
  const id = c.req.param('id')
  const message = isId(id) ? await messageProgress(c.env.deps, id) : undefined
  if (!message) return c.notFound()
  return mayBeSentAgain(message) ? sendAgainPage(c, message) : c.redirect(doneAt(message, 'nothing'), 303)
})

messagePages.post('/console/messages/:id/send-again', async (c) => {
  const { deps } = c.env
  const id = c.req.param('id')
  const message = isId(id) ? await messageProgress(deps, id) : undefined
  if (!message) return c.notFound()
  if (!(await isConfirmed(c))) return sendAgainPage(c, message)
  const count = await resendMessage(deps, actorOf(c), message.id)
  return c.redirect(doneAt(message, count === undefined ? 'nothing' : 'sent'), 303)
})

function doneAt({ id }: MessageProgress, done: 'sent' | 'nothing'): string {
  return withQuery(paths.message(id), { done })
}

/** Whether the mail server refused the message, so that an organiser may send it again to those who did not get it. */
function mayBeSentAgain({ paused, refused }: MessageProgress): boolean {
  return paused !== null || refused > 0
}

function sendAgainPage(c: Context<App>, message: MessageProgress) {
  const t = mailingMessagesFor(c.var.locale).again
  const people = (message.paused ? message.states.pending : 0) + message.refused
  return consolePage(
    c,
    {
      title: `${t.title} · ${message.subject}`,
      section: 'campaigns',
      back: { href: paths.message(message.id), text: message.subject },
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead(people)}</p>
      <article class="panel letter">
        <h2>{message.subject}</h2>
        <p class="source">{message.body}</p>
      </article>
      <form class="actions" method="post" action={paths.sendMessageAgain(message.id)}>
        <ConfirmField />
        <button type="submit">{t.send(people)}</button>
        <a class="button second" href={paths.message(message.id)}>
          {t.cancel}
        </a>
      </form>
    </>,
  )
}

async function showMessages(c: Context<App>, of: Whose['of']): Promise<Response> {
  const whose = await findWhose(c, of)
  if (!whose) return c.notFound()
  const t = mailingMessagesFor(c.var.locale).list
  const sent = await listMessages(c.env.deps, whoseIds(whose))
  return consolePage(
    c,
    { title: `${t.title} · ${nameOf(c, whose)}`, section: 'campaigns', back: backTo(c, whose) },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      <p>
        <a class="button" href={newMessagePath(whose)}>
          {t.write}
        </a>
      </p>
      {sent.length === 0 && <p>{t.none}</p>}
      <ul class="rows">
        {sent.map((message) => (
          <li>
            <span>
              <a href={paths.message(message.id)}>{message.subject}</a>
              <small>
                {[
                  moment(message.createdAt, c.env.deps.config.timeZone, c.var.locale),
                  t.to(aboutOf(c, message).text),
                  ...(message.author ? [t.by(message.author)] : []),
                ].join(' · ')}
              </small>
            </span>
            <Counts c={c} message={message} />
          </li>
        ))}
      </ul>
    </>,
  )
}

/** How far a message is, in a line of the list. */
function Counts({ c, message: { states, people, paused } }: { c: Context<App>; message: MessageProgress }) {
  const t = mailingMessagesFor(c.var.locale)
  const waiting = states.pending + states.sending
  return (
    <span>
      {t.list.people(people)}
      {paused && <span class="mark warn">{t.list.paused}</span>}
      {waiting > 0 && <span class="mark warn">{`${t.progress.waiting} ${number(waiting)}`}</span>}
      {states.dead > 0 && <span class="mark warn">{`${t.progress.failed} ${number(states.dead)}`}</span>}
    </span>
  )
}

function backTo(c: Context<App>, whose: Whose): { href: string; text: string } {
  return whose.of === 'workshop'
    ? { href: paths.consoleWorkshop(whose.workshops[0].slug), text: nameOf(c, whose) }
    : { href: paths.consoleCampaign(whose.slug), text: nameOf(c, whose) }
}

function toMessages(c: Context<App>, whose: Whose): { href: string; text: string } {
  return {
    href:
      whose.of === 'workshop' ? paths.workshopMessages(whose.workshops[0].slug) : paths.campaignMessages(whose.slug),
    text: mailingMessagesFor(c.var.locale).list.title,
  }
}

/** What the form holds. `id`: of the message, so that it is sent once. */
type Shown = MessageDraft & { id: string }

async function showForm(c: Context<App>, of: Whose['of']): Promise<Response> {
  const whose = await findWhose(c, of)
  if (!whose) return c.notFound()
  return formPage(c, whose, { id: c.env.deps.newId(), subject: '', body: '' })
}

async function takeForm(c: Context<App>, of: Whose['of']): Promise<Response> {
  const { deps } = c.env
  const whose = await findWhose(c, of)
  if (!whose) return c.notFound()
  const body = await readFormBody(c)
  const { draft, problems } = readMessage({ subject: typed(body, 'subject'), body: typed(body, 'body') })
  const shown = { ...draft, id: readId(body, 'id') ?? deps.newId() }
  const action = typed(body, 'do')
  if (action === 'edit') return formPage(c, whose, shown)
  if (problems.length > 0) return formPage(c, whose, shown, { problems })
  const { first } = await findAudience(deps, audienceOf(c, whose))
  const [registration] = first ? await findRegistrations(deps, [first]) : []
  if (!registration) return formPage(c, whose, shown, { refusal: 'nobody' })
  // A form without its id could be sent twice: it is shown once more, with one.
  if (action === 'send' && readId(body, 'id')) {
    const outcome = await sendMessage(deps, actorOf(c), { ...shown, audience: audienceOf(c, whose) })
    if (outcome.kind === 'sent') return c.redirect(paths.message(shown.id), 303)
    const { refusal } = outcome
    if (refusal === 'invalid') return formPage(c, whose, shown, { problems: outcome.problems })
    return formPage(c, whose, { ...shown, id: deps.newId() }, { refusal })
  }
  const test = readId(body, 'test')
  if (action === 'test' && test) {
    const { id: organiserId } = c.get('organiser') as SignedIn
    await sendTest(deps, { ...actorOf(c), organiserId }, { ...draft, id: test, workshop: registration.workshop })
    return previewPage(c, whose, shown, registration, true)
  }
  return previewPage(c, whose, shown, registration, false)
}

function readId(body: Record<string, unknown>, name: string): string | undefined {
  const id = typed(body, name)
  return isId(id) ? id : undefined
}

function audienceOf(c: Context<App>, whose: Whose): Audience {
  return { about: whoseIds(whose), workshops: whose.workshops, filter: readPeopleQuery(c).filter }
}

/** The address of the form, with the filter of whom it is for. */
function formPath(c: Context<App>, whose: Whose): string {
  return withQuery(newMessagePath(whose), writePeopleQuery(readPeopleQuery(c)))
}

/** Why the form is shown again. */
type Mistake = { problems?: MessageProblem[]; refusal?: 'nobody' | 'sent_already' }

async function formPage(c: Context<App>, whose: Whose, shown: Shown, mistake?: Mistake): Promise<Response> {
  const t = mailingMessagesFor(c.var.locale)
  const problems = sayProblems(mistake?.problems ?? [], t)
  const { people } = await findAudience(c.env.deps, audienceOf(c, whose))
  return consolePage(
    c,
    {
      title: `${t.write.title} · ${nameOf(c, whose)}`,
      section: 'campaigns',
      back: toMessages(c, whose),
      status: mistake ? (mistake.refusal ? 409 : 422) : 200,
    },
    <>
      {mistake?.refusal && (
        <div class="alert" role="alert">
          <p>{t.refusals[mistake.refusal]}</p>
        </div>
      )}
      <Problems problems={problems} t={consoleMessagesFor(c.var.locale)} />
      <h1>{t.write.title}</h1>
      <dl class="facts-list">
        <dt>{t.write.to}</dt>
        <dd>
          {await whomOf(c, whose)}
          <br />
          <b>{people > 0 ? t.write.people(people) : t.write.nobody}</b>{' '}
          <a href={withQuery(listPath(whose), writePeopleQuery(readPeopleQuery(c)))}>{t.write.choose}</a>
        </dd>
      </dl>
      <form class="narrow" method="post" action={formPath(c, whose)} novalidate>
        <input type="hidden" name="id" value={shown.id} />
        <Field name="subject" label={t.write.subject} value={shown.subject} problems={problems} required />
        <Field
          name="body"
          label={t.write.body}
          hint={t.write.bodyHint}
          value={shown.body}
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

function sayProblems(problems: MessageProblem[], t: MailingMessages): Problem[] {
  return problems.map((problem) => {
    const { field, code } = problem
    const names = 'names' in problem ? t.named(problem.names) : ''
    return { field, text: t.problems[code](t.write[field], messageLimits[field], names) }
  })
}

/** Whom the filter in the address lets through, in words. */
async function whomOf(c: Context<App>, whose: Whose): Promise<string> {
  const t = mailingMessagesFor(c.var.locale).write
  const people = peopleMessagesFor(c.var.locale)
  const { status, link, readiness, item, coming, search } = readPeopleQuery(c).filter
  const asked = whose.workshops.flatMap(askedOf).find(({ id }) => id === item?.id)
  const channels = link && link !== 'none' ? (await countPeople(c.env.deps, whose.workshops)).links : []
  const said = [
    ...(status ? [t.status(people.statuses[status])] : []),
    ...(link === 'none' ? [t.noLink] : []),
    ...(link && link !== 'none' ? [t.link(channels.find(({ code }) => code === link)?.channel ?? link)] : []),
    ...(readiness ? [t.readiness(people.readinesses[readiness])] : []),
    ...(item ? [people.list.item(pick(asked?.text ?? {}, c.var.locale), item.ready)] : []),
    ...(coming ? [t.coming(people.comings[coming])] : []),
    ...(search ? [t.search(search)] : []),
  ]
  return said.length > 0 ? t.some(nameOf(c, whose), said.join(t.between)) : t.everyone(nameOf(c, whose))
}

/** The mail as the first of them would get it. Their ticket is theirs alone, and stays out of it. */
async function previewPage(c: Context<App>, whose: Whose, shown: Shown, first: Registration, tested: boolean) {
  const { deps } = c.env
  const t = mailingMessagesFor(c.var.locale)
  const { email } = c.get('organiser') as SignedIn
  const { people } = await findAudience(deps, audienceOf(c, whose))
  const mail = draftOf(
    deps,
    { kind: 'message', facts: {}, written: { ...shown, workshop: undefined } },
    { ...first, ticket: '******' },
  )
  return consolePage(
    c,
    {
      title: `${t.preview.title} · ${nameOf(c, whose)}`,
      section: 'campaigns',
      back: toMessages(c, whose),
      done: tested ? t.preview.tested(email) : undefined,
    },
    <>
      <h1>{t.preview.title}</h1>
      <p class="lead">
        {t.preview.nothingSent} {await whomOf(c, whose)} · {t.list.people(people)}
      </p>
      <p>{t.preview.first(first.name)}</p>
      <article class="panel letter">
        <h2>{mail.subject}</h2>
        <p class="source">{mail.text}</p>
      </article>
      <form class="actions" method="post" action={formPath(c, whose)}>
        <input type="hidden" name="id" value={shown.id} />
        <input type="hidden" name="test" value={deps.newId()} />
        <input type="hidden" name="subject" value={shown.subject} />
        <textarea name="body" hidden>
          {shown.body}
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

function progressPage(c: Context<App>, message: MessageProgress) {
  const { deps } = c.env
  const t = mailingMessagesFor(c.var.locale).progress
  const { states, people, paused, refused } = message
  const waiting = states.pending + states.sending
  const { again } = mailingMessagesFor(c.var.locale)
  const done = (['sent', 'nothing', 'message_paused'] as const).find((known) => known === c.req.query('done'))
  const held = waiting > 0 && shownState(deps, 'pending') === 'held'
  const about = aboutOf(c, message)
  const mailsOf = (state?: string) => withQuery(paths.consoleMails(), { message: message.id, state })
  return consolePage(
    c,
    {
      title: message.subject,
      section: 'campaigns',
      back: { href: about.messages, text: mailingMessagesFor(c.var.locale).list.title },
      scripts: ['progress'],
      done: done && again[done],
    },
    <>
      <h1>{message.subject}</h1>
      <div id="progress" data-waiting={waiting > 0 && !held && !paused ? waiting : undefined}>
        <ul class="numbers">
          <li>
            <b>{number(people)}</b>
            <small>{t.people}</small>
          </li>
          <li>
            <b>{number(states.sent)}</b>
            <small>{t.sent}</small>
          </li>
          <li>
            <b>{number(waiting)}</b>
            <small>{t.waiting}</small>
          </li>
          <li>
            <b>{number(states.dead)}</b>
            <small>{t.failed}</small>
          </li>
        </ul>
        {held && <p class="warning">{mailingMessagesFor(c.var.locale).mails.held}</p>}
        {mayBeSentAgain(message) && (
          <>
            <p class="warning">{paused ? t.paused(states.sent, waiting) : t.refused(refused)}</p>
            {paused && (
              <p>
                {t.answered} <code>{paused.reason}</code>
              </p>
            )}
            <p>{t.whatToDo}</p>
            <p>
              <a class="button" href={paths.sendMessageAgain(message.id)}>
                {t.sendAgain}
              </a>
            </p>
          </>
        )}
        {waiting === 0 && <p>{t.done}</p>}
        <p class="links">
          {waiting > 0 && <a href={paths.message(message.id)}>{t.refresh}</a>}
          {states.dead > 0 && <a href={mailsOf('dead')}>{t.failedLink}</a>}
          <a href={mailsOf()}>{t.allLink}</a>
        </p>
      </div>
      <dl class="facts-list">
        <dt>{t.about}</dt>
        <dd>
          <a href={about.href}>{about.text}</a>
        </dd>
        <dt>{t.written}</dt>
        <dd>
          <time datetime={message.createdAt.toISOString()}>
            {moment(message.createdAt, deps.config.timeZone, c.var.locale)}
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
function aboutOf(c: Context<App>, { campaign, workshop }: MessageProgress) {
  if (workshop) {
    const { slug } = workshop
    return {
      text: placeOf(workshop, c.var.locale),
      href: paths.consoleWorkshop(slug),
      messages: paths.workshopMessages(slug),
    }
  }
  const slug = campaign?.slug ?? ''
  return {
    text: campaign ? pick(campaign.title, c.var.locale) : '',
    href: paths.consoleCampaign(slug),
    messages: paths.campaignMessages(slug),
  }
}
