import { type Context, Hono } from 'hono'
import { countAttendance } from '../../../domain/attendance/attendance.ts'
import { feedbackResults } from '../../../domain/attendance/feedback.ts'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { type Alert, listAlerts } from '../../../domain/reports/alerts.ts'
import {
  type ChannelStats,
  computeStatistics,
  type Statistics,
  type StatsScope,
  type TimeSeries,
} from '../../../domain/reports/statistics.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDay, formatMonth, formatNumber, localize } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { AttendanceSummary } from '../attendance/attendance.tsx'
import { FeedbackResults } from '../attendance/feedback.tsx'
import { consolePage } from '../layout.tsx'
import { BarChart, ColumnChart, Figure, NumberTable } from '../ui/charts.tsx'
import { AlertList, cityAndDayLabel } from './alerts.tsx'

/** What is counted of a campaign and of a workshop, for everyone who is signed in. */
export const statisticsPages = new Hono<App>()

statisticsPages.get('/console/campaigns/:slug/figures', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const { workshops, id: campaignId, title, slug } = campaign
  const scope: StatsScope = { workshops, campaignId, timeZone: deps.config.timeZone }
  return statisticsPage(c, scope, { name: localize(title, c.get('locale')), href: paths.consoleCampaign(slug) })
})

statisticsPages.get('/console/workshops/:slug/figures', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const scope: StatsScope = { workshops: [workshop], timeZone: workshop.timeZone }
  const name = cityAndDayLabel(workshop, c.get('locale'))
  return statisticsPage(c, scope, { name, href: paths.consoleWorkshop(workshop.slug) })
})

async function statisticsPage(c: Context<App>, scope: StatsScope, subject: { name: string; href: string }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = reportMessages(locale).figures
  const [stats, alerts] = await Promise.all([computeStatistics(deps, scope), listAlerts(deps, scope)])
  const [firstWorkshop, ...others] = scope.workshops
  const hasStarted =
    firstWorkshop && others.length === 0 && firstWorkshop.state !== 'cancelled' && deps.now() >= firstWorkshop.startsAt
  const postEvent =
    hasStarted && (await Promise.all([countAttendance(deps, firstWorkshop), feedbackResults(deps, firstWorkshop)]))
  return consolePage(
    c,
    { title: t.title(subject.name), section: 'campaigns', back: { href: subject.href, text: subject.name } },
    <>
      <h1>{t.title(subject.name)}</h1>
      <KeyStats figures={stats} locale={locale} />
      <AlertSection c={c} found={alerts} />
      {scope.workshops.length > 1 && <WorkshopTable workshops={scope.workshops} locale={locale} />}
      <RegistrationsOverTime overTime={stats.overTime} locale={locale} />
      <ChannelChart channels={stats.channels} now={deps.now()} locale={locale} />
      <FunnelChart figures={stats} locale={locale} />
      <ReadinessSection figures={stats} locale={locale} />
      {postEvent && (
        <>
          <h2>{postEventMessages(locale).attendance.title}</h2>
          <AttendanceSummary attendance={postEvent[0]} locale={locale} />
          <FeedbackResults
            results={postEvent[1]}
            came={postEvent[0].came}
            workshop={firstWorkshop}
            withTexts={false}
            locale={locale}
          />
        </>
      )}
      <MailStats figures={stats} locale={locale} />
    </>,
  )
}

function AlertSection({ c, found: alerts }: { c: Context<App>; found: Alert[] }) {
  if (alerts.length === 0) return null
  return (
    <>
      <h2>{reportMessages(c.get('locale')).figures.attention}</h2>
      <AlertList c={c} found={alerts} />
    </>
  )
}

/** The numbers before the charts. */
export function KeyStats({
  figures: { seats, registrations },
  locale,
}: {
  figures: Pick<Statistics, 'seats' | 'registrations'>
  locale: Locale
}) {
  const t = reportMessages(locale).figures
  const totals: [number, string][] = [
    [seats.taken, t.taken],
    [seats.capacity - seats.taken, t.left],
    [seats.capacity, t.seats],
    [seats.waitlisted, t.waitlisted],
    [registrations.all, t.registrations],
    [registrations.cancelled, t.cancelled],
  ]
  return (
    <ul class="numbers">
      {totals.map(([n, label]) => (
        <li>
          <b>{formatNumber(n)}</b>
          <small>{label}</small>
        </li>
      ))}
    </ul>
  )
}

function WorkshopTable({ workshops, locale }: { workshops: Workshop[]; locale: Locale }) {
  const t = reportMessages(locale).figures
  return (
    <>
      <h2>{t.workshopsHeading}</h2>
      <NumberTable
        heads={[t.workshop, t.taken, t.seats, t.waitlisted]}
        rows={workshops.map((workshop) => [
          <a href={paths.workshopStats(workshop.slug)}>{cityAndDayLabel(workshop, locale)}</a>,
          workshop.taken,
          workshop.capacity,
          workshop.waitlisted,
        ])}
      />
    </>
  )
}

/** When people signed up. */
export function RegistrationsOverTime({ overTime, locale }: { overTime: TimeSeries; locale: Locale }) {
  const t = reportMessages(locale).figures
  const { unit, points } = overTime
  const shortLabel = (from: string) =>
    unit === 'month' ? formatMonth(new Date(from), 'UTC', locale) : formatDay(new Date(from), 'UTC', locale)
  const fullLabel = (from: string) => (unit === 'week' ? t.weekOf(shortLabel(from)) : shortLabel(from))
  const total = points.reduce((sum, { registrations }) => sum + registrations, 0)
  const peak = points.reduce(
    (a, b) => (b.registrations > a.registrations ? b : a),
    points[0] as TimeSeries['points'][0],
  )
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
              fullLabel(from),
              registrations,
              registrations - cancelled,
              cancelled,
            ]),
          }}
        >
          <ColumnChart
            id="over-time"
            title={t.overTime}
            description={t.overTimeSaid(
              total,
              shortLabel(first.from),
              shortLabel(last.from),
              peak.registrations,
              fullLabel(peak.from),
            )}
            bars={points.map(({ from, registrations, cancelled }) => ({
              name: fullLabel(from),
              label: shortLabel(from),
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
export function ChannelChart({ channels, now, locale }: { channels: ChannelStats[]; now: Date; locale: Locale }) {
  const t = reportMessages(locale).figures
  const pair = reportMessages(locale).pair
  if (channels.length === 0) return null
  const channelName = ({ link }: ChannelStats) => {
    if (!link) return t.direct
    const state = !link.active ? t.off : link.expiresAt && link.expiresAt <= now ? t.expired : undefined
    return state ? pair(link.channel, state) : link.channel
  }
  const bars = channels
    .slice(0, maxChannels)
    .map((channel) => ({ name: channelName(channel), n: channel.registrations }))
  const rest = channels.slice(maxChannels)
  if (rest.length > 0) {
    bars.push({ name: t.others(rest.length), n: rest.reduce((sum, { registrations }) => sum + registrations, 0) })
  }
  const total = channels.reduce((sum, { registrations }) => sum + registrations, 0)
  return (
    <>
      <h2>{t.channels}</h2>
      <Figure
        open={t.numbers}
        numbers={{
          heads: [t.channel, t.scans, t.all, t.seated],
          rows: channels.map((channel) => [
            channel.link ? pair(channelName(channel), channel.link.code) : channelName(channel),
            channel.scans ?? t.notCounted,
            channel.registrations,
            channel.seated,
          ]),
        }}
      >
        <BarChart
          id="channels"
          title={t.channels}
          description={t.channelsSaid(bars[0]?.name ?? '', bars[0]?.n ?? 0)}
          rows={bars.map(({ name, n }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            said: total > 0 ? pair(formatNumber(n), formatShare(n, total, locale)) : formatNumber(n),
          }))}
        />
        {channels.some(({ link, scans }) => link && scans === null) && <p class="hint">{t.scansElsewhere}</p>}
      </Figure>
    </>
  )
}

/** More are in the table only. */
const maxChannels = 8

function FunnelChart({ figures: { funnel }, locale }: { figures: Statistics; locale: Locale }) {
  const t = reportMessages(locale).figures
  if (!funnel) return null
  const steps = (['scans', 'registrations', 'seated'] as const).map((step, index, all) => {
    const before = all[index - 1]
    const share = before ? formatShare(funnel[step], funnel[before], locale) : undefined
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
        <BarChart
          id="funnel"
          title={t.funnel}
          description={t.funnelSaid(funnel.scans, funnel.registrations, funnel.seated)}
          centred
          rows={steps.map(({ name, n, share }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            said: share ? reportMessages(locale).pair(formatNumber(n), share) : formatNumber(n),
          }))}
        />
      </Figure>
    </>
  )
}

function ReadinessSection({ figures: { readiness }, locale }: { figures: Statistics; locale: Locale }) {
  const t = reportMessages(locale).figures
  if (readiness.length === 0) return null
  return (
    <>
      <h2>{t.readiness}</h2>
      <ReadinessChart answers={readiness} caption={t.readinessNote} locale={locale} />
    </>
  )
}

/** What was answered to each item, as bars with their numbers. */
export function ReadinessChart({
  answers,
  caption,
  locale,
}: {
  answers: Statistics['readiness']
  caption?: string
  locale: Locale
}) {
  const t = reportMessages(locale).figures
  const items = answers.map(({ item, ...counts }) => ({
    ...counts,
    name: localize(item.text, locale),
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
      <BarChart
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
          said: reportMessages(locale).pair(
            `${formatNumber(ready)} / ${formatNumber(all)}`,
            formatShare(ready, all, locale),
          ),
        }))}
      />
    </Figure>
  )
}

function MailStats({ figures: { mails }, locale }: { figures: Statistics; locale: Locale }) {
  const t = reportMessages(locale).figures
  return (
    <>
      <h2>{t.mails}</h2>
      {mails.length === 0 ? (
        <p>{t.noMails}</p>
      ) : (
        <NumberTable
          heads={[t.mail, t.sent, t.owed, t.failed, t.pointless]}
          rows={mails.map(({ kind, sent, queued, failed, obsolete }) => [
            consoleMessages(locale).mailKinds[kind],
            sent,
            queued,
            failed > 0 ? <strong class="warning">{formatNumber(failed)}</strong> : 0,
            obsolete,
          ])}
        />
      )}
    </>
  )
}

/** 83%; of nothing there is no share. */
export function formatShare(part: number, whole: number, locale: Locale): string {
  const statsMessages = reportMessages(locale)
  return whole > 0 ? statsMessages.percent(String(Math.round((100 * part) / whole))) : statsMessages.figures.notCounted
}
