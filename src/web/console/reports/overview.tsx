import { type Context, Hono } from 'hono'
import { hasCampaigns } from '../../../domain/campaigns/campaigns.ts'
import { hasRole } from '../../../domain/organisers/organisers.ts'
import { listAlerts } from '../../../domain/reports/alerts.ts'
import { countRegistrations, type Statistics, sumSeats } from '../../../domain/reports/statistics.ts'
import { listWorkshops, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { doorMessages } from '../../../i18n/door.ts'
import { formatDateRange, formatPlace, localize } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import { localDate } from '../../../lib/time-zones.ts'
import { consolePage } from '../layout.tsx'
import { ChannelChart, KeyStats, RegistrationsOverTime } from '../ui/statistics-charts.tsx'
import { AlertList } from './alerts.tsx'

/** The console's start page: alerts, upcoming workshops, their statistics. */
export const overviewPages = new Hono<App>()

overviewPages.get('/console', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = reportMessages(locale).overview
  const options = { title: t.title, section: 'overview' as const }
  const [{ items: upcoming }, alerts] = await Promise.all([
    listWorkshops(deps, { drafts: true, limit: 100 }),
    listAlerts(deps),
  ])
  if (upcoming.length === 0 && (await hasNothingYet(c))) {
    return consolePage(
      c,
      options,
      <>
        <h1>{t.emptyTitle}</h1>
        <p class="lead">{t.empty}</p>
        <GettingStarted c={c} />
        {alerts.length > 0 && <h2>{t.attention}</h2>}
        <AlertList c={c} alerts={alerts} />
      </>,
    )
  }
  const announced = upcoming.filter(({ state }) => state === 'published' || state === 'closed')
  const counts = await countRegistrations(deps, { workshops: announced, timeZone: deps.config.timeZone })
  return consolePage(
    c,
    options,
    <>
      <h1>{t.title}</h1>
      <h2>{t.attention}</h2>
      {alerts.length > 0 ? <AlertList c={c} alerts={alerts} /> : <p>{t.allWell}</p>}
      <h2>{t.next}</h2>
      {upcoming.length > 0 ? <UpcomingList c={c} workshops={upcoming} /> : <p>{t.none}</p>}
      {upcoming.length === 0 && <GettingStarted c={c} />}
      {announced.length > 0 && <UpcomingStats c={c} stats={{ seats: sumSeats(announced), ...counts }} />}
    </>,
  )
})

async function hasNothingYet(c: Context<App>): Promise<boolean> {
  const { deps } = c.env
  const [hasCampaign, past] = await Promise.all([
    hasCampaigns(deps),
    listWorkshops(deps, { drafts: true, status: 'over', limit: 1 }),
  ])
  return !hasCampaign && past.items.length === 0
}

/** Buttons that create a campaign, for organisers. */
function GettingStarted({ c }: { c: Context<App> }) {
  const t = reportMessages(c.get('locale')).overview
  const role = c.get('role')
  if (!role || !hasRole(role, 'organiser')) return null
  return (
    <p class="actions">
      <a class="button" href={paths.importAnnouncement()}>
        {t.paste}
      </a>
      <a class="button second" href={paths.newCampaign()}>
        {t.create}
      </a>
    </p>
  )
}

function UpcomingList({ c, workshops }: { c: Context<App>; workshops: Workshop[] }) {
  const locale = c.get('locale')
  const t = reportMessages(locale).overview
  const { workshopStatuses } = publicMessages(locale)
  return (
    <ul class="rows">
      {workshops.slice(0, maxUpcoming).map((workshop) => {
        const { fullDate, time } = formatDateRange(workshop, locale)
        const { taken, capacity, waitlisted, state, status } = workshop
        return (
          <li>
            <span>
              <a href={paths.consoleWorkshop(workshop.slug)}>
                {formatPlace(workshop, locale) || localize(workshop.title, locale)}
              </a>
              <span class={`mark ${state === 'draft' || status === 'cancelled' ? 'off' : ''}`}>
                {state === 'draft' ? t.draft : workshopStatuses[status]}
              </span>
              <small>{`${fullDate} ${time}`}</small>
            </span>
            <span class="so-far">
              <svg class="chart" width="120" height="8" role="img" aria-label={t.seatsSaid(taken, capacity)}>
                <rect class="track" width="120" height="8" rx="2" />
                {taken > 0 && <rect class="accent" width={Math.max(2, (120 * taken) / capacity)} height="8" rx="2" />}
              </svg>
              <b aria-hidden="true">{t.seatsOf(taken, capacity)}</b>
              {waitlisted > 0 && <small>{t.waiting(waitlisted)}</small>}
            </span>
            {isDoorDay(workshop, c) && (
              <a href={paths.consoleDoor(workshop.slug)}>{doorMessages(locale).console.title}</a>
            )}
            <a href={paths.workshopStats(workshop.slug)}>{t.figures}</a>
          </li>
        )
      })}
    </ul>
  )
}

/** Whether to link to the door: on the days of the workshop, for organisers. */
function isDoorDay({ startsAt, endsAt, timeZone, state }: Workshop, c: Context<App>): boolean {
  const [role, today] = [c.get('role'), localDate(c.env.deps.now(), timeZone)]
  const isWithinDates = localDate(startsAt, timeZone) <= today && today <= localDate(endsAt, timeZone)
  return isWithinDates && state !== 'draft' && role !== undefined && hasRole(role, 'organiser')
}

/** Further ones are found through their campaigns. */
const maxUpcoming = 12

type UpcomingStatsData = Pick<Statistics, 'seats' | 'registrations' | 'overTime' | 'channels'>

function UpcomingStats({ c, stats }: { c: Context<App>; stats: UpcomingStatsData }) {
  const locale = c.get('locale')
  return (
    <>
      <h2>{reportMessages(locale).overview.comingFigures}</h2>
      <KeyStats stats={stats} locale={locale} />
      <RegistrationsOverTime overTime={stats.overTime} locale={locale} />
      <ChannelChart channels={stats.channels} now={c.env.deps.now()} locale={locale} />
    </>
  )
}
