import { eq, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { registrations, workshops } from '../../src/db/schema.ts'
import { createWorld } from './world.ts'

/** Basis of all other tests. */
for (const postgres of [false, true]) {
  const where = postgres ? 'on Postgres' : 'on PGlite'

  test(`a world contains no data of the previous one, ${where}`, async () => {
    for (const _ of [1, 2]) {
      await using world = await createWorld({ postgres })
      expect(await world.db.$count(workshops)).toBe(0)
      const workshop = await world.workshop()
      expect(workshop.id).toBe('00000000-0000-7000-8000-000000000001')
      expect(await world.register(workshop)).toMatchObject({ status: 'confirmed' })
      const [mail] = await query(world.db, sql`select id::int from mails`)
      expect(mail).toEqual({ id: 1 })
    }
  })

  test(`concurrent worlds are isolated, ${where}`, async () => {
    await using one = await createWorld({ postgres })
    await using other = await createWorld({ postgres })
    await one.workshop()
    expect(await one.db.$count(workshops)).toBe(1)
    expect(await other.db.$count(workshops)).toBe(0)
  })

  test(`a world with a changed schema is not reused, ${where}`, async () => {
    {
      await using world = await createWorld({ postgres })
      await world.db.execute(sql`drop trigger count_seats_on_insert on registrations`)
      await world.register(await world.workshop())
      expect(await world.workshop().then(() => world.db.select().from(workshops))).toMatchObject([
        { taken: 0 },
        { taken: 0 },
      ])
    }
    await using next = await createWorld({ postgres })
    const workshop = await next.workshop()
    await next.register(workshop)
    expect(await next.db.select().from(workshops)).toMatchObject([{ taken: 1 }])
  })
}

test('session settings, locks and open transactions do not leak into the next world', async () => {
  {
    await using world = await createWorld()
    await world.db.execute(sql`set time zone 'Asia/Tokyo'`)
    await world.db.execute(sql`begin`)
    await world.db.execute(sql`lock table registrations`)
  }
  await using next = await createWorld()
  const [zone] = await query(next.db, sql`select current_setting('TimeZone') as zone`)
  expect(zone).not.toEqual({ zone: 'Asia/Tokyo' })
  const [locks] = await query(next.db, sql`select count(*)::int as n from pg_locks where mode = 'AccessExclusiveLock'`)
  expect(locks).toEqual({ n: 0 })
})

test('the clock of a world moves only when advanced', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const first = await world.register(workshop)
  world.clock.advance({ days: 1, minutes: 5 })
  const second = await world.register(workshop)
  const storedAt = async (id: string) =>
    (await world.db.select().from(registrations).where(eq(registrations.id, id)))[0]?.createdAt.toISOString()
  expect(await storedAt(first.id)).toBe('2026-12-01T02:00:00.000Z')
  expect(await storedAt(second.id)).toBe('2026-12-02T02:05:00.000Z')
})
