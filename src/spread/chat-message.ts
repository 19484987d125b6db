import type { Locale } from '../config.ts'
import type { Campaign } from '../domain/campaigns.ts'
import { seatsLeft, type Workshop } from '../domain/workshops.ts'
import { messagesFor } from '../messages/messages.ts'
import { spreadMessagesFor } from '../messages/spread.ts'
import { pick, when } from '../messages/text.ts'
import { announcementOf, printable } from './announcement.ts'

/**
 * A short message for a chat group, as plain text: the title, a line a workshop with the seats left now, what to bring,
 * and the link on a line of its own, because chats take what follows for a part of it.
 * @param url an absolute address, a registration link as a rule
 */
export function chatMessage(subject: Campaign | Workshop, { url, locale }: { url: string; locale: Locale }): string {
  const { title, workshops, checklist } = announcementOf(subject, locale)
  const { chat: t, listed, labelled } = spreadMessagesFor(locale)
  const bring = checklist.find(({ tag }) => tag === 'bring')
  return [
    title,
    ...workshops.map((workshop) => lineOf(workshop, locale)),
    ...(bring ? [labelled(messagesFor(locale).itemTags.bring, listed(bring.texts))] : []),
    t.register,
    url,
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ')
}

function lineOf(workshop: Workshop, locale: Locale): string {
  const { chat, date } = spreadMessagesFor(locale)
  const t = messagesFor(locale)
  const says = when(workshop, locale)
  const { status } = workshop
  return chat.workshop({
    city: printable(pick(workshop.city, locale)),
    date: date(says),
    time: says.time,
    venue: printable(pick(workshop.venue, locale)),
    seats: status === 'open' ? t.badge.seats(seatsLeft(workshop)) : t.workshopStatuses[status],
  })
}
