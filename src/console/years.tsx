import { Hono } from 'hono'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import { type City, figuresOverYears, type Year } from '../domain/years.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { number, pick, sentences } from '../messages/text.ts'
import { Figure, Multiples, NumberTable, Rows } from './charts.tsx'
import { shareOf } from './figures.tsx'
import { consolePage } from './layout.tsx'

/** What became of all workshops over the years, for everyone who is signed in. */
export const yearPages = new Hono<App>()

yearPages.get('/console/years', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).years
  const { years, cities } = await figuresOverYears(deps)
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
          <p class="hint">{sentences(t.noShowsNote, t.returningNote(deps.config.retentionDays))}</p>
          <h2>{t.seatsByMonth}</h2>
          <Months years={years} locale={locale} />
          <h2>{t.cityHeading}</h2>
          <Cities cities={cities} locale={locale} />
        </>
      )}
    </>,
  )
})

function YearTable({ years, locale }: { years: Year[]; locale: Locale }) {
  const t = figureMessagesFor(locale).years
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
          ? t.noShowsOf(year.noShows, year.expected, shareOf(year.noShows, year.expected, locale))
          : figureMessagesFor(locale).figures.notCounted,
        year.asked > 0
          ? t.readyOf(year.ready, year.asked, shareOf(year.ready, year.asked, locale))
          : figureMessagesFor(locale).figures.notCounted,
        year.known > 0
          ? t.returningOf(year.returning, year.known, shareOf(year.returning, year.known, locale))
          : figureMessagesFor(locale).figures.notCounted,
      ])}
    />
  )
}

function Months({ years, locale }: { years: Year[]; locale: Locale }) {
  const messages = figureMessagesFor(locale)
  const t = messages.years
  return (
    <Figure
      open={messages.figures.numbers}
      numbers={{
        heads: [messages.figures.when, ...years.map(({ year }) => t.yearName(year))],
        rows: Array.from({ length: 12 }, (_, m) => [t.monthShort(m + 1), ...years.map(({ months }) => months[m] ?? 0)]),
      }}
    >
      <Multiples
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

function Cities({ cities, locale }: { cities: City[]; locale: Locale }) {
  const messages = figureMessagesFor(locale)
  const t = messages.years
  const shown = cities.slice(0, 12)
  return (
    <Figure
      open={messages.figures.numbers}
      numbers={{
        heads: [messages.figures.city, t.workshops, t.capacity, t.taken, t.registrations],
        rows: cities.map(({ city, workshops, capacity, taken, registrations }) => [
          pick(city, locale),
          workshops,
          capacity,
          taken,
          registrations,
        ]),
      }}
    >
      <Rows
        id="cities"
        title={t.cityHeading}
        description={t.citySaid(shown[0] ? pick(shown[0].city, locale) : '', shown[0]?.registrations ?? 0)}
        rows={shown.map(({ city, registrations, workshops }) => ({
          label: pick(city, locale),
          parts: [{ tone: 'accent', value: registrations }],
          said: t.cityRow(number(registrations), workshops),
        }))}
      />
    </Figure>
  )
}
