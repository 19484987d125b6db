import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { Canceller, RegistrationStatus, Text } from '../../db/schema.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { bulkMailIntervalSeconds } from '../mails/pacing.ts'
import type { Workshop } from '../workshops/workshops.ts'

/*
 * Attendance of a workshop and its closing by an organiser, and the overbooking suggested from past no-shows. Expected
 * attendees who were not checked in are no-shows, even if their seat was passed on to the door queue. Counts are computed on
 * demand, because phones that were offline may submit check-ins later.
 */

export type Attendance = {
  /** Attendees with a seat at the start, without walk-ins. */
  expected: number
  /** Checked in, including walk-ins. */
  came: number
  /** Walk-ins and waitlisted attendees from the door queue who were checked in. */
  walkIns: number
  /** Expected and not checked in. */
  noShows: number
  /** No-shows whose seat was passed on to the door queue. */
  passedOn: number
  /** Attendees with a seat who cancelled less than 24 hours before the start or later. */
  lateCancellations: number
}

/** Counts the attendance of a workshop. Before the start, everyone with a seat counts as a no-show. */
export async function countAttendance(deps: Deps, workshop: Pick<Workshop, 'id' | 'startsAt'>): Promise<Attendance> {
  const [counts] = await query<Attendance>(
    deps.db,
    sql`select ${attendanceCounts},
          count(*) filter (
            where r.cancelled_by = 'attendee' and r.seated_at is not null
              and r.cancelled_at > ${timestamptz(new Date(workshop.startsAt.getTime() - dayMs))}
          )::int as "lateCancellations"
        from registrations r ${checkInJoin}
        where r.workshop_id = ${workshop.id}::uuid`,
  )
  return counts as Attendance
}

const dayMs = 24 * 3600 * 1000

/** SQL condition: registration `r` held a seat at the start of the workshop. */
const isExpected = sql`(r.walk_in_at is null and (r.status = 'confirmed' or r.cancelled_by = 'absence'))`

/** SQL columns with the counts over registrations `r`, joined with `checkInJoin`. */
export const attendanceCounts = sql`
  count(*) filter (where ${isExpected})::int as expected,
  count(c.id)::int as came,
  count(c.id) filter (where r.walk_in_at is not null)::int as "walkIns",
  count(*) filter (where ${isExpected} and c.id is null)::int as "noShows",
  count(*) filter (where r.cancelled_by = 'absence' and c.id is null)::int as "passedOn"`

/**
 * Joins the valid check-in `c` of registration `r`, if any. `offset 0` forces a look-up per row, so that its speed does not
 * depend on planner statistics (ANALYZE).
 */
export const checkInJoin = sql`left join lateral (
  select i.id, i.at from check_ins i where i.registration_id = r.id and i.outcome = 'in' offset 0
) c on true`

/** Returns the time of a registration's valid check-in; undefined if not checked in. */
export async function findCheckInTime(deps: Deps, registrationId: string): Promise<Date | undefined> {
  const [checkIn] = await query<{ at: string | Date }>(
    deps.db,
    sql`select at from check_ins where registration_id = ${registrationId}::uuid and outcome = 'in'`,
  )
  return checkIn && new Date(checkIn.at)
}

/** From when on certificates and feedback are available: the end, or the closing of the attendance if earlier. */
export function effectiveEnd({ endsAt, attendanceClosedAt }: Pick<Workshop, 'endsAt' | 'attendanceClosedAt'>): Date {
  return attendanceClosedAt && attendanceClosedAt < endsAt ? attendanceClosedAt : endsAt
}

/** A no-show. The name is empty once erased. */
export type NoShow = {
  id: string
  seq: number
  name: string
  company: string | null
  status: RegistrationStatus
  cancelledBy: Canceller | null
  erased: boolean
}

/** Lists the no-shows in the order of sign-up. */
export async function listNoShows(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<NoShow[]> {
  return query<NoShow>(
    deps.db,
    sql`select r.id, r.seq, r.name, r.company, r.status, r.cancelled_by as "cancelledBy", r.erased_at is not null as erased
        from registrations r ${checkInJoin}
        where r.workshop_id = ${workshop.id}::uuid and ${isExpected} and c.id is null
        order by r.seq`,
  )
}

/** Counts the attendees to whom a thank-you mail can be sent, and returns the id of one, for a preview. */
export async function countEligibleForThankYou(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
): Promise<{ people: number; someone: string | undefined }> {
  const eligible = await query<{ id: string }>(deps.db, sql`select r.id ${eligibleForThankYou(workshop)}`)
  return { people: eligible.length, someone: eligible[0]?.id }
}

/** Checked in, with an address (walk-ins have none), and no thank-you mail yet, except one discarded by an undone check-in. */
function eligibleForThankYou(workshop: Pick<Workshop, 'id'>): SQL {
  return sql`
    from registrations r ${checkInJoin}
    where r.workshop_id = ${workshop.id}::uuid and c.id is not null and r.email <> '' and r.erased_at is null
      and (
        select 1 from mails m
        where m.registration_id = r.id and m.kind = 'afterwards'
          and (m.state <> 'dead' or m.reason is distinct from 'did_not_attend')
        limit 1
      ) is null
    order by r.seq`
}

/**
 * Why closing or reopening is refused. `closed`, `not_closed`: already in that state. `forgotten`: the registrations were
 * erased, so nothing can be corrected.
 */
export type AttendanceRefusal = 'not_started' | 'cancelled' | 'closed' | 'not_closed' | 'forgotten' | 'not_found'

/**
 * Closes the attendance of a workshop, possible from its start on. Audited.
 * @param thank whether to enqueue a thank-you mail to everyone who came and has an address, once per attendee
 * @returns the number of thank-you mails, or why it is refused
 */
export async function closeAttendance(
  deps: Deps,
  actor: Actor,
  workshop: Workshop,
  { thank }: { thank: boolean },
): Promise<{ kind: 'closed'; thanked: number } | { kind: 'refused'; refusal: AttendanceRefusal }> {
  const now = deps.now()
  if (workshop.state === 'draft') return { kind: 'refused', refusal: 'not_found' }
  if (workshop.state === 'cancelled') return { kind: 'refused', refusal: 'cancelled' }
  if (now < workshop.startsAt) return { kind: 'refused', refusal: 'not_started' }
  const thanked = await deps.db.transaction(async (db) => {
    const closed = await query(
      db,
      sql`update workshops set attendance_closed_at = ${timestamptz(now)}
          where id = ${workshop.id}::uuid and attendance_closed_at is null and state <> 'cancelled' returning id`,
    )
    if (closed.length === 0) return undefined
    const enqueued = thank ? await enqueueThankYouMails({ ...deps, db }, workshop) : 0
    const payload = { slug: workshop.slug, thanked: enqueued }
    await recordAudit({ ...deps, db }, actor, { action: 'attendance.closed', workshopId: workshop.id, payload })
    return enqueued
  })
  if (thanked === undefined) return { kind: 'refused', refusal: 'closed' }
  if (thanked > 0) deps.notifyMailQueue()
  return { kind: 'closed', thanked }
}

async function enqueueThankYouMails(deps: Deps, workshop: Workshop): Promise<number> {
  const intervalSeconds = bulkMailIntervalSeconds(deps)
  const enqueued = await query(
    deps.db,
    sql`insert into mails (registration_id, kind, payload, created_at, due_at)
        select r.id, 'afterwards',
          case when exists (select 1 from materials where workshop_id = ${workshop.id}::uuid)
            then '{"materials": true}'::jsonb else '{}'::jsonb end,
          ${timestamptz(deps.now())},
          ${timestamptz(deps.now())} + ${intervalSeconds}::float8 * interval '1 second' * (row_number() over (order by r.seq) - 1)
        ${eligibleForThankYou(workshop)}
        returning id`,
  )
  return enqueued.length
}

/** Reopens a closed attendance, until the registrations are erased. Audited. */
export async function reopenAttendance(
  deps: Deps,
  actor: Actor,
  workshop: Workshop,
): Promise<{ kind: 'reopened' } | { kind: 'refused'; refusal: AttendanceRefusal }> {
  if (!canReopenAttendance(deps, workshop)) return { kind: 'refused', refusal: 'forgotten' }
  return deps.db.transaction(async (db) => {
    const opened = await query(
      db,
      sql`update workshops set attendance_closed_at = null
          where id = ${workshop.id}::uuid and attendance_closed_at is not null returning id`,
    )
    if (opened.length === 0) return { kind: 'refused', refusal: 'not_closed' }
    const payload = { slug: workshop.slug }
    await recordAudit({ ...deps, db }, actor, { action: 'attendance.reopened', workshopId: workshop.id, payload })
    return { kind: 'reopened' }
  })
}

/** True until RETENTION_DAYS after the end of the workshop. */
export function canReopenAttendance({ now, config }: Deps, { endsAt }: Pick<Workshop, 'endsAt'>): boolean {
  return now().getTime() < endsAt.getTime() + config.retentionDays * dayMs
}

/** Counts of a workshop with closed attendance. */
export type PastAttendance = { title: Text; city: Text; expected: number; noShows: number }

/** Lists workshops with closed attendance and at least one expected attendee, newest first. */
export async function listPastAttendances(deps: Deps): Promise<PastAttendance[]> {
  return query<PastAttendance>(
    deps.db,
    sql`select w.title, w.city, n.expected, n."noShows"
        from workshops w
        cross join lateral (
          select ${attendanceCounts} from registrations r ${checkInJoin} where r.workshop_id = w.id offset 0
        ) n
        where w.attendance_closed_at is not null and w.state <> 'cancelled' and n.expected > 0
        order by w.starts_at desc
        limit ${maxPastWorkshops}`,
  )
}

/** Older workshops predict little, and would delay the form that shows the suggestion. */
const maxPastWorkshops = 100

/** The past workshops that a suggestion is based on: same title and city, same title, or all. */
export type SuggestionBasis = 'same' | 'title' | 'all'

export type OverbookingSuggestion =
  /** Not enough data. */
  | { kind: 'too_little'; workshops: number; expected: number }
  | {
      kind: 'suggested'
      basis: SuggestionBasis
      workshops: number
      expected: number
      noShows: number
      /** Share of no-shows with its 95 % confidence interval, between 0 and 1. */
      rate: { found: number; low: number; high: number }
      /** Number of seats that the suggestion is for. */
      seats: number
      /** Suggested number of registrations beyond the seats. */
      overbook: number
    }

/** Minimum data for a suggestion. */
export const minSample = { workshops: 3, expected: 30 }

/** Accepted probability that more attendees come than there are seats. */
export const maxRisk = 0.05

/**
 * Suggests how many people beyond the seats may be registered so that, with a probability of at least 95 %, no more come than
 * there are seats. Assumes that the next workshop is like the past ones.
 *
 * The rate is pooled over all workshops. Its interval is Wilson's (E. B. Wilson, JASA 22, 1927, recommended by Brown, Cai,
 * DasGupta, Statistical Science 16, 2001), with the number of people divided by the dispersion, because they are not
 * independent: rain affects all of them. The dispersion is Pearson's chi-square over its degrees of freedom, at least 1
 * (McCullagh, Nelder, Generalized Linear Models, 2nd ed., 4.5).
 *
 * The next number of no-shows is beta-binomial (Jeffreys' prior, Beta(½, ½)), which includes the uncertainty of the rate. Its
 * variance is increased by the variance between workshops; with a dispersion of 1 it is the posterior of Jeffreys' prior.
 * @param seats of the next workshop
 */
export function suggestOverbooking(
  past: readonly PastAttendance[],
  next: Pick<Workshop, 'title' | 'city'>,
  seats: number,
): OverbookingSuggestion {
  const sameTitle = past.filter(({ title }) => isSameText(title, next.title))
  const bases: [SuggestionBasis, readonly PastAttendance[]][] = [
    ['same', sameTitle.filter(({ city }) => isSameText(city, next.city))],
    ['title', sameTitle],
    ['all', past],
  ]
  const sufficient = bases.find(
    ([, sample]) => sample.length >= minSample.workshops && sumField(sample, 'expected') >= minSample.expected,
  )
  if (!sufficient) return { kind: 'too_little', workshops: past.length, expected: sumField(past, 'expected') }
  const [basis, sample] = sufficient
  const [expected, noShows] = [sumField(sample, 'expected'), sumField(sample, 'noShows')]
  const rate = noShows / expected
  const dispersion = estimateDispersion(sample, rate)
  return {
    ...{ kind: 'suggested', basis, workshops: sample.length, expected, noShows, seats },
    rate: { found: rate, ...wilsonInterval(rate, expected / dispersion) },
    overbook: maxOverbooking(seats, predictRate(expected, noShows, dispersion, expected / sample.length)),
  }
}

/** True if the texts are equal in at least one language. */
function isSameText(a: Text, b: Text): boolean {
  const plain = (text: string | undefined) => text?.trim().toLowerCase()
  return (['zh', 'en'] as const).some((language) => {
    const text = plain(a[language])
    return Boolean(text) && text === plain(b[language])
  })
}

function sumField(sample: readonly PastAttendance[], field: 'expected' | 'noShows'): number {
  return sample.reduce((total, workshop) => total + workshop[field], 0)
}

/** Variance between workshops relative to that of independent attendees. */
function estimateDispersion(sample: readonly PastAttendance[], rate: number): number {
  if (rate === 0 || rate === 1) return 1
  const chiSquare = sample.reduce(
    (total, { expected, noShows }) => total + (noShows - expected * rate) ** 2 / (expected * rate * (1 - rate)),
    0,
  )
  return Math.max(1, chiSquare / (sample.length - 1))
}

/** Wilson's 95 % interval. @param n effective number of independent people */
function wilsonInterval(rate: number, n: number): { low: number; high: number } {
  const z = 1.959964
  const middle = (rate + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

type Beta = { a: number; b: number }

/** The no-show rate of the next workshop: variance between workshops plus uncertainty of their mean. */
function predictRate(expected: number, noShows: number, dispersion: number, size: number): Beta {
  const mean = (noShows + 0.5) / (expected + 1)
  const between = size > 1 ? Math.min(0.99, (dispersion - 1) / (size - 1)) : 0
  const total = 1 / Math.min(0.99, between + dispersion / (expected + 2)) - 1
  return { a: mean * total, b: (1 - mean) * total }
}

/** Largest overbooking with an overflow probability of at most `maxRisk`, and at most the number of seats. */
function maxOverbooking(seats: number, rate: Beta): number {
  // Binary search: one more registration adds at most one no-show, so the risk never falls.
  let [safe, unsafe] = [0, seats + 1]
  while (unsafe - safe > 1) {
    const middle = Math.floor((safe + unsafe) / 2)
    if (overflowProbability(seats, middle, rate) <= maxRisk) safe = middle
    else unsafe = middle
  }
  return safe
}

/**
 * Probability that of `seats + over` people fewer than `over` are no-shows: the cumulative beta-binomial distribution.
 * Computed with logarithms, because the first terms may underflow.
 */
export function overflowProbability(seats: number, over: number, { a, b }: Beta): number {
  const n = seats + over
  let term = 0
  for (let i = 0; i < n; i++) term += Math.log((b + i) / (a + b + i))
  let total = 0
  for (let k = 0; k < over; k++) {
    total += Math.exp(term)
    term += Math.log(((n - k) * (a + k)) / ((k + 1) * (b + n - k - 1)))
  }
  return Math.min(1, total)
}
