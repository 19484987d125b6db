import type { Context } from 'hono'
import { hasRole } from '../../domain/organisers/organisers.ts'
import type { App } from '../../http/context.ts'

/** Whether the signed-in organiser's role allows changes. */
export function canEdit(c: Context<App>): boolean {
  const role = c.get('role')
  return role !== undefined && hasRole(role, 'organiser')
}
