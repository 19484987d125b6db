import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
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

/** Gives a phone the token that makes it a door, for as long as the door is open. */
export function keepToken(c: Context<App>, token: string, session: DoorSession): void {
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  // Kept a day longer than it is good, so that the phone is told that its door is closed, and not that it is none.
  const expires = new Date(session.expiresAt.getTime() + 24 * 3_600_000)
  setCookie(c, 'door', token, { path: '/', httpOnly: true, sameSite: 'Lax', secure, expires })
}
