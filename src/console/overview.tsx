import { type Context, Hono } from 'hono'
import type { App } from '../context.ts'
import { needsAttention } from '../domain/attention.ts'
import { hasCampaigns } from '../domain/campaigns.ts'
import { countRegistrations, type Figures, seatsOf } from '../domain/figures.ts'
import { mayActAs } from '../domain/organisers.ts'
import { dateIn } from '../domain/time-zones.ts'
import { listWorkshops, type Workshop } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { AttentionList } from './attention.tsx'
import { Channels, KeyNumbers, Progress } from './figures.tsx'
import { consolePage } from './layout.tsx'

/** What answers at a glance: what needs attention, what is next, how it goes. */
export const overviewPages = new Hono<App>()

overviewPages.get('/console', async (c) => {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).overview
  const view = { title: t.title, section: 'overview' as const }
  const [{ items: coming }, attention] = await Promise.all([
    listWorkshops(deps, { drafts: true, limit: 100 }),
    needsAttention(deps),
  ])
  if (coming.length === 0 && (await isEmpty(c))) {
    return consolePage(
      c,
      view,
      <>
        <h1>{t.emptyTitle}</h1>
        <p class="lead">{t.empty}</p>
        <Beginnings c={c} />
        {attention.length > 0 && <h2>{t.attention}</h2>}
        <AttentionList c={c} found={attention} />
      </>,
    )
  }
  const announced = coming.filter(({ state }) => state === 'published' || state === 'closed')
  const counted = await countRegistrations(deps, { workshops: announced, timeZone: deps.config.timeZone })
  return consolePage(
    c,
    view,
    <>
      <h1>{t.title}</h1>
      <h2>{t.attention}</h2>
      {attention.length > 0 ? <AttentionList c={c} found={attention} /> : <p>{t.allWell}</p>}
      <h2>{t.next}</h2>
      {coming.length > 0 ? <Next c={c} workshops={coming} /> : <p>{t.none}</p>}
      {coming.length === 0 && <Beginnings c={c} />}
      {announced.length > 0 && <Going c={c} figures={{ seats: seatsOf(announced), ...counted }} />}
    </>,
  )
})

async function isEmpty(c: Context<App>): Promise<boolean> {
  const { deps } = c.env
  const [hasCampaign, over] = await Promise.all([
    hasCampaigns(deps),
    listWorkshops(deps, { drafts: true, status: 'over', limit: 1 }),
  ])
  return !hasCampaign && over.items.length === 0
}

/** The two ways to a campaign, for those who may make one. */
function Beginnings({ c }: { c: Context<App> }) {
  const t = figureMessagesFor(c.get('locale')).overview
  const role = c.get('role')
  if (!role || !mayActAs(role, 'organiser')) return null
  return (
    <p class="actions">
      <a class="button" href={paths.draft()}>
        {t.paste}
      </a>
      <a class="button second" href={paths.newCampaign()}>
        {t.create}
      </a>
    </p>
  )
}

/** The workshops that are not over, each with its seats. */
function Next({ c, workshops }: { c: Context<App>; workshops: Workshop[] }) {
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).overview
  const { workshopStatuses } = messagesFor(locale)
  return (
    <ul class="rows">
      {workshops.slice(0, mostNext).map((workshop) => {
        const { fullDate, time } = when(workshop, locale)
        const { taken, capacity, waitlisted, state, status } = workshop
        return (
          <li>
            <span>
              <a href={paths.consoleWorkshop(workshop.slug)}>
                {placeOf(workshop, locale) || pick(workshop.title, locale)}
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
            {isToday(workshop, c) && (
              <a href={paths.consoleDoor(workshop.slug)}>{doorMessagesFor(locale).console.title}</a>
            )}
            <a href={paths.workshopFigures(workshop.slug)}>{t.figures}</a>
          </li>
        )
      })}
    </ul>
  )
}

/** Whether organisers look at the door now: it is the day, for those who may see who comes. */
function isToday({ startsAt, endsAt, timeZone, state }: Workshop, c: Context<App>): boolean {
  const [role, today] = [c.get('role'), dateIn(c.env.deps.now(), timeZone)]
  const onTheDay = dateIn(startsAt, timeZone) <= today && today <= dateIn(endsAt, timeZone)
  return onTheDay && state !== 'draft' && role !== undefined && mayActAs(role, 'organiser')
}

/** The others are found with their campaigns. */
const mostNext = 12

type GoingFigures = Pick<Figures, 'seats' | 'registrations' | 'overTime' | 'channels'>

function Going({ c, figures }: { c: Context<App>; figures: GoingFigures }) {
  const locale = c.get('locale')
  return (
    <>
      <h2>{figureMessagesFor(locale).overview.comingFigures}</h2>
      <KeyNumbers figures={figures} locale={locale} />
      <Progress overTime={figures.overTime} locale={locale} />
      <Channels channels={figures.channels} now={c.env.deps.now()} locale={locale} />
    </>
  )
}
