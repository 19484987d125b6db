import { readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import type { Deps } from '../../src/domain/deps.ts'
import type { Registered } from '../../src/domain/registrations/batcher.ts'
import { acceptOffer, cancelRegistration, expireOffers } from '../../src/domain/registrations/seats.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import type { Workshop } from '../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../support/world.ts'

const seatCount = 20

/** A workshop whose seats are all offered to the first half of the waitlist. */
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

/** Opens the same database as a second process, whose clock may differ. */
function openSecondProcess(world: World, now: () => Date): { deps: Deps } & AsyncDisposable {
  const { db, close } = openPostgres(world.databaseUrl as string)
  return { deps: { ...world.deps, db, now }, [Symbol.asyncDispose]: close }
}

const minutesLater = (world: World, minutes: number) => () => new Date(world.clock.now().getTime() + minutes * 60_000)

test('each offer is either accepted or passed on when attendees confirm while two processes expire offers', async () => {
  await using world = await createWorld({ postgres: true })
  const { offered, waiting, workshop } = await createOfferedSeats(world)
  world.clock.advance({ hours: 23, minutes: 59 })
  // Acceptance is in time by the clock of one server; by that of the others the deadline has passed.
  await using early = openSecondProcess(world, world.clock.now)
  await using late = openSecondProcess(world, minutesLater(world, 2))
  await using later = openSecondProcess(world, minutesLater(world, 2))
  const acceptances = offered.map(({ id }) => acceptOffer(early.deps, id))
  const expiredCounts = await Promise.all([late, later, late, later].map(({ deps }) => expireOffers(deps)))
  const outcomes = await Promise.all(acceptances)

  const taken = outcomes.filter((outcome) => outcome === 'taken').length
  const expired = outcomes.filter((outcome) => outcome === 'lapsed').length
  expect(taken + expired).toBe(seatCount)
  expect(expiredCounts.reduce((sum, n) => sum + n)).toBe(expired)
  expect(await countByStatus(world, workshop)).toEqual({
    ...(taken > 0 && { confirmed: taken }),
    ...(expired > 0 && { offered: expired }),
    ...(seatCount > expired && { waitlisted: seatCount - expired }),
    cancelled: seatCount + expired,
  })
  // The seats passed on went to the front of the waitlist.
  const next = await query<{ id: string }>(
    world.db,
    sql`select id from registrations where status = 'offered' order by seq`,
  )
  expect(next.map(({ id }) => id)).toEqual(waiting.slice(0, expired).map(({ id }) => id))
  expect(await countMails(world, 'promoted')).toBe(taken)
  expect(await countMails(world, 'offered')).toBe(seatCount + expired)
  expect(await findViolations(world.deps)).toEqual([])
}, 60_000)

test('an offer accepted a hundred times at once is accepted once', async () => {
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

test('control: without the lock it is accepted more than once', async () => {
  await using world = await createWorld({ postgres: true })
  const { offered } = await createOfferedSeats(world)
  const text = await readFile(new URL('../../drizzle/functions/accept_offer.sql', import.meta.url), 'utf8')
  // A pause between reading and writing, as between two requests to the database.
  const withoutLock = text
    .replace('perform lock_registration_workshop(p_id);', '')
    .replace(/(select r\.\* into v_registration [^;]*;)/, '$1 perform pg_sleep(0.5);')
  expect(withoutLock).not.toContain('lock_registration_workshop')
  expect(withoutLock).toContain('pg_sleep')
  await world.db.execute(sql.raw(withoutLock))
  await Promise.all(Array.from({ length: 100 }, () => acceptOffer(world.deps, offered[0]?.id as string)))
  expect(await countMails(world, 'promoted')).toBeGreaterThan(1)
}, 60_000)

test('two processes expire offers of many workshops while people register, cancel and confirm, without a deadlock', async () => {
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
  const results = await Promise.allSettled(work)
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
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
