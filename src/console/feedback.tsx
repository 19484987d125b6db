import { type Context, Hono } from 'hono'
import { attachment, streamOf } from '../answer.ts'
import { actorOf, audited } from '../audited.ts'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import type { FeedbackQuestion } from '../db/schema.ts'
import { type Answers, allAnswers, mostQuestions, questionsOf, type Results, setQuestions } from '../domain/feedback.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { afterwardsMessagesFor, questionText } from '../messages/afterwards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { number, pick, placeOf, sentences } from '../messages/text.ts'
import { csvLine } from '../roster-files.ts'
import { Figure, Rows } from './charts.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Choice, InBoth, type Problem, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { LineButtons, moved } from './lines.tsx'
import { Form } from './read-form.ts'

/** What those who came are asked, and what they answered. */
export const feedbackPages = new Hono<App>()

/** A question as the form shows it. */
type Shown = { id?: string | undefined; kind: FeedbackQuestion['kind']; text: FeedbackQuestion['text'] }

feedbackPages.get('/console/workshops/:slug/feedback', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? questionsPage(c, workshop, shownOf(workshop)) : c.notFound()
})

feedbackPages.post('/console/workshops/:slug/feedback', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return questionsPage(c, workshop, shownOf(workshop))
  const t = afterwardsMessagesFor(locale).questions
  const form = new Form(await readFormBody(c))
  const questions = readQuestions(form)
  const action = typed(form.body, 'do')
  if (action) return questionsPage(c, workshop, moved(questions, action))
  const problems = problemsOf(form.refused, consoleMessagesFor(locale), { question: t.text })
  if (questions.length > mostQuestions) problems.push({ field: 'question.0.zh', text: t.tooMany(mostQuestions) })
  if (problems.length > 0) return questionsPage(c, workshop, questions, problems)
  const outcome = await setQuestions(deps, actorOf(c), workshop, sameAsDefault(questions) ? [] : questions)
  if (outcome.kind === 'refused') {
    const lost = outcome.questions.map((question) => t.quoted(questionText(question, locale))).join('')
    return questionsPage(c, workshop, questions, [{ field: 'question.0.zh', text: t.lost(lost) }], 409)
  }
  return c.redirect(withQuery(paths.feedbackQuestions(workshop.slug), { done: 'saved' }), 303)
})

feedbackPages.get('/console/workshops/:slug/feedback.csv', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { slug } = workshop
  await audited(c, { action: 'feedback.exported', workshopId: workshop.id, facts: { slug, format: 'csv' } })
  const name = `${slug} ${pick(workshop.city, locale)} ${afterwardsMessagesFor(locale).results.file}`
  return c.body(await streamOf(deps, feedbackCsv(workshop, await allAnswers(deps, workshop), locale)), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment(`${slug}-feedback.csv`, `${name.replace(/[\\/:*?"<>|]/g, ' ')}.csv`),
    'Cache-Control': 'no-store',
  })
})

/** One line an answer, without names, in an order that tells nothing. */
async function* feedbackCsv(workshop: Workshop, answers: Answers[], locale: Locale): AsyncGenerator<string> {
  const questions = questionsOf(workshop)
  const heads = questions.map((question) => questionText(question, locale))
  yield `\uFEFF${csvLine([afterwardsMessagesFor(locale).results.answer, ...heads])}`
  for (const [n, { ratings, texts }] of answers.entries()) {
    yield csvLine([n + 1, ...questions.map(({ id, kind }) => (kind === 'rating' ? ratings[id] : texts[id]) ?? null)])
  }
}

/** The questions as they are asked now, those of everybody with their texts in both languages. */
function shownOf(workshop: Workshop): Shown[] {
  return questionsOf(workshop).map((question) => ({
    ...question,
    text: question.text ?? { zh: questionText(question, 'zh-CN'), en: questionText(question, 'en') },
  }))
}

/** Whether the form has what everybody is asked and nothing else. */
function sameAsDefault(questions: Shown[]): boolean {
  const plain = (some: Shown[]) => JSON.stringify(some.map(({ id, kind, text }) => [id, kind, text.zh, text.en]))
  return plain(questions) === plain(shownOf({ feedbackQuestions: null } as Workshop))
}

/** The questions line by line as they were sent; one without a text is left out. */
function readQuestions(form: Form): Shown[] {
  return form.rows('question').flatMap((n): Shown[] => {
    const at = `question.${n}`
    if (!typed(form.body, `${at}.zh`).trim() && !typed(form.body, `${at}.en`).trim()) return []
    const id = typed(form.body, `${at}.id`)
    return [
      {
        ...(/^[\w-]{1,36}$/.test(id) && { id }),
        kind: form.body[`${at}.kind`] === 'text' ? 'text' : 'rating',
        text: form.text(at, 200),
      },
    ]
  })
}

function questionsPage(
  c: Context<App>,
  workshop: Workshop,
  shown: Shown[],
  problems: Problem[] = [],
  status: 409 | 422 = 422,
) {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = afterwardsMessagesFor(locale).questions
  const lines: Shown[] = [...shown, { kind: 'rating', text: {} }]
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: { href: paths.attendance(workshop.slug), text: afterwardsMessagesFor(locale).attendance.link },
      done: c.req.query('done') === 'saved' ? t.done : undefined,
      status: problems.length > 0 ? status : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">
        {placeOf(workshop, locale)}
        <br />
        {sentences(words.lead, words.answered)}
      </p>
      <Problems problems={problems} t={t} />
      <form method="post" action={paths.feedbackQuestions(workshop.slug)} novalidate>
        <ConfirmField />
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        {lines.map(({ id, kind, text }, n) => (
          <fieldset class="line">
            <legend>{words.one(n + 1)}</legend>
            {id && <input type="hidden" name={`question.${n}.id`} value={id} />}
            <InBoth name={`question.${n}`} label={words.text} value={text} problems={problems} t={t} />
            <Choice
              name={`question.${n}.kind`}
              label={words.kind}
              options={(['rating', 'text'] as const).map((kind) => ({ value: kind, text: words.kinds[kind] }))}
              value={kind}
            />
            <LineButtons n={n} of={shown.length} label={words.one(n + 1)} locale={locale} />
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

/**
 * What those who came answered: how often each rating was given, and where whoever looks may see them the texts.
 * @param came how many could have answered
 */
export function FeedbackResults({
  results: { answered, questions },
  came,
  workshop,
  withTexts,
  locale,
}: {
  results: Results
  came: number
  workshop: Workshop
  withTexts: boolean
  locale: Locale
}) {
  const t = afterwardsMessagesFor(locale).results
  const figures = figureMessagesFor(locale)
  const share = came > 0 ? figures.percent(String(Math.round((100 * answered) / came))) : figures.figures.notCounted
  return (
    <>
      <h2 id="feedback">{t.title}</h2>
      <p>{answered > 0 ? t.rate(answered, came, share) : t.none}</p>
      {withTexts && (
        <p class="links">
          {answered > 0 && <a href={paths.feedbackCsv(workshop.slug)}>{t.export}</a>}
          <a href={paths.feedbackQuestions(workshop.slug)}>{afterwardsMessagesFor(locale).questions.link}</a>
        </p>
      )}
      {answered > 0 &&
        questions.map((result) => {
          const name = questionText(result.question, locale)
          if (result.kind === 'text') {
            return (
              withTexts && (
                <>
                  <h3>{name}</h3>
                  <p class="hint">{result.texts.length > 0 ? t.texts(result.texts.length) : t.noTexts}</p>
                  {result.texts.map((text) => (
                    <blockquote class="said">{text}</blockquote>
                  ))}
                </>
              )
            )
          }
          const given = result.counts.reduce((sum, n) => sum + n, 0)
          const average = result.average?.toFixed(1) ?? figures.figures.notCounted
          return (
            <>
              <h3>{name}</h3>
              <Figure
                caption={given > 0 ? t.average(average, given) : t.noRating}
                open={figures.figures.numbers}
                numbers={{
                  heads: [t.rating, t.count],
                  rows: result.counts.map((n, i) => [t.stars(i + 1), n]).reverse(),
                }}
              >
                <Rows
                  id={`feedback-${result.question.id}`}
                  title={name}
                  description={t.said(name, result.counts, average)}
                  rows={result.counts
                    .map((n, i) => ({
                      label: t.stars(i + 1),
                      parts: [{ tone: 'accent' as const, value: n }],
                      said: number(n),
                    }))
                    .reverse()}
                />
              </Figure>
            </>
          )
        })}
    </>
  )
}
