import { createHash } from 'node:crypto'
import { and, eq, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { type Canceller, checkIns, type RegistrationStatus, type Text } from '../../db/schema.ts'
import { localDate } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import { buildSearchKey, storeSearchKeys } from '../registrations/name-search.ts'
import { createCheckInCode } from '../tickets/signed-tokens.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { clampClientTime, type DoorActor } from './sessions.ts'

/*
 * Check-ins are decided by SQL functions in drizzle/functions, under the lock of the workshop's row: of all scans of a person
 * the one with the earliest client time counts, in whatever order they arrive. This file calls these functions and reads the
 * list that door phones show.
 */

/** The check-in that counts. `by`: name of the helper or organiser; empty if seated from the door queue automatically. */
export type CountedCheckIn = { id: string; at: Date; by: string }

export type CheckInEntry = { id: string; registration: string; at: Date }

/** `again`: already checked in. `waitlisted`, `cancelled`: no seat. `elsewhere`: registered for another workshop. */
export type CheckInResult =
  | { id: string; outcome: 'in' | 'again'; checkedIn: CountedCheckIn | null }
  | { id: string; outcome: 'elsewhere'; workshop: OtherWorkshop }
  | { id: string; outcome: 'waitlisted' | 'cancelled' | 'not_found' }

export type OtherWorkshop = { title: Text; city: Text; startsAt: Date; endsAt: Date; timeZone: string }

type StoredCheckIn = {
  n: number
  outcome: CheckInResult['outcome']
  id: string | null
  at: string | Date | null
  by: string | null
  title: Text
  city: Text
  starts_at: string | Date
  ends_at: string | Date
  time_zone: string
}

/**
 * Checks attendees in to the workshop of a door. Idempotent by the id of an entry. Registrations for other workshops are not
 * checked in.
 * @param entries `at` is the phone's time, clamped to between twelve hours before the start and now
 */
export async function checkIn(deps: Deps, door: DoorActor, entries: readonly CheckInEntry[]): Promise<CheckInResult[]> {
  if (entries.length === 0) return []
  const input = JSON.stringify(
    entries.map(({ id, registration, at }, n) => ({ n, id, registration, at: clampClientTime(deps, at) })),
  )
  const results = await query<StoredCheckIn>(
    deps.db,
    sql`select i.*, w.title, w.city, w.starts_at, w.ends_at, w.time_zone
        from check_in(${door.workshopId}::uuid, ${input}::jsonb, ${door.sessionId ?? null}::uuid, ${door.name}, ${timestamptz(deps.now())}) i
        left join workshops w on w.id = i.workshop
        order by i.n`,
  )
  deps.notifyMailQueue()
  return results.map(({ n, outcome, ...row }) => {
    const { id } = entries[n] as CheckInEntry
    if (outcome === 'in' || outcome === 'again') return { id, outcome, checkedIn: parseCheckedIn(row) }
    if (outcome !== 'elsewhere') return { id, outcome }
    const { title, city, time_zone: timeZone } = row
    const workshop = { title, city, startsAt: new Date(row.starts_at), endsAt: new Date(row.ends_at), timeZone }
    return { id, outcome, workshop }
  })
}

export type UndoEntry = { id: string; checkIn: string; at: Date }

/**
 * `not_in`: already undone by another helper or organiser. With `undone`, `checkedIn` is the scan of another door that still counts.
 */
export type UndoResult = {
  id: string
  outcome: 'undone' | 'not_in' | 'not_found'
  checkedIn: CountedCheckIn | null
}

/**
 * Undoes check-ins, each with all other scans of the person by the same door. If none of another door counts, a walk-in
 * admitted by that check-in is cancelled and the seat goes to the waitlist.
 */
export async function undoCheckIns(deps: Deps, door: DoorActor, entries: readonly UndoEntry[]): Promise<UndoResult[]> {
  if (entries.length === 0) return []
  const input = JSON.stringify(
    entries.map(({ checkIn, at }, n) => ({ n, check_in: checkIn, at: clampClientTime(deps, at) })),
  )
  const results = await query<StoredCheckIn & { outcome: UndoResult['outcome'] }>(
    deps.db,
    sql`select * from undo_check_in(${door.workshopId}::uuid, ${input}::jsonb, ${door.name}, ${timestamptz(deps.now())}) order by n`,
  )
  deps.notifyMailQueue()
  return results.map(({ n, outcome, ...row }) => ({
    id: (entries[n] as UndoEntry).id,
    outcome,
    checkedIn: parseCheckedIn(row),
  }))
}

function parseCheckedIn({ id, at, by }: Pick<StoredCheckIn, 'id' | 'at' | 'by'>): CountedCheckIn | null {
  return id === null || at === null ? null : { id, at: new Date(at), by: by ?? '' }
}

/** A stored scan with its current outcome. */
export type Scan = {
  id: string
  registration: string
  outcome: 'in' | 'again' | 'undone'
  at: Date
  by: string
  receivedAt: Date
}

export async function findScan(deps: Deps, workshop: Pick<Workshop, 'id'>, id: string): Promise<Scan | undefined> {
  const [scan] = await deps.db
    .select({
      id: checkIns.id,
      registration: checkIns.registrationId,
      outcome: checkIns.outcome,
      at: checkIns.at,
      by: checkIns.by,
      receivedAt: checkIns.receivedAt,
    })
    .from(checkIns)
    .where(and(eq(checkIns.id, id), eq(checkIns.workshopId, workshop.id)))
  return scan
}

/** An attendee as door phones see them: without e-mail and ticket, with the end of the phone number. */
export type DoorPerson = {
  id: string
  seq: number
  name: string
  /** Pinyin search key of the name; see name-search.ts. */
  initials: string
  /** Last four digits of the phone number, or empty. */
  tail: string
  status: RegistrationStatus
  cancelledBy: Canceller | null
  /** In the door queue: present without a seat. */
  standing: boolean
  walkIn: boolean
  /** SHA-256 of the check-in code, by which a phone recognises the ticket's QR. Null without a ticket. */
  code: string | null
  /** Confirmed attendance for today. */
  coming: boolean
  checkedIn: CountedCheckIn | null
  board: { id: string; kind: string; serial: string } | null
}

type StoredPerson = {
  id: string
  seq: number
  name: string
  initials: string | null
  tail: string
  status: RegistrationStatus
  cancelled_by: Canceller | null
  walk_in_at: string | Date | null
  ticket_version: number
  walk_in: boolean
  has_ticket: boolean
  attendance_confirmed_for: string | null
  check_in: string | null
  at: string | Date | null
  by: string | null
  board: DoorPerson['board']
}

/** SQL condition: registration `r` is a walk-in. */
const isWalkInRow = sql`r.source is not distinct from 'walk_in'`

/** Lists the attendees of a workshop in the order of their numbers, without erased ones. */
export async function listDoorPeople(deps: Deps, workshop: Pick<Workshop, 'id' | 'timeZone'>): Promise<DoorPerson[]> {
  const stored = await selectDoorPeople(deps, workshop)
  const people = await Promise.all(stored.map((row) => parseDoorPerson(deps, workshop, row)))
  // Every phone requests the list every ten seconds, so never wait for locks here.
  const unindexed = people.filter((_, n) => stored[n]?.initials === null)
  await storeSearchKeys(deps, unindexed, 'skip')
  return people
}

export async function findDoorPerson(
  deps: Deps,
  workshop: Pick<Workshop, 'id' | 'timeZone'>,
  id: string,
): Promise<DoorPerson | undefined> {
  const [stored] = await selectDoorPeople(deps, workshop, id)
  return stored && parseDoorPerson(deps, workshop, stored)
}

async function selectDoorPeople(deps: Deps, workshop: Pick<Workshop, 'id'>, id?: string): Promise<StoredPerson[]> {
  return query<StoredPerson>(
    deps.db,
    sql`select r.id, r.seq, r.name, r.name_search as initials, coalesce(right(r.phone, 4), '') as tail, r.status, r.cancelled_by,
               r.walk_in_at, r.ticket_version, ${isWalkInRow} as walk_in, r.email <> '' as has_ticket, r.attendance_confirmed_for::text as attendance_confirmed_for,
               check_in.id as check_in, check_in.at, check_in.by, loan.board
        from registrations r
        left join lateral (
          select c.id, c.at, c.by from check_ins c where c.registration_id = r.id and c.outcome = 'in' limit 1
        ) check_in on true
        left join lateral (
          select json_build_object('id', b.id, 'kind', b.kind, 'serial', b.serial) as board
          from loans l cross join lateral (select * from boards b where b.id = l.board_id offset 0) b
          where l.registration_id = r.id and l.returned_at is null limit 1
        ) loan on true
        where r.workshop_id = ${workshop.id}::uuid and r.erased_at is null
          ${id === undefined ? sql`` : sql`and r.id = ${id}::uuid`}
        order by r.seq`,
  )
}

async function parseDoorPerson(
  deps: Deps,
  { timeZone }: Pick<Workshop, 'timeZone'>,
  row: StoredPerson,
): Promise<DoorPerson> {
  return {
    id: row.id,
    seq: row.seq,
    name: row.name,
    initials: row.initials ?? (await buildSearchKey(row.name)),
    tail: row.tail,
    status: row.status,
    cancelledBy: row.cancelled_by,
    standing: row.status === 'waitlisted' && row.walk_in_at !== null,
    walkIn: row.walk_in,
    code: row.has_ticket ? hashCheckInCode(deps, row) : null,
    coming: row.attendance_confirmed_for !== null && row.attendance_confirmed_for === localDate(deps.now(), timeZone),
    checkedIn: row.status === 'confirmed' ? parseCheckedIn({ id: row.check_in, at: row.at, by: row.by }) : null,
    board: row.board,
  }
}

function hashCheckInCode({ config }: Deps, { id, ticket_version: version }: StoredPerson): string {
  return createHash('sha256').update(createCheckInCode(config.secret, { id, version })).digest('base64url')
}

/** `seats`: that are held. `in`: of those, who came. `walkIns`: of these, who had not signed up. `standing`: without a seat. */
export type DoorCounts = { seats: number; in: number; walkIns: number; standing: number }

export async function countDoorPeople(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<DoorCounts> {
  const [counts] = await query<DoorCounts>(
    deps.db,
    sql`select count(*) filter (where r.status in ('confirmed', 'offered'))::int as seats,
               count(check_in.id)::int as "in",
               count(check_in.id) filter (where ${isWalkInRow})::int as "walkIns",
               count(*) filter (where r.status = 'waitlisted' and r.walk_in_at is not null)::int as standing
        from registrations r
        left join lateral (
          select c.id from check_ins c where c.registration_id = r.id and c.outcome = 'in' and r.status = 'confirmed' limit 1
        ) check_in on true
        where r.workshop_id = ${workshop.id}::uuid`,
  )
  return counts as DoorCounts
}
