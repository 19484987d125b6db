import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { query, timestamptz } from '../../db/database.ts'
import type { RegistrationSource } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { consentVersion, type FieldProblem, fieldProblems, signUpSchema } from '../registrations/registrations.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { clampClientTime, type DoorActor } from './sessions.ts'

/*
 * Who comes without having signed up, or with a place in line only, and what becomes of the seats of those who did not
 * come. Decided by SQL functions in drizzle/functions.
 */

/** Whether somebody came to the door without having signed up. */
export function isWalkIn({ source }: { source: RegistrationSource | null }): boolean {
  return source === 'walk_in'
}

export type WalkIn = { name: string; phone?: string | undefined }

/** Checks name and phone of somebody who comes without having signed up; the phone as the workshop asks for it. */
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

/** `full`: no seat is free, and the workshop gives none of absent people away. `cancelled`: the workshop is. */
export type WalkInResult =
  | { outcome: 'in'; registration: string; checkIn: string }
  | { outcome: 'standing'; registration: string; place: number }
  | { outcome: 'full' | 'cancelled' | 'not_found' }

/**
 * Takes in somebody who comes without having signed up: a free seat, and they are checked in, or a place among those who
 * stand at the door. Their consent was given by word. They have no address and get no mail.
 * @param nonce a UUID made by the phone; the same one is answered the same again. Their registration has it for an id, so
 *   that a phone which was offline can tell what it did with them afterwards
 * @arrivedAt arrivedAt by the phone's own time
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

/** `not_waiting`: they have a seat, or are cancelled. */
export type DoorQueueResult = { outcome: 'standing'; place: number } | { outcome: 'left' | 'not_waiting' | 'not_found' }

/** Somebody who waits for a seat stands at the door, and is served there in the order in which people came. */
export async function joinDoorQueue(deps: Deps, door: DoorActor, registration: string): Promise<DoorQueueResult> {
  return updateDoorQueue(deps, door, registration, true)
}

/** Somebody who stood at the door has left. Who had signed up keeps the place in line, who had not is gone. */
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
 * Once the workshop has started: gives free seats, and after its grace time those of people who did not come, to those who
 * stand at the door, and checks them in. Gives them in the order in which they came. To be called whenever a door sends
 * something; it costs a look where nobody stands there.
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

/** Whether somebody who comes now without having signed up finds a seat; else they may stand at the door. As in functions/walk_in.sql. */
export function canAdmitWalkIn(
  workshop: Pick<Workshop, 'capacity' | 'taken' | 'waitlisted' | 'startsAt'>,
  { standing }: { standing: number },
  now: Date,
): boolean {
  return workshop.taken < workshop.capacity && (now < workshop.startsAt ? workshop.waitlisted : standing) === 0
}

/** The place of somebody among those who stand at the door, counted from 1; undefined for who does not. */
export async function doorQueuePosition(deps: Deps, registration: string): Promise<number | undefined> {
  const [result] = await query<{ place: number | null }>(
    deps.db,
    sql`select door_queue_position(r) as place from registrations r where r.id = ${registration}::uuid`,
  )
  return result?.place ?? undefined
}
