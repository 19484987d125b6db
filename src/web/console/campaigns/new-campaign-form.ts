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

/** Values of the form for a campaign with its workshops; possibly incomplete. */
export type NewCampaignFormValues = {
  title: Text
  summary: Text
  oneSeat: boolean
  items: ItemDraft[]
  workshops: CityFormValues[]
  /** The pasted announcement, whose unparsed parts are shown beside the form. */
  source?: string | undefined
  /** Id of the campaign to create, so that submitting twice creates one. */
  id?: string | undefined
  /** The button that caused this rendering; it decides the focus. */
  clickedButton?: string | undefined
}

/** Values of one workshop in the form, as strings. */
export type CityFormValues = {
  city: Text
  venue: Text
  address: Text
  date: string
  from: string
  to: string
  capacity: string
  boards: string
  /** Slug of the workshop whose settings are copied. */
  copyFrom?: string | undefined
  hint?: string | undefined
}

const emptyCityValues: CityFormValues = {
  ...{ city: {}, venue: {}, address: {} },
  ...{ date: '', from: '09:30', to: '17:00', capacity: '40', boards: '40' },
}

/** An empty form with one workshop. */
export function emptyFormValues(): NewCampaignFormValues {
  return { title: {}, summary: {}, oneSeat: true, items: [], workshops: [emptyCityValues] }
}

/** Form values from a parsed announcement. */
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

/** Form values from a previous campaign, one month later on the same weekdays, without cancelled workshops. */
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
          copyFrom: workshop.slug,
        }
      }),
  }
}

/** The submitted values, unvalidated, to render the form again. */
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
      copyFrom: text(`city.${n}.like`) || undefined,
    })),
  }
}

/** Applies a button of the form: move a checklist item, add or remove a workshop. */
export function applyFormAction(action: string, values: NewCampaignFormValues): NewCampaignFormValues {
  const [, removedIndex] = /^drop-city\.(\d+)$/.exec(action) ?? []
  const last = values.workshops.at(-1) ?? emptyCityValues
  return {
    ...values,
    clickedButton: action,
    items: reorderItems(values.items, action),
    workshops:
      action === 'add-city'
        ? // Most campaigns have the same hours and capacity in each city.
          [...values.workshops, { ...last, city: {}, venue: {}, address: {}, hint: undefined }]
        : values.workshops.filter((_, n) => String(n) !== removedIndex),
  }
}
