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

/** What a round of delivery did, in mails. */
export type DeliverySummary = Record<DeliveryOutcome['kind'], number> & {
  /** Why nothing can be sent now; undefined where that is not so. */
  outage: string | undefined
}

/** All in seconds. No attempt outlives the lease, so that a mail is never sent by two senders at once. */
const leaseSeconds = 120
/** What must be left of the lease when an attempt begins. */
const minLeaseLeft = 45
/** What an attempt leaves of it, to record what became of it. */
const recordMargin = 10

/**
 * Delivers what is due, once. The first mail goes alone: if the server is away, only that one was tried in vain.
 * @param until no attempt begins after it; 20 s from now, because a Worker is stopped 30 s after its answer
 * @param pause seconds after which the mails are due again when nothing can be sent
 * @param stopped asked before each attempt; what is claimed then is put back
 * @throws if the database is away. Mails that were claimed by then are due again when their lease runs out.
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
  /** What was claimed before a message was paused is put back, because mails of that message may be among it. */
  let messagePaused = false

  let mayHaveMore = true
  async function claim(max: number): Promise<ClaimedMail[] | undefined> {
    if (!shouldContinue() || messagePaused) return undefined
    const { mails, givenUp } = await claimDueMails(deps, max, leaseSeconds)
    summary.dead += givenUp
    if (mails.length + givenUp === 0) return undefined
    mayHaveMore = true
    return mails
  }

  async function send(mail: ClaimedMail): Promise<DeliveryOutcome> {
    const result = shouldContinue() && !messagePaused ? await attemptDelivery(deps, transport, mail) : undefined
    if (result?.kind === 'standstill') summary.outage = result.reason
    return toOutcome(result, addSeconds(deps.now(), summary.outage ? pause : 0))
  }

  // What several mails came to at the same time is recorded together.
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
      if (recorded.ofMessage) messagePaused = true
      else deliveryPaused = true
    }
    logOutcome(deps, mail, outcome, recorded)
  }

  /** Sends a mail. Records a refusal of its content at once, because it may begin a pause; returns any other outcome. */
  async function sendAndRecordRefusal(mail: ClaimedMail): Promise<DeliveryOutcome | undefined> {
    const outcome = await send(mail)
    if (outcome.kind !== 'again' || !outcome.contentRefused) return outcome
    await record(mail, outcome)
    return undefined
  }

  for (const mail of (await claim(1)) ?? []) await record(mail, await send(mail))
  const { concurrency } = transport
  // Until nothing is due once all that was claimed is gone: it may have been put back, and more may be owed since.
  while (mayHaveMore && shouldContinue()) {
    mayHaveMore = false
    messagePaused = false
    const mails = prefetch(() => claim(concurrency * 4), concurrency * 2)
    await mapConcurrently(mails, concurrency, sendAndRecordRefusal, async (mail, outcome) => {
      if (outcome) await record(mail, outcome)
    })
  }
  return summary
}

/** Logs a mail that failed or whose content was refused at its first attempt, and a pause that began or ended; without personal data. */
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
  // Without the text of the reply, which may quote what somebody typed; it is in the console.
  const [, code] = /^(?:[A-Z ]+: )?([45]\d\d(?:[ -]\d\.\d{1,3}\.\d{1,3})?)/.exec(reason) ?? []
  const facts = { mail: id, kind: mail.kind, code }
  if (outcome.kind === 'dead') deps.log.warn({ ...facts, refused: 'recipient' }, 'mail refused')
  else if (kind === 'dead') deps.log.warn(facts, 'mail expired')
  else if (outcome.contentRefused && !pause && mail.firstTriedAt.getTime() === mail.claimedAt.getTime())
    deps.log.warn({ ...facts, refused: 'message' }, 'mail refused')
}

export type DeliveryWorker = {
  /** Says that mails may be owed now. */
  wake(): void
  /** Lets what is being sent end, for some seconds, and closes the transport. Claimed mails are put back. */
  stop(): Promise<void>
}

/**
 * Delivers mails as they fall due, until it is stopped. Whatever is away, it goes on: it says so once, and tries again
 * after pauses that double.
 * @param pauses seconds; the first and the longest pause while nothing can be sent
 * @param databasePauses the same while the database is away, which most often is over in a moment
 */
export function startDeliveryWorker(
  deps: Deps,
  transport: Transport,
  { pauses = { first: 30, most: 300 }, databasePauses = { first: 1, most: 30 }, stopWithin = 5 } = {},
): DeliveryWorker {
  const sleeper = createSleeper()
  let stopping = false
  /** Rounds in a row that came to nothing. */
  let consecutiveFailures = 0
  let lastReportedOutage: 'database' | 'server' | undefined

  async function work() {
    while (!stopping) {
      const pause = backoff(pauses, consecutiveFailures)
      try {
        const { outage } = await deliverDueMails(deps, transport, { until: maxDate, pause, stopped: () => stopping })
        if (outage) {
          consecutiveFailures++
          if (lastReportedOutage !== 'server')
            deps.log.error({ reason: outage }, 'mail stands still: nothing can be sent')
          lastReportedOutage = 'server'
          await sleeper.atLeast(pause)
        } else {
          if (lastReportedOutage && !(await findDeliveryPause(deps))) deps.log.info({}, 'mail flows again')
          lastReportedOutage = undefined
          consecutiveFailures = 0
          await sleeper.untilWoken(await secondsUntilNextMail(deps))
        }
      } catch (error) {
        if (!isDatabaseUnavailable(error)) deps.log.error(redactError(error), 'delivering mails failed')
        else if (lastReportedOutage !== 'database')
          deps.log.warn({ reason: redactError(error).reason }, 'mails wait for the database')
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
      await waitAtMost(stopWithin, working)
      transport.close()
      // What was cut off just now is still to be recorded.
      await waitAtMost(1, working)
    },
  }
}

const backoff = ({ first, most }: { first: number; most: number }, times: number) => Math.min(first * 2 ** times, most)

/** As far as dates reach. */
const maxDate = new Date(8.64e15)

/** Sends one mail, well before its lease runs out. Undefined if there is too little left of it. */
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
    deps.log.error({ mail: mail.id, ...redactError(error) }, 'a mail could not be written')
    return { kind: 'again', reason: 'the mail could not be written', code: 'render_failed' }
  }
}

/** A mail that was not tried, or that says nothing about, is due at the given moment as if nothing had happened. */
function toOutcome(result: DeliveryResult | undefined, until: Date): DeliveryOutcome {
  if (!result) return { kind: 'postponed', until }
  return result.kind === 'standstill' ? { kind: 'postponed', until, reason: result.reason } : result
}

/** What was sent must be written down, or it goes out twice: a database that stumbles is asked again. */
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

/** A minute at the most, because another process may owe a mail; a second at least, where MAIL_RATE holds mails back. */
async function secondsUntilNextMail(deps: Deps): Promise<number> {
  const due = await nextMailDueAt(deps)
  const seconds = due ? (due.getTime() - deps.now().getTime()) / 1000 : Number.POSITIVE_INFINITY
  return Math.min(Math.max(seconds, 1), 60)
}

/**
 * Hands out one by one what is fetched in batches, until nothing comes. The next batch is fetched when only `few` are
 * left, so that nobody waits for it.
 */
async function* prefetch<T>(fetch: () => Promise<T[] | undefined>, lowWaterMark: number): AsyncGenerator<T> {
  for (let nextBatch = fetch(); ; ) {
    const batch = await nextBatch
    if (!batch) return
    while (batch.length > lowWaterMark) yield batch.shift() as T
    nextBatch = fetch()
    // If it fails, that is heard when its turn comes.
    nextBatch.catch(() => {})
    yield* batch
  }
}

/**
 * Works through what is handed out, so many at once. What came of an item is finished while the next ones are worked on;
 * four that are not finished yet are waited for.
 * @throws the first error, after everything that had begun has ended
 */
async function mapConcurrently<Item, Result>(
  items: AsyncGenerator<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
  finish: (item: Item, result: Result) => Promise<void>,
): Promise<void> {
  const ended = await Promise.allSettled(
    Array.from({ length: concurrency }, async () => {
      const unfinished: Promise<void>[] = []
      for await (const item of items) {
        const finishing = finish(item, await work(item))
        // If it fails, that is heard when its turn comes.
        finishing.catch(() => {})
        if (unfinished.push(finishing) >= 4) await unfinished.shift()
      }
      await Promise.all(unfinished)
    }),
  )
  const failed = ended.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}

/** Waits for work that may take longer, for so many seconds at the most. */
async function waitAtMost(seconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

/** Rests between rounds. A wake-up that comes while nobody rests ends the next rest. */
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

function addSeconds(moment: Date, seconds: number): Date {
  return new Date(moment.getTime() + seconds * 1000)
}
