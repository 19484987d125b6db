import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { query, timestamptz } from '../../db/database.ts'
import type { RegistrationSource } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { consentVersion, type FieldProblem, fieldProblems, signUpSchema } from '../registrations/registrations.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { clampClientTime, type DoorActor } from './sessions.ts'

/*
 * Walk-ins, waitlisted attendees at the door, and the seats of no-shows that they may get. Decided by SQL functions in
 * drizzle/functions.
 */

/** True for attendees who came without having signed up. */
export function isWalkIn({ source }: { source: RegistrationSource | null }): boolean {
  return source === 'walk_in'
}

export type WalkIn = { name: string; phone?: string | undefined }

/** Parses name and phone of a walk-in; whether the phone is required depends on the workshop. */
export function parseWalkIn(
  input: unknown,
  { phone }: Pick<Workshop, 'phone'>,
): { walkIn: WalkIn } | { problems: FieldProblem[] } {
  const parsed = z.object({ name: signUpSchema.shape.name, phone: signUpSchema.shape.phone }).safeParse(input)
  const problems = parsed.success ? [] : fieldProblems(parsed.error)
  if (parsed.success && phone === 'required' && !parsed.data.phone) problems.push({ field: 'phone', code: 'missing' })
  if (!parsed.success || problems.length > 0) return { problems }
  return { walkIn: { name: parsed.data.name, phone: phone === 'no' ? undefined : parsed.data.phone } }
}

/** `full`: no seat is free, and the workshop does not reassign seats of no-shows. `cancelled`: the workshop is cancelled. */
export type WalkInResult =
  | { outcome: 'in'; registration: string; checkIn: string }
  | { outcome: 'standing'; registration: string; place: number }
  | { outcome: 'full' | 'cancelled' | 'not_found' }

/**
 * Registers a walk-in: checks them in if a seat is free, else adds them to the door queue. Consent is given verbally. They
 * have no address and get no mail.
 * @param nonce UUID chosen by the phone; makes the call idempotent. It becomes the id of the registration, so that a phone
 *   that was offline can refer to it in later entries
 * @param arrivedAt the phone's time
 */
export async function admitWalkIn(
  deps: Deps,
  door: DoorActor,
  { name, phone }: WalkIn,
  nonce: string,
  arrivedAt: Date,
): Promise<WalkInResult> {
  const [result] = await query<{ outcome: WalkInResult['outcome']; id: string; place: number | null }>(
    deps.db,
    sql`select * from register_walk_in(
      ${nonce}::uuid, ${nonce}::uuid, ${door.workshopId}::uuid, ${name}, ${phone ?? null}::text,
      ${deps.config.defaultLocale}, ${`${consentVersion}-door`}, ${timestamptz(clampClientTime(deps, arrivedAt))}, ${door.sessionId ?? null}::uuid, ${door.name},
      ${timestamptz(deps.now())}
    )`,
  )
  if (result?.outcome === 'in') return { outcome: 'in', registration: result.id, checkIn: nonce }
  if (result?.outcome === 'standing') return { outcome: 'standing', registration: result.id, place: result.place ?? 1 }
  return { outcome: result?.outcome ?? 'not_found' }
}

/** `not_waiting`: the registration has a seat or is cancelled. */
export type DoorQueueResult = { outcome: 'standing'; place: number } | { outcome: 'left' | 'not_waiting' | 'not_found' }

/** Adds a waitlisted attendee to the door queue, which is served in order of arrival. */
export async function joinDoorQueue(deps: Deps, door: DoorActor, registration: string): Promise<DoorQueueResult> {
  return updateDoorQueue(deps, door, registration, true)
}

/** Removes an attendee from the door queue. Waitlisted ones keep their position; a walk-in's registration is cancelled. */
export async function leaveDoorQueue(deps: Deps, door: DoorActor, registration: string): Promise<DoorQueueResult> {
  return updateDoorQueue(deps, door, registration, false)
}

async function updateDoorQueue(
  deps: Deps,
  door: DoorActor,
  registration: string,
  joins: boolean,
): Promise<DoorQueueResult> {
  const [result] = await query<{ outcome: DoorQueueResult['outcome']; place: number | null }>(
    deps.db,
    sql`select * from update_door_queue(
      ${door.workshopId}::uuid, ${registration}::uuid, ${joins}, ${timestamptz(deps.now())}, ${timestamptz(deps.now())}
    )`,
  )
  if (result?.outcome === 'standing') return { outcome: 'standing', place: result.place ?? 1 }
  return { outcome: result?.outcome ?? 'not_found' }
}

/**
 * Seats and checks in the door queue, in order of arrival, once the workshop has started: on free seats, and after the grace
 * period on those of no-shows. Returns the seated attendees. Called on every request of a door; one indexed query if the
 * queue is empty.
 */
export async function seatDoorQueue(deps: Deps, door: DoorActor): Promise<{ id: string; name: string }[]> {
  const [queued] = await query(
    deps.db,
    sql`select 1 from registrations
        where workshop_id = ${door.workshopId}::uuid and status = 'waitlisted' and walk_in_at is not null limit 1`,
  )
  if (!queued) return []
  const seated = await query<{ id: string; name: string }>(
    deps.db,
    sql`select * from seat_door_queue(${door.workshopId}::uuid, ${door.sessionId ?? null}::uuid, ${door.name}, ${timestamptz(deps.now())})`,
  )
  if (seated.length > 0) deps.notifyMailQueue()
  return seated
}

/** True if a walk-in would get a seat now, not a place in the door queue. Same rule as the SQL function in `admitWalkIn`. */
export function canAdmitWalkIn(
  workshop: Pick<Workshop, 'capacity' | 'taken' | 'waitlisted' | 'startsAt'>,
  { standing }: { standing: number },
  now: Date,
): boolean {
  return workshop.taken < workshop.capacity && (now < workshop.startsAt ? workshop.waitlisted : standing) === 0
}

/** Position in the door queue, counted from 1; undefined if not queued. */
export async function doorQueuePosition(deps: Deps, registration: string): Promise<number | undefined> {
  const [result] = await query<{ place: number | null }>(
    deps.db,
    sql`select door_queue_position(r) as place from registrations r where r.id = ${registration}::uuid`,
  )
  return result?.place ?? undefined
}
