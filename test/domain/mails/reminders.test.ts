import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { openPostgres } from '../../../src/db/postgres.ts'
import type { ReminderKind } from '../../../src/db/schema.ts'
import { claimDueMails, recordOutcomes, retryMail } from '../../../src/domain/mails/outbox.ts'
import { enqueueReminders, planReminders } from '../../../src/domain/mails/reminders.ts'
import { confirmAttendance, hasConfirmedAttendance } from '../../../src/domain/registrations/attendance-confirmation.ts'
import { updateReadiness } from '../../../src/domain/registrations/readiness.ts'
import {
  correctEmail,
  findRegistrationById,
  type Registration,
} from '../../../src/domain/registrations/registrations.ts'
import {
  cancelRegistration,
  cancelWorkshop,
  eraseRegistrations,
  moveRegistration,
} from '../../../src/domain/registrations/seats.ts'
import { changeWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { formatIso } from '../../../src/lib/time-zones.ts'
import { checkIn } from '../../support/seeds/attendance.ts'
import { createWorld, type World } from '../../support/world.ts'

const reminderHours = { get_ready: 168, coming: 72, day_before: 24 }

/** The reminder plan of a workshop, in its local time. */
function reminderPlan(
  startsAt: string,
  timeZone: string,
  reminders: Partial<Record<ReminderKind, number>> = reminderHours,
) {
  return planReminders({ startsAt: new Date(startsAt), timeZone, reminders }).map(({ kind, at, until }) => [
    kind,
    formatIso(at, timeZone),
    formatIso(until, timeZone),
  ])
}

test('planReminders keeps the local time of day across daylight saving changes', () => {
  // Clocks go back on 25 October in Berlin and on 1 November in New York; forward on 28 and 14 March.
  expect(reminderPlan('2026-10-29T09:30:00+01:00', 'Europe/Berlin')).toEqual([
    ['get_ready', '2026-10-22T09:30:00+02:00', '2026-10-23T09:30:00+02:00'],
    ['coming', '2026-10-26T09:30:00+01:00', '2026-10-27T09:30:00+01:00'],
    ['day_before', '2026-10-28T09:30:00+01:00', '2026-10-29T06:30:00+01:00'],
  ])
  expect(reminderPlan('2026-11-02T09:30:00-05:00', 'America/New_York')).toEqual([
    ['get_ready', '2026-10-26T09:30:00-04:00', '2026-10-27T09:30:00-04:00'],
    ['coming', '2026-10-30T09:30:00-04:00', '2026-10-31T09:30:00-04:00'],
    ['day_before', '2026-11-01T09:30:00-05:00', '2026-11-02T06:30:00-05:00'],
  ])
  expect(reminderPlan('2027-03-15T09:30:00-04:00', 'America/New_York').map(([, at]) => at)).toEqual([
    '2027-03-08T09:30:00-05:00',
    '2027-03-12T09:30:00-05:00',
    '2027-03-14T09:30:00-04:00',
  ])
  // 02:30 does not exist on 28 March: it is read with the offset before the change.
  expect(reminderPlan('2027-03-29T02:30:00+02:00', 'Europe/Berlin', { day_before: 24 }).map(([, at]) => at)).toEqual([
    '2027-03-28T03:30:00+02:00',
  ])
  expect(reminderPlan('2026-12-19T09:30:00+08:00', 'Asia/Shanghai').map(([, at]) => at)).toEqual([
    '2026-12-12T09:30:00+08:00',
    '2026-12-16T09:30:00+08:00',
    '2026-12-18T09:30:00+08:00',
  ])
})

test('planReminders ends a reminder where the next begins and skips disabled ones', () => {
  expect(reminderPlan('2026-12-19T09:30:00+08:00', 'Asia/Shanghai', { get_ready: 80, coming: 72 })).toEqual([
    ['get_ready', '2026-12-16T01:30:00+08:00', '2026-12-16T09:30:00+08:00'],
    ['coming', '2026-12-16T09:30:00+08:00', '2026-12-17T09:30:00+08:00'],
  ])
  expect(reminderPlan('2026-12-19T09:30:00+08:00', 'Asia/Shanghai', { day_before: 4 })).toEqual([
    ['day_before', '2026-12-19T05:30:00+08:00', '2026-12-19T06:30:00+08:00'],
  ])
  expect(reminderPlan('2026-12-19T09:30:00+08:00', 'Asia/Shanghai', {})).toEqual([])
})

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const newWorld = (env: Record<string, string> = {}) => createWorld({ postgres, env })

  test('enqueueReminders mails each reminder once, to the registrations it applies to', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    const [install] = workshop.items
    const ready = await world.register(workshop, { ready: { [install?.id as string]: true } })
    const notReady = await world.register(workshop)
    const offered = await world.register(workshop)
    await world.db.execute(sql`update registrations set status = 'offered', seated_at = null,
      offered_until = ${workshop.startsAt.toISOString()}::timestamptz where id = ${offered.id}::uuid`)
    for (let i = 3; i < 10; i++) await world.register(workshop)
    const waiting = await world.register(workshop)
    expect(waiting.status).toBe('waitlisted')
    const erased = (await findRegistrationBySeq(world, 4)).id
    await eraseRegistrations(world.deps, [erased], 'organiser')
    const gone = (await findRegistrationBySeq(world, 5)).id
    await cancelRegistration(world.deps, gone, 'attendee')
    // Like a walk-in without an e-mail address.
    const withoutEmail = (await findRegistrationBySeq(world, 6)).id
    await world.db.execute(
      sql`update registrations set email = '', email_key = id::text where id = ${withoutEmail}::uuid`,
    )
    await markDueSent(world)

    const sentById: Record<string, string[]> = {}
    world.clock.set('2026-12-03T20:00:00+08:00')
    for (let day = 0; day < 8; day++) {
      for (let hour = 0; hour < 24; hour++) {
        world.clock.advance({ hours: 1 })
        await enqueueReminders(world.deps)
        for (const { id, kind } of await markDueSent(world)) {
          sentById[id] = [...(sentById[id] ?? []), `${kind} ${formatClock(world)}`]
        }
      }
    }
    const times = {
      get_ready: 'get_ready 12-04 09:00',
      coming: 'coming 12-08 09:00',
      day_before: 'day_before 12-10 09:00',
    }
    expect(sentById[ready.id]).toEqual([times.coming, times.day_before])
    expect(sentById[notReady.id]).toEqual([times.get_ready, times.coming, times.day_before])
    expect(sentById[offered.id]).toEqual([times.get_ready])
    for (const id of [erased, gone, withoutEmail]) expect([id, sentById[id]]).toEqual([id, undefined])
    // Two seats became free: the first on the waitlist got one, days before any reminder was due.
    expect(sentById[waiting.id]).toEqual([times.get_ready, times.coming, times.day_before])
    expect(Object.keys(sentById)).toHaveLength(8)
  })

  test('enqueueReminders run by several processes at once enqueues each reminder once', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world, { capacity: 60 })
    for (let i = 0; i < 60; i++) await world.register(workshop)
    world.clock.set('2026-12-04T09:00:00+08:00')
    const other = world.databaseUrl ? openPostgres(world.databaseUrl, { max: 5 }) : undefined
    const deps = other ? { ...world.deps, db: other.db } : world.deps
    const enqueued = await Promise.all([world.deps, deps, world.deps, deps].map(enqueueReminders))
    await other?.close()
    expect(enqueued.reduce((sum, n) => sum + n, 0)).toBe(60)
    expect(await reminderStates(world)).toEqual(Array(60).fill('get_ready pending'))
  })

  test('after an outage of a day reminders are sent neither late nor twice', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    // A day late the question is still useful; one day more and it is not.
    world.clock.set('2026-12-09T08:59:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
    world.clock.set('2026-12-11T06:01:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(0)
    expect(await reminderStates(world)).toEqual(['coming sent'])
  })

  test.each([
    ['get_ready', '2026-12-04T09:00:00+08:00', '2026-12-05T09:00:00+08:00'],
    ['coming', '2026-12-08T09:00:00+08:00', '2026-12-09T09:00:00+08:00'],
    ['day_before', '2026-12-10T09:00:00+08:00', '2026-12-11T06:00:00+08:00'],
  ] as const)(
    '%s is enqueued from the second it is due and discarded when it is too late',
    async (kind, from, until) => {
      await using world = await newWorld()
      const workshop = await createWorkshopWithItems(world)
      await world.register(workshop)
      await markDueSent(world)
      world.clock.set(new Date(Date.parse(from) - 1000))
      expect(await enqueueReminders(world.deps)).toBe(0)
      world.clock.set(from)
      expect(await enqueueReminders(world.deps)).toBe(1)
      // The mail server was unreachable until now.
      world.clock.set(until)
      expect(await markDueSent(world)).toEqual([])
      expect(await reminderStates(world)).toEqual([`${kind} dead: too_late`])
      expect(await enqueueReminders(world.deps)).toBe(0)
    },
  )

  test('reminders follow the workshop when it is postponed or brought forward', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    // The workshop is postponed by a week before the mail is sent.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-18T09:00:00+08:00'))
    expect(await markDueSent(world)).toEqual([])
    expect(await reminderStates(world)).toEqual(['coming dead: rescheduled'])
    expect(await enqueueReminders(world.deps)).toBe(0)
    world.clock.set('2026-12-11T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['get_ready'])
    // Brought forward to three days from now: the confirmation request is due at once.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-14T09:00:00+08:00'))
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
    // Moved to another hour of the same day: that day's request was sent already.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-14T13:00:00+08:00'))
    world.clock.set('2026-12-11T13:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(0)
    // Moved to a day whose reminder was discarded: it is enqueued again.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-11T23:00:00+08:00'))
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['day_before'])
  })

  test('a reminder discarded because the workshop moved is enqueued again when it moves back', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    await enqueueReminders(world.deps)
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-25T09:00:00+08:00'))
    await markDueSent(world)
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-11T09:00:00+08:00'))
    expect(await enqueueReminders(world.deps)).toBe(1)
    const [first] = await query<{ id: number }>(world.db, sql`select id from mails where state = 'dead'`)
    // The discarded mail cannot be retried while its replacement is queued.
    expect(await retryMail(world.deps, Number(first?.id))).toBe('not_dead')
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
  })

  test('enqueueReminders does not repeat a reminder that could not be delivered', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    await enqueueReminders(world.deps)
    const { mails } = await claimDueMails(world.deps, 10, 60)
    await recordOutcomes(
      world.deps,
      mails.map((mail) => ({ mail, outcome: { kind: 'dead', reason: 'RCPT TO: 550 No such user' } })),
    )
    expect(await enqueueReminders(world.deps)).toBe(0)
  })

  test('changes between enqueueing and sending a reminder are respected', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world, { capacity: 5 })
    for (let i = 0; i < 5; i++) await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-04T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(5)
    const items = workshop.items.map(({ id }) => id)
    await updateReadiness(world.deps, await findRegistrationBySeq(world, 1), items)
    await cancelRegistration(world.deps, (await findRegistrationBySeq(world, 2)).id, 'attendee')
    await eraseRegistrations(world.deps, [(await findRegistrationBySeq(world, 3)).id], 'organiser')
    expect((await markDueSent(world)).filter(({ kind }) => kind === 'get_ready').map(({ seq }) => seq)).toEqual([4, 5])
    // An attendee who withdraws their readiness is reminded as long as there is time.
    await updateReadiness(world.deps, await findRegistrationBySeq(world, 1), [])
    expect(await enqueueReminders(world.deps)).toBe(1)

    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await confirmAttendance(world.deps, await findRegistrationBySeq(world, 4))).toBe('confirmed')
    expect(await enqueueReminders(world.deps)).toBe(2)
    expect(await confirmAttendance(world.deps, await findRegistrationBySeq(world, 5))).toBe('confirmed')
    expect((await markDueSent(world)).filter(({ kind }) => kind === 'coming').map(({ seq }) => seq)).toEqual([1])
    expect(await reminderStates(world)).toContain('coming dead: already_confirmed')
    await cancelWorkshop(world.deps, workshop.slug)
    world.clock.set('2026-12-10T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(0)
  })

  test('a reminder disabled before it is sent is discarded, and enqueued again when it is enabled', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    await changeWorkshop(world.deps, workshop.slug, { reminders: { get_ready: 168, day_before: 24 } })
    expect(await markDueSent(world)).toEqual([])
    expect(await reminderStates(world)).toEqual(['coming dead: reminder_disabled'])
    expect(await enqueueReminders(world.deps)).toBe(0)
    await changeWorkshop(world.deps, workshop.slug, { reminders: reminderHours })
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
  })

  test('an expired offer gets no confirmation request, even before the seat is passed on', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    const expired = await world.register(workshop)
    const expiring = await world.register(workshop)
    await markDueSent(world)
    for (const [{ id }, until] of [
      [expired, '2026-12-04T09:00:00+08:00'],
      [expiring, '2026-12-04T09:00:30+08:00'],
    ] as const)
      await world.db.execute(sql`update registrations set status = 'offered', seated_at = null,
        offered_until = ${until}::timestamptz where id = ${id}::uuid`)
    world.clock.set('2026-12-04T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    world.clock.advance({ seconds: 30 })
    expect(await markDueSent(world)).toEqual([])
    expect(await reminderStates(world)).toEqual(['get_ready dead: offer_expired'])
  })

  test('enqueueReminders skips drafts and workshops cancelled before sending, but not closed ones', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-10T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    await cancelWorkshop(world.deps, workshop.slug)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['cancelled'])
    await world.db.execute(sql`delete from mails`)
    await world.db.execute(sql`update registrations set status = 'confirmed', cancelled_at = null, cancelled_by = null`)
    expect(await enqueueReminders(world.deps)).toBe(0)
    await world.db.execute(sql`update workshops set state = 'draft'`)
    expect(await enqueueReminders(world.deps)).toBe(0)
    await world.db.execute(sql`update workshops set state = 'closed'`)
    expect(await enqueueReminders(world.deps)).toBe(1)
  })

  test('enqueueReminders skips a reminder for attendees who signed up around its due time', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    // An hour before the request is due, when it is due, and the evening before the workshop.
    world.clock.set('2026-12-08T08:00:00+08:00')
    await world.register(workshop)
    world.clock.set('2026-12-08T09:30:00+08:00')
    await world.register(workshop)
    expect(await enqueueReminders(world.deps)).toBe(0)
    world.clock.set('2026-12-10T20:00:00+08:00')
    await world.register(workshop)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['confirmed', 'confirmed', 'confirmed'])
    expect(await enqueueReminders(world.deps)).toBe(2)
    world.clock.advance({ hours: 1, minutes: 59 })
    expect(await enqueueReminders(world.deps)).toBe(0)
    world.clock.advance({ minutes: 1 })
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['day_before', 'day_before', 'day_before'])
  })

  test("moving to another workshop discards the old workshop's reminders and enqueues the new one's", async () => {
    await using world = await newWorld()
    const campaignId = (await world.campaign()).id
    const shanghai = await createWorkshopWithItems(world, { campaignId })
    const nanjing = await createWorkshopWithItems(world, { campaignId, ...startingAt('2026-12-15T09:00:00+08:00') })
    const { id } = await world.register(shanghai)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    // Claimed by a sender that crashed: the move finds the mail in state sending.
    await claimDueMails(world.deps, 10, 30)
    expect(await moveRegistration(world.deps, id, nanjing.slug)).toMatchObject({ kind: 'moved' })
    world.clock.advance({ minutes: 1 })
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['moved'])
    expect(await reminderStates(world)).toEqual(['coming dead: rescheduled'])
    // A move on the day of a reminder counts as signing up then, so only the next one is sent.
    world.clock.set('2026-12-10T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(0)
    world.clock.set('2026-12-12T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
    const [mail] = await query<{ occasion: string }>(
      world.db,
      sql`select payload ->> 'occasion' as occasion from mails where kind = 'coming' and state = 'sent'`,
    )
    expect(mail?.occasion).toBe(`${nanjing.id} 2026-12-15`)
  })

  test("moving to another city on the same day discards the old workshop's reminder", async () => {
    await using world = await newWorld()
    const campaignId = (await world.campaign()).id
    const shanghai = await createWorkshopWithItems(world, { campaignId })
    const nanjing = await createWorkshopWithItems(world, { campaignId, slug: 'nanjing' })
    const { id } = await world.register(shanghai)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    await enqueueReminders(world.deps)
    await claimDueMails(world.deps, 10, 30)
    await moveRegistration(world.deps, id, nanjing.slug)
    world.clock.advance({ minutes: 1 })
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['moved'])
  })

  test('a corrected address gets the reminder that was not sent yet', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    const { id } = await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-10T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    await correctEmail(world.deps, id, 'right@example.com')
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['confirmed', 'day_before'])
  })

  test('confirmAttendance is valid for one date only', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    const me = () => findRegistrationBySeq(world, 1)
    expect(await confirmAttendance(world.deps, await me())).toBe('confirmed')
    expect(await confirmAttendance(world.deps, await me())).toBe('confirmed')
    expect(hasConfirmedAttendance(await me(), (await me()).workshop)).toBe(true)
    const before = await me()
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-12T09:00:00+08:00'))
    expect(hasConfirmedAttendance(await me(), (await me()).workshop)).toBe(false)
    // A page loaded before the change confirms the old date only.
    expect(await confirmAttendance(world.deps, before)).toBe('no_seat')
    world.clock.set('2026-12-12T09:00:00+08:00')
    expect(await confirmAttendance(world.deps, await me())).toBe('too_late')
  })

  test('with MAIL_RATE reminders take every other slot', async () => {
    await using world = await newWorld({ MAIL_RATE: '60' })
    const workshop = await createWorkshopWithItems(world, { capacity: 5 })
    for (let i = 0; i < 4; i++) await world.register(workshop)
    world.clock.set('2026-12-10T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(4)
    const due = await query<{ seconds: number }>(
      world.db,
      sql`select extract(epoch from due_at - created_at)::int as seconds from mails where kind = 'day_before' order by id`,
    )
    expect(due.map(({ seconds }) => seconds)).toEqual([0, 2, 4, 6])
  })

  test('claimDueMails applies separate rules to loan reminders and thank-you mails after the workshop', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    const { id } = await world.register(workshop)
    const other = await world.register(workshop)
    await markDueSent(world)
    const board = '00000000-0000-7000-8000-0000000000b0'
    await world.db.execute(sql`insert into boards (id, kind, serial, code, created_at, updated_at)
      values (${board}, 'ART-Pi', '7', 'seven', now(), now())`)
    await world.db.execute(sql`insert into loans (id, board_id, registration_id, workshop_id, lent_at, lent_by)
      values (${board}, ${board}, ${id}, ${workshop.id}, now(), 'door')`)
    world.clock.set('2026-12-12T09:00:00+08:00')
    const now = world.clock.now().toISOString()
    for (const person of [id, other.id]) await checkIn(world, person)
    for (const kind of ['board_due', 'afterwards', 'day_before'])
      for (const person of [id, other.id])
        await world.db.execute(sql`insert into mails (registration_id, kind, created_at, due_at)
          values (${person}, ${kind}, ${now}::timestamptz, ${now}::timestamptz)`)
    expect((await markDueSent(world)).map(({ kind, seq }) => [kind, seq])).toEqual([
      ['board_due', 1],
      ['afterwards', 1],
      ['afterwards', 2],
    ])
  })
})

const startingAt = (moment: string) => ({
  startsAt: new Date(moment),
  endsAt: new Date(Date.parse(moment) + 7 * 3_600_000),
})

/** A workshop at 09:00 on 2026-12-11 in Shanghai, ten days from now, with one required item. */
function createWorkshopWithItems(world: World, draft: Parameters<World['workshop']>[0] = {}): Promise<Workshop> {
  return world.workshop({
    ...startingAt('2026-12-11T09:00:00+08:00'),
    capacity: 10,
    items: [
      {
        kind: 'prerequisite',
        text: { zh: '装好 RT-Thread Studio' },
        url: 'https://www.rt-thread.io/studio',
        mustConfirm: true,
      },
      { kind: 'bring', text: { zh: '插线板' }, mustConfirm: false },
    ],
    ...draft,
  })
}

async function findRegistrationBySeq(world: World, seq: number): Promise<Registration> {
  const [found] = await query<{ id: string }>(world.db, sql`select id from registrations where seq = ${seq}`)
  return (await findRegistrationById(world.deps, found?.id as string)) as Registration
}

/** Claims all due mails, records them as sent and returns them. */
async function markDueSent(world: World): Promise<{ id: string; seq: number; kind: string }[]> {
  const { mails } = await claimDueMails(world.deps, 200, 60)
  await recordOutcomes(
    world.deps,
    mails.map((mail) => ({ mail, outcome: { kind: 'sent' } })),
  )
  return mails.map(({ kind, registration }) => ({ kind, id: registration?.id ?? '', seq: registration?.seq ?? 0 }))
}

/** Kind, state and discard reason of all reminders, oldest first. */
async function reminderStates(world: World): Promise<string[]> {
  const found = await query<{ said: string }>(
    world.db,
    sql`select kind || ' ' || state || coalesce(': ' || coalesce(reason, last_error), '') as said from mails
        where kind in ('get_ready', 'coming', 'day_before') order by id`,
  )
  return found.map(({ said }) => said)
}

/** For example "12-04 09:00". */
function formatClock(world: World): string {
  return formatIso(world.clock.now(), 'Asia/Shanghai').slice(5, 16).replace('T', ' ')
}
