import type { Text } from '../db/schema.ts'
import type { AnnouncementDraft } from '../domain/announcements.ts'
import type { Campaign } from '../domain/campaigns.ts'
import { aMonthLater } from '../domain/next-month.ts'
import { dateIn, timeIn } from '../domain/time-zones.ts'
import type { ItemDraft } from '../domain/workshops.ts'
import type { ConsoleMessages } from '../messages/console.zh-CN.ts'
import { rearranged } from './checklist.tsx'
import { typed } from './fields.tsx'
import { Form } from './read-form.ts'

/** A whole announcement as its form shows it, before all of it is there. */
export type Announcement = {
  title: Text
  summary: Text
  oneSeat: boolean
  items: ItemDraft[]
  workshops: City[]
  /** The text that it was read from, so that what was not understood stays beside it. */
  source?: string | undefined
  /** Of the campaign that it becomes: a form that is sent twice makes one. */
  id?: string | undefined
  /** Which button rearranged it just now. */
  pressed?: string | undefined
}

/** A city as the form shows it: times as they are typed. */
export type City = {
  city: Text
  venue: Text
  address: Text
  date: string
  from: string
  to: string
  capacity: string
  boards: string
  /** Slug of the workshop whose ways it takes over. */
  like?: string | undefined
  hint?: string | undefined
}

const emptyCity: City = {
  ...{ city: {}, venue: {}, address: {} },
  ...{ date: '', from: '09:30', to: '17:00', capacity: '40', boards: '40' },
}

/** A form with nothing in it but one city. */
export function emptyAnnouncement(): Announcement {
  return { title: {}, summary: {}, oneSeat: true, items: [], workshops: [emptyCity] }
}

/** What the text of an announcement says, where the form has a place for it. */
export function fromDraft(draft: AnnouncementDraft, t: ConsoleMessages): Announcement {
  const workshops = draft.workshops.map(({ dates, ...place }): City => {
    const [date] = dates
    const known = date && 'date' in date && dates.length === 1 ? date : undefined
    const hint =
      dates.length > 1
        ? t.announce.severalDates(dates.map((date) => ('date' in date ? date.date : date.month)).join(', '))
        : date && 'month' in date
          ? t.announce.monthOnly(date.month)
          : undefined
    return {
      ...emptyCity,
      ...place,
      date: known?.date ?? '',
      from: known?.from ?? emptyCity.from,
      to: known?.to ?? emptyCity.to,
      hint,
    }
  })
  return {
    title: draft.title,
    summary: draft.summary,
    oneSeat: true,
    items: draft.items,
    workshops: workshops.length > 0 ? workshops : [emptyCity],
  }
}

/** What was announced a month before, on the same weekdays; without the workshops that were cancelled. */
export function fromMonthBefore({ title, summary, oneSeatPerPerson, items, workshops }: Campaign): Announcement {
  return {
    title,
    summary,
    oneSeat: oneSeatPerPerson,
    items: items.map(({ id: _, ...item }) => item),
    workshops: workshops
      .filter(({ state }) => state !== 'cancelled')
      .map((workshop) => {
        const { city, venue, address, timeZone } = workshop
        const { startsAt, endsAt } = aMonthLater(workshop)
        return {
          ...{ city, venue, address },
          date: dateIn(startsAt, timeZone),
          from: timeIn(startsAt, timeZone),
          to: timeIn(endsAt, timeZone),
          capacity: String(workshop.capacity),
          boards: String(workshop.boards),
          like: workshop.slug,
        }
      }),
  }
}

/** The form as it was sent, for it to come back. */
export function shownAgain(form: Form): Announcement {
  const again = new Form(form.body)
  const text = (name: string) => typed(form.body, name)
  const both = (name: string): Text => ({ zh: text(`${name}.zh`), en: text(`${name}.en`) })
  return {
    title: both('title'),
    summary: both('summary'),
    oneSeat: again.checked('oneSeat'),
    items: again.items(),
    source: text('source') || undefined,
    id: /^[0-9a-f-]{36}$/.test(text('id')) ? text('id') : undefined,
    workshops: again.rows('city').map((n) => ({
      city: both(`city.${n}`),
      venue: both(`city.${n}.venue`),
      address: both(`city.${n}.address`),
      date: text(`city.${n}.date`),
      from: text(`city.${n}.from`),
      to: text(`city.${n}.to`),
      capacity: text(`city.${n}.capacity`),
      boards: text(`city.${n}.boards`),
      like: text(`city.${n}.like`) || undefined,
    })),
  }
}

/** The form after one of its buttons was pressed: a line of the checklist moved, a city more or less. */
export function rearrangedBy(action: string, shown: Announcement): Announcement {
  const [, dropped] = /^drop-city\.(\d+)$/.exec(action) ?? []
  const last = shown.workshops.at(-1) ?? emptyCity
  return {
    ...shown,
    pressed: action,
    items: rearranged(shown.items, action),
    workshops:
      action === 'add-city'
        ? // The next city has most often the same hours and as many seats.
          [...shown.workshops, { ...last, city: {}, venue: {}, address: {}, hint: undefined }]
        : shown.workshops.filter((_, n) => String(n) !== dropped),
  }
}
