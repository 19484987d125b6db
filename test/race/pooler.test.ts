import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { crowd, publish, type Reply, roster, rush } from '../support/crowd.ts'
import { openOnServer } from '../support/databases.ts'
import { pgbouncerVersion, startPgbouncer } from '../support/pgbouncer.ts'
import { root } from '../support/processes.ts'
import { startServer } from '../support/server.ts'
import { startMailServer } from '../support/smtp.ts'

// It does not come from npm; whoever has it runs these tests too.
const installed = pgbouncerVersion()
if (!installed) console.warn('PgBouncer is not installed (apt-get install pgbouncer): its tests are skipped')

const seats = 40
const people = 500

test.skipIf(!installed)(
  'three servers start at once on an empty database behind PgBouncer, and 500 people race for 40 seats',
  async () => {
    await using database = await openOnServer({ migrated: false })
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
    await publish(server, token, city('shanghai', seats))
    await publish(server, token, city('nanjing', people))

    const replies = await rush(servers, 'shanghai', crowd(people), 64)
    expect(replies.map(({ status }) => status)).toEqual(Array(people).fill(201))
    const seated = replies.filter(({ body }) => body.status === 'confirmed')
    expect(seated).toHaveLength(seats)
    const list = await roster(server, 'shanghai', token)
    expect(list.map(({ seq }) => seq)).toEqual(Array.from({ length: people }, (_, i) => i + 1))
    expect(list.slice(seats).map(({ position }) => position)).toEqual(
      Array.from({ length: people - seats }, (_, i) => i + 1),
    )

    // All who have a seat give it back at once, in one way or the other, and the next in line have them.
    const submit = ({ body }: Reply, to: string, fields: Record<string, string>, n: number) =>
      (servers[n % 3] as typeof server).request(`${new URL(body.ticketUrl).pathname}/${to}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      })
    const left = await Promise.all(
      seated.map((reply, n) => (n % 2 ? submit(reply, 'cancel', {}, n) : submit(reply, 'move', { to: 'nanjing' }, n))),
    )
    expect(left.map(({ status }) => status)).toEqual(Array(seats).fill(303))
    const after = await roster(server, 'shanghai', token)
    expect(after.filter(({ status }) => status === 'confirmed').map(({ seq }) => seq)).toEqual(
      Array.from({ length: seats }, (_, i) => seats + i + 1),
    )
    expect(await roster(server, 'nanjing', token)).toHaveLength(seats / 2)

    // A mail for everyone, one to each of those who left and one to each of those who came up, from three senders.
    const owed = people + 2 * seats
    const sent = await mail.received(owed)
    expect(new Set(sent.map(({ mail }) => mail.messageId)).size).toBe(owed)
    expect(sent).toHaveLength(owed)
    expect(await server.cli('doctor')).toMatchObject({ code: 0, stdout: 'all invariants hold\n' })
  },
  120_000,
)

test.skipIf(!installed)('what a migration leaves for later is done through PgBouncer too', async () => {
  await using database = await openOnServer()
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

test('with ?pgbouncer=true nothing is prepared that another connection could be asked for', async () => {
  await using database = await openOnServer()
  const prepared = async (url: string) => {
    const { db, close } = openPostgres(url, { max: 1 })
    const { $client: client } = db as unknown as { $client: postgres.Sql }
    await client`select ${1}::int`
    const [row] = await client.unsafe(`select count(*)::int as n from pg_prepared_statements`)
    await close()
    return row?.n
  }
  expect(await prepared(`${database.url}?pgbouncer=true`)).toBe(0)
  expect(await prepared(database.url)).toBeGreaterThan(0)
})
