import { type SQL, sql } from 'drizzle-orm'
import { query, uuidArray } from '../../db/database.ts'
import { discardReasons, type MailKind, type MailState, type RegistrationStatus } from '../../db/schema.ts'
import { localDate, parseDateTime } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import { reminderKey } from '../mails/reminders.ts'
import { countAnswers, type ItemAnswers } from '../registrations/readiness.ts'
import type { Workshop } from '../workshops/workshops.ts'

/*
 * What organisers and viewers see of a month, in counts: nothing here names a person. Every count is one statement that
 * reads what it counts once, so that it takes as long in a database that was never analysed.
 */

/** What is counted together: one workshop, those of a campaign, or those that are to come. */
export type StatsScope = {
  workshops: Workshop[]
  /** The campaign whose links count too. */
  campaignId?: string | undefined
  /** IANA name of the time zone in which a day begins. */
  timeZone: string
}

export type Statistics = {
  seats: SeatTotals
  /** Registrations of all time, by what they are now. */
  registrations: Record<RegistrationStatus, number> & { all: number }
  overTime: TimeSeries
  channels: ChannelStats[]
  /** Undefined where no link leads here. */
  funnel: Funnel | undefined
  /** Of those who hold a seat or wait for one. */
  readiness: ItemAnswers[]
  mails: MailCount[]
}

/** Of the workshops that are published or closed: drafts and cancelled ones have no seats to give. */
export type SeatTotals = { workshops: number; capacity: number; taken: number; waitlisted: number; boards: number }

/** When people signed up: each day, week (from Monday) or month from the first to the last, or to today. */
export type TimeSeries = { unit: 'day' | 'week' | 'month'; points: TimePoint[] }
/** `from`: the first day, 2026-12-01. `cancelled`: how many of those registrations were cancelled since. */
export type TimePoint = { from: string; registrations: number; cancelled: number }

/** What came of a registration link; `link` is null for those who came without one. */
export type ChannelStats = {
  link: { code: string; channel: string; active: boolean; expiresAt: Date | null } | null
  /** Null where the link leads elsewhere, to the whole campaign say, so that its scans tell nothing about this. */
  scans: number | null
  registrations: number
  /** How many of them hold a seat now. */
  seated: number
}

/** Of the links that lead here: how often they were scanned, who signed up with them, who of those holds a seat. */
export type Funnel = { scans: number; registrations: number; seated: number }

/** `failed`: dead, and not because it had become pointless. */
export type MailCount = { kind: MailKind; sent: number; owed: number; failed: number; pointless: number }

/** Counts a scope: one pass over its registrations, one over its mails, one over its answers. */
export async function computeStatistics(deps: Deps, scope: StatsScope): Promise<Statistics> {
  const [counted, mails, readiness] = await Promise.all([
    countRegistrations(deps, scope),
    countScopeMails(deps, scope),
    countAnswers(deps, scope.workshops, ['confirmed', 'waitlisted', 'offered']),
  ])
  return { seats: sumSeats(scope.workshops), ...counted, mails, readiness }
}

/** The seats of workshops in sum. */
export function sumSeats(workshops: Workshop[]): SeatTotals {
  const active = workshops.filter(({ state }) => state === 'published' || state === 'closed')
  return {
    workshops: active.length,
    capacity: sum(active, ({ capacity }) => capacity),
    taken: sum(active, ({ taken }) => taken),
    waitlisted: sum(active, ({ waitlisted }) => waitlisted),
    boards: sum(active, ({ boards }) => boards),
  }
}

/** Registrations by state, over time and by channel. */
export async function countRegistrations(
  deps: Deps,
  scope: StatsScope,
): Promise<Pick<Statistics, 'registrations' | 'overTime' | 'channels' | 'funnel'>> {
  const ids = uuidArray(scope.workshops.map(({ id }) => id))
  const [range] = await query<{ first: string | Date | null; last: string | Date | null }>(
    deps.db,
    sql`select min(created_at) as first, max(created_at) as last from registrations where workshop_id = any(${ids})`,
  )
  const isOngoing = scope.workshops.some(({ endsAt, state }) => endsAt > deps.now() && state !== 'cancelled')
  const { unit, starts } = range?.first
    ? splitIntoBuckets(
        localDate(new Date(range.first), scope.timeZone),
        localDate(isOngoing ? deps.now() : new Date(range.last as string | Date), scope.timeZone),
      )
    : { unit: 'day' as const, starts: [] }
  const groups = await query<Group>(
    deps.db,
    sql`select status, link_code as code, width_bucket(created_at, ${dayStarts(starts, scope.timeZone)}) as bucket,
          count(*)::int as n
        from registrations where workshop_id = any(${ids})
        group by 1, 2, 3`,
  )
  const count = (chosen: (group: Group) => boolean) => sum(groups.filter(chosen), ({ n }) => n)
  const points = starts.map((from): TimePoint => ({ from, registrations: 0, cancelled: 0 }))
  for (const { bucket, status, n } of groups) {
    // Whoever signs up between the two statements counts for the last day.
    const point = points[Math.max(0, bucket - 1)]
    if (!point) continue
    point.registrations += n
    if (status === 'cancelled') point.cancelled += n
  }
  const channels = await computeChannelStats(deps, scope, groups)
  const targeted = channels.filter(({ scans }) => scans !== null)
  return {
    registrations: {
      all: count(() => true),
      confirmed: count(({ status }) => status === 'confirmed'),
      waitlisted: count(({ status }) => status === 'waitlisted'),
      offered: count(({ status }) => status === 'offered'),
      cancelled: count(({ status }) => status === 'cancelled'),
    },
    overTime: { unit, points },
    channels,
    funnel:
      targeted.length > 0
        ? {
            scans: sum(targeted, ({ scans }) => scans ?? 0),
            registrations: sum(targeted, ({ registrations }) => registrations),
            seated: sum(targeted, ({ seated }) => seated),
          }
        : undefined,
  }
}

type Group = { status: RegistrationStatus; code: string | null; bucket: number; n: number }

/** The links that lead here and those that people came with, the most registrations first. */
async function computeChannelStats(
  deps: Deps,
  { workshops, campaignId }: StatsScope,
  groups: Group[],
): Promise<ChannelStats[]> {
  const codes = [...new Set(groups.flatMap(({ code }) => code ?? []))]
  const links = await query<{
    code: string
    channel: string
    active: boolean
    expires_at: string | Date | null
    scans: number | string
    here: boolean
  }>(
    deps.db,
    sql`with target_links as (
          select code from registration_links
          where campaign_id = ${campaignId ?? null}::uuid or workshop_id = any(${uuidArray(workshops.map(({ id }) => id))})
        )
        select code, channel, active, expires_at, scans, code in (select code from target_links) as here
        from registration_links
        where code in (select code from target_links)
          or code in (select jsonb_array_elements_text(${JSON.stringify(codes)}::jsonb))`,
  )
  const countByCode = (code: string | null) => {
    const own = groups.filter((group) => group.code === code)
    const holdsSeat = ({ status }: Group) => status === 'confirmed' || status === 'offered'
    return { registrations: sum(own, ({ n }) => n), seated: sum(own.filter(holdsSeat), ({ n }) => n) }
  }
  const channels = links.map(
    ({ code, channel, active, expires_at, scans, here }): ChannelStats => ({
      link: { code, channel, active, expiresAt: expires_at === null ? null : new Date(expires_at) },
      scans: here ? Number(scans) : null,
      ...countByCode(code),
    }),
  )
  const direct = countByCode(null)
  if (direct.registrations > 0) channels.push({ link: null, scans: null, ...direct })
  return channels.sort(
    (a, b) =>
      b.registrations - a.registrations ||
      (b.scans ?? 0) - (a.scans ?? 0) ||
      (a.link?.code ?? '').localeCompare(b.link?.code ?? '', 'en'),
  )
}

async function countScopeMails(deps: Deps, { workshops }: StatsScope): Promise<MailCount[]> {
  const counted = await query<StoredMailCount>(
    deps.db,
    sql`select m.kind, m.state, ${isObsolete} as pointless, count(*)::int as n
        from mails m join registrations r on r.id = m.registration_id
        where r.workshop_id = any(${uuidArray(workshops.map(({ id }) => id))})
        group by 1, 2, 3`,
  )
  return groupMailCounts(counted)
}

type StoredMailCount = { kind: MailKind; state: MailState; pointless: boolean; n: number }

function groupMailCounts(counted: StoredMailCount[]): MailCount[] {
  const counts = new Map<MailKind, MailCount>()
  for (const { kind, state, pointless, n } of counted) {
    const count = counts.get(kind) ?? { kind, sent: 0, owed: 0, failed: 0, pointless: 0 }
    const column = state === 'dead' ? (pointless ? 'pointless' : 'failed') : state === 'sent' ? 'sent' : 'owed'
    count[column] += n
    counts.set(kind, count)
  }
  return [...counts.values()].sort((a, b) => a.kind.localeCompare(b.kind, 'en'))
}

/** What became of the reminders of a workshop that are about the day on which it is now. */
export async function countReminders(deps: Deps, workshop: Workshop): Promise<MailCount[]> {
  const counted = await query<StoredMailCount>(
    deps.db,
    sql`select m.kind, m.state, ${isObsolete} as pointless, count(*)::int as n
        from registrations r
        cross join lateral (
          select kind, state, reason from mails m
          where m.registration_id = r.id and m.payload ->> 'occasion' = ${reminderKey(workshop)}
          offset 0
        ) m
        where r.workshop_id = ${workshop.id}::uuid
        group by 1, 2, 3`,
  )
  return groupMailCounts(counted)
}

/** Of a mail `m` that is dead: whether it was given up because it had become pointless, rather than refused. */
export const isObsolete = sql`coalesce(m.reason in (${sql.join(
  discardReasons.map((reason) => sql`${reason}`),
  sql`, `,
)}), false)`

/** Days up to two months, then weeks up to 62 of them, then months. Days as 2026-12-01, the last one included. */
export function splitIntoBuckets(first: string, last: string): { unit: TimeSeries['unit']; starts: string[] } {
  const days = Math.round((Date.parse(last) - Date.parse(first)) / dayMs) + 1
  const unit = days <= 62 ? 'day' : days <= 62 * 7 ? 'week' : 'month'
  const starts: string[] = []
  for (let start = bucketStart(unit, first); start <= last || starts.length === 0; start = nextBucket(unit, start))
    starts.push(start)
  return { unit, starts }
}

const dayMs = 24 * 3600 * 1000

function bucketStart(unit: TimeSeries['unit'], day: string): string {
  if (unit === 'month') return `${day.slice(0, 7)}-01`
  const daysSinceMonday = (new Date(day).getUTCDay() + 6) % 7
  return unit === 'week' ? addDays(day, -daysSinceMonday) : day
}

function nextBucket(unit: TimeSeries['unit'], start: string): string {
  if (unit !== 'month') return addDays(start, unit === 'week' ? 7 : 1)
  return bucketStart('month', addDays(start, 31))
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)
}

/** The moments at which days begin. Postgres is not asked, for it may know other time zones than Intl. */
function dayStarts(days: string[], timeZone: string): SQL {
  const moments = days.map((day) => (parseDateTime(`${day}T00:00`, timeZone) as Date).toISOString())
  return sql`${`{${moments.map((moment) => `"${moment}"`).join(',')}}`}::timestamptz[]`
}

/** Adds up what a measure says of each. */
export function sum<Item>(items: Item[], measure: (item: Item) => number): number {
  return items.reduce((total, item) => total + measure(item), 0)
}
