import { Socket } from 'node:net'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { isConnectionError, type OpenDatabase } from './database.ts'
import { createClient, type PostgresOptions } from './postgres.ts'
import * as schema from './schema.ts'

/** A postgres.js client with its ten connections. */
type Pool = {
  client: postgres.Sql
  sockets: Set<Socket>
  /** In-flight queries and their age in ticks. */
  inFlight: Map<PromiseLike<unknown>, number>
  /** A connection has ended or a query is overdue: no new queries. */
  draining: boolean
  closed: boolean
}

/** Milliseconds between two timeout checks. */
const tickMs = 250
/** Ticks after which a healthy connection has answered everything except slow queries. */
const ticksUntilOverdue = 2

/**
 * Opens Postgres for a process that runs for months and has to survive broken connections of every kind.
 *
 * postgres.js 3.4.9 does not recover from some of them. It waits for a response as long as the socket lives, and a socket
 * whose peer vanished silently lives for ever. A connection that ends just before it is written to can never be used again
 * (its pull request 1209). One that is closed cleanly before it is ready never settles its queries (issue 1193). So a
 * client gets no new queries once one of its connections has ended or a query is overdue: a new client replaces it. The old
 * one is closed when its queries have settled or, if one is overdue, when all that are left are at least as old as
 * `ticksUntilOverdue`. Lost queries fail with the error of an unavailable database.
 * @param queryTimeout seconds that a query may take. Time in which this process was suspended does not count.
 * @param options of postgres.js, overriding ours
 */
export function createResilientPool(url: string, queryTimeout: number, options: PostgresOptions = {}): OpenDatabase {
  const pools = new Set<Pool>()
  let current = open()
  let closing = false
  let timer: NodeJS.Timeout | undefined

  function open(): Pool {
    const pool: Pool = {
      client: createClient(url, {
        ...options,
        onclose: () => drain(pool),
        // Missing in the types of postgres.js 3.4.9.
        ...{ socket: (address: Address) => openSocket(pool, address) },
      }),
      sockets: new Set(),
      inFlight: new Map(),
      draining: false,
      closed: false,
    }
    // Drizzle sets the parsers and serializers of a client when it wraps it.
    drizzle({ client: pool.client })
    pools.add(pool)
    return pool
  }

  function run<Result extends PromiseLike<unknown>>(send: (client: postgres.Sql) => Result): Result {
    const pool = current
    const result = send(pool.client)
    pool.inFlight.set(result, 0)
    const onSettled = () => {
      pool.inFlight.delete(result)
      if (pool.draining && pool.inFlight.size === 0) close(pool)
    }
    result.then(onSettled, onSettled)
    timer ??= setInterval(checkTimeouts, tickMs).unref()
    return result
  }

  function checkTimeouts() {
    for (const pool of pools) {
      for (const [result, ticksPending] of pool.inFlight) pool.inFlight.set(result, ticksPending + 1)
      const pendingTicks = [...pool.inFlight.values()]
      if (!pendingTicks.some((ticksPending) => ticksPending * tickMs > queryTimeout * 1000)) continue
      drain(pool)
      if (pendingTicks.every((ticksPending) => ticksPending > ticksUntilOverdue)) close(pool)
    }
    if ([...pools].some(({ inFlight }) => inFlight.size > 0)) return
    clearInterval(timer)
    timer = undefined
  }

  function drain(pool: Pool) {
    if (pool.draining || closing) return
    pool.draining = true
    current = open()
    if (pool.inFlight.size === 0) close(pool)
  }

  async function close(pool: Pool, seconds = 0) {
    if (pool.closed) return
    pool.closed = true
    await pool.client.end({ timeout: seconds })
    for (const socket of pool.sockets) socket.destroy()
    pools.delete(pool)
  }

  const client = {
    options: current.client.options,
    unsafe: (...args: Parameters<postgres.Sql['unsafe']>) => run(({ unsafe }) => unsafe(...args)),
    begin(work: TransactionWork) {
      let settled = false
      const transaction = run(({ begin }) => begin(guardTransaction(work, queryTimeout, () => settled)))
      const onSettled = () => {
        settled = true
      }
      transaction.then(onSettled, onSettled)
      return transaction
    },
  }
  return {
    // The part of a client that Drizzle uses.
    db: drizzle({ client: client as unknown as postgres.Sql, schema }),
    async close() {
      closing = true
      await Promise.all([...pools].map((pool) => close(pool, 5)))
    },
  }
}

type Address = { host: string[]; port: number[]; path?: string | false }
type TransactionWork = (transaction: postgres.TransactionSql) => Promise<unknown>

function openSocket(pool: Pool, { host: [host = 'localhost'], port: [port = 5432], path }: Address): Socket {
  if (pool.closed) throw connectionEnded('the pool is closed')
  const socket = new Socket()
  for (const stale of pool.sockets) if (stale.destroyed) pool.sockets.delete(stale)
  pool.sockets.add(socket)
  // TLS checks the certificate against the host name.
  return Object.assign(path ? socket.connect(path) : socket.connect(port, host), { host, port })
}

/**
 * Guards the work of a transaction against a lost connection, on both ends. The database aborts a transaction whose client
 * vanished silently; otherwise its locks would remain. postgres.js writes to a connection that has ended, the next query or
 * a rollback after an error, and that ends the process (its issue 1208): so queries throw once the transaction is over, and
 * work that failed because the connection has ended never settles.
 */
function guardTransaction(work: TransactionWork, queryTimeout: number, isSettled: () => boolean): TransactionWork {
  return abortOnDisconnect(async (transaction) => {
    // For this transaction only, because a pooler may give the connection to another client.
    await transaction.unsafe(`set local idle_in_transaction_session_timeout = ${queryTimeout * 1000}`)
    return work(transaction)
  }, isSettled)
}

/** Wraps savepoints too, because postgres.js also rolls back to a savepoint after an error. */
function abortOnDisconnect(work: TransactionWork, isSettled: () => boolean): TransactionWork {
  return async (transaction) => {
    const { unsafe, savepoint } = transaction
    transaction.unsafe = ((...args: Parameters<typeof unsafe>) => {
      if (isSettled()) throw connectionEnded('the transaction is over')
      return unsafe(...args)
    }) as typeof unsafe
    // Drizzle passes no name.
    transaction.savepoint = ((nested: TransactionWork) => {
      if (isSettled()) throw connectionEnded('the transaction is over')
      return savepoint(abortOnDisconnect(nested, isSettled))
    }) as typeof savepoint
    try {
      return await work(transaction)
    } catch (error) {
      if (isConnectionError(error)) await new Promise(() => {})
      throw error
    }
  }
}

function connectionEnded(message: string): Error {
  return Object.assign(new Error(message), { code: 'CONNECTION_ENDED' })
}
