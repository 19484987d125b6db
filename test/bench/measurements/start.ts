import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { paths } from '../../../src/http/links.ts'
import { findFreePort } from '../../support/processes/free-port.ts'
import { root, startProgram } from '../../support/processes/processes.ts'
import { startServer } from '../../support/processes/server.ts'
import { type BenchContext, signUpPath } from '../context.ts'
import { findProcess, residentMemory } from '../linux.ts'
import type { LoadGenerator } from '../load/load-generator.ts'
import type { Subprocess } from '../load/subprocess.ts'
import { measureAlternately } from '../statistics.ts'
import { comparison, measurement, type Row } from '../table.ts'

/**
 * Time from `npm start` to the first page with a workshop, and memory three seconds later and after some load. A bare
 * Hono server is started through npm in the same rounds.
 */
export async function measureStart(context: BenchContext): Promise<Row[]> {
  const { rounds, createTempPath } = context
  context.log(`start: ${rounds} rounds`)
  const preparedDataDir = await prepareDataDir(context)
  const database = await context.environment('started')
  await context.cli(['seed'], database)
  const memory: Record<string, number[]> = {}
  const measure = (name: string, env: () => Promise<Record<string, string>>, folder?: string) => async () => {
    const started = await measureNpmStart(await env(), folder)
    memory[name] = [...(memory[name] ?? []), started.memory]
    return started.milliseconds
  }
  const times = await measureAlternately(rounds, {
    bare: measure('bare', async () => ({ DATA_DIR: createTempPath() }), join(root, 'test/bench/bare-server')),
    fresh: measure('fresh', async () => ({ DATA_DIR: createTempPath() }), context.root),
    existing: measure(
      'existing',
      async () => {
        const folder = createTempPath()
        await cp(preparedDataDir, folder, { recursive: true })
        return { DATA_DIR: folder }
      },
      context.root,
    ),
    postgres: measure('postgres', async () => ({ ...database, DATA_DIR: createTempPath() }), context.root),
  })
  const startRow = (what: string, name: 'fresh' | 'existing' | 'postgres', maxRatio: number) =>
    comparison({
      item: 'start',
      what: `npm start to first page, ${what}`,
      unit: 'ms',
      figure: times[name],
      baseline: times.bare,
      against: 'ms bare server',
      bar: { atMost: maxRatio },
    })
  const memoryRow = (what: string, name: string, bar?: { atMost: number }) =>
    measurement({ item: 'start', what: `memory after 3 s, ${what}`, unit: 'MB', figure: memory[name] ?? [], bar })
  return [
    startRow('fresh folder', 'fresh', 8),
    startRow('existing folder', 'existing', 3),
    startRow('Postgres', 'postgres', 1.8),
    memoryRow('bare server', 'bare'),
    memoryRow('fresh folder', 'fresh', { atMost: 400 }),
    memoryRow('existing folder', 'existing', { atMost: 400 }),
    memoryRow('Postgres', 'postgres', { atMost: 160 }),
    ...(await measureMemory(context)),
  ]
}

/** Starts a server through npm, waits until `GET /` contains a workshop, and stops it three seconds later. */
async function measureNpmStart(env: Record<string, string>, folder: string | undefined) {
  const port = await findFreePort()
  const startedAt = performance.now()
  const program = startProgram(['npm', 'start'], { PORT: String(port), ...env }, folder)
  try {
    while (!(await homePageListsWorkshop(port))) await Promise.race([program.rejectsOnExit, sleep(10)])
    const milliseconds = performance.now() - startedAt
    await sleep(3000)
    return { milliseconds, memory: residentMemory(findProcess('DATA_DIR', env.DATA_DIR as string)) }
  } finally {
    await program.kill()
  }
}

async function homePageListsWorkshop(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
  return response?.status === 200 && /href="\/[cw]\//.test(await response.text())
}

/** A DATA_DIR in which the service was started and stopped once. */
async function prepareDataDir({ createTempPath, commands }: BenchContext): Promise<string> {
  const folder = createTempPath()
  await using server = await startServer({ DATA_DIR: folder }, commands)
  await server.stop()
  return folder
}

async function measureMemory({
  sizes,
  load,
  environment,
  createTempPath,
  log,
  commands,
}: BenchContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, env] of [
    ['Postgres', await environment('remembered')],
    ['embedded', { RATE_LIMIT: 'off' }],
  ] as const) {
    log(`start: memory, ${name}`)
    await using server = await startServer({ DATA_DIR: createTempPath(), ...env }, commands)
    const pid = findProcess('DATA_DIR', server.dataDir)
    await server.cli('seed')
    await requestAll(load, Number(new URL(server.url).port), sizes.requestsBeforeMemory, server)
    rows.push(
      measurement({
        item: 'start',
        what: `memory after ${sizes.requestsBeforeMemory.toLocaleString('en')} requests, ${name}`,
        unit: 'MB',
        figure: residentMemory(pid),
      }),
    )
  }
  return rows
}

/** Of five requests, two are pages, two availabilities and one a sign-up. */
async function requestAll(load: Subprocess<LoadGenerator>, port: number, count: number, server: { url: string }) {
  const { items } = (await (await fetch(`${server.url}${paths.api()}/workshops`)).json()) as {
    items: { slug: string }[]
  }
  const slug = items[0]?.slug ?? ''
  const connections = 16
  const share = count / 5
  for (const path of [paths.workshop(slug), paths.availability(slug)]) {
    await load.call('sendRequests', { port, connections, requests: { kind: 'the same', path, count: share * 2 } })
  }
  const requests = { kind: 'sign-ups' as const, paths: [signUpPath(slug)], count: share, first: 1 }
  const { statuses } = await load.call('sendRequests', { port, connections, requests })
  if (statuses[201] !== share) throw new Error(`expected 201, got ${JSON.stringify(statuses)}`)
}
