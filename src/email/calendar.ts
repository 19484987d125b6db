import ical, { ICalAlarmType, ICalCalendarMethod, type ICalEventData, ICalEventStatus } from 'ical-generator'
import type { Registration } from '../domain/registrations/registrations.ts'
import type { Workshop } from '../domain/workshops/workshops.ts'
import { absoluteUrl, paths } from '../http/links.ts'
import { joinLocalized, localize } from '../i18n/format.ts'
import { itemTag } from '../i18n/item-tags.ts'
import { publicMessages } from '../i18n/public.ts'
import type { Locale } from '../lib/config.ts'

const day = 24 * 3600

/**
 * Renders the calendar events of one person's registrations. The UID of an event is permanent, and its SEQUENCE rises
 * when the workshop, the ticket link or the seat changes (RFC 5545, 3.8.7.4), so that calendars update it. Times are in
 * UTC. METHOD is CANCEL if all are cancelled, else PUBLISH.
 */
export function registrationCalendar(
  entries: { registration: Registration; ticketUrl: string }[],
  locale: Locale,
  now: Date,
): string {
  const cancelled = entries.every(({ registration }) => registration.status === 'cancelled')
  return ical({
    prodId: '//baoming//workshops//EN',
    method: cancelled ? ICalCalendarMethod.CANCEL : ICalCalendarMethod.PUBLISH,
    events: entries.map(({ registration, ticketUrl }) => ({
      ...calendarEvent(registration.workshop, locale, now),
      id: `${registration.id}@baoming`,
      url: ticketUrl,
      description: eventDescription(registration, ticketUrl, locale),
      sequence:
        registration.workshop.calendarSequence +
        registration.calendarSequenceOffset +
        (registration.status === 'cancelled' ? 1 : 0),
      status: eventStatuses[registration.status],
      alarms:
        registration.status === 'cancelled'
          ? []
          : [
              {
                type: ICalAlarmType.display,
                triggerBefore: day,
                description: localize(registration.workshop.title, locale),
              },
            ],
    })),
  }).toString()
}

/** Renders workshops as a calendar to subscribe to. Cancelled ones stay in it, marked as cancelled. */
export function workshopCalendar(workshops: Workshop[], baseUrl: string, locale: Locale, now: Date): string {
  return ical({
    prodId: '//baoming//workshops//EN',
    name: publicMessages(locale).home.title,
    method: ICalCalendarMethod.PUBLISH,
    ttl: 3600,
    url: absoluteUrl(baseUrl, paths.calendar()),
    events: workshops.map((workshop) => {
      const url = absoluteUrl(baseUrl, paths.workshop(workshop.slug))
      return {
        ...calendarEvent(workshop, locale, now),
        id: `${workshop.id}@baoming`,
        url,
        description: [...closedNotice(workshop, locale), url].join('\n'),
        sequence: workshop.calendarSequence,
        status: workshop.status === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
      }
    }),
  }).toString()
}

const eventStatuses = {
  confirmed: ICalEventStatus.CONFIRMED,
  offered: ICalEventStatus.TENTATIVE,
  waitlisted: ICalEventStatus.TENTATIVE,
  cancelled: ICalEventStatus.CANCELLED,
} satisfies Record<Registration['status'], ICalEventStatus>

function calendarEvent(workshop: Workshop, locale: Locale, now: Date): ICalEventData {
  const { city, venue, address } = workshop
  return {
    start: workshop.startsAt,
    end: workshop.endsAt,
    stamp: now,
    summary: `${localize(workshop.title, locale)} · ${localize(city, locale)}`,
    location: joinLocalized([city, venue, address], locale, ', '),
  }
}

function eventDescription({ status, workshop }: Registration, ticketUrl: string, locale: Locale): string {
  const { calendar, itemTags, registrationStatuses } = publicMessages(locale)
  return [
    registrationStatuses[status],
    ...closedNotice(workshop, locale),
    calendar.label(calendar.ticket, ticketUrl),
    ...workshop.items.map((item) => calendar.label(itemTags[itemTag(item)], localize(item.text, locale))),
  ].join('\n')
}

/**
 * A line if an organiser has closed registration. Closing by time is not mentioned, because no new file is sent then.
 */
function closedNotice({ state }: Workshop, locale: Locale): string[] {
  return state === 'closed' ? [publicMessages(locale).workshopStatuses.closed] : []
}
