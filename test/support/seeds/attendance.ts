import { eq, sql } from 'drizzle-orm'
import { boards, checkIns, loans, registrations, workshops } from '../../../src/db/schema.ts'
import type { World } from '../world.ts'

/** Checks a registration in, as the door does. Returns the check-in's id. */
export async function checkIn(world: World, registrationId: string, by = '门口小李'): Promise<string> {
  const id = world.deps.newId()
  const [registration] = await world.db.select().from(registrations).where(eq(registrations.id, registrationId))
  const now = world.clock.now()
  await world.db.insert(checkIns).values({
    ...{ id, registrationId, workshopId: registration?.workshopId as string, outcome: 'in', by },
    ...{ at: now, receivedAt: now },
  })
  return id
}

/** Reverts a check-in. */
export async function revertCheckIn(world: World, id: string): Promise<void> {
  await world.db
    .update(checkIns)
    .set({ outcome: 'undone', undoneAt: world.clock.now(), undoneBy: '门口小李' })
    .where(eq(checkIns.id, id))
}

/** Moves the registration's workshop to yesterday and checks the registration in. */
export async function checkInYesterday(world: World, registrationId: string): Promise<void> {
  const [registration] = await world.db.select().from(registrations).where(eq(registrations.id, registrationId))
  await world.db
    .update(workshops)
    .set({
      startsAt: sql`${world.clock.now().toISOString()}::timestamptz - interval '24 hours'`,
      endsAt: sql`${world.clock.now().toISOString()}::timestamptz - interval '17 hours'`,
    })
    .where(eq(workshops.id, registration?.workshopId as string))
  await checkIn(world, registrationId)
}

/** Lends a new board. Returns the loan's id. */
export async function lendNewBoard(world: World, registrationId: string, serial: string): Promise<string> {
  const [boardId, id] = [world.deps.newId(), world.deps.newId()]
  const [registration] = await world.db.select().from(registrations).where(eq(registrations.id, registrationId))
  const now = world.clock.now()
  await world.db
    .insert(boards)
    .values({ id: boardId, kind: 'STM32F407', serial, code: `code-${serial}`, createdAt: now, updatedAt: now })
  const workshopId = registration?.workshopId as string
  await world.db.insert(loans).values({ id, boardId, registrationId, workshopId, lentAt: now, lentBy: '借板小赵' })
  return id
}
