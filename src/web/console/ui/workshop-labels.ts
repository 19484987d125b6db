import type { Context } from 'hono'
import type { BoardWorkshop } from '../../../domain/boards/inventory.ts'
import type { WorkshopRef } from '../../../domain/reports/alerts.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateRange, formatDay, formatPlace, localize } from '../../../i18n/format.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { localDate } from '../../../lib/time-zones.ts'

/** "2026年12月19日 周六 09:30 – 17:00" */
export function dateLabel(workshop: Workshop, c: Context<App>): string {
  const { fullDate, time } = formatDateRange(workshop, c.get('locale'))
  return `${fullDate} ${time}`
}

/** "上海 2026-12-19" */
export function workshopLabel({ city, startsAt, timeZone }: Workshop, c: Context<App>): string {
  return `${localize(city, c.var.locale)} ${localDate(startsAt, timeZone)}`
}

/** "上海 · 12月19日" */
export function cityAndDayLabel(
  { city, startsAt, timeZone }: Pick<WorkshopRef, 'city' | 'startsAt' | 'timeZone'>,
  locale: Locale,
): string {
  return reportMessages(locale).pair(localize(city, locale), formatDay(startsAt, timeZone, locale))
}

/** "上海 12月19日" */
export function eventLabel({ city, startsAt, timeZone }: BoardWorkshop, c: Context<App>): string {
  return [localize(city, c.var.locale), formatDay(startsAt, timeZone, c.var.locale)].filter(Boolean).join(' ')
}

/** Link above the title of a workshop's pages: to its campaign, or with `toWorkshop` to the workshop. */
export function workshopBackLink(workshop: Workshop, c: Context<App>, toWorkshop = false) {
  const locale = c.get('locale')
  if (toWorkshop || !workshop.campaign) {
    return toWorkshop
      ? { href: paths.consoleWorkshop(workshop.slug), text: formatPlace(workshop, locale) }
      : { href: paths.consoleCampaigns(), text: consoleMessages(locale).campaigns.title }
  }
  return { href: paths.consoleCampaign(workshop.campaign.slug), text: localize(workshop.campaign.title, locale) }
}
