import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { paths } from '../../src/links.ts'
import { atExit } from '../support/at-exit.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { cliCommand, root as here, runProgram, serverCommand } from '../support/processes.ts'
import { type Commands, type Server, startServer } from '../support/server.ts'
import type { Bare } from './bare.ts'
import { processorSeconds, processWith, siblingsOf } from './linux.ts'
import type { Load, Requests, Rush } from './load.ts'
import type { MailSink } from './mail-sink.ts'
import { type Sizes, sizes } from './sizes.ts'
import { type Subprocess, startSubprocess } from './subprocess.ts'

/** What all measurements share: a Postgres, the load generator, what the service is compared with, how much to measure. */
export type Stage = {
  sizes: Sizes
  rounds: number
  /** The folder of the version that is measured, and how its programs are started. */
  root: string
  commands: Commands
  postgres: PostgresServer
  /** A path in a folder that goes in the end, however the bench ends. Nothing is there yet. */
  newPath(): string
  load: Subprocess<Load>
  /** The bare routes, and the port that they are at. */
  bare: Subprocess<Bare> & { port: number }
  sink: Subprocess<MailSink> & { url: string }
  /**
   * The service on a database of this name, in a process of its own that runs until the end. Both are made when they are
   * first asked for.
   * @param env what tells one process from others on that database
   */
  service(database: string, env?: Record<string, string>): Promise<Service>
  /** Runs a command of the CLI to its end; gives what it wrote. Fails if the command does. */
  cli(args: string[], env: Record<string, string>): Promise<string>
  /** The environment of a service on that database. */
  environment(database: string): Promise<Record<string, string>>
  /** Makes a database without tables. Gives its address. */
  emptyDatabase(name: string): Promise<string>
  /** So many people who have not signed up yet: the number of the first. */
  people(count: number): number
  /** Says what is being done now. */
  say(what: string): void
}

/** The service on a database of its own, as an operator starts it, with rate limits off. */
export type Service = {
  server: Server
  port: number
  pid: number
  /** The database itself. */
  sql: postgres.Sql
  /** Of an organiser. */
  token: string
  /** Asks the API as the organiser; gives the body. Fails unless it succeeds. */
  ask<Body>(method: string, path: string, body?: object): Promise<Body>
  /** Publishes workshops of one campaign. */
  publish(workshops: number, capacity: number, more?: object): Promise<string[]>
  /** Has the load generator send requests over so many connections. Fails if an answer has another status. */
  rush(requests: Requests, connections: number, status: number): Promise<ServiceRush>
}

/** With the processor time that a request took, in microseconds. */
export type ServiceRush = Rush & { processor: { service: number; postgres: number } }

export type Options = {
  quick: boolean
  /** Instead of what the sizes say. */
  rounds?: number | undefined
  /** A folder into which each process of the service writes its CPU profile. */
  profile?: string | undefined
  /** The folder of the version that is measured: this one, unless given. */
  root?: string | undefined
}

const secret = 'a secret of the bench that is long enough'
const template = 'bench_template'

/** Starts what all measurements share. */
export async function openStage(
  { quick, rounds, profile, root = here }: Options,
  closing: AsyncDisposableStack,
): Promise<Stage> {
  const say = (what: string) => console.error(`· ${what}`)
  say('starting Postgres and the processes that measure')
  const folder = await mkdtemp(join(tmpdir(), 'baoming-bench-'))
  closing.defer(() => rm(folder, { recursive: true, force: true }))
  closing.defer(atExit(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })))
  let paths = 0
  const newPath = () => join(folder, String(++paths))

  const server = closing.use(await startPostgres())
  const admin = postgres(server.url(), { max: 1, onnotice: () => {} })
  closing.defer(() => admin.end())
  const load = closing.use(startSubprocess<Load>('load.ts'))
  const bare = closing.use(startSubprocess<Bare>('bare.ts'))
  const sink = closing.use(startSubprocess<MailSink>('mail-sink.ts'))

  // Migrated once, with the token of an organiser in it.
  await admin.unsafe(`create database ${template}`)
  const base = { DATABASE_URL: server.url(template), SECRET: secret, RATE_LIMIT: 'off' }
  const commands = commandsIn(root)
  async function cli(args: string[], env: Record<string, string>) {
    const ended = await runProgram([...commands.cli, ...args], env)
    if (ended.code !== 0) throw new Error(`${args.join(' ')} failed: ${ended.stderr}`)
    return ended.stdout
  }
  const token = (await cli(['token', 'create', '--name', 'bench', '--role', 'organiser'], base)).trim()

  const databases = new Map<string, Promise<unknown>>()
  async function environment(database: string) {
    databases.set(database, databases.get(database) ?? admin.unsafe(`create database ${database} template ${template}`))
    await databases.get(database)
    return { ...base, DATABASE_URL: server.url(database) }
  }

  const services = new Map<string, Promise<Service>>()
  async function start(database: string, env: Record<string, string>) {
    const profiled = profile && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profile)}` }
    const settings = { DATA_DIR: newPath(), ...(await environment(database)), ...profiled, ...env }
    const running = closing.use(await startServer(settings, commands))
    // A process that is killed writes no profile.
    if (profile) closing.defer(async () => void (await running.stop()))
    const sql = postgres(server.url(database), { max: 1, onnotice: () => {} })
    closing.defer(() => sql.end())
    return createService(running, sql, token, load)
  }

  let people = 0
  return {
    sizes: sizes[quick ? 'quick' : 'full'],
    rounds: rounds ?? sizes[quick ? 'quick' : 'full'].rounds,
    root,
    commands,
    postgres: server,
    newPath,
    cli,
    load,
    bare: Object.assign(bare, { port: await bare.call('listen', undefined) }),
    sink: Object.assign(sink, { url: `smtp://127.0.0.1:${await sink.call('listen', undefined)}` }),
    environment,
    async emptyDatabase(name) {
      await admin.unsafe(`create database ${name}`)
      return server.url(name)
    },
    service(database, env = {}) {
      const name = JSON.stringify([database, env])
      const service = services.get(name) ?? start(database, env)
      services.set(name, service)
      return service
    },
    people(count) {
      people += count
      return people - count + 1
    },
    say,
  }
}

/** Versions before the build into `dist/` are started from their sources. */
function commandsIn(root: string): Commands {
  if (root === here) return { server: serverCommand, cli: cliCommand }
  const program = (name: string) =>
    existsSync(join(root, 'dist', `${name}.js`))
      ? [process.execPath, join(root, 'dist', `${name}.js`)]
      : [process.execPath, '--import', 'tsx', join(root, 'src', `${name}.ts`)]
  return { server: program('node'), cli: program('cli') }
}

function createService(server: Server, sql: postgres.Sql, token: string, load: Subprocess<Load>): Service {
  const port = Number(new URL(server.url).port)
  const pid = processWith('DATA_DIR', server.folder)

  async function ask<Body>(method: string, path: string, body?: object): Promise<Body> {
    const answer = await server.request(paths.api() + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as Body
  }

  return {
    server,
    port,
    pid,
    sql,
    token,
    ask,
    async publish(workshops, capacity, more) {
      const { slug: campaign } = await ask<{ slug: string }>('POST', '/campaigns', announcement())
      const slugs: string[] = []
      for (let n = 1; n <= workshops; n++) {
        const { slug } = await ask<{ slug: string }>('POST', '/workshops', {
          ...workshop(`${campaign}-${n}`),
          campaign,
          capacity,
          ...more,
        })
        slugs.push(slug)
      }
      return slugs
    },
    async rush(requests, connections, status) {
      const [{ backend }] = await sql<[{ backend: number }]>`select pg_backend_pid() as backend`
      const spent = () => ({ service: processorSeconds([pid]), postgres: processorSeconds(siblingsOf(backend)) })
      const before = spent()
      const rush = await load.call('rush', { port, connections, requests })
      const after = spent()
      const others = Object.keys(rush.statuses).filter((other) => other !== String(status))
      if (others.length > 0) throw new Error(`expected ${status}, got ${JSON.stringify(rush.statuses)}`)
      const each = (of: keyof typeof before) => ((after[of] - before[of]) / (rush.perSecond * rush.seconds)) * 1e6
      return { ...rush, processor: { service: each('service'), postgres: each('postgres') } }
    },
  }
}

/** The path to which people sign up over the API. */
export const signUpPath = (slug: string) => `${paths.api()}/workshops/${slug}/registrations`

let campaigns = 0

/** A campaign as organisers write it, so that pages and mails have their usual size. */
function announcement() {
  return {
    slug: `rt-thread-${process.pid}-${++campaigns}`,
    title: { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' },
    summary: {
      zh: '动手实验与理论结合，带你从零开始认识 RT-Thread。免费参加，现场提供开发板。',
      en: 'Labs and theory, from zero to a running RT-Thread. Free of charge, boards are lent.',
    },
    items: [
      { kind: 'prerequisite', text: { zh: '掌握 C 语言', en: 'C language' } },
      { kind: 'prerequisite', text: { zh: '了解 ARM Cortex-M', en: 'ARM Cortex-M basics' } },
      {
        kind: 'prerequisite',
        text: { zh: '安装 RT-Thread Studio', en: 'RT-Thread Studio installed' },
        url: 'https://www.rt-thread.io/studio.html',
        mustConfirm: true,
      },
      { kind: 'provided', text: { zh: '开发板', en: 'A board' } },
      { kind: 'bring', text: { zh: '笔记本电脑', en: 'A laptop' } },
      { kind: 'bring', text: { zh: '插线板', en: 'A power strip' } },
    ],
    publish: true,
  }
}

function workshop(slug: string) {
  const startsAt = Date.now() + 10 * 24 * 3600 * 1000
  return {
    slug,
    title: { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' },
    city: { zh: '上海', en: 'Shanghai' },
    venue: { zh: '张江科学会堂', en: 'Zhangjiang Science Hall' },
    address: { zh: '海科路 1393 号', en: '1393 Haike Road' },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(startsAt + 7 * 3600 * 1000).toISOString(),
    boards: 40,
    publish: true,
  }
}
