import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, query } from '../../src/db/database.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { publishWorkshop, signUp } from '../support/http/concurrent-sign-ups.ts'
import { authorityFile, type Encryption, startMailServer } from '../support/mail/smtp-server.ts'
import { cliCommand, runProgram } from '../support/processes/processes.ts'
import { startWorker } from '../support/processes/workerd.ts'

const secret = 'a secret of this test that is long enough'
const smtpLogin = { user: 'baoming', password: 'secret' }

test.each<[Encryption['mode'], RegExp]>([
  ['implicit', /^Connection timeout$/],
  ['starttls', /^Greeting never received$/],
])(
  'a Worker sends mail over %s TLS only to a server whose certificate matches its host name',
  async (mode, timeout) => {
    await using mail = await startMailServer(smtpLogin, undefined, { mode, certificate: 'elsewhere.example' })
    await using database = await openTestPostgres()
    const command = [...cliCommand, 'token', 'create', '--name', 't', '--role', 'organiser']
    const { stdout: token } = await runProgram(command, {
      DATABASE_URL: database.url,
      SECRET: secret,
    })
    await using worker = await startWorker(
      database.url,
      // As described in the README.
      {
        SMTP_URL: mode === 'starttls' ? `${mail.url}?requireTLS=true` : mail.url,
        SECRET: secret,
        RATE_LIMIT: 'off',
        BASE_URL: 'http://127.0.0.1',
      },
      undefined,
      { NODE_EXTRA_CA_CERTS: authorityFile },
    )
    await publishWorkshop(worker, token.trim(), { slug: 'mail', capacity: 3 })

    // The certificate has another name: neither the password nor the mail is sent.
    await signUp(worker, 'mail', { name: 'A', email: 'a@example.com', key: 'key-of-a' })
    await expect
      .poll(() => listMails(database.db))
      .toMatchObject([{ state: 'pending', last_error: expect.stringMatching(/cannot connect|internal error/) }])
    await expect.poll(worker.output).toContain('mail outage')
    expect(mail.stepCounts).toMatchObject({ auth: 0, sender: 0 })

    // A server that accepts the connection and never responds.
    await mail.stop()
    const silentServer = await startSilentServer(Number(new URL(mail.url).port))
    await signUp(worker, 'mail', { name: 'B', email: 'b@example.com', key: 'key-of-b' })
    await expect
      .poll(() => listMails(database.db), { timeout: 25_000 })
      .toMatchObject([{ state: 'pending' }, { state: 'pending', last_error: expect.stringMatching(timeout) }])
    silentServer.end()

    await mail.start('localhost')
    await signUp(worker, 'mail', { name: 'C', email: 'c@example.com', key: 'key-of-c' })
    await expect.poll(() => mail.mails.map(({ to }) => to)).toContainEqual(['c@example.com'])
    await expect.poll(async () => (await listMails(database.db))[2]).toMatchObject({ state: 'sent' })
  },
  180_000,
)

const listMails = (db: Database) =>
  query<{ state: string; last_error: string | null }>(db, sql`select state, last_error from mails order by id`)

async function startSilentServer(port: number) {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {}))).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const end = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(end)
  return { end }
}
