import { type Context, Hono } from 'hono'
import { countAttendance } from '../../../domain/attendance/attendance.ts'
import { feedbackResults } from '../../../domain/attendance/feedback.ts'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { type Alert, listAlerts } from '../../../domain/reports/alerts.ts'
import { computeStatistics, type Statistics, type StatsScope } from '../../../domain/reports/statistics.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatNumber, localize } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { AttendanceSummary } from '../attendance/attendance-summary.tsx'
import { FeedbackResults } from '../attendance/feedback-results.tsx'
import { consolePage } from '../layout.tsx'
import { BarChart, Figure } from '../ui/charts.tsx'
import { formatShare, NumberTable } from '../ui/numbers.tsx'
import { ChannelChart, KeyStats, ReadinessChart, RegistrationsOverTime } from '../ui/statistics-charts.tsx'
import { cityAndDayLabel } from '../ui/workshop-labels.ts'
import { AlertList } from './alerts.tsx'

/** Statistics of a campaign or workshop, for every role. */
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
      <KeyStats stats={stats} locale={locale} />
      <AlertSection c={c} alerts={alerts} />
      {scope.workshops.length > 1 && <WorkshopTable workshops={scope.workshops} locale={locale} />}
      <RegistrationsOverTime overTime={stats.overTime} locale={locale} />
      <ChannelChart channels={stats.channels} now={deps.now()} locale={locale} />
      <FunnelChart stats={stats} locale={locale} />
      <ReadinessSection stats={stats} locale={locale} />
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
      <MailStats stats={stats} locale={locale} />
    </>,
  )
}

function AlertSection({ c, alerts }: { c: Context<App>; alerts: Alert[] }) {
  if (alerts.length === 0) return null
  return (
    <>
      <h2>{reportMessages(c.get('locale')).figures.attention}</h2>
      <AlertList c={c} alerts={alerts} />
    </>
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

function FunnelChart({ stats: { funnel }, locale }: { stats: Statistics; locale: Locale }) {
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
        tableLabel={t.numbers}
        table={{
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
            valueText: share ? reportMessages(locale).pair(formatNumber(n), share) : formatNumber(n),
          }))}
        />
      </Figure>
    </>
  )
}

function ReadinessSection({ stats: { readiness }, locale }: { stats: Statistics; locale: Locale }) {
  const t = reportMessages(locale).figures
  if (readiness.length === 0) return null
  return (
    <>
      <h2>{t.readiness}</h2>
      <ReadinessChart answers={readiness} caption={t.readinessNote} locale={locale} />
    </>
  )
}

function MailStats({ stats: { mails }, locale }: { stats: Statistics; locale: Locale }) {
  const t = reportMessages(locale).figures
  return (
    <>
      <h2>{t.mails}</h2>
      {mails.length === 0 ? (
        <p>{t.noMails}</p>
      ) : (
        <NumberTable
          heads={[t.mail, t.sent, t.queued, t.failed, t.pointless]}
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
