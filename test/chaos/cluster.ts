import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { OpenDatabase } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { createSignInCode } from '../../src/domain/tickets/signed-tokens.ts'
import { paths } from '../../src/http/links.ts'
import { type PostgresServer, startPostgres } from '../support/databases/postgres.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../support/databases/proxy.ts'
import { cliCommand, runProgram } from '../support/processes/processes.ts'
import { type Server, startServer } from '../support/processes/server.ts'
import { type FaultyMailServer, startFaultyMailServer } from './faulty-mail-server.ts'
import type { Random } from './random.ts'

/** Two processes of the service, and one database behind a proxy. */
export type Cluster = {
  secret: string
  /** API token of an organiser. */
  token: string
  /** Session cookie of an organiser. */
  cookie: string
  postgres: PostgresServer
  proxy: DatabaseProxy
  mailServer: FaultyMailServer
  services: Service[]
  /** Direct connection to the database, without the proxy. */
  sql: postgres.Sql
  /** The same for code that uses Drizzle. */
  directDatabase: OpenDatabase
}

/** A process of the service. It may be down only while `up` is false. */
export type Service = {
  name: string
  server: Server
  up: boolean
  /** Sends SIGKILL and restarts the process after a pause in milliseconds. */
  killAndStart(pause: number): Promise<void>
  /** Error log lines of all processes so far. */
  errors(): string[]
}

const organiserEmail = 'organiser@example.com'

/** Distinguishes our connections from those of the service. */
export const applicationName = 'chaos'

export async function startCluster(random: Random, cleanup: AsyncDisposableStack): Promise<Cluster> {
  const secret = 'a secret of the chaos run that is long enough'
  const server = cleanup.use(await startPostgres())
  const proxy = cleanup.use(await startDatabaseProxy(server.url()))
  const mailServer = cleanup.use(await startFaultyMailServer(random.fork()))

  const tokenResult = await runProgram([...cliCommand, 'token', 'create', '--name', 'chaos', '--role', 'organiser'], {
    DATABASE_URL: server.url(),
    SECRET: secret,
  })
  if (tokenResult.code !== 0) throw new Error(`token create failed: ${tokenResult.stderr}`)

  const inviteResult = await runProgram([...cliCommand, 'organiser', 'invite', organiserEmail, '--role', 'organiser'], {
    DATABASE_URL: server.url(),
    SECRET: secret,
  })
  if (inviteResult.code !== 0) throw new Error(`organiser invite failed: ${inviteResult.stderr}`)

  const options = { max: 2, onnotice: () => {}, connection: { application_name: applicationName } }
  const sql = postgres(server.url(), { ...options, backoff: () => 0.2 })
  cleanup.defer(() => sql.end({ timeout: 1 }))
  const directDatabase = openPostgres(server.url(), options)
  cleanup.defer(directDatabase.close)

  const env = {
    DATABASE_URL: proxy.url,
    SECRET: secret,
    // One BASE_URL for both, as behind a load balancer.
    BASE_URL: 'http://workshops.example.com',
    SMTP_URL: mailServer.url,
    MAIL_FROM: 'Workshops <workshops@example.com>',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'error',
  }
  const services = await Promise.all(
    ['one', 'two'].map(async (name) => supervise(name, cleanup.use(await startServer(env)))),
  )
  const cookie = await signIn(services[0] as Service, sql, secret)
  return {
    cookie,
    secret,
    token: tokenResult.stdout.trim(),
    postgres: server,
    proxy,
    mailServer,
    services,
    sql,
    directDatabase,
  }
}

/** Signs the organiser in through the mailed link, before any fault. */
async function signIn({ server }: Service, sql: postgres.Sql, secret: string): Promise<string> {
  const post = (path: string, fields: Record<string, string>) =>
    fetch(server.url + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  await post(paths.signIn(), { email: organiserEmail })
  const [mail] = await sql<{ uid: string }[]>`select uid from mails where kind = 'sign_in' order by id desc limit 1`
  const response = await post(paths.magicLink(createSignInCode(secret, mail?.uid ?? '')), {})
  const [cookie] = response.headers.getSetCookie()
  if (!cookie) throw new Error(`sign-in failed: ${response.status}`)
  return cookie.split(';')[0] as string
}

/** Acts as a process supervisor: restarts the server until it comes up in time. */
function supervise(name: string, server: Server): Service {
  const errors: string[] = []
  const parseErrors = () => server.output().match(/^.*"level":50.*$/gm) ?? []
  const service: Service = {
    name,
    server,
    up: true,
    async killAndStart(pause) {
      service.up = false
      errors.push(...parseErrors())
      await server.kill()
      await sleep(pause)
      while (!(await startsInTime())) await server.kill()
      service.up = true
    },
    errors: () => [...errors, ...parseErrors()],
  }
  async function startsInTime() {
    return Promise.race([
      server.start().then(
        () => true,
        () => false,
      ),
      sleep(25_000, false, { ref: false }),
    ])
  }
  return service
}
