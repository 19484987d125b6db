import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { afterAll, onTestFinished } from 'vitest'
import type { OpenDatabase } from '../../src/db/database.ts'
import { overPglite } from '../../src/db/pglite.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { prepared } from './prepared.ts'

/** Opens a migrated, empty database inside this process. */
export async function openEmbedded(): Promise<OpenDatabase> {
  const client = idle.pop() ?? (await PGlite.create({ loadDataDir: await template() }))
  const schema = await schemaOf(client)
  return { ...overPglite(client), close: () => empty(client, schema) }
}

/** Makes a folder for DATA_DIR that holds a migrated, empty database. It goes when the test ends. */
export async function newDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-data-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const client = await PGlite.create({ dataDir: join(folder, 'pgdata'), loadDataDir: await template() })
  await client.close()
  return folder
}

/**
 * Makes an empty database on a real Postgres; it is dropped when it is closed.
 * @param migrated false for one without tables
 */
export async function openOnServer({
  migrated = true,
} = {}): Promise<OpenDatabase & AsyncDisposable & { url: string }> {
  const server = await prepared('postgres')
  const name = `${server.template}_${randomUUID().slice(0, 8)}`
  await administer(server.url, `create database ${name} ${migrated ? `template ${server.template}` : ''}`)
  const address = new URL(server.url)
  address.pathname = name
  const { db, close } = openPostgres(address.href)
  async function drop() {
    await close()
    await administer(server.url, `drop database if exists ${name} with (force)`)
  }
  return { db, url: address.href, close: drop, [Symbol.asyncDispose]: drop }
}

/** PGlites that were emptied and wait for the next world: emptying takes 10 ms, loading a new one 300. */
const idle: PGlite[] = []

afterAll(() => Promise.all(idle.splice(0).map((client) => client.close())))

let loading: Promise<Blob> | undefined

function template(): Promise<Blob> {
  loading ??= prepared('pglite').then(async ({ file }) => new Blob([await readFile(file)]))
  return loading
}

/** Empties a database for the next world. One that was left unusable or with another schema is given up. */
async function empty(client: PGlite, schema: string): Promise<void> {
  if (client.closed) return
  const asBefore = client
    .exec('rollback')
    .then(() => client.exec('discard all'))
    .then(async () => (await schemaOf(client)) === schema)
  if (!(await asBefore.catch(() => false))) return client.close()
  await client.exec(`
    do $$ begin
      execute (
        select 'truncate ' || string_agg(quote_ident(tablename), ', ') || ' restart identity cascade'
        from pg_tables where schemaname = 'public'
      );
    end $$
  `)
  idle.push(client)
}

/** Changes whenever a column, constraint, index, function, trigger or applied migration is added, changed or dropped. */
async function schemaOf(client: PGlite): Promise<string> {
  const { rows } = await client.query<{ schema: string }>(`
    select md5(string_agg(object::text, ',' order by object::text)) as schema
    from (
      select (tableoid, attrelid, attnum, xmin) as object from pg_attribute where attrelid >= 16384
      union all select (tableoid, oid, xmin) from pg_attrdef
      union all select (tableoid, oid, xmin) from pg_constraint where oid >= 16384
      union all select (tableoid, indexrelid, xmin) from pg_index where indexrelid >= 16384
      union all select (tableoid, oid, xmin) from pg_proc where oid >= 16384
      union all select (tableoid, oid, xmin) from pg_trigger
      union all select (tableoid, id, xmin) from drizzle.__drizzle_migrations
      union all select (tableoid, name, xmin) from drizzle.functions
    ) objects
  `)
  return rows[0]?.schema ?? ''
}

async function administer(url: string, statement: string): Promise<void> {
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await admin.unsafe(statement)
  } finally {
    await admin.end()
  }
}
