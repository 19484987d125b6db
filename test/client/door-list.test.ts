import { describe, expect, test } from 'vitest'
import { registrationIdFromCode, sha256Base64Url } from '../../src/client/door/list.ts'
import { listDoorPeople } from '../../src/domain/door/check-ins.ts'
import { doorQueueDueAt } from '../../src/domain/door/queue.ts'
import { joinDoorQueue, seatDoorQueue } from '../../src/domain/door/walk-ins.ts'
import { cancelRegistration } from '../../src/domain/registrations/seats.ts'
import { createCheckInCode } from '../../src/domain/tickets/signed-tokens.ts'
import { findWorkshop, type Workshop } from '../../src/domain/workshops/workshops.ts'
import { openDoorSession } from '../support/seeds/door.ts'
import { createWorld, type World } from '../support/world.ts'

test('a phone recognises a check-in code by its hash on the list, and reads the registration from it', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { id } = await world.register(workshop)
  const code = createCheckInCode(world.deps.config.secret, { id, version: 1 })
  const [person] = await listDoorPeople(world.deps, workshop)
  expect(await sha256Base64Url(code)).toBe(person?.code)
  expect(registrationIdFromCode(code)).toBe(id)
  expect(registrationIdFromCode(`${code}A`)).toBeUndefined()
})

describe('doorQueueDueAt is when seat_door_queue gives a seat', () => {
  /** A workshop whose only seat is taken, with an attendee in the door queue. */
  async function setUpQueue(world: World, graceMinutes: number | null) {
    const startsAt = new Date(world.clock.now().getTime() + 30 * 60_000)
    const workshop = await world.workshop({ capacity: 1, graceMinutes, startsAt })
    const [seated, waiting] = [await world.register(workshop), await world.register(workshop)]
    const { actor } = await openDoorSession(world, workshop)
    await joinDoorQueue(world.deps, actor, waiting.id)
    return {
      startsAt,
      seated,
      dueAt: async () => doorQueueDueAt((await findWorkshop(world.deps, workshop.slug)) as Workshop, startsAt),
      seat: async () => (await seatDoorQueue(world.deps, actor)).length,
    }
  }

  test('at the end of the grace time, if no seat is free', async () => {
    await using world = await createWorld()
    const { dueAt, seat } = await setUpQueue(world, 15)
    const due = await dueAt()
    world.clock.set(new Date(due - 1))
    expect(await seat()).toBe(0)
    world.clock.set(new Date(due))
    expect(await seat()).toBe(1)
  })

  test('never without a grace time, until a seat is free', async () => {
    await using world = await createWorld()
    const { startsAt, seated, dueAt, seat } = await setUpQueue(world, null)
    world.clock.set(startsAt)
    expect([await dueAt(), await seat()]).toEqual([Number.POSITIVE_INFINITY, 0])
    await cancelRegistration(world.deps, seated.id, 'organiser')
    expect([await dueAt(), await seat()]).toEqual([startsAt.getTime(), 1])
  })
})
