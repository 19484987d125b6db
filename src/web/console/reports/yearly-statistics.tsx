import { Hono } from 'hono'
import { type CityStats, computeYearlyStatistics, type YearStats } from '../../../domain/reports/yearly-statistics.ts'
import type { App } from '../../../http/context.ts'
import { formatNumber, joinSentences, localize } from '../../../i18n/format.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { consolePage } from '../layout.tsx'
import { BarChart, Figure, SmallMultiples } from '../ui/charts.tsx'
import { formatShare, NumberTable } from '../ui/numbers.tsx'

/** Statistics of all workshops per year and city, for every role. */
export const yearlyStatisticsPages = new Hono<App>()

yearlyStatisticsPages.get('/console/years', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = reportMessages(locale).years
  const { years, cities } = await computeYearlyStatistics(deps)
  return consolePage(
    c,
    { title: t.title, section: 'years' },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      {years.length === 0 ? (
        <p>{t.none}</p>
      ) : (
        <>
          <h2>{t.perYear}</h2>
          <YearTable years={years} locale={locale} />
          <p class="hint">{joinSentences(t.noShowsNote, t.returningNote(deps.config.retentionDays))}</p>
          <h2>{t.seatsByMonth}</h2>
          <MonthlySeatsChart years={years} locale={locale} />
          <h2>{t.cityHeading}</h2>
          <CityChart cities={cities} locale={locale} />
        </>
      )}
    </>,
  )
})

function YearTable({ years, locale }: { years: YearStats[]; locale: Locale }) {
  const t = reportMessages(locale).years
  return (
    <NumberTable
      heads={[
        t.year,
        t.workshops,
        t.cancelled,
        t.cities,
        t.capacity,
        t.taken,
        t.registrations,
        t.noShows,
        t.ready,
        t.returning,
      ]}
      rows={years.map((year) => [
        t.yearName(year.year),
        year.workshops,
        year.cancelledWorkshops,
        year.cities,
        year.capacity,
        year.taken,
        year.registrations,
        year.expected > 0
          ? t.noShowsOf(year.noShows, year.expected, formatShare(year.noShows, year.expected, locale))
          : reportMessages(locale).figures.notCounted,
        year.asked > 0
          ? t.readyOf(year.ready, year.asked, formatShare(year.ready, year.asked, locale))
          : reportMessages(locale).figures.notCounted,
        year.known > 0
          ? t.returningOf(year.returning, year.known, formatShare(year.returning, year.known, locale))
          : reportMessages(locale).figures.notCounted,
      ])}
    />
  )
}

function MonthlySeatsChart({ years, locale }: { years: YearStats[]; locale: Locale }) {
  const messages = reportMessages(locale)
  const t = messages.years
  return (
    <Figure
      tableLabel={messages.figures.numbers}
      table={{
        heads: [messages.figures.when, ...years.map(({ year }) => t.yearName(year))],
        rows: Array.from({ length: 12 }, (_, m) => [t.monthShort(m + 1), ...years.map(({ months }) => months[m] ?? 0)]),
      }}
    >
      <SmallMultiples
        charts={years.toReversed().map(({ year, months, taken, workshops }) => ({
          id: `year-${year}`,
          caption: t.yearName(year),
          title: t.seatsByMonth,
          description: t.seatsByMonthSaid(year, taken, workshops),
          bars: months.map((value, m) => ({
            name: t.month(year, m + 1),
            label: t.monthShort(m + 1),
            parts: [{ tone: 'accent' as const, value }],
          })),
        }))}
      />
    </Figure>
  )
}

function CityChart({ cities, locale }: { cities: CityStats[]; locale: Locale }) {
  const messages = reportMessages(locale)
  const t = messages.years
  const topCities = cities.slice(0, 12)
  return (
    <Figure
      tableLabel={messages.figures.numbers}
      table={{
        heads: [messages.figures.city, t.workshops, t.capacity, t.taken, t.registrations],
        rows: cities.map(({ city, workshops, capacity, taken, registrations }) => [
          localize(city, locale),
          workshops,
          capacity,
          taken,
          registrations,
        ]),
      }}
    >
      <BarChart
        id="cities"
        title={t.cityHeading}
        description={t.citySaid(
          topCities[0] ? localize(topCities[0].city, locale) : '',
          topCities[0]?.registrations ?? 0,
        )}
        rows={topCities.map(({ city, registrations, workshops }) => ({
          label: localize(city, locale),
          parts: [{ tone: 'accent', value: registrations }],
          valueText: t.cityRow(formatNumber(registrations), workshops),
        }))}
      />
    </Figure>
  )
}
