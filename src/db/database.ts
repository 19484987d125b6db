import { type SQL, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type * as schema from './schema.ts'

/** One type for embedded PGlite, Postgres over a socket and Postgres through Hyperdrive. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>

export type OpenDatabase = { db: Database; close(): Promise<void> }

/** Runs a statement and returns its rows. Drivers differ in the shape of the result and in the type of a bigint. */
export async function query<Row extends Record<string, unknown>>(db: Database, statement: SQL): Promise<Row[]> {
  const result = (await db.execute(statement)) as unknown as Row[] | { rows: Row[] }
  return Array.isArray(result) ? [...result] : result.rows
}

/** A timestamptz parameter of a raw statement. */
export function timestamptz(date: Date): SQL {
  return sql`${date.toISOString()}::timestamptz`
}

/** A uuid[] parameter of a raw statement. */
export function uuidArray(ids: readonly string[]): SQL {
  return sql`${`{${ids.join(',')}}`}::uuid[]`
}

/** The SQLSTATE and the constraint of a database error, however deep the driver and Drizzle wrapped it. */
export function databaseError(error: unknown): { code: string; constraint: string | undefined } | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code, constraint, constraint_name } = e as Error & {
      code?: unknown
      constraint?: string
      constraint_name?: string
    }
    if (typeof code === 'string') return { code, constraint: constraint_name ?? constraint }
  }
  return undefined
}

/**
 * True if the database is unreachable, starting, stopping or overloaded, so that a retry helps: SQLSTATE classes 08, 53 and
 * 57P, lock timeouts, serialization failures, deadlocks, and the connection errors of Node and postgres.js.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = databaseError(error)?.code ?? ''
  return /^(08|53|57P|55P03|40001|40P01)/.test(code) || connectionErrors.has(code)
}

/** True if the connection has ended or is about to. */
export function isConnectionError(error: unknown): boolean {
  const code = databaseError(error)?.code ?? ''
  return /^(08|57P)/.test(code) || connectionErrors.has(code)
}

const connectionErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'DEADLINE',
])

/**
 * Reduces an error to loggable facts: message, SQLSTATE, constraint and stack frames. Strips personal data: Drizzle's
 * message contains the parameters, and other messages quote the invalid value.
 */
export function redactError(error: unknown): { reason: string; stack: string } {
  if (!(error instanceof Error)) return { reason: 'a value that is not an Error was thrown', stack: '' }
  let innermost: Error = error
  while (innermost.cause instanceof Error) innermost = innermost.cause
  const message = innermost.message.replace(/\nparams:.*/s, '').replace(/["“„«].*["”“»]/s, '…')
  const { code, constraint } = databaseError(error) ?? {}
  const codes = [code, constraint].filter((code) => code && !message.includes(code)).join(' ')
  return {
    reason: [codes, message].filter(Boolean).join(': '),
    // Only lines that look like frames: the message before them may span several lines.
    stack: (error.stack ?? '').match(/^ {4}at .*(:\d+:\d+|<anonymous>|\(index \d+\))\)?$/gm)?.join('\n') ?? '',
  }
}

/** True if the database has all migrations of this release. A newer release may have added more. */
export async function isMigrated(db: Database, expected: number): Promise<boolean> {
  return (await countMigrations(db)) >= expected
}

/** The number of applied migrations; 0 for an empty database. */
export async function countMigrations(db: Database): Promise<number> {
  const [table] = await query<{ there: boolean }>(
    db,
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as there`,
  )
  if (!table?.there) return 0
  const [count] = await query<{ n: number }>(db, sql`select count(*)::int as n from drizzle.__drizzle_migrations`)
  return count?.n ?? 0
}
