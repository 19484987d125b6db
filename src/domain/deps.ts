import type { Database } from '../db/database.ts'
import type { Cache } from '../lib/cache.ts'
import type { Config } from '../lib/config.ts'
import type { RegistrationBatcher } from './registrations/batcher.ts'

/** What the service is given from outside: the seams for clock, ids, mail and the platform. */
export type Deps = {
  db: Database
  config: Config & { baseUrl: string; secret: string }
  /** True where the database lives inside this process: there, mails are shown at /mailbox. */
  embedded: boolean
  now(): Date
  /** A new UUID. Version 7 outside tests, so that rows are stored in the order in which they come. */
  newId(): string
  log: Log
  /** Where sign-ups are handed in: see db/desk.ts. */
  registrationBatcher: RegistrationBatcher
  /** Reads through a cache that is at most a second old. */
  cache: Cache
  /** Says that mails may be owed now; whoever delivers them wakes up. */
  notifyMailQueue(): void
  /** Counts a scan of a registration link, soon. */
  recordScan(code: string): void
  /** Takes one of the visits that `key` has left in `bucket`. */
  rateLimit(bucket: RateLimitName, key: string): Promise<{ ok: boolean; retryAfter: number }>
  /** A file of the site: stylesheet, script, picture, API docs. */
  readAsset(name: string): Promise<Response | undefined>
  /** Whether answers are to be compressed here, rather than by the platform in front. */
  compressResponses: boolean
  /** How many migrations this release knows. */
  expectedMigrations: number
  /** Told of every answer, where somebody counts them. */
  onResponse?(route: string | undefined, status: number, milliseconds: number): void
  /** Readings in the Prometheus text format, where somebody takes them. */
  renderMetrics?(): Promise<string>
}

export type Log = Record<'debug' | 'info' | 'warn' | 'error', (facts: Record<string, unknown>, message: string) => void>

/**
 * What is limited: signing up, asking for the work before that, having one's tickets mailed, changing one's registration,
 * taking a mailbox away from what was mailed to it, signing in, guessing tokens, letting a helper's phone in, what such a
 * phone asks, guessing numbers of certificates.
 */
export type RateLimitName =
  | 'register'
  | 'challenge'
  | 'find'
  | 'ticket'
  | 'erase'
  | 'sign_in'
  | 'token'
  | 'join'
  | 'door'
  | 'certificate'
