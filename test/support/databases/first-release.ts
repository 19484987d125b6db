import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { type Database, query } from '../../../src/db/database.ts'
import { root } from '../processes/processes.ts'

/*
 * Databases of earlier releases as others have them, made by their own SQL, without code from src. What is specific to a
 * release is never changed.
 */

/** What differs between releases, for `fillRelease`. */
export type Release = {
  /** How many of the numbered migrations it has. */
  migrations: number
  /** File with its SQL functions, beside this one. */
  functions: string
  /** Names of a function and of columns of `mails`. */
  erase: string
  messageDate: string
  reply: string
}

const firstRelease: Release = {
  migrations: 1,
  functions: 'first-release.sql',
  erase: 'forget_people',
  messageDate: 'dated_at',
  reply: 'reason',
}

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

export type FilledRelease = {
  secret: string
  /** An organiser's API token. */
  token: string
  workshops: { id: string; slug: string; moveTo: string | undefined }[]
  /** One registration link. */
  link: string
  /** Active registrations in order of creation. */
  people: StoredPerson[]
  /** Number of registrations. */
  stored: number
  /** A mail that a server deferred twice, due again in an hour. */
  putOff: { id: string; messageId: string; person: StoredPerson }
}

/** Turns an empty database into one of the first release, filled. */
export const fillFirstRelease = (db: Database, hundreds?: number) => fillRelease(db, firstRelease, hundreds)

/**
 * Installs a release in an empty database and registers people for 12 workshops by its own function: with moved, cancelled,
 * corrected and erased registrations, mails in every state, links, tokens and a cancelled workshop.
 * @param hundreds how many hundred registrations
 */
export async function fillRelease(db: Database, release: Release, hundreds = 20): Promise<FilledRelease> {
  await install(db, release.migrations, readFunctions(release.functions))
  const [messageDate, reply] = [sql.identifier(release.messageDate), sql.identifier(release.reply)]
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
    const answers = await query<RegisterAnswer>(
      db,
      sql`select * from register(${JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))}::jsonb, ${now}::timestamptz)`,
    )
    for (const { n, id, status, outcome } of answers) {
      if (outcome !== 'registered') throw new Error(`the first release answered ${outcome}`)
      const { name, email, idempotency_key: key, slug } = entries[n] as Entry
      people.push({ id, slug, name, email, key, status, ...deriveSecrets(secret, id, 1) })
    }
  }
  const stored = people.length

  // Most mails were sent. Others were rejected, deferred, or in a process that died.
  await db.execute(sql`
    update mails set attempt = 1, state = 'sent', sent_at = ${now}, first_tried_at = ${now}, ${messageDate} = ${now},
      message_id = uid || '@example.com'`)
  await db.execute(sql`update mails set state = 'dead', sent_at = null, ${reply} = 'RCPT TO: 550' where id % 100 = 1`)
  await db.execute(sql`
    update mails set state = 'sending', sent_at = null, leased_until = ${now}, due_at = ${now} where id % 100 = 2`)
  await db.execute(sql`
    update mails set state = 'pending', sent_at = null, attempt = 0, first_tried_at = null, ${messageDate} = null, message_id = null
    where id % 100 = 3`)

  const live = people.splice(0)
  for (const [n, person] of live.entries()) {
    const act = n % 50
    const { moveTo } = workshops.find(({ slug }) => slug === person.slug) ?? {}
    if (act === 10) await db.execute(sql`select * from cancel_registration(${person.id}::uuid, 'attendee', ${now})`)
    else if (act === 20)
      await db.execute(sql`select ${sql.identifier(release.erase)}(array[${person.id}::uuid], 'attendee', ${now})`)
    else if (act === 30 && n < 1000) {
      const email = `corrected-${person.email}`
      await db.execute(sql`select * from correct_email(${person.id}::uuid, ${email}, ${email}, ${now})`)
    } else if (act % 10 === 5 && n < 1000 && moveTo)
      await db.execute(sql`select * from move_registration(${person.id}::uuid, ${moveTo}::uuid, ${now})`)
    else if (person.slug !== last.slug) people.push(person)
  }
  await db.execute(sql`select * from cancel_workshop(${last.id}::uuid, ${now})`)

  const person = people[0] as StoredPerson
  const messageId = `${randomUUID()}@example.com`
  const [putOff] = await query<{ id: string | number }>(
    db,
    sql`update mails set state = 'pending', attempt = 2, sent_at = null, due_at = now() + interval '1 hour',
          ${reply} = 'RCPT TO: 451', first_tried_at = ${now}, ${messageDate} = ${now}, message_id = ${messageId}
        where registration_id = ${person.id}::uuid returning id`,
  )
  return {
    secret,
    token,
    workshops: all,
    link: 'first22',
    people,
    stored,
    putOff: { id: String(putOff?.id), messageId, person },
  }
}

/**
 * Installs a release in an empty database: the first migrations, its functions and their bookkeeping.
 * @param functions by name
 */
export async function install(db: Database, migrations: number, functions: Record<string, string>): Promise<void> {
  const journal = JSON.parse(readFileSync(join(root, 'drizzle/meta/_journal.json'), 'utf8'))
  await db.execute(sql`create schema drizzle`)
  await db.execute(
    sql`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
  )
  await db.execute(sql`
    create table drizzle.functions (name text primary key, revision integer not null, hash text not null)`)
  for (const { tag, when } of (journal.entries as { tag: string; when: number }[]).slice(0, migrations)) {
    const text = readFileSync(join(root, 'drizzle', `${tag}.sql`), 'utf8')
    for (const statement of text.split('--> statement-breakpoint'))
      if (statement.trim()) await db.execute(sql.raw(statement))
    await db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${sha256(text)}, ${when})`)
  }
  // In one transaction, because the setting holds for a connection.
  await db.transaction(async (tx) => {
    await tx.execute(sql`set local check_function_bodies = off`)
    for (const [name, text] of Object.entries(functions)) {
      for (const statement of text.split('--> statement-breakpoint')) await tx.execute(sql.raw(statement))
      const revision = Number(/^-- revision (\d+)/.exec(text)?.[1])
      await tx.execute(
        sql`insert into drizzle.functions (name, revision, hash) values (${name}, ${revision}, ${sha256(text)})`,
      )
    }
  })
}

/** The functions in a file beside this one, by name. */
function readFunctions(file: string): Record<string, string> {
  const [, ...parts] = readFileSync(join(root, 'test/support/databases', file), 'utf8').split(/^-- file (\w+)\.sql\n/m)
  return Object.fromEntries(
    Array.from({ length: parts.length / 2 }, (_, i) => [parts[2 * i] as string, parts[2 * i + 1] as string]),
  )
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Twelve workshops in ten days, four of them in one campaign, with a checklist and links. */
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

export type Entry = ReturnType<typeof createEntry>
export type RegisterAnswer = { n: number; outcome: string; id: string; status: 'confirmed' | 'waitlisted' }

/** One entry for the SQL function `register`. */
export function createEntry(secret: string, workshop: { id: string; slug: string }, label: string) {
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

export function deriveSecrets(secret: string, id: string, version: number): { ticket: string; doorCode: string } {
  const body = Buffer.from(`${id.replaceAll('-', '')}${version.toString(16).padStart(2, '0')}`, 'hex')
  const sign = (purpose: string, bytes: number) =>
    Buffer.concat([body, hmac(secret, purpose, body).subarray(0, bytes)]).toString('base64url')
  return { ticket: sign('ticket', 16), doorCode: sign('door', 12) }
}

const hmac = (secret: string, purpose: string, body: Buffer) =>
  createHmac('sha256', secret).update(`${purpose}:`).update(body).digest()
