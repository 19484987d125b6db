import type { Context } from 'hono'
import { hasRole } from '../../domain/organisers/organisers.ts'
import type { App } from '../../http/context.ts'

/** Whether whoever is signed in may change anything. */
export function canEdit(c: Context<App>): boolean {
  const role = c.get('role')
  return role !== undefined && hasRole(role, 'organiser')
}
