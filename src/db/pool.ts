import { Socket } from 'node:net'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { isConnectionGone, type OpenDatabase } from './database.ts'
import { connectTo, type PostgresOptions } from './postgres.ts'
import * as schema from './schema.ts'

/** A client of postgres.js, with its ten connections. */
type Pool = {
  client: postgres.Sql
  sockets: Set<Socket>
  /** What it was asked and has not answered, with how many looks long. */
  asked: Map<PromiseLike<unknown>, number>
  /** A connection of it has ended, or something is overdue: it is asked nothing new. */
  retired: boolean
  closed: boolean
}

/** Milliseconds between two looks at what is not answered. */
const interval = 250
/** Looks after which whatever a working connection was asked has its answer, save what is slow by itself. */
const soon = 2

/**
 * Opens Postgres for a process that runs for months, through connections that end in every way there is.
 *
 * postgres.js 3.4.9 does not get over some of them. It waits for an answer as long as the socket lives, and one whose
 * other end is gone without a word lives for ever; a connection that ends just before it is written to can never be used
 * again (its pull request 1209), and one that ends politely before it is ready keeps what it was asked (issue 1193). So a
 * pool is asked nothing more once one of its connections has ended or an answer is overdue: a new one takes its place.
 * The old one is closed when it has answered, or, once an answer is overdue, when nothing is left that was asked just
 * now. What is lost fails as when the database is away.
 * @param patience seconds that an answer may take. Time in which this process stood still does not count.
 * @param options as in postgres.js, over our own
 */
export function openPool(url: string, patience: number, options: PostgresOptions = {}): OpenDatabase {
  const pools = new Set<Pool>()
  let current = open()
  let closing = false
  let looking: NodeJS.Timeout | undefined

  function open(): Pool {
    const pool: Pool = {
      client: connectTo(url, {
        ...options,
        onclose: () => retire(pool),
        // Not among the types of postgres.js 3.4.9.
        ...{ socket: (address: Address) => openSocket(pool, address) },
      }),
      sockets: new Set(),
      asked: new Map(),
      retired: false,
      closed: false,
    }
    // Drizzle tells a client how to read and write values when it is given one.
    drizzle({ client: pool.client })
    pools.add(pool)
    return pool
  }

  function ask<Answer extends PromiseLike<unknown>>(put: (client: postgres.Sql) => Answer): Answer {
    const pool = current
    const answer = put(pool.client)
    pool.asked.set(answer, 0)
    const ended = () => {
      pool.asked.delete(answer)
      if (pool.retired && pool.asked.size === 0) close(pool)
    }
    answer.then(ended, ended)
    looking ??= setInterval(look, interval).unref()
    return answer
  }

  function look() {
    for (const pool of pools) {
      for (const [answer, looks] of pool.asked) pool.asked.set(answer, looks + 1)
      const waits = [...pool.asked.values()]
      if (!waits.some((looks) => looks * interval > patience * 1000)) continue
      retire(pool)
      if (waits.every((looks) => looks > soon)) close(pool)
    }
    if ([...pools].some(({ asked }) => asked.size > 0)) return
    clearInterval(looking)
    looking = undefined
  }

  function retire(pool: Pool) {
    if (pool.retired || closing) return
    pool.retired = true
    current = open()
    if (pool.asked.size === 0) close(pool)
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
    unsafe: (...asked: Parameters<postgres.Sql['unsafe']>) => ask(({ unsafe }) => unsafe(...asked)),
    begin(work: Work) {
      let over = false
      const transaction = ask(({ begin }) => begin(carefully(work, patience, () => over)))
      const end = () => {
        over = true
      }
      transaction.then(end, end)
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
type Work = (transaction: postgres.TransactionSql) => Promise<unknown>

function openSocket(pool: Pool, { host: [host = 'localhost'], port: [port = 5432], path }: Address): Socket {
  if (pool.closed) throw gone('the pool is closed')
  const socket = new Socket()
  for (const gone of pool.sockets) if (gone.destroyed) pool.sockets.delete(gone)
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
function carefully(work: Work, patience: number, isOver: () => boolean): Work {
  return whileConnected(async (transaction) => {
    // For this transaction only, because a pooler may hand the connection to somebody else.
    await transaction.unsafe(`set local idle_in_transaction_session_timeout = ${patience * 1000}`)
    return work(transaction)
  }, isOver)
}

/** A transaction within a transaction, too, would roll back by itself to where it began. */
function whileConnected(work: Work, isOver: () => boolean): Work {
  return async (transaction) => {
    const { unsafe, savepoint } = transaction
    transaction.unsafe = ((...asked: Parameters<typeof unsafe>) => {
      if (isOver()) throw gone('the transaction is over')
      return unsafe(...asked)
    }) as typeof unsafe
    // Drizzle names none.
    transaction.savepoint = ((within: Work) => {
      if (isOver()) throw gone('the transaction is over')
      return savepoint(whileConnected(within, isOver))
    }) as typeof savepoint
    try {
      return await work(transaction)
    } catch (error) {
      if (isConnectionGone(error)) await new Promise(() => {})
      throw error
    }
  }
}

function gone(what: string): Error {
  return Object.assign(new Error(what), { code: 'CONNECTION_ENDED' })
}
