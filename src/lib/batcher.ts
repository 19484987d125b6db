/** The job did not finish in time, or the queue was full. A retry helps. */
export class BatchTimeoutError extends Error {
  readonly code = 'DEADLINE'
}

export type BatcherOptions = {
  maxBatchSize: number
  /** Jobs that may wait; further ones are rejected. */
  maxQueueSize: number
  timeoutMs: number
  /**
   * For busy servers: waits one event-loop turn to fill the first batch, and sends the next batch before it resolves the
   * promises of the last, which takes longer.
   */
  pipelined?: boolean
}

/**
 * Batches jobs without a timer: jobs that arrive while a batch runs form the next one. When idle, a job runs at once,
 * alone.
 *
 * The jobs of a failed batch may run again in smaller batches, so that a bad job never fails its neighbours.
 * @param run runs all jobs in one statement and returns their results in the same order
 * @param split the batches to retry after an error; fewer than two reject the jobs with that error
 * @throws {BatchTimeoutError} from the returned function, if the queue is full or time runs out. The job may still have run.
 */
export function createBatcher<Job, Result>(
  run: (jobs: Job[]) => Promise<Result[]>,
  split: (error: unknown, jobs: Job[]) => Job[][],
  options: BatcherOptions = { maxBatchSize: 500, maxQueueSize: 20_000, timeoutMs: 4_000, pipelined: true },
): (job: Job) => Promise<Result> {
  type QueuedJob = {
    job: Job
    resolve(result: Result): void
    reject(error: unknown): void
    queuedAt: number
    timedOut: boolean
  }
  const queue: QueuedJob[] = []
  /** In order of arrival, so that `rejectExpired` can stop at the first that is in time. */
  const pending = new Set<QueuedJob>()
  let timer: ReturnType<typeof setInterval> | undefined
  let inFlight = false

  return (job) => {
    if (queue.length >= options.maxQueueSize) return Promise.reject(new BatchTimeoutError('the queue is full'))
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const entry: QueuedJob = { job, resolve, reject, queuedAt: performance.now(), timedOut: false }
    queue.push(entry)
    pending.add(entry)
    timer ??= setInterval(rejectExpired, options.timeoutMs / 20)
    void processQueue()
    return promise
  }

  /** One timer for all jobs: a timer per job costs more than everything else done here for it. */
  function rejectExpired() {
    const now = performance.now()
    for (const entry of pending) {
      if (now - entry.queuedAt < options.timeoutMs) return
      entry.timedOut = true
      pending.delete(entry)
      entry.reject(new BatchTimeoutError(`no result within ${options.timeoutMs} ms`))
    }
    clearInterval(timer)
    timer = undefined
  }

  async function processQueue() {
    if (inFlight) return
    inFlight = true
    if (options.pipelined) await new Promise((resolve) => setImmediate(resolve))
    while (queue.length > 0) {
      const batch = queue.splice(0, options.maxBatchSize)
      // Stop waiting for a hung batch and start the next one.
      await waitAtMost(options.timeoutMs, new Promise((onResult) => void runBatch(batch, onResult).finally(onResult)))
    }
    inFlight = false
  }

  async function runBatch(entries: QueuedJob[], onResult: () => void = () => {}): Promise<void> {
    const batch = entries.filter((entry) => !entry.timedOut)
    if (batch.length === 0) return
    const jobs = batch.map((entry) => entry.job)
    try {
      const results = await run(jobs)
      if (options.pipelined) {
        onResult()
        await new Promise<void>((resolve) => process.nextTick(resolve))
      }
      for (const [i, entry] of batch.entries()) {
        pending.delete(entry)
        entry.resolve(results[i] as Result)
      }
    } catch (error) {
      const parts = split(error, jobs)
      if (parts.length < 2) {
        for (const entry of batch) {
          pending.delete(entry)
          entry.reject(error)
        }
      } else await Promise.all(parts.map((part) => runBatch(batch.filter((entry) => part.includes(entry.job)))))
    }
  }
}

/** Waits for the promise until the timeout. Does not cancel its work. */
async function waitAtMost(timeoutMs: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}
