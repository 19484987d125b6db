/** The work could not be finished in time, or too much was waiting already. Trying again helps. */
export class Deadline extends Error {
  readonly code = 'DEADLINE'
}

export type Limits = {
  /** Jobs. */
  batch: number
  /** Jobs that may wait; further ones are turned away. */
  waiting: number
  /** That a job may take. */
  milliseconds: number
  /**
   * For a process that is asked by many: the first batch waits one turn of the event loop for those who have arrived
   * already, and the next one is on its way before the answers of the last are handed out, which takes longer.
   */
  eager?: boolean
}

/**
 * Group commit without a timer: jobs that arrive while a batch is under way travel together in the next one. Under no
 * load a batch is one job and nothing waits.
 *
 * If a batch fails its jobs may run again in smaller ones, so that a bad one never fails its neighbours.
 * @param run does all jobs in one statement and answers them in their order
 * @param split the batches in which to try again after an error, or none to give up
 * @throws {Deadline} from the returned function, when turned away or too late. The work may still have been done.
 */
export function inBatches<Job, Answer>(
  run: (jobs: Job[]) => Promise<Answer[]>,
  split: (error: unknown, jobs: Job[]) => Job[][],
  limits: Limits = { batch: 500, waiting: 20_000, milliseconds: 4_000, eager: true },
): (job: Job) => Promise<Answer> {
  type Waiting = {
    job: Job
    resolve(answer: Answer): void
    reject(error: unknown): void
    since: number
    givenUp: boolean
  }
  const waiting: Waiting[] = []
  /** In the order in which they came. */
  const unanswered = new Set<Waiting>()
  let watching: ReturnType<typeof setInterval> | undefined
  let underWay = false

  return (job) => {
    if (waiting.length >= limits.waiting) return Promise.reject(new Deadline('too many are waiting'))
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const entry: Waiting = { job, resolve, reject, since: performance.now(), givenUp: false }
    waiting.push(entry)
    unanswered.add(entry)
    watching ??= setInterval(giveUpLate, limits.milliseconds / 20)
    void work()
    return promise
  }

  /** One timer for all, because one for each takes longer than anything else that is done here for a job. */
  function giveUpLate() {
    const now = performance.now()
    for (const entry of unanswered) {
      if (now - entry.since < limits.milliseconds) return
      entry.givenUp = true
      unanswered.delete(entry)
      entry.reject(new Deadline(`no answer within ${limits.milliseconds} ms`))
    }
    clearInterval(watching)
    watching = undefined
  }

  async function work() {
    if (underWay) return
    underWay = true
    if (limits.eager) await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const batch = waiting.splice(0, limits.batch)
      // A statement that hangs is left behind: those who wait behind it shall have another one.
      await within(limits.milliseconds, new Promise((answered) => void settle(batch, answered).finally(answered)))
    }
    underWay = false
  }

  async function settle(entries: Waiting[], answered: () => void = () => {}): Promise<void> {
    const batch = entries.filter((entry) => !entry.givenUp)
    if (batch.length === 0) return
    const jobs = batch.map((entry) => entry.job)
    try {
      const answers = await run(jobs)
      if (limits.eager) {
        answered()
        await new Promise<void>((resolve) => process.nextTick(resolve))
      }
      for (const [i, entry] of batch.entries()) {
        unanswered.delete(entry)
        entry.resolve(answers[i] as Answer)
      }
    } catch (error) {
      const parts = split(error, jobs)
      if (parts.length < 2) {
        for (const entry of batch) {
          unanswered.delete(entry)
          entry.reject(error)
        }
      } else await Promise.all(parts.map((part) => settle(batch.filter((entry) => part.includes(entry.job)))))
    }
  }
}

/** Waits for work that may hang, for so long at most; it goes on by itself. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
