import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { claimDueMails } from '../../../src/domain/mails/outbox.ts'
import type { Registered } from '../../../src/domain/registrations/batcher.ts'
import { correctEmail } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { changeWorkshop, findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { recordOutcome } from '../../support/mail/outcomes.ts'
import { createWorld, type World } from '../../support/world.ts'

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const newWorld = () => createWorld({ postgres })

  test('closing a workshop mails every active registration once', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2, confirmHours: 24 })
    const people: Registered[] = []
    for (let i = 0; i < 4; i++) people.push(await world.register(workshop))
    await cancelRegistration(world.deps, people[0]?.id as string, 'attendee')
    const unaffected = await world.register(await world.workshop())
    await markAllSent(world)
    const notifications = world.mailQueueNotifications()
    await closeWorkshop(world, workshop)
    expect(world.mailQueueNotifications()).toBe(notifications + 1)
    await closeWorkshop(world, workshop)
    expect(await pendingMails(world)).toEqual(people.slice(1).map(({ id }) => [id, 'closed']))
    expect(await pendingMails(world)).not.toContainEqual([unaffected.id, 'closed'])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('reopening a workshop mails every active registration once and then promotes the waitlist', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const [seated, first, second] = [
      await world.register(workshop),
      await world.register(workshop),
      await world.register(workshop),
    ]
    await closeWorkshop(world, workshop)
    await cancelRegistration(world.deps, seated.id, 'attendee')
    await markAllSent(world)
    await reopenWorkshop(world, workshop)
    await reopenWorkshop(world, workshop)
    expect(await pendingMails(world)).toEqual([
      [first.id, 'reopened'],
      [second.id, 'reopened'],
      [first.id, 'promoted'],
    ])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('reopening discards an unsent closing mail and sends no reopening mail for it', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const [notified, unnotified] = [await world.register(workshop), await world.register(workshop)]
    await markAllSent(world)
    await closeWorkshop(world, workshop)
    await markSent(world, notified)
    await reopenWorkshop(world, workshop)
    expect(await pendingMails(world)).toEqual([[notified.id, 'reopened']])
    expect(await discardedMails(world)).toEqual([[unnotified.id, 'closed', 'reopened']])

    // The same for closing again.
    await closeWorkshop(world, workshop)
    expect(await pendingMails(world)).toEqual([[unnotified.id, 'closed']])
    expect((await discardedMails(world)).at(-1)).toEqual([notified.id, 'reopened', 'reclosed'])
  })

  test('a closing mail that was being sent while the workshop reopened is discarded, not sent late', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const person = await world.register(workshop)
    await markAllSent(world)
    await closeWorkshop(world, workshop)
    const [claimed] = (await claimDueMails(world.deps, 1, 120)).mails
    await reopenWorkshop(world, workshop)
    await recordOutcome(world.deps, claimed as never, { kind: 'again', reason: 'busy' })
    world.clock.advance({ minutes: 1 })
    const { mails } = await claimDueMails(world.deps, 10, 120)
    expect(mails.map(({ kind }) => kind)).toEqual(['reopened'])
    expect(await discardedMails(world)).toEqual([[person.id, 'closed', 'reopened']])
  })

  test('an attendee notified of the closing is notified of a later reopening, although the first reopening mail was discarded', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const person = await world.register(workshop)
    await closeWorkshop(world, workshop)
    await markAllSent(world)
    await reopenWorkshop(world, workshop)
    const [claimed] = (await claimDueMails(world.deps, 1, 120)).mails
    await closeWorkshop(world, workshop)
    await recordOutcome(world.deps, claimed as never, { kind: 'again', reason: 'busy' })
    world.clock.advance({ minutes: 1 })
    // The reopening mail is discarded now, and the closing mail deferred.
    const [closing] = (await claimDueMails(world.deps, 10, 120)).mails
    await recordOutcome(world.deps, closing as never, { kind: 'postponed', until: world.clock.now() })
    await reopenWorkshop(world, workshop)
    const { mails } = await claimDueMails(world.deps, 10, 120)
    expect(mails.map(({ kind, registration }) => [registration?.id, kind])).toEqual([[person.id, 'reopened']])
  })

  test('cancelling a recently closed workshop sends only the cancellation mail', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const person = await world.register(workshop)
    await markAllSent(world)
    await closeWorkshop(world, workshop)
    await cancelWorkshop(world.deps, workshop.slug)
    const { mails } = await claimDueMails(world.deps, 10, 120)
    expect(mails.map(({ kind, payload }) => [kind, payload])).toEqual([['cancelled', { by: 'workshop' }]])
    expect(await discardedMails(world)).toEqual([[person.id, 'closed', 'registration_cancelled']])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('correctEmail redirects a pending closing mail to the new address', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const person = await world.register(workshop)
    await markAllSent(world)
    await closeWorkshop(world, workshop)
    await correctEmail(world.deps, person.id, 'right@example.com')
    const { mails } = await claimDueMails(world.deps, 10, 120)
    expect(mails.map(({ kind }) => kind)).toEqual(['closed', 'confirmed'])
    expect(mails.map(({ registration }) => registration?.email)).toEqual(['right@example.com', 'right@example.com'])
  })

  test('nobody is notified when a workshop closes after its start or a draft is published', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    await world.register(workshop)
    await markAllSent(world)
    world.clock.set(workshop.startsAt)
    await closeWorkshop(world, workshop)
    expect(await pendingMails(world)).toEqual([])
    const draft = await world.workshop({ publish: false })
    await changeWorkshop(world.deps, draft.slug, { state: 'published' })
    expect(await pendingMails(world)).toEqual([])
  })

  test('closing and reopening raise the calendar SEQUENCE once each', async () => {
    await using world = await newWorld()
    const draft = await world.workshop({ publish: false })
    const sequences = []
    for (const state of ['published', 'published', 'closed', 'closed', 'published'] as const) {
      await changeWorkshop(world.deps, draft.slug, { state })
      sequences.push((await findWorkshop(world.deps, draft.slug))?.calendarSequence)
    }
    expect(sequences).toEqual([0, 0, 1, 1, 2])
  })
})

const closeWorkshop = (world: World, { slug }: Workshop) => changeWorkshop(world.deps, slug, { state: 'closed' })
const reopenWorkshop = (world: World, { slug }: Workshop) => changeWorkshop(world.deps, slug, { state: 'published' })

/** Marks all pending mails as sent. */
async function markAllSent(world: World) {
  await world.db.execute(sql`update mails set state = 'sent' where state = 'pending'`)
}

async function markSent(world: World, { id }: Registered) {
  await world.db.execute(sql`update mails set state = 'sent' where state = 'pending' and registration_id = ${id}`)
}

/** Registration id and kind of all pending mails, oldest first. */
async function pendingMails(world: World): Promise<[string, string][]> {
  const found = await query<{ registration_id: string; kind: string }>(
    world.db,
    sql`select registration_id, kind from mails where state = 'pending' order by id`,
  )
  return found.map(({ registration_id, kind }) => [registration_id, kind])
}

async function discardedMails(world: World): Promise<[string, string, string][]> {
  const found = await query<{ registration_id: string; kind: string; reason: string }>(
    world.db,
    sql`select registration_id, kind, reason from mails where state = 'dead' order by id`,
  )
  return found.map(({ registration_id, kind, reason }) => [registration_id, kind, reason])
}
