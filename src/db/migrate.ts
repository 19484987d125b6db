import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { StartupError } from '../lib/config.ts'
import { countMigrations, type Database, databaseError, query } from './database.ts'

/** The database was migrated by a newer release. */
export class DatabaseTooNewError extends StartupError {}

/** A table lock could not be acquired in time. Retry later. */
export class TableLockedError extends StartupError {
  readonly code = lockNotAvailable
}

/** `lockTimeoutMs`: how long queries may block behind a migration. `deadlineMs`: how long to keep retrying. */
type LockRetry = { lockTimeoutMs: number; deadlineMs: number }

/**
 * Migrates a database to this release: the numbered migrations, then every SQL function whose text changed. Idempotent, and
 * safe to run from two processes at once. After an interruption the next run continues.
 *
 * Servers of the previous release may keep running. An empty database is filled in one transaction. One in use is changed
 * one statement per transaction, so that only one table at a time is locked, for as long as the statement takes. Statements
 * that scan a whole table run last, concurrently with other queries. All functions are replaced in one transaction.
 * @param folder the repository's `drizzle/`
 * @param exclusive no other process can use this database, so all migrations run in one transaction
 * @returns the names of the migrations and functions that were applied
 * @throws {DatabaseTooNewError} if the database has a migration or a function revision that the folder does not have
 * @throws {TableLockedError} if a table lock could not be acquired in time
 */
export async function migrate(
  db: Database,
  folder: string,
  {
    exclusive = false,
    lockRetry = { lockTimeoutMs: 300, deadlineMs: 15_000 },
  }: { exclusive?: boolean; lockRetry?: LockRetry } = {},
): Promise<string[]> {
  if (await isUpToDate(db, folder)) return []
  const migrations = await db.transaction((tx) => planMigrations(tx, folder, exclusive))
  await runSteps(db, lockRetry)
  const functions = await withLockRetry(lockRetry, (lockTimeout) =>
    db.transaction((tx) => applyFunctions(tx, folder, lockTimeout)),
  )
  await runConcurrentSteps(db)
  return [...migrations, ...functions]
}

/**
 * True if there is nothing to migrate. Only reads: this is the case at most starts, and on PGlite the other steps take a
 * third of the time until the first page.
 */
export async function isUpToDate(db: Database, folder: string): Promise<boolean> {
  const [bookkeeping] = await query<{ there: boolean }>(
    db,
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null and to_regclass('drizzle.functions') is not null
          and to_regclass('drizzle.unfinished') is not null as there`,
  )
  if (!bookkeeping?.there) return false
  const [state] = await query<{ migrations: number; unfinished: number }>(
    db,
    sql`select (select count(*)::int from drizzle.__drizzle_migrations) as migrations,
               (select count(*)::int from drizzle.unfinished) as unfinished`,
  )
  if (state?.unfinished !== 0) return false
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as { entries: unknown[] }
  if (state.migrations !== entries.length) return false
  return (await findChangedFunctions(db, join(folder, 'functions'))).length === 0
}

/** Stores the steps of the pending migrations, or runs them at once if no other process uses the tables. */
async function planMigrations(tx: Database, folder: string, exclusive: boolean): Promise<string[]> {
  await acquireMigrationLock(tx)
  await createMigrationTables(tx)
  const existingTables = exclusive ? [] : await listTables(tx)
  const migrations = await findPendingMigrations(tx, folder)
  for (const { statements, hash, folderMillis } of migrations) {
    for (const statement of statements) {
      if (existingTables.length === 0) await tx.execute(sql.raw(statement))
      else
        for (const step of splitIntoSteps(statement, existingTables))
          await tx.execute(
            sql`insert into drizzle.unfinished (statement, beside) values (${step.statement}, ${step.beside})`,
          )
    }
    await tx.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`)
  }
  return migrations.map(({ n }) => `migration ${n}`)
}

/** Held until the end of the transaction, so that it works through a pooler. */
async function acquireMigrationLock(tx: Database): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${locks.migration})`)
}

/** 'baom' and the next number. Arbitrary, but all releases must agree on them. */
const locks = { migration: 1650552685, concurrentSteps: 1650552686 }

/** Drizzle's own bookkeeping table, so that its tools work, and ours: its migrator has neither locks nor functions. */
async function createMigrationTables(tx: Database): Promise<void> {
  await tx.execute(sql`create schema if not exists drizzle`)
  await tx.execute(sql`
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)
  `)
  await tx.execute(sql`
    create table if not exists drizzle.functions (name text primary key, revision integer not null, hash text not null)
  `)
  await tx.execute(sql`
    create table if not exists drizzle.unfinished (
      id serial primary key, statement text not null, beside boolean not null
    )
  `)
}

async function listTables(tx: Database): Promise<string[]> {
  const tables = await query<{ name: string }>(
    tx,
    sql`select tablename as name from pg_tables where schemaname = 'public'`,
  )
  return tables.map(({ name }) => name)
}

async function findPendingMigrations(tx: Database, folder: string) {
  const migrationFiles = readMigrationFiles({ migrationsFolder: folder })
  const applied = await countMigrations(tx)
  if (applied > migrationFiles.length) {
    throw new DatabaseTooNewError(
      `the database has ${applied} migrations, this release knows ${migrationFiles.length}: start the newer release`,
    )
  }
  return migrationFiles
    .map(({ sql, hash, folderMillis }, n) => ({ n, hash, folderMillis, statements: sql }))
    .slice(applied)
}

/**
 * Splits a statement of a migration into steps that can run while other queries use the existing tables. A step that scans
 * a whole table is marked `beside`: it runs concurrently with them. With 1,000,000 registrations and 2,000,000 mails, two
 * indexes, four checks and a foreign key took 2.2 to 3.7 s, while a sign-up waits for a lock for one second.
 */
function splitIntoSteps(statement: string, existingTables: string[]): { statement: string; beside: boolean }[] {
  const text = statement.trim().replace(/;$/, '')
  const immediate = (statement: string) => ({ statement, beside: false })
  const concurrent = (statement: string) => ({ statement, beside: true })

  const [, constrainedTable = '', constraint] =
    /^ALTER TABLE "(\w+)" ADD CONSTRAINT "(\w+)" (?:CHECK|FOREIGN KEY)\b/.exec(text) ?? []
  if (existingTables.includes(constrainedTable))
    return [
      immediate(`${text} NOT VALID`),
      concurrent(`ALTER TABLE "${constrainedTable}" VALIDATE CONSTRAINT "${constraint}"`),
    ]

  // A unique index is a constraint that the next statements may rely on, so it is not built concurrently.
  const [, index, indexedTable = ''] = /^CREATE INDEX "(\w+)" ON "(\w+)"/.exec(text) ?? []
  if (existingTables.includes(indexedTable))
    return [
      // An interrupted build leaves an invalid index behind.
      concurrent(`DROP INDEX CONCURRENTLY IF EXISTS "${index}"`),
      concurrent(text.replace('CREATE INDEX', 'CREATE INDEX CONCURRENTLY')),
    ]
  return [immediate(text)]
}

/** Runs the steps that are not done online. */
async function runSteps(db: Database, lockRetry: LockRetry): Promise<void> {
  for (;;) {
    const next = await withLockRetry(lockRetry, (lockTimeout) => db.transaction((tx) => runNextStep(tx, lockTimeout)))
    if (next === undefined) return
    if (next === 'done') continue
    await runConcurrentSteps(db, next.onlineStepsBefore)
    // Another process may be running the online steps.
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/**
 * Runs the next stored step. One transaction per step, because one that holds a table lock and waits for another deadlocks
 * with statements that use both tables. Returns undefined if no step is left. A statement that renames something waits
 * until the online steps before it are done, which use the old name.
 */
async function runNextStep(
  tx: Database,
  lockTimeout: number,
): Promise<undefined | 'done' | { onlineStepsBefore: number }> {
  await acquireMigrationLock(tx)
  const [step] = await query<{ id: number; statement: string; online: boolean }>(
    tx,
    sql`select id, statement, exists (select 1 from drizzle.unfinished o where o.beside and o.id < u.id) as online
        from drizzle.unfinished u where not beside order by id limit 1`,
  )
  if (!step) return undefined
  if (step.online && /^ALTER (?:TABLE|INDEX) .*\bRENAME\b/.test(step.statement)) return { onlineStepsBefore: step.id }
  const [, table] = /^(?:(?:ALTER|DROP) TABLE|DROP TRIGGER IF EXISTS "\w+" ON) "(\w+)"/.exec(step.statement) ?? []
  if (table) {
    // This lock blocks no queries. An autovacuum yields to a lock request that has waited for a second.
    await tx.execute(sql`set local lock_timeout = '5s'`)
    await tx.execute(sql.raw(`lock table "${table}" in share update exclusive mode`))
  }
  await tx.execute(sql.raw(`set local lock_timeout = ${lockTimeout}`))
  await tx.execute(sql.raw(step.statement))
  await tx.execute(sql`delete from drizzle.unfinished where id = ${step.id}`)
  return 'done'
}

/** Replaces each function whose text has changed. A function may be created before those that it calls. */
async function applyFunctions(tx: Database, folder: string, lockTimeout: number): Promise<string[]> {
  await acquireMigrationLock(tx)
  const changed = await findChangedFunctions(tx, join(folder, 'functions'))
  const statements = changed.flatMap((each) => each.statements)
  const triggerTables = statements.flatMap(
    (text) => /\bcreate or replace trigger \w+ [^;]*? on (\w+)/i.exec(text)?.[1] ?? [],
  )
  if (triggerTables.length > 0) {
    // The alphabetical order also blocks least: a transaction that writes a registration goes on to write its workshop.
    const tables = [...new Set(triggerTables)].sort().join(', ')
    // This lock blocks no queries. An autovacuum yields to a lock request that has waited for a second.
    await tx.execute(sql`set local lock_timeout = '5s'`)
    await tx.execute(sql.raw(`lock table ${tables} in share update exclusive mode`))
    await tx.execute(sql`set local lock_timeout to default`)
    await tx.execute(sql.raw(`set local statement_timeout = ${lockTimeout}`))
    await tx.execute(sql.raw(`lock table ${tables} in share row exclusive mode`))
    await tx.execute(sql`set local statement_timeout to default`)
  }
  // A function may come before those that it calls.
  await tx.execute(sql`set local check_function_bodies = off`)
  for (const statement of statements) await tx.execute(sql.raw(statement))
  for (const { name, revision, hash } of changed) {
    await tx.execute(sql`
      insert into drizzle.functions (name, revision, hash) values (${name}, ${revision}, ${hash})
      on conflict (name) do update set revision = excluded.revision, hash = excluded.hash
    `)
  }
  return changed.map(({ name }) => `function ${name}`)
}

async function findChangedFunctions(tx: Database, folder: string) {
  const appliedByName = new Map(
    (await query<{ name: string; revision: number; hash: string }>(tx, sql`select * from drizzle.functions`)).map(
      (row) => [row.name, row],
    ),
  )
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  return files.sort().flatMap((file) => {
    const name = file.replace(/\.sql$/, '')
    const text = readFileSync(join(folder, file), 'utf8')
    const revision = Number(/^-- revision (\d+)/.exec(text)?.[1])
    const hash = createHash('sha256').update(text).digest('hex')
    const applied = appliedByName.get(name)
    if (!Number.isInteger(revision)) throw new Error(`${file} must begin with a line such as: -- revision 1`)
    if (applied && applied.revision > revision) {
      throw new DatabaseTooNewError(
        `the database has revision ${applied.revision} of ${name}, this release ${revision}: start the newer release`,
      )
    }
    if (applied?.hash === hash) return []
    if (applied?.revision === revision) throw new Error(`${file} changed: raise its revision to ${revision + 1}`)
    return [{ name, revision, hash, statements: text.split('--> statement-breakpoint') }]
  })
}

/**
 * Runs the steps marked `beside`, unless another process is running them.
 * @param before only steps with a lower id
 */
async function runConcurrentSteps(db: Database, before?: number): Promise<void> {
  await db.transaction(
    async (tx) => {
      const [lock] = await query(tx, sql`select pg_try_advisory_xact_lock(${locks.concurrentSteps}) as mine`)
      if (!lock?.mine) return
      const remaining = await query<{ id: number; statement: string }>(
        tx,
        // Without a parameter, whose portal would keep its snapshot until the transaction ends.
        sql.raw(`select id, statement from drizzle.unfinished
                 where beside ${before === undefined ? '' : `and id < ${before}`} order by id`),
      )
      for (const { statement } of remaining) {
        // Outside the transaction, which only holds the lock.
        await db.execute(sql.raw(statement))
      }
      for (const { id } of remaining) await tx.execute(sql`delete from drizzle.unfinished where id = ${id}`)
    },
    // Holds no snapshot between its statements; building an index concurrently would wait for it to end.
    { isolationLevel: 'read committed' },
  )
}

/** Retries until the table lock is acquired. Each attempt may block other queries a little longer. */
async function withLockRetry<T>(
  { lockTimeoutMs, deadlineMs }: LockRetry,
  work: (lockTimeout: number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (let attempt = 1; ; attempt++) {
    const lockTimeout = Math.min(100 * attempt, lockTimeoutMs)
    try {
      return await work(lockTimeout)
    } catch (error) {
      if (![lockNotAvailable, queryCanceled].includes(databaseError(error)?.code ?? '')) throw error
      if (performance.now() > deadline)
        throw new TableLockedError('a table is in use, by a backup perhaps: the next start goes on with the migration')
      // Lets the blocked queries run first.
      await new Promise((resolve) => setTimeout(resolve, lockTimeout * (1 + Math.random())))
    }
  }
}

const lockNotAvailable = '55P03'
const queryCanceled = '57014'
