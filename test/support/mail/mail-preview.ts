import { createMailboxKey } from '../../../src/domain/tickets/signed-tokens.ts'
import type { World } from '../world.ts'

/** The cookie of a browser that has opened the printed link to /mailbox. */
export function mailPreviewCookie({ deps: { config } }: World): string {
  return `mailbox-${config.port}=${createMailboxKey(config.secret)}`
}

/** Requests a /mailbox page from localhost with the key. */
export function requestMailPreview(
  world: World,
  path: string,
  init: RequestInit = {},
  peer?: string,
): Promise<Response> {
  const headers = { Cookie: mailPreviewCookie(world), ...(init.headers as Record<string, string> | undefined) }
  return world.request(`http://localhost:3000${path}`, { ...init, headers }, peer)
}
