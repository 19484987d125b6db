import { mailboxKeyOf } from '../../src/domain/tickets.ts'
import type { World } from './world.ts'

/** The cookie of a browser that has opened the printed link of /mailbox. */
export function mailboxCookie({ deps: { config } }: World): string {
  return `mailbox-${config.port}=${mailboxKeyOf(config.secret)}`
}

/** Requests a page of /mailbox from this machine, with the key. */
export function requestMailbox(world: World, path: string, init: RequestInit = {}, peer?: string): Promise<Response> {
  const headers = { Cookie: mailboxCookie(world), ...(init.headers as Record<string, string> | undefined) }
  return world.request(`http://localhost:3000${path}`, { ...init, headers }, peer)
}
