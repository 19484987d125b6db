import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { type Database, query } from '../../../src/db/database.ts'
import { root } from '../processes/processes.ts'
import { install } from './first-release.ts'

export const dumpedReleases = ['a4d5eaf', '664ea0c'] as const

/**
 * The database of a release, by its commit: made with that commit's code at a fixed time, with something in every table.
 * Never edited.
 */
export type ReleaseDump = {
  migrations: number
  functions: Record<string, string>
  tables: Record<string, Record<string, unknown>[]>
  /** What people and programs have from that release. */
  promises: {
    now: string
    secret: string
    /** Cookies of an owner and of a helper's phone. */
    cookie: string
    door: string
    apiToken: string
    /** Paths. */
    tickets: string[]
    offered: string
    checkIn: string[]
    links: string[]
    held: string
    join: string
    signIn: string
    /** A sign-up form that was opened, and one that was sent, with where it led. */
    openForm: Record<string, string>
    filledForm: { fields: Record<string, string>; location: string }
    api: { body: object; key: string; answer: { id: string } }
    /** What the phone has not sent yet. */
    scans: { workshop: string; entries: object[] }
  }
  /** What that release did next. */
  answers: {
    /** Ids and kinds of the mails that were due. */
    claimed: [number, string][]
    scans: string[]
    /** Id, state and the API's reason of every mail after that, the newest first. */
    mails: [number, string, string | null][]
  }
}

export function readReleaseDump(commit: (typeof dumpedReleases)[number]): ReleaseDump {
  return JSON.parse(readFileSync(join(root, `test/support/databases/releases/${commit}.json`), 'utf8'))
}

/** Fills an empty database on a server with a dump. */
export async function restoreRelease(db: Database, { migrations, functions, tables }: ReleaseDump): Promise<void> {
  await install(db, migrations, functions)
  await db.transaction(async (tx) => {
    // Neither triggers nor foreign keys.
    await tx.execute(sql`set local session_replication_role = replica`)
    for (const [name, stored] of Object.entries(tables)) {
      const table = sql.identifier(name)
      await tx.execute(sql`
        insert into ${table} overriding system value
        select * from jsonb_populate_recordset(null::${table}, ${JSON.stringify(stored)}::jsonb)`)
    }
    const identities = await query<{ name: string; column: string }>(
      tx,
      sql`select table_name as name, column_name as column from information_schema.columns
          where table_schema = 'public' and is_identity = 'YES'`,
    )
    for (const { name, column } of identities)
      await tx.execute(sql`
        select setval(pg_get_serial_sequence(${name}, ${column}), greatest(1, (
          select max(${sql.identifier(column)}) from ${sql.identifier(name)}
        )))`)
  })
}

/** Every row of every table. */
export async function readTables(db: Database): Promise<ReleaseDump['tables']> {
  const tables = await query<{ name: string }>(
    db,
    sql`select tablename as name from pg_tables where schemaname = 'public'`,
  )
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      const stored = await query<{ row: Record<string, unknown> }>(
        db,
        sql`select to_jsonb(t) as row from ${sql.identifier(name)} t`,
      )
      return [name, stored.map(({ row }) => row)] as const
    }),
  )
  return Object.fromEntries(found)
}
