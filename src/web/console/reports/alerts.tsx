import type { Context } from 'hono'
import { hasRole } from '../../../domain/organisers/organisers.ts'
import type { Alert, CampaignRef, WorkshopRef } from '../../../domain/reports/alerts.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { formatDateTime, localize } from '../../../i18n/format.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { cityAndDayLabel } from '../ui/workshop-labels.ts'

/** Alerts, each with a link to the page where it can be resolved, if the role may open it. */
export function AlertList({ c, alerts }: { c: Context<App>; alerts: Alert[] }) {
  const locale = c.get('locale')
  const role = c.get('role')
  return (
    <ul class="rows attention">
      {alerts.map((alert) => {
        const { href, needs } = alertLink(alert)
        const text = alertText(alert, locale, c.env.deps.config.timeZone)
        return <li>{role && hasRole(role, needs) ? <a href={href}>{text}</a> : <span>{text}</span>}</li>
      })}
    </ul>
  )
}

function alertLink(alert: Alert): { href: string; needs: 'viewer' | 'organiser' } {
  switch (alert.kind) {
    case 'message_paused':
      return { href: paths.broadcast(alert.id), needs: 'organiser' }
    case 'delivery_paused':
    case 'mails_failed':
    case 'mails_waiting':
    case 'mails_held':
      return { href: paths.consoleMails(), needs: 'organiser' }
    case 'group_expired':
      return { href: paths.chatGroup(alert.workshop.slug), needs: 'organiser' }
    case 'link_expired':
      return {
        href: isCampaignName(alert.about)
          ? paths.campaignPromotion(alert.about.slug)
          : paths.workshopPromotion(alert.about.slug),
        needs: 'organiser',
      }
    case 'campaign_unpublished':
      return { href: paths.consoleCampaign(alert.campaign.slug), needs: 'viewer' }
    default:
      return { href: paths.consoleWorkshop(alert.workshop.slug), needs: 'viewer' }
  }
}

function alertText(alert: Alert, locale: Locale, timeZone: string): string {
  const t = reportMessages(locale).attention
  const workshopName = (workshop: WorkshopRef) => cityAndDayLabel(workshop, locale)
  switch (alert.kind) {
    case 'delivery_paused':
      return t.delivery_paused(alert.count, formatDateTime(alert.since, timeZone, locale))
    case 'message_paused':
      return t.message_paused(alert.count, alert.subject)
    case 'mails_failed':
      return t.mails_failed(alert.count, workshopName(alert.workshop))
    case 'mails_waiting':
      return t.mails_waiting(alert.count, formatDateTime(alert.since, timeZone, locale))
    case 'mails_held':
      return t.mails_held(alert.count)
    case 'group_expired':
      return t.group_expired(
        workshopName(alert.workshop),
        formatDateTime(alert.expiresAt, alert.workshop.timeZone, locale),
        alert.isExpired,
      )
    case 'link_expired':
      return t.link_expired(
        alert.channel,
        isCampaignName(alert.about) ? localize(alert.about.title, locale) : workshopName(alert.about),
      )
    case 'same_lead':
      return t.same_lead(alert.lead, workshopName(alert.workshop), workshopName(alert.other))
    case 'waiting_while_closed':
      return t.waiting_while_closed(workshopName(alert.workshop), alert.waitlisted, alert.free)
    case 'too_few_boards':
      return t.too_few_boards(workshopName(alert.workshop), alert.capacity, alert.boards)
    case 'campaign_unpublished':
      return t.campaign_unpublished(workshopName(alert.workshop), localize(alert.campaign.title, locale))
    default:
      return t[alert.kind](workshopName(alert.workshop))
  }
}

function isCampaignName(subject: WorkshopRef | CampaignRef): subject is CampaignRef {
  return 'title' in subject
}
