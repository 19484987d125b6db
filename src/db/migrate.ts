import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getTableName, is, sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { PgTable } from 'drizzle-orm/pg-core'
import { CannotStart } from '../config.ts'
import { countMigrations, type Database, databaseError, rows } from './database.ts'
import * as schema from './schema.ts'

/** The database was migrated by a newer release than this one. */
export class NewerDatabase extends CannotStart {}

/** Others used the tables all the time, and none of them should wait any longer. Trying again helps. */
export class TablesInUse extends CannotStart {
  readonly code = lockNotAvailable
}

/**
 * Brings a database up to this release: the numbered migrations, then every SQL function whose text changed. All of it
 * happens in one transaction under one lock, so that it may be run twice, and from two processes at once. Servers of the
 * release before may run on: none of their statements waits longer than `patience.most` and the 20 ms that changing the
 * tables takes. What would read a whole table, such as an index, is done after that and beside them.
 * @param folder the repository's `drizzle/`
 * @param alone nobody else can have this database open, so that nothing need be left for later
 * @param patience milliseconds; how long the tables are waited for at a time, and how long all in all
 * @returns the names of what was applied
 * @throws {NewerDatabase} if the database knows a migration or a function revision that the folder does not
 * @throws {TablesInUse} if the tables could not be had; nothing was changed
 */
export async function migrate(
  db: Database,
  folder: string,
  { alone = false, patience = { most: 250, all: 15_000 } } = {},
): Promise<string[]> {
  const names = await patiently(patience, (milliseconds) =>
    db.transaction((tx) => applyAll(tx, folder, { alone, milliseconds })),
  )
  await finish(db)
  return names
}

/** Tries until the tables could be had, each time for a little longer. */
async function patiently<T>(
  { most, all }: { most: number; all: number },
  work: (milliseconds: number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + all
  for (let attempt = 1; ; attempt++) {
    const milliseconds = Math.min(25 * attempt, most)
    try {
      return await work(milliseconds)
    } catch (error) {
      if (![lockNotAvailable, queryCanceled].includes(databaseError(error)?.code ?? '')) throw error
      if (performance.now() > deadline)
        throw new TablesInUse('the tables are in use, by a backup perhaps: nothing was migrated, try again later')
      // Whoever had to wait goes first.
      await new Promise((resolve) => setTimeout(resolve, milliseconds * (1 + Math.random())))
    }
  }
}

/** 'baom' and the next: any numbers, as long as all releases agree on them. */
const locks = { applying: 1650552685, finishing: 1650552686 }

const lockNotAvailable = '55P03'
const queryCanceled = '57014'

async function applyAll(
  tx: Database,
  folder: string,
  { alone, milliseconds }: { alone: boolean; milliseconds: number },
): Promise<string[]> {
  // Held until the transaction ends, so that a pooler may be between.
  await tx.execute(sql`select pg_advisory_xact_lock(${locks.applying})`)
  await makeBooks(tx)
  const migrations = await newMigrations(tx, folder)
  const functions = await changedFunctions(tx, join(folder, 'functions'))
  if (migrations.length + functions.length === 0) return []

  const there = alone ? [] : await tablesThere(tx)
  const statements = [...migrations, ...functions].flatMap((step) => step.statements)
  await lockAtOnce(tx, tablesTouchedBy(statements, there), milliseconds)
  for (const { statements, hash, folderMillis } of migrations) {
    for (const statement of statements) {
      const { now, later = [] } = beside(statement, there)
      if (now) await tx.execute(sql.raw(now))
      for (const left of later) await tx.execute(sql`insert into drizzle.unfinished (statement) values (${left})`)
    }
    await tx.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`)
  }
  for (const { name, revision, hash, statements } of functions) {
    for (const statement of statements) await tx.execute(sql.raw(statement))
    await tx.execute(sql`
      insert into drizzle.functions (name, revision, hash) values (${name}, ${revision}, ${hash})
      on conflict (name) do update set revision = excluded.revision, hash = excluded.hash
    `)
  }
  return [...migrations.map(({ n }) => `migration ${n}`), ...functions.map(({ name }) => `function ${name}`)]
}

/** Drizzle's own bookkeeping, so that its tools find what they expect; its migrator knows neither the lock nor functions. */
async function makeBooks(tx: Database): Promise<void> {
  await tx.execute(sql`create schema if not exists drizzle`)
  await tx.execute(sql`
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)
  `)
  await tx.execute(sql`
    create table if not exists drizzle.functions (name text primary key, revision integer not null, hash text not null)
  `)
  await tx.execute(sql`create table if not exists drizzle.unfinished (id serial primary key, statement text not null)`)
}

async function newMigrations(tx: Database, folder: string) {
  const known = readMigrationFiles({ migrationsFolder: folder })
  const applied = await countMigrations(tx)
  if (applied > known.length) {
    throw new NewerDatabase(
      `the database has ${applied} migrations, this release knows ${known.length}: start the newer release`,
    )
  }
  return known.map(({ sql, hash, folderMillis }, n) => ({ n, hash, folderMillis, statements: sql })).slice(applied)
}

/** Each function whose text differs from what the database has. One that calls others by name may come before them. */
async function changedFunctions(tx: Database, folder: string) {
  const known = new Map(
    (await rows<{ name: string; revision: number; hash: string }>(tx, sql`select * from drizzle.functions`)).map(
      (row) => [row.name, row],
    ),
  )
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  return files.sort().flatMap((file) => {
    const name = file.replace(/\.sql$/, '')
    const text = readFileSync(join(folder, file), 'utf8')
    const revision = Number(/^-- revision (\d+)/.exec(text)?.[1])
    const hash = createHash('sha256').update(text).digest('hex')
    const there = known.get(name)
    if (!Number.isInteger(revision)) throw new Error(`${file} must begin with a line such as: -- revision 1`)
    if (there && there.revision > revision) {
      throw new NewerDatabase(
        `the database has revision ${there.revision} of ${name}, this release ${revision}: start the newer release`,
      )
    }
    if (there?.hash === hash) return []
    if (there?.revision === revision) throw new Error(`${file} changed: raise its revision to ${revision + 1}`)
    return [{ name, revision, hash, statements: text.split('--> statement-breakpoint') }]
  })
}

/** Our tables that the database has, in the order of schema.ts. */
async function tablesThere(tx: Database): Promise<string[]> {
  const found = await rows<{ name: string }>(
    tx,
    sql`select tablename as name from pg_tables where schemaname = 'public'`,
  )
  const names = new Set(found.map(({ name }) => name))
  return Object.values(schema)
    .filter((value) => is(value, PgTable))
    .map(getTableName)
    .filter((name) => names.has(name))
}

/** Those of the tables that statements alter, index, refer to, put a trigger on or drop. */
function tablesTouchedBy(statements: string[], there: string[]): string[] {
  const touches =
    /(?:\b(?:alter|drop) table|\bcreate (?:unique )?index "\w+" on|\breferences "public"\.|\bcreate or replace trigger \w+ [^;]*? on) ?"?(\w+)/gi
  const touched = new Set(statements.flatMap((text) => [...text.matchAll(touches)].map(([, table]) => table)))
  return there.filter((table) => touched.has(table))
}

/**
 * Locks the tables all together or, within so many milliseconds, none. Locked one after the other as the migration comes
 * to them, they would deadlock with statements that use several, and Postgres looks for that after a second only.
 * The order is the one in which sign-ups lock them, so that these wait with empty hands.
 */
async function lockAtOnce(tx: Database, tables: string[], milliseconds: number): Promise<void> {
  if (tables.length === 0) return
  await tx.execute(sql.raw(`set local statement_timeout = ${milliseconds}`))
  await tx.execute(sql.raw(`lock table ${tables.map((name) => `"${name}"`).join(', ')} in access exclusive mode`))
  await tx.execute(sql`set local statement_timeout to default`)
  // For what else a migration may want to lock.
  await tx.execute(sql.raw(`set local lock_timeout = ${milliseconds}`))
}

/**
 * How to do a statement of a migration while others use the tables that were there before: what reads the whole table
 * is left for later. With 1,000,000 registrations and 2,000,000 mails two indexes, four checks and a foreign key held
 * all locks for 2.2 to 3.7 s; sign-ups wait for one at the most.
 */
function beside(statement: string, there: string[]): { now?: string; later?: string[] } {
  const text = statement.trim().replace(/;$/, '')
  const [, constrained, constraint] =
    /^ALTER TABLE "(\w+)" ADD CONSTRAINT "(\w+)" (?:CHECK|FOREIGN KEY)\b/.exec(text) ?? []
  if (constrained && there.includes(constrained)) {
    return { now: `${text} NOT VALID`, later: [`ALTER TABLE "${constrained}" VALIDATE CONSTRAINT "${constraint}"`] }
  }
  // A unique one is a rule and stays with what relies on it.
  const [, index, indexed] = /^CREATE INDEX "(\w+)" ON "(\w+)"/.exec(text) ?? []
  if (indexed && there.includes(indexed)) {
    return {
      later: [
        // One that was cut off is still there and good for nothing.
        `DROP INDEX CONCURRENTLY IF EXISTS "${index}"`,
        text.replace('CREATE INDEX', 'CREATE INDEX CONCURRENTLY'),
      ],
    }
  }
  return { now: text }
}

/** Does what was left for later, by this process or by one that was cut off, unless another is at it. Nobody waits for it. */
async function finish(db: Database): Promise<void> {
  await db.transaction(
    async (tx) => {
      const [lock] = await rows(tx, sql`select pg_try_advisory_xact_lock(${locks.finishing}) as mine`)
      const left = await rows<{ statement: string }>(tx, sql`select statement from drizzle.unfinished order by id`)
      if (!lock?.mine || left.length === 0) return
      // Outside of the transaction, which only keeps the lock.
      for (const { statement } of left) await db.execute(sql.raw(statement))
      await tx.execute(sql`delete from drizzle.unfinished`)
    },
    // Between its statements it then holds no snapshot, for whose end the building of an index would wait.
    { isolationLevel: 'read committed' },
  )
}
