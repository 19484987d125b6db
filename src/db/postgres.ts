import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { OpenDatabase } from './database.ts'
import * as schema from './schema.ts'

export type PostgresOptions = postgres.Options<Record<string, never>>

/**
 * Opens Postgres for a short time: a request of a Worker, a test. A server that runs for long uses pool.ts, which survives
 * broken connections.
 * @param options of postgres.js, overriding ours
 */
export function openPostgres(url: string, options: PostgresOptions = {}): OpenDatabase {
  const client = createClient(url, options)
  return { db: drizzle({ client, schema }), close: () => client.end({ timeout: 5 }) }
}

/**
 * Creates a postgres.js client with our settings.
 * `?pgbouncer=true` in the URL turns prepared statements off, as PgBouncer before 1.21 requires in transaction mode.
 */
export function createClient(url: string, options: PostgresOptions): postgres.Sql {
  const parsedUrl = new URL(url)
  const usesPgBouncer = parsedUrl.searchParams.get('pgbouncer') === 'true'
  parsedUrl.searchParams.delete('pgbouncer')
  const client = postgres(parsedUrl.href, {
    max: 10,
    connect_timeout: 4,
    // Seconds before reconnecting. The default backoff grows to 20 s, during which all queries wait.
    backoff: () => 0.2,
    prepare: !usesPgBouncer,
    // A connection that breaks while fetching types rejects a promise that nothing handles, which ends the process. The
    // types are only needed for arrays, which are passed as text here.
    fetch_types: false,
    onnotice: () => {},
    ...options,
  })
  // Drizzle does not set `prepare`. Unprepared, a statement takes two round trips and is parsed and planned each time.
  const { unsafe } = client
  client.unsafe = (query, parameters, queryOptions) => unsafe(query, parameters, { ...queryOptions, prepare: true })
  return client
}
