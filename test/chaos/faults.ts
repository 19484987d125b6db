import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { Run } from './run.ts'
import { ourName, type Stage } from './stage.ts'

/** Something that is done to the service: it begins, lasts, and ends with the fault mended. */
type Fault = (stage: Stage, random: Random) => Promise<unknown>

/** What befalls the database and the wire to it, each as often as it stands here. */
const databaseFaults: [kind: string, Fault][] = [
  ['some backends terminated', terminateSome],
  ['some backends terminated', terminateSome],
  ['all backends terminated', terminateAll],
  ['Postgres killed with -9', killPostgres],
  ['wire cut', cutWire],
  ['wire cut', cutWire],
  ['black hole, then all arrives late', stallWire],
  ['black hole, then all is lost', loseWire],
  ['connections refused', refuseConnections],
]

const processFaults: [kind: string, Fault][] = [['process killed with -9', killProcess]]

/** It is no excuse for a mail that comes twice. */
export const contentRefused = 'all mails refused for their content'

const mailFaults: [string, Fault][] = [[contentRefused, refuseContent]]

/** Every kind, which a run has to have seen. */
export const faultKinds = [...new Set([...databaseFaults, ...processFaults, ...mailFaults].map(([kind]) => kind))]

/**
 * Has faults happen until the signal aborts, with calm between them in which the service has to recover. Those of the
 * database and those of processes have each their own time, so that they meet now and then; so have those of the mail server.
 * @param calm seconds between two faults, at the least and at the most
 */
export async function causeFaults(
  run: Run,
  random: Random,
  signal: AbortSignal,
  calm: Record<'database' | 'processes' | 'mail', [number, number]>,
): Promise<void> {
  await Promise.all([
    keepFailing(run, random.fork(), signal, databaseFaults, calm.database),
    keepFailing(run, random.fork(), signal, processFaults, calm.processes),
    keepFailing(run, random.fork(), signal, mailFaults, calm.mail),
  ])
}

async function keepFailing(
  { stage, journal }: Run,
  random: Random,
  signal: AbortSignal,
  faults: [string, Fault][],
  [least, most]: [number, number],
) {
  for (;;) {
    for (const [kind, fault] of random.shuffled(faults)) {
      await sleep(random.between(least * 1000, most * 1000), undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const from = Date.now()
      await fault(stage, random)
      journal.fault(kind, from, Date.now())
    }
  }
}

function terminateSome(stage: Stage, random: Random) {
  return terminate(stage, random.between(1, 4))
}

function terminateAll(stage: Stage) {
  return terminate(stage, 1000)
}

/** Terminates so many of the service's backends, whatever they do. */
async function terminate({ sql }: Stage, count: number) {
  await sql`
    select pg_terminate_backend(pid) from (
      select pid from pg_stat_activity
      where datname = current_database() and application_name <> ${ourName} and pid <> pg_backend_pid()
      order by random() limit ${count}
    ) chosen`.catch(() => {})
}

/** kill -9 of the postmaster, and a new start on the same folder, which recovers from the log. */
async function killPostgres({ postgres }: Stage, random: Random) {
  await postgres.kill()
  await sleep(random.between(0, 2000))
  for (;;) {
    // Until the backends have noticed that they are orphans, they keep the folder.
    const started = await postgres.start().then(
      () => true,
      () => false,
    )
    if (started) return
    await sleep(200)
  }
}

async function cutWire({ wire }: Stage, random: Random) {
  wire.cut(random.pick([0.3, 0.5, 1]))
}

async function stallWire({ wire }: Stage, random: Random) {
  wire.stall()
  await sleep(random.between(1000, 8000))
  wire.resume()
}

async function loseWire({ wire }: Stage, random: Random) {
  wire.stall()
  await sleep(random.between(500, 6000))
  wire.lose()
}

async function refuseConnections({ wire }: Stage, random: Random) {
  wire.refuse()
  await sleep(random.between(200, 2500))
  await wire.answer()
}

async function killProcess({ services }: Stage, random: Random) {
  await random.pick(services).killAndStart(random.between(0, 2000))
}

/** Delivery is paused after five refusals. The half minute until the next try is let pass at once. */
async function refuseContent({ mailbox, sql }: Stage, random: Random) {
  mailbox.refusesContent = true
  await sleep(random.between(500, 4000))
  mailbox.refusesContent = false
  await sql`update content_refusals set probe_at = now() where probe_at > now()`.catch(() => {})
}
