import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { at, rows } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import { believed, type DoorActor } from './door-sessions.ts'
import { consentVersion, type FieldProblem, fieldProblems, signUp } from './registrations.ts'
import type { Workshop } from './workshops.ts'

/*
 * Who comes without having signed up, or with a place in line only, and what becomes of the seats of those who did not
 * come. Decided by SQL functions in drizzle/functions.
 */

/** Whether somebody came to the door without having signed up: their consent was given by word. */
export function cameToTheDoor({ consentVersion }: { consentVersion: string }): boolean {
  return consentVersion.endsWith('-door')
}

export type WalkIn = { name: string; phone?: string | undefined }

/** Checks name and phone of somebody who comes without having signed up; the phone as the workshop asks for it. */
export function parseWalkIn(
  input: unknown,
  { phone }: Pick<Workshop, 'phone'>,
): { walkIn: WalkIn } | { problems: FieldProblem[] } {
  const parsed = z.object({ name: signUp.shape.name, phone: signUp.shape.phone }).safeParse(input)
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
 * @param cameAt by the phone's own time
 */
export async function walkIn(
  deps: Deps,
  door: DoorActor,
  { name, phone }: WalkIn,
  nonce: string,
  cameAt: Date,
): Promise<WalkInResult> {
  const [answer] = await rows<{ outcome: WalkInResult['outcome']; id: string; place: number | null }>(
    deps.db,
    sql`select * from walk_in(
      ${nonce}::uuid, ${nonce}::uuid, ${door.workshopId}::uuid, ${name}, ${phone ?? null}::text,
      ${deps.config.defaultLocale}, ${`${consentVersion}-door`}, ${at(believed(deps, cameAt))}, ${door.sessionId ?? null}::uuid, ${door.name},
      ${at(deps.now())}
    )`,
  )
  if (answer?.outcome === 'in') return { outcome: 'in', registration: answer.id, checkIn: nonce }
  if (answer?.outcome === 'standing') return { outcome: 'standing', registration: answer.id, place: answer.place ?? 1 }
  return { outcome: answer?.outcome ?? 'not_found' }
}

/** `not_waiting`: they have a seat, or are cancelled. */
export type StandResult = { outcome: 'standing'; place: number } | { outcome: 'left' | 'not_waiting' | 'not_found' }

/** Somebody who waits for a seat stands at the door, and is served there in the order in which people came. */
export async function standAtDoor(deps: Deps, door: DoorActor, registration: string): Promise<StandResult> {
  return stand(deps, door, registration, true)
}

/** Somebody who stood at the door has left. Who had signed up keeps the place in line, who had not is gone. */
export async function leaveDoor(deps: Deps, door: DoorActor, registration: string): Promise<StandResult> {
  return stand(deps, door, registration, false)
}

async function stand(deps: Deps, door: DoorActor, registration: string, stands: boolean): Promise<StandResult> {
  const [answer] = await rows<{ outcome: StandResult['outcome']; place: number | null }>(
    deps.db,
    sql`select * from stand_at_door(
      ${door.workshopId}::uuid, ${registration}::uuid, ${stands}, ${at(deps.now())}, ${at(deps.now())}
    )`,
  )
  if (answer?.outcome === 'standing') return { outcome: 'standing', place: answer.place ?? 1 }
  return { outcome: answer?.outcome ?? 'not_found' }
}

/**
 * Once the workshop has started: gives free seats, and after its grace time those of people who did not come, to those who
 * stand at the door, and checks them in. Gives them in the order in which they came. To be called whenever a door sends
 * something; it costs a look where nobody stands there.
 */
export async function seatStanding(deps: Deps, door: DoorActor): Promise<{ id: string; name: string }[]> {
  const [standing] = await rows(
    deps.db,
    sql`select 1 from registrations
        where workshop_id = ${door.workshopId}::uuid and status = 'waitlisted' and walk_in_at is not null limit 1`,
  )
  if (!standing) return []
  const seated = await rows<{ id: string; name: string }>(
    deps.db,
    sql`select * from seat_standing(${door.workshopId}::uuid, ${door.sessionId ?? null}::uuid, ${door.name}, ${at(deps.now())})`,
  )
  if (seated.length > 0) deps.mailOwed()
  return seated
}

/** Whether somebody who comes now without having signed up finds a seat; else they may stand at the door. As in functions/walk_in.sql. */
export function mayWalkIn(
  workshop: Pick<Workshop, 'capacity' | 'taken' | 'waitlisted' | 'startsAt'>,
  { standing }: { standing: number },
  now: Date,
): boolean {
  return workshop.taken < workshop.capacity && (now < workshop.startsAt ? workshop.waitlisted : standing) === 0
}

/** The place of somebody among those who stand at the door, counted from 1; undefined for who does not. */
export async function placeAtDoor(deps: Deps, registration: string): Promise<number | undefined> {
  const [answer] = await rows<{ place: number | null }>(
    deps.db,
    sql`select place_at_door(r) as place from registrations r where r.id = ${registration}::uuid`,
  )
  return answer?.place ?? undefined
}
