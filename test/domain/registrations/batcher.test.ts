import postgres from 'postgres'
import { expect, test, vi } from 'vitest'
import { isDatabaseUnavailable } from '../../../src/db/database.ts'
import { BatchTimeoutError, createBatcher } from '../../../src/lib/batcher.ts'
import { createWorld } from '../../support/world.ts'

test('a workshop that somebody keeps locked holds up its own people and not those of others', async () => {
  await using world = await createWorld({ postgres: true })
  const [locked, free] = [await world.workshop(), await world.workshop()]
  const other = postgres(world.databaseUrl ?? '', { max: 1 })
  try {
    await other.begin(async (tx) => {
      await tx`select 1 from workshops where id = ${locked.id} for update`
      // The first occupies the desk, the others share a batch.
      const [, held, answered] = await Promise.allSettled([
        world.register(free),
        world.register(locked),
        world.register(free),
      ])
      expect(answered).toMatchObject({ status: 'fulfilled', value: { status: 'confirmed' } })
      expect(held.status === 'rejected' && isDatabaseUnavailable(held.reason)).toBe(true)
    })
    expect(await world.register(locked)).toMatchObject({ status: 'confirmed' })
  } finally {
    await other.end()
  }
})

test('what arrives while a batch is under way travels in the next one, in order', async () => {
  const batches: number[][] = []
  const ask = createBatcher<number, number>(
    async (jobs) => {
      batches.push(jobs)
      await new Promise((resolve) => setImmediate(resolve))
      return jobs.map((job) => job * 2)
    },
    () => [],
    { maxBatchSize: 10, maxQueueSize: 10, timeoutMs: 1000 },
  )
  expect(await Promise.all([1, 2, 3, 4].map(ask))).toEqual([2, 4, 6, 8])
  expect(batches).toEqual([[1], [2, 3, 4]])
})

test('whoever has arrived in the same turn of the event loop comes along in the first batch', async () => {
  const batches: number[][] = []
  const ask = createBatcher<number, number>(
    async (jobs) => {
      batches.push(jobs)
      return jobs
    },
    () => [],
  )
  const arriving = [ask(1), new Promise((resolve) => setImmediate(resolve)).then(() => ask(3)), ask(2)]
  await Promise.all(arriving)
  expect(batches).toEqual([[1, 2], [3]])
})

test('after an error jobs run again in the batches that it calls for, and only the bad one fails', async () => {
  const ask = createBatcher<string, string>(
    async (jobs) => {
      if (jobs.includes('bad')) throw new Error('bad job')
      return jobs
    },
    (_error, jobs) => jobs.map((job) => [job]),
  )
  const ends = await Promise.allSettled(['a', 'b', 'bad', 'c'].map(ask))
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('who waits too long, or comes when too many wait, is told so, and the desk goes on', async () => {
  let finish: (() => void) | undefined
  let hang = true
  const ask = createBatcher<number, number>(
    async (jobs) => {
      if (hang) await new Promise<void>((resolve) => (finish = resolve))
      return jobs
    },
    () => [],
    { maxBatchSize: 10, maxQueueSize: 2, timeoutMs: 50 },
  )
  const hanging = [1, 2, 3].map(ask)
  await expect(ask(4)).rejects.toBeInstanceOf(BatchTimeoutError)
  const ends = await Promise.allSettled(hanging)
  expect(ends.every((end) => end.status === 'rejected' && isDatabaseUnavailable(end.reason))).toBe(true)
  hang = false
  // Who was given up counts as waiting until the statement that hangs is left behind, a moment later.
  await vi.waitFor(async () => expect(await ask(5)).toBe(5), { timeout: 15_000 })
  finish?.()
})
