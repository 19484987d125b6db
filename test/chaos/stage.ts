import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { OpenDatabase } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { signInCodeOf } from '../../src/domain/tickets.ts'
import { paths } from '../../src/links.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { cliCommand, runProgram } from '../support/processes.ts'
import { type Server, startServer } from '../support/server.ts'
import { openWire, type Wire } from '../support/wire.ts'
import { type Mailbox, openMailbox } from './mailbox.ts'
import type { Random } from './random.ts'

/** Everything that the run is played on: two processes of the service, and one database behind a wire. */
export type Stage = {
  secret: string
  /** Of an organiser. */
  token: string
  /** Of the session in which an organiser is signed in. */
  cookie: string
  postgres: PostgresServer
  wire: Wire
  mailbox: Mailbox
  services: Service[]
  /** Asks the database directly, past the wire. */
  sql: postgres.Sql
  /** The same for whoever is written with Drizzle. */
  direct: OpenDatabase
}

/** A process of the service. It may be down only while it says so. */
export type Service = {
  name: string
  server: Server
  up: boolean
  /** kill -9, and so many milliseconds later a new start. */
  killAndStart(pause: number): Promise<void>
  /** What was logged as an error, by all processes so far. */
  errors(): string[]
}

const organiser = 'organiser@example.com'

/** Tells our own connections from those of the service. */
export const ourName = 'chaos'

export async function openStage(random: Random, closing: AsyncDisposableStack): Promise<Stage> {
  const secret = 'a secret of the chaos run that is long enough'
  const server = closing.use(await startPostgres())
  const wire = closing.use(await openWire(server.url()))
  const mailbox = closing.use(await openMailbox(random.fork()))

  const made = await runProgram([...cliCommand, 'token', 'create', '--name', 'chaos', '--role', 'organiser'], {
    DATABASE_URL: server.url(),
    SECRET: secret,
  })
  if (made.code !== 0) throw new Error(`no token was made: ${made.stderr}`)

  const invited = await runProgram([...cliCommand, 'organiser', 'invite', organiser, '--role', 'organiser'], {
    DATABASE_URL: server.url(),
    SECRET: secret,
  })
  if (invited.code !== 0) throw new Error(`no organiser was invited: ${invited.stderr}`)

  const options = { max: 2, onnotice: () => {}, connection: { application_name: ourName } }
  const sql = postgres(server.url(), { ...options, backoff: () => 0.2 })
  closing.defer(() => sql.end({ timeout: 1 }))
  const direct = openPostgres(server.url(), options)
  closing.defer(direct.close)

  const env = {
    DATABASE_URL: wire.url,
    SECRET: secret,
    // One address for both, as behind a balancer.
    BASE_URL: 'http://workshops.example.com',
    SMTP_URL: mailbox.url,
    MAIL_FROM: 'Workshops <workshops@example.com>',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'error',
  }
  const services = await Promise.all(
    ['one', 'two'].map(async (name) => supervised(name, closing.use(await startServer(env)))),
  )
  const cookie = await signIn(services[0] as Service, sql, secret)
  return { cookie, secret, token: made.stdout.trim(), postgres: server, wire, mailbox, services, sql, direct }
}

/** Signs the organiser in by the link that is mailed, before anything fails. */
async function signIn({ server }: Service, sql: postgres.Sql, secret: string): Promise<string> {
  const post = (path: string, fields: Record<string, string>) =>
    fetch(server.url + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  await post(paths.signIn(), { email: organiser })
  const [mail] = await sql<{ uid: string }[]>`select uid from mails where kind = 'sign_in' order by id desc limit 1`
  const answer = await post(paths.signInWith(signInCodeOf(secret, mail?.uid ?? '')), {})
  const [cookie] = answer.headers.getSetCookie()
  if (!cookie) throw new Error(`nobody was signed in: ${answer.status}`)
  return cookie.split(';')[0] as string
}

/** Does what a supervisor of the operating system does: what does not come up in time is started again. */
function supervised(name: string, server: Server): Service {
  const errors: string[] = []
  const read = () => server.output().match(/^.*"level":50.*$/gm) ?? []
  const service: Service = {
    name,
    server,
    up: true,
    async killAndStart(pause) {
      service.up = false
      errors.push(...read())
      await server.kill()
      await sleep(pause)
      while (!(await comesUp())) await server.kill()
      service.up = true
    },
    errors: () => [...errors, ...read()],
  }
  async function comesUp() {
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
