import type { Attendance } from '../../../domain/attendance/attendance.ts'
import { formatNumber } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { BarChart, Figure } from '../ui/charts.tsx'
import { formatPercent, KeyNumbers } from '../ui/numbers.tsx'

/** Attendance of a workshop as key numbers and a bar chart. */
export function AttendanceSummary({ attendance, locale }: { attendance: Attendance; locale: Locale }) {
  const t = postEventMessages(locale).attendance
  const statsMessages = reportMessages(locale)
  const { expected, came, walkIns, noShows, passedOn, lateCancellations } = attendance
  const total = came + noShows
  return (
    <>
      <KeyNumbers
        numbers={[
          [came, t.came],
          [expected, t.expected],
          [noShows, t.noShows],
          [walkIns, t.walkIns],
          [lateCancellations, t.late],
        ]}
      />
      <p class="hint">{t.lateHint}</p>
      <Figure
        legend={[
          { tone: 'accent', text: t.came },
          { tone: 'grey', text: t.walkIns },
          { tone: 'pale', text: t.noShows },
        ]}
        tableLabel={statsMessages.figures.numbers}
        table={{
          heads: [t.how, statsMessages.figures.all],
          rows: [
            [t.expected, expected],
            [t.came, came],
            [t.walkIns, walkIns],
            [t.noShows, noShows],
            [t.passedOn, passedOn],
            [t.late, lateCancellations],
          ],
        }}
      >
        <BarChart
          id="attendance"
          title={t.chart}
          description={t.chartSaid(came, expected, noShows, walkIns)}
          max={Math.max(1, total)}
          rows={[
            {
              label: t.chart,
              parts: [
                { tone: 'accent', value: came - walkIns },
                { tone: 'grey', value: walkIns },
                { tone: 'pale', value: noShows },
              ],
              valueText:
                total > 0
                  ? statsMessages.pair(
                      `${formatNumber(came)} / ${formatNumber(total)}`,
                      formatPercent(came / total, locale),
                    )
                  : '0',
            },
          ]}
        />
      </Figure>
    </>
  )
}
