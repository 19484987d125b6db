import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isDatabaseUnavailable, query } from '../../src/db/database.ts'
import { createResilientPool } from '../../src/db/pool.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { startDatabaseProxy } from '../support/databases/proxy.ts'
import { findFreePort } from '../support/processes/free-port.ts'

describe('when all connections are lost silently', () => {
  test('in-flight queries fail as database unavailable, and later queries succeed', async () => {
    const { proxy, runQuery } = await openPoolOverProxy({ timeoutSeconds: 1 })
    await Promise.all([runQuery(), runQuery()])
    proxy.stall()
    // Two are sent into a lost connection, and the third waits for them.
    const queries = [runQuery(), runQuery(), runQuery()]
    await new Promise(setImmediate)
    expect(proxy.loseConnections()).toBe(2)
    const results = await Promise.allSettled(queries)
    expect(results.map((end) => end.status === 'rejected' && isDatabaseUnavailable(end.reason))).toEqual([
      true,
      true,
      true,
    ])
    await runQuery()
  })

  test('a transaction fails', async () => {
    const { proxy, db, runQuery } = await openPoolOverProxy({ timeoutSeconds: 1 })
    const transaction = db.transaction(async (tx) => {
      await tx.execute(sql`select 1`)
      proxy.stall()
      setImmediate(proxy.loseConnections)
      await tx.execute(sql`select 1`)
    })
    await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
    await runQuery()
  })
})

test('a query over the timeout fails without affecting others', async () => {
  const { runQuery } = await openPoolOverProxy({ timeoutSeconds: 1 })
  const slow = expect(runQuery(4)).rejects.toSatisfy(isDatabaseUnavailable)
  // Sent just before the slow query times out.
  await sleep(900)
  await Promise.all([slow, runQuery(0.3)])
})

test('a transaction whose connection is closed fails, and the next query succeeds', async () => {
  const { proxy, db, runQuery } = await openPoolOverProxy()
  const transaction = db.transaction(async (tx) => {
    const answer = tx.execute(sql`select pg_sleep(1)`)
    setImmediate(() => proxy.dropConnections(1))
    await answer
  })
  await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
  await runQuery()
})

test('a transaction whose connection is closed between two statements fails', async () => {
  const { proxy, db, runQuery } = await openPoolOverProxy()
  const transaction = db.transaction(async (tx) => {
    await tx.execute(sql`select 1`)
    proxy.dropConnections(1)
    await sleep(50)
    await tx.execute(sql`select 1`)
  })
  await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
  await sleep(100)
  await runQuery()
})

test('a nested transaction fails when the connection is closed', async () => {
  const { proxy, db, runQuery } = await openPoolOverProxy()
  for (const pause of [0, 50]) {
    const transaction = db.transaction(async (tx) => {
      await tx.transaction(async (nested) => {
        const answer = pause === 0 ? nested.execute(sql`select pg_sleep(1)`) : nested.execute(sql`select 1`)
        if (pause > 0) await answer
        setImmediate(() => proxy.dropConnections(1))
        await sleep(pause)
        await answer
        await nested.execute(sql`select 1`)
      })
    })
    await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
    await sleep(100)
    await runQuery()
  }
})

test('a nested transaction that throws rolls back only its own changes', async () => {
  const { db } = await openPoolOverProxy()
  await db.execute(sql`create table words (word text)`)
  await db.transaction(async (tx) => {
    await tx.execute(sql`insert into words values ('stays')`)
    const rejected = tx.transaction(async (nested) => {
      await nested.execute(sql`insert into words values ('rolled back')`)
      throw new Error('cancelled by the test')
    })
    await expect(rejected).rejects.toThrow('cancelled by the test')
  })
  expect(await query(db, sql`select word from words`)).toEqual([{ word: 'stays' }])
})

test('a transaction that throws is rolled back', async () => {
  const { db } = await openPoolOverProxy()
  await db.execute(sql`create table notes (note text)`)
  const transaction = db.transaction(async (tx) => {
    await tx.execute(sql`insert into notes values ('gone')`)
    throw new Error('cancelled by the test')
  })
  await expect(transaction).rejects.toThrow('cancelled by the test')
  expect(await query(db, sql`select note from notes`)).toEqual([])
})

test('an idle transaction is ended by the database, so that its locks are released', async () => {
  const { db, runQuery } = await openPoolOverProxy({ timeoutSeconds: 1 })
  await db.execute(sql`create table notes (note text)`)
  const transaction = db.transaction(async (tx) => {
    await tx.execute(sql`lock table notes`)
    // The transaction is idle for longer than the database allows.
    await sleep(1500)
    await tx.execute(sql`select 1`)
  })
  const failure = expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
  await runQuery(0.1)
  await db.execute(sql`insert into notes values ('free')`)
  await failure
})

test('a dropped connection fails its in-flight queries as database unavailable and never hangs one', async () => {
  const { proxy, runQuery } = await openPoolOverProxy({ max: 10 })
  let stopped = false
  const failures = new Set<unknown>()
  const clients = Array.from({ length: 30 }, async () => {
    while (!stopped) await runQuery().catch((error) => failures.add(isDatabaseUnavailable(error)))
  })
  for (let cuts = 0; cuts < 40; cuts++) {
    await sleep(20)
    proxy.dropConnections(cuts % 2 ? 1 : 0.5)
  }
  stopped = true
  await Promise.all(clients)
  expect(failures).toEqual(new Set([true]))
  // All ten connections were replaced: none of these queries waits for a timeout.
  await Promise.all(Array.from({ length: 10 }, () => runQuery(0.2)))
})

test.each(['gracefully', 'abruptly'])(
  'a connection closed %s as soon as a query is sent fails that query only',
  async (manner) => {
    await using database = await openTestPostgres({ migrated: false })
    const { port, hostname } = new URL(database.url)
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname)
      for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
      upstream.on('data', (bytes) => client.write(bytes))
      client.on('data', (bytes) => {
        // A query begins with the message Parse; from then on both sockets are closed.
        if (bytes[0] !== 'P'.charCodeAt(0)) return upstream.write(bytes)
        server.close()
        for (const socket of sockets) manner === 'gracefully' ? socket.end() : socket.resetAndDestroy()
      })
    })
    const address = new URL(database.url)
    address.host = `127.0.0.1:${await findFreePort()}`
    await new Promise<void>((listening) => server.listen(Number(address.port), '127.0.0.1', listening))
    const { db, close } = createResilientPool(address.href, 2)
    const runQuery = (value: number) => db.execute(sql`select ${value}::int`)
    // An unhandled rejection would fail the test run.
    await expect(runQuery(1)).rejects.toSatisfy(isDatabaseUnavailable)
    await expect(runQuery(2)).rejects.toSatisfy(isDatabaseUnavailable)
    await close()
  },
)

/** Opens a pool through a proxy, with two connections by default. */
async function openPoolOverProxy({ timeoutSeconds = 5, max = 2 } = {}) {
  const database = await openTestPostgres({ migrated: false })
  const proxy = await startDatabaseProxy(database.url)
  const { db, close } = createResilientPool(proxy.url, timeoutSeconds, { max })
  onTestFinished(async () => {
    await close()
    await proxy[Symbol.asyncDispose]()
    await database.close()
  })
  /** Runs a query that takes the given number of seconds. */
  const runQuery = (seconds = 0) => db.execute(sql`select pg_sleep(${seconds})`)
  return { proxy, db, runQuery }
}
