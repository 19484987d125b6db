import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isDatabaseUnavailable, query } from '../../src/db/database.ts'
import { createResilientPool } from '../../src/db/pool.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { startDatabaseProxy } from '../support/databases/proxy.ts'
import { findFreePort } from '../support/processes/free-port.ts'

describe('when all connections are lost without a word', () => {
  test('what was asked fails as if the database were away, and what is asked after that is answered', async () => {
    const { wire, ask } = await openPoolOverProxy({ patience: 1 })
    await Promise.all([ask(), ask()])
    wire.stall()
    // Two are sent into nowhere, and the third waits for them.
    const asked = [ask(), ask(), ask()]
    await new Promise(setImmediate)
    expect(wire.loseConnections()).toBe(2)
    const ends = await Promise.allSettled(asked)
    expect(ends.map((end) => end.status === 'rejected' && isDatabaseUnavailable(end.reason))).toEqual([
      true,
      true,
      true,
    ])
    await ask()
  })

  test('a transaction fails too', async () => {
    const { wire, db, ask } = await openPoolOverProxy({ patience: 1 })
    const transaction = db.transaction(async (tx) => {
      await tx.execute(sql`select 1`)
      wire.stall()
      setImmediate(wire.loseConnections)
      await tx.execute(sql`select 1`)
    })
    await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
    await ask()
  })
})

test('a statement that takes longer than it may fails, and takes no other one with it', async () => {
  const { ask } = await openPoolOverProxy({ patience: 1 })
  const slow = expect(ask(4)).rejects.toSatisfy(isDatabaseUnavailable)
  // Asked just before the other one is given up.
  await sleep(900)
  await Promise.all([slow, ask(0.3)])
})

test('a transaction whose connection ends fails, and what is asked next is answered', async () => {
  const { wire, db, ask } = await openPoolOverProxy()
  const transaction = db.transaction(async (tx) => {
    const answer = tx.execute(sql`select pg_sleep(1)`)
    setImmediate(() => wire.dropConnections(1))
    await answer
  })
  await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
  await ask()
})

test('a transaction whose connection ends between two statements fails', async () => {
  const { wire, db, ask } = await openPoolOverProxy()
  const transaction = db.transaction(async (tx) => {
    await tx.execute(sql`select 1`)
    wire.dropConnections(1)
    await sleep(50)
    await tx.execute(sql`select 1`)
  })
  await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
  await sleep(100)
  await ask()
})

test('a transaction within a transaction fails with the connection too', async () => {
  const { wire, db, ask } = await openPoolOverProxy()
  for (const pause of [0, 50]) {
    const transaction = db.transaction(async (tx) => {
      await tx.transaction(async (within) => {
        const answer = pause === 0 ? within.execute(sql`select pg_sleep(1)`) : within.execute(sql`select 1`)
        if (pause > 0) await answer
        setImmediate(() => wire.dropConnections(1))
        await sleep(pause)
        await answer
        await within.execute(sql`select 1`)
      })
    })
    await expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
    await sleep(100)
    await ask()
  }
})

test('a transaction within a transaction that fails by itself leaves the rest as it is', async () => {
  const { db } = await openPoolOverProxy()
  await db.execute(sql`create table words (word text)`)
  await db.transaction(async (tx) => {
    await tx.execute(sql`insert into words values ('stays')`)
    const within = tx.transaction(async (within) => {
      await within.execute(sql`insert into words values ('gone')`)
      throw new Error('changed my mind')
    })
    await expect(within).rejects.toThrow('changed my mind')
  })
  expect(await query(db, sql`select word from words`)).toEqual([{ word: 'stays' }])
})

test('a transaction that fails by itself is rolled back', async () => {
  const { db } = await openPoolOverProxy()
  await db.execute(sql`create table notes (note text)`)
  const transaction = db.transaction(async (tx) => {
    await tx.execute(sql`insert into notes values ('gone')`)
    throw new Error('changed my mind')
  })
  await expect(transaction).rejects.toThrow('changed my mind')
  expect(await query(db, sql`select note from notes`)).toEqual([])
})

test('the database does not keep the locks of somebody who is gone in the middle of a transaction', async () => {
  const { db, ask } = await openPoolOverProxy({ patience: 1 })
  await db.execute(sql`create table notes (note text)`)
  const transaction = db.transaction(async (tx) => {
    await tx.execute(sql`lock table notes`)
    // Nothing more is said for longer than the database waits.
    await sleep(1500)
    await tx.execute(sql`select 1`)
  })
  const ended = expect(transaction).rejects.toSatisfy(isDatabaseUnavailable)
  await ask(0.1)
  await db.execute(sql`insert into notes values ('free')`)
  await ended
})

test('whatever ends while many ask, everyone is answered or told that the database is away', async () => {
  const { wire, ask } = await openPoolOverProxy({ max: 10 })
  let over = false
  const told = new Set<unknown>()
  const asking = Array.from({ length: 30 }, async () => {
    while (!over) await ask().catch((error) => told.add(isDatabaseUnavailable(error)))
  })
  for (let cuts = 0; cuts < 40; cuts++) {
    await sleep(20)
    wire.dropConnections(cuts % 2 ? 1 : 0.5)
  }
  over = true
  await Promise.all(asking)
  expect(told).toEqual(new Set([true]))
  // All ten connections are as good as new: none of these waits until another one is given up.
  await Promise.all(Array.from({ length: 10 }, () => ask(0.2)))
})

test.each(['politely', 'at once'])(
  'a connection that is ended %s as soon as something is asked fails that only',
  async (how) => {
    await using database = await openTestPostgres({ migrated: false })
    const { port, hostname } = new URL(database.url)
    const sockets = new Set<Socket>()
    const server = createServer((here) => {
      const there = connect(Number(port), hostname)
      for (const socket of [here, there]) sockets.add(socket.on('error', () => {}))
      there.on('data', (bytes) => here.write(bytes))
      here.on('data', (bytes) => {
        // What is asked begins with the message Parse; from then on nobody is there any more.
        if (bytes[0] !== 'P'.charCodeAt(0)) return there.write(bytes)
        server.close()
        for (const socket of sockets) how === 'politely' ? socket.end() : socket.resetAndDestroy()
      })
    })
    const address = new URL(database.url)
    address.host = `127.0.0.1:${await findFreePort()}`
    await new Promise<void>((listening) => server.listen(Number(address.port), '127.0.0.1', listening))
    const { db, close } = createResilientPool(address.href, 2)
    const ask = (value: number) => db.execute(sql`select ${value}::int`)
    // Were there a promise that nobody has, the run of the tests would fail.
    await expect(ask(1)).rejects.toSatisfy(isDatabaseUnavailable)
    await expect(ask(2)).rejects.toSatisfy(isDatabaseUnavailable)
    await close()
  },
)

/** A pool over a wire, of two connections unless told. */
async function openPoolOverProxy({ patience = 5, max = 2 } = {}) {
  const database = await openTestPostgres({ migrated: false })
  const proxy = await startDatabaseProxy(database.url)
  const { db, close } = createResilientPool(proxy.url, patience, { max })
  onTestFinished(async () => {
    await close()
    await proxy[Symbol.asyncDispose]()
    await database.close()
  })
  /** Asks something that takes so many seconds. */
  const runSleep = (seconds = 0) => db.execute(sql`select pg_sleep(${seconds})`)
  return { wire: proxy, db, ask: runSleep }
}
