import { type SQL, sql } from 'drizzle-orm'
import { query, uuidArray } from '../../db/database.ts'
import { discardReasons, type MailKind, type MailState, type RegistrationStatus } from '../../db/schema.ts'
import { localDate, parseDateTime } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import { reminderKey } from '../mails/reminders.ts'
import { countAnswers, type ItemAnswers } from '../registrations/readiness.ts'
import type { Workshop } from '../workshops/workshops.ts'

/*
 * Counts for organisers and viewers, without personal data. Each count is one statement that reads its rows once, so its
 * speed does not depend on planner statistics (ANALYZE).
 */

/** What is counted: one workshop, those of a campaign, or all upcoming ones. */
export type StatsScope = {
  workshops: Workshop[]
  /** The campaign whose links are included. */
  campaignId?: string | undefined
  /** The IANA time zone that defines days. */
  timeZone: string
}

export type Statistics = {
  seats: SeatTotals
  /** All registrations by current status. */
  registrations: Record<RegistrationStatus, number> & { all: number }
  overTime: TimeSeries
  channels: ChannelStats[]
  /** Undefined if no link has a target in the scope. */
  funnel: Funnel | undefined
  /** Of registrations with a seat or on the waitlist. */
  readiness: ItemAnswers[]
  mails: MailCount[]
}

/** Published and closed workshops only. */
export type SeatTotals = { workshops: number; capacity: number; taken: number; waitlisted: number; boards: number }

/** Sign-ups per day, week (from Monday) or month, from the first to the last sign-up, or to today. */
export type TimeSeries = { unit: 'day' | 'week' | 'month'; points: TimePoint[] }
/** `from`: the first day, such as 2026-12-01. `cancelled`: how many of these registrations are cancelled now. */
export type TimePoint = { from: string; registrations: number; cancelled: number }

/** The registrations through a link; `link` is null for registrations without one. */
export type ChannelStats = {
  link: { code: string; channel: string; active: boolean; expiresAt: Date | null } | null
  /** Null if the target of the link is outside the scope, such as the whole campaign. */
  scans: number | null
  registrations: number
  /** Registrations that hold a seat now. */
  seated: number
}

/** Scans, registrations and seats held through all links with a target in the scope. */
export type Funnel = { scans: number; registrations: number; seated: number }

/** `failed`: rejected by a server. `obsolete`: discarded before it was sent. */
export type MailCount = { kind: MailKind; sent: number; queued: number; failed: number; obsolete: number }

/** One pass each over the registrations, mails and checklist answers of the scope. */
export async function computeStatistics(deps: Deps, scope: StatsScope): Promise<Statistics> {
  const [counted, mails, readiness] = await Promise.all([
    countRegistrations(deps, scope),
    countScopeMails(deps, scope),
    countAnswers(deps, scope.workshops, ['confirmed', 'waitlisted', 'offered']),
  ])
  return { seats: sumSeats(scope.workshops), ...counted, mails, readiness }
}

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

/** Registrations by status, over time and by channel. */
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
  const count = (predicate: (group: Group) => boolean) => sum(groups.filter(predicate), ({ n }) => n)
  const points = starts.map((from): TimePoint => ({ from, registrations: 0, cancelled: 0 }))
  for (const { bucket, status, n } of groups) {
    // A sign-up between the two statements counts for the last bucket.
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

/** The links with a target in the scope and those that registrations came through, most registrations first. */
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
    const count = counts.get(kind) ?? { kind, sent: 0, queued: 0, failed: 0, obsolete: 0 }
    const column = state === 'dead' ? (pointless ? 'obsolete' : 'failed') : state === 'sent' ? 'sent' : 'queued'
    count[column] += n
    counts.set(kind, count)
  }
  return [...counts.values()].sort((a, b) => a.kind.localeCompare(b.kind, 'en'))
}

/** The reminders for the current date of a workshop. */
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

/** SQL condition: the dead mail `m` was discarded before it was sent, rather than rejected by a server. */
export const isObsolete = sql`coalesce(m.reason in (${sql.join(
  discardReasons.map((reason) => sql`${reason}`),
  sql`, `,
)}), false)`

/** Days for up to 62 days, weeks for up to 62 weeks, else months. The dates are such as 2026-12-01, both inclusive. */
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

/** The moments at which days begin. Not computed in Postgres, whose time zone data may differ from that of Intl. */
function dayStarts(days: string[], timeZone: string): SQL {
  const moments = days.map((day) => (parseDateTime(`${day}T00:00`, timeZone) as Date).toISOString())
  return sql`${`{${moments.map((moment) => `"${moment}"`).join(',')}}`}::timestamptz[]`
}

export function sum<Item>(items: Item[], measure: (item: Item) => number): number {
  return items.reduce((total, item) => total + measure(item), 0)
}
