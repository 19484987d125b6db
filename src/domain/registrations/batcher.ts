import { sql } from 'drizzle-orm'
import { type Database, databaseError, isDatabaseUnavailable, query, timestamptz } from '../../db/database.ts'
import type { RegistrationSource } from '../../db/schema.ts'
import { createBatcher } from '../../lib/batcher.ts'

/** Why a sign-up is refused: neither a seat nor the waitlist. */
export const refusals = [
  'already_registered',
  'full',
  'not_open',
  'closed',
  'cancelled',
  'idempotency_mismatch',
  'too_many',
  'not_found',
] as const
export type Refusal = (typeof refusals)[number]

/** One sign-up, as the SQL function `register` reads it. */
export type RegistrationEntry = {
  id: string
  workshop_id: string
  name: string
  email: string
  email_key: string
  phone: string | undefined
  company: string | undefined
  locale: string
  via: string | undefined
  ready: Record<string, boolean>
  consent_version: string
  source: RegistrationSource
  idempotency_key: string
  fingerprint: string
}

export type RegistrationResult =
  | {
      outcome: 'registered' | 'replayed'
      id: string
      ticket_version: number
      status: 'confirmed' | 'waitlisted' | 'offered'
      place: number | null
    }
  | { outcome: Refusal }

export type RegistrationBatcher = (entry: RegistrationEntry) => Promise<RegistrationResult>

/** One batcher per process: sign-ups that arrive while a statement is running share the next one. */
export function createRegistrationBatcher(db: Database, now: () => Date): RegistrationBatcher {
  return createBatcher(
    (entries) => registerEntries(db, now(), entries),
    (error, entries) => {
      // On a lock timeout, retry per workshop, so that one locked workshop delays only its own sign-ups.
      if (databaseError(error)?.code === lockNotAvailable)
        return Object.values(Object.groupBy(entries, byWorkshop)).map((group) => group ?? [])
      return isDatabaseUnavailable(error) ? [] : entries.map((entry) => [entry])
    },
  )
}

const lockNotAvailable = '55P03'
const byWorkshop = (entry: RegistrationEntry) => entry.workshop_id

/** Unbatched variant for Workers, which forbid sharing I/O between requests. */
export function createUnbatchedRegistrar(db: Database, now: () => Date): RegistrationBatcher {
  return async (entry) => (await registerEntries(db, now(), [entry]))[0] as RegistrationResult
}

async function registerEntries(db: Database, now: Date, entries: RegistrationEntry[]): Promise<RegistrationResult[]> {
  const input = JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))
  const resultRows = await query<(RegistrationResult | { outcome: 'deferred' }) & { n: number }>(
    db,
    sql`select * from register(${input}::jsonb, ${timestamptz(now)})`,
  )
  const results = resultRows.sort((a, b) => a.n - b.n)
  // The first entry of a person is always decided, so each recursion has fewer entries.
  const deferred = results.filter(({ outcome }) => outcome === 'deferred')
  const deferredResults =
    deferred.length > 0
      ? await registerEntries(
          db,
          now,
          deferred.map(({ n }) => entries[n] as RegistrationEntry),
        )
      : []
  return results.map((result) =>
    result.outcome === 'deferred' ? (deferredResults.shift() as RegistrationResult) : result,
  )
}
