import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { OpenDatabase } from './database.ts'
import * as schema from './schema.ts'

export type PostgresOptions = postgres.Options<Record<string, never>>

/**
 * Opens Postgres for a while: a request of a Worker, a test. What runs for longer opens a pool that outlives its
 * connections: see pool.ts.
 * @param options as in postgres.js, over our own
 */
export function openPostgres(url: string, options: PostgresOptions = {}): OpenDatabase {
  const client = createClient(url, options)
  return { db: drizzle({ client, schema }), close: () => client.end({ timeout: 5 }) }
}

/**
 * A client of postgres.js with our settings.
 * `?pgbouncer=true` in the address turns prepared statements off, which PgBouncer before 1.21 needs in transaction mode.
 */
export function createClient(url: string, options: PostgresOptions): postgres.Sql {
  const parsedUrl = new URL(url)
  const usesPgBouncer = parsedUrl.searchParams.get('pgbouncer') === 'true'
  parsedUrl.searchParams.delete('pgbouncer')
  const client = postgres(parsedUrl.href, {
    max: 10,
    connect_timeout: 4,
    // Seconds until the next try after a failed one. The library's own pause grows to 20 s, in which all queries wait.
    backoff: () => 0.2,
    prepare: !usesPgBouncer,
    // A connection that breaks while it fetches them rejects a promise that nobody has, and the process ends. Arrays go
    // in and out as text here, so that they are not needed.
    fetch_types: false,
    onnotice: () => {},
    ...options,
  })
  // Drizzle does not ask for it. Unprepared, every statement is two round trips and is parsed and planned anew.
  const { unsafe } = client
  client.unsafe = (query, parameters, queryOptions) => unsafe(query, parameters, { ...queryOptions, prepare: true })
  return client
}
