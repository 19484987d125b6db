import { sql } from 'drizzle-orm'
import { rows } from '../../src/db/database.ts'
import type { MailState } from '../../src/db/schema.ts'
import { deliverDue } from '../../src/mail/delivery.ts'
import { openTransport, type Timeouts, type Transport } from '../../src/mail/transport.ts'
import { type MailServer, startMailServer } from './smtp.ts'
import { createWorld, type World } from './world.ts'

/** Milliseconds, for servers that hang; all others get the 10 and 30 seconds of real life. */
export const impatient: Timeouts = { connect: 200, socket: 500 }

export type Office = AsyncDisposable & {
  world: World
  server: MailServer
  transport: Transport
  /** Makes mails: each a confirmation for somebody else. */
  owe(count: number): Promise<void>
  deliver(options?: Parameters<typeof deliverDue>[2]): ReturnType<typeof deliverDue>
  /** The same office with another, patient transport. */
  reopened(): Pick<Office, 'deliver'>
  /** The mails in order; `minutes` from now until they are due, where they are. */
  stored(): Promise<{ state: MailState; attempt: number; minutes: number | null; reason: string | null }[]>
}

/** A world, a mail server and the way between them. */
export async function openOffice(
  open: typeof openTransport = openTransport,
  login?: { user: string; password: string },
  given: {
    postgres?: boolean
    env?: Record<string, string>
    timeouts?: Timeouts
    server?: MailServer
    world?: World
  } = {},
): Promise<Office> {
  const server = given.server ?? (await startMailServer(login))
  const world =
    given.world ??
    (await createWorld({
      postgres: given.postgres ?? false,
      env: { SMTP_URL: server.url, MAIL_FROM: 'workshops@example.org', ...given.env },
    }))
  const transports = [open(world.deps.config, given.timeouts) as Transport]
  const deliverBy = (transport: Transport) => (options?: Parameters<typeof deliverDue>[2]) =>
    deliverDue(world.deps, transport, options)
  const [transport] = transports as [Transport]
  return {
    world,
    server,
    transport,
    async owe(count) {
      const workshop = await world.workshop({ capacity: count })
      await Promise.all(Array.from({ length: count }, () => world.register(workshop)))
    },
    deliver: deliverBy(transport),
    reopened() {
      const again = open(world.deps.config) as Transport
      transports.push(again)
      return { deliver: deliverBy(again) }
    },
    async stored() {
      const found = await rows<{
        state: MailState
        attempt: number
        due_at: string | Date
        reason: string | null
      }>(world.db, sql`select state, attempt, due_at, reason from mails order by id`)
      return found.map(({ state, attempt, due_at, reason }) => ({
        state,
        attempt,
        minutes: state === 'pending' ? (new Date(due_at).getTime() - world.clock.now().getTime()) / 60_000 : null,
        reason,
      }))
    },
    async [Symbol.asyncDispose]() {
      for (const each of transports) each.close()
      if (!given.world) await world.close()
      if (!given.server) await server.stop().catch(() => {})
    },
  }
}
