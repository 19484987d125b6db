import type { Context } from 'hono'
import { type Actor, type AuditInput, recordAudit } from '../domain/audit/log.ts'
import type { App } from './context.ts'

/**
 * Who asks, by name: an organiser who is signed in, or an API token.
 * @throws for visitors, whom the routes that name anybody do not let in
 */
export function currentActor(c: Context<App>): Actor {
  const [organiser, token] = [c.get('organiser'), c.get('token')]
  if (organiser) return { name: organiser.name || organiser.email, organiserId: organiser.id }
  if (token) return { name: token.name, tokenId: token.id }
  throw new Error('somebody who is not known did what only organisers may')
}

/** Writes down that whoever is signed in, or bears a token, did something. */
export async function audit(c: Context<App>, entry: AuditInput): Promise<void> {
  await recordAudit(c.env.deps, currentActor(c), entry)
}
