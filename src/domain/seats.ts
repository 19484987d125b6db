import { sql } from 'drizzle-orm'
import { inBatches } from '../db/batches.ts'
import { at, type Database, isDatabaseAway, rows, uuids } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import type { SignUp } from './registrations.ts'
import { fingerprintOf, ticketOf } from './tickets.ts'
import { findWorkshop, type Workshop, type WorkshopChanged } from './workshops.ts'

/*
 * Who gets the last seat is decided by SQL functions in drizzle/functions: one statement each, under the lock of the
 * workshop's row, with counters that a trigger moves and a check that no code can pass. This file is how they are called.
 */

export const refusals = [
  'already_registered',
  'full',
  'not_open',
  'closed',
  'cancelled',
  'idempotency_mismatch',
  'not_found',
] as const
export type Refusal = (typeof refusals)[number]

export type Registered = {
  kind: 'registered'
  /** True where the same sign-up had come before and this is its answer once more. */
  replayed: boolean
  id: string
  status: 'confirmed' | 'waitlisted' | 'offered'
  /** Position on the waitlist, counted from 1; null with a seat. */
  position: number | null
  ticket: string
}

/**
 * Signs a person up for a workshop: a seat if one is free and nobody waits, else a place in line. To be waitlisted is a
 * success. The confirmation mail is owed from the same statement.
 * @param idempotencyKey made by the client; the same key with the same sign-up is answered again and stored once
 * @throws if the database is away; whether the sign-up was stored is then unknown, and the same key finds out
 */
export async function register(
  deps: Deps,
  workshop: Workshop,
  signUp: SignUp,
  idempotencyKey: string,
): Promise<Registered | { kind: 'refused'; refusal: Refusal }> {
  const emailKey = signUp.email.toLowerCase()
  const answer = await deps.desk({
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
    idempotency_key: idempotencyKey,
    fingerprint: fingerprintOf(
      deps.config.secret,
      JSON.stringify([emailKey, signUp.name, signUp.phone, signUp.company, signUp.ready]),
    ),
  })
  if (answer.outcome === 'registered' || answer.outcome === 'already_registered') deps.mailOwed()
  if (answer.outcome !== 'registered' && answer.outcome !== 'replayed') {
    return { kind: 'refused', refusal: answer.outcome }
  }
  return {
    kind: 'registered',
    replayed: answer.outcome === 'replayed',
    id: answer.id,
    status: answer.status,
    position: answer.place,
    ticket: ticketOf(deps.config.secret, { id: answer.id, version: answer.ticket_version }),
  }
}

/**
 * Cancels a registration and promotes the next in line, with a mail to both.
 * `over`: an attendee may cancel until the workshop starts, an organiser also after.
 */
export async function cancelRegistration(
  deps: Deps,
  id: string,
  by: 'attendee' | 'organiser',
): Promise<'cancelled' | 'already_cancelled' | 'over' | 'not_found'> {
  const [answer] = await rows<{ outcome: 'cancelled' | 'already_cancelled' | 'over' | 'not_found' }>(
    deps.db,
    sql`select outcome from cancel_registration(${id}::uuid, ${by}, ${at(deps.now())})`,
  )
  if (answer?.outcome === 'cancelled') deps.mailOwed()
  return answer?.outcome ?? 'not_found'
}

/** Cancels a workshop for good, with every registration to it; each of these people is owed a mail. */
export async function cancelWorkshop(deps: Deps, slug: string): Promise<WorkshopChanged> {
  const workshop = await findWorkshop(deps, slug)
  if (!workshop) return { kind: 'refused', refusal: 'not_found' }
  const [answer] = await rows<{ outcome: 'cancelled' | 'already_cancelled' | 'over' | 'not_found' }>(
    deps.db,
    sql`select outcome from cancel_workshop(${workshop.id}::uuid, ${at(deps.now())})`,
  )
  const outcome = answer?.outcome ?? 'not_found'
  if (outcome !== 'cancelled') return { kind: 'refused', refusal: outcome }
  deps.mailOwed()
  return { kind: 'changed', workshop: (await findWorkshop(deps, slug)) as Workshop }
}

/** Erases people: gives back the seats they still hold and empties the personal fields. Returns how many. */
export async function forgetPeople(deps: Deps, ids: readonly string[]): Promise<number> {
  const [answer] = await rows<{ forgotten: number }>(
    deps.db,
    sql`select forget_people(${uuids(ids)}, ${at(deps.now())}) as forgotten`,
  )
  if (answer?.forgotten) deps.mailOwed()
  return answer?.forgotten ?? 0
}

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
    (error) => !isDatabaseAway(error),
  )
}

/** A desk that shares nothing between requests, for Workers. */
export function openLonelyDesk(db: Database, now: () => Date): Desk {
  return async (entry) => (await registerAll(db, now(), [entry]))[0] as Answer
}

async function registerAll(db: Database, now: Date, entries: Entry[]): Promise<Answer[]> {
  const asked = JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))
  const answers = await rows<Answer & { n: number }>(db, sql`select * from register(${asked}::jsonb, ${at(now)})`)
  return answers.sort((a, b) => a.n - b.n)
}
