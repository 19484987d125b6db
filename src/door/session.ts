import type { Context } from 'hono'
import { type App, TooMany } from '../context.ts'
import type { DoorActor, DoorSession } from '../domain/door-sessions.ts'
import { findWorkshopById, type Workshop } from '../domain/workshops.ts'

/** A door that asks, and its workshop as it is now. */
export type Door = { session: DoorSession; actor: DoorActor; workshop: Workshop }

/**
 * The door that asks.
 * @throws {TooMany} when it asks more often than a door can
 * @throws for phones that are none, which the routes of doors do not let in
 */
export async function doorOf(c: Context<App>): Promise<Door> {
  const { deps } = c.env
  const session = c.get('door')
  if (!session) throw new Error('a phone that is no door did what only doors may')
  const { ok, retryAfter } = await deps.limit('door', session.id)
  if (!ok) throw new TooMany(retryAfter)
  const workshop = (await findWorkshopById(deps, session.workshopId)) as Workshop
  return { session, workshop, actor: { name: session.name, sessionId: session.id, workshopId: workshop.id } }
}
