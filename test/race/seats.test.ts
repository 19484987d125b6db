import { readFile } from 'node:fs/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { openTestPostgres } from '../support/databases/databases.ts'
import {
  createPeople,
  fetchAttendees,
  publishWorkshop,
  registerConcurrently,
} from '../support/http/concurrent-sign-ups.ts'
import { startServer } from '../support/processes/server.ts'

const seatCount = 40
const personCount = 500
const connectionCount = 64

/** Two servers on one Postgres: a single server runs one statement at a time and could not race with itself. */
async function startTwoServers() {
  const database = await openTestPostgres()
  const env = { DATABASE_URL: database.url, SECRET: 'a secret that both servers share, of course', RATE_LIMIT: 'off' }
  const servers = await Promise.all([startServer(env), startServer(env)])
  const created = await servers[0].cli('token', 'create', '--name', 'race', '--role', 'organiser')
  const token = created.stdout.trim()
  await publishWorkshop(servers[0], token, { slug: 'race', capacity: seatCount })
  return {
    servers,
    token,
    url: database.url,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]()
      await database.close()
    },
  }
}

test('of 500 people over 64 connections 40 are confirmed and 460 waitlisted in order', async () => {
  await using world = await startTwoServers()
  const replies = await registerConcurrently(world.servers, 'race', createPeople(personCount), connectionCount)
  expect(replies.map(({ status }) => status)).toEqual(Array(personCount).fill(201))
  expect(replies.filter(({ body }) => body.status === 'confirmed')).toHaveLength(seatCount)

  const list = await fetchAttendees(world.servers[1], 'race', world.token)
  expect(list.map(({ seq }) => seq)).toEqual(Array.from({ length: personCount }, (_, i) => i + 1))
  expect(list.map(({ status }) => status)).toEqual([
    ...Array(seatCount).fill('confirmed'),
    ...Array(personCount - seatCount).fill('waitlisted'),
  ])
  expect(list.slice(seatCount).map(({ position }) => position)).toEqual(
    Array.from({ length: personCount - seatCount }, (_, i) => i + 1),
  )
  // Every response agrees with the list.
  const positions = new Map(replies.map(({ body }) => [body.id, body.position]))
  expect(list.every(({ id, position }) => positions.get(id) === position)).toBe(true)

  expect(await world.servers[0].cli('doctor')).toMatchObject({ code: 0, stdout: 'all invariants hold\n' })
}, 60_000)

test('control: without the row lock and the trigger seats are oversold', async () => {
  await using world = await startTwoServers()
  const sql = postgres(world.url, { onnotice: () => {} })
  await sql.unsafe(await sqlWithoutLocks())
  let confirmedCount = 0
  // Whether the servers collide is chance, so the race is repeated until it occurs.
  for (let round = 1; round <= 5 && confirmedCount <= seatCount; round++) {
    const slug = `control-${round}`
    await publishWorkshop(world.servers[0], world.token, { slug, capacity: seatCount })
    const replies = await registerConcurrently(world.servers, slug, createPeople(personCount), connectionCount)
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(personCount)
    const [held] = await sql`
      select count(*)::int as n from registrations r join workshops w on w.id = r.workshop_id
      where w.slug = ${slug} and r.status = 'confirmed'`
    confirmedCount = held?.n
  }
  await sql.end()
  expect(confirmedCount).toBeGreaterThan(seatCount)
}, 180_000)

/** A naive register function: it counts the taken seats, then inserts. */
async function sqlWithoutLocks(): Promise<string> {
  const text = await readFile(new URL('../../drizzle/functions/register.sql', import.meta.url), 'utf8')
  const count = (statuses: string) =>
    `(select count(*)::int from registrations r where r.workshop_id = w.id and r.status in (${statuses}))`
  const replace = (from: string, to: string) => (source: string) => {
    if (!source.includes(from)) throw new Error(`register.sql does not contain: ${from}`)
    return source.replaceAll(from, to)
  }
  const sqlBody = [
    replace('for no key update', ''),
    replace('w.last_placed_at, w.waitlisted,', `w.last_placed_at, ${count(`'waitlisted'`)} as waitlisted,`),
    replace(
      'case when w.waitlisted = 0 then w.capacity - w.taken else 0 end as free',
      `case when ${count(`'waitlisted'`)} = 0 then w.capacity - ${count(`'confirmed'`)} else 0 end as free`,
    ),
    replace('j.next_seq + j.rank - 1', `nextval('careless_seq')`),
    // A pause between counting and inserting, as between two requests to the database.
    replace(
      'from decided j\n    left join registration_links',
      'from decided j cross join (select pg_sleep(0.02)) moment\n    left join registration_links',
    ),
  ].reduce((source, change) => change(source), text)
  return `
    create sequence careless_seq;
    drop trigger count_seats_on_insert on registrations;
    ${sqlBody}`
}
