import { sql } from 'drizzle-orm'
import { type Database, databaseError, isDatabaseUnavailable, query, timestamptz } from '../../db/database.ts'
import type { RegistrationSource, SignUp } from '../../db/schema.ts'
import { createBatcher } from '../../lib/batcher.ts'
import type { Deps } from '../deps.ts'
import { createTicketToken, fingerprint } from '../tickets/signed-tokens.ts'
import type { Workshop } from '../workshops/workshops.ts'

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

export type Registered = {
  kind: 'registered'
  /** True if the same sign-up was registered before and this is a repeated request. */
  replayed: boolean
  id: string
  status: 'confirmed' | 'waitlisted' | 'offered'
  /** Position on the waitlist, counted from 1; null with a seat. */
  position: number | null
  ticket: string
}

/**
 * Registers a person for a workshop: a seat if one is free and nobody is waitlisted, else the waitlist, which is a success
 * too. The confirmation mail is enqueued in the same statement.
 * @param idempotencyKey chosen by the client; a repeated sign-up with the same key returns the first registration
 * @throws if the database is unavailable. The sign-up may have been stored; a retry with the same key tells.
 */
export async function register(
  deps: Deps,
  workshop: Workshop,
  signUp: SignUp,
  idempotencyKey: string,
  source: RegistrationSource,
): Promise<Registered | { kind: 'refused'; refusal: Refusal }> {
  const emailKey = signUp.email.toLowerCase()
  const result = await deps.registrationBatcher({
    id: deps.newId(),
    workshop_id: workshop.id,
    name: signUp.name,
    email: signUp.email,
    email_key: emailKey,
    phone: workshop.phone === 'no' ? undefined : signUp.phone,
    company: signUp.company,
    locale: signUp.locale,
    via: signUp.via,
    ready: signUp.ready,
    consent_version: signUp.consentVersion,
    source,
    idempotency_key: idempotencyKey,
    fingerprint: fingerprint(
      deps.config.secret,
      JSON.stringify([emailKey, signUp.name, signUp.phone, signUp.company, signUp.ready]),
    ),
  })
  if (result.outcome === 'registered' || result.outcome === 'already_registered') deps.notifyMailQueue()
  if (result.outcome !== 'registered' && result.outcome !== 'replayed') {
    return { kind: 'refused', refusal: result.outcome }
  }
  return {
    kind: 'registered',
    replayed: result.outcome === 'replayed',
    id: result.id,
    status: result.status,
    position: result.place,
    ticket: createTicketToken(deps.config.secret, { id: result.id, version: result.ticket_version }),
  }
}
