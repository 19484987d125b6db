import { asc, eq } from 'drizzle-orm'
import { checkIns, mails, registrations } from '../../src/db/schema.ts'
import { type DoorActor, joinCode, openDoor } from '../../src/domain/door-sessions.ts'
import type { Workshop } from '../../src/domain/workshops.ts'
import { paths } from '../../src/links.ts'
import type { World } from './world.ts'

/** Opens a door of a workshop: as who its helper acts, and the cookie of the phone. */
export async function newDoor(
  world: World,
  workshop: Workshop,
  name = '东门',
): Promise<{ actor: DoorActor; Cookie: string; id: string }> {
  const opened = await openDoor(world.deps, workshop, name, 'a phone of the test')
  if (opened.kind === 'refused') throw new Error(`the door was refused: ${opened.refusal}`)
  const { session, token } = opened
  return {
    actor: { name, sessionId: session.id, workshopId: workshop.id },
    Cookie: `door=${token}`,
    id: session.id,
  }
}

/** The address that the organiser's QR says. */
export function joinPath(world: World, workshop: Workshop): string {
  return paths.joinDoor(joinCode(world.deps, workshop))
}

/** Every scan of somebody, in the order of its own time: what it counts for, when and by whom. */
export async function scansOf(world: World, registration: string) {
  const { id, outcome, at, by } = checkIns
  return world.db
    .select({ id, outcome, at, by })
    .from(checkIns)
    .where(eq(checkIns.registrationId, registration))
    .orderBy(asc(at), asc(id))
}

/** The state of a registration, who ended it, and the kinds of its mails in order. */
export async function standingOf(world: World, registration: string) {
  const [row] = await world.db.select().from(registrations).where(eq(registrations.id, registration))
  const owed = await world.db
    .select({ kind: mails.kind })
    .from(mails)
    .where(eq(mails.registrationId, registration))
    .orderBy(asc(mails.id))
  return { status: row?.status, cancelledBy: row?.cancelledBy, mails: owed.map(({ kind }) => kind) }
}
