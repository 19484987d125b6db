import { type Context, Hono } from 'hono'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import { findCampaign } from '../domain/campaigns.ts'
import {
  type Attention,
  type Channel,
  type City,
  type Figures,
  figuresOf,
  figuresOverYears,
  needsAttention,
  type OverTime,
  type Scope,
  type Year,
} from '../domain/figures.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { day, month, number, pick } from '../messages/text.ts'
import { AttentionList, nameOfWorkshop } from './attention.tsx'
import { Columns, Figure, Multiples, NumberTable, Rows } from './charts.tsx'
import { consolePage } from './layout.tsx'

/** What is counted of a campaign, of a workshop and of the years, for everyone who is signed in. */
export const figurePages = new Hono<App>()

figurePages.get('/console/campaigns/:slug/figures', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const { workshops, id: campaignId, title, slug } = campaign
  const scope: Scope = { workshops, campaignId, timeZone: deps.config.timeZone }
  return figuresPage(c, scope, { name: pick(title, c.get('locale')), href: paths.consoleCampaign(slug) })
})

figurePages.get('/console/workshops/:slug/figures', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const scope: Scope = { workshops: [workshop], timeZone: workshop.timeZone }
  const name = nameOfWorkshop(workshop, c.get('locale'))
  return figuresPage(c, scope, { name, href: paths.consoleWorkshop(workshop.slug) })
})

figurePages.get('/console/years', async (c) => {
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
          <p class="hint">{t.returningNote(deps.config.retentionDays)}</p>
          <h2>{t.seatsByMonth}</h2>
          <Months years={years} locale={locale} />
          <h2>{t.cityHeading}</h2>
          <Cities cities={cities} locale={locale} />
        </>
      )}
    </>,
  )
})

async function figuresPage(c: Context<App>, scope: Scope, of: { name: string; href: string }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).figures
  const [figures, attention] = await Promise.all([figuresOf(deps, scope), needsAttention(deps, scope)])
  return consolePage(
    c,
    { title: t.title(of.name), section: 'campaigns', back: { href: of.href, text: of.name } },
    <>
      <h1>{t.title(of.name)}</h1>
      <KeyNumbers figures={figures} locale={locale} />
      <Attentive c={c} found={attention} />
      {scope.workshops.length > 1 && <WorkshopTable workshops={scope.workshops} locale={locale} />}
      <Progress overTime={figures.overTime} locale={locale} />
      <Channels channels={figures.channels} now={deps.now()} locale={locale} />
      <ScansToSeats figures={figures} locale={locale} />
      <Answers figures={figures} locale={locale} />
      <Mails figures={figures} locale={locale} />
    </>,
  )
}

function Attentive({ c, found }: { c: Context<App>; found: Attention[] }) {
  if (found.length === 0) return null
  return (
    <>
      <h2>{figureMessagesFor(c.get('locale')).figures.attention}</h2>
      <AttentionList c={c} found={found} />
    </>
  )
}

/** The numbers before the charts. */
export function KeyNumbers({
  figures: { seats, registrations },
  locale,
}: {
  figures: Pick<Figures, 'seats' | 'registrations'>
  locale: Locale
}) {
  const t = figureMessagesFor(locale).figures
  const said: [number, string][] = [
    [seats.taken, t.taken],
    [seats.capacity - seats.taken, t.left],
    [seats.capacity, t.seats],
    [seats.waitlisted, t.waitlisted],
    [registrations.all, t.registrations],
    [registrations.cancelled, t.cancelled],
  ]
  return (
    <ul class="numbers">
      {said.map(([n, what]) => (
        <li>
          <b>{number(n)}</b>
          <small>{what}</small>
        </li>
      ))}
    </ul>
  )
}

function WorkshopTable({ workshops, locale }: { workshops: Workshop[]; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  return (
    <>
      <h2>{t.workshopsHeading}</h2>
      <NumberTable
        heads={[t.workshop, t.taken, t.seats, t.waitlisted]}
        rows={workshops.map((workshop) => [
          <a href={paths.workshopFigures(workshop.slug)}>{nameOfWorkshop(workshop, locale)}</a>,
          workshop.taken,
          workshop.capacity,
          workshop.waitlisted,
        ])}
      />
    </>
  )
}

/** When people signed up. */
export function Progress({ overTime, locale }: { overTime: OverTime; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  const { unit, points } = overTime
  const short = (from: string) =>
    unit === 'month' ? month(new Date(from), 'UTC', locale) : day(new Date(from), 'UTC', locale)
  const name = (from: string) => (unit === 'week' ? t.weekOf(short(from)) : short(from))
  const all = points.reduce((sum, { registrations }) => sum + registrations, 0)
  const peak = points.reduce((a, b) => (b.registrations > a.registrations ? b : a), points[0] as OverTime['points'][0])
  const [first, last] = [points[0], points.at(-1)]
  return (
    <>
      <h2>{t.overTime}</h2>
      {first && last ? (
        <Figure
          caption={t.overTimeBy[unit]}
          keys={[
            { tone: 'accent', text: t.stands },
            { tone: 'grey', text: t.cancelledSince },
          ]}
          open={t.numbers}
          numbers={{
            heads: [t.when, t.all, t.stands, t.cancelledSince],
            rows: points.map(({ from, registrations, cancelled }) => [
              name(from),
              registrations,
              registrations - cancelled,
              cancelled,
            ]),
          }}
        >
          <Columns
            id="over-time"
            title={t.overTime}
            description={t.overTimeSaid(all, short(first.from), short(last.from), peak.registrations, name(peak.from))}
            bars={points.map(({ from, registrations, cancelled }) => ({
              name: name(from),
              label: short(from),
              parts: [
                { tone: 'accent', value: registrations - cancelled },
                { tone: 'grey', value: cancelled },
              ],
            }))}
          />
        </Figure>
      ) : (
        <p>{t.none}</p>
      )}
    </>
  )
}

/** Through which links people came. */
export function Channels({ channels, now, locale }: { channels: Channel[]; now: Date; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  const pair = figureMessagesFor(locale).pair
  if (channels.length === 0) return null
  const nameOf = ({ link }: Channel) => {
    if (!link) return t.direct
    const state = !link.active ? t.off : link.expiresAt && link.expiresAt <= now ? t.expired : undefined
    return state ? pair(link.channel, state) : link.channel
  }
  const shown = channels.slice(0, mostChannels).map((channel) => ({ name: nameOf(channel), n: channel.registrations }))
  const rest = channels.slice(mostChannels)
  if (rest.length > 0) {
    shown.push({ name: t.others(rest.length), n: rest.reduce((sum, { registrations }) => sum + registrations, 0) })
  }
  const all = channels.reduce((sum, { registrations }) => sum + registrations, 0)
  return (
    <>
      <h2>{t.channels}</h2>
      <Figure
        open={t.numbers}
        numbers={{
          heads: [t.channel, t.scans, t.all, t.seated],
          rows: channels.map((channel) => [
            channel.link ? pair(nameOf(channel), channel.link.code) : nameOf(channel),
            channel.scans ?? t.notCounted,
            channel.registrations,
            channel.seated,
          ]),
        }}
      >
        <Rows
          id="channels"
          title={t.channels}
          description={t.channelsSaid(shown[0]?.name ?? '', shown[0]?.n ?? 0)}
          rows={shown.map(({ name, n }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            said: all > 0 ? pair(number(n), shareOf(n, all, locale)) : number(n),
          }))}
        />
        {channels.some(({ link, scans }) => link && scans === null) && <p class="hint">{t.scansElsewhere}</p>}
      </Figure>
    </>
  )
}

/** More are in the table only. */
const mostChannels = 8

function ScansToSeats({ figures: { funnel }, locale }: { figures: Figures; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  if (!funnel) return null
  const steps = (['scans', 'registrations', 'seated'] as const).map((step, index, all) => {
    const before = all[index - 1]
    const share = before ? shareOf(funnel[step], funnel[before], locale) : undefined
    return { name: t.steps[step], n: funnel[step], share }
  })
  return (
    <>
      <h2>{t.funnel}</h2>
      <Figure
        open={t.numbers}
        numbers={{
          heads: [t.step, t.all, t.share],
          rows: steps.map(({ name, n, share }) => [name, n, share ?? t.notCounted]),
        }}
      >
        <Rows
          id="funnel"
          title={t.funnel}
          description={t.funnelSaid(funnel.scans, funnel.registrations, funnel.seated)}
          centred
          rows={steps.map(({ name, n, share }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            said: share ? figureMessagesFor(locale).pair(number(n), share) : number(n),
          }))}
        />
      </Figure>
    </>
  )
}

function Answers({ figures: { readiness }, locale }: { figures: Figures; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  if (readiness.length === 0) return null
  return (
    <>
      <h2>{t.readiness}</h2>
      <AnswersFigure answers={readiness} caption={t.readinessNote} locale={locale} />
    </>
  )
}

/** What was answered to each item, as bars with their numbers. */
export function AnswersFigure({
  answers,
  caption,
  locale,
}: {
  answers: Figures['readiness']
  caption?: string
  locale: Locale
}) {
  const t = figureMessagesFor(locale).figures
  const items = answers.map(({ item, ...counts }) => ({
    ...counts,
    name: pick(item.text, locale),
    all: counts.ready + counts.notYet + counts.noAnswer,
  }))
  return (
    <Figure
      caption={caption}
      keys={[
        { tone: 'accent', text: t.ready },
        { tone: 'grey', text: t.notYet },
        { tone: 'pale', text: t.noAnswer },
      ]}
      open={t.numbers}
      numbers={{
        heads: [t.item, t.ready, t.notYet, t.noAnswer],
        rows: items.map(({ name, ready, notYet, noAnswer }) => [name, ready, notYet, noAnswer]),
      }}
    >
      <Rows
        id="readiness"
        title={t.readiness}
        description={items.map((item) => t.readinessSaid(item.name, item.ready, item.notYet, item.noAnswer)).join(' ')}
        most={Math.max(1, ...items.map(({ all }) => all))}
        rows={items.map(({ name, ready, notYet, noAnswer, all }) => ({
          label: name,
          parts: [
            { tone: 'accent', value: ready },
            { tone: 'grey', value: notYet },
            { tone: 'pale', value: noAnswer },
          ],
          said: figureMessagesFor(locale).pair(`${number(ready)} / ${number(all)}`, shareOf(ready, all, locale)),
        }))}
      />
    </Figure>
  )
}

function Mails({ figures: { mails }, locale }: { figures: Figures; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  return (
    <>
      <h2>{t.mails}</h2>
      {mails.length === 0 ? (
        <p>{t.noMails}</p>
      ) : (
        <NumberTable
          heads={[t.mail, t.sent, t.owed, t.failed, t.pointless]}
          rows={mails.map(({ kind, sent, owed, failed, pointless }) => [
            consoleMessagesFor(locale).mailKinds[kind],
            sent,
            owed,
            failed > 0 ? <strong class="warning">{number(failed)}</strong> : 0,
            pointless,
          ])}
        />
      )}
    </>
  )
}

function YearTable({ years, locale }: { years: Year[]; locale: Locale }) {
  const t = figureMessagesFor(locale).years
  return (
    <NumberTable
      heads={[t.year, t.workshops, t.cancelled, t.cities, t.capacity, t.taken, t.registrations, t.returning]}
      rows={years.map((year) => [
        t.yearName(year.year),
        year.workshops,
        year.cancelledWorkshops,
        year.cities,
        year.capacity,
        year.taken,
        year.registrations,
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

/** 83%; of nothing there is no share. */
function shareOf(part: number, whole: number, locale: Locale): string {
  const messages = figureMessagesFor(locale)
  return whole > 0 ? messages.percent(String(Math.round((100 * part) / whole))) : messages.figures.notCounted
}
