import { type Context, Hono } from 'hono'
import type { FeedbackQuestion } from '../../../db/schema.ts'
import {
  allAnswers,
  type FeedbackAnswers,
  listQuestions,
  maxQuestions,
  replaceQuestions,
} from '../../../domain/attendance/feedback.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { csvRow } from '../../../http/attendee-export.ts'
import { audit, currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { attachment, streamBody } from '../../../http/responses.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatPlace, joinSentences, localize } from '../../../i18n/format.ts'
import { postEventMessages, questionText } from '../../../i18n/post-event.ts'
import type { Locale } from '../../../lib/config.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import {
  BilingualField,
  ErrorSummary,
  type FieldError,
  Select,
  stringField,
  translateFormErrors,
} from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'
import { applyReorder, ReorderButtons } from '../ui/reorder-buttons.tsx'

/** Feedback of a workshop: its questions, and the answers as CSV. */
export const feedbackPages = new Hono<App>()

type QuestionFormValues = { id?: string | undefined; kind: FeedbackQuestion['kind']; text: FeedbackQuestion['text'] }

feedbackPages.get('/console/workshops/:slug/feedback', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? feedbackQuestionsPage(c, workshop, questionFormDefaults(workshop)) : c.notFound()
})

feedbackPages.post('/console/workshops/:slug/feedback', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return feedbackQuestionsPage(c, workshop, questionFormDefaults(workshop))
  const t = postEventMessages(locale).questions
  const form = new FormParser(await parseFormBody(c))
  const questions = parseQuestions(form)
  const action = stringField(form.body, 'do')
  if (action) return feedbackQuestionsPage(c, workshop, applyReorder(questions, action))
  const problems = translateFormErrors(form.errors, consoleMessages(locale), { question: t.text })
  if (questions.length > maxQuestions) problems.push({ field: 'question.0.zh', text: t.tooMany(maxQuestions) })
  if (problems.length > 0) return feedbackQuestionsPage(c, workshop, questions, problems)
  const outcome = await replaceQuestions(
    deps,
    currentActor(c),
    workshop,
    areDefaultQuestions(questions) ? [] : questions,
  )
  if (outcome.kind === 'refused') {
    const answered = outcome.questions.map((question) => t.quoted(questionText(question, locale))).join('')
    return feedbackQuestionsPage(c, workshop, questions, [{ field: 'question.0.zh', text: t.lost(answered) }], 409)
  }
  return c.redirect(withQuery(paths.feedbackQuestions(workshop.slug), { done: 'saved' }), 303)
})

feedbackPages.get('/console/workshops/:slug/feedback.csv', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { slug } = workshop
  await audit(c, { action: 'feedback.exported', workshopId: workshop.id, payload: { slug, format: 'csv' } })
  const name = `${slug} ${localize(workshop.city, locale)} ${postEventMessages(locale).results.file}`
  return c.body(await streamBody(deps, generateFeedbackCsv(workshop, await allAnswers(deps, workshop), locale)), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment(`${slug}-feedback.csv`, `${name.replace(/[\\/:*?"<>|]/g, ' ')}.csv`),
    'Cache-Control': 'no-store',
  })
})

/** One line per attendee, without names, in an order unrelated to registration. */
async function* generateFeedbackCsv(
  workshop: Workshop,
  answers: FeedbackAnswers[],
  locale: Locale,
): AsyncGenerator<string> {
  const questions = listQuestions(workshop)
  const headers = questions.map((question) => questionText(question, locale))
  yield `\uFEFF${csvRow([postEventMessages(locale).results.answer, ...headers])}`
  for (const [n, { ratings, texts }] of answers.entries()) {
    yield csvRow([n + 1, ...questions.map(({ id, kind }) => (kind === 'rating' ? ratings[id] : texts[id]) ?? null)])
  }
}

/** The workshop's questions; the default ones with their texts in both languages. */
function questionFormDefaults(workshop: Workshop): QuestionFormValues[] {
  return listQuestions(workshop).map((question) => ({
    ...question,
    text: question.text ?? { zh: questionText(question, 'zh-CN'), en: questionText(question, 'en') },
  }))
}

/** Whether the form has exactly the default questions. */
function areDefaultQuestions(questions: QuestionFormValues[]): boolean {
  const serialize = (list: QuestionFormValues[]) =>
    JSON.stringify(list.map(({ id, kind, text }) => [id, kind, text.zh, text.en]))
  return serialize(questions) === serialize(questionFormDefaults({ feedbackQuestions: null } as Workshop))
}

/** The submitted questions in form order. Lines without text are skipped. */
function parseQuestions(form: FormParser): QuestionFormValues[] {
  return form.rowNumbers('question').flatMap((n): QuestionFormValues[] => {
    const at = `question.${n}`
    if (!stringField(form.body, `${at}.zh`).trim() && !stringField(form.body, `${at}.en`).trim()) return []
    const id = stringField(form.body, `${at}.id`)
    return [
      {
        ...(/^[\w-]{1,36}$/.test(id) && { id }),
        kind: form.body[`${at}.kind`] === 'text' ? 'text' : 'rating',
        text: form.bilingual(at, 200),
      },
    ]
  })
}

function feedbackQuestionsPage(
  c: Context<App>,
  workshop: Workshop,
  values: QuestionFormValues[],
  problems: FieldError[] = [],
  status: 409 | 422 = 422,
) {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = postEventMessages(locale).questions
  const rows: QuestionFormValues[] = [...values, { kind: 'rating', text: {} }]
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: { href: paths.attendance(workshop.slug), text: postEventMessages(locale).attendance.link },
      flash: c.req.query('done') === 'saved' ? t.done : undefined,
      status: problems.length > 0 ? status : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">
        {formatPlace(workshop, locale)}
        <br />
        {joinSentences(words.lead, words.answered)}
      </p>
      <ErrorSummary problems={problems} t={t} />
      <form method="post" action={paths.feedbackQuestions(workshop.slug)} novalidate>
        <ConfirmField />
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        {rows.map(({ id, kind, text }, n) => (
          <fieldset class="line">
            <legend>{words.one(n + 1)}</legend>
            {id && <input type="hidden" name={`question.${n}.id`} value={id} />}
            <BilingualField name={`question.${n}`} label={words.text} value={text} problems={problems} t={t} />
            <Select
              name={`question.${n}.kind`}
              label={words.kind}
              options={(['rating', 'text'] as const).map((kind) => ({ value: kind, text: words.kinds[kind] }))}
              value={kind}
            />
            <ReorderButtons n={n} count={values.length} label={words.one(n + 1)} locale={locale} />
          </fieldset>
        ))}
        <p class="actions">
          <button type="submit">{t.save}</button>
          <button class="second" type="submit" name="do" value="add" formnovalidate>
            {words.add}
          </button>
          <a class="button second" href={paths.attendance(workshop.slug)}>
            {t.cancel}
          </a>
        </p>
      </form>
    </>,
  )
}
