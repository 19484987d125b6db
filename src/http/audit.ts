import type { Context } from 'hono'
import { type Actor, type AuditInput, recordAudit } from '../domain/audit/log.ts'
import type { App } from './context.ts'

/**
 * The signed-in organiser or the API token of a request, by name.
 * @throws if the request is anonymous (authorize() should have rejected it)
 */
export function currentActor(c: Context<App>): Actor {
  const [organiser, token] = [c.get('organiser'), c.get('token')]
  if (organiser) return { name: organiser.name || organiser.email, organiserId: organiser.id }
  if (token) return { name: token.name, tokenId: token.id }
  throw new Error('an anonymous request reached a route that is audited')
}

/** Records an audit entry for the current actor. */
export async function audit(c: Context<App>, entry: AuditInput): Promise<void> {
  await recordAudit(c.env.deps, currentActor(c), entry)
}
