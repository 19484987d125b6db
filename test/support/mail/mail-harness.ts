import { sql } from 'drizzle-orm'
import { query } from '../../../src/db/database.ts'
import type { MailReason, MailState } from '../../../src/db/schema.ts'
import { describeReason } from '../../../src/domain/mails/outbox.ts'
import { deliverDueMails } from '../../../src/email/delivery.ts'
import { createPooledTransport, type Timeouts, type Transport } from '../../../src/email/transport.ts'
import { createWorld, type World } from '../world.ts'
import { type MailServer, startMailServer } from './smtp-server.ts'

/** In milliseconds, for servers that hang. Others use the production timeouts of 10 and 30 seconds. */
export const shortTimeouts: Timeouts = { connect: 200, socket: 500 }

export type MailHarness = AsyncDisposable & {
  world: World
  server: MailServer
  transport: Transport
  /** Registers this many people, each of whom gets a confirmation. */
  enqueueConfirmations(count: number): Promise<void>
  deliver(options?: Parameters<typeof deliverDueMails>[2]): ReturnType<typeof deliverDueMails>
  /** The same harness with a new transport and production timeouts. */
  reopenTransport(): Pick<MailHarness, 'deliver'>
  /** The mails in order, with the minutes from now until they are due, if pending. */
  storedMails(): Promise<{ state: MailState; attempt: number; minutes: number | null; reason: string | null }[]>
}

/** A world, a mail server and a transport between them. */
export async function createMailHarness(
  open: typeof createPooledTransport = createPooledTransport,
  credentials?: { user: string; password: string },
  overrides: {
    postgres?: boolean
    env?: Record<string, string>
    timeouts?: Timeouts
    server?: MailServer
    world?: World
  } = {},
): Promise<MailHarness> {
  const server = overrides.server ?? (await startMailServer(credentials))
  const world =
    overrides.world ??
    (await createWorld({
      postgres: overrides.postgres ?? false,
      env: { SMTP_URL: server.url, MAIL_FROM: 'workshops@example.org', ...overrides.env },
    }))
  const transports = [open(world.deps.config, overrides.timeouts) as Transport]
  const deliverWith = (transport: Transport) => (options?: Parameters<typeof deliverDueMails>[2]) =>
    deliverDueMails(world.deps, transport, options)
  const [transport] = transports as [Transport]
  return {
    world,
    server,
    transport,
    async enqueueConfirmations(count) {
      const workshop = await world.workshop({ capacity: count })
      await Promise.all(Array.from({ length: count }, () => world.register(workshop)))
    },
    deliver: deliverWith(transport),
    reopenTransport() {
      const newTransport = open(world.deps.config) as Transport
      transports.push(newTransport)
      return { deliver: deliverWith(newTransport) }
    },
    async storedMails() {
      const mailRows = await query<{
        state: MailState
        attempt: number
        due_at: string | Date
        reason: MailReason | null
        last_error: string | null
      }>(world.db, sql`select state, attempt, due_at, reason, last_error from mails order by id`)
      return mailRows.map(({ state, attempt, due_at, reason, last_error: lastError }) => ({
        state,
        attempt,
        minutes: state === 'pending' ? (new Date(due_at).getTime() - world.clock.now().getTime()) / 60_000 : null,
        reason: describeReason({ state, reason, lastError }),
      }))
    },
    async [Symbol.asyncDispose]() {
      for (const each of transports) each.close()
      if (!overrides.world) await world.close()
      if (!overrides.server) await server.stop().catch(() => {})
    },
  }
}
