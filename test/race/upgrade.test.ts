import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, query } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { wrapPglite } from '../../src/db/pglite.ts'
import { fillBaseRelease, startTraffic } from '../support/databases/base-release.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { type FilledRelease, fillFirstRelease, type StoredPerson } from '../support/databases/first-release.ts'
import {
  createPeople,
  fetchAttendees,
  publishWorkshop,
  registerConcurrently,
  signUp,
} from '../support/http/concurrent-sign-ups.ts'
import { startMailServer } from '../support/mail/smtp-server.ts'
import { root } from '../support/processes/processes.ts'
import { type Server, startServer } from '../support/processes/server.ts'

/** Milliseconds after which a request fails with 503. */
const requestTimeout = 4_000

test('the base release keeps serving while this one migrates its database online and starts', async () => {
  await using database = await openTestPostgres({ migrated: false })
  const base = await fillBaseRelease(database.db)
  const traffic = startTraffic(database.url, base)
  await traffic.waitForStatements(50)
  const { people } = await expectUpgrade(database, base, async () => {
    await traffic.waitForStatements(50)
    const { failures, slowest, people } = await traffic.stop()
    expect(failures.slice(0, 10)).toEqual([])
    expect(slowest.milliseconds).toBeLessThan(requestTimeout)
    return people
  })
  expect(people.length).toBeGreaterThan(0)
}, 180_000)

test('this release starts on a database of the first one, which was stopped', async () => {
  await using database = await openTestPostgres({ migrated: false })
  await expectUpgrade(database, await fillFirstRelease(database.db))
}, 180_000)

/**
 * Starts this release on a database of an earlier one and checks that nothing of it is lost.
 * @param traffic stops the earlier release and returns the people registered meanwhile
 */
async function expectUpgrade(
  database: Awaited<ReturnType<typeof openTestPostgres>>,
  release: FilledRelease,
  traffic = async (): Promise<StoredPerson[]> => [],
): Promise<{ people: StoredPerson[] }> {
  const before = release.stored
  await using mail = await startMailServer()
  await using server = await startServer({
    DATABASE_URL: database.url,
    SECRET: release.secret,
    SMTP_URL: mail.url,
    MAIL_FROM: 'Workshops <workshops@example.com>',
    RATE_LIMIT: 'off',
  })
  const people = await traffic()

  expect(await describeSchema(database.db)).toEqual(await currentSchema())
  expect(await server.cli('doctor')).toMatchObject({ code: 0, stdout: 'all invariants hold\n' })
  const [ids] = await query<{ n: number }>(
    database.db,
    sql`select count(*)::int as n from registrations
        where id in (select jsonb_array_elements_text(${JSON.stringify(people.map(({ id }) => id))}::jsonb)::uuid)`,
  )
  expect(ids?.n).toBe(people.length)
  expect(await countRegistrations(database.db)).toBeGreaterThanOrEqual(before + people.length)

  await expectWorking(server, release)
  // The last sign-up is retried at the new release.
  const late = (people.at(-1) ?? release.people.at(-1)) as StoredPerson
  expect(await signUp(server, late.slug, late)).toMatchObject({ status: 201, body: { id: late.id } })

  // Makes the deferred mail due; enqueueing another one wakes the sender.
  await database.db.execute(sql`update mails set due_at = now() - interval '1 day' where id = ${release.putOff.id}`)
  expect(await signUp(server, late.slug, createPeople(1)[0] as ReturnType<typeof createPeople>[number])).toMatchObject({
    status: 201,
  })
  const findDeferredMail = () => mail.mails.find(({ mail }) => mail.messageId === `<${release.putOff.messageId}>`)
  while (!findDeferredMail()) await mail.waitForMails(mail.mails.length + 1)
  expect(findDeferredMail()?.to).toEqual([release.putOff.person.email])
  return { people }
}

test('an embedded database of the first release is migrated when this one starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-data-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const client = await PGlite.create(join(folder, 'pgdata'))
  const first = await fillFirstRelease(wrapPglite(client).db, 10)
  await client.close()

  await using server = await startServer({ DATA_DIR: folder, SECRET: first.secret, RATE_LIMIT: 'off' })
  expect(await server.cli('doctor')).toMatchObject({ code: 0, stdout: 'all invariants hold\n' })
  await expectWorking(server, first)
  await server.stop()

  const migrated = await PGlite.create(join(folder, 'pgdata'))
  const { db, close } = wrapPglite(migrated)
  expect(await countRegistrations(db)).toBe(first.stored)
  expect(await describeSchema(db)).toEqual(await currentSchema())
  await close()
}, 180_000)

test('tables, indexes, constraints and functions change while people sign up, without errors or delays', async () => {
  await using database = await openTestPostgres({ migrated: false })
  const base = await fillBaseRelease(database.db, 10)
  await using server = await startServer({ DATABASE_URL: database.url, SECRET: base.secret, RATE_LIMIT: 'off' })
  await publishWorkshop(server, base.token, { slug: 'upgrade', capacity: 100 })
  const traffic = startTraffic(database.url, base)

  let responseCount = 0
  let slowest = 0
  let migrating: Promise<string[]> | undefined
  const monitoredServer: Pick<Server, 'request'> = {
    async request(path, init) {
      const startedAt = performance.now()
      const answer = await server.request(path, init)
      slowest = Math.max(slowest, performance.now() - startedAt)
      if (++responseCount === 100) migrating = migrate(database.db, createNextRelease())
      return answer
    },
  }
  const people = createPeople(650)
  const replies = await registerConcurrently([monitoredServer], 'upgrade', people.slice(0, 600), 32)
  const applied = await migrating
  expect(applied).toContain('function register')
  expect(applied?.[0]).toMatch(/^migration \d+$/)
  replies.push(...(await registerConcurrently([monitoredServer], 'upgrade', people.slice(600), 32)))
  await traffic.waitForStatements(20)
  const result = await traffic.stop()
  expect(result.failures.slice(0, 10)).toEqual([])
  expect(replies.map(({ status }) => status)).toEqual(Array(650).fill(201))
  expect(Math.max(slowest, result.slowest.milliseconds)).toBeLessThan(requestTimeout)

  expect(await listUnfinished(database.db)).toEqual([])
  // A newer database keeps the server ready: otherwise the balancer would remove it before the new one has started.
  expect((await server.request('/readyz')).status).toBe(200)
}, 180_000)

test('a migration that cannot lock a table fails, and the next start continues it', async () => {
  await using database = await openTestPostgres()
  await using reference = await openTestPostgres()
  const folder = createNextRelease()
  await database.db.transaction(async (tx) => {
    await tx.execute(sql`select 1 from registrations limit 1`)
    await expect(migrate(database.db, folder, { lockRetry: { lockTimeoutMs: 20, deadlineMs: 100 } })).rejects.toThrow(
      /in use/,
    )
  })
  expect(await listUnfinished(database.db)).not.toEqual([])
  await migrate(database.db, folder)
  await migrate(reference.db, folder)
  expect(await describeSchema(database.db)).toEqual(await describeSchema(reference.db))
})

test('online steps of an interrupted migration are continued by the next start', async () => {
  await using database = await openTestPostgres()
  const folder = createNextRelease()
  // Fails before the first online step.
  await database.db.execute(sql`insert into drizzle.unfinished (statement, beside) values ('select 1 / 0', true)`)
  await expect(migrate(database.db, folder)).rejects.toThrow()
  expect((await listUnfinished(database.db)).length).toBeGreaterThan(3)
  await database.db.execute(sql`delete from drizzle.unfinished where statement = 'select 1 / 0'`)
  expect(await migrate(database.db, folder)).toEqual([])
  expect(await listUnfinished(database.db)).toEqual([])
})

/** Tickets, check-in codes, links, idempotency keys and tokens of an earlier release still work. */
async function expectWorking(server: Server, { people, token, link, workshops }: FilledRelease) {
  expect((await server.request('/readyz')).status).toBe(200)
  const [person] = people as [StoredPerson]
  const ticket = await server.request(`/t/${person.ticket}`)
  expect(ticket.status).toBe(200)
  expect(await ticket.text()).toContain(person.name)
  expect((await server.request(`/in/${person.doorCode}`)).status).toBeLessThan(400)
  expect((await server.request(`/q/${link}`)).headers.get('location')).toContain('/c/first')

  const reply = await signUp(server, person.slug, person)
  expect(reply).toMatchObject({ status: 201, body: { id: person.id, status: person.status } })
  expect(reply?.body.ticketUrl).toContain(person.ticket)
  expect(await signUp(server, person.slug, { ...person, key: crypto.randomUUID() })).toMatchObject({
    status: 409,
    body: { code: 'already_registered' },
  })
  expect((await fetchAttendees(server, workshops[0]?.slug ?? '', token)).length).toBeGreaterThan(50)
}

async function countRegistrations(db: Database): Promise<number> {
  const [row] = await query<{ n: number }>(db, sql`select count(*)::int as n from registrations`)
  return row?.n ?? 0
}

async function listUnfinished(db: Database) {
  return query(
    db,
    sql`
    select statement as what from drizzle.unfinished
    union all select conname::text from pg_constraint where not convalidated
    union all select indexrelid::regclass::text from pg_index where not indisvalid`,
  )
}

async function currentSchema(): Promise<string[]> {
  await using fresh = await openTestPostgres()
  return await describeSchema(fresh.db)
}

/** Describes every object of the schema, in order. */
async function describeSchema(db: Database): Promise<string[]> {
  const found = await query<{ what: string }>(
    db,
    sql`
      select what from (
        select attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
          || coalesce(' ' || (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = attrelid and adnum = attnum), '')
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
        union all
        select conrelid::regclass || ' ' || conname || ' ' || convalidated || ' ' || pg_get_constraintdef(oid)
        from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
        union all
        select pg_get_indexdef(indexrelid) || ' ' || indisvalid from pg_index
        join pg_class on pg_class.oid = indexrelid where relnamespace = 'public'::regnamespace
        union all
        select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
        union all
        select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
      ) everything (what)
      order by what collate "C"`,
  )
  return found.map(({ what }) => what)
}

/** Copies `drizzle/` with one more migration and a new revision of every function. */
function createNextRelease(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baoming-drizzle-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(join(root, 'drizzle'), folder, { recursive: true })
  const journalFile = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(readFileSync(journalFile, 'utf8'))
  const last = journal.entries.at(-1)
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag: 'the_next' })
  writeFileSync(journalFile, JSON.stringify(journal))
  writeFileSync(join(folder, 'the_next.sql'), nextMigration)
  for (const name of readdirSync(join(folder, 'functions'))) {
    const file = join(folder, 'functions', name)
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text.replace(/^-- revision (\d+)/, (_, n) => `-- revision ${Number(n) + 1}`),
    )
  }
  return folder
}

/** As drizzle-kit generates it, for every table used by sign-ups and mails. */
const nextMigration = `
CREATE TABLE "parcels" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workshop_id" uuid NOT NULL
);
--> statement-breakpoint
ALTER TABLE "registrations" DROP CONSTRAINT "registrations_first_status";--> statement-breakpoint
ALTER TABLE "mails" DROP CONSTRAINT "mails_state";--> statement-breakpoint
ALTER TABLE "mails" ADD COLUMN "parcel_id" uuid;--> statement-breakpoint
ALTER TABLE "registrations" ADD COLUMN "lent_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "deposit" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "colour" text;--> statement-breakpoint
ALTER TABLE "parcels" ADD CONSTRAINT "parcels_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_parcel_id_parcels_id_fk" FOREIGN KEY ("parcel_id") REFERENCES "public"."parcels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "parcels_of_workshop" ON "parcels" USING btree ("workshop_id","id");--> statement-breakpoint
CREATE INDEX "mails_by_parcel" ON "mails" USING btree ("parcel_id") WHERE parcel_id is not null;--> statement-breakpoint
CREATE INDEX "registrations_by_company" ON "registrations" USING btree ("company");--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_state" CHECK (state in ('pending', 'sending', 'sent', 'dead', 'lost'));--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_first_status" CHECK (first_status in ('confirmed', 'waitlisted', 'offered', 'cancelled', 'lent'));--> statement-breakpoint
ALTER TABLE "workshops" ADD CONSTRAINT "workshops_deposit" CHECK ("workshops"."deposit" >= 0);`
