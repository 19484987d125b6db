import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { paths } from '../../src/links.ts'
import { freePort } from '../support/free-port.ts'
import { root, startProgram } from '../support/processes.ts'
import { startServer } from '../support/server.ts'
import { processWith, residentMemory } from './linux.ts'
import type { Load } from './load.ts'
import { type Stage, signUpPath } from './stage.ts'
import { inTurn } from './statistics.ts'
import type { Subprocess } from './subprocess.ts'
import { compared, measured, type Row } from './table.ts'

/**
 * From `npm start` to the first page with its workshops, and the memory of the process: three seconds later, and after
 * it has answered for a while. A bare Hono server is started through npm in the same rounds.
 */
export async function measureStart(stage: Stage): Promise<Row[]> {
  const { rounds, newPath } = stage
  stage.say(`start: ${rounds} rounds`)
  const used = await startedOnce(stage)
  const database = await stage.environment('started')
  await stage.cli(['seed'], database)
  const memory: Record<string, number[]> = {}
  const measure = (name: string, env: () => Promise<Record<string, string>>, folder?: string) => async () => {
    const started = await startThroughNpm(await env(), folder)
    memory[name] = [...(memory[name] ?? []), started.memory]
    return started.milliseconds
  }
  const times = await inTurn(rounds, {
    bare: measure('bare', async () => ({ DATA_DIR: newPath() }), join(root, 'test/bench/bare-server')),
    fresh: measure('fresh', async () => ({ DATA_DIR: newPath() }), stage.root),
    existing: measure(
      'existing',
      async () => {
        const folder = newPath()
        await cp(used, folder, { recursive: true })
        return { DATA_DIR: folder }
      },
      stage.root,
    ),
    postgres: measure('postgres', async () => ({ ...database, DATA_DIR: newPath() }), stage.root),
  })
  const started = (what: string, name: 'fresh' | 'existing' | 'postgres', atMost: number) =>
    compared({
      item: 'start',
      what: `npm start to the first page, ${what}`,
      unit: 'ms',
      figure: times[name],
      baseline: times.bare,
      against: 'ms a bare server',
      bar: { atMost },
    })
  const resident = (what: string, name: string, bar?: { atMost: number }) =>
    measured({ item: 'start', what: `memory 3 s later, ${what}`, unit: 'MB', figure: memory[name] ?? [], bar })
  return [
    started('fresh folder', 'fresh', 8),
    started('existing folder', 'existing', 3),
    started('Postgres', 'postgres', 1.8),
    resident('a bare server', 'bare'),
    resident('fresh folder', 'fresh', { atMost: 400 }),
    resident('existing folder', 'existing', { atMost: 400 }),
    resident('Postgres', 'postgres', { atMost: 160 }),
    ...(await measureMemory(stage)),
  ]
}

/** Starts a server through npm until `GET /` answers with a workshop, and ends it three seconds later. */
async function startThroughNpm(env: Record<string, string>, folder: string | undefined) {
  const port = await freePort()
  const begun = performance.now()
  const program = startProgram(['npm', 'start'], { PORT: String(port), ...env }, folder)
  try {
    while (!(await showsWorkshop(port))) await Promise.race([program.died, sleep(10)])
    const milliseconds = performance.now() - begun
    await sleep(3000)
    return { milliseconds, memory: residentMemory(processWith('DATA_DIR', env.DATA_DIR as string)) }
  } finally {
    await program.kill()
  }
}

async function showsWorkshop(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
  return response?.status === 200 && /href="\/[cw]\//.test(await response.text())
}

/** A data folder in which the service was started and stopped once. */
async function startedOnce({ newPath, commands }: Stage): Promise<string> {
  const folder = newPath()
  await using server = await startServer({ DATA_DIR: folder }, commands)
  await server.stop()
  return folder
}

async function measureMemory({ sizes, load, environment, newPath, say, commands }: Stage): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, env] of [
    ['Postgres', await environment('remembered')],
    ['embedded', { RATE_LIMIT: 'off' }],
  ] as const) {
    say(`start: memory, ${name}`)
    await using server = await startServer({ DATA_DIR: newPath(), ...env }, commands)
    const pid = processWith('DATA_DIR', server.folder)
    await server.cli('seed')
    await requestAll(load, Number(new URL(server.url).port), sizes.beforeMemory, server)
    rows.push(
      measured({
        item: 'start',
        what: `memory after ${sizes.beforeMemory.toLocaleString('en')} requests, ${name}`,
        unit: 'MB',
        figure: residentMemory(pid),
      }),
    )
  }
  return rows
}

/** Two pages, two availabilities and a sign-up in every five. */
async function requestAll(load: Subprocess<Load>, port: number, count: number, server: { url: string }) {
  const { items } = (await (await fetch(`${server.url}${paths.api()}/workshops`)).json()) as {
    items: { slug: string }[]
  }
  const slug = items[0]?.slug ?? ''
  const connections = 16
  const share = count / 5
  for (const path of [paths.workshop(slug), paths.availability(slug)]) {
    await load.call('rush', { port, connections, requests: { kind: 'the same', path, count: share * 2 } })
  }
  const requests = { kind: 'sign-ups' as const, paths: [signUpPath(slug)], count: share, first: 1 }
  const { statuses } = await load.call('rush', { port, connections, requests })
  if (statuses[201] !== share) throw new Error(`expected 201, got ${JSON.stringify(statuses)}`)
}
