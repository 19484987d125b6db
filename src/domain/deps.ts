import type { Database } from '../db/database.ts'
import type { Cache } from '../lib/cache.ts'
import type { Config } from '../lib/config.ts'
import type { RegistrationBatcher } from './registrations/batcher.ts'

/** Dependencies of the service: database, clock, ids, mail and the platform. */
export type Deps = {
  db: Database
  config: Config & { baseUrl: string; secret: string }
  /** True with an in-process database (PGlite); mails are then shown at /mailbox. */
  embedded: boolean
  now(): Date
  /** Returns a new UUID. Version 7 outside tests, so that rows are stored in order of creation. */
  newId(): string
  log: Log
  /** Registers sign-ups in batches; see registrations/batcher.ts. */
  registrationBatcher: RegistrationBatcher
  /** Read-through cache with a TTL of one second. */
  cache: Cache
  /** Wakes the mail worker after mails were enqueued. */
  notifyMailQueue(): void
  /** Counts a scan of a registration link. Stored with a delay. */
  recordScan(code: string): void
  /** Consumes one point of `key`, such as an IP prefix, in the limit `name`. `retryAfter` in seconds. */
  rateLimit(name: RateLimitName, key: string): Promise<{ ok: boolean; retryAfter: number }>
  /** Reads a static file: stylesheet, script, picture, API docs. Undefined if there is none of this name. */
  readAsset(name: string): Promise<Response | undefined>
  /** True if responses are compressed here rather than by the platform. */
  compressResponses: boolean
  /** Number of migrations that this release contains. */
  expectedMigrations: number
  /** Called after every response; used for metrics. */
  onResponse?(route: string | undefined, status: number, milliseconds: number): void
  /** Renders the metrics in the Prometheus text format. */
  renderMetrics?(): Promise<string>
}

export type Log = Record<'debug' | 'info' | 'warn' | 'error', (facts: Record<string, unknown>, message: string) => void>

/**
 * Rate limits. `challenge`: proof-of-work challenges. `find`: requests for the mail with all tickets or a sign-in link.
 * `ticket`: changes on the ticket page. `email_change`: changing or erasing an address. `token`: unknown API tokens and
 * sign-in links. `join`: starting door sessions. `door`: requests of a door phone. `certificate`: certificate look-ups.
 */
export type RateLimitName =
  | 'register'
  | 'challenge'
  | 'find'
  | 'ticket'
  | 'email_change'
  | 'sign_in'
  | 'token'
  | 'join'
  | 'door'
  | 'certificate'
