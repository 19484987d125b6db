import { readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import type { Deps } from '../../src/domain/deps.ts'
import { acceptOffer, cancelRegistration, expireOffers, type Registered } from '../../src/domain/registrations/seats.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import type { Workshop } from '../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../support/world.ts'

const seatCount = 20

/** A workshop whose seats are all offered, to people who hold the whole first half of the line. */
async function createOfferedSeats(
  world: World,
): Promise<{ workshop: Workshop; offered: Registered[]; waiting: Registered[] }> {
  const workshop = await world.workshop({ capacity: seatCount, confirmHours: 24 })
  const people = await Promise.all(Array.from({ length: seatCount * 3 }, () => world.register(workshop)))
  const waitlist = people
    .filter(({ status }) => status === 'waitlisted')
    .sort((a, b) => Number(a.position) - Number(b.position))
  for (const { id, status } of people) if (status === 'confirmed') await cancelRegistration(world.deps, id, 'organiser')
  return { workshop, offered: waitlist.slice(0, seatCount), waiting: waitlist.slice(seatCount) }
}

/** The same database for a second process, whose clock may show another time. */
function openSecondProcess(world: World, now: () => Date): { deps: Deps } & AsyncDisposable {
  const { db, close } = openPostgres(world.databaseUrl as string)
  return { deps: { ...world.deps, db, now }, [Symbol.asyncDispose]: close }
}

const minutesLater = (world: World, minutes: number) => () => new Date(world.clock.now().getTime() + minutes * 60_000)

test('each seat is taken or passed on, never both, when people confirm in the moment in which two processes pass on', async () => {
  await using world = await createWorld({ postgres: true })
  const { offered, waiting, workshop } = await createOfferedSeats(world)
  world.clock.advance({ hours: 23, minutes: 59 })
  // Whoever takes the offer is in time by the clock of one server; by that of the others the deadline has come.
  await using early = openSecondProcess(world, world.clock.now)
  await using late = openSecondProcess(world, minutesLater(world, 2))
  await using later = openSecondProcess(world, minutesLater(world, 2))
  const takes = offered.map(({ id }) => acceptOffer(early.deps, id))
  const passed = await Promise.all([late, later, late, later].map(({ deps }) => expireOffers(deps)))
  const outcomes = await Promise.all(takes)

  const taken = outcomes.filter((outcome) => outcome === 'taken').length
  const lapsed = outcomes.filter((outcome) => outcome === 'lapsed').length
  expect(taken + lapsed).toBe(seatCount)
  expect(passed.reduce((sum, n) => sum + n)).toBe(lapsed)
  expect(await countByStatus(world, workshop)).toEqual({
    ...(taken > 0 && { confirmed: taken }),
    ...(lapsed > 0 && { offered: lapsed }),
    ...(seatCount > lapsed && { waitlisted: seatCount - lapsed }),
    cancelled: seatCount + lapsed,
  })
  // Those who wait longest have the seats that went on.
  const next = await query<{ id: string }>(
    world.db,
    sql`select id from registrations where status = 'offered' order by seq`,
  )
  expect(next.map(({ id }) => id)).toEqual(waiting.slice(0, lapsed).map(({ id }) => id))
  expect(await countMails(world, 'promoted')).toBe(taken)
  expect(await countMails(world, 'offered')).toBe(seatCount + lapsed)
  expect(await findViolations(world.deps)).toEqual([])
}, 60_000)

test('one offer that is taken a hundred times at once is taken once', async () => {
  await using world = await createWorld({ postgres: true })
  const { offered } = await createOfferedSeats(world)
  await using other = openSecondProcess(world, world.clock.now)
  const [first] = offered
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, i) => acceptOffer(i % 2 ? world.deps : other.deps, first?.id as string)),
  )
  expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(1)
  expect(outcomes.filter((outcome) => outcome === 'already_taken')).toHaveLength(99)
  expect(await countMails(world, 'promoted')).toBe(1)
  expect(await findViolations(world.deps)).toEqual([])
}, 60_000)

test('control: without the lock the same hundred take it more than once', async () => {
  await using world = await createWorld({ postgres: true })
  const { offered } = await createOfferedSeats(world)
  const text = await readFile(new URL('../../drizzle/functions/accept_offer.sql', import.meta.url), 'utf8')
  // A moment between reading and writing, as there is wherever these are two requests to the database.
  const careless = text
    .replace('perform lock_registration_workshop(p_id);', '')
    .replace(/(select r\.\* into v_registration [^;]*;)/, '$1 perform pg_sleep(0.5);')
  expect(careless).not.toContain('lock_registration_workshop')
  expect(careless).toContain('pg_sleep')
  await world.db.execute(sql.raw(careless))
  await Promise.all(Array.from({ length: 100 }, () => acceptOffer(world.deps, offered[0]?.id as string)))
  expect(await countMails(world, 'promoted')).toBeGreaterThan(1)
}, 60_000)

test('offers of many workshops are passed on by two processes while people register, cancel and confirm, without a deadlock', async () => {
  await using world = await createWorld({ postgres: true })
  await using other = openSecondProcess(world, minutesLater(world, 120))
  const { id: campaignId } = await world.campaign({ oneSeatPerPerson: false })
  const workshops: Workshop[] = []
  for (let i = 0; i < 8; i++) workshops.push(await world.workshop({ campaignId, capacity: 2, confirmHours: 1 }))
  const people = await Promise.all(
    Array.from({ length: 80 }, (_, i) => world.register(workshops[i % workshops.length] as Workshop)),
  )
  const seated = people.filter(({ status }) => status === 'confirmed')
  await Promise.all(seated.map(({ id }) => cancelRegistration(world.deps, id, 'attendee')))
  const work = people.flatMap(({ id }, i) => [
    i % 3 === 0 ? acceptOffer(world.deps, id) : cancelRegistration(other.deps, id, 'organiser'),
    expireOffers(i % 2 ? other.deps : world.deps),
    world.register(workshops[(i * 5) % workshops.length] as Workshop),
  ])
  const ended = await Promise.allSettled(work)
  expect(ended.filter(({ status }) => status === 'rejected')).toEqual([])
  await expireOffers(other.deps)
  expect(await findViolations(world.deps)).toEqual([])
}, 60_000)

async function countByStatus(world: World, { id }: Workshop): Promise<Record<string, number>> {
  const counted = await query<{ status: string; n: number }>(
    world.db,
    sql`select status, count(*)::int as n from registrations where workshop_id = ${id} group by status`,
  )
  return Object.fromEntries(counted.map(({ status, n }) => [status, n]))
}

async function countMails(world: World, kind: string): Promise<number> {
  const [counted] = await query<{ n: number }>(world.db, sql`select count(*)::int as n from mails where kind = ${kind}`)
  return counted?.n ?? 0
}
