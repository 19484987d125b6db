import { Hono } from 'hono'
import { type Campaign, findPublicCampaign } from '../../domain/campaigns/campaigns.ts'
import type { Workshop } from '../../domain/workshops/workshops.ts'
import type { App } from '../../http/context.ts'
import { paths, withQuery } from '../../http/links.ts'
import { formatDateRange, formatPlace, localize } from '../../i18n/format.ts'
import { publicMessages } from '../../i18n/public.ts'
import type { Locale } from '../../lib/config.ts'
import { errorPage } from './error-page.tsx'
import { SeatsSummary } from './home.tsx'
import { renderPage } from './layout.tsx'
import { Checklist, DateTile, OtherCities } from './workshop-summary.tsx'

export const campaignPages = new Hono<App>()

campaignPages.get('/c/:campaign', async (c) => {
  const { locale } = c.var
  const t = publicMessages(locale).campaign
  const campaign = await findPublicCampaign(c.env.deps, c.req.param('campaign'))
  if (!campaign) return errorPage(c, 404)
  const title = localize(campaign.title, locale)
  const summary = localize(campaign.summary, locale)
  return renderPage(
    c,
    { title, description: summary, scripts: ['seats'] },
    <>
      <h1>{title}</h1>
      {summary && <p class="lead">{summary}</p>}
      <h2>{t.where}</h2>
      {campaign.workshops.length === 0 && <p>{t.none}</p>}
      <ul class="cities">
        {campaign.workshops.map((workshop) => (
          <City campaign={campaign} workshop={workshop} via={c.req.query('via')} locale={locale} />
        ))}
      </ul>
      {campaign.items.length > 0 && (
        <>
          <h2>{t.prepare}</h2>
          <Checklist items={campaign.items} locale={locale} />
        </>
      )}
    </>,
  )
})

function City({
  campaign,
  workshop,
  via,
  locale,
}: {
  campaign: Campaign
  workshop: Workshop
  via: string | undefined
  locale: Locale
}) {
  const t = publicMessages(locale).campaign
  const { slug, status } = workshop
  const { weekday, time, zone } = formatDateRange(workshop, locale)
  const city = localize(workshop.city, locale)
  return (
    <li id={`at-${slug}`} data-live="" data-availability={paths.availability(slug)} data-status={status}>
      <div class="row">
        <DateTile workshop={workshop} locale={locale} />
        <span>
          {formatPlace(workshop, locale)}
          <small>
            {weekday} {time} · {zone}
          </small>
          <SeatsSummary workshop={workshop} locale={locale} />
        </span>
      </div>
      {status !== 'cancelled' && status !== 'over' && (
        <a class={status === 'open' ? 'button' : 'button second'} href={withQuery(paths.workshop(slug), { via })}>
          {status === 'open' ? t.register(city) : status === 'waitlist' ? t.queue(city) : t.look(city)}
        </a>
      )}
      {(status === 'waitlist' || status === 'full') && (
        <OtherCities campaign={campaign} workshop={workshop} via={via} locale={locale} />
      )}
    </li>
  )
}
