import type { Context } from 'hono'
import type { DoorActor, DoorSession } from '../../domain/door/sessions.ts'
import { findWorkshopById, type Workshop } from '../../domain/workshops/workshops.ts'
import { type App, TooManyRequestsError } from '../../http/context.ts'

/** The requesting door session with its current workshop. */
export type DoorContext = { session: DoorSession; actor: DoorActor; workshop: Workshop }

/**
 * The requesting door session.
 * @throws {TooManyRequestsError} above the rate limit of a door
 * @throws if there is no door session (authorize() should have rejected the request)
 */
export async function requireDoorSession(c: Context<App>): Promise<DoorContext> {
  const { deps } = c.env
  const session = c.get('door')
  if (!session) throw new Error('no door session')
  const { ok, retryAfter } = await deps.rateLimit('door', session.id)
  if (!ok) throw new TooManyRequestsError(retryAfter)
  const workshop = (await findWorkshopById(deps, session.workshopId)) as Workshop
  return { session, workshop, actor: { name: session.name, sessionId: session.id, workshopId: workshop.id } }
}
