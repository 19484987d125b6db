import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { type Database, query } from '../../../src/db/database.ts'
import { root } from '../processes/processes.ts'

/*
 * The first release as others run it: its database, and a process that goes on using it. All of it is written down here
 * as it was, with nothing of today's src, and none of it is ever changed.
 */

export type StoredPerson = {
  id: string
  slug: string
  name: string
  email: string
  key: string
  status: 'confirmed' | 'waitlisted'
  /** The secrets that were mailed. */
  ticket: string
  doorCode: string
}

export type FirstRelease = {
  secret: string
  /** An organiser's API token. */
  token: string
  workshops: { id: string; slug: string; moveTo: string | undefined }[]
  /** One registration link. */
  link: string
  /** Everyone who is live, in the order in which they came. */
  people: StoredPerson[]
  /** How many registrations there are. */
  stored: number
  /** A mail that a server put off twice, due again in an hour. */
  deferredMail: { id: string; messageId: string; person: StoredPerson }
}

/**
 * Makes an empty database one of the first release, with registrations to 12 workshops by its own function: moved,
 * cancelled, corrected and erased ones, mails in every state, links, tokens, a workshop that was called off.
 * @param hundreds how many hundred registrations
 */
export async function fillFirstRelease(db: Database, hundreds = 20): Promise<FirstRelease> {
  await install(db)
  const secret = 'the secret of an installation that has been running for a while'
  const token = `bm_${'first-release'.padEnd(43, '0')}`
  const now = new Date(Date.now() - 3600_000).toISOString()
  await db.execute(sql`
    insert into tokens (id, name, role, hash, created_at)
    values (gen_random_uuid(), 'first', 'organiser', ${createHash('sha256').update(token).digest('hex')}, ${now})`)
  const workshops = await createWorkshops(db, now)
  const [all, last] = [workshops.slice(0, -1), workshops.at(-1) as (typeof workshops)[number]]

  const people: StoredPerson[] = []
  for (let batch = 0; batch < hundreds; batch++) {
    const entries = Array.from({ length: 100 }, (_, i) => {
      const n = batch * 100 + i
      return createEntry(secret, n % 100 === 99 ? last : (all[n % all.length] as (typeof all)[number]), `first-${n}`)
    })
    const results = await query<RegisterAnswer>(
      db,
      sql`select * from register(${JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))}::jsonb, ${now}::timestamptz)`,
    )
    for (const { n, id, status, outcome } of results) {
      if (outcome !== 'registered') throw new Error(`the first release answered ${outcome}`)
      const { name, email, idempotency_key: key, slug } = entries[n] as Entry
      people.push({ id, slug, name, email, key, status, ...deriveSecrets(secret, id, 1) })
    }
  }
  const stored = people.length

  // Most mails went out. Others were refused, put off, or in the hands of a process that died.
  await db.execute(sql`
    update mails set attempt = 1, state = 'sent', sent_at = ${now}, first_tried_at = ${now}, dated_at = ${now},
      message_id = uid || '@example.com'`)
  await db.execute(sql`update mails set state = 'dead', sent_at = null, reason = 'RCPT TO: 550' where id % 100 = 1`)
  await db.execute(sql`
    update mails set state = 'sending', sent_at = null, leased_until = ${now}, due_at = ${now} where id % 100 = 2`)
  await db.execute(sql`
    update mails set state = 'pending', sent_at = null, attempt = 0, first_tried_at = null, dated_at = null, message_id = null
    where id % 100 = 3`)

  const registered = people.splice(0)
  for (const [n, person] of registered.entries()) {
    const action = n % 50
    const { moveTo } = workshops.find(({ slug }) => slug === person.slug) ?? {}
    if (action === 10) await db.execute(sql`select * from cancel_registration(${person.id}::uuid, 'attendee', ${now})`)
    else if (action === 20) await db.execute(sql`select forget_people(array[${person.id}::uuid], 'attendee', ${now})`)
    else if (action === 30 && n < 1000) {
      const email = `corrected-${person.email}`
      await db.execute(sql`select * from correct_email(${person.id}::uuid, ${email}, ${email}, ${now})`)
    } else if (action % 10 === 5 && n < 1000 && moveTo)
      await db.execute(sql`select * from move_registration(${person.id}::uuid, ${moveTo}::uuid, ${now})`)
    else if (person.slug !== last.slug) people.push(person)
  }
  await db.execute(sql`select * from cancel_workshop(${last.id}::uuid, ${now})`)

  const person = people[0] as StoredPerson
  const messageId = `${randomUUID()}@example.com`
  const [deferredMail] = await query<{ id: string | number }>(
    db,
    sql`update mails set state = 'pending', attempt = 2, sent_at = null, due_at = now() + interval '1 hour',
          reason = 'RCPT TO: 451', first_tried_at = ${now}, dated_at = ${now}, message_id = ${messageId}
        where registration_id = ${person.id}::uuid returning id`,
  )
  return {
    secret,
    token,
    workshops: all,
    link: 'first22',
    people,
    stored,
    deferredMail: { id: String(deferredMail?.id), messageId, person },
  }
}

/** The numbered migration, the functions and their bookkeeping. */
async function install(db: Database): Promise<void> {
  const file = '0000_the_first_tables.sql'
  const migration = readFileSync(join(root, 'drizzle', file), 'utf8')
  const [, ...functions] = readFileSync(join(root, 'test/support/databases/first-release.sql'), 'utf8').split(
    /^-- file (\w+)\.sql\n/m,
  )
  for (const text of [migration, ...functions.filter((_, i) => i % 2 === 1)])
    for (const statement of text.split('--> statement-breakpoint')) await db.execute(sql.raw(statement))

  await db.execute(sql`create schema drizzle`)
  await db.execute(
    sql`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
  )
  await db.execute(sql`
    create table drizzle.functions (name text primary key, revision integer not null, hash text not null)`)
  await db.execute(
    sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${sha256(migration)}, 1795513365947)`,
  )
  for (let i = 0; i < functions.length; i += 2)
    await db.execute(
      sql`insert into drizzle.functions (name, revision, hash) values (${functions[i]}, 1, ${sha256(functions[i + 1] as string)})`,
    )
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Twelve workshops in ten days, of which four are the cities of a campaign, with a checklist and links. */
async function createWorkshops(db: Database, now: string) {
  const campaign = randomUUID()
  const text = (zh: string, en: string) => JSON.stringify({ zh, en })
  await db.execute(sql`
    insert into campaigns (id, slug, title, summary, state, published_at, created_at, updated_at)
    values (${campaign}::uuid, 'first', ${text('入门培训', 'Beginners')}, ${text('动手', 'Hands-on')}, 'published', ${now}, ${now}, ${now})`)
  await db.execute(
    sql`select set_items(${campaign}::uuid, null, ${JSON.stringify([
      { new_id: randomUUID(), kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true },
      { new_id: randomUUID(), kind: 'bring', text: { zh: '笔记本电脑', en: 'Laptop' }, mustConfirm: false },
    ])}::jsonb)`,
  )
  const workshops = Array.from({ length: 12 }, (_, i) => ({ id: randomUUID(), slug: `first-${i + 1}` }))
  for (const [i, { id, slug }] of workshops.entries())
    await db.execute(sql`
      insert into workshops (
        id, slug, campaign_id, title, city, venue, address, starts_at, ends_at, time_zone, capacity, state, published_at,
        created_at, updated_at
      ) values (
        ${id}::uuid, ${slug}, ${i < 4 ? campaign : null}::uuid, ${text('入门培训', 'Beginners')}, ${text('上海', 'Shanghai')},
        ${text('张江', 'Zhangjiang')}, ${text('海科路', 'Haike Road')}, now() + interval '10 days',
        now() + interval '10 days 7 hours', 'Asia/Shanghai', 150, 'published', ${now}, ${now}, ${now}
      )`)
  await db.execute(sql`
    insert into registration_links (code, campaign_id, channel, created_at)
    values ('first22', ${campaign}::uuid, 'AI 周报', ${now}), ('first23', ${campaign}::uuid, 'poster', ${now})`)
  return workshops.map((workshop, i) => ({ ...workshop, moveTo: i < 4 ? workshops[(i + 1) % 4]?.id : undefined }))
}

type Entry = ReturnType<typeof createEntry>
type RegisterAnswer = { n: number; outcome: string; id: string; status: 'confirmed' | 'waitlisted' }

/** A sign-up as the desk of the first release handed it in. */
function createEntry(secret: string, workshop: { id: string; slug: string }, label: string) {
  const [name, email] = [`学员 ${label}`, `${label}@example.com`]
  return {
    id: randomUUID(),
    workshop_id: workshop.id,
    slug: workshop.slug,
    name,
    email,
    email_key: email,
    locale: 'zh-CN',
    via: 'first22',
    ready: {},
    consent_version: '2026-11-24',
    idempotency_key: `key-of-${label}`,
    fingerprint: hmac(secret, 'fingerprint', Buffer.from(JSON.stringify([email, name, undefined, undefined, {}])))
      .subarray(0, 16)
      .toString('base64url'),
  }
}

function deriveSecrets(secret: string, id: string, version: number): { ticket: string; doorCode: string } {
  const body = Buffer.from(`${id.replaceAll('-', '')}${version.toString(16).padStart(2, '0')}`, 'hex')
  const sign = (purpose: string, bytes: number) =>
    Buffer.concat([body, hmac(secret, purpose, body).subarray(0, bytes)]).toString('base64url')
  return { ticket: sign('ticket', 16), doorCode: sign('door', 12) }
}

const hmac = (secret: string, purpose: string, body: Buffer) =>
  createHmac('sha256', secret).update(`${purpose}:`).update(body).digest()

/** What a process of the first release does all the time, with a connection for each. */
export type Traffic = {
  /** Waits until each of its parts has done so many more statements. */
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
 * Lets two processes of the first release serve: sign-ups in batches and their retries, cancelling, moving, correcting,
 * pages and tickets, scans, delivery of mail, an organiser who adds seats and changes the checklist.
 */
export function startTraffic(url: string, first: FirstRelease): Traffic {
  const { workshops, secret } = first
  const failures: string[] = []
  const people: StoredPerson[] = []
  const slowest = { milliseconds: 0, statement: '' }
  let statementCount = 0
  let stopped = false
  let listeners: (() => void)[] = []

  type Ask = <Row>(text: string, values: postgres.ParameterOrJSON<never>[]) => Promise<Row[]>
  const pick = <T>(list: T[]) => list[Math.floor(Math.random() * list.length)] as T

  async function serve(part: { done: number }, work: (ask: Ask) => Promise<unknown>) {
    const client = postgres(url, { max: 1, connect_timeout: 4, onnotice: () => {} })
    const ask: Ask = async (text, values) => {
      const startedAt = performance.now()
      try {
        return (await client.unsafe(text, values)) as never
      } catch (error) {
        const { code, message } = error as postgres.PostgresError
        // What is claimed are rows of `mails`: if these get a column meanwhile, nothing is claimed until the next round.
        if (!(text === statements.claim && code === '42804')) failures.push(`${code} ${message}: ${text.slice(0, 60)}`)
        return []
      } finally {
        const milliseconds = performance.now() - startedAt
        if (milliseconds > slowest.milliseconds) Object.assign(slowest, { milliseconds, statement: text.slice(0, 60) })
        statementCount++
        part.done++
        for (const listener of listeners) listener()
      }
    }
    while (!stopped) {
      await work(ask)
      // The processor is also that of the release that migrates.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await client.end()
  }

  const runId = randomUUID().slice(0, 8)
  let signUpCount = 0
  async function registerBatch(ask: Ask) {
    const entries = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () =>
      createEntry(secret, pick(workshops), `${runId}-${++signUpCount}`),
    )
    const batch = [entries.map((entry, n) => ({ n, ...entry })), isoNow()]
    const results = await ask<RegisterAnswer>(statements.register, batch)
    for (const { outcome } of results) if (outcome !== 'registered') failures.push(`a sign-up was answered ${outcome}`)
    // Some never saw their answer and try again.
    if (Math.random() < 0.1 && results.length > 0) {
      const replayed = await ask<RegisterAnswer>(statements.register, batch)
      for (const [i, { id, outcome }] of replayed.entries())
        if (outcome !== 'replayed' || id !== results[i]?.id) failures.push(`a retry was answered ${outcome}`)
    }
    for (const { n, id, status } of results.filter(({ outcome }) => outcome === 'registered')) {
      const { name, email, idempotency_key: key, slug } = entries[n] as Entry
      people.push({ id, slug, name, email, key, status, ...deriveSecrets(secret, id, 1) })
    }
  }

  async function attendee(ask: Ask) {
    const person = people.splice(Math.floor(Math.random() * people.length), 1)[0]
    if (!person) return ask(statements.page, [isoNow(), isoNow(), isoNow(), isoNow(), pick(workshops).slug])
    const moveTo = workshops.find(({ slug }) => slug === person.slug)?.moveTo
    const action = Math.random()
    if (action < 0.5) await ask(statements.cancel, [person.id, 'attendee', isoNow()])
    else if (action < 0.8 && moveTo) await ask(statements.move, [person.id, moveTo, isoNow()])
    else if (action < 0.9)
      await ask(statements.correct, [person.id, `c-${person.email}`, `c-${person.email}`, isoNow()])
    else if (action < 0.95)
      await ask(statements.find, [isoNow(), isoNow(), person.email, isoNow(), person.email, isoNow()])
    else await ask(statements.forget, [`{${person.id}}`, 'attendee', isoNow()])
  }

  async function reader(ask: Ask) {
    await ask(statements.page, [isoNow(), isoNow(), isoNow(), isoNow(), pick(workshops).slug])
    await ask(statements.ticket, [pick(first.people).id])
  }

  async function sender(ask: Ask) {
    const lease = new Date(Date.now() + 120_000).toISOString()
    const rate = Math.random() < 0.5 ? null : 1_000_000
    const claimed = await ask<{ id: string; attempt: number; state: string }>(statements.claim, [
      ...[20, rate, isoNow(), lease, 'example.com'],
    ])
    for (const { id, attempt, state } of claimed)
      if (state === 'sending') await ask(statements.sent, [isoNow(), id, attempt])
    await ask(statements.nextDue, [])
  }

  async function organiser(ask: Ask) {
    const { id } = pick(workshops)
    await ask(statements.moreSeats, [isoNow(), id])
    await ask(statements.items, [
      id,
      [{ new_id: randomUUID(), kind: 'bring', text: { zh: '电脑' }, mustConfirm: false }],
    ])
    await ask(statements.scans, [[{ code: 'first22', scans: 3 }]])
  }

  const parts = [registerBatch, registerBatch, attendee, attendee, reader, reader, reader, sender, organiser].map(
    (work) => {
      const part = { done: 0 }
      return { part, served: serve(part, work) }
    },
  )
  return {
    async waitForStatements(more) {
      const goals = parts.map(({ part }) => ({ part, goal: part.done + more }))
      await new Promise<void>((resolve) => {
        const listener = () => goals.every(({ part, goal }) => part.done >= goal) && resolve()
        listeners = [listener]
        listener()
      })
      listeners = []
    },
    async stop() {
      stopped = true
      await Promise.all(parts.map(({ served }) => served))
      return { statements: statementCount, failures, slowest, people }
    },
  }
}

const isoNow = () => new Date().toISOString()

const statements = {
  register: `select * from register($1::jsonb, $2::timestamptz)`,
  cancel: `select outcome from cancel_registration($1::uuid, $2, $3::timestamptz)`,
  move: `select outcome from move_registration($1::uuid, $2::uuid, $3::timestamptz)`,
  correct: `select * from correct_email($1::uuid, $2, $3, $4::timestamptz)`,
  forget: `select forget_people($1::uuid[], $2, $3::timestamptz) as forgotten`,
  find: `
    insert into mails (registration_id, kind, created_at, due_at)
    select r.id, 'found', $1::timestamptz, $2::timestamptz
    from registrations r join workshops w on w.id = r.workshop_id
    where r.email_key = $3 and r.status in ('confirmed', 'waitlisted', 'offered') and w.ends_at > $4::timestamptz
      and may_mail_ticket($5, $6::timestamptz)
    order by r.created_at desc
    limit 1`,
  claim: `
    select id, registration_id, kind, facts, state, attempt, created_at, first_tried_at, message_id, dated_at
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
      "fingerprint", "ticket_version", "out_of_turn", "calendar_raise", "created_at", "placed_at", "moved_at",
      "seated_at", "cancelled_at", "cancelled_by", "erased_at",
      case when "status" = 'waitlisted' then (
        select count(*)::int from registrations ahead
        where ahead.workshop_id = "workshop_id" and ahead.status = 'waitlisted' and ahead.seq <= "seq"
      ) end
    from "registrations" where ("registrations"."id" = $1 and "registrations"."erased_at" is null)`,
}
