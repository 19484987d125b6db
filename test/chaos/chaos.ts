import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createFindings } from './checks.ts'
import { startCluster } from './cluster.ts'
import { createDay, setUpDay } from './day.ts'
import { faultKinds, injectFaults } from './faults.ts'
import { createHttpClient } from './http.ts'
import { createJournal } from './journal.ts'
import { runClients } from './operations/clients.ts'
import { publishSpareWorkshops } from './operations/console.ts'
import { createCampaigns } from './operations/create-campaigns.ts'
import { createRandom, type Random } from './random.ts'
import { allChecksPass, renderReport } from './report.ts'
import type { Run } from './run.ts'
import { settle } from './settle.ts'
import { verifyDay } from './verify/day.ts'
import { checkSqlInvariants, watchInvariants } from './verify/invariants.ts'
import { verifyMails } from './verify/mails.ts'
import { verifyRegistrations } from './verify/registrations.ts'

const usage = `npm run test:chaos -- [--operations N] [--minutes N] [--seed N] [--quick]

  --operations  number of answered operations; 100000
  --minutes     after which no more are started; 12
  --seed        of all random decisions; default: from the clock
  --quick       2,000 operations in half a minute, to check that everything works`

const clientCount = 40

/** Event loop delay in milliseconds above which measured request times are unreliable. */
const maxEventLoopDelay = 1_000

/** Runs the clients against a new cluster and prints the results. Cleans up. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      operations: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { quick } = values
  const targetOperations = Number(values.operations ?? (quick ? 2_000 : 100_000))
  const minutes = Number(values.minutes ?? (quick ? 2 : 12))
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  if (values.help || ![targetOperations, minutes, seed].every((value) => value >= 0)) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  // The rest is for settling, with a margin: the run time is bounded.
  setTimeout(() => abort(minutes + 12), (minutes + 12) * 60_000).unref()
  await using cleanup = new AsyncDisposableStack()
  const random = createRandom(seed)
  log(`seed ${seed}: ${targetOperations.toLocaleString('en')} operations, ${minutes} minutes at most`)
  const run: Run = {
    cluster: await startCluster(random.fork(), cleanup),
    http: cleanup.use(createHttpClient()),
    journal: createJournal(),
    findings: createFindings(log),
    campaigns: [],
    spareWorkshops: [],
    people: [],
    roomCount: 0,
    venueNotices: [],
    broadcasts: [],
    campaignCopies: [],
    day: createDay(),
    targetOperations,
  }
  // Small enough for a waitlist.
  const capacity: [number, number] = quick ? [8, 30] : [30, 200]
  await createCampaigns(run, random.fork(), Math.max(3, Math.ceil(targetOperations / 3_000)), capacity)
  await setUpDay(run, random.fork(), quick)
  const { seconds, slowestHealthCheck } = await runUnderFaults(run, random, minutes, quick)
  log('faults are over: settling')
  const mailSeconds = await settle(run, random.fork(), quick ? 60 : 400)
  await publishSpareWorkshops(run, random.fork())
  log('verifying stored data against responses')
  await verifyRegistrations(run, random.fork())
  await verifyDay(run)
  const mails = await verifyMails(run)
  await checkSqlInvariants(run)
  const errors = run.cluster.services.flatMap((service) => service.errors())
  const facts = {
    seed,
    'seconds of faults': Math.round(seconds),
    'slowest health check': `${Math.round(slowestHealthCheck)} ms`,
    'seconds until all mails were delivered': Math.round(mailSeconds),
    people: run.people.length,
    'errors in the logs': errors.length,
  }
  console.log(`\n${renderReport({ ...run, mailbox: run.cluster.mailServer, mails, facts })}\n`)
  for (const error of new Set(errors.slice(0, 20))) console.log(error.slice(0, 600))
  return allChecksPass(run.findings) ? 0 : 1
}

/**
 * Runs clients, faults and invariant checks concurrently until enough operations are done. Returns the duration in
 * seconds and the slowest health check in milliseconds.
 */
async function runUnderFaults(run: Run, random: Random, minutes: number, quick: boolean) {
  const { journal, findings, cluster } = run
  const startedAt = performance.now()
  const stop = new AbortController()
  const timeout = setTimeout(() => stop.abort(), minutes * 60_000)
  const delay = monitorEventLoopDelay()
  delay.enable()
  const progress = setInterval(
    () => {
      const faults = journal.faults().length
      log(
        `${Math.round((performance.now() - startedAt) / 1000)} s: ${journal.answeredCount()} answered, ${faults} faults`,
      )
    },
    quick ? 5_000 : 15_000,
  )
  const pauses: Parameters<typeof injectFaults>[3] = quick
    ? { database: [1, 2], processes: [3, 6], mail: [3, 8] }
    : { database: [2, 6], processes: [10, 25], mail: [10, 30] }
  const faults = injectFaults(run, random.fork(), stop.signal, pauses)
  const watchingInvariants = watchInvariants(run, stop.signal, quick ? 2 : 10)
  const watchingServices = monitorServices(run, stop.signal)
  const missingFaults = () => faultKinds.filter((kind) => !journal.faults().some((fault) => fault.kind === kind))
  const isDone = () =>
    stop.signal.aborted || (journal.answeredCount() >= run.targetOperations && missingFaults().length === 0)
  await runClients(run, random.fork(), clientCount, isDone)
  stop.abort()
  clearTimeout(timeout)
  clearInterval(progress)
  const [slowestHealthCheck] = await Promise.all([watchingServices, watchingInvariants, faults])
  delay.disable()
  cluster.proxy.resume()
  findings.check(
    'load',
    delay.max / 1e6 > maxEventLoopDelay && `the event loop was blocked for ${Math.round(delay.max / 1e6)} ms`,
  )
  findings.check(
    'operations',
    journal.answeredCount() < run.targetOperations && `only ${journal.answeredCount()} answered`,
  )
  findings.check(
    'faults',
    missingFaults().length > 0 && `missing: ${missingFaults().join(', ')}`,
    journal.faults().length,
  )
  return { seconds: (performance.now() - startedAt) / 1000, slowestHealthCheck: slowestHealthCheck }
}

/**
 * Restarts processes that ended on their own, which is a violation. Returns the slowest health check in milliseconds,
 * which shows how short of CPU time the machine was.
 */
async function monitorServices({ cluster, http, findings }: Run, signal: AbortSignal): Promise<number> {
  let slowest = 0
  while (!signal.aborted) {
    await sleep(1000)
    for (const service of cluster.services) {
      if (!service.up) continue
      const { status, milliseconds } = await http.send(service.server.url, { path: '/healthz' })
      if (!service.up) continue
      if (status === 200) slowest = Math.max(slowest, milliseconds)
      findings.check(
        'services',
        status === 'refused' && `${service.name} ended: ${service.server.output().slice(-500)}`,
      )
      if (status === 'refused') await service.killAndStart(0)
    }
  }
  return slowest
}

function log(line: string) {
  console.log(`· ${line}`)
}

function abort(minutes: number) {
  console.error(`aborted after ${minutes} minutes`)
  process.exit(1)
}

// Child processes are killed when this process exits, but not when a signal ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))

process.exitCode = await main()
