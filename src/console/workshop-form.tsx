import type { Context } from 'hono'
import type { App } from '../context.ts'
import { phoneRules, type ReminderKind, type ReminderPlan, reminderKinds } from '../db/schema.ts'
import { pastAttendances } from '../domain/attendance.ts'
import type { Campaign } from '../domain/campaigns.ts'
import { reminderHours } from '../domain/reminders.ts'
import { slugPattern } from '../domain/slugs.ts'
import { minuteIn } from '../domain/time-zones.ts'
import type { ItemDraft, Workshop, WorkshopRefusal } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { readinessMessagesFor } from '../messages/readiness.ts'
import { pick, placeOf } from '../messages/text.ts'
import { ChecklistEditor } from './checklist.tsx'
import { Check, Choice, Field, fieldNames, InBoth, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { overbookingHint } from './overbooking.tsx'
import type { Form, Refused } from './read-form.ts'

/** What the form shows of a workshop, as it is typed. */
export type Shown = Record<(typeof texts)[number], { zh?: string; en?: string }> &
  Record<(typeof lines)[number], string> & { waitlist: boolean; proofOfWork: boolean; items: ItemDraft[] } & {
    /** Which button rearranged it just now. */
    pressed?: string
  }
const texts = ['title', 'city', 'venue', 'address', 'entry'] as const
const lines = [
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

/** What the form shows of a workshop. `whole`: all of it; else what the next city of its campaign has in common. */
export function shownOf(
  like: Workshop | undefined,
  campaign: Campaign | undefined,
  timeZone: string,
  whole: boolean,
): Shown {
  const zone = like?.timeZone ?? timeZone
  const clock = (moment: Date | null | undefined) => (moment ? minuteIn(moment, zone).replace(' ', 'T') : '')
  const [start, end] = [clock(like?.startsAt), clock(like?.endsAt)]
  return {
    title: like?.title ?? campaign?.title ?? {},
    city: whole ? (like?.city ?? {}) : {},
    venue: whole ? (like?.venue ?? {}) : {},
    address: whole ? (like?.address ?? {}) : {},
    date: start.slice(0, 10),
    from: start.slice(11) || '09:30',
    lastDate: end.slice(0, 10) === start.slice(0, 10) ? '' : end.slice(0, 10),
    to: end.slice(11) || '17:00',
    capacity: String(like?.capacity ?? 40),
    boards: String(like?.boards ?? 40),
    phone: like?.phone ?? 'optional',
    timeZone: zone,
    opensAt: whole ? clock(like?.opensAt) : '',
    closesAt: whole ? clock(like?.closesAt) : '',
    confirmHours: like?.confirmHours ? String(like.confirmHours) : '',
    graceMinutes: like?.graceMinutes === undefined || like.graceMinutes === null ? '' : String(like.graceMinutes),
    entry: whole ? (like?.entry ?? {}) : {},
    ...shownReminders(like?.reminders ?? usualReminders),
    lead: whole ? (like?.lead ?? '') : '',
    slug: whole && !campaign ? (like?.slug ?? '') : '',
    waitlist: like?.waitlist ?? true,
    proofOfWork: like?.proofOfWork ?? false,
    // Answers belong to the items of the workshop that was asked: a copy has items of its own.
    items: !like?.hasOwnItems ? [] : campaign ? like.items.map(({ id: _, ...item }) => item) : like.items,
  }
}

/** Hours before the start, of the reminders that a workshop sends unless it is told otherwise: as in db/schema.ts. */
const usualReminders: ReminderPlan = { get_ready: 168, coming: 72, day_before: 24 }
/** How many hours are one of what the form counts in. */
const hoursIn: Record<ReminderKind, number> = { get_ready: 24, coming: 24, day_before: 1 }

function shownReminders(plan: ReminderPlan): Record<ReminderKind, string> {
  const shown = (kind: ReminderKind) => (plan[kind] === undefined ? '' : String(Math.round(plan[kind] / hoursIn[kind])))
  return { get_ready: shown('get_ready'), coming: shown('coming'), day_before: shown('day_before') }
}

/** The reminders that a form asks for; a field that is empty asks for none. */
function readReminders(form: Form): ReminderPlan {
  return Object.fromEntries(
    reminderKinds.flatMap((kind) => {
      const { least, most } = reminderHours[kind]
      const typed = form.number(kind, least / hoursIn[kind], most / hoursIn[kind])
      return typed === undefined ? [] : [[kind, typed * hoursIn[kind]]]
    }),
  )
}

/** What was typed, for the form to come back. */
export function shownAgain({ body }: Form, items: ItemDraft[]): Shown {
  return {
    ...(Object.fromEntries(
      texts.map((name) => [name, { zh: typed(body, `${name}.zh`), en: typed(body, `${name}.en`) }]),
    ) as Pick<Shown, (typeof texts)[number]>),
    ...(Object.fromEntries(lines.map((name) => [name, typed(body, name)])) as Pick<Shown, (typeof lines)[number]>),
    waitlist: body.waitlist === 'yes',
    proofOfWork: body.proofOfWork === 'yes',
    items,
  }
}

/** What a form that was sent says of a workshop, in the words of the domain; what is wrong with it stays in the form. */
export function readFacts(form: Form, timeZoneBefore: string) {
  const timeZone = form.timeZone('timeZone', timeZoneBefore)
  const slug = form.line('slug', 80)
  if (slug && !slugPattern.test(slug)) form.refuse('slug', 'slug_invalid')
  const startsAt = form.needed('date', form.moment('date', 'from', timeZone))
  const lastDay = typed(form.body, 'lastDate') ? 'lastDate' : 'date'
  const endsAt = form.needed('to', form.moment(lastDay, 'to', timeZone))
  if (startsAt && endsAt && endsAt <= startsAt) form.refuse('to', 'ends_before_start')
  return {
    title: form.text('title', 200, { needed: true }),
    city: form.text('city', 80, { needed: true }),
    venue: form.text('venue', 200),
    address: form.text('address', 300),
    startsAt,
    endsAt,
    timeZone,
    opensAt: form.dateTime('opensAt', timeZone),
    closesAt: form.dateTime('closesAt', timeZone),
    capacity: form.needed('capacity', form.number('capacity', 1, 100_000)),
    boards: form.number('boards', 0, 100_000) ?? 0,
    waitlist: form.checked('waitlist'),
    phone: phoneRules.find((rule) => rule === form.body.phone) ?? ('optional' as const),
    confirmHours: form.number('confirmHours', 1, 336) ?? null,
    graceMinutes: form.number('graceMinutes', 0, 600) ?? null,
    proofOfWork: form.checked('proofOfWork'),
    lead: form.line('lead', 80),
    entry: form.text('entry', 500, { lines: true }),
    reminders: readReminders(form),
    items: form.items(),
    ...(slug && { slug }),
  }
}

/** A refusal of the domain as a problem of a field. */
export function refusedOf(refusal: WorkshopRefusal): Refused {
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

/** The form of a workshop that is there, or of a further city of a campaign. */
export async function formPage(
  c: Context<App>,
  { workshop, campaign }: { workshop?: Workshop; campaign?: Campaign },
  shown: Shown,
  refused: Refused[] = [],
) {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = t.workshops
  const grace = doorMessagesFor(locale).console.grace
  const own = readinessMessagesFor(locale).form
  const names = {
    ...fieldNames(t),
    ...own,
    lead: words.lead,
    slug: words.slug,
    confirmHours: words.confirmHours,
    graceMinutes: grace,
  }
  const problems = problemsOf(refused, t, names)
  const title = workshop ? words.edit : words.new
  const back = workshop
    ? backTo(workshop, c, true)
    : { href: paths.consoleCampaign(campaign?.slug ?? ''), text: pick(campaign?.title ?? {}, locale) }
  const field = (name: (typeof lines)[number], label: string, more: object = {}) => (
    <Field name={name} label={label} value={shown[name]} problems={problems} {...more} />
  )
  const hint = overbookingHint(await pastAttendances(c.env.deps), shown, shown.capacity, locale)
  const inBoth = (name: (typeof texts)[number], label: string, required = false) => (
    <InBoth name={name} label={label} value={shown[name]} problems={problems} t={t} required={required} />
  )
  return consolePage(
    c,
    { title, section: 'campaigns', back, status: problems.length > 0 ? statusOf(refused) : 200 },
    <>
      <h1>{title}</h1>
      <Problems problems={problems} t={t} />
      <form
        method="post"
        action={workshop ? paths.editWorkshop(workshop.slug) : paths.addWorkshop(campaign?.slug ?? '')}
        novalidate
      >
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        {inBoth('city', t.announce.city, true)}
        <div class="pairs narrow-pairs">
          {field('date', t.announce.date, { type: 'date', required: true })}
          {field('from', t.announce.from, { type: 'time', required: true })}
          {field('to', t.announce.to, { type: 'time', required: true })}
          {field('capacity', t.announce.capacity, { type: 'number', min: 1, required: true })}
          {field('boards', t.announce.boards, { type: 'number', min: 0 })}
        </div>
        {hint && <p class="hint">{hint}</p>}
        {inBoth('venue', t.announce.venue)}
        {inBoth('address', t.announce.address)}
        <InBoth
          name="entry"
          label={own.entry}
          hint={own.entryHint}
          value={shown.entry}
          problems={problems}
          rows={2}
          t={t}
        />
        {inBoth('title', t.announce.campaignTitle, true)}
        <Check name="waitlist" label={words.waitlist} checked={shown.waitlist} />
        <Choice
          name="phone"
          label={words.phone}
          options={phoneRules.map((rule) => ({ value: rule, text: words.phones[rule] }))}
          value={shown.phone}
        />
        {field('lead', words.lead)}
        <fieldset id="reminders">
          <legend>{own.reminders}</legend>
          <div class="pairs narrow-pairs">
            {reminderKinds.map((kind) =>
              field(kind, own[kind], {
                type: 'number',
                min: reminderHours[kind].least / hoursIn[kind],
                max: reminderHours[kind].most / hoursIn[kind],
              }),
            )}
          </div>
        </fieldset>
        <details open={refused.some(({ field }) => more.includes(field))}>
          <summary>{words.more}</summary>
          {field('lastDate', t.announce.lastDate, { type: 'date' })}
          {field('timeZone', words.timeZone)}
          {field('opensAt', words.opensAt, { type: 'datetime-local' })}
          {field('closesAt', words.closesAt, { type: 'datetime-local' })}
          {field('confirmHours', words.confirmHours, { type: 'number', min: 1, max: 336 })}
          {field('graceMinutes', grace, { type: 'number', min: 0, max: 600 })}
          <Check name="proofOfWork" label={words.proofOfWork} checked={shown.proofOfWork} />
          {!workshop?.publishedAt && field('slug', words.slug)}
        </details>
        <ChecklistEditor items={shown.items} pressed={shown.pressed} problems={problems} hint={t.items.ownHint} t={t} />
        <p class="actions">
          <button type="submit">{t.save}</button>
          <a class="button second" href={back.href}>
            {t.cancel}
          </a>
        </p>
      </form>
    </>,
  )
}

const more = ['lastDate', 'timeZone', 'opensAt', 'closesAt', 'confirmHours', 'graceMinutes', 'slug']

const statusOf = (refused: Refused[]) =>
  refused.some(({ code }) => ['slug_taken', 'slug_fixed', 'capacity_below_taken', 'cancelled', 'over'].includes(code))
    ? 409
    : 422

/** Where the line above a page of a workshop leads: to its campaign, or to itself. */
export function backTo(workshop: Workshop, c: Context<App>, toItself = false) {
  const locale = c.get('locale')
  if (toItself || !workshop.campaign) {
    return toItself
      ? { href: paths.consoleWorkshop(workshop.slug), text: placeOf(workshop, locale) }
      : { href: paths.consoleCampaigns(), text: consoleMessagesFor(locale).campaigns.title }
  }
  return { href: paths.consoleCampaign(workshop.campaign.slug), text: pick(workshop.campaign.title, locale) }
}
