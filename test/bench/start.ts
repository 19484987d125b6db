import { cp } from 'node:fs/promises'
import { paths } from '../../src/links.ts'
import { startServer } from '../support/server.ts'
import type { Bare } from './bare.ts'
import { processWith, residentMemory } from './linux.ts'
import type { Load } from './load.ts'
import { type Stage, signUpPath } from './stage.ts'
import { inTurn } from './statistics.ts'
import { type Subprocess, startSubprocess } from './subprocess.ts'
import { compared, measured, type Row } from './table.ts'

/** From `npm start` to the first answer, and the memory of a process that has answered for a while. */
export async function measureStart(stage: Stage): Promise<Row[]> {
  const { rounds } = stage
  stage.say(`start: ${rounds} rounds`)
  const used = await startedOnce(stage)
  const database = await stage.environment('started')
  const times = await inTurn(rounds, {
    bare: async () => {
      const begun = performance.now()
      await using bare = startSubprocess<Bare>('bare.ts')
      await fetch(`http://127.0.0.1:${await bare.call('listen', undefined)}/json`)
      return performance.now() - begun
    },
    fresh: () => startMilliseconds({ DATA_DIR: stage.newPath() }),
    existing: async () => {
      const folder = stage.newPath()
      await cp(used, folder, { recursive: true })
      return startMilliseconds({ DATA_DIR: folder })
    },
    postgres: () => startMilliseconds({ ...database, DATA_DIR: stage.newPath() }),
  })
  const row = (what: string, figure: number[]) =>
    compared({ item: 'start', what, unit: 'ms', figure, baseline: times.bare, against: 'ms a bare server' })
  return [
    row('npm start to the first answer, fresh folder', times.fresh),
    row('npm start to the first answer, existing folder', times.existing),
    row('npm start to the first answer, Postgres', times.postgres),
    ...(await measureMemory(stage)),
  ]
}

async function startMilliseconds(env: Record<string, string>): Promise<number> {
  const begun = performance.now()
  await using _server = await startServer(env, ['npm', 'start'])
  return performance.now() - begun
}

/** A data folder in which the service was started and stopped once. */
async function startedOnce({ newPath }: Stage): Promise<string> {
  const folder = newPath()
  await using server = await startServer({ DATA_DIR: folder })
  await server.stop()
  return folder
}

async function measureMemory({ sizes, load, environment, bare, newPath, say }: Stage): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, env] of [
    ['Postgres', await environment('remembered')],
    ['embedded', { RATE_LIMIT: 'off' }],
  ] as const) {
    say(`start: memory, ${name}`)
    await using server = await startServer({ DATA_DIR: newPath(), ...env })
    const pid = processWith('DATA_DIR', server.folder)
    const before = residentMemory(pid)
    await server.cli('seed')
    await requestAll(load, Number(new URL(server.url).port), sizes.beforeMemory, server)
    rows.push(
      measured({
        item: 'start',
        what: `memory after ${sizes.beforeMemory.toLocaleString('en')} requests, ${name}`,
        unit: 'MB',
        figure: residentMemory(pid),
        note: `${Math.round(before)} MB at the start; a bare server ${Math.round(residentMemory(bare.pid))} MB`,
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
