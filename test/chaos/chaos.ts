import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { announceCampaigns } from './announce.ts'
import { openFindings } from './checks.ts'
import { letClientsIn } from './clients.ts'
import { publishSpares } from './console.ts'
import { announceDay, newDay } from './day.ts'
import { reckonDay } from './day-reckoning.ts'
import { causeFaults, faultKinds } from './faults.ts'
import { openHttpClient } from './http.ts'
import { checkInvariants, watchInvariants } from './invariants.ts'
import { openJournal } from './journal.ts'
import { reckonMails } from './mail-reckoning.ts'
import { openRandom, type Random } from './random.ts'
import { reckon } from './reckoning.ts'
import { allHold, reportOf } from './report.ts'
import type { Run } from './run.ts'
import { settle } from './settle.ts'
import { openStage } from './stage.ts'

const usage = `npm run test:chaos -- [--operations N] [--minutes N] [--seed N] [--quick]

  --operations  how many are to be answered; 100000
  --minutes     after which no more are begun; 12
  --seed        chooses who does what and what fails when; by the clock
  --quick       two thousand operations in half a minute, to see that everything runs`

const clients = 40

/** Longest delay of our own event loop, in milliseconds, with which the times of requests can be believed. */
const mostDelay = 1_000

/** Plays the run on a stage of its own, prints what it showed, and leaves nothing behind. */
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
  const target = Number(values.operations ?? (quick ? 2_000 : 100_000))
  const minutes = Number(values.minutes ?? (quick ? 2 : 12))
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  if (values.help || ![target, minutes, seed].every((given) => given >= 0)) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  // The rest is for settling, with a margin: a run is bounded, whatever happens.
  setTimeout(() => giveUp(minutes + 12), (minutes + 12) * 60_000).unref()
  await using closing = new AsyncDisposableStack()
  const random = openRandom(seed)
  say(`seed ${seed}: ${target.toLocaleString('en')} operations, ${minutes} minutes at the most`)
  const run: Run = {
    stage: await openStage(random.fork(), closing),
    http: closing.use(openHttpClient()),
    journal: openJournal(),
    findings: openFindings(say),
    campaigns: [],
    spares: [],
    people: [],
    rooms: 0,
    tellings: [],
    written: [],
    copies: [],
    day: newDay(),
    target,
  }
  // So few that some have to wait.
  const capacity: [number, number] = quick ? [8, 30] : [30, 200]
  await announceCampaigns(run, random.fork(), Math.max(3, Math.ceil(target / 3_000)), capacity)
  await announceDay(run, random.fork(), quick)
  const { seconds, slowestSign } = await rage(run, random, minutes, quick)
  say('faults are over: everything comes to rest')
  const mailSeconds = await settle(run, random.fork(), quick ? 60 : 400)
  await publishSpares(run, random.fork())
  say('what is stored is held against what was acknowledged')
  await reckon(run, random.fork())
  await reckonDay(run)
  const mails = await reckonMails(run)
  await checkInvariants(run)
  const errors = run.stage.services.flatMap((service) => service.errors())
  const facts = {
    seed,
    'seconds of faults': Math.round(seconds),
    'slowest sign of life, asked of nothing but the process': `${Math.round(slowestSign)} ms`,
    'seconds until all mails were out': Math.round(mailSeconds),
    people: run.people.length,
    'errors in the logs': errors.length,
  }
  console.log(`\n${reportOf({ ...run, mailbox: run.stage.mailbox, mails, facts })}\n`)
  for (const error of new Set(errors.slice(0, 20))) console.log(error.slice(0, 600))
  return allHold(run.findings) ? 0 : 1
}

/**
 * Clients, faults and looks at the invariants, all at once, until enough is done. Gives how many seconds it took, and how
 * many milliseconds the slowest sign of life.
 */
async function rage(run: Run, random: Random, minutes: number, quick: boolean) {
  const { journal, findings, stage } = run
  const begun = performance.now()
  const over = new AbortController()
  const late = setTimeout(() => over.abort(), minutes * 60_000)
  const delay = monitorEventLoopDelay()
  delay.enable()
  const progress = setInterval(
    () => {
      const faults = journal.faults().length
      say(`${Math.round((performance.now() - begun) / 1000)} s: ${journal.answers()} answered, ${faults} faults`)
    },
    quick ? 5_000 : 15_000,
  )
  const calm: Parameters<typeof causeFaults>[3] = quick
    ? { database: [1, 2], processes: [3, 6], mail: [3, 8] }
    : { database: [2, 6], processes: [10, 25], mail: [10, 30] }
  const faults = causeFaults(run, random.fork(), over.signal, calm)
  const watchingInvariants = watchInvariants(run, over.signal, quick ? 2 : 10)
  const watchingServices = watchServices(run, over.signal)
  const missing = () => faultKinds.filter((kind) => !journal.faults().some((fault) => fault.kind === kind))
  const enough = () => over.signal.aborted || (journal.answers() >= run.target && missing().length === 0)
  await letClientsIn(run, random.fork(), clients, enough)
  over.abort()
  clearTimeout(late)
  clearInterval(progress)
  const [slowestSign] = await Promise.all([watchingServices, watchingInvariants, faults])
  delay.disable()
  stage.wire.resume()
  findings.check(
    'load',
    delay.max / 1e6 > mostDelay && `its event loop stood still for ${Math.round(delay.max / 1e6)} ms`,
  )
  findings.check('operations', journal.answers() < run.target && `only ${journal.answers()} were answered`)
  findings.check('faults', missing().length > 0 && `missing: ${missing().join(', ')}`, journal.faults().length)
  return { seconds: (performance.now() - begun) / 1000, slowestSign }
}

/**
 * A process that is not there although nobody killed it has ended by itself. Gives the milliseconds of the slowest answer:
 * it tells how starved of processor time the machine was.
 */
async function watchServices({ stage, http, findings }: Run, signal: AbortSignal): Promise<number> {
  let slowest = 0
  while (!signal.aborted) {
    await sleep(1000)
    for (const service of stage.services) {
      if (!service.up) continue
      const { status, milliseconds } = await http.ask(service.server.url, { path: '/healthz' })
      if (!service.up) continue
      if (status === 200) slowest = Math.max(slowest, milliseconds)
      findings.check(
        'services',
        status === 'refused' && `${service.name} is gone: ${service.server.output().slice(-500)}`,
      )
      if (status === 'refused') await service.killAndStart(0)
    }
  }
  return slowest
}

function say(line: string) {
  console.log(`· ${line}`)
}

function giveUp(minutes: number) {
  console.error(`gave up after ${minutes} minutes`)
  process.exit(1)
}

// What was started is killed when this process exits, but not when a signal ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))

process.exitCode = await main()
