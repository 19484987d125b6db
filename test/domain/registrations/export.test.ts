import { expect, test } from 'vitest'
import { listAttendees } from '../../../src/domain/registrations/export.ts'
import { cancelRegistration } from '../../../src/domain/registrations/seats.ts'
import { createWorld } from '../../support/world.ts'

test('listAttendees continues waitlist positions across pages, also after a cancellation', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 2 })
  const people = []
  for (let i = 0; i < 9; i++) people.push(await world.register(workshop))
  await cancelRegistration(world.deps, people[4]?.id ?? '', 'attendee')
  const positions = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Awaited<ReturnType<typeof listAttendees>> = await listAttendees(world.deps, workshop, {
      after,
      limit: 3,
    })
    positions.push(...page.lines.map(({ position }) => position))
    after = page.next
  }
  expect(positions).toEqual([null, null, 1, 2, null, 3, 4, 5, 6])
  const { lines } = await listAttendees(world.deps, workshop, { status: 'waitlisted', after: 4, limit: 2 })
  expect(lines.map(({ seq, position }) => [seq, position])).toEqual([
    [6, 3],
    [7, 4],
  ])
})

test('listAttendees marks a phone number shared by two active registrations on both', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 9 })
  const phone = '+8613800138000'
  await world.register(workshop, { phone })
  await world.register(workshop, { phone: '+8613800138001' })
  const third = await world.register(workshop, { phone })
  await world.register(workshop)
  const shared = async () => (await listAttendees(world.deps, workshop, {})).lines.map((line) => line.phoneShared)
  expect(await shared()).toEqual([true, false, true, false])
  await cancelRegistration(world.deps, third.id, 'attendee')
  expect(await shared()).toEqual([false, false, false, false])
})
