import { sql } from 'drizzle-orm'
import { inBatches } from './batches.ts'
import { at, type Database, databaseError, isDatabaseAway, rows } from './database.ts'

/** Why a sign-up gets neither seat nor place in line. */
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

/** One sign-up as `register` in drizzle/functions reads it. */
export type Entry = {
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
  idempotency_key: string
  fingerprint: string
}

export type Answer =
  | {
      outcome: 'registered' | 'replayed'
      id: string
      ticket_version: number
      status: 'confirmed' | 'waitlisted' | 'offered'
      place: number | null
    }
  | { outcome: Refusal }

/** Where sign-ups are handed in. */
export type Desk = (entry: Entry) => Promise<Answer>

/** One desk for a whole process: sign-ups that arrive while a statement is in flight share the next one. */
export function openDesk(db: Database, now: () => Date): Desk {
  return inBatches(
    (entries) => registerAll(db, now(), entries),
    (error, entries) => {
      // A workshop that somebody keeps locked holds up its own people only.
      if (databaseError(error)?.code === lockNotAvailable)
        return Object.values(Object.groupBy(entries, byWorkshop)).map((group) => group ?? [])
      return isDatabaseAway(error) ? [] : entries.map((entry) => [entry])
    },
  )
}

const lockNotAvailable = '55P03'
const byWorkshop = (entry: Entry) => entry.workshop_id

/** A desk that shares nothing between requests, for Workers. */
export function openLonelyDesk(db: Database, now: () => Date): Desk {
  return async (entry) => (await registerAll(db, now(), [entry]))[0] as Answer
}

async function registerAll(db: Database, now: Date, entries: Entry[]): Promise<Answer[]> {
  const asked = JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))
  const found = await rows<(Answer | { outcome: 'undecided' }) & { n: number }>(
    db,
    sql`select * from register(${asked}::jsonb, ${at(now)})`,
  )
  const answers = found.sort((a, b) => a.n - b.n)
  // The first entry of a person is always decided, so that each time fewer are handed in again.
  const undecided = answers.filter(({ outcome }) => outcome === 'undecided')
  const later =
    undecided.length > 0
      ? await registerAll(
          db,
          now,
          undecided.map(({ n }) => entries[n] as Entry),
        )
      : []
  return answers.map((answer) => (answer.outcome === 'undecided' ? (later.shift() as Answer) : answer))
}
