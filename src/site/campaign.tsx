import { Hono } from 'hono'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import { type Campaign, findPublicCampaign } from '../domain/campaigns.ts'
import type { Workshop } from '../domain/workshops.ts'
import { paths, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { errorPage } from './error-page.tsx'
import { Checklist, Day, Elsewhere } from './facts.tsx'
import { SeatsInShort } from './home.tsx'
import { page } from './layout.tsx'

/** One announcement: its cities with the seats left in each. */
export const campaignPages = new Hono<App>()

campaignPages.get('/c/:campaign', async (c) => {
  const { locale } = c.var
  const t = messagesFor(locale).campaign
  const campaign = await findPublicCampaign(c.env.deps, c.req.param('campaign'))
  if (!campaign) return errorPage(c, 404)
  const title = pick(campaign.title, locale)
  const summary = pick(campaign.summary, locale)
  return page(
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
  const t = messagesFor(locale).campaign
  const { slug, status } = workshop
  const { weekday, time, zone } = when(workshop, locale)
  const city = pick(workshop.city, locale)
  return (
    <li id={`at-${slug}`} data-live="" data-availability={paths.availability(slug)} data-status={status}>
      <div class="row">
        <Day workshop={workshop} locale={locale} />
        <span>
          {placeOf(workshop, locale)}
          <small>
            {weekday} {time} · {zone}
          </small>
          <SeatsInShort workshop={workshop} locale={locale} />
        </span>
      </div>
      {status !== 'cancelled' && status !== 'over' && (
        <a class={status === 'open' ? 'button' : 'button second'} href={withQuery(paths.workshop(slug), { via })}>
          {status === 'open' ? t.register(city) : status === 'waitlist' ? t.queue(city) : t.look(city)}
        </a>
      )}
      {(status === 'waitlist' || status === 'full') && (
        <Elsewhere campaign={campaign} than={workshop} via={via} locale={locale} />
      )}
    </li>
  )
}
