import { phoneRules, type ReminderKind, type ReminderPlan, reminderKinds } from '../../../db/schema.ts'
import type { Campaign } from '../../../domain/campaigns/campaigns.ts'
import { reminderHours } from '../../../domain/mails/reminders.ts'
import { slugPattern } from '../../../domain/workshops/slugs.ts'
import type { ItemDraft, Workshop, WorkshopRefusal } from '../../../domain/workshops/workshops.ts'
import { formatMinute } from '../../../lib/time-zones.ts'
import { stringField } from '../ui/fields.tsx'
import type { FormError, FormParser } from '../ui/form-parser.ts'

/** Values of the workshop form, as strings. */
export type WorkshopFormValues = Record<(typeof bilingualFieldNames)[number], { zh?: string; en?: string }> &
  Record<(typeof textFieldNames)[number], string> & { waitlist: boolean; proofOfWork: boolean; items: ItemDraft[] } & {
    /** The reorder button that caused this rendering. */
    clickedButton?: string
  }
export const bilingualFieldNames = ['title', 'city', 'venue', 'address', 'entry'] as const
export const textFieldNames = [
  'date',
  'from',
  'lastDate',
  'to',
  'capacity',
  'boards',
  'phone',
  'timeZone',
  'opensAt',
  'closesAt',
  'confirmHours',
  'graceMinutes',
  'lead',
  'slug',
  'get_ready',
  'coming',
  'day_before',
] as const

/** Form values from a template. With `copyAll` all of it, else only what workshops of a campaign have in common. */
export function workshopFormDefaults(
  template: Workshop | undefined,
  campaign: Campaign | undefined,
  timeZone: string,
  copyAll: boolean,
): WorkshopFormValues {
  const zone = template?.timeZone ?? timeZone
  const formatInput = (moment: Date | null | undefined) => (moment ? formatMinute(moment, zone).replace(' ', 'T') : '')
  const [start, end] = [formatInput(template?.startsAt), formatInput(template?.endsAt)]
  return {
    title: template?.title ?? campaign?.title ?? {},
    city: copyAll ? (template?.city ?? {}) : {},
    venue: copyAll ? (template?.venue ?? {}) : {},
    address: copyAll ? (template?.address ?? {}) : {},
    date: start.slice(0, 10),
    from: start.slice(11) || '09:30',
    lastDate: end.slice(0, 10) === start.slice(0, 10) ? '' : end.slice(0, 10),
    to: end.slice(11) || '17:00',
    capacity: String(template?.capacity ?? 40),
    boards: String(template?.boards ?? 40),
    phone: template?.phone ?? 'optional',
    timeZone: zone,
    opensAt: copyAll ? formatInput(template?.opensAt) : '',
    closesAt: copyAll ? formatInput(template?.closesAt) : '',
    confirmHours: template?.confirmHours ? String(template.confirmHours) : '',
    graceMinutes:
      template?.graceMinutes === undefined || template.graceMinutes === null ? '' : String(template.graceMinutes),
    entry: copyAll ? (template?.entry ?? {}) : {},
    ...reminderFormDefaults(template?.reminders ?? defaultReminders),
    lead: copyAll ? (template?.lead ?? '') : '',
    slug: copyAll && !campaign ? (template?.slug ?? '') : '',
    waitlist: template?.waitlist ?? true,
    proofOfWork: template?.proofOfWork ?? false,
    // A copy gets new item ids, because answers refer to the original's.
    items: !template?.hasOwnItems ? [] : campaign ? template.items.map(({ id: _, ...item }) => item) : template.items,
  }
}

/** Hours before the start at which reminders are sent by default; the same as in db/schema.ts. */
const defaultReminders: ReminderPlan = { get_ready: 168, coming: 72, day_before: 24 }
/** The unit of each reminder's field in hours: days, days, hours. */
export const hoursPerUnit: Record<ReminderKind, number> = { get_ready: 24, coming: 24, day_before: 1 }

function reminderFormDefaults(plan: ReminderPlan): Record<ReminderKind, string> {
  const formatAmount = (kind: ReminderKind) =>
    plan[kind] === undefined ? '' : String(Math.round(plan[kind] / hoursPerUnit[kind]))
  return {
    get_ready: formatAmount('get_ready'),
    coming: formatAmount('coming'),
    day_before: formatAmount('day_before'),
  }
}

/** Parses the reminders. An empty field disables one. */
function parseReminders(form: FormParser): ReminderPlan {
  return Object.fromEntries(
    reminderKinds.flatMap((kind) => {
      const { least, most } = reminderHours[kind]
      const amount = form.number(kind, least / hoursPerUnit[kind], most / hoursPerUnit[kind])
      return amount === undefined ? [] : [[kind, amount * hoursPerUnit[kind]]]
    }),
  )
}

/** The submitted values, unvalidated, to render the form again. */
export function readWorkshopFormValues({ body }: FormParser, items: ItemDraft[]): WorkshopFormValues {
  return {
    ...(Object.fromEntries(
      bilingualFieldNames.map((name) => [
        name,
        { zh: stringField(body, `${name}.zh`), en: stringField(body, `${name}.en`) },
      ]),
    ) as Pick<WorkshopFormValues, (typeof bilingualFieldNames)[number]>),
    ...(Object.fromEntries(textFieldNames.map((name) => [name, stringField(body, name)])) as Pick<
      WorkshopFormValues,
      (typeof textFieldNames)[number]
    >),
    waitlist: body.waitlist === 'yes',
    proofOfWork: body.proofOfWork === 'yes',
    items,
  }
}

/** Parses the submitted form into a workshop draft. Errors are collected in `form`. */
export function parseWorkshopForm(form: FormParser, currentTimeZone: string) {
  const timeZone = form.timeZone('timeZone', currentTimeZone)
  const slug = form.string('slug', 80)
  if (slug && !slugPattern.test(slug)) form.addError('slug', 'slug_invalid')
  const startsAt = form.required('date', form.dateAndTime('date', 'from', timeZone))
  const endDateField = stringField(form.body, 'lastDate') ? 'lastDate' : 'date'
  const endsAt = form.required('to', form.dateAndTime(endDateField, 'to', timeZone))
  if (startsAt && endsAt && endsAt <= startsAt) form.addError('to', 'ends_before_start')
  return {
    title: form.bilingual('title', 200, { required: true }),
    city: form.bilingual('city', 80, { required: true }),
    venue: form.bilingual('venue', 200),
    address: form.bilingual('address', 300),
    startsAt,
    endsAt,
    timeZone,
    opensAt: form.dateTime('opensAt', timeZone),
    closesAt: form.dateTime('closesAt', timeZone),
    capacity: form.required('capacity', form.number('capacity', 1, 100_000)),
    boards: form.number('boards', 0, 100_000) ?? 0,
    waitlist: form.checked('waitlist'),
    phone: phoneRules.find((rule) => rule === form.body.phone) ?? ('optional' as const),
    confirmHours: form.number('confirmHours', 1, 336) ?? null,
    graceMinutes: form.number('graceMinutes', 0, 600) ?? null,
    proofOfWork: form.checked('proofOfWork'),
    lead: form.string('lead', 80),
    entry: form.bilingual('entry', 500, { multiline: true }),
    reminders: parseReminders(form),
    items: form.checklistItems(),
    ...(slug && { slug }),
  }
}

/** Maps a refusal to an error of the field that caused it. */
export function refusalToFormError(refusal: WorkshopRefusal): FormError {
  switch (refusal.refusal) {
    case 'capacity_below_taken':
      return { field: 'capacity', code: refusal.refusal, taken: refusal.taken }
    case 'ends_before_start':
      return { field: 'to', code: refusal.refusal }
    case 'closes_before_opening':
      return { field: 'closesAt', code: refusal.refusal }
    case 'slug_taken':
    case 'slug_fixed':
      return { field: 'slug', code: refusal.refusal }
    default:
      return { field: 'title', code: refusal.refusal }
  }
}
