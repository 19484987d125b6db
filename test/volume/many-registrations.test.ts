import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { enqueueReminders } from '../../src/domain/mails/reminders.ts'
import { listAttendees, streamAttendees } from '../../src/domain/registrations/export.ts'
import { listAlerts } from '../../src/domain/reports/alerts.ts'
import { computeStatistics } from '../../src/domain/reports/statistics.ts'
import { computeYearlyStatistics } from '../../src/domain/reports/yearly-statistics.ts'
import type { ItemDraft } from '../../src/domain/workshops/workshops.ts'
import { createWorld } from '../support/world.ts'

/* Queries on Postgres databases that were just filled and never analysed: a bad plan takes minutes. */

const requiredItem: ItemDraft = { kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true }
/** Ten days after the world's clock. */
const weekDates = { startsAt: new Date('2026-12-11T09:00:00+08:00'), endsAt: new Date('2026-12-11T16:00:00+08:00') }

test('statistics of 100,000 registrations take less than 5 s in a database that was never analysed', async () => {
  await using world = await createWorld({ postgres: true })
  const campaign = await world.campaign({ items: [requiredItem] })
  const workshop = await world.workshop({ capacity: 100_000, campaignId: campaign.id })
  await world.register(workshop, { ready: { [workshop.items[0]?.id as string]: true } })
  await world.db.execute(sql`
    insert into registrations (id, workshop_id, seq, status, first_status, name, email, email_key, locale, ready,
      consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at)
    select gen_random_uuid(), workshop_id, n, 'confirmed', 'confirmed', name, n || email, n || email, locale, ready,
      consent_version, consent_at, n::text, workshop_id, '', created_at + n * interval '20 seconds', placed_at
    from registrations, generate_series(2, 100000) n`)
  await world.db.execute(sql`
    insert into mails (registration_id, kind, state, created_at, due_at)
    select id, 'confirmed', 'sent', created_at, created_at from registrations`)
  world.clock.advance({ days: 9 })
  const scope = { workshops: [workshop], timeZone: 'Asia/Shanghai' }
  const times: Record<string, number> = {}
  const statistics = await timed('statistics', () => computeStatistics(world.deps, scope))
  expect(statistics.registrations.all).toBe(100_000)
  expect(statistics.readiness).toMatchObject([{ ready: 100_000 }])
  await timed('yearly statistics', () => computeYearlyStatistics(world.deps))
  await timed('alerts', () => listAlerts(world.deps))
  console.info(times)
  // A bad plan takes minutes.
  expect(Math.max(...Object.values(times))).toBeLessThan(5_000)

  async function timed<T>(name: string, count: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await count()
    times[name] = Math.round(performance.now() - startedAt)
    return result
  }
}, 120_000)

test('enqueueReminders processes 100,000 registrations by index', async () => {
  await using world = await createWorld({ postgres: true })
  const workshop = await world.workshop({ ...weekDates, capacity: 100_000, items: [requiredItem] })
  await world.register(workshop)
  await world.db.execute(sql`
    insert into registrations (id, workshop_id, seq, status, first_status, name, email, email_key, locale,
      consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at, seated_at)
    select gen_random_uuid(), workshop_id, n, status, first_status, name, n || email, n || email_key, locale,
      consent_version, consent_at, n::text, first_workshop_id, fingerprint, created_at, placed_at, seated_at
    from registrations, generate_series(2, 99999) n`)
  world.clock.set('2026-12-10T09:00:00+08:00')
  expect(await enqueueReminders(world.deps)).toBe(99_999)
  expect(await enqueueReminders(world.deps)).toBe(0)
}, 120_000)

test('listAttendees looks up rows by index instead of joining the whole list, in a database that was never analysed', async () => {
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
  const before = await countReads()
  for await (const page of streamAttendees(world.deps, workshop)) lines += page.length
  expect(lines).toBe(10_000)
  // Everyone shares one phone number here, so the first look-up finds a match.
  const readsOfStream = await countReads()
  expect(readsOfStream - before).toBeLessThan(10 * 10_000)
  await listAttendees(world.deps, workshop, { limit: 100 })
  expect((await countReads()) - readsOfStream).toBeLessThan(10 * 100)

  /** Rows read by scans of the table. */
  async function countReads(): Promise<number> {
    await world.db.execute(sql`select pg_stat_force_next_flush()`)
    const [row] = await query<{ n: number }>(
      world.db,
      sql`select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n
          from pg_stat_user_tables where relname = 'registrations'`,
    )
    return row?.n ?? 0
  }
}, 60_000)
