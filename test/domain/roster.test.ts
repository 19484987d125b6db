import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { rows } from '../../src/db/database.ts'
import { listRoster, wholeRoster } from '../../src/domain/roster.ts'
import { cancelRegistration } from '../../src/domain/seats.ts'
import { createWorld } from '../support/world.ts'

test('positions go on over pages, whoever left the line, and count for those alone who wait', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 2 })
  const people = []
  for (let i = 0; i < 9; i++) people.push(await world.register(workshop))
  await cancelRegistration(world.deps, people[4]?.id ?? '', 'attendee')
  const positions = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Awaited<ReturnType<typeof listRoster>> = await listRoster(world.deps, workshop, { after, limit: 3 })
    positions.push(...page.lines.map(({ position }) => position))
    after = page.next
  }
  expect(positions).toEqual([null, null, 1, 2, null, 3, 4, 5, 6])
  const { lines } = await listRoster(world.deps, workshop, { status: 'waitlisted', after: 4, limit: 2 })
  expect(lines.map(({ seq, position }) => [seq, position])).toEqual([
    [6, 3],
    [7, 4],
  ])
})

test('a phone number that two live people gave is marked for both', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 9 })
  const phone = '+8613800138000'
  await world.register(workshop, { phone })
  await world.register(workshop, { phone: '+8613800138001' })
  const third = await world.register(workshop, { phone })
  await world.register(workshop)
  const shared = async () => (await listRoster(world.deps, workshop, {})).lines.map((line) => line.phoneShared)
  expect(await shared()).toEqual([true, false, true, false])
  await cancelRegistration(world.deps, third.id, 'attendee')
  expect(await shared()).toEqual([false, false, false, false])
})

test('the plan looks lines up instead of joining the whole list, also in a database that was never analysed', async () => {
  await using world = await createWorld({ postgres: true })
  const workshop = await world.workshop({ capacity: 20_000 })
  await world.register(workshop, { phone: '+8613800138000' })
  await world.db.execute(sql`
    insert into registrations (id, workshop_id, seq, status, first_status, name, email, email_key, phone, locale,
      consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at)
    select gen_random_uuid(), workshop_id, n, 'confirmed', 'confirmed', name, n || email, n || email, phone, locale,
      consent_version, consent_at, n::text, workshop_id, '', created_at, placed_at
    from registrations, generate_series(2, 10000) n
  `)
  let lines = 0
  const before = await reads()
  for await (const page of wholeRoster(world.deps, workshop)) lines += page.length
  expect(lines).toBe(10_000)
  // Everybody shares one phone number here, so that a line is found at the first look.
  const whole = await reads()
  expect(whole - before).toBeLessThan(10 * 10_000)
  await listRoster(world.deps, workshop, { limit: 100 })
  expect((await reads()) - whole).toBeLessThan(10 * 100)

  /** Rows that scans of the table have read. */
  async function reads(): Promise<number> {
    await world.db.execute(sql`select pg_stat_force_next_flush()`)
    const [row] = await rows<{ n: number }>(
      world.db,
      sql`select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n
          from pg_stat_user_tables where relname = 'registrations'`,
    )
    return row?.n ?? 0
  }
}, 60_000)
