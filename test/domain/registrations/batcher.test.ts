import postgres from 'postgres'
import { expect, test, vi } from 'vitest'
import { isDatabaseUnavailable } from '../../../src/db/database.ts'
import { BatchTimeoutError, createBatcher } from '../../../src/lib/batcher.ts'
import { createWorld } from '../../support/world.ts'

test('a locked workshop delays only its own sign-ups in a batch', async () => {
  await using world = await createWorld({ postgres: true })
  const [locked, free] = [await world.workshop(), await world.workshop()]
  const other = postgres(world.databaseUrl ?? '', { max: 1 })
  try {
    await other.begin(async (tx) => {
      await tx`select 1 from workshops where id = ${locked.id} for update`
      // The first occupies the batcher, the others share a batch.
      const [, blocked, unaffected] = await Promise.allSettled([
        world.register(free),
        world.register(locked),
        world.register(free),
      ])
      expect(unaffected).toMatchObject({ status: 'fulfilled', value: { status: 'confirmed' } })
      expect(blocked.status === 'rejected' && isDatabaseUnavailable(blocked.reason)).toBe(true)
    })
    expect(await world.register(locked)).toMatchObject({ status: 'confirmed' })
  } finally {
    await other.end()
  }
})

test('createBatcher runs jobs that arrive during a batch in the next batch, in order', async () => {
  const batches: number[][] = []
  const submit = createBatcher<number, number>(
    async (jobs) => {
      batches.push(jobs)
      await new Promise((resolve) => setImmediate(resolve))
      return jobs.map((job) => job * 2)
    },
    () => [],
    { maxBatchSize: 10, maxQueueSize: 10, timeoutMs: 1000 },
  )
  expect(await Promise.all([1, 2, 3, 4].map(submit))).toEqual([2, 4, 6, 8])
  expect(batches).toEqual([[1], [2, 3, 4]])
})

test('createBatcher collects jobs of one event-loop turn into the first batch', async () => {
  const batches: number[][] = []
  const submit = createBatcher<number, number>(
    async (jobs) => {
      batches.push(jobs)
      return jobs
    },
    () => [],
  )
  const submissions = [submit(1), new Promise((resolve) => setImmediate(resolve)).then(() => submit(3)), submit(2)]
  await Promise.all(submissions)
  expect(batches).toEqual([[1, 2], [3]])
})

test('createBatcher retries a failed batch in the groups that split returns, and only the bad job fails', async () => {
  const submit = createBatcher<string, string>(
    async (jobs) => {
      if (jobs.includes('bad')) throw new Error('bad job')
      return jobs
    },
    (_error, jobs) => jobs.map((job) => [job]),
  )
  const results = await Promise.allSettled(['a', 'b', 'bad', 'c'].map(submit))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('createBatcher rejects jobs that wait too long or exceed the queue limit, and then continues', async () => {
  let finish: (() => void) | undefined
  let hang = true
  const submit = createBatcher<number, number>(
    async (jobs) => {
      if (hang) await new Promise<void>((resolve) => (finish = resolve))
      return jobs
    },
    () => [],
    { maxBatchSize: 10, maxQueueSize: 2, timeoutMs: 50 },
  )
  const pending = [1, 2, 3].map(submit)
  await expect(submit(4)).rejects.toBeInstanceOf(BatchTimeoutError)
  const results = await Promise.allSettled(pending)
  expect(results.every((end) => end.status === 'rejected' && isDatabaseUnavailable(end.reason))).toBe(true)
  hang = false
  // A timed-out job counts towards the queue until its hanging statement is abandoned, a moment later.
  await vi.waitFor(async () => expect(await submit(5)).toBe(5), { timeout: 15_000 })
  finish?.()
})
