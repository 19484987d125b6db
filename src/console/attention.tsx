import type { Context } from 'hono'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import type { Attention, CampaignName, WorkshopName } from '../domain/attention.ts'
import { mayActAs } from '../domain/organisers.ts'
import { paths } from '../links.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { day, moment, pick } from '../messages/text.ts'

/** What needs attention, each line leading to where something can be done about it. */
export function AttentionList({ c, found }: { c: Context<App>; found: Attention[] }) {
  const locale = c.get('locale')
  const role = c.get('role')
  return (
    <ul class="rows attention">
      {found.map((one) => {
        const { href, needs } = wayTo(one)
        const text = sentenceOf(one, locale, c.env.deps.config.timeZone)
        return <li>{role && mayActAs(role, needs) ? <a href={href}>{text}</a> : <span>{text}</span>}</li>
      })}
    </ul>
  )
}

/** 上海 · 12月19日 */
export function nameOfWorkshop(
  { city, startsAt, timeZone }: Pick<WorkshopName, 'city' | 'startsAt' | 'timeZone'>,
  locale: Locale,
): string {
  return figureMessagesFor(locale).pair(pick(city, locale), day(startsAt, timeZone, locale))
}

function wayTo(one: Attention): { href: string; needs: 'viewer' | 'organiser' } {
  switch (one.kind) {
    case 'message_paused':
      return { href: paths.message(one.id), needs: 'organiser' }
    case 'delivery_paused':
    case 'mails_failed':
    case 'mails_waiting':
    case 'mails_held':
      return { href: paths.consoleMails(), needs: 'organiser' }
    case 'group_expired':
      return { href: paths.group(one.workshop.slug), needs: 'organiser' }
    case 'link_expired':
      return {
        href: isCampaign(one.about) ? paths.spreadCampaign(one.about.slug) : paths.spreadWorkshop(one.about.slug),
        needs: 'organiser',
      }
    case 'campaign_unpublished':
      return { href: paths.consoleCampaign(one.campaign.slug), needs: 'viewer' }
    default:
      return { href: paths.consoleWorkshop(one.workshop.slug), needs: 'viewer' }
  }
}

function sentenceOf(one: Attention, locale: Locale, timeZone: string): string {
  const t = figureMessagesFor(locale).attention
  const name = (workshop: WorkshopName) => nameOfWorkshop(workshop, locale)
  switch (one.kind) {
    case 'delivery_paused':
      return t.delivery_paused(one.count, moment(one.since, timeZone, locale))
    case 'message_paused':
      return t.message_paused(one.count, one.subject)
    case 'mails_failed':
      return t.mails_failed(one.count, name(one.workshop))
    case 'mails_waiting':
      return t.mails_waiting(one.count, moment(one.since, timeZone, locale))
    case 'mails_held':
      return t.mails_held(one.count)
    case 'group_expired':
      return t.group_expired(name(one.workshop), moment(one.expiresAt, one.workshop.timeZone, locale), one.already)
    case 'link_expired':
      return t.link_expired(one.channel, isCampaign(one.about) ? pick(one.about.title, locale) : name(one.about))
    case 'same_lead':
      return t.same_lead(one.lead, name(one.workshop), name(one.other))
    case 'waiting_while_closed':
      return t.waiting_while_closed(name(one.workshop), one.waitlisted, one.free)
    case 'too_few_boards':
      return t.too_few_boards(name(one.workshop), one.capacity, one.boards)
    case 'campaign_unpublished':
      return t.campaign_unpublished(name(one.workshop), pick(one.campaign.title, locale))
    default:
      return t[one.kind](name(one.workshop))
  }
}

function isCampaign(about: WorkshopName | CampaignName): about is CampaignName {
  return 'title' in about
}
