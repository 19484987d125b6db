import type { Context } from 'hono'
import type { App } from '../context.ts'
import { type AuditDraft, recordAudit } from '../domain/audit.ts'

/** Writes down that whoever is signed in did something. */
export async function audited(c: Context<App>, entry: AuditDraft): Promise<void> {
  const organiser = c.get('organiser')
  if (!organiser) return
  await recordAudit(c.env.deps, { name: organiser.name, organiserId: organiser.id }, entry)
}
