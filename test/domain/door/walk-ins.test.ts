import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { mails, registrations } from '../../../src/db/schema.ts'
import { checkIn, countDoorPeople, undoCheckIns } from '../../../src/domain/door/check-ins.ts'
import type { DoorActor } from '../../../src/domain/door/sessions.ts'
import {
  admitWalkIn,
  joinDoorQueue,
  leaveDoorQueue,
  parseWalkIn,
  seatDoorQueue,
} from '../../../src/domain/door/walk-ins.ts'
import { findAudience } from '../../../src/domain/mails/broadcasts.ts'
import { findPerson, type Person, promotePerson } from '../../../src/domain/registrations/admin.ts'
import { correctEmail, findRegistrationById } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop, moveRegistration } from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import {
  changeWorkshop,
  findWorkshop,
  type Workshop,
  type WorkshopDraft,
} from '../../../src/domain/workshops/workshops.ts'
import { listCheckIns, openDoorSession, registrationState } from '../../support/seeds/door.ts'
import { createWorld, type World } from '../../support/world.ts'

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  /** A workshop with a door session, a grace period of 15 minutes and the given number of registrations. */
  async function createDay(world: World, registered: number, draft: Partial<WorkshopDraft> = {}) {
    const workshop = await world.workshop({ capacity: 2, graceMinutes: 15, ...draft })
    const people = await Promise.all(Array.from({ length: registered }, () => world.register(workshop)))
    const { actor } = await openDoorSession(world, workshop)
    const at = (minutes: number) => world.clock.set(new Date(workshop.startsAt.getTime() + minutes * 60_000))
    at(-30)
    return { workshop, people: people as { id: string }[], door: actor, at }
  }

  const arrive = (world: World, door: DoorActor, name: string, nonce: string = crypto.randomUUID()) =>
    admitWalkIn(world.deps, door, { name, phone: '+8613800001234' }, nonce, world.clock.now())
  const scan = async (world: World, door: DoorActor, id: string) =>
    (await checkIn(world.deps, door, [{ id: crypto.randomUUID(), registration: id, at: world.clock.now() }]))[0]
      ?.outcome
  const seats = async (world: World, { slug }: Workshop) => {
    const { taken, capacity, waitlisted } = (await findWorkshop(world.deps, slug)) as Workshop
    return { taken, capacity, waitlisted }
  }

  test('admitWalkIn seats a walk-in once when a seat is free, and enqueues no mail', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await createDay(world, 1)
    const nonce = crypto.randomUUID()
    const answer = await arrive(world, door, '张三', nonce)
    expect(answer).toMatchObject({ outcome: 'in', checkIn: nonce })
    for (let n = 0; n < 10; n++) expect(await arrive(world, door, '张三', nonce)).toEqual(answer)
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 0 })
    expect(await countDoorPeople(world.deps, workshop)).toEqual({ seats: 2, in: 1, walkIns: 1, standing: 0 })
    const [stored] = await world.db.select().from(registrations).where(eq(registrations.name, '张三'))
    expect(stored).toMatchObject({
      email: '',
      emailKey: stored?.id,
      promotedManually: true,
      linkCode: null,
      phone: '+8613800001234',
    })
    expect(stored?.consentVersion).toMatch(/-door$/)
    expect(await registrationState(world, stored?.id as string)).toMatchObject({ status: 'confirmed', mails: [] })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('undoCheckIns removes a walk-in and frees their seat', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await createDay(world, 1)
    const nonce = crypto.randomUUID()
    await arrive(world, door, '张三', nonce)
    const undo = { id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }
    expect(await undoCheckIns(world.deps, door, [undo, undo])).toMatchObject([
      { outcome: 'undone', checkedIn: null },
      { outcome: 'undone', checkedIn: null },
    ])
    expect(await seats(world, workshop)).toMatchObject({ taken: 1 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('undoing a walk-in before the start promotes the first waitlisted registration', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await createDay(world, 1)
    const nonce = crypto.randomUUID()
    await arrive(world, door, '张三', nonce)
    const waiting = await world.register(workshop)
    const notifications = world.mailQueueNotifications()
    await undoCheckIns(world.deps, door, [{ id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }])
    expect(await registrationState(world, waiting.id)).toMatchObject({
      status: 'confirmed',
      mails: ['waitlisted', 'promoted'],
    })
    expect(world.mailQueueNotifications()).toBeGreaterThan(notifications)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('admitWalkIn rejects a nonce already used for a scan or a sign-up', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door, people } = await createDay(world, 1)
    const [scan, key] = [crypto.randomUUID(), crypto.randomUUID()]
    await checkIn(world.deps, door, [{ id: scan, registration: people[0]?.id ?? '', at: world.clock.now() }])
    expect(await arrive(world, door, '张三', scan)).toEqual({ outcome: 'not_found' })
    const other = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
    await world.register(other, { idempotencyKey: key })
    expect(await arrive(world, (await openDoorSession(world, other)).actor, '张三', key)).toEqual({
      outcome: 'not_found',
    })
    expect(await seats(world, workshop)).toMatchObject({ taken: 1 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('admitWalkIn rejects a nonce reused with another name or phone number', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await createDay(world, 0)
    const nonce = crypto.randomUUID()
    const answer = await arrive(world, door, '张三', nonce)
    expect(await arrive(world, door, '李四', nonce)).toEqual({ outcome: 'not_found' })
    const without = await admitWalkIn(world.deps, door, { name: '张三' }, nonce, world.clock.now())
    expect(without).toEqual({ outcome: 'not_found' })
    expect(await arrive(world, door, '张三', nonce)).toEqual(answer)
    expect(await seats(world, workshop)).toMatchObject({ taken: 1 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('admitWalkIn uses the nonce as the registration id and rejects an id already in use', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door, people } = await createDay(world, 1)
    const nonce = crypto.randomUUID()
    expect(await arrive(world, door, '张三', nonce)).toMatchObject({ outcome: 'in', registration: nonce })
    expect(await arrive(world, door, '李四', people[0]?.id)).toEqual({ outcome: 'not_found' })
    expect(await seats(world, workshop)).toMatchObject({ taken: 2 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('undoCheckIns removes a walk-in from the door queue by the nonce', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await createDay(world, 2)
    const [nonce, key] = [crypto.randomUUID(), crypto.randomUUID()]
    const waiting = await world.register(workshop, { idempotencyKey: key })
    expect(await arrive(world, door, '张三', nonce)).toMatchObject({ outcome: 'standing' })
    const undo = { id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }
    for (let n = 0; n < 2; n++) {
      expect(await undoCheckIns(world.deps, door, [undo])).toMatchObject([{ outcome: 'undone', checkedIn: null }])
    }
    at(20)
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    expect(await registrationState(world, people[1]?.id as string)).toMatchObject({ status: 'confirmed' })
    expect(await countDoorPeople(world.deps, workshop)).toEqual({ seats: 2, in: 0, walkIns: 0, standing: 0 })
    expect(await findViolations(world.deps)).toEqual([])
    // Someone who signed up is not removed by an id that was no scan.
    expect(await undoCheckIns(world.deps, door, [{ ...undo, checkIn: key }])).toMatchObject([{ outcome: 'not_found' }])
    expect(await registrationState(world, waiting.id)).toMatchObject({ status: 'waitlisted' })
  })

  test('admitWalkIn returns full without a grace period, and otherwise queues behind earlier arrivals', async () => {
    await using world = await createWorld({ postgres })
    const strict = await createDay(world, 2, { graceMinutes: null })
    expect(await arrive(world, strict.door, '张三')).toEqual({ outcome: 'full' })
    const { door, workshop } = await createDay(world, 2, { city: { zh: '南京', en: 'Nanjing' } })
    expect(await arrive(world, door, '张三')).toMatchObject({ outcome: 'standing', place: 1 })
    expect(await arrive(world, door, '李四')).toMatchObject({ outcome: 'standing', place: 2 })
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 2 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a seat freed before the start goes to the waitlist in order, and a queued walk-in is checked in with it', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, workshop } = await createDay(world, 3, { confirmHours: 24 })
    const [one, other, waiting] = people as [{ id: string }, { id: string }, { id: string }]
    const queued = await arrive(world, door, '张三')
    await cancelRegistration(world.deps, one.id, 'attendee')
    expect(await registrationState(world, waiting.id)).toMatchObject({ status: 'offered' })
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    await cancelRegistration(world.deps, other.id, 'attendee')
    const { registration } = queued as { registration: string }
    expect(await registrationState(world, registration)).toMatchObject({ status: 'confirmed', mails: [] })
    expect(await listCheckIns(world, registration)).toMatchObject([{ outcome: 'in', by: '' }])
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('after the grace period seatDoorQueue gives no-show seats to the queue in order of arrival', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await createDay(world, 5, { capacity: 4 })
    const [first, second, third, fourth, waiting] = people as { id: string }[] as [
      { id: string },
      { id: string },
      { id: string },
      { id: string },
      { id: string },
    ]
    // The fourth attendee confirmed their attendance, so the third loses the seat first, then the second.
    await world.db
      .update(registrations)
      .set({ attendanceConfirmedFor: '2026-12-11' })
      .where(eq(registrations.id, fourth.id))
    await scan(world, door, first.id)
    const walk = (await arrive(world, door, '张三')) as { registration: string }
    at(1)
    expect(await joinDoorQueue(world.deps, door, waiting.id)).toEqual({ outcome: 'standing', place: 2 })
    at(14)
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    at(15)
    expect((await seatDoorQueue(world.deps, door)).map(({ id }) => id)).toEqual([walk.registration, waiting.id])
    expect(await registrationState(world, third.id)).toMatchObject({ status: 'cancelled', cancelledBy: 'absence' })
    expect((await registrationState(world, third.id)).mails).toEqual(['confirmed', 'cancelled'])
    expect(await registrationState(world, second.id)).toMatchObject({ status: 'cancelled', cancelledBy: 'absence' })
    expect(await registrationState(world, fourth.id)).toMatchObject({ status: 'confirmed' })
    expect(await registrationState(world, walk.registration)).toMatchObject({ status: 'confirmed', mails: [] })
    expect(await registrationState(world, waiting.id)).toMatchObject({ mails: ['waitlisted', 'promoted'] })
    expect(await countDoorPeople(world.deps, workshop)).toEqual({ seats: 4, in: 3, walkIns: 1, standing: 0 })
    // An attendee who arrives later has lost the seat, and the scan reports it.
    expect(await scan(world, door, third.id)).toBe('cancelled')
    // A checked-in attendee keeps the seat regardless of the door queue.
    expect(await arrive(world, door, '李四')).toMatchObject({ outcome: 'standing', place: 1 })
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    expect(await registrationState(world, fourth.id)).toMatchObject({ status: 'cancelled' })
    expect(await arrive(world, door, '王五')).toMatchObject({ outcome: 'standing' })
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('after the start a free seat goes to the door queue only', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at } = await createDay(world, 3)
    const [one, , waiting] = people as [{ id: string }, { id: string }, { id: string }]
    const walk = (await arrive(world, door, '张三')) as { registration: string }
    at(1)
    await cancelRegistration(world.deps, one.id, 'organiser')
    expect(await arrive(world, door, '李四')).toMatchObject({ outcome: 'standing', place: 2 })
    expect((await seatDoorQueue(world.deps, door)).map(({ id }) => id)).toEqual([walk.registration])
    expect(await registrationState(world, waiting.id)).toMatchObject({ status: 'waitlisted' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('checkIn restores the seat of a no-show whose earlier scan arrives from an offline phone', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await createDay(world, 2)
    const [first, second] = people as [{ id: string }, { id: string }]
    const early = { id: crypto.randomUUID(), registration: second.id, at: world.clock.now() }
    await arrive(world, door, '张三')
    at(20)
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    expect(await registrationState(world, second.id)).toMatchObject({ status: 'cancelled', cancelledBy: 'absence' })
    // The other attendee is absent and loses the seat instead.
    expect(await checkIn(world.deps, door, [early])).toMatchObject([{ outcome: 'in', checkedIn: { at: early.at } }])
    expect(await registrationState(world, second.id)).toMatchObject({ status: 'confirmed', cancelledBy: null })
    expect(await registrationState(world, first.id)).toMatchObject({ cancelledBy: 'absence' })
    const [mail] = await world.db.select().from(mails).where(eq(mails.registrationId, second.id)).orderBy(sql`id desc`)
    expect(mail).toMatchObject({ kind: 'cancelled', state: 'dead' })
    const late = { id: crypto.randomUUID(), registration: first.id, at: early.at }
    expect(await checkIn(world.deps, door, [late])).toMatchObject([{ outcome: 'cancelled' }])
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('checkIn does not restore a lost seat while the person holds another one in the campaign', async () => {
    await using world = await createWorld({ postgres })
    const { id: campaignId } = await world.campaign({ oneSeatPerPerson: true })
    const { door, workshop, at } = await createDay(world, 0, { campaignId })
    await world.register(workshop)
    const absent = await world.register(workshop, { email: 'anna@example.com' })
    const early = { id: crypto.randomUUID(), registration: absent.id, at: world.clock.now() }
    await arrive(world, door, '张三')
    at(20)
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    const later = { startsAt: new Date(workshop.startsAt.getTime() + 7 * 24 * 3600_000) }
    const other = await world.workshop({ campaignId, city: { zh: '南京', en: 'Nanjing' }, ...later })
    const again = await world.register(other, { email: 'anna@example.com' })
    expect(await checkIn(world.deps, door, [early])).toMatchObject([{ outcome: 'cancelled' }])
    expect(await registrationState(world, again.id)).toMatchObject({ status: 'confirmed' })
    await cancelRegistration(world.deps, again.id, 'attendee')
    expect(await checkIn(world.deps, door, [early])).toMatchObject([{ outcome: 'in' }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('undoCheckIns removes a walk-in by the nonce after they got a seat from the queue', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await createDay(world, 2)
    const [one, other] = people as [{ id: string }, { id: string }]
    const [early, late] = [crypto.randomUUID(), crypto.randomUUID()]
    const first = (await arrive(world, door, '张三', early)) as { registration: string }
    await arrive(world, door, '李四', late)
    // One is seated from the waitlist before the start, the other from the door queue after it.
    await cancelRegistration(world.deps, one.id, 'attendee')
    at(1)
    await cancelRegistration(world.deps, other.id, 'organiser')
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    for (const [nonce, name] of [
      [early, '张三'],
      [late, '李四'],
    ] as const) {
      expect(await arrive(world, door, name, nonce)).toMatchObject({ outcome: 'in', checkIn: nonce })
      const undo = { id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }
      expect(await undoCheckIns(world.deps, door, [undo])).toMatchObject([{ outcome: 'undone', checkedIn: null }])
    }
    expect(await registrationState(world, first.registration)).toMatchObject({ status: 'cancelled', mails: [] })
    expect(await seats(world, workshop)).toEqual({ taken: 0, capacity: 2, waitlisted: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('leaveDoorQueue keeps the waitlist place of a registration and deletes a walk-in', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, workshop } = await createDay(world, 3)
    const waiting = people[2] as { id: string }
    const walk = (await arrive(world, door, '张三')) as { registration: string }
    await joinDoorQueue(world.deps, door, waiting.id)
    expect(await leaveDoorQueue(world.deps, door, walk.registration)).toEqual({ outcome: 'left' })
    expect(await leaveDoorQueue(world.deps, door, walk.registration)).toEqual({ outcome: 'left' })
    expect(await leaveDoorQueue(world.deps, door, waiting.id)).toEqual({ outcome: 'left' })
    expect(await joinDoorQueue(world.deps, door, (people[0] as { id: string }).id)).toEqual({ outcome: 'not_waiting' })
    expect(await joinDoorQueue(world.deps, door, crypto.randomUUID())).toEqual({ outcome: 'not_found' })
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 1 })
    expect(await countDoorPeople(world.deps, workshop)).toMatchObject({ standing: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('no change to a workshop enqueues mail to walk-ins without an address', async () => {
    await using world = await createWorld({ postgres })
    const { door, workshop } = await createDay(world, 0)
    await arrive(world, door, '张三')
    await arrive(world, door, '李四')
    const queued = (await arrive(world, door, '王五')) as { registration: string }
    const promoted = (await arrive(world, door, '赵六')) as { registration: string }
    const person = await findRegistrationById(world.deps, promoted.registration)
    expect(
      await promotePerson(world.deps, { name: '组织者' }, person as NonNullable<typeof person>, {
        reason: '讲师',
        addSeat: true,
      }),
    ).toMatchObject({ kind: 'promoted' })
    expect(await listCheckIns(world, promoted.registration)).toMatchObject([{ outcome: 'in' }])
    const updated = (await findWorkshop(world.deps, workshop.slug)) as Workshop
    await changeWorkshop(world.deps, workshop.slug, { venue: { zh: '别处' } }, { notify: true })
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
    expect(
      await findAudience(world.deps, { about: { workshopId: workshop.id }, workshops: [updated], filter: {} }),
    ).toEqual({ people: 0 })
    await cancelRegistration(world.deps, queued.registration, 'organiser')
    await cancelWorkshop(world.deps, workshop.slug)
    expect(await world.db.select().from(mails)).toEqual([])
    expect(await query(world.db, sql`select distinct status from registrations`)).toEqual([{ status: 'cancelled' }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('moving walk-ins from the door queue gives them a seat without mail or offer', async () => {
    await using world = await createWorld({ postgres })
    const campaign = await world.campaign()
    const within = { campaignId: campaign.id, confirmHours: 24 }
    const { door } = await createDay(world, 2, within)
    const joinQueue = async (name: string) => (await arrive(world, door, name)) as { registration: string }
    const [zhang, li] = [await joinQueue('张三'), await joinQueue('李四')]
    const other = await world.workshop({ ...within, capacity: 1, city: { zh: '南京', en: 'Nanjing' } })
    const seated = await world.register(other)
    for (const { registration } of [zhang, li]) await moveRegistration(world.deps, registration, other.slug)
    await cancelRegistration(world.deps, seated.id, 'attendee')
    const person = (await findPerson(world.deps, li.registration)) as Person
    expect(await promotePerson(world.deps, { name: '林老师' }, person, { reason: '', addSeat: true })).toMatchObject({
      kind: 'promoted',
    })
    for (const { registration } of [zhang, li]) {
      expect(await registrationState(world, registration)).toMatchObject({ status: 'confirmed', mails: [] })
      expect(await listCheckIns(world, registration)).toEqual([])
    }
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('correctEmail mails the ticket to an address added to a walk-in', async () => {
    await using world = await createWorld({ postgres })
    const { door } = await createDay(world, 0)
    const walk = (await arrive(world, door, '张三')) as { registration: string }
    expect(await correctEmail(world.deps, walk.registration, 'new@example.com')).toMatchObject({ kind: 'corrected' })
    expect(await registrationState(world, walk.registration)).toMatchObject({ mails: ['confirmed'] })
    expect(await findViolations(world.deps)).toEqual([])
  })
})

test("parseWalkIn requires a name and follows the workshop's phone rule", async () => {
  const phone = (rule: Workshop['phone'], input: object) => parseWalkIn(input, { phone: rule })
  expect(phone('optional', { name: ' 张 三 ', phone: '' })).toEqual({ walkIn: { name: '张 三', phone: undefined } })
  expect(phone('no', { name: '张三', phone: '138 0000 1234' })).toEqual({ walkIn: { name: '张三', phone: undefined } })
  expect(phone('required', { name: '张三', phone: '138 0000 1234' })).toEqual({
    walkIn: { name: '张三', phone: '+8613800001234' },
  })
  expect(phone('required', { name: '张三', phone: '' })).toEqual({ problems: [{ field: 'phone', code: 'missing' }] })
  expect(phone('optional', { name: '', phone: '12' })).toEqual({
    problems: [
      { field: 'name', code: 'missing' },
      { field: 'phone', code: 'phone_invalid' },
    ],
  })
  expect(phone('optional', { name: 'http://example.com' })).toMatchObject({ problems: [{ code: 'web_address' }] })
})
