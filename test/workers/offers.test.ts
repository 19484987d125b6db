import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, query } from '../../src/db/database.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { publishWorkshop, signUp } from '../support/http/concurrent-sign-ups.ts'
import { cliCommand, runProgram } from '../support/processes/processes.ts'
import { type Server, startServer } from '../support/processes/server.ts'
import { startWorker } from '../support/processes/workerd.ts'

const secret = 'a secret of this test that is long enough'

test('on Node an expired offer is passed on at the start and every few seconds', async () => {
  await using database = await openTestPostgres()
  await using server = await startServer({ DATABASE_URL: database.url, SECRET: secret })
  const token = (await server.cli('token', 'create', '--name', 'offers', '--role', 'organiser')).stdout.trim()
  await offerSeat(server, token)
  await server.stop()
  await expireOfferDeadline(database.db)
  await server.start()
  await expect.poll(() => listStatuses(database.db), { timeout: 10_000 }).toEqual(['cancelled', 'cancelled', 'offered'])
  await expireOfferDeadline(database.db)
  await expect
    .poll(() => listStatuses(database.db), { timeout: 25_000, interval: 500 })
    .toEqual(['cancelled', 'cancelled', 'cancelled'])
}, 90_000)

test('on Workers the cron trigger passes on expired offers', async () => {
  const database = await openTestPostgres()
  onTestFinished(() => database.close())
  const env = { DATABASE_URL: database.url, SECRET: secret }
  const cli = cliCommand
  const created = await runProgram([...cli, 'token', 'create', '--name', 'offers', '--role', 'organiser'], env)
  await using worker = await startWorker(database.url, { SECRET: secret, BASE_URL: 'http://127.0.0.1' })
  await offerSeat(worker, created.stdout.trim())
  await worker.scheduled()
  expect(await listStatuses(database.db)).toEqual(['cancelled', 'offered', 'waitlisted'])
  await expireOfferDeadline(database.db)
  await worker.scheduled()
  expect(await listStatuses(database.db)).toEqual(['cancelled', 'cancelled', 'offered'])
}, 90_000)

/** One seat, three people; the first cancels, so the seat is offered to the second. */
async function offerSeat(service: Pick<Server, 'request'>, token: string) {
  await publishWorkshop(service, token, { slug: 'offers', capacity: 1, confirmHours: 24 })
  const ids = []
  for (const name of ['first', 'second', 'third']) {
    const reply = await signUp(service, 'offers', { name, email: `${name}@example.com`, key: crypto.randomUUID() })
    ids.push(reply?.body.id)
  }
  const cancelled = await service.request(`/api/v1/registrations/${ids[0]}/cancel`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
  })
  expect(cancelled.status).toBe(200)
}

/** The service runs in its own process with the real clock, and the shortest deadline is an hour. */
async function expireOfferDeadline(db: Database) {
  await db.execute(sql`update registrations set offered_until = now() - interval '1 second' where status = 'offered'`)
}

async function listStatuses(db: Database): Promise<string[]> {
  return (await query<{ status: string }>(db, sql`select status from registrations order by seq`)).map(
    (row) => row.status,
  )
}
