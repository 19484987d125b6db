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
  /** A workshop with a door and a grace time of a quarter of an hour, and so many who registered for it. */
  async function day(world: World, registered: number, draft: Partial<WorkshopDraft> = {}) {
    const workshop = await world.workshop({ capacity: 2, graceMinutes: 15, ...draft })
    const people = await Promise.all(Array.from({ length: registered }, () => world.register(workshop)))
    const { actor } = await openDoorSession(world, workshop)
    const at = (minutes: number) => world.clock.set(new Date(workshop.startsAt.getTime() + minutes * 60_000))
    at(-30)
    return { workshop, people: people as { id: string }[], door: actor, at }
  }

  const comes = (world: World, door: DoorActor, name: string, nonce: string = crypto.randomUUID()) =>
    admitWalkIn(world.deps, door, { name, phone: '+8613800001234' }, nonce, world.clock.now())
  const scanned = async (world: World, door: DoorActor, id: string) =>
    (await checkIn(world.deps, door, [{ id: crypto.randomUUID(), registration: id, at: world.clock.now() }]))[0]
      ?.outcome
  const seats = async (world: World, { slug }: Workshop) => {
    const { taken, capacity, waitlisted } = (await findWorkshop(world.deps, slug)) as Workshop
    return { taken, capacity, waitlisted }
  }

  test('who comes without having signed up has a free seat at once, once, and is owed no mail', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await day(world, 1)
    const nonce = crypto.randomUUID()
    const answer = await comes(world, door, '张三', nonce)
    expect(answer).toMatchObject({ outcome: 'in', checkIn: nonce })
    for (let n = 0; n < 10; n++) expect(await comes(world, door, '张三', nonce)).toEqual(answer)
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

  test('an undone walk-in was never there: the seat is free again', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await day(world, 1)
    const nonce = crypto.randomUUID()
    await comes(world, door, '张三', nonce)
    const undo = { id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }
    expect(await undoCheckIns(world.deps, door, [undo, undo])).toMatchObject([
      { outcome: 'undone', checkedIn: null },
      { outcome: 'undone', checkedIn: null },
    ])
    expect(await seats(world, workshop)).toMatchObject({ taken: 1 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('the seat of an undone walk-in goes to whoever has begun to wait for it before the start', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await day(world, 1)
    const nonce = crypto.randomUUID()
    await comes(world, door, '张三', nonce)
    const waiting = await world.register(workshop)
    const owed = world.mailQueueNotifications()
    await undoCheckIns(world.deps, door, [{ id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }])
    expect(await registrationState(world, waiting.id)).toMatchObject({
      status: 'confirmed',
      mails: ['waitlisted', 'promoted'],
    })
    expect(world.mailQueueNotifications()).toBeGreaterThan(owed)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a nonce that was used for a scan or a sign-up takes nobody in', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door, people } = await day(world, 1)
    const [scan, key] = [crypto.randomUUID(), crypto.randomUUID()]
    await checkIn(world.deps, door, [{ id: scan, registration: people[0]?.id ?? '', at: world.clock.now() }])
    expect(await comes(world, door, '张三', scan)).toEqual({ outcome: 'not_found' })
    const other = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
    await world.register(other, { idempotencyKey: key })
    expect(await comes(world, (await openDoorSession(world, other)).actor, '张三', key)).toEqual({
      outcome: 'not_found',
    })
    expect(await seats(world, workshop)).toMatchObject({ taken: 1 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a nonce that took somebody in takes in nobody of another name or number, as from a form that is sent again changed', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door } = await day(world, 0)
    const nonce = crypto.randomUUID()
    const answer = await comes(world, door, '张三', nonce)
    expect(await comes(world, door, '李四', nonce)).toEqual({ outcome: 'not_found' })
    const without = await admitWalkIn(world.deps, door, { name: '张三' }, nonce, world.clock.now())
    expect(without).toEqual({ outcome: 'not_found' })
    expect(await comes(world, door, '张三', nonce)).toEqual(answer)
    expect(await seats(world, workshop)).toMatchObject({ taken: 1 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a walk-in has the id that their phone gave them, and none that somebody has already', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, door, people } = await day(world, 1)
    const nonce = crypto.randomUUID()
    expect(await comes(world, door, '张三', nonce)).toMatchObject({ outcome: 'in', registration: nonce })
    expect(await comes(world, door, '李四', people[0]?.id)).toEqual({ outcome: 'not_found' })
    expect(await seats(world, workshop)).toMatchObject({ taken: 2 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a walk-in is taken back by the nonce of their phone, also where they had got no seat and only stand in line', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await day(world, 2)
    const [nonce, key] = [crypto.randomUUID(), crypto.randomUUID()]
    const waiting = await world.register(workshop, { idempotencyKey: key })
    expect(await comes(world, door, '张三', nonce)).toMatchObject({ outcome: 'standing' })
    const undo = { id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }
    for (let n = 0; n < 2; n++) {
      expect(await undoCheckIns(world.deps, door, [undo])).toMatchObject([{ outcome: 'undone', checkedIn: null }])
    }
    at(20)
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    expect(await registrationState(world, people[1]?.id as string)).toMatchObject({ status: 'confirmed' })
    expect(await countDoorPeople(world.deps, workshop)).toEqual({ seats: 2, in: 0, walkIns: 0, standing: 0 })
    expect(await findViolations(world.deps)).toEqual([])
    // Who has signed up is not taken back by what was no scan of them.
    expect(await undoCheckIns(world.deps, door, [{ ...undo, checkIn: key }])).toMatchObject([{ outcome: 'not_found' }])
    expect(await registrationState(world, waiting.id)).toMatchObject({ status: 'waitlisted' })
  })

  test('without a grace time nobody stands in line, with one they do, and behind those who came first', async () => {
    await using world = await createWorld({ postgres })
    const strict = await day(world, 2, { graceMinutes: null })
    expect(await comes(world, strict.door, '张三')).toEqual({ outcome: 'full' })
    const { door, workshop } = await day(world, 2, { city: { zh: '南京', en: 'Nanjing' } })
    expect(await comes(world, door, '张三')).toMatchObject({ outcome: 'standing', place: 1 })
    expect(await comes(world, door, '李四')).toMatchObject({ outcome: 'standing', place: 2 })
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 2 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('before the start a freed seat goes by turn, also to one who stands there, who is then in', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, workshop } = await day(world, 3, { confirmHours: 24 })
    const [one, other, waiting] = people as [{ id: string }, { id: string }, { id: string }]
    const standing = await comes(world, door, '张三')
    await cancelRegistration(world.deps, one.id, 'attendee')
    expect(await registrationState(world, waiting.id)).toMatchObject({ status: 'offered' })
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    await cancelRegistration(world.deps, other.id, 'attendee')
    const { registration } = standing as { registration: string }
    expect(await registrationState(world, registration)).toMatchObject({ status: 'confirmed', mails: [] })
    expect(await listCheckIns(world, registration)).toMatchObject([{ outcome: 'in', by: '' }])
    expect(await seats(world, workshop)).toEqual({ taken: 2, capacity: 2, waitlisted: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('after the grace time seats of those who did not come go to who stands there, in the order in which they came', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await day(world, 5, { capacity: 4 })
    const [first, second, third, fourth, waiting] = people as { id: string }[] as [
      { id: string },
      { id: string },
      { id: string },
      { id: string },
      { id: string },
    ]
    // The last of them said that they come today, so the third loses the seat before, then the second.
    await world.db
      .update(registrations)
      .set({ attendanceConfirmedFor: '2026-12-11' })
      .where(eq(registrations.id, fourth.id))
    await scanned(world, door, first.id)
    const walk = (await comes(world, door, '张三')) as { registration: string }
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
    // Who comes later than that has lost it, and is told so.
    expect(await scanned(world, door, third.id)).toBe('cancelled')
    // One who is there keeps the seat, whoever stands at the door.
    expect(await comes(world, door, '李四')).toMatchObject({ outcome: 'standing', place: 1 })
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    expect(await registrationState(world, fourth.id)).toMatchObject({ status: 'cancelled' })
    expect(await comes(world, door, '王五')).toMatchObject({ outcome: 'standing' })
    expect(await seatDoorQueue(world.deps, door)).toEqual([])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('once it has started a free seat is for who stands there, and only for them', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at } = await day(world, 3)
    const [one, , waiting] = people as [{ id: string }, { id: string }, { id: string }]
    const walk = (await comes(world, door, '张三')) as { registration: string }
    at(1)
    await cancelRegistration(world.deps, one.id, 'organiser')
    expect(await comes(world, door, '李四')).toMatchObject({ outcome: 'standing', place: 2 })
    expect((await seatDoorQueue(world.deps, door)).map(({ id }) => id)).toEqual([walk.registration])
    expect(await registrationState(world, waiting.id)).toMatchObject({ status: 'waitlisted' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('who had come by a phone that was offline gets a seat back that was given away meanwhile', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await day(world, 2)
    const [first, second] = people as [{ id: string }, { id: string }]
    const early = { id: crypto.randomUUID(), registration: second.id, at: world.clock.now() }
    await comes(world, door, '张三')
    at(20)
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    expect(await registrationState(world, second.id)).toMatchObject({ status: 'cancelled', cancelledBy: 'absence' })
    // The other one has not come, and loses the seat to who has.
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

  test('who lost the seat and signed up for another day of the campaign has not both, however early they came', async () => {
    await using world = await createWorld({ postgres })
    const { id: campaignId } = await world.campaign({ oneSeatPerPerson: true })
    const { door, workshop, at } = await day(world, 0, { campaignId })
    await world.register(workshop)
    const absent = await world.register(workshop, { email: 'anna@example.com' })
    const early = { id: crypto.randomUUID(), registration: absent.id, at: world.clock.now() }
    await comes(world, door, '张三')
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

  test('a walk-in who stood in line is taken back by the nonce of their phone once they have a seat, as any walk-in is', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, at, workshop } = await day(world, 2)
    const [one, other] = people as [{ id: string }, { id: string }]
    const [early, late] = [crypto.randomUUID(), crypto.randomUUID()]
    const first = (await comes(world, door, '张三', early)) as { registration: string }
    await comes(world, door, '李四', late)
    // One is seated before the start, in turn, the other after it.
    await cancelRegistration(world.deps, one.id, 'attendee')
    at(1)
    await cancelRegistration(world.deps, other.id, 'organiser')
    expect(await seatDoorQueue(world.deps, door)).toHaveLength(1)
    for (const [nonce, name] of [
      [early, '张三'],
      [late, '李四'],
    ] as const) {
      expect(await comes(world, door, name, nonce)).toMatchObject({ outcome: 'in', checkIn: nonce })
      const undo = { id: crypto.randomUUID(), checkIn: nonce, at: world.clock.now() }
      expect(await undoCheckIns(world.deps, door, [undo])).toMatchObject([{ outcome: 'undone', checkedIn: null }])
    }
    expect(await registrationState(world, first.registration)).toMatchObject({ status: 'cancelled', mails: [] })
    expect(await seats(world, workshop)).toEqual({ taken: 0, capacity: 2, waitlisted: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('who leaves the door keeps the place in line; who had not signed up is gone', async () => {
    await using world = await createWorld({ postgres })
    const { door, people, workshop } = await day(world, 3)
    const waiting = people[2] as { id: string }
    const walk = (await comes(world, door, '张三')) as { registration: string }
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

  test('nothing that happens to a workshop owes a mail to who has no address', async () => {
    await using world = await createWorld({ postgres })
    const { door, workshop } = await day(world, 0)
    await comes(world, door, '张三')
    await comes(world, door, '李四')
    const standing = (await comes(world, door, '王五')) as { registration: string }
    const another = (await comes(world, door, '赵六')) as { registration: string }
    const person = await findRegistrationById(world.deps, another.registration)
    expect(
      await promotePerson(world.deps, { name: '组织者' }, person as NonNullable<typeof person>, {
        reason: '讲师',
        addSeat: true,
      }),
    ).toMatchObject({ kind: 'promoted' })
    expect(await listCheckIns(world, another.registration)).toMatchObject([{ outcome: 'in' }])
    const fresh = (await findWorkshop(world.deps, workshop.slug)) as Workshop
    await changeWorkshop(world.deps, workshop.slug, { venue: { zh: '别处' } }, { notify: true })
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
    expect(
      await findAudience(world.deps, { about: { workshopId: workshop.id }, workshops: [fresh], filter: {} }),
    ).toEqual({ people: 0 })
    await cancelRegistration(world.deps, standing.registration, 'organiser')
    await cancelWorkshop(world.deps, workshop.slug)
    expect(await world.db.select().from(mails)).toEqual([])
    expect(await query(world.db, sql`select distinct status from registrations`)).toEqual([{ status: 'cancelled' }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('who stood at a door and is moved elsewhere has a seat there without a mail, and no offer that nobody could tell of', async () => {
    await using world = await createWorld({ postgres })
    const campaign = await world.campaign()
    const within = { campaignId: campaign.id, confirmHours: 24 }
    const { door } = await day(world, 2, within)
    const stands = async (name: string) => (await comes(world, door, name)) as { registration: string }
    const [zhang, li] = [await stands('张三'), await stands('李四')]
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

  test('an address that an organiser adds to a walk-in gets the ticket', async () => {
    await using world = await createWorld({ postgres })
    const { door } = await day(world, 0)
    const walk = (await comes(world, door, '张三')) as { registration: string }
    expect(await correctEmail(world.deps, walk.registration, 'new@example.com')).toMatchObject({ kind: 'corrected' })
    expect(await registrationState(world, walk.registration)).toMatchObject({ mails: ['confirmed'] })
    expect(await findViolations(world.deps)).toEqual([])
  })
})

test('a walk-in has a name and the phone that the workshop asks for', async () => {
  const phone = (rule: Workshop['phone'], typed: object) => parseWalkIn(typed, { phone: rule })
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
