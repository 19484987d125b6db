/** The work could not be finished in time, or too much was waiting already. Trying again helps. */
export class BatchTimeoutError extends Error {
  readonly code = 'DEADLINE'
}

export type BatcherOptions = {
  /** Jobs. */
  maxBatchSize: number
  /** Jobs that may wait; further ones are turned away. */
  maxQueueSize: number
  /** That a job may take. */
  timeoutMs: number
  /**
   * For a process that is asked by many: the first batch waits one turn of the event loop for those who have arrived
   * already, and the next one is on its way before the answers of the last are handed out, which takes longer.
   */
  pipelined?: boolean
}

/**
 * Group commit without a timer: jobs that arrive while a batch is under way travel together in the next one. Under no
 * load a batch is one job and nothing waits.
 *
 * If a batch fails its jobs may run again in smaller ones, so that a bad one never fails its neighbours.
 * @param run does all jobs in one statement and answers them in their order
 * @param split the batches in which to try again after an error, or none to give up
 * @throws {BatchTimeoutError} from the returned function, when turned away or too late. The work may still have been done.
 */
export function createBatcher<Job, Answer>(
  run: (jobs: Job[]) => Promise<Answer[]>,
  split: (error: unknown, jobs: Job[]) => Job[][],
  options: BatcherOptions = { maxBatchSize: 500, maxQueueSize: 20_000, timeoutMs: 4_000, pipelined: true },
): (job: Job) => Promise<Answer> {
  type Waiting = {
    job: Job
    resolve(result: Answer): void
    reject(error: unknown): void
    since: number
    givenUp: boolean
  }
  const queue: Waiting[] = []
  /** In the order in which they came. */
  const pending = new Set<Waiting>()
  let timer: ReturnType<typeof setInterval> | undefined
  let inFlight = false

  return (job) => {
    if (queue.length >= options.maxQueueSize) return Promise.reject(new BatchTimeoutError('too many are waiting'))
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const entry: Waiting = { job, resolve, reject, since: performance.now(), givenUp: false }
    queue.push(entry)
    pending.add(entry)
    timer ??= setInterval(rejectExpired, options.timeoutMs / 20)
    void processQueue()
    return promise
  }

  /** One timer for all, because one for each takes longer than anything else that is done here for a job. */
  function rejectExpired() {
    const now = performance.now()
    for (const entry of pending) {
      if (now - entry.since < options.timeoutMs) return
      entry.givenUp = true
      pending.delete(entry)
      entry.reject(new BatchTimeoutError(`no answer within ${options.timeoutMs} ms`))
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
      // A statement that hangs is left behind: those who wait behind it shall have another one.
      await waitAtMost(options.timeoutMs, new Promise((onResult) => void runBatch(batch, onResult).finally(onResult)))
    }
    inFlight = false
  }

  async function runBatch(entries: Waiting[], onResult: () => void = () => {}): Promise<void> {
    const batch = entries.filter((entry) => !entry.givenUp)
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
        entry.resolve(results[i] as Answer)
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

/** Waits for work that may hang, for so long at most; it goes on by itself. */
async function waitAtMost(timeoutMs: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}
