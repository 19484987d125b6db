import ical, { ICalAlarmType, ICalCalendarMethod, type ICalEventData, ICalEventStatus } from 'ical-generator'
import type { Locale } from './config.ts'
import type { Registration } from './domain/registrations.ts'
import type { Workshop } from './domain/workshops.ts'
import { paths, urlOf } from './links.ts'
import { tagOf } from './messages/items.ts'
import { messagesFor } from './messages/messages.ts'
import { pick, pickAll } from './messages/text.ts'

const day = 24 * 3600

/**
 * The calendar entries of one person's registrations. An entry keeps its UID for good and its SEQUENCE rises whenever
 * the workshop, the ticket's link or the seat changes (RFC 5545, 3.8.7.4), so that a calendar replaces it. Times are in UTC.
 * METHOD is CANCEL when all of it is cancelled, else PUBLISH.
 */
export function calendarFor(
  entries: { registration: Registration; ticketUrl: string }[],
  locale: Locale,
  now: Date,
): string {
  const cancelled = entries.every(({ registration }) => registration.status === 'cancelled')
  return ical({
    prodId: '//baoming//workshops//EN',
    method: cancelled ? ICalCalendarMethod.CANCEL : ICalCalendarMethod.PUBLISH,
    events: entries.map(({ registration, ticketUrl }) => ({
      ...eventOf(registration.workshop, locale, now),
      id: `${registration.id}@baoming`,
      url: ticketUrl,
      description: describe(registration, ticketUrl, locale),
      sequence:
        registration.workshop.calendarSequence +
        registration.calendarRaise +
        (registration.status === 'cancelled' ? 1 : 0),
      status: eventStatuses[registration.status],
      alarms:
        registration.status === 'cancelled'
          ? []
          : [
              {
                type: ICalAlarmType.display,
                triggerBefore: day,
                description: pick(registration.workshop.title, locale),
              },
            ],
    })),
  }).toString()
}

/** Workshops as a calendar to subscribe to. Cancelled ones stay in it as such. */
export function calendarOfWorkshops(workshops: Workshop[], baseUrl: string, locale: Locale, now: Date): string {
  return ical({
    prodId: '//baoming//workshops//EN',
    name: messagesFor(locale).home.title,
    method: ICalCalendarMethod.PUBLISH,
    ttl: 3600,
    url: urlOf(baseUrl, paths.calendar()),
    events: workshops.map((workshop) => {
      const url = urlOf(baseUrl, paths.workshop(workshop.slug))
      return {
        ...eventOf(workshop, locale, now),
        id: `${workshop.id}@baoming`,
        url,
        description: [...closing(workshop, locale), url].join('\n'),
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

function eventOf(workshop: Workshop, locale: Locale, now: Date): ICalEventData {
  const { city, venue, address } = workshop
  return {
    start: workshop.startsAt,
    end: workshop.endsAt,
    stamp: now,
    summary: `${pick(workshop.title, locale)} · ${pick(city, locale)}`,
    location: pickAll([city, venue, address], locale, ', '),
  }
}

function describe({ status, workshop }: Registration, ticketUrl: string, locale: Locale): string {
  const { calendar, itemTags, registrationStatuses } = messagesFor(locale)
  return [
    registrationStatuses[status],
    ...closing(workshop, locale),
    calendar.label(calendar.ticket, ticketUrl),
    ...workshop.items.map((item) => calendar.label(itemTags[tagOf(item)], pick(item.text, locale))),
  ].join('\n')
}

/** The line that says that an organiser closed registration. The clock closes it without a word: no file could follow. */
function closing({ state }: Workshop, locale: Locale): string[] {
  return state === 'closed' ? [messagesFor(locale).workshopStatuses.closed] : []
}
