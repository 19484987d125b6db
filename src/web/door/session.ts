import type { Context } from 'hono'
import type { DoorActor, DoorSession } from '../../domain/door/sessions.ts'
import { findWorkshopById, type Workshop } from '../../domain/workshops/workshops.ts'
import { type App, TooManyRequestsError } from '../../http/context.ts'

/** A door that asks, and its workshop as it is now. */
export type DoorContext = { session: DoorSession; actor: DoorActor; workshop: Workshop }

/**
 * The door that asks.
 * @throws {TooManyRequestsError} when it asks more often than a door can
 * @throws for phones that are none, which the routes of doors do not let in
 */
export async function requireDoorSession(c: Context<App>): Promise<DoorContext> {
  const { deps } = c.env
  const session = c.get('door')
  if (!session) throw new Error('a phone that is no door did what only doors may')
  const { ok, retryAfter } = await deps.rateLimit('door', session.id)
  if (!ok) throw new TooManyRequestsError(retryAfter)
  const workshop = (await findWorkshopById(deps, session.workshopId)) as Workshop
  return { session, workshop, actor: { name: session.name, sessionId: session.id, workshopId: workshop.id } }
}
