import { inBatches } from '../db/batches.ts'
import { isDatabaseAway, saidOf } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import {
  type ClaimedMail,
  claimDueMails,
  findDeliveryPause,
  nextMailDueAt,
  type Outcome,
  type Recorded,
  recordOutcomes,
} from '../domain/mails.ts'
import { messageOf } from './message.ts'
import type { Transport } from './transport.ts'
import type { Verdict } from './verdict.ts'

/** What a round of delivery did, in mails. */
export type Round = Record<Outcome['kind'], number> & {
  /** Why nothing can be sent now; undefined where that is not so. */
  standstill: string | undefined
}

/** All in seconds. No attempt outlives the lease, so that a mail is never sent by two senders at once. */
const lease = 120
/** What must be left of the lease when an attempt begins. */
const leastLeft = 45
/** What an attempt leaves of it, to record what became of it. */
const leaveOver = 10

/**
 * Delivers what is due, once. The first mail goes alone: if the server is away, only that one was tried in vain.
 * @param until no attempt begins after it; 20 s from now, because a Worker is stopped 30 s after its answer
 * @param pause seconds after which the mails are due again when nothing can be sent
 * @param stopped asked before each attempt; what is claimed then is put back
 * @throws if the database is away. Mails that were claimed by then are due again when their lease runs out.
 */
export async function deliverDue(
  deps: Deps,
  transport: Transport,
  {
    until = secondsFrom(deps.now(), 20),
    pause = 60,
    stopped = () => false,
  }: { until?: Date; pause?: number; stopped?: () => boolean } = {},
): Promise<Round> {
  const round: Round = { sent: 0, again: 0, dead: 0, postponed: 0, standstill: undefined }
  let deliveryPaused = false
  const goesOn = () => !round.standstill && !deliveryPaused && !stopped() && deps.now() < until
  /** What was claimed before a message was paused is put back, because mails of that message may be among it. */
  let messagePaused = false

  let due = true
  async function claim(most: number): Promise<ClaimedMail[] | undefined> {
    if (!goesOn() || messagePaused) return undefined
    const { mails, givenUp } = await claimDueMails(deps, most, lease)
    round.dead += givenUp
    if (mails.length + givenUp === 0) return undefined
    due = true
    return mails
  }

  async function send(mail: ClaimedMail): Promise<Outcome> {
    const verdict = goesOn() && !messagePaused ? await attempt(deps, transport, mail) : undefined
    if (verdict?.kind === 'standstill') round.standstill = verdict.reason
    return outcomeOf(verdict, secondsFrom(deps.now(), round.standstill ? pause : 0))
  }

  // What several mails came to at the same time is recorded together.
  const recordOne = inBatches(
    (attempts: { mail: ClaimedMail; outcome: Outcome }[]) => recordOutcomes(deps, attempts),
    () => [],
    { batch: 100, waiting: 1000, milliseconds: 10_000 },
  )

  async function record(mail: ClaimedMail, outcome: Outcome): Promise<void> {
    const recorded = await untilRecorded(() => recordOne({ mail, outcome }))
    if (!recorded) return
    round[recorded.kind]++
    if (recorded.pause === 'paused' || recorded.pause === 'kept') {
      if (recorded.ofMessage) messagePaused = true
      else deliveryPaused = true
    }
    logRecorded(deps, mail, outcome, recorded)
  }

  /** Sends a mail. Records a refusal of its content at once, because it may begin a pause; returns any other outcome. */
  async function sendAndRecordRefusal(mail: ClaimedMail): Promise<Outcome | undefined> {
    const outcome = await send(mail)
    if (outcome.kind !== 'again' || !outcome.contentRefused) return outcome
    await record(mail, outcome)
    return undefined
  }

  for (const mail of (await claim(1)) ?? []) await record(mail, await send(mail))
  const { concurrency } = transport
  // Until nothing is due once all that was claimed is gone: it may have been put back, and more may be owed since.
  while (due && goesOn()) {
    due = false
    messagePaused = false
    const mails = inStock(() => claim(concurrency * 4), concurrency * 2)
    await inParallel(mails, concurrency, sendAndRecordRefusal, async (mail, outcome) => {
      if (outcome) await record(mail, outcome)
    })
  }
  return round
}

/** Logs a mail that failed or whose content was refused at its first attempt, and a pause that began or ended; without personal data. */
function logRecorded(deps: Deps, mail: ClaimedMail, outcome: Outcome, { kind, pause, ofMessage }: Recorded): void {
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

export type Delivery = {
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
export function startDelivery(
  deps: Deps,
  transport: Transport,
  { pauses = { first: 30, most: 300 }, databasePauses = { first: 1, most: 30 }, stopWithin = 5 } = {},
): Delivery {
  const rest = createRest()
  let stopping = false
  /** Rounds in a row that came to nothing. */
  let troubles = 0
  let told: 'database' | 'server' | undefined

  async function work() {
    while (!stopping) {
      const pause = doubled(pauses, troubles)
      try {
        const { standstill } = await deliverDue(deps, transport, { until: endOfTime, pause, stopped: () => stopping })
        if (standstill) {
          troubles++
          if (told !== 'server') deps.log.error({ reason: standstill }, 'mail stands still: nothing can be sent')
          told = 'server'
          await rest.atLeast(pause)
        } else {
          if (told && !(await findDeliveryPause(deps))) deps.log.info({}, 'mail flows again')
          told = undefined
          troubles = 0
          await rest.untilWoken(await secondsToNext(deps))
        }
      } catch (error) {
        if (!isDatabaseAway(error)) deps.log.error(saidOf(error), 'delivering mails failed')
        else if (told !== 'database') deps.log.warn({ reason: saidOf(error).reason }, 'mails wait for the database')
        told = 'database'
        await rest.atLeast(doubled(databasePauses, troubles++))
      }
    }
  }

  const working = work()
  return {
    wake: rest.wake,
    async stop() {
      stopping = true
      rest.end()
      await within(stopWithin, working)
      transport.close()
      // What was cut off just now is still to be recorded.
      await within(1, working)
    },
  }
}

const doubled = ({ first, most }: { first: number; most: number }, times: number) => Math.min(first * 2 ** times, most)

/** As far as dates reach. */
const endOfTime = new Date(8.64e15)

/** Sends one mail, well before its lease runs out. Undefined if there is too little left of it. */
async function attempt(deps: Deps, transport: Transport, mail: ClaimedMail): Promise<Verdict | undefined> {
  const left = (mail.leasedUntil.getTime() - deps.now().getTime()) / 1000
  if (left < leastLeft) return undefined
  try {
    return await transport.send(messageOf(deps, mail), AbortSignal.timeout((left - leaveOver) * 1000))
  } catch (error) {
    deps.log.error({ mail: mail.id, ...saidOf(error) }, 'a mail could not be written')
    return { kind: 'again', reason: 'the mail could not be written' }
  }
}

/** A mail that was not tried, or that says nothing about, is due at the given moment as if nothing had happened. */
function outcomeOf(verdict: Verdict | undefined, until: Date): Outcome {
  if (!verdict) return { kind: 'postponed', until }
  return verdict.kind === 'standstill' ? { kind: 'postponed', until, reason: verdict.reason } : verdict
}

/** What was sent must be written down, or it goes out twice: a database that stumbles is asked again. */
async function untilRecorded<T>(record: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await record()
    } catch (error) {
      if (!isDatabaseAway(error) || tries === 4) throw error
      await new Promise((resolve) => setTimeout(resolve, tries * 1000))
    }
  }
}

/** A minute at the most, because another process may owe a mail; a second at least, where MAIL_RATE holds mails back. */
async function secondsToNext(deps: Deps): Promise<number> {
  const due = await nextMailDueAt(deps)
  const seconds = due ? (due.getTime() - deps.now().getTime()) / 1000 : Number.POSITIVE_INFINITY
  return Math.min(Math.max(seconds, 1), 60)
}

/**
 * Hands out one by one what is fetched in batches, until nothing comes. The next batch is fetched when only `few` are
 * left, so that nobody waits for it.
 */
async function* inStock<T>(fetch: () => Promise<T[] | undefined>, few: number): AsyncGenerator<T> {
  for (let coming = fetch(); ; ) {
    const batch = await coming
    if (!batch) return
    while (batch.length > few) yield batch.shift() as T
    coming = fetch()
    // If it fails, that is heard when its turn comes.
    coming.catch(() => {})
    yield* batch
  }
}

/**
 * Works through what is handed out, so many at once. What came of an item is finished while the next ones are worked on;
 * four that are not finished yet are waited for.
 * @throws the first error, after everything that had begun has ended
 */
async function inParallel<Item, Result>(
  items: AsyncGenerator<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
  finish: (item: Item, result: Result) => Promise<void>,
): Promise<void> {
  const ended = await Promise.allSettled(
    Array.from({ length: width }, async () => {
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
async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

/** Rests between rounds. A wake-up that comes while nobody rests ends the next rest. */
function createRest() {
  let woken = false
  let ended = false
  let interrupt: ((reason: 'woken' | 'ended') => void) | undefined

  async function rest(seconds: number, wakeable: boolean) {
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
    atLeast: (seconds: number) => rest(seconds, false),
    untilWoken: (seconds: number) => rest(seconds, true),
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

function secondsFrom(moment: Date, seconds: number): Date {
  return new Date(moment.getTime() + seconds * 1000)
}
