import { setTimeout as sleep } from 'node:timers/promises'
import { applicationName, type Cluster } from './cluster.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

/** A fault: it begins, lasts, and ends repaired. */
type Fault = (cluster: Cluster, random: Random) => Promise<unknown>

/** Database and network faults, listed as often as they are likely. */
const databaseFaults: [kind: string, Fault][] = [
  ['some backends terminated', terminateSomeBackends],
  ['some backends terminated', terminateSomeBackends],
  ['all backends terminated', terminateAllBackends],
  ['Postgres killed', killPostgres],
  ['connections dropped', dropConnections],
  ['connections dropped', dropConnections],
  ['traffic stalled, then delivered', stallConnections],
  ['traffic stalled, then lost', loseConnections],
  ['connections refused', refuseConnections],
]

const processFaults: [kind: string, Fault][] = [['process killed', killProcess]]

/** Does not excuse duplicate mails. */
export const contentRefusalFault = 'all mails rejected for their content'

const mailFaults: [string, Fault][] = [[contentRefusalFault, rejectContent]]

/** All kinds, each of which a run has to include. */
export const faultKinds = [...new Set([...databaseFaults, ...processFaults, ...mailFaults].map(([kind]) => kind))]

/**
 * Injects faults until the signal aborts, with pauses for recovery. Database, process and mail faults have independent
 * schedules, so that they sometimes overlap.
 * @param pauses minimum and maximum seconds between two faults
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

/** Terminates this many backends of the service, whatever they do. */
async function terminateBackends({ sql }: Cluster, count: number) {
  await sql`
    select pg_terminate_backend(pid) from (
      select pid from pg_stat_activity
      where datname = current_database() and application_name <> ${applicationName} and pid <> pg_backend_pid()
      order by random() limit ${count}
    ) chosen`.catch(() => {})
}

/** Kills the postmaster with SIGKILL and restarts it on the same folder, where it recovers from the WAL. */
async function killPostgres({ postgres }: Cluster, random: Random) {
  await postgres.kill()
  await sleep(random.between(0, 2000))
  for (;;) {
    // Orphaned backends keep the folder locked until they notice.
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

/** Delivery is paused after five rejections. Skips the half minute until the next attempt. */
async function rejectContent({ mailServer, sql }: Cluster, random: Random) {
  mailServer.rejectsContent = true
  await sleep(random.between(500, 4000))
  mailServer.rejectsContent = false
  await sql`update content_refusals set probe_at = now() where probe_at > now()`.catch(() => {})
}
