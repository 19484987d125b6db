import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import type { Database } from '../../../src/db/database.ts'
import {
  createEntry,
  deriveSecrets,
  type Entry,
  type FilledRelease,
  fillRelease,
  type RegisterAnswer,
  type Release,
  type StoredPerson,
} from './first-release.ts'

/*
 * The base release: upgrades from it run while it serves. Its database, and processes that go on using it, with the SQL of
 * that release and without code from src. Never changed.
 */

const baseRelease: Release = {
  migrations: 11,
  functions: 'base-release.sql',
  erase: 'erase_people',
  messageDate: 'message_date',
  reply: 'last_error',
}

/** Turns an empty database into one of the base release, filled. */
export const fillBaseRelease = (db: Database, hundreds?: number) => fillRelease(db, baseRelease, hundreds)

/** Processes of the base release under load, with a connection for each part. */
export type Traffic = {
  /** Waits until each part of the traffic has run that many more statements. */
  waitForStatements(statements: number): Promise<void>
  stop(): Promise<{
    /** How many statements were answered. */
    statements: number
    /** Every error, also one after which it would have tried again. */
    failures: string[]
    /** The longest that anyone waited for a statement, in milliseconds. */
    slowest: { milliseconds: number; statement: string }
    /** Who was registered meanwhile. */
    people: StoredPerson[]
  }>
}

/**
 * Runs two processes of the base release: sign-ups in batches and their retries, cancelling, moving, correcting,
 * pages and tickets, scans, delivery of mail, an organiser who adds seats and changes the checklist.
 */
export function startTraffic(url: string, first: FilledRelease): Traffic {
  const { workshops, secret } = first
  const failures: string[] = []
  const people: StoredPerson[] = []
  const slowest = { milliseconds: 0, statement: '' }
  let statements = 0
  let stopped = false
  let listeners: (() => void)[] = []

  type Ask = <Row>(text: string, values: postgres.ParameterOrJSON<never>[]) => Promise<Row[]>
  const pick = <T>(list: T[]) => list[Math.floor(Math.random() * list.length)] as T

  async function serve(part: { done: number }, work: (ask: Ask) => Promise<unknown>) {
    const client = postgres(url, { max: 1, connect_timeout: 4, onnotice: () => {} })
    const ask: Ask = async (text, values) => {
      const begun = performance.now()
      try {
        return (await client.unsafe(text, values)) as never
      } catch (error) {
        const { code, message } = error as postgres.PostgresError
        // What is claimed are rows of `mails`: if these get a column meanwhile, nothing is claimed until the next round.
        if (!(text === statement.claim && code === '42804')) failures.push(`${code} ${message}: ${text.slice(0, 60)}`)
        return []
      } finally {
        const milliseconds = performance.now() - begun
        if (milliseconds > slowest.milliseconds) Object.assign(slowest, { milliseconds, statement: text.slice(0, 60) })
        statements++
        part.done++
        for (const look of listeners) look()
      }
    }
    while (!stopped) {
      await work(ask)
      // The processor is also that of the release that migrates.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await client.end()
  }

  const crowd = randomUUID().slice(0, 8)
  let newcomers = 0
  async function desk(ask: Ask) {
    const entries = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () =>
      createEntry(secret, pick(workshops), `${crowd}-${++newcomers}`),
    )
    const batch = [entries.map((entry, n) => ({ n, ...entry, source: 'web' })), now()]
    const answers = await ask<RegisterAnswer>(statement.register, batch)
    for (const { outcome } of answers) if (outcome !== 'registered') failures.push(`a sign-up was answered ${outcome}`)
    // Some never saw their answer and try again.
    if (Math.random() < 0.1 && answers.length > 0) {
      const again = await ask<RegisterAnswer>(statement.register, batch)
      for (const [i, { id, outcome }] of again.entries())
        if (outcome !== 'replayed' || id !== answers[i]?.id) failures.push(`a retry was answered ${outcome}`)
    }
    for (const { n, id, status } of answers.filter(({ outcome }) => outcome === 'registered')) {
      const { name, email, idempotency_key: key, slug } = entries[n] as Entry
      people.push({ id, slug, name, email, key, status, ...deriveSecrets(secret, id, 1) })
    }
  }

  async function attendee(ask: Ask) {
    const person = people.splice(Math.floor(Math.random() * people.length), 1)[0]
    if (!person) return ask(statement.page, [now(), now(), now(), now(), pick(workshops).slug])
    const moveTo = workshops.find(({ slug }) => slug === person.slug)?.moveTo
    const act = Math.random()
    if (act < 0.5) await ask(statement.cancel, [person.id, 'attendee', now()])
    else if (act < 0.8 && moveTo) await ask(statement.move, [person.id, moveTo, now()])
    else if (act < 0.9) await ask(statement.correct, [person.id, `c-${person.email}`, `c-${person.email}`, now()])
    else if (act < 0.95) await ask(statement.find, [now(), now(), person.email, now(), person.email, now()])
    else await ask(statement.forget, [`{${person.id}}`, 'attendee', now()])
  }

  async function reader(ask: Ask) {
    await ask(statement.page, [now(), now(), now(), now(), pick(workshops).slug])
    await ask(statement.ticket, [pick(first.people).id])
  }

  async function sender(ask: Ask) {
    const lease = new Date(Date.now() + 120_000).toISOString()
    const rate = Math.random() < 0.5 ? null : 1_000_000
    const claimed = await ask<{ id: string; attempt: number; state: string }>(statement.claim, [
      ...[20, rate, now(), lease, 'example.com'],
    ])
    for (const { id, attempt, state } of claimed)
      if (state === 'sending') await ask(statement.sent, [now(), id, attempt])
    await ask(statement.nextDue, [])
  }

  async function organiser(ask: Ask) {
    const { id } = pick(workshops)
    await ask(statement.moreSeats, [now(), id])
    await ask(statement.items, [
      id,
      [{ new_id: randomUUID(), kind: 'bring', text: { zh: '电脑' }, mustConfirm: false }],
    ])
    await ask(statement.scans, [[{ code: 'first22', scans: 3 }]])
  }

  const parts = [desk, desk, attendee, attendee, reader, reader, reader, sender, organiser].map((work) => {
    const part = { done: 0 }
    return { part, served: serve(part, work) }
  })
  return {
    async waitForStatements(more) {
      const goals = parts.map(({ part }) => ({ part, goal: part.done + more }))
      await new Promise<void>((resolve) => {
        const look = () => goals.every(({ part, goal }) => part.done >= goal) && resolve()
        listeners = [look]
        look()
      })
      listeners = []
    },
    async stop() {
      stopped = true
      await Promise.all(parts.map(({ served }) => served))
      return { statements, failures, slowest, people }
    },
  }
}

const now = () => new Date().toISOString()

const statement = {
  register: `select * from register($1::jsonb, $2::timestamptz)`,
  cancel: `select outcome from cancel_registration($1::uuid, $2, $3::timestamptz)`,
  move: `select outcome from move_registration($1::uuid, $2::uuid, $3::timestamptz)`,
  correct: `select * from correct_email($1::uuid, $2, $3, $4::timestamptz)`,
  forget: `select erase_people($1::uuid[], $2, $3::timestamptz) as forgotten`,
  find: `
    insert into mails (registration_id, kind, created_at, due_at)
    select r.id, 'found', $1::timestamptz, $2::timestamptz
    from registrations r join workshops w on w.id = r.workshop_id
    where r.email_key = $3 and r.status in ('confirmed', 'waitlisted', 'offered') and w.ends_at > $4::timestamptz
      and can_mail_ticket($5, $6::timestamptz)
    order by r.created_at desc
    limit 1`,
  claim: `
    select id, registration_id, kind, payload, state, attempt, created_at, first_tried_at, message_id, message_date
    from claim_mails($1::integer, $2::integer, $3::timestamptz, $4::timestamptz, $5)`,
  sent: `
    update mails set state = 'sent', sent_at = $1::timestamptz, reason = null, leased_until = null
    where id = $2 and attempt = $3 and state = 'sending'
    returning id`,
  nextDue: `select min(due_at) as due_at from mails where state in ('pending', 'sending')`,
  moreSeats: `
    update "workshops" set "capacity" = "capacity" + 1, "updated_at" = $1,
      "calendar_sequence" = "workshops"."calendar_sequence" + false::int
    where ("workshops"."id" = $2 and "workshops"."state" <> 'cancelled') returning "id"`,
  items: `select set_items(null::uuid, $1::uuid, $2::jsonb)`,
  scans: `
    update registration_links link set scans = link.scans + counted.scans
    from jsonb_to_recordset($1::jsonb) as counted (code text, scans int)
    where link.code = counted.code`,
  page: `
    select "workshops"."id", "workshops"."slug", "workshops"."campaign_id", "workshops"."title", "workshops"."city",
      "workshops"."venue", "workshops"."address", "workshops"."starts_at", "workshops"."ends_at", "workshops"."time_zone",
      "workshops"."opens_at", "workshops"."closes_at", "workshops"."capacity", "workshops"."boards",
      "workshops"."waitlist", "workshops"."phone", "workshops"."state", "workshops"."published_at", "workshops"."taken",
      "workshops"."waitlisted", "workshops"."next_seq", "workshops"."last_placed_at", "workshops"."calendar_sequence",
      "workshops"."created_at", "workshops"."updated_at",
      case when "campaigns"."id" is not null then json_build_object(
        'slug', "campaigns"."slug", 'title', "campaigns"."title", 'state', "campaigns"."state") end,
      coalesce(
        (select json_agg(json_build_object('id', i.id, 'kind', i.kind, 'text', i.text, 'url', i.url, 'mustConfirm',
          i.must_confirm) order by i.position) from checklist_items i where i.workshop_id = "workshops"."id"),
        (select json_agg(json_build_object('id', i.id, 'kind', i.kind, 'text', i.text, 'url', i.url, 'mustConfirm',
          i.must_confirm) order by i.position) from checklist_items i where i.campaign_id = "workshops"."campaign_id"),
        '[]'),
      case
        when "workshops"."state" = 'cancelled' then 'cancelled'
        when $1::timestamptz >= "workshops"."ends_at" then 'over'
        when "workshops"."state" = 'closed' or $2::timestamptz >= "workshops"."closes_at"
          or $3::timestamptz >= "workshops"."starts_at" then 'closed'
        when $4::timestamptz < "workshops"."opens_at" then 'upcoming'
        when "workshops"."taken" < "workshops"."capacity" and "workshops"."waitlisted" = 0 then 'open'
        when "workshops"."waitlist" then 'waitlist'
        else 'full' end
    from "workshops" left join "campaigns" on "campaigns"."id" = "workshops"."campaign_id"
    where "workshops"."slug" = $5`,
  ticket: `
    select "id", "workshop_id", "seq", "status", "first_status", "name", "email", "email_key", "phone", "company",
      "locale", "link_code", "ready", "consent_version", "consent_at", "idempotency_key", "first_workshop_id",
      "fingerprint", "ticket_version", "promoted_manually", "calendar_sequence_offset", "created_at", "placed_at", "moved_at",
      "seated_at", "cancelled_at", "cancelled_by", "erased_at",
      case when "status" = 'waitlisted' then (
        select count(*)::int from registrations ahead
        where ahead.workshop_id = "workshop_id" and ahead.status = 'waitlisted' and ahead.seq <= "seq"
      ) end
    from "registrations" where ("registrations"."id" = $1 and "registrations"."erased_at" is null)`,
}
