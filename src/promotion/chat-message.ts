import type { Campaign } from '../domain/campaigns/campaigns.ts'
import { seatsLeft, type Workshop } from '../domain/workshops/workshops.ts'
import { formatDateRange, localize } from '../i18n/format.ts'
import { promotionMessages } from '../i18n/promotion.ts'
import { publicMessages } from '../i18n/public.ts'
import type { Locale } from '../lib/config.ts'
import { promotionContent, stripControlChars } from './content.ts'

/**
 * Renders a short plain-text message for a chat group: title, one line per workshop with the seats left now, what to
 * bring, and the URL. The URL is on a separate last line, because chat programs extend links to the following text.
 * @param url absolute, usually of a registration link
 */
export function renderChatMessage(
  subject: Campaign | Workshop,
  { url, locale }: { url: string; locale: Locale },
): string {
  const { title, workshops, checklist } = promotionContent(subject, locale)
  const { chat: t, listed, labelled } = promotionMessages(locale)
  const bring = checklist.find(({ tag }) => tag === 'bring')
  return [
    title,
    ...workshops.map((workshop) => workshopLine(workshop, locale)),
    ...(bring ? [labelled(publicMessages(locale).itemTags.bring, listed(bring.texts))] : []),
    t.register,
    url,
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ')
}

function workshopLine(workshop: Workshop, locale: Locale): string {
  const { chat, date } = promotionMessages(locale)
  const t = publicMessages(locale)
  const dates = formatDateRange(workshop, locale)
  const { status } = workshop
  return chat.workshop({
    city: stripControlChars(localize(workshop.city, locale)),
    date: date(dates),
    time: dates.time,
    venue: stripControlChars(localize(workshop.venue, locale)),
    seats: status === 'open' ? t.badge.seats(seatsLeft(workshop)) : t.workshopStatuses[status],
  })
}
