import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { OpenDatabase } from './database.ts'
import * as schema from './schema.ts'

/**
 * Opens Postgres through a pool.
 * `?pgbouncer=true` in the address turns prepared statements off, which PgBouncer before 1.21 needs in transaction mode.
 * @param options as in postgres.js, over our own
 */
export function openPostgres(url: string, options: postgres.Options<Record<string, never>> = {}): OpenDatabase {
  const address = new URL(url)
  const pooled = address.searchParams.get('pgbouncer') === 'true'
  address.searchParams.delete('pgbouncer')
  const client = postgres(address.href, {
    max: 10,
    connect_timeout: 4,
    // Seconds until the next try after a failed one. The library's own pause grows to 20 s, in which all queries wait.
    backoff: () => 0.2,
    prepare: !pooled,
    onnotice: () => {},
    ...options,
  })
  // Drizzle does not ask for it. Unprepared, every statement is two round trips and is parsed and planned anew.
  const { unsafe } = client
  client.unsafe = (query, parameters, how) => unsafe(query, parameters, { ...how, prepare: true })
  return { db: drizzle({ client, schema }), close: () => client.end({ timeout: 5 }) }
}
