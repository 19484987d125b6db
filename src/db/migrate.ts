import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { CannotStart } from '../config.ts'
import { countMigrations, type Database, rows } from './database.ts'

/** The database was migrated by a newer release than this one. */
export class NewerDatabase extends CannotStart {}

/**
 * Brings a database up to this release: the numbered migrations, then every SQL function whose text changed. All of it
 * happens in one transaction under one lock, so that it may be run twice, and from two processes at once.
 * @param folder the repository's `drizzle/`
 * @returns the names of what was applied
 * @throws {NewerDatabase} if the database knows a migration or a function revision that the folder does not
 */
export async function migrate(db: Database, folder: string): Promise<string[]> {
  const migrations = readMigrationFiles({ migrationsFolder: folder })
  return db.transaction(async (tx) => {
    // 'baom': any number, as long as all releases agree on it. Held until the transaction ends, so a pooler may be between.
    await tx.execute(sql`select pg_advisory_xact_lock(1650552685)`)
    // Drizzle's own bookkeeping, so that its tools find what they expect; its migrator knows neither the lock nor functions.
    await tx.execute(sql`create schema if not exists drizzle`)
    await tx.execute(sql`
      create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)
    `)
    await tx.execute(sql`
      create table if not exists drizzle.functions (name text primary key, revision integer not null, hash text not null)
    `)
    const applied = await countMigrations(tx)
    if (applied > migrations.length) {
      throw new NewerDatabase(
        `the database has ${applied} migrations, this release knows ${migrations.length}: start the newer release`,
      )
    }
    const names: string[] = []
    for (const migration of migrations.slice(applied)) {
      for (const statement of migration.sql) await tx.execute(sql.raw(statement))
      await tx.execute(sql`
        insert into drizzle.__drizzle_migrations (hash, created_at) values (${migration.hash}, ${migration.folderMillis})
      `)
      names.push(`migration ${applied + names.length}`)
    }
    return [...names, ...(await applyFunctions(tx, join(folder, 'functions')))]
  })
}

/** Applies each function whose text differs from what the database has. A function that calls others by name may come before them. */
async function applyFunctions(tx: Database, folder: string): Promise<string[]> {
  const known = new Map(
    (await rows<{ name: string; revision: number; hash: string }>(tx, sql`select * from drizzle.functions`)).map(
      (row) => [row.name, row],
    ),
  )
  const applied: string[] = []
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()) {
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
    if (there?.hash === hash) continue
    if (there?.revision === revision) throw new Error(`${file} changed: raise its revision to ${revision + 1}`)
    for (const statement of text.split('--> statement-breakpoint')) await tx.execute(sql.raw(statement))
    await tx.execute(sql`
      insert into drizzle.functions (name, revision, hash) values (${name}, ${revision}, ${hash})
      on conflict (name) do update set revision = excluded.revision, hash = excluded.hash
    `)
    applied.push(`function ${name}`)
  }
  return applied
}
