import { setTimeout as sleep } from 'node:timers/promises'
import { applicationName, type Cluster } from './cluster.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

/** Something that is done to the service: it begins, lasts, and ends with the fault mended. */
type Fault = (stage: Cluster, random: Random) => Promise<unknown>

/** What befalls the database and the wire to it, each as often as it stands here. */
const databaseFaults: [kind: string, Fault][] = [
  ['some backends terminated', terminateSomeBackends],
  ['some backends terminated', terminateSomeBackends],
  ['all backends terminated', terminateAllBackends],
  ['Postgres killed with -9', killPostgres],
  ['wire cut', dropConnections],
  ['wire cut', dropConnections],
  ['black hole, then all arrives late', stallConnections],
  ['black hole, then all is lost', loseConnections],
  ['connections refused', refuseConnections],
]

const processFaults: [kind: string, Fault][] = [['process killed with -9', killProcess]]

/** It is no excuse for a mail that comes twice. */
export const contentRefusalFault = 'all mails refused for their content'

const mailFaults: [string, Fault][] = [[contentRefusalFault, rejectContent]]

/** Every kind, which a run has to have seen. */
export const faultKinds = [...new Set([...databaseFaults, ...processFaults, ...mailFaults].map(([kind]) => kind))]

/**
 * Has faults happen until the signal aborts, with calm between them in which the service has to recover. Those of the
 * database and those of processes have each their own time, so that they meet now and then; so have those of the mail server.
 * @pauses pauses seconds between two faults, at the least and at the most
 */
export async function injectFaults(
  run: Run,
  random: Random,
  signal: AbortSignal,
  pauses: Record<'database' | 'processes' | 'mail', [number, number]>,
): Promise<void> {
  await Promise.all([
    injectRepeatedly(run, random.fork(), signal, databaseFaults, pauses.database),
    injectRepeatedly(run, random.fork(), signal, processFaults, pauses.processes),
    injectRepeatedly(run, random.fork(), signal, mailFaults, pauses.mail),
  ])
}

async function injectRepeatedly(
  { cluster, journal }: Run,
  random: Random,
  signal: AbortSignal,
  faults: [string, Fault][],
  [min, max]: [number, number],
) {
  for (;;) {
    for (const [kind, fault] of random.shuffle(faults)) {
      await sleep(random.between(min * 1000, max * 1000), undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const from = Date.now()
      await fault(cluster, random)
      journal.fault(kind, from, Date.now())
    }
  }
}

function terminateSomeBackends(cluster: Cluster, random: Random) {
  return terminateBackends(cluster, random.between(1, 4))
}

function terminateAllBackends(cluster: Cluster) {
  return terminateBackends(cluster, 1000)
}

/** Terminates so many of the service's backends, whatever they do. */
async function terminateBackends({ sql }: Cluster, count: number) {
  await sql`
    select pg_terminate_backend(pid) from (
      select pid from pg_stat_activity
      where datname = current_database() and application_name <> ${applicationName} and pid <> pg_backend_pid()
      order by random() limit ${count}
    ) chosen`.catch(() => {})
}

/** kill -9 of the postmaster, and a new start on the same folder, which recovers from the log. */
async function killPostgres({ postgres }: Cluster, random: Random) {
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

async function dropConnections({ proxy }: Cluster, random: Random) {
  proxy.dropConnections(random.pick([0.3, 0.5, 1]))
}

async function stallConnections({ proxy }: Cluster, random: Random) {
  proxy.stall()
  await sleep(random.between(1000, 8000))
  proxy.resume()
}

async function loseConnections({ proxy }: Cluster, random: Random) {
  proxy.stall()
  await sleep(random.between(500, 6000))
  proxy.loseConnections()
}

async function refuseConnections({ proxy }: Cluster, random: Random) {
  proxy.refuseConnections()
  await sleep(random.between(200, 2500))
  await proxy.acceptConnections()
}

async function killProcess({ services }: Cluster, random: Random) {
  await random.pick(services).killAndStart(random.between(0, 2000))
}

/** Delivery is paused after five refusals. The half minute until the next try is let pass at once. */
async function rejectContent({ mailServer, sql }: Cluster, random: Random) {
  mailServer.rejectsContent = true
  await sleep(random.between(500, 4000))
  mailServer.rejectsContent = false
  await sql`update content_refusals set probe_at = now() where probe_at > now()`.catch(() => {})
}
