import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { StartupError } from '../lib/config.ts'
import { countMigrations, type Database, databaseError, query } from './database.ts'

/** The database was migrated by a newer release than this one. */
export class DatabaseTooNewError extends StartupError {}

/** Others used a table all the time, and none of them should wait any longer. Trying again helps. */
export class TableLockedError extends StartupError {
  readonly code = lockNotAvailable
}

/** In milliseconds: how long others may have to wait for a table, and how long it is tried to get it. */
type LockRetry = { lockTimeoutMs: number; deadlineMs: number }

/**
 * Brings a database up to this release: the numbered migrations, then every SQL function whose text changed. It may be
 * run twice, and from two processes at once; one that is cut off is gone on with by the next.
 *
 * Servers of the release before may run on. An empty database is filled in one transaction; one that others use is
 * changed statement by statement, so that a table at a time is locked, for as long as changing it takes. What reads a
 * whole table is done after that and beside them. The functions change all together.
 * @param folder the repository's `drizzle/`
 * @param alone nobody else can have this database open, so that nobody has to be spared
 * @returns the names of what was applied
 * @throws {DatabaseTooNewError} if the database knows a migration or a function revision that the folder does not
 * @throws {TableLockedError} if a table could not be had
 */
export async function migrate(
  db: Database,
  folder: string,
  {
    alone: exclusive = false,
    patience: lockRetry = { lockTimeoutMs: 300, deadlineMs: 15_000 },
  }: { alone?: boolean; patience?: LockRetry } = {},
): Promise<string[]> {
  if (await isUpToDate(db, folder)) return []
  const migrations = await db.transaction((tx) => planMigrations(tx, folder, exclusive))
  await takeSteps(db, lockRetry)
  const functions = await withLockRetry(lockRetry, (lockTimeout) =>
    db.transaction((tx) => applyFunctions(tx, folder, lockTimeout)),
  )
  await runConcurrentSteps(db)
  return [...migrations, ...functions]
}

/**
 * Tells whether there is nothing to do, by reading alone: most starts find it so, and on PGlite the rest takes a third of
 * the time until the first page.
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

/** Writes down what is to be done, or does it where nobody is there to be spared. */
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

/** Lets one process at a time do something, until its transaction ends, so that a pooler may be between. */
async function acquireMigrationLock(tx: Database): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${locks.migration})`)
}

/** 'baom' and the next: any numbers, as long as all releases agree on them. */
const locks = { migration: 1650552685, concurrentSteps: 1650552686 }

/** Drizzle's own bookkeeping, so that its tools find what they expect; its migrator knows neither turns nor functions. */
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
  const found = await query<{ name: string }>(
    tx,
    sql`select tablename as name from pg_tables where schemaname = 'public'`,
  )
  return found.map(({ name }) => name)
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
 * How to do a statement of a migration while others use the tables that were there before. What reads a whole table is
 * done `beside` them: with 1,000,000 registrations and 2,000,000 mails two indexes, four checks and a foreign key took
 * 2.2 to 3.7 s, and a sign-up waits for a lock for one second.
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

  // A unique one is a rule and stays with what relies on it.
  const [, index, indexedTable = ''] = /^CREATE INDEX "(\w+)" ON "(\w+)"/.exec(text) ?? []
  if (existingTables.includes(indexedTable))
    return [
      // One that was cut off is still there and good for nothing.
      concurrent(`DROP INDEX CONCURRENTLY IF EXISTS "${index}"`),
      concurrent(text.replace('CREATE INDEX', 'CREATE INDEX CONCURRENTLY')),
    ]
  return [immediate(text)]
}

/** Does the statements of the migrations that are not done online. */
async function takeSteps(db: Database, patience: LockRetry): Promise<void> {
  for (;;) {
    const next = await withLockRetry(patience, (wait) => db.transaction((tx) => runNextStep(tx, wait)))
    if (next === undefined) return
    if (next === 'done') continue
    await runConcurrentSteps(db, next.onlineStepsBefore)
    // Another process may be at it.
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/**
 * Does the next statement of the migrations. A transaction each, because one that holds a table and waits for another
 * deadlocks with statements that use both. Returns undefined if none is left. A statement that renames something waits
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
  const [, table] = /^(?:ALTER|DROP) TABLE "(\w+)"/.exec(step.statement) ?? []
  if (table) {
    // For this lock nobody has to wait. An autovacuum gives way to whoever has waited for it for a second.
    await tx.execute(sql`set local lock_timeout = '5s'`)
    await tx.execute(sql.raw(`lock table "${table}" in share update exclusive mode`))
  }
  await tx.execute(sql.raw(`set local lock_timeout = ${lockTimeout}`))
  await tx.execute(sql.raw(step.statement))
  await tx.execute(sql`delete from drizzle.unfinished where id = ${step.id}`)
  return 'done'
}

/** Applies each function whose text differs from what the database has. */
async function applyFunctions(tx: Database, folder: string, lockTimeout: number): Promise<string[]> {
  await acquireMigrationLock(tx)
  const changed = await findChangedFunctions(tx, join(folder, 'functions'))
  const statements = changed.flatMap((each) => each.statements)
  const triggerTables = statements.flatMap(
    (text) => /\bcreate or replace trigger \w+ [^;]*? on (\w+)/i.exec(text)?.[1] ?? [],
  )
  if (triggerTables.length > 0) {
    // By their names is also the order in which these locks stand least in the way: whoever writes registrations goes on
    // to write their workshop.
    const tables = [...new Set(triggerTables)].sort().join(', ')
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
 * Does what is done beside everyone, unless another process is at it.
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
        // Outside of the transaction, which only keeps the lock.
        await db.execute(sql.raw(statement))
      }
      for (const { id } of remaining) await tx.execute(sql`delete from drizzle.unfinished where id = ${id}`)
    },
    // Between its statements it then holds no snapshot, for whose end the building of an index would wait.
    { isolationLevel: 'read committed' },
  )
}

/** Tries until a table could be had, each time letting others wait a little longer. */
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
      // Whoever had to wait goes first.
      await new Promise((resolve) => setTimeout(resolve, lockTimeout * (1 + Math.random())))
    }
  }
}

const lockNotAvailable = '55P03'
const queryCanceled = '57014'
