import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { pgbouncerVersion, startPgbouncer } from '../support/databases/pgbouncer.ts'
import {
  createPeople,
  fetchAttendees,
  publishWorkshop,
  registerConcurrently,
  type SignUpReply,
} from '../support/http/concurrent-sign-ups.ts'
import { startMailServer } from '../support/mail/smtp-server.ts'
import { root } from '../support/processes/processes.ts'
import { startServer } from '../support/processes/server.ts'

// PgBouncer is not on npm, so these tests run only where it is installed.
const installedVersion = pgbouncerVersion()
if (!installedVersion) console.warn('PgBouncer is not installed (apt-get install pgbouncer): its tests are skipped')

const seatCount = 40
const personCount = 500

test.skipIf(!installedVersion)(
  'three servers start at once on an empty database behind PgBouncer and serve 500 sign-ups for 40 seats',
  async () => {
    await using database = await openTestPostgres({ migrated: false })
    await using pooler = await startPgbouncer(database.url)
    await using mail = await startMailServer()
    const env = {
      DATABASE_URL: `${pooler.url(new URL(database.url).pathname.slice(1))}?pgbouncer=true`,
      SECRET: 'a secret that all three servers share',
      SMTP_URL: mail.url,
      MAIL_FROM: 'Workshops <workshops@example.com>',
      RATE_LIMIT: 'off',
    }
    await using run = new AsyncDisposableStack()
    const servers = await Promise.all([1, 2, 3].map(async () => run.use(await startServer(env))))
    const [server] = servers as [(typeof servers)[number]]
    const token = (await server.cli('token', 'create', '--name', 'pooler', '--role', 'organiser')).stdout.trim()
    const campaign = await server.request('/api/v1/campaigns', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ slug: 'july', title: '入门培训', summary: '动手', publish: true }),
    })
    expect(campaign.status).toBe(201)
    const city = (slug: string, capacity: number) => ({ slug, capacity, campaign: 'july' })
    await publishWorkshop(server, token, city('shanghai', seatCount))
    await publishWorkshop(server, token, city('nanjing', personCount))

    const replies = await registerConcurrently(servers, 'shanghai', createPeople(personCount), 64)
    expect(replies.map(({ status }) => status)).toEqual(Array(personCount).fill(201))
    const seated = replies.filter(({ body }) => body.status === 'confirmed')
    expect(seated).toHaveLength(seatCount)
    const list = await fetchAttendees(server, 'shanghai', token)
    expect(list.map(({ seq }) => seq)).toEqual(Array.from({ length: personCount }, (_, i) => i + 1))
    expect(list.slice(seatCount).map(({ position }) => position)).toEqual(
      Array.from({ length: personCount - seatCount }, (_, i) => i + 1),
    )

    // All seats are given back at once, by cancelling or moving, and the next on the waitlist get them.
    const submit = ({ body }: SignUpReply, to: string, fields: Record<string, string>, n: number) =>
      (servers[n % 3] as typeof server).request(`${new URL(body.ticketUrl).pathname}/${to}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      })
    const responses = await Promise.all(
      seated.map((reply, n) => (n % 2 ? submit(reply, 'cancel', {}, n) : submit(reply, 'move', { to: 'nanjing' }, n))),
    )
    expect(responses.map(({ status }) => status)).toEqual(Array(seatCount).fill(303))
    const after = await fetchAttendees(server, 'shanghai', token)
    expect(after.filter(({ status }) => status === 'confirmed').map(({ seq }) => seq)).toEqual(
      Array.from({ length: seatCount }, (_, i) => seatCount + i + 1),
    )
    expect(await fetchAttendees(server, 'nanjing', token)).toHaveLength(seatCount / 2)

    // One mail per person, one for each freed seat and one for each promotion, from three senders.
    const expectedMails = personCount + 2 * seatCount
    const sent = await mail.waitForMails(expectedMails)
    expect(new Set(sent.map(({ mail }) => mail.messageId)).size).toBe(expectedMails)
    expect(sent).toHaveLength(expectedMails)
    expect(await server.cli('doctor')).toMatchObject({ code: 0, stdout: 'all invariants hold\n' })
  },
  120_000,
)

test.skipIf(!installedVersion)('steps left unfinished by a migration run through PgBouncer', async () => {
  await using database = await openTestPostgres()
  await using pooler = await startPgbouncer(database.url)
  const { db, close } = openPostgres(`${pooler.url(new URL(database.url).pathname.slice(1))}?pgbouncer=true`)
  await db.execute(sql`insert into drizzle.unfinished (statement, beside) values
    ('alter table mails validate constraint mails_kind', true),
    ('create index concurrently mails_by_kind on mails (kind)', true)`)
  await migrate(db, join(root, 'drizzle'))
  const [index] = (await db.execute(
    sql`select indisvalid from pg_index where indexrelid = 'mails_by_kind'::regclass`,
  )) as unknown as [unknown]
  expect(index).toEqual({ indisvalid: true })
  await close()
})

test('with ?pgbouncer=true no statement is prepared on the server', async () => {
  await using database = await openTestPostgres()
  const countPrepared = async (url: string) => {
    const { db, close } = openPostgres(url, { max: 1 })
    const { $client: client } = db as unknown as { $client: postgres.Sql }
    await client`select ${1}::int`
    const [row] = await client.unsafe(`select count(*)::int as n from pg_prepared_statements`)
    await close()
    return row?.n
  }
  expect(await countPrepared(`${database.url}?pgbouncer=true`)).toBe(0)
  expect(await countPrepared(database.url)).toBeGreaterThan(0)
})
