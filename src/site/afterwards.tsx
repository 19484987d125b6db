import { type Context, Hono } from 'hono'
import { type App, limitRange } from '../context.ts'
import { checkedInAt, overSince } from '../domain/attendance.ts'
import {
  type Certificate,
  certificateOf,
  inGroups,
  issueCertificate,
  parseCertificateName,
} from '../domain/certificates.ts'
import {
  type Answers,
  type FeedbackRefusal,
  feedbackClosed,
  feedbackOf,
  feedbackUntil,
  giveFeedback,
  longestAnswer,
  parseAnswers,
  questionsOf,
} from '../domain/feedback.ts'
import { type Material, materialsFor } from '../domain/materials.ts'
import { findRegistration, type Registration } from '../domain/registrations.ts'
import { readTicket } from '../domain/tickets.ts'
import { readFormBody } from '../form-body.ts'
import { paths, urlOf, withQuery } from '../links.ts'
import { afterwardsMessagesFor, questionText } from '../messages/afterwards.ts'
import { messagesFor } from '../messages/messages.ts'
import { moment, pick } from '../messages/text.ts'
import { errorPage } from './error-page.tsx'
import { Facts } from './facts.tsx'
import { Alert, Done, page } from './layout.tsx'
import { Field, ProblemList, sentence } from './sign-up-form.tsx'

/** What attendees find behind their ticket once they came: a certificate, and the questions how it was. */
export const afterwardsPages = new Hono<App>()

afterwardsPages.get('/t/:ticket/certificate', async (c) => {
  const registration = await registrationOf(c)
  return registration ? certificatePage(c, registration) : errorPage(c, 404)
})

afterwardsPages.post('/t/:ticket/certificate', async (c) => {
  await limitRange(c, 'ticket')
  const registration = await registrationOf(c)
  if (!registration) return errorPage(c, 404)
  const { name: typed, keep } = await readFormBody(c)
  const keepName = keep === 'yes'
  const parsed = parseCertificateName(typed)
  if ('problems' in parsed) {
    const t = messagesFor(c.var.locale)
    const problem = parsed.problems.map((problem) => sentence(problem, t)).join(' ')
    return certificatePage(c, registration, { typed: typeof typed === 'string' ? typed : '', keepName, problem })
  }
  const outcome = await issueCertificate(c.env.deps, registration, { name: parsed.name, keepName })
  if (outcome.kind === 'issued') {
    return c.redirect(withQuery(paths.ticketCertificate(registration.ticket), { done: 'saved' }), 303)
  }
  if (outcome.refusal === 'not_found') return errorPage(c, 404)
  const { certificate: t, ticket } = afterwardsMessagesFor(c.var.locale)
  return refusedPage(c, registration, t.title, outcome.refusal === 'too_early' ? t.tooEarly : ticket.didNotCome, 409)
})

afterwardsPages.get('/t/:ticket/feedback', async (c) => {
  const registration = await registrationOf(c)
  return registration ? feedbackPage(c, registration) : errorPage(c, 404)
})

afterwardsPages.post('/t/:ticket/feedback', async (c) => {
  await limitRange(c, 'ticket')
  const registration = await registrationOf(c)
  if (!registration) return errorPage(c, 404)
  const { deps } = c.env
  const t = afterwardsMessagesFor(c.var.locale).feedback
  const questions = questionsOf(registration.workshop)
  const body = await readFormBody(c)
  const parsed = parseAnswers(questions, (id) => body[fieldOf(id)])
  if ('tooLong' in parsed) {
    const problems = questions
      .filter(({ id }) => parsed.tooLong.includes(id))
      .map((question) => ({
        field: fieldOf(question.id),
        text: t.tooLong(questionText(question, c.var.locale), longestAnswer),
      }))
    return feedbackPage(c, registration, { answers: answersTyped(body), problems, status: 422 })
  }
  const outcome = await giveFeedback(deps, registration, parsed.answers)
  if (outcome === 'given') {
    return c.redirect(withQuery(paths.ticketFeedback(registration.ticket), { done: 'given' }), 303)
  }
  if (outcome === 'empty') {
    const problems = [{ field: fieldOf(questions[0]?.id ?? ''), text: t.refusals.empty }]
    return feedbackPage(c, registration, { answers: parsed.answers, problems, status: 422 })
  }
  return refusedPage(c, registration, t.title, t.refusals[outcome], 409)
})

/** What somebody typed, as it was sent, for the form to come back. */
function answersTyped(body: Record<string, unknown>): Answers {
  const given = Object.entries(body).flatMap(([name, value]) =>
    name.startsWith('answer.') && typeof value === 'string' ? [[name.slice('answer.'.length), value] as const] : [],
  )
  return {
    ratings: Object.fromEntries(given.map(([id, value]) => [id, Number(value)])),
    texts: Object.fromEntries(given),
  }
}

const fieldOf = (id: string) => `answer.${id}`

/** What a ticket says of the time after: materials, and for those who came their certificate and the questions. */
export async function Afterwards({ c, registration }: { c: Context<App>; registration: Registration }) {
  const { deps } = c.env
  const { ticket, workshop } = registration
  const t = afterwardsMessagesFor(c.var.locale).ticket
  const came = (await checkedInAt(deps, registration.id)) !== undefined
  const materials = await materialsFor(deps, registration, came)
  const over = deps.now() >= overSince(workshop)
  const certificate = came && over ? await certificateOf(deps, registration.id) : undefined
  const asks = came && !feedbackClosed(workshop, deps.now())
  const given = asks ? await feedbackOf(deps, registration.id) : undefined
  return (
    <>
      {materials.length > 0 && <Materials materials={materials} c={c} />}
      {came && over && (
        <>
          <h2>{t.came}</h2>
          <p>{t.thanks}</p>
          <a class="button second" href={paths.ticketCertificate(ticket)}>
            {certificate ? t.showCertificate : t.askForCertificate}
          </a>
          {asks && (
            <a class="button second" href={paths.ticketFeedback(ticket)}>
              {given ? t.changeFeedback : t.feedback}
            </a>
          )}
        </>
      )}
    </>
  )
}

function Materials({ materials, c }: { materials: Material[]; c: Context<App> }) {
  const t = afterwardsMessagesFor(c.var.locale).ticket
  return (
    <>
      <h2 id="materials">{t.materials}</h2>
      <ul class="materials">
        {materials.map(({ title, url, note }) => {
          const said = pick(note, c.var.locale)
          return (
            <li>
              <a href={url} rel="noopener noreferrer">
                {pick(title, c.var.locale)}
              </a>
              {said && <small>{said}</small>}
            </li>
          )
        })}
      </ul>
    </>
  )
}

/** The form for a certificate, or the one there is with its number and the way to print it. */
async function certificatePage(
  c: Context<App>,
  registration: Registration,
  mistake?: { typed: string; keepName: boolean; problem: string },
) {
  const { deps } = c.env
  const { locale } = c.var
  const { certificate: t, ticket: ofTicket } = afterwardsMessagesFor(locale)
  const { workshop, ticket } = registration
  const came = await checkedInAt(deps, registration.id)
  const over = deps.now() >= overSince(workshop)
  const certificate = await certificateOf(deps, registration.id)
  if (!came) return refusedPage(c, registration, t.title, ofTicket.didNotCome)
  if (!over) return refusedPage(c, registration, t.title, t.tooEarly)
  const form = (
    <form method="post" action={paths.ticketCertificate(ticket)} novalidate>
      <Field
        name="name"
        type="text"
        label={t.name}
        value={mistake?.typed ?? certificate?.name ?? registration.name}
        problem={mistake?.problem}
        autocomplete="name"
        required
      />
      <div class="field">
        <label class="check">
          <input
            type="checkbox"
            name="keep"
            value="yes"
            checked={mistake?.keepName ?? certificate?.keepName ?? false}
          />
          <span>
            {t.keep}
            <small>{t.keepHint(deps.config.retentionDays)}</small>
          </span>
        </label>
      </div>
      <button type="submit" class={certificate ? 'second' : undefined}>
        {certificate ? t.save : t.ask}
      </button>
    </form>
  )
  return page(
    c,
    {
      title: t.title,
      back: { href: paths.ticket(ticket), text: t.backToTicket },
      here: paths.ticketCertificate(ticket),
      scripts: ['copy'],
      status: mistake ? 422 : 200,
    },
    <>
      {c.req.query('done') === 'saved' && <Done>{t.saved}</Done>}
      {mistake && <ProblemList problems={[{ field: 'name', text: mistake.problem }]} t={messagesFor(locale)} />}
      <h1>{t.title}</h1>
      <p class="lead">{certificate ? pick(workshop.title, locale) : t.lead}</p>
      {certificate ? (
        <>
          <CertificateNumber certificate={certificate} c={c} />
          <details open={mistake !== undefined}>
            <summary>{t.change}</summary>
            {form}
          </details>
        </>
      ) : (
        <>
          <Facts workshop={workshop} locale={locale} />
          {form}
        </>
      )}
    </>,
  )
}

function CertificateNumber({ certificate: { number, name }, c }: { certificate: Certificate; c: Context<App> }) {
  const { certificate: t } = afterwardsMessagesFor(c.var.locale)
  const { copy, copied } = messagesFor(c.var.locale).ticket
  return (
    <>
      <div class="seats words good">
        <b class="certificate-number">{inGroups(number)}</b>
        <div>{name}</div>
      </div>
      <a class="button" href={paths.certificateSheet(number)}>
        {t.print}
      </a>
      <section class="panel">
        <label for="link">{t.link}</label>
        <div class="copy">
          <input
            id="link"
            type="text"
            readonly
            value={urlOf(c.env.deps.config.baseUrl, paths.certificate(inGroups(number)))}
          />
          <button type="button" hidden data-copy="link" data-copied={copied}>
            {copy}
          </button>
        </div>
      </section>
    </>
  )
}

/** The questions, with what was answered before. */
async function feedbackPage(
  c: Context<App>,
  registration: Registration,
  mistake?: { answers: Answers; problems: { field: string; text: string }[]; status: 422 },
) {
  const { deps } = c.env
  const { locale } = c.var
  const { feedback: t, certificate, ticket: ofTicket } = afterwardsMessagesFor(locale)
  const { workshop, ticket } = registration
  const came = await checkedInAt(deps, registration.id)
  const closed: FeedbackRefusal | undefined = came ? feedbackClosed(workshop, deps.now()) : 'did_not_come'
  if (closed) return refusedPage(c, registration, t.title, t.refusals[closed])
  const before = await feedbackOf(deps, registration.id)
  const { ratings, texts } = mistake?.answers ?? before ?? { ratings: {}, texts: {} }
  const until = t.until(moment(feedbackUntil(workshop), workshop.timeZone, locale))
  return page(
    c,
    {
      title: t.title,
      back: { href: paths.ticket(ticket), text: certificate.backToTicket },
      here: paths.ticketFeedback(ticket),
      status: mistake?.status ?? 200,
    },
    <>
      {c.req.query('done') === 'given' && (
        <Done>
          {t.given} {until}
        </Done>
      )}
      {mistake && <ProblemList problems={mistake.problems} t={messagesFor(locale)} />}
      <h1>{t.title}</h1>
      <p class="lead">
        {pick(workshop.title, locale)}
        <br />
        {t.lead}
      </p>
      <form method="post" action={paths.ticketFeedback(ticket)} novalidate>
        {questionsOf(workshop).map((question) =>
          question.kind === 'rating' ? (
            <Rating id={question.id} label={questionText(question, locale)} given={ratings[question.id]} c={c} />
          ) : (
            <div class="field question">
              <label for={fieldOf(question.id)}>{questionText(question, locale)}</label>
              <textarea id={fieldOf(question.id)} name={fieldOf(question.id)} rows={5} maxlength={longestAnswer}>
                {texts[question.id] ?? ''}
              </textarea>
            </div>
          ),
        )}
        <p class="hint">{t.anonymous(deps.config.retentionDays)}</p>
        <button type="submit">{before ? t.change : t.send}</button>
      </form>
      <a class="button second" href={paths.ticketCertificate(ticket)}>
        {ofTicket.certificate}
      </a>
    </>,
  )
}

/** Five radio buttons in a row, and one for who does not want to say. */
function Rating({ id, label, given, c }: { id: string; label: string; given: number | undefined; c: Context<App> }) {
  const t = afterwardsMessagesFor(c.var.locale).feedback
  const name = fieldOf(id)
  const names: Record<number, string> = { 1: t.worst, 5: t.best }
  return (
    <fieldset class="rating" id={name}>
      <legend>{label}</legend>
      <div class="scale">
        {[1, 2, 3, 4, 5].map((rating) => (
          <label>
            <input
              type="radio"
              name={name}
              value={String(rating)}
              checked={given === rating}
              aria-label={names[rating]}
            />
            <span>{rating}</span>
          </label>
        ))}
        <label class="none">
          <input type="radio" name={name} value="" checked={given === undefined} />
          <span>{t.noAnswer}</span>
        </label>
      </div>
      <p class="hint">{t.scale}</p>
    </fieldset>
  )
}

/** Why what somebody wants is not possible, with the way back to their ticket. */
function refusedPage(
  c: Context<App>,
  { ticket, workshop }: Registration,
  title: string,
  text: string,
  status: 200 | 409 = 200,
) {
  const t = afterwardsMessagesFor(c.var.locale).certificate
  return page(
    c,
    { title, back: { href: paths.ticket(ticket), text: t.backToTicket }, here: paths.ticket(ticket), status },
    <>
      <h1>{title}</h1>
      <p class="lead">{pick(workshop.title, c.var.locale)}</p>
      {status === 409 ? (
        <Alert title={messagesFor(c.var.locale).form.errorTitle}>
          <p>{text}</p>
        </Alert>
      ) : (
        <p>{text}</p>
      )}
      <a class="button second" href={paths.ticket(ticket)}>
        {t.backToTicket}
      </a>
    </>,
  )
}

function registrationOf(c: Context<App>): Promise<Registration | undefined> {
  const { deps } = c.env
  return findRegistration(deps, readTicket(deps.config.secret, c.req.param('ticket') ?? ''))
}
