import { asc, eq } from 'drizzle-orm'
import { checkIns, mails, registrations } from '../../../src/db/schema.ts'
import { type DoorActor, startDoorSession, workshopJoinCode } from '../../../src/domain/door/sessions.ts'
import type { Workshop } from '../../../src/domain/workshops/workshops.ts'
import { paths } from '../../../src/http/links.ts'
import type { World } from '../world.ts'

/** Starts a door session. Returns its actor and the cookie of the phone. */
export async function openDoorSession(
  world: World,
  workshop: Workshop,
  name = '东门',
): Promise<{ actor: DoorActor; Cookie: string; id: string }> {
  const result = await startDoorSession(world.deps, workshop, name, 'a phone of the test')
  if (result.kind === 'refused') throw new Error(`the door session was refused: ${result.refusal}`)
  const { session, token } = result
  return {
    actor: { name, sessionId: session.id, workshopId: workshop.id },
    Cookie: `door=${token}`,
    id: session.id,
  }
}

/** Path in the organiser's join QR code. */
export function joinPath(world: World, workshop: Workshop): string {
  return paths.doorJoin(workshopJoinCode(world.deps, workshop))
}

/** All check-ins of a registration by their own time, with outcome and helper. */
export async function listCheckIns(world: World, registration: string) {
  const { id, outcome, at, by } = checkIns
  return world.db
    .select({ id, outcome, at, by })
    .from(checkIns)
    .where(eq(checkIns.registrationId, registration))
    .orderBy(asc(at), asc(id))
}

/** State of a registration, who cancelled it, and the kinds of its mails in order. */
export async function registrationState(world: World, registration: string) {
  const [row] = await world.db.select().from(registrations).where(eq(registrations.id, registration))
  const mailRows = await world.db
    .select({ kind: mails.kind })
    .from(mails)
    .where(eq(mails.registrationId, registration))
    .orderBy(asc(mails.id))
  return { status: row?.status, cancelledBy: row?.cancelledBy, mails: mailRows.map(({ kind }) => kind) }
}
