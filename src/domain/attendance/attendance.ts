import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { Canceller, RegistrationStatus, Text } from '../../db/schema.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { bulkMailIntervalSeconds } from '../mails/pacing.ts'
import type { Workshop } from '../workshops/workshops.ts'

/*
 * Who came, counted once an organiser says that nobody else comes. Whoever had a seat then and was not checked in is a
 * no-show, also where the seat went to somebody who stood at the door. A phone that was offline may still bring check-ins
 * after that: the counts are made when they are asked for, and follow.
 */

export type Attendance = {
  /** Who had a seat when it began: came, or did not. Walk-ins are not among them. */
  expected: number
  /** Checked in, walk-ins too. */
  came: number
  /** Of those who came: who had not signed up, or stood at the door without a seat. */
  walkIns: number
  /** Expected, and not checked in. */
  noShows: number
  /** Of the no-shows: whose seat went to somebody who stood at the door. */
  passedOn: number
  /** Seats given back by their attendees within a day before the start. */
  lateCancellations: number
}

/** Counts who came to a workshop. Before its start everyone with a seat still counts as not there. */
export async function countAttendance(deps: Deps, workshop: Pick<Workshop, 'id' | 'startsAt'>): Promise<Attendance> {
  const [counted] = await query<Attendance>(
    deps.db,
    sql`select ${attendanceCounts},
          count(*) filter (
            where r.cancelled_by = 'attendee' and r.seated_at is not null
              and r.cancelled_at > ${timestamptz(new Date(workshop.startsAt.getTime() - dayMs))}
          )::int as "lateCancellations"
        from registrations r ${checkInJoin}
        where r.workshop_id = ${workshop.id}::uuid`,
  )
  return counted as Attendance
}

const dayMs = 24 * 3600 * 1000

/** What is true of a registration `r` that held a seat when the workshop began. */
const isExpected = sql`(r.walk_in_at is null and (r.status = 'confirmed' or r.cancelled_by = 'absence'))`

/** What registrations `r`, with `checkedIn` beside them, tell of who came. Written down once, for one workshop and for many. */
export const attendanceCounts = sql`
  count(*) filter (where ${isExpected})::int as expected,
  count(c.id)::int as came,
  count(c.id) filter (where r.walk_in_at is not null)::int as "walkIns",
  count(*) filter (where ${isExpected} and c.id is null)::int as "noShows",
  count(*) filter (where r.cancelled_by = 'absence' and c.id is null)::int as "passedOn"`

/**
 * The check-in `c` of a registration `r`, if it has one that stands: each looked up, so that it takes as long in a database
 * that was never analysed.
 */
export const checkInJoin = sql`left join lateral (
  select i.id, i.at from check_ins i where i.registration_id = r.id and i.outcome = 'in' offset 0
) c on true`

/** When the check-in of a registration was that stands; undefined for who did not come. */
export async function findCheckInTime(deps: Deps, registrationId: string): Promise<Date | undefined> {
  const [found] = await query<{ at: string | Date }>(
    deps.db,
    sql`select at from check_ins where registration_id = ${registrationId}::uuid and outcome = 'in'`,
  )
  return found && new Date(found.at)
}

/** From when those who came are given certificates and asked: its end, or when its attendance was closed before that. */
export function effectiveEnd({ endsAt, attendanceClosedAt }: Pick<Workshop, 'endsAt' | 'attendanceClosedAt'>): Date {
  return attendanceClosedAt && attendanceClosedAt < endsAt ? attendanceClosedAt : endsAt
}

/** Somebody who was expected and did not come. Without a name once the person is erased. */
export type NoShow = {
  id: string
  seq: number
  name: string
  company: string | null
  status: RegistrationStatus
  cancelledBy: Canceller | null
  erased: boolean
}

/** Who was expected and did not come, in the order in which they signed up. */
export async function listNoShows(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<NoShow[]> {
  return query<NoShow>(
    deps.db,
    sql`select r.id, r.seq, r.name, r.company, r.status, r.cancelled_by as "cancelledBy", r.erased_at is not null as erased
        from registrations r ${checkInJoin}
        where r.workshop_id = ${workshop.id}::uuid and ${isExpected} and c.id is null
        order by r.seq`,
  )
}

/** How many who came can be thanked by mail and have not been, and the id of one of them, to show the letter by. */
export async function countEligibleForThankYou(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
): Promise<{ people: number; someone: string | undefined }> {
  const found = await query<{ id: string }>(deps.db, sql`select r.id ${eligibleForThankYou(workshop)}`)
  return { people: found.length, someone: found[0]?.id }
}

/** Walk-ins may have left no address, and nobody is thanked twice; who was not, because the check-in was taken back, may be. */
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
 * Why an attendance is not closed or reopened. `closed`, `not_closed`: it is already. `forgotten`: its people are, so that
 * nothing can be corrected any more.
 */
export type AttendanceRefusal = 'not_started' | 'cancelled' | 'closed' | 'not_closed' | 'forgotten' | 'not_found'

/**
 * Says that nobody else comes, after the start of a workshop, which is written down.
 * @param thank whether everyone who came and left an address is owed a mail about it, once for all times
 * @returns how many are thanked, or why it is refused
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

/** Owes the mail `afterwards`. Who had one is not thanked again when the attendance is closed again. */
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

/** Takes the closing back, which is written down, for as long as its people are known. */
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

/** Whether RETENTION_DAYS have not passed since the end of a workshop. */
export function canReopenAttendance({ now, config }: Deps, { endsAt }: Pick<Workshop, 'endsAt'>): boolean {
  return now().getTime() < endsAt.getTime() + config.retentionDays * dayMs
}

/** A workshop whose attendance is closed. */
export type PastAttendance = { title: Text; city: Text; expected: number; noShows: number }

/** All workshops whose attendance is closed and to which somebody was expected, the newest first. */
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

/** What was years ago tells little about the next time, and a form shall not wait for it. */
const maxPastWorkshops = 100

/** Which past workshops a suggestion rests on: those of the same title and city, of the same title, or all. */
export type SuggestionBasis = 'same' | 'title' | 'all'

export type OverbookingSuggestion =
  /** Nothing can be said of the next time. */
  | { kind: 'too_little'; workshops: number; expected: number }
  | {
      kind: 'suggested'
      basis: SuggestionBasis
      workshops: number
      expected: number
      noShows: number
      /** The share of no-shows, and where it lies in 95 of 100 cases. Between 0 and 1. */
      rate: { found: number; low: number; high: number }
      /** For how many seats this is. */
      seats: number
      /** How many more people than seats may be registered. */
      overbook: number
    }

/** What a suggestion needs at least. */
export const minSample = { workshops: 3, expected: 30 }

/** With at most this probability more people come than there are seats. */
export const maxRisk = 0.05

/**
 * How many more people than seats may be registered so that, with a probability of at least 95 %, no more come than there
 * are seats. What is counted on is that the next workshop is one of those that the figures are from.
 *
 * The rate is that of all no-shows together. Its interval is Wilson's (E. B. Wilson, JASA 22, 1927, recommended by Brown, Cai,
 * DasGupta, Statistical Science 16, 2001), for a number of people that is divided by the dispersion: people are not
 * independent of one another, it rains on all of them. The dispersion is Pearson's chi-square over its degrees of freedom,
 * and at least 1 (McCullagh, Nelder, Generalized Linear Models, 2nd ed., 4.5).
 *
 * The next number of no-shows is beta-binomial (Jeffreys' prior, Beta(½, ½)), which holds what is not known of the rate. Its
 * variance is raised to what workshops differ by, so that with a dispersion of 1 it is the posterior of Jeffreys' prior.
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
    ([, some]) => some.length >= minSample.workshops && sumField(some, 'expected') >= minSample.expected,
  )
  if (!sufficient) return { kind: 'too_little', workshops: past.length, expected: sumField(past, 'expected') }
  const [basis, some] = sufficient
  const [expected, noShows] = [sumField(some, 'expected'), sumField(some, 'noShows')]
  const found = noShows / expected
  const dispersion = estimateDispersion(some, found)
  return {
    ...{ kind: 'suggested', basis, workshops: some.length, expected, noShows, seats },
    rate: { found, ...wilsonInterval(found, expected / dispersion) },
    overbook: maxOverbooking(seats, predictRate(expected, noShows, dispersion, expected / some.length)),
  }
}

/** A text is the same as another that has it in one of the languages. */
function isSameText(one: Text, other: Text): boolean {
  const plain = (text: string | undefined) => text?.trim().toLowerCase()
  return (['zh', 'en'] as const).some((language) => {
    const text = plain(one[language])
    return Boolean(text) && text === plain(other[language])
  })
}

function sumField(some: readonly PastAttendance[], what: 'expected' | 'noShows'): number {
  return some.reduce((total, one) => total + one[what], 0)
}

/** How many times more the workshops differ than people who decide each for themselves would make them. */
function estimateDispersion(some: readonly PastAttendance[], rate: number): number {
  if (rate === 0 || rate === 1) return 1
  const square = some.reduce(
    (total, { expected, noShows }) => total + (noShows - expected * rate) ** 2 / (expected * rate * (1 - rate)),
    0,
  )
  return Math.max(1, square / (some.length - 1))
}

/** Wilson's interval of 95 %. @param n how many people, as if they were independent */
function wilsonInterval(rate: number, n: number): { low: number; high: number } {
  const z = 1.959964
  const middle = (rate + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

type Beta = { a: number; b: number }

/** The rate of the next workshop as a beta distribution: what workshops differ by, and what is not known of their mean. */
function predictRate(expected: number, noShows: number, dispersion: number, size: number): Beta {
  const mean = (noShows + 0.5) / (expected + 1)
  const between = size > 1 ? Math.min(0.99, (dispersion - 1) / (size - 1)) : 0
  const total = 1 / Math.min(0.99, between + dispersion / (expected + 2)) - 1
  return { a: mean * total, b: (1 - mean) * total }
}

/** The most people over the seats with whom too many come in at most 5 of 100 cases; at most as many as there are seats. */
function maxOverbooking(seats: number, rate: Beta): number {
  // One more who is registered adds at most one who does not come, so that the risk only rises.
  let [safe, unsafe] = [0, seats + 1]
  while (unsafe - safe > 1) {
    const middle = Math.floor((safe + unsafe) / 2)
    if (overflowProbability(seats, middle, rate) <= maxRisk) safe = middle
    else unsafe = middle
  }
  return safe
}

/**
 * The probability that of `seats + over` people fewer than `over` do not come: the beta-binomial distribution, summed up
 * from nobody on, as logarithms because the first of them may be smaller than any number.
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
