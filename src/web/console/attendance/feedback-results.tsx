import type { FeedbackSummary } from '../../../domain/attendance/feedback.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import { paths } from '../../../http/links.ts'
import { formatNumber } from '../../../i18n/format.ts'
import { postEventMessages, questionText } from '../../../i18n/post-event.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { BarChart, Figure } from '../ui/charts.tsx'
import { formatShare } from '../ui/numbers.tsx'

/**
 * Feedback of a workshop: distribution of each rating, and the free texts if `withTexts`.
 * @param came number of attendees who could answer
 */
export function FeedbackResults({
  results: { answered, questions },
  came,
  workshop,
  withTexts,
  locale,
}: {
  results: FeedbackSummary
  came: number
  workshop: Workshop
  withTexts: boolean
  locale: Locale
}) {
  const t = postEventMessages(locale).results
  const statsMessages = reportMessages(locale)
  return (
    <>
      <h2 id="feedback">{t.title}</h2>
      <p>{answered > 0 ? t.rate(answered, came, formatShare(answered, came, locale)) : t.none}</p>
      {withTexts && (
        <p class="links">
          {answered > 0 && <a href={paths.feedbackCsv(workshop.slug)}>{t.export}</a>}
          <a href={paths.feedbackQuestions(workshop.slug)}>{postEventMessages(locale).questions.link}</a>
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
          const responses = result.counts.reduce((sum, n) => sum + n, 0)
          const average = result.average?.toFixed(1) ?? statsMessages.figures.notCounted
          return (
            <>
              <h3>{name}</h3>
              <Figure
                caption={responses > 0 ? t.average(average, responses) : t.noRating}
                tableLabel={statsMessages.figures.numbers}
                table={{
                  heads: [t.rating, t.count],
                  rows: result.counts.map((n, i) => [t.stars(i + 1), n]).reverse(),
                }}
              >
                <BarChart
                  id={`feedback-${result.question.id}`}
                  title={name}
                  description={t.said(name, result.counts, average)}
                  rows={result.counts
                    .map((n, i) => ({
                      label: t.stars(i + 1),
                      parts: [{ tone: 'accent' as const, value: n }],
                      valueText: formatNumber(n),
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
