import type { Text } from '../../../db/schema.ts'
import type { AnnouncementDraft } from '../../../domain/campaigns/announcement-parser/index.ts'
import type { Campaign } from '../../../domain/campaigns/campaigns.ts'
import { shiftOneMonth } from '../../../domain/campaigns/copy-campaign.ts'
import type { ItemDraft } from '../../../domain/workshops/workshops.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import { localDate, localTime } from '../../../lib/time-zones.ts'
import { reorderItems } from '../ui/checklist.tsx'
import { stringField } from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'

/** A whole announcement as its form shows it, before all of it is there. */
export type NewCampaignFormValues = {
  title: Text
  summary: Text
  oneSeat: boolean
  items: ItemDraft[]
  workshops: CityFormValues[]
  /** The text that it was read from, so that what was not understood stays beside it. */
  source?: string | undefined
  /** Of the campaign that it becomes: a form that is sent twice makes one. */
  id?: string | undefined
  /** Which button rearranged it just now. */
  clickedButton?: string | undefined
}

/** A city as the form shows it: times as they are typed. */
export type CityFormValues = {
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

const emptyCityValues: CityFormValues = {
  ...{ city: {}, venue: {}, address: {} },
  ...{ date: '', from: '09:30', to: '17:00', capacity: '40', boards: '40' },
}

/** A form with nothing in it but one city. */
export function emptyFormValues(): NewCampaignFormValues {
  return { title: {}, summary: {}, oneSeat: true, items: [], workshops: [emptyCityValues] }
}

/** What the text of an announcement says, where the form has a place for it. */
export function prefillFromDraft(draft: AnnouncementDraft, t: ConsoleMessages): NewCampaignFormValues {
  const workshops = draft.workshops.map(({ dates, ...place }): CityFormValues => {
    const [date] = dates
    const known = date && 'date' in date && dates.length === 1 ? date : undefined
    const hint =
      dates.length > 1
        ? t.announce.severalDates(dates.map((date) => ('date' in date ? date.date : date.month)).join(', '))
        : date && 'month' in date
          ? t.announce.monthOnly(date.month)
          : undefined
    return {
      ...emptyCityValues,
      ...place,
      date: known?.date ?? '',
      from: known?.from ?? emptyCityValues.from,
      to: known?.to ?? emptyCityValues.to,
      hint,
    }
  })
  return {
    title: draft.title,
    summary: draft.summary,
    oneSeat: true,
    items: draft.items,
    workshops: workshops.length > 0 ? workshops : [emptyCityValues],
  }
}

/** What was announced a month before, on the same weekdays; without the workshops that were cancelled. */
export function prefillFromPreviousMonth({
  title,
  summary,
  oneSeatPerPerson,
  items,
  workshops,
}: Campaign): NewCampaignFormValues {
  return {
    title,
    summary,
    oneSeat: oneSeatPerPerson,
    items: items.map(({ id: _, ...item }) => item),
    workshops: workshops
      .filter(({ state }) => state !== 'cancelled')
      .map((workshop) => {
        const { city, venue, address, timeZone } = workshop
        const { startsAt, endsAt } = shiftOneMonth(workshop)
        return {
          ...{ city, venue, address },
          date: localDate(startsAt, timeZone),
          from: localTime(startsAt, timeZone),
          to: localTime(endsAt, timeZone),
          capacity: String(workshop.capacity),
          boards: String(workshop.boards),
          like: workshop.slug,
        }
      }),
  }
}

/** The form as it was sent, for it to come back. */
export function readCampaignFormValues(form: FormParser): NewCampaignFormValues {
  const parser = new FormParser(form.body)
  const text = (name: string) => stringField(form.body, name)
  const bilingual = (name: string): Text => ({ zh: text(`${name}.zh`), en: text(`${name}.en`) })
  return {
    title: bilingual('title'),
    summary: bilingual('summary'),
    oneSeat: parser.checked('oneSeat'),
    items: parser.checklistItems(),
    source: text('source') || undefined,
    id: /^[0-9a-f-]{36}$/.test(text('id')) ? text('id') : undefined,
    workshops: parser.rowNumbers('city').map((n) => ({
      city: bilingual(`city.${n}`),
      venue: bilingual(`city.${n}.venue`),
      address: bilingual(`city.${n}.address`),
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
export function applyFormAction(action: string, values: NewCampaignFormValues): NewCampaignFormValues {
  const [, removedIndex] = /^drop-city\.(\d+)$/.exec(action) ?? []
  const last = values.workshops.at(-1) ?? emptyCityValues
  return {
    ...values,
    clickedButton: action,
    items: reorderItems(values.items, action),
    workshops:
      action === 'add-city'
        ? // The next city has most often the same hours and as many seats.
          [...values.workshops, { ...last, city: {}, venue: {}, address: {}, hint: undefined }]
        : values.workshops.filter((_, n) => String(n) !== removedIndex),
  }
}
