import { type Context, Hono } from 'hono'
import { effectiveEnd, findCheckInTime } from '../../../domain/attendance/attendance.ts'
import {
  type Certificate,
  findCertificate,
  formatCertificateNumber,
  issueCertificate,
  parseCertificateName,
} from '../../../domain/attendance/certificates.ts'
import {
  type FeedbackAnswers,
  type FeedbackRefusal,
  feedbackClosedReason,
  feedbackDeadline,
  findFeedback,
  listQuestions,
  maxAnswerLength,
  parseAnswers,
  saveFeedback,
} from '../../../domain/attendance/feedback.ts'
import { findRegistration, type Registration } from '../../../domain/registrations/registrations.ts'
import { verifyTicketToken } from '../../../domain/tickets/signed-tokens.ts'
import { listVisibleMaterials, type Material } from '../../../domain/workshops/materials.ts'
import { type App, rateLimitByIp } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { absoluteUrl, paths, withQuery } from '../../../http/links.ts'
import { formatDateTime, localize } from '../../../i18n/format.ts'
import { postEventMessages, questionText } from '../../../i18n/post-event.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { ErrorAlert, Flash } from '../../ui/notices.tsx'
import { errorPage } from '../error-page.tsx'
import { renderPage } from '../layout.tsx'
import { WorkshopSummary } from '../workshop-summary.tsx'
import { ErrorSummary, Field, fieldProblemText } from '../workshops/sign-up-form.tsx'

/** Certificate and feedback, for attendees who were checked in. */
export const postEventPages = new Hono<App>()

postEventPages.get('/t/:ticket/certificate', async (c) => {
  const registration = await loadTicket(c)
  return registration ? certificatePage(c, registration) : errorPage(c, 404)
})

postEventPages.post('/t/:ticket/certificate', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const { name, keep } = await parseFormBody(c)
  const keepName = keep === 'yes'
  const parsed = parseCertificateName(name)
  if ('problems' in parsed) {
    const t = publicMessages(c.var.locale)
    const problem = parsed.problems.map((problem) => fieldProblemText(problem, t)).join(' ')
    return certificatePage(c, registration, { name: typeof name === 'string' ? name : '', keepName, problem })
  }
  const outcome = await issueCertificate(c.env.deps, registration, { name: parsed.name, keepName })
  if (outcome.kind === 'issued') {
    return c.redirect(withQuery(paths.ticketCertificate(registration.ticket), { done: 'saved' }), 303)
  }
  if (outcome.refusal === 'not_found') return errorPage(c, 404)
  const { certificate: t, ticket } = postEventMessages(c.var.locale)
  return refusalPage(c, registration, t.title, outcome.refusal === 'too_early' ? t.tooEarly : ticket.didNotCome, 409)
})

postEventPages.get('/t/:ticket/feedback', async (c) => {
  const registration = await loadTicket(c)
  return registration ? feedbackPage(c, registration) : errorPage(c, 404)
})

postEventPages.post('/t/:ticket/feedback', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const { deps } = c.env
  const t = postEventMessages(c.var.locale).feedback
  const questions = listQuestions(registration.workshop)
  const body = await parseFormBody(c)
  const parsed = parseAnswers(questions, (id) => body[answerField(id)])
  if ('tooLong' in parsed) {
    const problems = questions
      .filter(({ id }) => parsed.tooLong.includes(id))
      .map((question) => ({
        field: answerField(question.id),
        text: t.tooLong(questionText(question, c.var.locale), maxAnswerLength),
      }))
    return feedbackPage(c, registration, { answers: submittedAnswers(body), problems, status: 422 })
  }
  const outcome = await saveFeedback(deps, registration, parsed.answers)
  if (outcome === 'saved') {
    return c.redirect(withQuery(paths.ticketFeedback(registration.ticket), { done: 'given' }), 303)
  }
  if (outcome === 'empty') {
    const problems = [{ field: answerField(questions[0]?.id ?? ''), text: t.refusals.empty }]
    return feedbackPage(c, registration, { answers: parsed.answers, problems, status: 422 })
  }
  return refusalPage(c, registration, t.title, t.refusals[outcome], 409)
})

/** The unvalidated answers, to fill in the form again. */
function submittedAnswers(body: Record<string, unknown>): FeedbackAnswers {
  const entries = Object.entries(body).flatMap(([name, value]) =>
    name.startsWith('answer.') && typeof value === 'string' ? [[name.slice('answer.'.length), value] as const] : [],
  )
  return {
    ratings: Object.fromEntries(entries.map(([id, value]) => [id, Number(value)])),
    texts: Object.fromEntries(entries),
  }
}

const answerField = (id: string) => `answer.${id}`

/** Section of the ticket with materials and, for attendees who were checked in, certificate and feedback. */
export async function PostEvent({ c, registration }: { c: Context<App>; registration: Registration }) {
  const { deps } = c.env
  const { ticket, workshop } = registration
  const t = postEventMessages(c.var.locale).ticket
  const attended = (await findCheckInTime(deps, registration.id)) !== undefined
  const materials = await listVisibleMaterials(deps, registration, attended)
  const over = deps.now() >= effectiveEnd(workshop)
  const certificate = attended && over ? await findCertificate(deps, registration.id) : undefined
  const canGiveFeedback = attended && !feedbackClosedReason(workshop, deps.now())
  const feedback = canGiveFeedback ? await findFeedback(deps, registration.id) : undefined
  return (
    <>
      {materials.length > 0 && <Materials materials={materials} c={c} />}
      {attended && over && (
        <>
          <h2>{t.came}</h2>
          <p>{t.thanks}</p>
          <a class="button second" href={paths.ticketCertificate(ticket)}>
            {certificate ? t.showCertificate : t.askForCertificate}
          </a>
          {canGiveFeedback && (
            <a class="button second" href={paths.ticketFeedback(ticket)}>
              {feedback ? t.changeFeedback : t.feedback}
            </a>
          )}
        </>
      )}
    </>
  )
}

function Materials({ materials, c }: { materials: Material[]; c: Context<App> }) {
  const t = postEventMessages(c.var.locale).ticket
  return (
    <>
      <h2 id="materials">{t.materials}</h2>
      <ul class="materials">
        {materials.map(({ title, url, note }) => {
          const noteText = localize(note, c.var.locale)
          return (
            <li>
              <a href={url} rel="noopener noreferrer">
                {localize(title, c.var.locale)}
              </a>
              {noteText && <small>{noteText}</small>}
            </li>
          )
        })}
      </ul>
    </>
  )
}

/** The form for a certificate, or the issued one with number and print link. */
async function certificatePage(
  c: Context<App>,
  registration: Registration,
  formError?: { name: string; keepName: boolean; problem: string },
) {
  const { deps } = c.env
  const { locale } = c.var
  const { certificate: t, ticket: ticketTexts } = postEventMessages(locale)
  const { workshop, ticket } = registration
  const attended = await findCheckInTime(deps, registration.id)
  const over = deps.now() >= effectiveEnd(workshop)
  const certificate = await findCertificate(deps, registration.id)
  if (!attended) return refusalPage(c, registration, t.title, ticketTexts.didNotCome)
  if (!over) return refusalPage(c, registration, t.title, t.tooEarly)
  const form = (
    <form method="post" action={paths.ticketCertificate(ticket)} novalidate>
      <Field
        name="name"
        type="text"
        label={t.name}
        value={formError?.name ?? certificate?.name ?? registration.name}
        problem={formError?.problem}
        autocomplete="name"
        required
      />
      <div class="field">
        <label class="check">
          <input
            type="checkbox"
            name="keep"
            value="yes"
            checked={formError?.keepName ?? certificate?.keepName ?? false}
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
  return renderPage(
    c,
    {
      title: t.title,
      back: { href: paths.ticket(ticket), text: t.backToTicket },
      canonicalPath: paths.ticketCertificate(ticket),
      scripts: ['copy'],
      status: formError ? 422 : 200,
    },
    <>
      {c.req.query('done') === 'saved' && <Flash>{t.saved}</Flash>}
      {formError && <ErrorSummary problems={[{ field: 'name', text: formError.problem }]} t={publicMessages(locale)} />}
      <h1>{t.title}</h1>
      <p class="lead">{certificate ? localize(workshop.title, locale) : t.lead}</p>
      {certificate ? (
        <>
          <CertificateNumber certificate={certificate} c={c} />
          <details open={formError !== undefined}>
            <summary>{t.change}</summary>
            {form}
          </details>
        </>
      ) : (
        <>
          <WorkshopSummary workshop={workshop} locale={locale} />
          {form}
        </>
      )}
    </>,
  )
}

function CertificateNumber({ certificate: { number, name }, c }: { certificate: Certificate; c: Context<App> }) {
  const { certificate: t } = postEventMessages(c.var.locale)
  const { copy, copied } = publicMessages(c.var.locale).ticket
  return (
    <>
      <div class="seats words good">
        <b class="certificate-number">{formatCertificateNumber(number)}</b>
        <div>{name}</div>
      </div>
      <a class="button" href={paths.certificatePrint(number)}>
        {t.print}
      </a>
      <section class="panel">
        <label for="link">{t.link}</label>
        <div class="copy">
          <input
            id="link"
            type="text"
            readonly
            value={absoluteUrl(c.env.deps.config.baseUrl, paths.certificate(formatCertificateNumber(number)))}
          />
          <button type="button" hidden data-copy="link" data-copied={copied}>
            {copy}
          </button>
        </div>
      </section>
    </>
  )
}

/** The feedback form, with previous answers. */
async function feedbackPage(
  c: Context<App>,
  registration: Registration,
  formError?: { answers: FeedbackAnswers; problems: { field: string; text: string }[]; status: 422 },
) {
  const { deps } = c.env
  const { locale } = c.var
  const { feedback: t, certificate, ticket: ticketTexts } = postEventMessages(locale)
  const { workshop, ticket } = registration
  const attended = await findCheckInTime(deps, registration.id)
  const closed: FeedbackRefusal | undefined = attended ? feedbackClosedReason(workshop, deps.now()) : 'did_not_come'
  if (closed) return refusalPage(c, registration, t.title, t.refusals[closed])
  const previous = await findFeedback(deps, registration.id)
  const { ratings, texts } = formError?.answers ?? previous ?? { ratings: {}, texts: {} }
  const until = t.until(formatDateTime(feedbackDeadline(workshop), workshop.timeZone, locale))
  return renderPage(
    c,
    {
      title: t.title,
      back: { href: paths.ticket(ticket), text: certificate.backToTicket },
      canonicalPath: paths.ticketFeedback(ticket),
      status: formError?.status ?? 200,
    },
    <>
      {c.req.query('done') === 'given' && (
        <Flash>
          {t.given} {until}
        </Flash>
      )}
      {formError && <ErrorSummary problems={formError.problems} t={publicMessages(locale)} />}
      <h1>{t.title}</h1>
      <p class="lead">
        {localize(workshop.title, locale)}
        <br />
        {t.lead}
      </p>
      <form method="post" action={paths.ticketFeedback(ticket)} novalidate>
        {listQuestions(workshop).map((question) =>
          question.kind === 'rating' ? (
            <Rating id={question.id} label={questionText(question, locale)} value={ratings[question.id]} c={c} />
          ) : (
            <div class="field question">
              <label for={answerField(question.id)}>{questionText(question, locale)}</label>
              <textarea
                id={answerField(question.id)}
                name={answerField(question.id)}
                rows={5}
                maxlength={maxAnswerLength}
              >
                {texts[question.id] ?? ''}
              </textarea>
            </div>
          ),
        )}
        <p class="hint">{t.anonymous(deps.config.retentionDays)}</p>
        <button type="submit">{previous ? t.change : t.send}</button>
      </form>
      <a class="button second" href={paths.ticketCertificate(ticket)}>
        {ticketTexts.certificate}
      </a>
    </>,
  )
}

/** Radio buttons 1 to 5, and one for no answer. */
function Rating({ id, label, value, c }: { id: string; label: string; value: number | undefined; c: Context<App> }) {
  const t = postEventMessages(c.var.locale).feedback
  const name = answerField(id)
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
              checked={value === rating}
              aria-label={names[rating]}
            />
            <span>{rating}</span>
          </label>
        ))}
        <label class="none">
          <input type="radio" name={name} value="" checked={value === undefined} />
          <span>{t.noAnswer}</span>
        </label>
      </div>
      <p class="hint">{t.scale}</p>
    </fieldset>
  )
}

/** Explains why certificate or feedback is not available, with a link to the ticket. */
function refusalPage(
  c: Context<App>,
  { ticket, workshop }: Registration,
  title: string,
  text: string,
  status: 200 | 409 = 200,
) {
  const t = postEventMessages(c.var.locale).certificate
  return renderPage(
    c,
    { title, back: { href: paths.ticket(ticket), text: t.backToTicket }, canonicalPath: paths.ticket(ticket), status },
    <>
      <h1>{title}</h1>
      <p class="lead">{localize(workshop.title, c.var.locale)}</p>
      {status === 409 ? (
        <ErrorAlert title={publicMessages(c.var.locale).form.errorTitle}>
          <p>{text}</p>
        </ErrorAlert>
      ) : (
        <p>{text}</p>
      )}
      <a class="button second" href={paths.ticket(ticket)}>
        {t.backToTicket}
      </a>
    </>,
  )
}

function loadTicket(c: Context<App>): Promise<Registration | undefined> {
  const { deps } = c.env
  return findRegistration(deps, verifyTicketToken(deps.config.secret, c.req.param('ticket') ?? ''))
}
