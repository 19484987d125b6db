import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { paths } from '../../src/http/links.ts'
import { type PostgresServer, startPostgres } from '../support/databases/postgres.ts'
import { atExit } from '../support/processes/at-exit.ts'
import { cliCommand, root as here, runProgram, serverCommand } from '../support/processes/processes.ts'
import { type Commands, type Server, startServer } from '../support/processes/server.ts'
import { cpuSeconds, findProcess, siblingProcesses } from './linux.ts'
import type { Bare } from './load/bare.ts'
import type { LoadGenerator, LoadResult, RequestPlan } from './load/load-generator.ts'
import type { MailSink } from './load/mail-sink.ts'
import { type Subprocess, startSubprocess } from './load/subprocess.ts'
import { type Sizes, sizes } from './sizes.ts'

/** What all measurements share: Postgres, the load generator, the baselines and the sizes. */
export type BenchContext = {
  sizes: Sizes
  rounds: number
  /** Folder of the measured version, and the commands that start its programs. */
  root: string
  commands: Commands
  postgres: PostgresServer
  /** Returns an unused path in a folder that is removed when the bench ends. */
  createTempPath(): string
  load: Subprocess<LoadGenerator>
  /** The bare routes and their port. */
  bare: Subprocess<Bare> & { port: number }
  mailSink: Subprocess<MailSink> & { url: string }
  /**
   * The service on a database of this name, in its own process until the bench ends. Both are created on first use.
   * @param env distinguishes several processes on one database
   */
  service(database: string, env?: Record<string, string>): Promise<Service>
  /** Runs a CLI command and returns its output. Throws if it fails. */
  cli(args: string[], env: Record<string, string>): Promise<string>
  /** Environment of a service on that database. */
  environment(database: string): Promise<Record<string, string>>
  /** Creates a database without tables. Returns its URL. */
  createEmptyDatabase(name: string): Promise<string>
  /** Reserves numbers for people who have not signed up. Returns the first. */
  reservePeople(count: number): number
  /** Logs progress. */
  log(what: string): void
}

/** The service on its own database, as an operator starts it, without rate limits. */
export type Service = {
  server: Server
  port: number
  pid: number
  /** Direct connection to the database. */
  sql: postgres.Sql
  /** API token of an organiser. */
  token: string
  /** Calls the API as an organiser. Returns the body. Throws unless it succeeds. */
  callApi<Body>(method: string, path: string, body?: object): Promise<Body>
  /** Publishes workshops in one campaign. Returns their slugs. */
  publishWorkshops(workshops: number, capacity: number, more?: object): Promise<string[]>
  /** Sends requests with the load generator over this many connections. Throws if a response has another status. */
  sendLoad(requests: RequestPlan, connections: number, status: number): Promise<ServiceLoadResult>
}

/** Includes the CPU time per request, in microseconds. */
export type ServiceLoadResult = LoadResult & { processor: { service: number; postgres: number } }

export type Options = {
  quick: boolean
  /** Overrides the number of rounds in the sizes. */
  rounds?: number | undefined
  /** Folder for CPU profiles of the service processes. */
  profile?: string | undefined
  /** Folder of the measured version. Default: this one. */
  root?: string | undefined
}

const secret = 'a secret of the bench that is long enough'
const template = 'bench_template'

/** Starts what all measurements share. */
export async function createBenchContext(
  { quick, rounds, profile, root = here }: Options,
  cleanup: AsyncDisposableStack,
): Promise<BenchContext> {
  const log = (what: string) => console.error(`· ${what}`)
  log('starting Postgres and the load generator')
  const folder = await mkdtemp(join(tmpdir(), 'baoming-bench-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  cleanup.defer(atExit(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })))
  let pathCount = 0
  const createTempPath = () => join(folder, String(++pathCount))

  const server = cleanup.use(await startPostgres())
  const admin = postgres(server.url(), { max: 1, onnotice: () => {} })
  cleanup.defer(() => admin.end())
  const load = cleanup.use(startSubprocess<LoadGenerator>('load-generator.ts'))
  const bare = cleanup.use(startSubprocess<Bare>('bare.ts'))
  const mailSink = cleanup.use(startSubprocess<MailSink>('mail-sink.ts'))

  // Template database: migrated, with the token of an organiser.
  await admin.unsafe(`create database ${template}`)
  const base = { DATABASE_URL: server.url(template), SECRET: secret, RATE_LIMIT: 'off' }
  const commands = commandsFor(root)
  async function cli(args: string[], env: Record<string, string>) {
    const result = await runProgram([...commands.cli, ...args], env)
    if (result.code !== 0) throw new Error(`${args.join(' ')} failed: ${result.stderr}`)
    return result.stdout
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
    const profileEnv = profile && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profile)}` }
    const settings = { DATA_DIR: createTempPath(), ...(await environment(database)), ...profileEnv, ...env }
    const runningServer = cleanup.use(await startServer(settings, commands))
    // A killed process writes no profile.
    if (profile) cleanup.defer(async () => void (await runningServer.stop()))
    const sql = postgres(server.url(database), { max: 1, onnotice: () => {} })
    cleanup.defer(() => sql.end())
    return createService(runningServer, sql, token, load)
  }

  let personCount = 0
  return {
    sizes: sizes[quick ? 'quick' : 'full'],
    rounds: rounds ?? sizes[quick ? 'quick' : 'full'].rounds,
    root,
    commands,
    postgres: server,
    createTempPath,
    cli,
    load,
    bare: Object.assign(bare, { port: await bare.call('listen', undefined) }),
    mailSink: Object.assign(mailSink, { url: `smtp://127.0.0.1:${await mailSink.call('listen', undefined)}` }),
    environment,
    async createEmptyDatabase(name) {
      await admin.unsafe(`create database ${name}`)
      return server.url(name)
    },
    service(database, env = {}) {
      const name = JSON.stringify([database, env])
      const service = services.get(name) ?? start(database, env)
      services.set(name, service)
      return service
    },
    reservePeople(count) {
      personCount += count
      return personCount - count + 1
    },
    log,
  }
}

/** Versions without `dist/` are started from their sources. */
function commandsFor(root: string): Commands {
  if (root === here) return { server: serverCommand, cli: cliCommand }
  const program = (name: string) =>
    existsSync(join(root, 'dist', `${name}.js`))
      ? [process.execPath, join(root, 'dist', `${name}.js`)]
      : [process.execPath, '--import', 'tsx', join(root, 'src', `${name}.ts`)]
  return { server: program('node'), cli: program('cli') }
}

function createService(server: Server, sql: postgres.Sql, token: string, load: Subprocess<LoadGenerator>): Service {
  const port = Number(new URL(server.url).port)
  const pid = findProcess('DATA_DIR', server.dataDir)

  async function callApi<Body>(method: string, path: string, body?: object): Promise<Body> {
    const response = await server.request(paths.api() + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${await response.text()}`)
    return (await response.json()) as Body
  }

  return {
    server,
    port,
    pid,
    sql,
    token,
    callApi,
    async publishWorkshops(workshops, capacity, more) {
      const { slug: campaign } = await callApi<{ slug: string }>('POST', '/campaigns', campaignDraft())
      const slugs: string[] = []
      for (let n = 1; n <= workshops; n++) {
        const { slug } = await callApi<{ slug: string }>('POST', '/workshops', {
          ...workshopDraft(`${campaign}-${n}`),
          campaign,
          capacity,
          ...more,
        })
        slugs.push(slug)
      }
      return slugs
    },
    async sendLoad(requests, connections, status) {
      const [{ backend }] = await sql<[{ backend: number }]>`select pg_backend_pid() as backend`
      const readCpu = () => ({ service: cpuSeconds([pid]), postgres: cpuSeconds(siblingProcesses(backend)) })
      const before = readCpu()
      const loadResult = await load.call('sendRequests', { port, connections, requests })
      const after = readCpu()
      const unexpected = Object.keys(loadResult.statuses).filter((other) => other !== String(status))
      if (unexpected.length > 0) throw new Error(`expected ${status}, got ${JSON.stringify(loadResult.statuses)}`)
      const cpuPerRequest = (of: keyof typeof before) =>
        ((after[of] - before[of]) / (loadResult.perSecond * loadResult.seconds)) * 1e6
      return { ...loadResult, processor: { service: cpuPerRequest('service'), postgres: cpuPerRequest('postgres') } }
    },
  }
}

/** API path for signing up. */
export const signUpPath = (slug: string) => `${paths.api()}/workshops/${slug}/registrations`

let campaignCount = 0

/** A campaign of realistic length, so that pages and mails have a realistic size. */
function campaignDraft() {
  return {
    slug: `rt-thread-${process.pid}-${++campaignCount}`,
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

function workshopDraft(slug: string) {
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
