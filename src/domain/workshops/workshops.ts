import { and, asc, eq, getTableColumns, gt, isNotNull, ne, or, type SQL, sql } from 'drizzle-orm'
import { databaseError, query, timestamptz } from '../../db/database.ts'
import {
  type CampaignState,
  campaigns,
  type FeedbackQuestion,
  type ItemKind,
  type PhoneRule,
  type ReminderPlan,
  type Text,
  type WorkshopSchedule,
  type WorkshopState,
  workshops,
} from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { generateSlug } from './slugs.ts'

export const workshopStatuses = ['upcoming', 'open', 'waitlist', 'full', 'closed', 'cancelled', 'over'] as const
export type WorkshopStatus = (typeof workshopStatuses)[number]

export type Item = { id: string; kind: ItemKind; text: Text; url: string | null; mustConfirm: boolean }

/** One date in one city. */
export type Workshop = typeof workshops.$inferSelect & {
  campaign: { slug: string; title: Text; state: CampaignState } | null
  /** Its own checklist, or its campaign's if it has none. */
  items: Item[]
  hasOwnItems: boolean
  status: WorkshopStatus
}

export const seatsLeft = (workshop: Pick<Workshop, 'capacity' | 'taken'>) => workshop.capacity - workshop.taken

export type WorkshopDraft = {
  campaignId?: string | undefined
  slug?: string | undefined
  title: Text
  city: Text
  venue: Text
  address: Text
  startsAt: Date
  endsAt: Date
  timeZone?: string | undefined
  opensAt?: Date | null | undefined
  closesAt?: Date | null | undefined
  capacity: number
  boards?: number | undefined
  waitlist?: boolean | undefined
  phone?: PhoneRule | undefined
  /** Hours to accept an offered seat, from 1 to 336. Without it, a freed seat is assigned at once. */
  confirmHours?: number | null | undefined
  /** Minutes after the start, from 0 to 600, after which no-shows lose their seats to the door queue. Without it, never. */
  graceMinutes?: number | null | undefined
  proofOfWork?: boolean | undefined
  /** The person in charge on the day, shown to organisers. */
  lead?: string | null | undefined
  /** How to get in, shown to attendees with a seat. */
  entry?: Text | undefined
  /** Hours before the start at which each reminder is sent, see mails/reminders.ts. A missing reminder is not sent. */
  reminders?: ReminderPlan | undefined
  /** Replace the default questions, see attendance/feedback.ts. */
  feedbackQuestions?: FeedbackQuestion[] | null | undefined
  items?: ItemDraft[] | undefined
  publish?: boolean | undefined
}

export type ItemDraft = Omit<Item, 'id' | 'url'> & { id?: string | undefined; url?: string | null | undefined }

export type WorkshopChanges = Partial<Omit<WorkshopDraft, 'publish'>> & {
  state?: Exclude<WorkshopState, 'cancelled'> | undefined
}

/** Finds a workshop by slug, including drafts. */
export async function findWorkshop(deps: Deps, slug: string): Promise<Workshop | undefined> {
  const [workshop] = await selectWorkshops(deps).where(eq(workshops.slug, slug))
  return workshop
}

/** Finds a workshop by id, including drafts. */
export async function findWorkshopById(deps: Deps, id: string): Promise<Workshop | undefined> {
  const [workshop] = await selectWorkshops(deps).where(eq(workshops.id, id))
  return workshop
}

/** Finds a public workshop by slug. The result is at most a second old. */
export async function findPublicWorkshop(deps: Deps, slug: string): Promise<Workshop | undefined> {
  const workshop = await deps.cache(`workshop ${slug}`, () => findWorkshop(deps, slug))
  return workshop && isPublic(workshop) ? workshop : undefined
}

export function isPublic({ state, publishedAt }: Pick<Workshop, 'state' | 'publishedAt'>): boolean {
  return publishedAt !== null && state !== 'draft'
}

export type WorkshopFilter = {
  /** Its name in either language. */
  city?: string | undefined
  /** Without it, all that are not over, or all of the campaign. */
  status?: WorkshopStatus | undefined
  campaignId?: string | undefined
  drafts?: boolean | undefined
  /** The `next` of the previous page. */
  cursor?: string | undefined
  limit?: number | undefined
}

/** A page of workshops, ordered by start. */
export async function listWorkshops(
  deps: Deps,
  { city, status, campaignId, drafts = false, cursor, limit = 50 }: WorkshopFilter,
): Promise<{ items: Workshop[]; next: string | undefined }> {
  const after = cursor ? parseCursor(cursor) : undefined
  const rows = await selectWorkshops(deps)
    .where(
      and(
        drafts ? undefined : and(ne(workshops.state, 'draft'), isNotNull(workshops.publishedAt)),
        status
          ? sql`${workshopStatus(deps.now())} = ${status}`
          : campaignId
            ? undefined
            : gt(workshops.endsAt, deps.now()),
        campaignId ? eq(workshops.campaignId, campaignId) : undefined,
        city
          ? or(sql`${workshops.city} ->> 'zh' = ${city}`, sql`lower(${workshops.city} ->> 'en') = lower(${city})`)
          : undefined,
        after
          ? sql`(${workshops.startsAt}, ${workshops.id}) > (${after.startsAt}::timestamptz, ${after.id}::uuid)`
          : undefined,
      ),
    )
    .orderBy(asc(workshops.startsAt), asc(workshops.id))
    .limit(limit + 1)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return {
    items,
    next:
      rows.length > limit && last
        ? Buffer.from(`${last.startsAt.toISOString()} ${last.id}`).toString('base64url')
        : undefined,
  }
}

export type WorkshopRefusal =
  | { refusal: 'slug_taken' }
  | { refusal: 'slug_fixed' }
  | { refusal: 'has_registrations' }
  | { refusal: 'ends_before_start' }
  | { refusal: 'closes_before_opening' }
  | { refusal: 'capacity_below_taken'; taken: number }
  | { refusal: 'cancelled' }
  | { refusal: 'already_cancelled' }
  | { refusal: 'over' }
  | { refusal: 'not_found' }

export type WorkshopResult = { kind: 'changed'; workshop: Workshop } | ({ kind: 'refused' } & WorkshopRefusal)

/** Creates a workshop, as a draft unless `publish` is set. The default slug is generated from city and date. */
export async function createWorkshop(deps: Deps, draft: WorkshopDraft): Promise<WorkshopResult> {
  const id = deps.newId()
  const timeZone = draft.timeZone ?? deps.config.timeZone
  const { items = [], publish = false, slug: requestedSlug, ...facts } = draft
  for (let attempt = 1; ; attempt++) {
    const slug = requestedSlug ?? (await generateSlug(draft.city, draft.startsAt, timeZone, attempt))
    try {
      await deps.db.transaction(async (tx) => {
        await tx.insert(workshops).values({
          ...facts,
          id,
          slug,
          timeZone,
          ...(publish && { state: 'published', publishedAt: deps.now() }),
          createdAt: deps.now(),
          updatedAt: deps.now(),
        })
        await replaceItems({ ...deps, db: tx }, { workshopId: id }, items)
      })
      return { kind: 'changed', workshop: (await findWorkshopById(deps, id)) as Workshop }
    } catch (error) {
      const refusal = constraintRefusal(error)
      if (!refusal) throw error
      if (refusal !== 'slug_taken' || requestedSlug || attempt === 50) return { kind: 'refused', refusal }
    }
  }
}

/**
 * Changes a workshop. More seats, a later start or reopening promote the waitlist in the same statement. A capacity below the
 * seats taken is refused with that number. Closing and reopening are mailed to everyone registered. A change of
 * `confirmHours` applies to future offers. The slug is fixed once the workshop was published.
 * @param notify whether to mail everyone registered the old and new time and place, if they changed
 */
export async function changeWorkshop(
  deps: Deps,
  slug: string,
  changes: WorkshopChanges,
  { notify = false } = {},
): Promise<WorkshopResult> {
  const workshop = await findWorkshop(deps, slug)
  if (!workshop) return { kind: 'refused', refusal: 'not_found' }
  if (workshop.state === 'cancelled') return { kind: 'refused', refusal: 'cancelled' }
  if (changes.slug && changes.slug !== slug && workshop.publishedAt) return { kind: 'refused', refusal: 'slug_fixed' }
  if (changes.state === 'draft' && workshop.taken + workshop.waitlisted > 0) {
    return { kind: 'refused', refusal: 'has_registrations' }
  }
  const { items, ...facts } = changes
  try {
    const update = (db: Deps['db']) =>
      db
        .update(workshops)
        .set({
          ...facts,
          updatedAt: deps.now(),
          ...(changes.state === 'published' && { publishedAt: workshop.publishedAt ?? deps.now() }),
          calendarSequence: sql`${workshops.calendarSequence} + ${calendarChanged(facts)}::int`,
        })
        .where(
          and(
            eq(workshops.id, workshop.id),
            ne(workshops.state, 'cancelled'),
            // Somebody may have registered since the workshop was read.
            changes.state === 'draft' ? sql`${workshops.taken} + ${workshops.waitlisted} = 0` : undefined,
          ),
        )
        .returning({ id: workshops.id })
    // One statement, because sign-ups wait while the row is locked; a transaction only if mails are enqueued.
    const changed =
      notify && changesTimeOrPlace(workshop, changes)
        ? await deps.db.transaction(async (tx) => {
            const changed = await update(tx)
            if (changed.length > 0) await notifyOfChange({ ...deps, db: tx }, workshop)
            return changed
          })
        : await update(deps.db)
    if (changed.length === 0) {
      const { state } = (await findWorkshopById(deps, workshop.id)) as Workshop
      return { kind: 'refused', refusal: state === 'cancelled' ? 'cancelled' : 'has_registrations' }
    }
    if (items) await replaceItems(deps, { workshopId: workshop.id }, items)
  } catch (error) {
    if (databaseError(error)?.constraint === 'workshops_taken') {
      const { taken } = (await findWorkshopById(deps, workshop.id)) as Workshop
      return { kind: 'refused', refusal: 'capacity_below_taken', taken }
    }
    const refusal = constraintRefusal(error)
    if (refusal) return { kind: 'refused', refusal }
    throw error
  }
  deps.notifyMailQueue()
  return { kind: 'changed', workshop: (await findWorkshopById(deps, workshop.id)) as Workshop }
}

export function changesTimeOrPlace(workshop: Workshop, changes: WorkshopChanges): boolean {
  const scheduleJson = (facts: WorkshopChanges) =>
    JSON.stringify(timeAndPlace({ ...workshop, ...omitUndefined(facts) }))
  return scheduleJson({}) !== scheduleJson(changes)
}

/** Time and place of a workshop, to compare and to store in mails about a change. Keys are in a fixed order. */
export function timeAndPlace(workshop: Pick<Workshop, keyof WorkshopSchedule>): WorkshopSchedule {
  const { startsAt, endsAt, timeZone, city, venue, address } = workshop
  const orderLanguages = ({ zh, en }: Text) => ({ ...(zh && { zh }), ...(en && { en }) })
  return {
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    timeZone,
    city: orderLanguages(city),
    venue: orderLanguages(venue),
    address: orderLanguages(address),
  }
}

const omitUndefined = <T extends object>(facts: T) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as T

/**
 * Enqueues a mail about a change of time or place for everyone registered. It supersedes a mail of an earlier change that is
 * still pending, and takes over the time and place before that.
 */
async function notifyOfChange(deps: Deps, before: Workshop): Promise<void> {
  await deps.db.execute(sql`
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select r.id, 'changed',
      jsonb_build_object('before', coalesce(
        (
          select m.payload -> 'before' from mails m
          where m.registration_id = r.id and m.kind = 'changed' and m.state = 'pending'
            and m.created_at >= coalesce(r.moved_at, m.created_at)
          order by m.id desc limit 1
        ),
        ${JSON.stringify(timeAndPlace(before))}::jsonb
      )),
      ${timestamptz(deps.now())}, ${timestamptz(deps.now())}
    from registrations r
    where r.workshop_id = ${before.id} and r.status in ('confirmed', 'waitlisted', 'offered') and r.email <> ''
    order by r.seq`)
}

/** SQL condition: the changes alter the calendar entry of the stored workshop. */
function calendarChanged(facts: WorkshopChanges): SQL {
  const calendarFields = ['title', 'city', 'venue', 'address', 'startsAt', 'endsAt', 'timeZone'] as const
  const changes = calendarFields
    .filter((name) => facts[name] !== undefined)
    .map((name) => sql`${workshops[name]} is distinct from ${sql.param(facts[name], workshops[name])}`)
  if (facts.state) changes.push(sql`(${workshops.state} = 'closed') <> ${facts.state === 'closed'}`)
  return changes.length > 0 ? sql`(${sql.join(changes, sql` or `)})` : sql`false`
}

/** The refusal for a violated constraint. Undefined for constraints that no input can violate. */
function constraintRefusal(error: unknown): 'slug_taken' | 'ends_before_start' | 'closes_before_opening' | undefined {
  switch (databaseError(error)?.constraint) {
    case 'workshops_slug_unique':
      return 'slug_taken'
    case 'workshops_ends_after_start':
      return 'ends_before_start'
    case 'workshops_closes_after_opening':
      return 'closes_before_opening'
    default:
      return undefined
  }
}

/** Replaces the checklist of a campaign or workshop in one statement. Items that keep their id keep the attendees' answers. */
export async function replaceItems(
  deps: Deps,
  owner: { campaignId: string } | { workshopId: string },
  items: ItemDraft[],
): Promise<void> {
  const { campaignId = null, workshopId = null } = owner as { campaignId?: string; workshopId?: string }
  const itemsJson = JSON.stringify(items.map((item) => ({ ...item, new_id: deps.newId() })))
  await deps.db.execute(sql`select set_items(${campaignId}::uuid, ${workshopId}::uuid, ${itemsJson}::jsonb)`)
}

/** Totals of all public workshops that are not over. */
export async function countSeats(
  deps: Deps,
): Promise<{ published: number; taken: number; capacity: number; waitlisted: number }> {
  const [row] = await query<{ published: number; taken: number; capacity: number; waitlisted: number }>(
    deps.db,
    sql`select count(*)::int as published, coalesce(sum(taken), 0)::int as taken, coalesce(sum(capacity), 0)::int as capacity,
        coalesce(sum(waitlisted), 0)::int as waitlisted
        from workshops where state in ('published', 'closed') and ends_at > ${timestamptz(deps.now())}`,
  )
  return row ?? { published: 0, taken: 0, capacity: 0, waitlisted: 0 }
}

function selectWorkshops(deps: Deps) {
  return deps.db
    .select({
      ...getTableColumns(workshops),
      campaign: sql<Workshop['campaign']>`case when ${campaigns.id} is not null then
        json_build_object('slug', ${campaigns.slug}, 'title', ${campaigns.title}, 'state', ${campaigns.state}) end`,
      items: sql<Item[]>`coalesce(
        ${checklistJson(sql`i.workshop_id = ${workshops.id}`)}, ${checklistJson(sql`i.campaign_id = ${workshops.campaignId}`)}, '[]')`,
      hasOwnItems: sql<boolean>`exists (select 1 from checklist_items i where i.workshop_id = ${workshops.id})`,
      status: sql<WorkshopStatus>`${workshopStatus(deps.now())}`,
    })
    .from(workshops)
    .leftJoin(campaigns, eq(campaigns.id, workshops.campaignId))
    .$dynamic()
}

/** The checklist as JSON, null if it is empty. */
export function checklistJson(condition: SQL): SQL {
  return sql`(select json_agg(json_build_object(
      'id', i.id, 'kind', i.kind, 'text', i.text, 'url', i.url, 'mustConfirm', i.must_confirm
    ) order by i.position) from checklist_items i where ${condition})`
}

/** The status for a new sign-up at a moment. The cases are in the order of the refusals in functions/register.sql. */
function workshopStatus(now: Date): SQL {
  return sql`case
    when ${workshops.state} = 'cancelled' then 'cancelled'
    when ${timestamptz(now)} >= ${workshops.endsAt} then 'over'
    when ${workshops.state} = 'closed' or ${timestamptz(now)} >= ${workshops.closesAt} or ${timestamptz(now)} >= ${workshops.startsAt} then 'closed'
    when ${timestamptz(now)} < ${workshops.opensAt} then 'upcoming'
    when ${workshops.taken} < ${workshops.capacity} and ${workshops.waitlisted} = 0 then 'open'
    when ${workshops.waitlist} then 'waitlist'
    else 'full' end`
}

/** Undefined for an invalid cursor, so that the list starts from the beginning. */
function parseCursor(cursor: string): { startsAt: string; id: string } | undefined {
  const [startsAt = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const date = new Date(startsAt)
  // JavaScript has a year 0, Postgres does not.
  const isDate = /^[1-9]/.test(startsAt) && !Number.isNaN(date.getTime()) && date.toISOString() === startsAt
  return isDate && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? { startsAt, id } : undefined
}
