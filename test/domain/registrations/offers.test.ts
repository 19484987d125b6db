import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import type { Registered } from '../../../src/domain/registrations/batcher.ts'
import { exportPersonalData } from '../../../src/domain/registrations/privacy.ts'
import {
  correctEmail,
  findRegistrationById,
  type Registration,
} from '../../../src/domain/registrations/registrations.ts'
import {
  acceptOffer,
  cancelRegistration,
  cancelWorkshop,
  eraseRegistrations,
  expireOffers,
  moveRegistration,
} from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import {
  changeWorkshop,
  findWorkshop,
  type Workshop,
  type WorkshopDraft,
} from '../../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../../support/world.ts'

// The SQL must behave the same on PGlite and on Postgres.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const newWorld = () => createWorld({ postgres })

  test("cancelRegistration offers the freed seat to the first on the waitlist for the workshop's confirm hours", async () => {
    await using world = await newWorld()
    const { workshop, seated, first, second } = await createWaitlistedWorkshop(world)
    await cancelRegistration(world.deps, seated.id, 'attendee')
    expect(await registrationState(world, first)).toEqual({
      status: 'offered',
      position: null,
      seatedAt: null,
      offeredUntil: new Date('2026-12-02T10:00:00+08:00'),
    })
    expect(await registrationState(world, second)).toMatchObject({
      status: 'waitlisted',
      position: 1,
      offeredUntil: null,
    })
    expect(await seatCounts(world, workshop)).toEqual({ taken: 1, waitlisted: 2 })
    expect(await mailKinds(world, first)).toEqual(['waitlisted', 'offered'])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('register confirms a newcomer at once when a seat is free, also in a workshop with offers', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2, confirmHours: 24 })
    expect((await world.register(workshop)).status).toBe('confirmed')
  })

  test('acceptOffer confirms the registration once', async () => {
    await using world = await newWorld()
    const { workshop, first } = await offerFreedSeat(world)
    world.clock.advance({ hours: 23, minutes: 59 })
    const notifications = world.mailQueueNotifications()
    expect(await acceptOffer(world.deps, first.id)).toBe('taken')
    expect(world.mailQueueNotifications()).toBe(notifications + 1)
    expect(await registrationState(world, first)).toEqual({
      status: 'confirmed',
      position: null,
      seatedAt: world.clock.now(),
      offeredUntil: null,
    })
    expect(await acceptOffer(world.deps, first.id)).toBe('already_taken')
    expect(await mailKinds(world, first)).toEqual(['waitlisted', 'offered', 'promoted'])
    expect(await seatCounts(world, workshop)).toEqual({ taken: 1, waitlisted: 2 })
    world.clock.advance({ hours: 24 })
    expect(await expireOffers(world.deps)).toBe(0)
    expect(await registrationState(world, first)).toMatchObject({ status: 'confirmed' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('acceptOffer rejects registrations without an offer', async () => {
    await using world = await newWorld()
    const { seated, first, second } = await offerFreedSeat(world)
    expect(await acceptOffer(world.deps, second.id)).toBe('not_offered')
    expect(await acceptOffer(world.deps, seated.id)).toBe('cancelled')
    expect(await acceptOffer(world.deps, '00000000-0000-7000-8000-00000000ffff')).toBe('not_found')
    await cancelRegistration(world.deps, first.id, 'attendee')
    expect(await acceptOffer(world.deps, first.id)).toBe('cancelled')
  })

  test('acceptOffer rejects an expired offer before and after expireOffers', async () => {
    await using world = await newWorld()
    const { first, second } = await offerFreedSeat(world)
    world.clock.advance({ hours: 24 })
    expect(await acceptOffer(world.deps, first.id)).toBe('lapsed')
    expect(await registrationState(world, first)).toMatchObject({ status: 'offered' })
    expect(await expireOffers(world.deps)).toBe(1)
    expect(await acceptOffer(world.deps, first.id)).toBe('lapsed')
    expect(await findRegistrationById(world.deps, first.id)).toMatchObject({
      status: 'cancelled',
      cancelledBy: 'deadline',
      cancelledAt: world.clock.now(),
      offeredUntil: null,
    })
    expect(await registrationState(world, second)).toMatchObject({
      status: 'offered',
      offeredUntil: new Date('2026-12-03T10:00:00+08:00'),
    })
    const payload = await query(
      world.db,
      sql`select payload from mails where registration_id = ${first.id} and kind = 'cancelled'`,
    )
    expect(payload).toEqual([{ payload: { by: 'deadline' } }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('expireOffers passes offers down the waitlist in order, never more than the seats', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2, confirmHours: 2 })
    const people: Registered[] = []
    for (let i = 0; i < 8; i++) people.push(await world.register(workshop))
    for (const { id } of people.slice(0, 2)) await cancelRegistration(world.deps, id, 'organiser')
    const rounds = []
    for (let round = 0; round < 4; round++) {
      rounds.push(await statusLetters(world, workshop))
      world.clock.advance({ hours: 2 })
      await expireOffers(world.deps)
    }
    expect(rounds).toEqual(['xxoowwww', 'xxxxooww', 'xxxxxxoo', 'xxxxxxxx'])
    expect(await seatCounts(world, workshop)).toEqual({ taken: 0, waitlisted: 0 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('expireOffers passes on only expired offers, in every workshop', async () => {
    await using world = await newWorld()
    const [short, long] = [
      await offerFreedSeat(world, { confirmHours: 1 }),
      await offerFreedSeat(world, { confirmHours: 3 }),
    ]
    const other = await offerFreedSeat(world, { confirmHours: 1 })
    expect(await expireOffers(world.deps)).toBe(0)
    world.clock.advance({ hours: 1 })
    expect(await expireOffers(world.deps)).toBe(2)
    expect(await statusLetters(world, short.workshop)).toBe('xxow')
    expect(await statusLetters(world, other.workshop)).toBe('xxow')
    expect(await statusLetters(world, long.workshop)).toBe('xoww')
  })

  test('an offer ends at the start of the workshop, and none is made afterwards', async () => {
    await using world = await newWorld()
    const startsAt = new Date('2026-12-01T20:00:00+08:00')
    const { workshop, first, second } = await offerFreedSeat(world, {
      startsAt,
      endsAt: new Date('2026-12-01T22:00:00+08:00'),
    })
    expect(await registrationState(world, first)).toMatchObject({ offeredUntil: startsAt })
    world.clock.set(startsAt)
    expect(await acceptOffer(world.deps, first.id)).toBe('lapsed')
    expect(await expireOffers(world.deps)).toBe(1)
    expect(await registrationState(world, second)).toMatchObject({ status: 'waitlisted' })
    expect(await seatCounts(world, workshop)).toEqual({ taken: 0, waitlisted: 2 })
  })

  test('moving the start earlier shortens an offer, moving it later does not extend it', async () => {
    await using world = await newWorld()
    const { workshop, first } = await offerFreedSeat(world)
    const startsAt = new Date('2026-12-02T08:00:00+08:00')
    await changeWorkshop(world.deps, workshop.slug, { startsAt })
    expect(await registrationState(world, first)).toMatchObject({ offeredUntil: startsAt })
    await changeWorkshop(world.deps, workshop.slug, { startsAt: workshop.startsAt })
    expect(await registrationState(world, first)).toMatchObject({ offeredUntil: startsAt })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('added seats are offered too, and changed confirm hours apply to new offers only', async () => {
    await using world = await newWorld()
    const { workshop, first, second, third } = await offerFreedSeat(world)
    await changeWorkshop(world.deps, workshop.slug, { capacity: 2, confirmHours: 48 })
    expect(await registrationState(world, second)).toMatchObject({
      offeredUntil: new Date('2026-12-03T10:00:00+08:00'),
    })
    expect(await registrationState(world, first)).toMatchObject({ offeredUntil: new Date('2026-12-02T10:00:00+08:00') })
    expect(await changeWorkshop(world.deps, workshop.slug, { capacity: 1 })).toMatchObject({
      refusal: 'capacity_below_taken',
      taken: 2,
    })
    await changeWorkshop(world.deps, workshop.slug, { capacity: 3, confirmHours: null })
    expect(await registrationState(world, third)).toMatchObject({ status: 'confirmed' })
    expect(await acceptOffer(world.deps, first.id)).toBe('taken')
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('cancelling an offered registration offers the seat to the next at once', async () => {
    await using world = await newWorld()
    const { first, second } = await offerFreedSeat(world)
    expect(await cancelRegistration(world.deps, first.id, 'attendee')).toBe('cancelled')
    expect(await registrationState(world, first)).toMatchObject({ status: 'cancelled', offeredUntil: null })
    expect(await registrationState(world, second)).toMatchObject({ status: 'offered' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('moving an offered registration to another city offers the seat to the next', async () => {
    await using world = await newWorld()
    const { id: campaignId } = await world.campaign()
    const nanjing = await world.workshop({ campaignId, city: { zh: '南京' } })
    const { first, second } = await offerFreedSeat(world, { campaignId })
    world.clock.advance({ hours: 1 })
    expect(await moveRegistration(world.deps, first.id, nanjing.slug)).toEqual({ kind: 'moved', status: 'confirmed' })
    expect(await registrationState(world, first)).toMatchObject({ status: 'confirmed', offeredUntil: null })
    expect(await registrationState(world, second)).toMatchObject({ status: 'offered' })
    expect(await pendingMailKinds(world, first)).toEqual(['moved'])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('correctEmail sends the offer to the new address with the same deadline', async () => {
    await using world = await newWorld()
    const { first } = await offerFreedSeat(world)
    world.clock.advance({ hours: 1 })
    expect(await correctEmail(world.deps, first.id, 'right@example.com')).toMatchObject({ kind: 'corrected' })
    expect(await registrationState(world, first)).toMatchObject({ offeredUntil: new Date('2026-12-02T10:00:00+08:00') })
    expect(
      await query(
        world.db,
        sql`select kind, payload from mails where registration_id = ${first.id} and state = 'pending'`,
      ),
    ).toEqual([{ kind: 'offered', payload: { corrected: true } }])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('correctEmail refuses an address that already received ten mails that day', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 12, confirmHours: 72 })
    const seated: Registered[] = []
    for (let i = 0; i < 12; i++) seated.push(await world.register(workshop))
    const waiting: Registered[] = []
    for (let i = 0; i < 12; i++) waiting.push(await world.register(workshop))
    for (const { id } of seated) await cancelRegistration(world.deps, id, 'attendee')
    // Mails of the sign-ups no longer count towards the daily limit.
    world.clock.advance({ hours: 24 })
    const outcomes = []
    for (const { id } of waiting) {
      const outcome = await correctEmail(world.deps, id, 'victim@example.com')
      outcomes.push(outcome.kind === 'refused' ? outcome.refusal : outcome.kind)
      if (outcome.kind === 'corrected') await cancelRegistration(world.deps, id, 'attendee')
    }
    expect(outcomes).toEqual([...Array(10).fill('corrected'), 'too_many', 'too_many'])
  })

  test('erasing an offered registration offers the seat to the next', async () => {
    await using world = await newWorld()
    const { first, second } = await offerFreedSeat(world)
    expect(await eraseRegistrations(world.deps, [first.id], 'attendee')).toBe(1)
    expect(await registrationState(world, second)).toMatchObject({ status: 'offered' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('cancelWorkshop cancels offered registrations', async () => {
    await using world = await newWorld()
    const { workshop, first } = await offerFreedSeat(world)
    await cancelWorkshop(world.deps, workshop.slug)
    expect(await findRegistrationById(world.deps, first.id)).toMatchObject({
      status: 'cancelled',
      cancelledBy: 'workshop',
      offeredUntil: null,
    })
    expect(await acceptOffer(world.deps, first.id)).toBe('cancelled')
    world.clock.advance({ days: 2 })
    expect(await expireOffers(world.deps)).toBe(0)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('offers of a closed workshop can be accepted, and expired ones are passed on when it reopens', async () => {
    await using world = await newWorld()
    const { workshop, third } = await offerFreedSeat(world, { capacity: 2 })
    expect(await statusLetters(world, workshop)).toBe('xcow')
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    world.clock.advance({ hours: 24 })
    expect(await expireOffers(world.deps)).toBe(1)
    expect(await statusLetters(world, workshop)).toBe('xcxw')
    await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
    expect(await statusLetters(world, workshop)).toBe('xcxo')
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    expect(await acceptOffer(world.deps, third.id)).toBe('taken')
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('repeating a sign-up with the same idempotency key returns status offered once a seat is offered', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
    const seated = await world.register(workshop)
    const person = { email: 'a@example.com', name: '甲', idempotencyKey: 'one' }
    await world.register(workshop, person)
    await cancelRegistration(world.deps, seated.id, 'attendee')
    expect(await world.register(workshop, person)).toMatchObject({ replayed: true, status: 'offered', position: null })
    // The seat is held by the offer, so a newcomer is waitlisted.
    expect((await world.register(workshop)).status).toBe('waitlisted')
  })

  test('register puts a person whose offer expired at the end of the waitlist', async () => {
    await using world = await newWorld()
    const { workshop, first } = await offerFreedSeat(world)
    world.clock.advance({ hours: 24 })
    await expireOffers(world.deps)
    const email = (await findRegistrationById(world.deps, first.id))?.email as string
    expect(await world.register(workshop, { email })).toMatchObject({ status: 'waitlisted', position: 2 })
  })

  test('waitlist positions move up when somebody ahead cancels', async () => {
    await using world = await newWorld()
    const { first, second, third } = await createWaitlistedWorkshop(world)
    const positions = async () =>
      Promise.all([first, second, third].map(async (one) => (await registrationState(world, one))?.position ?? null))
    expect(await positions()).toEqual([1, 2, 3])
    expect(await cancelRegistration(world.deps, first.id, 'attendee')).toBe('cancelled')
    expect(await positions()).toEqual([null, 1, 2])
    expect(await cancelRegistration(world.deps, second.id, 'attendee')).toBe('cancelled')
    expect(await positions()).toEqual([null, null, 1])
    expect(await registrationState(world, third)).toMatchObject({ status: 'waitlisted' })
  })

  test('exportPersonalData includes the deadline of an offer', async () => {
    await using world = await newWorld()
    const { first } = await offerFreedSeat(world)
    const registration = (await findRegistrationById(world.deps, first.id)) as Registration
    expect((await exportPersonalData(world.deps, registration)).registration).toMatchObject({
      status: 'offered',
      offeredUntil: new Date('2026-12-02T10:00:00+08:00'),
    })
  })

  test('the database rejects an offer without a deadline and a deadline without an offer', async () => {
    await using world = await newWorld()
    const { first, second } = await offerFreedSeat(world)
    const set = (id: string, change: string) =>
      world.db.execute(sql`update registrations set ${sql.raw(change)} where id = ${id}`)
    const refused = { cause: { message: expect.stringContaining('registrations_offered') } }
    await expect(set(first.id, 'offered_until = null')).rejects.toMatchObject(refused)
    await expect(set(second.id, 'offered_until = now()')).rejects.toMatchObject(refused)
    await expect(changeWorkshop(world.deps, (await world.workshop()).slug, { confirmHours: 337 })).rejects.toThrow()
  })
})

test('findViolations reports a missing offer mail and an offer held beyond the start', async () => {
  await using world = await createWorld({ postgres: true })
  const { workshop, first } = await offerFreedSeat(world)
  await world.db.execute(sql`delete from mails where registration_id = ${first.id} and kind = 'offered'`)
  await world.db.execute(
    sql`update registrations set offered_until = ${workshop.endsAt.toISOString()} where id = ${first.id}`,
  )
  expect(await findViolations(world.deps)).toEqual([
    { invariant: 'no offer lasts beyond the start of its workshop', broken: [first.id] },
    {
      invariant: 'every registration, offer, promotion, move and cancellation has its mail',
      broken: [`${first.id}: offered`],
    },
  ])
})

/** A workshop with one taken seat and three waitlisted registrations. */
async function createWaitlistedWorkshop(world: World, draft: Partial<WorkshopDraft> = {}) {
  const workshop = await world.workshop({ capacity: 1, confirmHours: 24, ...draft })
  const [seated, first, second, third] = [
    await world.register(workshop),
    await world.register(workshop),
    await world.register(workshop),
    await world.register(workshop),
  ]
  return { workshop, seated, first, second, third }
}

/** The same after the seat was freed and offered to the first. */
async function offerFreedSeat(world: World, draft?: Partial<WorkshopDraft>) {
  const people = await createWaitlistedWorkshop(world, draft)
  await cancelRegistration(world.deps, people.seated.id, 'attendee')
  return people
}

async function registrationState(world: World, { id }: Registered) {
  const found = await findRegistrationById(world.deps, id)
  return found && pickState(found)
}

const pickState = ({ status, position, seatedAt, offeredUntil }: Registration) => ({
  status,
  position,
  seatedAt,
  offeredUntil,
})

/** The statuses of a workshop's registrations in order of sign-up: c confirmed, o offered, w waitlisted, x cancelled. */
async function statusLetters(world: World, workshop: Workshop): Promise<string> {
  const letters: Record<string, string> = { confirmed: 'c', offered: 'o', waitlisted: 'w', cancelled: 'x' }
  const found = await query<{ status: string }>(
    world.db,
    sql`select status from registrations where workshop_id = ${workshop.id} order by seq`,
  )
  return found.map(({ status }) => letters[status]).join('')
}

async function seatCounts(world: World, workshop: Workshop) {
  const found = await findWorkshop(world.deps, workshop.slug)
  return found && { taken: found.taken, waitlisted: found.waitlisted }
}

async function mailKinds(world: World, { id }: Registered): Promise<string[]> {
  const found = await query<{ kind: string }>(
    world.db,
    sql`select kind from mails where registration_id = ${id} order by id`,
  )
  return found.map(({ kind }) => kind)
}

async function pendingMailKinds(world: World, { id }: Registered): Promise<string[]> {
  const found = await query<{ kind: string }>(
    world.db,
    sql`select kind from mails where registration_id = ${id} and state = 'pending' order by id`,
  )
  return found.map(({ kind }) => kind)
}
