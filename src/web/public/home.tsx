import { Hono } from 'hono'
import type { Deps } from '../../domain/deps.ts'
import { listWorkshops, seatsLeft, type Workshop } from '../../domain/workshops/workshops.ts'
import { workshopCalendar } from '../../email/calendar.ts'
import type { App } from '../../http/context.ts'
import { paths, withQuery } from '../../http/links.ts'
import { formatDateRange, formatPlace, localize } from '../../i18n/format.ts'
import { publicMessages } from '../../i18n/public.ts'
import type { Locale } from '../../lib/config.ts'
import { isWeChat, renderPage } from './layout.tsx'
import { DateTile, statusTones } from './workshop-summary.tsx'

/** Upcoming workshops, as a page and as a calendar feed. */
export const homePages = new Hono<App>()

homePages.get('/', async (c) => {
  const { locale } = c.var
  const t = publicMessages(locale).home
  const { items, next } = await listUpcoming(c.env.deps, c.req.query('cursor'))
  const campaigns = groupByCampaign(items.filter(({ status }) => status !== 'cancelled'))
  return renderPage(
    c,
    { title: t.title, description: t.description, back: 'none' },
    <>
      <h1>{t.title}</h1>
      {campaigns.length === 0 && (
        <p class="lead">
          {t.none}
          <br />
          {t.noneHint} <a href={paths.findTickets()}>{publicMessages(locale).footer.find}</a>
        </p>
      )}
      {campaigns.map((workshops) => (
        <CampaignSection workshops={workshops} locale={locale} />
      ))}
      {next && (
        <p>
          <a class="button" href={withQuery(paths.home(), { cursor: next })}>
            {t.more}
          </a>
        </p>
      )}
      {!isWeChat(c) && (
        <p class="note">
          <a href={paths.calendar()}>{t.subscribe}</a>
        </p>
      )}
    </>,
  )
})

homePages.get('/calendar.ics', async (c) => {
  const { deps } = c.env
  const { locale } = c.var
  const calendar = await deps.cache(`calendar ${locale}`, async () => {
    const { items } = await listWorkshops(deps, { limit: 500 })
    return workshopCalendar(items, deps.config.baseUrl, locale, deps.now())
  })
  return c.body(calendar, 200, {
    'Content-Type': 'text/calendar; charset=utf-8',
    'Content-Disposition': 'inline; filename="workshops.ics"',
    'Cache-Control': 'public, max-age=60',
    Vary: 'Accept-Language, Cookie',
  })
})

/** Caches the first page only; the others are rarely requested. */
function listUpcoming(deps: Deps, cursor: string | undefined): ReturnType<typeof listWorkshops> {
  return cursor ? listWorkshops(deps, { cursor }) : deps.cache('upcoming', () => listWorkshops(deps, {}))
}

/** Groups workshops by campaign, in the order of the first workshop of each. */
function groupByCampaign(workshops: Workshop[]): Workshop[][] {
  const groups = new Map<string, Workshop[]>()
  for (const workshop of workshops) {
    const group = workshop.campaignId ?? workshop.id
    groups.set(group, [...(groups.get(group) ?? []), workshop])
  }
  return [...groups.values()]
}

function CampaignSection({ workshops, locale }: { workshops: Workshop[]; locale: Locale }) {
  const [{ campaign, title } = {} as Workshop] = workshops
  return (
    <section>
      <h2>
        {campaign && campaign.state !== 'draft' ? (
          <a href={paths.campaign(campaign.slug)}>{localize(campaign.title, locale)}</a>
        ) : (
          localize(title, locale)
        )}
      </h2>
      <ul class="list">
        {workshops.map((workshop) => (
          <li>
            <WorkshopRow workshop={workshop} locale={locale} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function WorkshopRow({ workshop, locale }: { workshop: Workshop; locale: Locale }) {
  const { weekday, time } = formatDateRange(workshop, locale)
  return (
    <a class="row" href={paths.workshop(workshop.slug)}>
      <DateTile workshop={workshop} locale={locale} />
      <span>
        {formatPlace(workshop, locale)}
        <small>
          {weekday} {time}
        </small>
        <SeatsSummary workshop={workshop} locale={locale} />
      </span>
    </a>
  )
}

/** E.g. 还有 12 个名额 or 已满，可候补. */
export function SeatsSummary({ workshop, locale }: { workshop: Workshop; locale: Locale }) {
  const t = publicMessages(locale)
  const { before, after } = t.workshop.seatsShort
  if (workshop.status !== 'open') {
    return <span class={`state ${statusTones[workshop.status]}`}>{t.workshopStatuses[workshop.status]}</span>
  }
  return (
    <span class="state">
      {before}
      <b data-seats-left="">{seatsLeft(workshop)}</b>
      {after}
    </span>
  )
}
