import { eq } from 'drizzle-orm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkIns, registrations, workshops } from '../../../src/db/schema.ts'
import {
  type CheckInEntry,
  checkIn,
  countDoorPeople,
  listDoorPeople,
  undoCheckIns,
} from '../../../src/domain/door/check-ins.ts'
import { searchDoorPeople } from '../../../src/domain/door/search.ts'
import type { DoorActor } from '../../../src/domain/door/sessions.ts'
import { cancelRegistration, eraseRegistrations, moveRegistration } from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { listCheckIns, openDoorSession, registrationState } from '../../support/seeds/door.ts'
import { createWorld, type World } from '../../support/world.ts'

const checkInEntry = (registration: string, at: Date, id: string = crypto.randomUUID()): CheckInEntry => ({
  id,
  registration,
  at,
})
const addMinutes = (from: Date, n: number) => new Date(from.getTime() + n * 60_000)

// The SQL must behave the same on PGlite and on Postgres.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  /** A workshop that starts in an hour with confirmed attendees and two door sessions. */
  async function createDay(world: World, people = 2) {
    const workshop = await world.workshop({ capacity: people })
    const attendees = await Promise.all(Array.from({ length: people }, () => world.register(workshop)))
    world.clock.set(addMinutes(workshop.startsAt, -60))
    const [east, west] = [
      await openDoorSession(world, workshop, '东门'),
      await openDoorSession(world, workshop, '西门'),
    ]
    return {
      workshop,
      people: attendees as [(typeof attendees)[number], ...typeof attendees],
      east: east.actor,
      west: west.actor,
    }
  }

  test('checkIn checks in a confirmed attendee once, however often the scan is sent', async () => {
    await using world = await createWorld({ postgres })
    const { people, east, workshop } = await createDay(world)
    const entry = checkInEntry(people[0].id, world.clock.now())
    for (let n = 0; n < 10; n++) {
      expect(await checkIn(world.deps, east, [entry])).toEqual([
        { id: entry.id, outcome: 'in', checkedIn: { id: entry.id, at: entry.at, by: '东门' } },
      ])
      world.clock.advance({ minutes: 1 })
    }
    expect(await checkIn(world.deps, east, Array(10).fill(entry))).toHaveLength(10)
    expect(await listCheckIns(world, people[0].id)).toEqual([{ id: entry.id, outcome: 'in', at: entry.at, by: '东门' }])
    expect(await countDoorPeople(world.deps, workshop)).toEqual({ seats: 2, in: 1, walkIns: 0, standing: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('checkIn reports the first scan to a second one, and an earlier scan that arrives later wins', async () => {
    await using world = await createWorld({ postgres })
    const { people, east, west } = await createDay(world)
    const [{ id }] = people
    const now = world.clock.now()
    const first = checkInEntry(id, addMinutes(now, -5))
    const second = checkInEntry(id, addMinutes(now, -2))
    const earliest = checkInEntry(id, addMinutes(now, -9))
    await checkIn(world.deps, east, [first])
    expect(await checkIn(world.deps, west, [second])).toEqual([
      { id: second.id, outcome: 'again', checkedIn: { id: first.id, at: first.at, by: '东门' } },
    ])
    expect(await checkIn(world.deps, west, [earliest])).toMatchObject([{ outcome: 'in' }])
    const winner = { id: earliest.id, at: earliest.at, by: '西门' }
    expect(await checkIn(world.deps, east, [first])).toEqual([{ id: first.id, outcome: 'again', checkedIn: winner }])
    expect(await listCheckIns(world, id)).toMatchObject([{ outcome: 'in' }, { outcome: 'again' }, { outcome: 'again' }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('checkIn picks the same winner of two simultaneous scans in either order', async () => {
    await using world = await createWorld({ postgres })
    const { people, east, west } = await createDay(world)
    const [low, high] = [1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [string, string]
    const [first, other] = people as unknown as [{ id: string }, { id: string }]
    const at = world.clock.now()
    await checkIn(world.deps, east, [checkInEntry(first.id, at, high)])
    await checkIn(world.deps, west, [checkInEntry(first.id, at, low)])
    expect((await listCheckIns(world, first.id)).map(({ outcome }) => outcome)).toEqual(['in', 'again'])
    const [lower, higher] = [low, high].map((id) => id.replace('8000', '9000')) as [string, string]
    await checkIn(world.deps, west, [checkInEntry(other.id, at, lower)])
    await checkIn(world.deps, east, [checkInEntry(other.id, at, higher)])
    expect((await listCheckIns(world, other.id)).map(({ outcome }) => outcome)).toEqual(['in', 'again'])
  })

  test("checkIn clamps a phone's clock to 12 hours before the start until now", async () => {
    await using world = await createWorld({ postgres })
    const { people, east, workshop } = await createDay(world)
    await checkIn(world.deps, east, [checkInEntry(people[0].id, new Date('2001-01-01T00:00Z'))])
    expect(await listCheckIns(world, people[0].id)).toMatchObject([{ at: addMinutes(workshop.startsAt, -720) }])
    const [, other] = people as unknown as [unknown, { id: string }]
    await checkIn(world.deps, east, [checkInEntry(other.id, new Date('2051-01-01T00:00Z'))])
    expect(await listCheckIns(world, other.id)).toMatchObject([{ at: world.clock.now() }])
  })

  test('checkIn checks in the confirmed entries of a batch and rejects waitlisted, cancelled, other-workshop and unknown ones', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop({ capacity: 1 })
    const otherWorkshop = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
    const seated = await world.register(workshop)
    const waiting = await world.register(workshop)
    const gone = await world.register(workshop)
    await cancelRegistration(world.deps, gone.id, 'attendee')
    const erased = await world.register(workshop)
    await eraseRegistrations(world.deps, [erased.id], 'attendee')
    const other = await world.register(otherWorkshop)
    const { actor } = await openDoorSession(world, workshop)
    const ids = [waiting.id, gone.id, other.id, crypto.randomUUID(), erased.id, seated.id]
    const results = await checkIn(
      world.deps,
      actor,
      ids.map((id) => checkInEntry(id, world.clock.now())),
    )
    expect(results.map(({ outcome }) => outcome)).toEqual([
      'waitlisted',
      'cancelled',
      'elsewhere',
      'not_found',
      'not_found',
      'in',
    ])
    expect(results[2]).toMatchObject({ workshop: { city: { zh: '南京' }, startsAt: otherWorkshop.startsAt } })
    expect(await world.db.select().from(checkIns)).toHaveLength(1)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('checkIn rejects a nonce already used for another person', async () => {
    await using world = await createWorld({ postgres })
    const { people, east } = await createDay(world)
    const [first, other] = people as unknown as [{ id: string }, { id: string }]
    const entry = checkInEntry(first.id, world.clock.now())
    await checkIn(world.deps, east, [entry])
    expect(await checkIn(world.deps, east, [{ ...entry, registration: other.id }])).toMatchObject([
      { outcome: 'not_found' },
    ])
    expect(await listCheckIns(world, other.id)).toEqual([])
  })

  test('checkIn accepts the seat offer of an offered registration and enqueues its mail', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
    const first = await world.register(workshop)
    const next = await world.register(workshop)
    await cancelRegistration(world.deps, first.id, 'attendee')
    const { actor } = await openDoorSession(world, workshop)
    expect(await checkIn(world.deps, actor, [checkInEntry(next.id, world.clock.now())])).toMatchObject([
      { outcome: 'in' },
    ])
    expect(await registrationState(world, next.id)).toMatchObject({
      status: 'confirmed',
      mails: ['waitlisted', 'offered', 'promoted'],
    })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('undoCheckIns reverts all scans of the same door and keeps those of other doors', async () => {
    await using world = await createWorld({ postgres })
    const { people, east, west, workshop } = await createDay(world)
    const [{ id }] = people
    const now = world.clock.now()
    const [first, again, other] = [-9, -8, -5].map((n) => checkInEntry(id, addMinutes(now, n))) as [
      CheckInEntry,
      CheckInEntry,
      CheckInEntry,
    ]
    await checkIn(world.deps, east, [first, again])
    await checkIn(world.deps, west, [other])
    const undo = { id: crypto.randomUUID(), checkIn: first.id, at: now }
    const remaining = { id: other.id, at: other.at, by: '西门' }
    expect(await undoCheckIns(world.deps, east, [undo])).toEqual([
      { id: undo.id, outcome: 'undone', checkedIn: remaining },
    ])
    expect((await listCheckIns(world, id)).map(({ outcome }) => outcome)).toEqual(['undone', 'undone', 'in'])
    // Repeating the undo ten times has no further effect, even after the person was checked in again.
    const newEntry = checkInEntry(id, now)
    await undoCheckIns(world.deps, west, [{ id: crypto.randomUUID(), checkIn: other.id, at: now }])
    await checkIn(world.deps, east, [newEntry])
    expect(await undoCheckIns(world.deps, east, Array(10).fill(undo))).toHaveLength(10)
    expect(await undoCheckIns(world.deps, west, [undo])).toMatchObject([{ outcome: 'not_in' }])
    expect(await countDoorPeople(world.deps, workshop)).toMatchObject({ in: 1 })
    expect(await undoCheckIns(world.deps, west, [{ ...undo, checkIn: crypto.randomUUID() }])).toMatchObject([
      { outcome: 'not_found' },
    ])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('the door of another workshop can neither check in nor undo', async () => {
    await using world = await createWorld({ postgres })
    const { people, east } = await createDay(world)
    const otherDoor = await openDoorSession(world, await world.workshop({ city: { zh: '南京', en: 'Nanjing' } }))
    const entry = checkInEntry(people[0].id, world.clock.now())
    expect(await checkIn(world.deps, otherDoor.actor, [entry])).toMatchObject([{ outcome: 'elsewhere' }])
    await checkIn(world.deps, east, [entry])
    expect(
      await undoCheckIns(world.deps, otherDoor.actor, [{ id: entry.id, checkIn: entry.id, at: entry.at }]),
    ).toMatchObject([{ outcome: 'not_found' }])
    expect(await checkIn(world.deps, otherDoor.actor, [entry])).toMatchObject([{ outcome: 'not_found' }])
    expect(await listCheckIns(world, people[0].id)).toMatchObject([{ outcome: 'in' }])
  })

  test('cancelling or moving a registration undoes its check-in', async () => {
    await using world = await createWorld({ postgres })
    const campaignId = (await world.campaign()).id
    const workshop = await world.workshop({ campaignId })
    const other = await world.workshop({ campaignId, city: { zh: '南京', en: 'Nanjing' } })
    const [cancelled, moved] = [await world.register(workshop), await world.register(workshop)]
    const { actor } = await openDoorSession(world, workshop)
    await checkIn(
      world.deps,
      actor,
      [cancelled, moved].map(({ id }) => checkInEntry(id, world.clock.now())),
    )
    await cancelRegistration(world.deps, cancelled.id, 'organiser')
    expect(await moveRegistration(world.deps, moved.id, other.slug)).toMatchObject({ kind: 'moved' })
    expect(await countDoorPeople(world.deps, workshop)).toEqual({ seats: 0, in: 0, walkIns: 0, standing: 0 })
    expect(await listCheckIns(world, moved.id)).toMatchObject([{ outcome: 'undone' }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('the entries of two doors give the same result in any order and with repetitions', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop({ capacity: 2000 })
    world.clock.set(addMinutes(workshop.startsAt, -1))
    const [east, west] = [
      await openDoorSession(world, workshop, '东门'),
      await openDoorSession(world, workshop, '西门'),
    ]
    const doors: [DoorActor, DoorActor] = [east.actor, west.actor]
    let round = 0

    /** The queue of one door: scans of three people at its own times, and undos of earlier scans. */
    const queue = fc.array(
      fc.record({ person: fc.nat(2), minute: fc.nat(5), undo: fc.option(fc.nat(5), { nil: undefined, freq: 3 }) }),
      { minLength: 1, maxLength: 6 },
    )
    /** The order of delivery: which door sends how many of its entries next, and how many earlier ones again. */
    const sending = fc.array(
      fc.record({ door: fc.nat(1), entries: fc.integer({ min: 1, max: 3 }), again: fc.nat(3) }),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(fc.tuple(queue, queue), sending, sending, async (queues, first, other) => {
        const results = []
        for (const order of [first, other]) results.push(await runDay(++round, queues, order))
        expect(results[0]).toEqual(results[1])
        expect(await findViolations(world.deps)).toEqual([])
      }),
      { numRuns: postgres ? 25 : 15 },
    )

    type Queue = { person: number; minute: number; undo: number | undefined }[]
    /** Runs a whole day with new registrations and returns the final state of every scan. */
    async function runDay(
      round: number,
      queues: [Queue, Queue],
      order: { door: number; entries: number; again: number }[],
    ) {
      const people = await Promise.all([0, 1, 2].map(() => world.register(workshop)))
      const nonce = (door: number, n: number) =>
        `00000000-0000-4${door}${String(n).padStart(2, '0')}-8000-${String(round).padStart(12, '0')}`
      const sent = [0, 0]
      const send = async (door: 0 | 1, from: number, to: number) => {
        for (const [i, { person, minute, undo }] of [...queues[door].entries()].slice(Math.max(0, from), to)) {
          const at = addMinutes(workshop.startsAt, minute - 60)
          const actor = doors[door]
          const id = nonce(door, i)
          if (undo === undefined)
            await checkIn(world.deps, actor, [checkInEntry((people[person] as { id: string }).id, at, id)])
          else if (undo < i) await undoCheckIns(world.deps, actor, [{ id, checkIn: nonce(door, undo), at }])
        }
      }
      const rest = [0, 1].map((door) => ({ door, entries: 6, again: 6 }))
      for (const { door, entries, again } of [...order, ...rest]) {
        const [which, done] = [door as 0 | 1, sent[door] as number]
        sent[door] = Math.min(done + entries, queues[which].length)
        await send(which, done - again, sent[door] as number)
      }
      return Promise.all(
        people.map(async ({ id }) =>
          (await listCheckIns(world, id)).map(({ id, ...scan }) => ({ ...scan, id: id.slice(0, 18) })),
        ),
      )
    }
  }, 120_000)
})

test('listDoorPeople contains names, last phone digits and a hash of the ticket code, and can be searched', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 3 })
  await world.register(workshop, { name: '王小明', phone: '+8613800001234', email: 'secret@example.com' })
  await world.register(workshop, { name: 'Ann Lee', company: 'ACME' })
  const people = await listDoorPeople(world.deps, workshop)
  expect(JSON.stringify(people)).not.toMatch(/@|13800|ACME/)
  expect(people).toMatchObject([
    { seq: 1, name: '王小明', tail: '1234', checkedIn: null, standing: false, board: null },
    { seq: 2, name: 'Ann Lee', tail: '' },
  ])
  expect(people[0]?.code).toMatch(/^[\w-]{43}$/)
  const found = (input: string) => searchDoorPeople(people, input).map(({ seq }) => seq)
  for (const input of ['王小', 'wxm', 'wang xiao', '1234', '234', '13800001234', '#1', ' 王 小明 '])
    expect([input, found(input)]).toEqual([input, [1]])
  expect(found('ann')).toEqual([2])
  expect(found('2')).toEqual([2])
  expect(found('zzz')).toEqual([])
})

test('findViolations reports a check-in without a seat and a seat released before the grace period ended', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ graceMinutes: 15 })
  const person = await world.register(workshop)
  const { actor } = await openDoorSession(world, workshop)
  await checkIn(world.deps, actor, [checkInEntry(person.id, world.clock.now())])
  await world.db
    .update(registrations)
    .set({ walkInAt: null, status: 'waitlisted' })
    .where(eq(registrations.id, person.id))
  await world.db.update(checkIns).set({ outcome: 'in', undoneAt: null, undoneBy: null })
  expect((await findViolations(world.deps)).map(({ invariant }) => invariant)).toContain(
    'a checked-in registration is confirmed in that workshop',
  )
  await world.db
    .update(registrations)
    .set({ status: 'cancelled', cancelledAt: world.clock.now(), cancelledBy: 'absence' })
    .where(eq(registrations.id, person.id))
  expect((await findViolations(world.deps)).map(({ invariant }) => invariant)).toContain(
    'no seat was released as a no-show within the grace period',
  )
  expect(await world.db.select({ n: workshops.taken }).from(workshops)).toEqual([{ n: 0 }])
})
