import { Socket } from 'node:net'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { isConnectionError, type OpenDatabase } from './database.ts'
import { createClient, type PostgresOptions } from './postgres.ts'
import * as schema from './schema.ts'

/** A client of postgres.js, with its ten connections. */
type Pool = {
  client: postgres.Sql
  sockets: Set<Socket>
  /** What it was asked and has not answered, with how many looks long. */
  inFlight: Map<PromiseLike<unknown>, number>
  /** A connection of it has ended, or something is overdue: it is asked nothing new. */
  draining: boolean
  closed: boolean
}

/** Milliseconds between two looks at what is not answered. */
const tickMs = 250
/** Looks after which whatever a working connection was asked has its answer, save what is slow by itself. */
const ticksUntilOverdue = 2

/**
 * Opens Postgres for a process that runs for months, through connections that end in every way there is.
 *
 * postgres.js 3.4.9 does not get over some of them. It waits for an answer as long as the socket lives, and one whose
 * other end is gone without a word lives for ever; a connection that ends just before it is written to can never be used
 * again (its pull request 1209), and one that ends politely before it is ready keeps what it was asked (issue 1193). So a
 * pool is asked nothing more once one of its connections has ended or an answer is overdue: a new one takes its place.
 * The old one is closed when it has answered, or, once an answer is overdue, when nothing is left that was asked just
 * now. What is lost fails as when the database is away.
 * @queryTimeout queryTimeout seconds that an answer may take. Time in which this process stood still does not count.
 * @param options as in postgres.js, over our own
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
        // Not among the types of postgres.js 3.4.9.
        ...{ socket: (address: Address) => openSocket(pool, address) },
      }),
      sockets: new Set(),
      inFlight: new Map(),
      draining: false,
      closed: false,
    }
    // Drizzle tells a client how to read and write values when it is given one.
    drizzle({ client: pool.client })
    pools.add(pool)
    return pool
  }

  function run<Answer extends PromiseLike<unknown>>(send: (client: postgres.Sql) => Answer): Answer {
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
    unsafe: (...asked: Parameters<postgres.Sql['unsafe']>) => run(({ unsafe }) => unsafe(...asked)),
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
    // What Drizzle uses of a client.
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
  // TLS knows by the host's name whose certificate it wants to see.
  return Object.assign(path ? socket.connect(path) : socket.connect(port, host), { host, port })
}

/**
 * Does the work of a transaction so that neither end is left with half of it. The database gives up a transaction whose
 * owner is gone without a word, or its locks would stay. postgres.js writes to a connection that has ended, be it what
 * the work asks next or a rollback because it failed, and that ends the process (its issue 1208): once the transaction is
 * over nothing is asked any more, and work that failed because the connection has ended never ends itself.
 */
function guardTransaction(work: TransactionWork, queryTimeout: number, isSettled: () => boolean): TransactionWork {
  return abortOnDisconnect(async (transaction) => {
    // For this transaction only, because a pooler may hand the connection to somebody else.
    await transaction.unsafe(`set local idle_in_transaction_session_timeout = ${queryTimeout * 1000}`)
    return work(transaction)
  }, isSettled)
}

/** A transaction within a transaction, too, would roll back by itself to where it began. */
function abortOnDisconnect(work: TransactionWork, isSettled: () => boolean): TransactionWork {
  return async (transaction) => {
    const { unsafe, savepoint } = transaction
    transaction.unsafe = ((...args: Parameters<typeof unsafe>) => {
      if (isSettled()) throw connectionEnded('the transaction is over')
      return unsafe(...args)
    }) as typeof unsafe
    // Drizzle names none.
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
