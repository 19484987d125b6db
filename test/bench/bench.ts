import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { compareWith } from './compare-versions.ts'
import { type BenchContext, createBenchContext } from './context.ts'
import { measureExports } from './measurements/exports.ts'
import { measureGrowth } from './measurements/growth.ts'
import { measureLatency } from './measurements/latency.ts'
import { measureMail } from './measurements/mail.ts'
import { measureReads } from './measurements/reads.ts'
import { measureSignUps } from './measurements/sign-ups.ts'
import { measureStart } from './measurements/start.ts'
import { failedRow, type Row, renderTable } from './table.ts'

const usage = `npm run bench -- [--only hot,spread,reads,growth,latency,export,mail,start] [--rounds N] [--quick] [--json] [--profile FOLDER]
       [--against COMMIT | --root FOLDER]

  --quick  about a minute, to check that everything works; too short for reliable figures
  --json   one JSON object as the last line
  --against COMMIT  alternates this version and that one three times; prints medians and ratios
  --root FOLDER     measures the version in that folder, after npm ci
  --profile FOLDER  each service process writes its CPU profile there when it ends`

const measurements: Record<string, (context: BenchContext) => Promise<Row[]>> = {
  hot: (context) => measureSignUps(context, 'hot'),
  spread: (context) => measureSignUps(context, 'spread'),
  reads: measureReads,
  growth: measureGrowth,
  latency: measureLatency,
  export: measureExports,
  mail: measureMail,
  start: measureStart,
}

/** Longer than any successful run. */
const maxMinutes = 20

/** Runs the selected measurements, prints the table and cleans up. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      profile: { type: 'string' },
      against: { type: 'string' },
      root: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',') ?? Object.keys(measurements)
  if (values.help || names.some((name) => !(name in measurements)) || !/^[1-9]?\d*$/.test(values.rounds ?? '')) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  if (values.against) {
    const options = [
      ...(values.only ? ['--only', values.only] : []),
      ...(values.rounds ? ['--rounds', values.rounds] : []),
      ...(values.quick ? ['--quick'] : []),
    ]
    console.log(`\n${await compareWith(values.against, options)}\n`)
    return 0
  }
  const startedAt = performance.now()
  const loadBefore = loadavg()
  const rows: Row[] = []
  {
    await using cleanup = new AsyncDisposableStack()
    const context = await createBenchContext(
      { ...values, rounds: values.rounds ? Number(values.rounds) : undefined },
      cleanup,
    )
    for (const name of names) rows.push(...(await measure(name, context)))
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const machine = {
    cores: cpus().length,
    processor: cpus()[0]?.model,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadBefore: loadBefore.map((load) => Number(load.toFixed(2))),
    commit: describeCommit(),
  }
  console.log(`\n${renderTable(rows)}\n`)
  console.log(
    `${machine.cores} × ${machine.processor}, Node ${machine.node}, load before ${machine.loadBefore.join(' ')}, ${seconds} s`,
  )
  if (values.json) console.log(JSON.stringify({ seconds, quick: values.quick, machine, rows }))
  return rows.some(({ failed }) => failed) ? 1 : 0
}

/** Returns a row with the error if a measurement fails, so that the others still run. */
async function measure(name: string, context: BenchContext): Promise<Row[]> {
  try {
    return await (measurements[name] as (context: BenchContext) => Promise<Row[]>)(context)
  } catch (error) {
    console.error(error)
    return [failedRow({ item: name, what: 'all', note: (error as Error).message.split('\n')[0] })]
  }
}

function describeCommit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return undefined
  }
}

// Child processes are killed when this process exits, but not when a signal ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
if (!process.argv.includes('--against'))
  setTimeout(() => {
    console.error(`aborted after ${maxMinutes} minutes`)
    process.exit(1)
  }, maxMinutes * 60_000).unref()

process.exitCode = await main()
