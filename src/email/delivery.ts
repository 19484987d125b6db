import { isDatabaseUnavailable, redactError } from '../db/database.ts'
import type { Deps } from '../domain/deps.ts'
import {
  type ClaimedMail,
  claimDueMails,
  type DeliveryOutcome,
  findDeliveryPause,
  nextMailDueAt,
  type RecordedOutcome,
  recordOutcomes,
} from '../domain/mails/outbox.ts'
import { createBatcher } from '../lib/batcher.ts'
import { buildMessage } from './message.ts'
import type { DeliveryResult } from './smtp-result.ts'
import type { Transport } from './transport.ts'

/** Number of mails by outcome. */
export type DeliverySummary = Record<DeliveryOutcome['kind'], number> & {
  /** Reason of a sender-level outage, if there is one. */
  outage: string | undefined
}

/** Seconds, like the next two. No attempt outlives its lease, so a mail is never sent twice at once. */
const leaseSeconds = 120
/** Minimum left of the lease to start an attempt. */
const minLeaseLeft = 45
/** Reserved at the end of the lease for recording the outcome. */
const recordMargin = 10

/**
 * Delivers the due mails, once. The first is sent alone: if the server is unavailable, only one attempt is wasted.
 * @param until no attempt starts later. Default: in 20 s, because a Worker is stopped 30 s after its response
 * @param pause seconds to defer the mails by in an outage
 * @param stopped checked before each attempt; if true, claimed mails are put back
 * @throws if the database is unavailable. Claimed mails are due again when their lease expires.
 */
export async function deliverDueMails(
  deps: Deps,
  transport: Transport,
  {
    until = addSeconds(deps.now(), 20),
    pause = 60,
    stopped = () => false,
  }: { until?: Date; pause?: number; stopped?: () => boolean } = {},
): Promise<DeliverySummary> {
  const summary: DeliverySummary = { sent: 0, again: 0, dead: 0, postponed: 0, outage: undefined }
  let deliveryPaused = false
  const shouldContinue = () => !summary.outage && !deliveryPaused && !stopped() && deps.now() < until
  /** A broadcast was paused: claimed mails are put back, because some may belong to it. */
  let broadcastPaused = false

  let mayHaveMore = true
  async function claim(max: number): Promise<ClaimedMail[] | undefined> {
    if (!shouldContinue() || broadcastPaused) return undefined
    const { mails, discarded } = await claimDueMails(deps, max, leaseSeconds)
    summary.dead += discarded
    if (mails.length + discarded === 0) return undefined
    mayHaveMore = true
    return mails
  }

  async function send(mail: ClaimedMail): Promise<DeliveryOutcome> {
    const result = shouldContinue() && !broadcastPaused ? await attemptDelivery(deps, transport, mail) : undefined
    if (result?.kind === 'outage') summary.outage = result.reason
    return toOutcome(result, addSeconds(deps.now(), summary.outage ? pause : 0))
  }

  const recordOne = createBatcher(
    (attempts: { mail: ClaimedMail; outcome: DeliveryOutcome }[]) => recordOutcomes(deps, attempts),
    () => [],
    { maxBatchSize: 100, maxQueueSize: 1000, timeoutMs: 10_000 },
  )

  async function record(mail: ClaimedMail, outcome: DeliveryOutcome): Promise<void> {
    const recorded = await retryUntilRecorded(() => recordOne({ mail, outcome }))
    if (!recorded) return
    summary[recorded.kind]++
    if (recorded.pause === 'paused' || recorded.pause === 'kept') {
      if (recorded.ofMessage) broadcastPaused = true
      else deliveryPaused = true
    }
    logOutcome(deps, mail, outcome, recorded)
  }

  /**
   * Sends a mail and returns its outcome. A refusal of its content is recorded at once instead, because it may start a
   * pause.
   */
  async function sendAndRecordRefusal(mail: ClaimedMail): Promise<DeliveryOutcome | undefined> {
    const outcome = await send(mail)
    if (outcome.kind !== 'again' || !outcome.contentRefused) return outcome
    await record(mail, outcome)
    return undefined
  }

  for (const mail of (await claim(1)) ?? []) await record(mail, await send(mail))
  const { concurrency } = transport
  // Repeat until nothing is due: claimed mails may have been put back, and new ones enqueued.
  while (mayHaveMore && shouldContinue()) {
    mayHaveMore = false
    broadcastPaused = false
    const mails = prefetch(() => claim(concurrency * 4), concurrency * 2)
    await mapConcurrently(mails, concurrency, sendAndRecordRefusal, async (mail, outcome) => {
      if (outcome) await record(mail, outcome)
    })
  }
  return summary
}

/**
 * Logs, without personal data, a failed mail, content refused at the first attempt, and the start or end of a pause.
 */
function logOutcome(
  deps: Deps,
  mail: ClaimedMail,
  outcome: DeliveryOutcome,
  { kind, pause, ofMessage }: RecordedOutcome,
): void {
  const { id, written } = mail
  if (outcome.kind === 'sent' && pause === 'resumed') {
    if (ofMessage) deps.log.info({ message: written?.id }, 'message resumed')
    else deps.log.info({}, 'mail delivery resumed')
  }
  if (outcome.kind !== 'dead' && outcome.kind !== 'again') return
  const { reason } = outcome
  if (pause === 'paused') {
    if (ofMessage) deps.log.warn({ message: written?.id, reason }, 'message paused')
    else deps.log.error({ reason }, 'mail delivery paused')
  }
  // Only the codes of the reply: its text may quote the mail. The console shows it.
  const [, code] = /^(?:[A-Z ]+: )?([45]\d\d(?:[ -]\d\.\d{1,3}\.\d{1,3})?)/.exec(reason) ?? []
  const facts = { mail: id, kind: mail.kind, code }
  if (outcome.kind === 'dead') deps.log.warn({ ...facts, refused: 'recipient' }, 'mail refused')
  else if (kind === 'dead') deps.log.warn(facts, 'mail expired')
  else if (outcome.contentRefused && !pause && mail.firstTriedAt.getTime() === mail.claimedAt.getTime())
    deps.log.warn({ ...facts, refused: 'message' }, 'mail refused')
}

export type DeliveryWorker = {
  /** Call after mails were enqueued. */
  wake(): void
  /**
   * Waits up to `shutdownTimeout` for the attempts in flight and closes the transport. Other claimed mails are put
   * back.
   */
  stop(): Promise<void>
}

/**
 * Delivers mails when they are due, until it is stopped. Logs an outage of the mail server or the database once and
 * retries with exponential backoff.
 * @param pauses first and longest pause in an outage of the mail server, in seconds
 * @param databasePauses the same for the database, which is usually back within seconds
 * @param shutdownTimeout seconds
 */
export function startDeliveryWorker(
  deps: Deps,
  transport: Transport,
  { pauses = { first: 30, max: 300 }, databasePauses = { first: 1, max: 30 }, shutdownTimeout = 5 } = {},
): DeliveryWorker {
  const sleeper = createSleeper()
  let stopping = false
  let consecutiveFailures = 0
  let lastReportedOutage: 'database' | 'server' | undefined

  async function work() {
    while (!stopping) {
      const pause = backoff(pauses, consecutiveFailures)
      try {
        const { outage } = await deliverDueMails(deps, transport, { until: maxDate, pause, stopped: () => stopping })
        if (outage) {
          consecutiveFailures++
          if (lastReportedOutage !== 'server') deps.log.error({ reason: outage }, 'mail outage: sending paused')
          lastReportedOutage = 'server'
          await sleeper.atLeast(pause)
        } else {
          if (lastReportedOutage && !(await findDeliveryPause(deps))) deps.log.info({}, 'mail outage over')
          lastReportedOutage = undefined
          consecutiveFailures = 0
          await sleeper.untilWoken(await secondsUntilNextMail(deps))
        }
      } catch (error) {
        if (!isDatabaseUnavailable(error)) deps.log.error(redactError(error), 'could not deliver mails')
        else if (lastReportedOutage !== 'database')
          deps.log.warn({ reason: redactError(error).reason }, 'mail delivery paused: database unavailable')
        lastReportedOutage = 'database'
        await sleeper.atLeast(backoff(databasePauses, consecutiveFailures++))
      }
    }
  }

  const working = work()
  return {
    wake: sleeper.wake,
    async stop() {
      stopping = true
      sleeper.end()
      await waitAtMost(shutdownTimeout, working)
      transport.close()
      // The outcomes of attempts aborted by close() are still to be recorded.
      await waitAtMost(1, working)
    },
  }
}

const backoff = ({ first, max }: { first: number; max: number }, failures: number) =>
  Math.min(first * 2 ** failures, max)

/** ECMA-262, 21.4.1.1. */
const maxDate = new Date(8.64e15)

/** Sends one mail before its lease expires. Undefined if too little of the lease is left. */
async function attemptDelivery(
  deps: Deps,
  transport: Transport,
  mail: ClaimedMail,
): Promise<DeliveryResult | undefined> {
  const leaseLeft = (mail.leasedUntil.getTime() - deps.now().getTime()) / 1000
  if (leaseLeft < minLeaseLeft) return undefined
  try {
    return await transport.send(buildMessage(deps, mail), AbortSignal.timeout((leaseLeft - recordMargin) * 1000))
  } catch (error) {
    deps.log.error({ mail: mail.id, ...redactError(error) }, 'could not render mail')
    return { kind: 'again', reason: 'the mail could not be written', code: 'render_failed' }
  }
}

/** Defers untried mails and outages to `until`, without counting an attempt. */
function toOutcome(result: DeliveryResult | undefined, until: Date): DeliveryOutcome {
  if (!result) return { kind: 'postponed', until }
  return result.kind === 'outage' ? { kind: 'postponed', until, reason: result.reason } : result
}

/** Retries while the database is unavailable, three times; otherwise a sent mail would be sent again. */
async function retryUntilRecorded<T>(record: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await record()
    } catch (error) {
      if (!isDatabaseUnavailable(error) || tries === 4) throw error
      await new Promise((resolve) => setTimeout(resolve, tries * 1000))
    }
  }
}

/**
 * At most a minute, because another process may enqueue mails; at least a second, because MAIL_RATE may defer due
 * mails.
 */
async function secondsUntilNextMail(deps: Deps): Promise<number> {
  const due = await nextMailDueAt(deps)
  const seconds = due ? (due.getTime() - deps.now().getTime()) / 1000 : Number.POSITIVE_INFINITY
  return Math.min(Math.max(seconds, 1), 60)
}

/**
 * Yields the items of batches one by one, until `fetch` returns undefined. The next batch is fetched when only
 * `lowWaterMark` items are left.
 */
async function* prefetch<T>(fetch: () => Promise<T[] | undefined>, lowWaterMark: number): AsyncGenerator<T> {
  for (let nextBatch = fetch(); ; ) {
    const batch = await nextBatch
    if (!batch) return
    while (batch.length > lowWaterMark) yield batch.shift() as T
    nextBatch = fetch()
    // Avoids an unhandled rejection; it is awaited above.
    nextBatch.catch(() => {})
    yield* batch
  }
}

/**
 * Processes items with `concurrency` loops. Each loop runs `finish` in the background while it works on the next items,
 * at most four at a time.
 * @throws the first error, after all started work has settled
 */
async function mapConcurrently<Item, Result>(
  items: AsyncGenerator<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
  finish: (item: Item, result: Result) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(
    Array.from({ length: concurrency }, async () => {
      const unfinished: Promise<void>[] = []
      for await (const item of items) {
        const finishing = finish(item, await work(item))
        // Avoids an unhandled rejection; it is awaited below.
        finishing.catch(() => {})
        if (unfinished.push(finishing) >= 4) await unfinished.shift()
      }
      await Promise.all(unfinished)
    }),
  )
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

async function waitAtMost(seconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  await Promise.race([work, timeout])
  clearTimeout(timer)
}

/** Interruptible sleep. A `wake()` while not sleeping ends the next `untilWoken` sleep. */
function createSleeper() {
  let woken = false
  let ended = false
  let interrupt: ((reason: 'woken' | 'ended') => void) | undefined

  async function sleep(seconds: number, wakeable: boolean) {
    if (!ended && !(wakeable && woken)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000)
        interrupt = (reason) => {
          if (reason === 'woken' && !wakeable) return
          clearTimeout(timer)
          resolve()
        }
      })
    }
    woken = false
  }

  return {
    atLeast: (seconds: number) => sleep(seconds, false),
    untilWoken: (seconds: number) => sleep(seconds, true),
    wake() {
      woken = true
      interrupt?.('woken')
    },
    end() {
      ended = true
      interrupt?.('ended')
    },
  }
}

function addSeconds(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000)
}
