import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { countDoorPeople } from '../../src/domain/door/check-ins.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import { findWorkshop } from '../../src/domain/workshops/workshops.ts'
import { startServer } from '../support/processes/server.ts'
import { openDoorSession } from '../support/seeds/door.ts'
import { createWorld } from '../support/world.ts'

const personCount = 300
const freeSeats = 10

type Entry = { kind: string; id: string; registration?: string; name?: string; phone?: string; at: string }
type Result = { id: string; outcome: string; checkedIn?: { id: string } }

test('two doors on two servers agree on overlapping scans of 300 attendees and walk-ins for the last seats', async () => {
  await using world = await createWorld({ postgres: true })
  world.clock.set(new Date())
  const startsAt = new Date(Date.now() + 3600_000)
  const workshop = await world.workshop({ capacity: personCount + freeSeats, startsAt, graceMinutes: null })
  const attendees = await Promise.all(Array.from({ length: personCount }, () => world.register(workshop)))
  const env = { DATABASE_URL: world.databaseUrl as string, SECRET: world.deps.config.secret, RATE_LIMIT: 'off' }
  await using east = await startServer(env)
  await using west = await startServer(env)
  const doors = [
    { server: east, ...(await openDoorSession(world, workshop, '东门')), scans: attendees.slice(0, 200) },
    { server: west, ...(await openDoorSession(world, workshop, '西门')), scans: attendees.slice(100) },
  ]

  // The phones were offline; each has scans of the last ten minutes by its own clock.
  const now = Date.now()
  const queueOf = (scans: typeof attendees): Entry[] => {
    const time = () => new Date(now - Math.floor(Math.random() * 600_000)).toISOString()
    const entries: Entry[] = [
      ...scans.map(({ id }) => ({ kind: 'in', id: crypto.randomUUID(), registration: id, at: time() })),
      ...Array.from({ length: freeSeats }, (_, n) => ({
        kind: 'walk_in',
        id: crypto.randomUUID(),
        name: `现场 ${n}`,
        phone: '',
        at: time(),
      })),
    ]
    return entries
      .map((entry) => ({ entry, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ entry }) => entry)
  }

  /** Sends a queue in batches as a phone does, every third batch twice because its response got lost. */
  const send = async ({ server, Cookie }: (typeof doors)[number], queue: Entry[]) => {
    const results: Result[] = []
    for (let from = 0; from < queue.length; from += 7) {
      const entries = queue.slice(from, from + 7)
      for (let time = 0; time < ((from / 7) % 3 === 0 ? 2 : 1); time++) {
        const answer = await server.request('/door/entries', {
          method: 'POST',
          headers: { Cookie, 'Content-Type': 'application/json' },
          body: JSON.stringify({ entries }),
        })
        expect(answer.status).toBe(200)
        results.push(...(await answer.json()).results)
      }
    }
    return results
  }
  const queues = doors.map(({ scans }) => queueOf(scans))
  const results = (await Promise.all(doors.map((door, n) => send(door, queues[n] as Entry[])))).flat()

  const scans = queues.flat().filter(({ kind }) => kind === 'in')
  const earliest = new Map<string, Entry>()
  for (const scan of scans) {
    const known = earliest.get(scan.registration as string)
    if (!known || [scan.at, scan.id].join() < [known.at, known.id].join())
      earliest.set(scan.registration as string, scan)
  }
  const stored = await query<{ registration_id: string; id: string; outcome: string }>(
    world.db,
    sql`select c.registration_id, c.id, c.outcome from check_ins c
        join registrations r on r.id = c.registration_id where r.walk_in_at is null`,
  )
  expect(stored).toHaveLength(scans.length)
  const inside = new Map(stored.filter(({ outcome }) => outcome === 'in').map((row) => [row.registration_id, row.id]))
  expect(inside).toEqual(new Map([...earliest].map(([registration, { id }]) => [registration, id])))

  const walkIns = new Map(
    results.filter(({ id }) => !scans.some((scan) => scan.id === id)).map(({ id, outcome }) => [id, outcome]),
  )
  expect([...walkIns.values()].filter((outcome) => outcome === 'in')).toHaveLength(freeSeats)
  expect([...walkIns.values()].filter((outcome) => outcome === 'full')).toHaveLength(freeSeats)
  expect(await findWorkshop(world.deps, workshop.slug)).toMatchObject({ taken: personCount + freeSeats, waitlisted: 0 })
  expect(await countDoorPeople(world.deps, workshop)).toEqual({
    seats: personCount + freeSeats,
    in: personCount + freeSeats,
    walkIns: freeSeats,
    standing: 0,
  })
  expect(await findViolations(world.deps)).toEqual([])
}, 120_000)
