import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { onTestFinished } from 'vitest'
import type { OpenDatabase } from '../../../src/db/database.ts'
import { wrapPglite } from '../../../src/db/pglite.ts'
import { openPostgres } from '../../../src/db/postgres.ts'
import { getSharedResource, type SharedResources } from '../vitest/shared-resources.ts'

/** Opens a migrated, empty in-process database. */
export async function openTestPglite(): Promise<OpenDatabase> {
  const client = idlePglites.pop() ?? (await PGlite.create({ loadDataDir: await loadTemplate() }))
  const schema = await schemaFingerprint(pgliteQuery(client))
  return { ...wrapPglite(client), close: () => resetPglite(client, schema) }
}

/** Creates a DATA_DIR with a migrated, empty database. Removed when the test ends. */
export async function createDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-data-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const client = await PGlite.create({ dataDir: join(folder, 'pgdata'), loadDataDir: await loadTemplate() })
  await client.close()
  return folder
}

/**
 * Opens an empty database on a real Postgres. Closed ones are emptied and reused, unless their schema was changed.
 * @param migrated false for one without tables
 */
export async function openTestPostgres({
  migrated = true,
} = {}): Promise<OpenDatabase & AsyncDisposable & { url: string }> {
  const server = await getSharedResource('postgres')
  const { url, schema } = (migrated && idleServerDatabases.pop()) || (await createDatabase(server, migrated))
  const { db, close } = openPostgres(url)
  async function release() {
    await close()
    if (schema && (await resetServerDatabase(url, schema))) idleServerDatabases.push({ url, schema })
    else await dropDatabase(server, url)
  }
  return { db, url, close: release, [Symbol.asyncDispose]: release }
}

type ServerDatabase = {
  url: string
  /** Fingerprint of the unchanged schema. Undefined for a database that is not reused. */
  schema: string | undefined
}

/** Emptying takes 15 ms, creating and dropping a database 150 ms. Dropped with the template: see global-setup.ts. */
const idleServerDatabases: ServerDatabase[] = []

async function createDatabase(server: SharedResources['postgres'], migrated: boolean): Promise<ServerDatabase> {
  const name = `${server.template}_${randomUUID().slice(0, 8)}`
  await withAdminConnection(server.url, (admin) =>
    admin.unsafe(`create database ${name} ${migrated ? `template ${server.template}` : ''}`),
  )
  const address = new URL(server.url)
  address.pathname = name
  const url = address.href
  return {
    url,
    schema: migrated
      ? await withAdminConnection(url, (admin) => schemaFingerprint((text) => admin.unsafe(text)))
      : undefined,
  }
}

function dropDatabase(server: SharedResources['postgres'], url: string) {
  const name = new URL(url).pathname.slice(1)
  return withAdminConnection(server.url, (admin) => admin.unsafe(`drop database if exists ${name} with (force)`))
}

/** Empties a database. Returns whether it can be reused. */
function resetServerDatabase(url: string, schema: string): Promise<boolean> {
  return withAdminConnection(url, async (admin) => {
    // Connections that a test left open may hold locks.
    await admin`
      select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
    `
    if ((await schemaFingerprint((text) => admin.unsafe(text))) !== schema) return false
    await admin.unsafe(truncateStatement)
    return true
  }).catch(() => false)
}

/** Emptied PGlites for the next worlds, until the process ends: emptying takes 10 ms, a new one 300 ms. */
const idlePglites: PGlite[] = []

let templatePromise: Promise<Blob> | undefined

function loadTemplate(): Promise<Blob> {
  templatePromise ??= getSharedResource('pglite').then(async ({ file }) => new Blob([await readFile(file)]))
  return templatePromise
}

/** Empties a database for the next world. Discards one that is unusable or has another schema. */
async function resetPglite(client: PGlite, schema: string): Promise<void> {
  if (client.closed) return
  const isUnchanged = client
    .exec('rollback')
    .then(() => client.exec('discard all'))
    .then(async () => (await schemaFingerprint(pgliteQuery(client))) === schema)
  if (!(await isUnchanged.catch(() => false))) return client.close()
  await client.exec(truncateStatement)
  idlePglites.push(client)
}

const truncateStatement = `
  do $$ begin
    execute (
      select 'truncate ' || string_agg(quote_ident(tablename), ', ') || ' restart identity cascade'
      from pg_tables where schemaname = 'public'
    );
  end $$
`

type Query = (text: string) => PromiseLike<{ schema: string }[]>

const pgliteQuery =
  (client: PGlite): Query =>
  async (text) =>
    (await client.query<{ schema: string }>(text)).rows

/**
 * Changes whenever a table, column, constraint, index, function, trigger or applied migration is added, changed or
 * dropped.
 */
async function schemaFingerprint(query: Query): Promise<string> {
  const rows = await query(`
    select md5(string_agg(object::text, ',' order by object::text)) as schema
    from (
      select (tableoid, attrelid, attnum, xmin) as object from pg_attribute where attrelid >= 16384
      -- Emptying a table changes its row, but neither its name nor its schema.
      union all select (tableoid, oid, relname, relnamespace) from pg_class where oid >= 16384
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

async function withAdminConnection<T>(url: string, callback: (admin: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await callback(admin)
  } finally {
    await admin.end()
  }
}
