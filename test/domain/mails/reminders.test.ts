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

/** The plan of a workshop that starts then, by the clocks there. */
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

test('seven days before half past nine is half past nine, on the clocks of the workshop', () => {
  // Clocks go back on 25 October in Berlin, and on 1 November in New York; forward on 28 and 14 March.
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
  // Half past two does not exist on 28 March: it is read as the clocks were before.
  expect(reminderPlan('2027-03-29T02:30:00+02:00', 'Europe/Berlin', { day_before: 24 }).map(([, at]) => at)).toEqual([
    '2027-03-28T03:30:00+02:00',
  ])
  expect(reminderPlan('2026-12-19T09:30:00+08:00', 'Asia/Shanghai').map(([, at]) => at)).toEqual([
    '2026-12-12T09:30:00+08:00',
    '2026-12-16T09:30:00+08:00',
    '2026-12-18T09:30:00+08:00',
  ])
})

test('a reminder ends where the next begins, and one that is not planned is not sent', () => {
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

  test('each reminder goes once to those whom it concerns', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    const [install] = workshop.items
    const ready = await world.register(workshop, { ready: { [install?.id as string]: true } })
    const lazy = await world.register(workshop)
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
    // As somebody who was let in at the door without an address.
    const nameless = (await findRegistrationBySeq(world, 6)).id
    await world.db.execute(sql`update registrations set email = '', email_key = id::text where id = ${nameless}::uuid`)
    await markDueSent(world)

    const told: Record<string, string[]> = {}
    world.clock.set('2026-12-03T20:00:00+08:00')
    for (let day = 0; day < 8; day++) {
      for (let hour = 0; hour < 24; hour++) {
        world.clock.advance({ hours: 1 })
        await enqueueReminders(world.deps)
        for (const { id, kind } of await markDueSent(world)) {
          told[id] = [...(told[id] ?? []), `${kind} ${formatClock(world)}`]
        }
      }
    }
    const times = {
      get_ready: 'get_ready 12-04 09:00',
      coming: 'coming 12-08 09:00',
      day_before: 'day_before 12-10 09:00',
    }
    expect(told[ready.id]).toEqual([times.coming, times.day_before])
    expect(told[lazy.id]).toEqual([times.get_ready, times.coming, times.day_before])
    expect(told[offered.id]).toEqual([times.get_ready])
    for (const nobody of [erased, gone, nameless]) expect([nobody, told[nobody]]).toEqual([nobody, undefined])
    // Two seats came free: the first in line got one of them, days before anything was due.
    expect(told[waiting.id]).toEqual([times.get_ready, times.coming, times.day_before])
    expect(Object.keys(told)).toHaveLength(8)
  })

  test('two processes that owe at once owe each reminder once', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world, { capacity: 60 })
    for (let i = 0; i < 60; i++) await world.register(workshop)
    world.clock.set('2026-12-04T09:00:00+08:00')
    const other = world.databaseUrl ? openPostgres(world.databaseUrl, { max: 5 }) : undefined
    const deps = other ? { ...world.deps, db: other.db } : world.deps
    const owed = await Promise.all([world.deps, deps, world.deps, deps].map(enqueueReminders))
    await other?.close()
    expect(owed.reduce((sum, n) => sum + n, 0)).toBe(60)
    expect(await reminderStates(world)).toEqual(Array(60).fill('get_ready pending'))
  })

  test('after an outage of a day nothing goes out late, and nothing twice', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    // Within the day the question still is one; a day later it is answered no more.
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
    '%s is owed from the second on at which it is due, and given up when it is too late',
    async (kind, from, until) => {
      await using world = await newWorld()
      const workshop = await createWorkshopWithItems(world)
      await world.register(workshop)
      await markDueSent(world)
      world.clock.set(new Date(Date.parse(from) - 1000))
      expect(await enqueueReminders(world.deps)).toBe(0)
      world.clock.set(from)
      expect(await enqueueReminders(world.deps)).toBe(1)
      // The mail server was away all the time.
      world.clock.set(until)
      expect(await markDueSent(world)).toEqual([])
      expect(await reminderStates(world)).toEqual([`${kind} dead: too_late`])
      expect(await enqueueReminders(world.deps)).toBe(0)
    },
  )

  test('reminders move with the workshop, whether it is put off or brought forward', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    // Before it leaves, the workshop is put off by a week.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-18T09:00:00+08:00'))
    expect(await markDueSent(world)).toEqual([])
    expect(await reminderStates(world)).toEqual(['coming dead: rescheduled'])
    expect(await enqueueReminders(world.deps)).toBe(0)
    world.clock.set('2026-12-11T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['get_ready'])
    // Brought forward to three days from now: the question is due at once.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-14T09:00:00+08:00'))
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
    // To another hour of the same day: that was asked.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-14T13:00:00+08:00'))
    world.clock.set('2026-12-11T13:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(0)
    // And on the day of which a mail had been given up, it is owed again.
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-11T23:00:00+08:00'))
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['day_before'])
  })

  test('a mail that was given up because the workshop moved is owed again when it moves back', async () => {
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
    // The dead one cannot be sent beside the one that took its place.
    expect(await retryMail(world.deps, Number(first?.id))).toBe('not_dead')
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['coming'])
  })

  test('one that could not be delivered is not owed a second time', async () => {
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

  test('what was done between owing and sending counts', async () => {
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
    // Whoever says later that they are not ready after all is reminded as long as there is time.
    await updateReadiness(world.deps, await findRegistrationBySeq(world, 1), [])
    expect(await enqueueReminders(world.deps)).toBe(1)

    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await confirmAttendance(world.deps, await findRegistrationBySeq(world, 4))).toBe('said')
    expect(await enqueueReminders(world.deps)).toBe(2)
    expect(await confirmAttendance(world.deps, await findRegistrationBySeq(world, 5))).toBe('said')
    expect((await markDueSent(world)).filter(({ kind }) => kind === 'coming').map(({ seq }) => seq)).toEqual([1])
    expect(await reminderStates(world)).toContain('coming dead: already_confirmed')
    await cancelWorkshop(world.deps, workshop.slug)
    world.clock.set('2026-12-10T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(0)
  })

  test('a reminder that is switched off before it leaves is not sent, and is when it is switched on again', async () => {
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

  test('who has let an offer lapse is not asked to confirm it, though it was not passed on yet', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    const lapsed = await world.register(workshop)
    const lapsing = await world.register(workshop)
    await markDueSent(world)
    for (const [{ id }, until] of [
      [lapsed, '2026-12-04T09:00:00+08:00'],
      [lapsing, '2026-12-04T09:00:30+08:00'],
    ] as const)
      await world.db.execute(sql`update registrations set status = 'offered', seated_at = null,
        offered_until = ${until}::timestamptz where id = ${id}::uuid`)
    world.clock.set('2026-12-04T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    world.clock.advance({ seconds: 30 })
    expect(await markDueSent(world)).toEqual([])
    expect(await reminderStates(world)).toEqual(['get_ready dead: offer_expired'])
  })

  test('a workshop that is cancelled between owing and sending reminds nobody, nor does a draft', async () => {
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

  test('whoever signs up while reminders go out is left in peace', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    // An hour before the question is due, when it is, and the evening before the workshop.
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

  test('whoever moves to another workshop gets the mails of that one', async () => {
    await using world = await newWorld()
    const campaignId = (await world.campaign()).id
    const shanghai = await createWorkshopWithItems(world, { campaignId })
    const nanjing = await createWorkshopWithItems(world, { campaignId, ...startingAt('2026-12-15T09:00:00+08:00') })
    const { id } = await world.register(shanghai)
    await markDueSent(world)
    world.clock.set('2026-12-08T09:00:00+08:00')
    expect(await enqueueReminders(world.deps)).toBe(1)
    // Claimed by a sender that died: the move finds it on its way.
    await claimDueMails(world.deps, 10, 30)
    expect(await moveRegistration(world.deps, id, nanjing.slug)).toMatchObject({ kind: 'moved' })
    world.clock.advance({ minutes: 1 })
    expect((await markDueSent(world)).map(({ kind }) => kind)).toEqual(['moved'])
    expect(await reminderStates(world)).toEqual(['coming dead: rescheduled'])
    // Who moved on the day of a reminder signed up there just now, and is asked with the next.
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

  test('whoever moves to another city on the same day gets no mail of the one that they left', async () => {
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

  test('a corrected address gets the reminder that had not left yet', async () => {
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

  test('said to come is said for a day', async () => {
    await using world = await newWorld()
    const workshop = await createWorkshopWithItems(world)
    await world.register(workshop)
    const me = () => findRegistrationBySeq(world, 1)
    expect(await confirmAttendance(world.deps, await me())).toBe('said')
    expect(await confirmAttendance(world.deps, await me())).toBe('said')
    expect(hasConfirmedAttendance(await me(), (await me()).workshop)).toBe(true)
    const before = await me()
    await changeWorkshop(world.deps, workshop.slug, startingAt('2026-12-12T09:00:00+08:00'))
    expect(hasConfirmedAttendance(await me(), (await me()).workshop)).toBe(false)
    // Who still looks at the old day says nothing of the new one.
    expect(await confirmAttendance(world.deps, before)).toBe('no_seat')
    world.clock.set('2026-12-12T09:00:00+08:00')
    expect(await confirmAttendance(world.deps, await me())).toBe('too_late')
  })

  test('with MAIL_RATE reminders leave every other turn to tickets', async () => {
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

  test('mails of the others are judged by rules of their own after the workshop', async () => {
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

/** A workshop on 2026-12-11 at nine in Shanghai, ten days from now, with two things to confirm. */
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

/** Claims all that is due, says that it was sent, and gives it. */
async function markDueSent(world: World): Promise<{ id: string; seq: number; kind: string }[]> {
  const { mails } = await claimDueMails(world.deps, 200, 60)
  await recordOutcomes(
    world.deps,
    mails.map((mail) => ({ mail, outcome: { kind: 'sent' } })),
  )
  return mails.map(({ kind, registration }) => ({ kind, id: registration?.id ?? '', seq: registration?.seq ?? 0 }))
}

/** The reminders there are, with what became of them. */
async function reminderStates(world: World): Promise<string[]> {
  const found = await query<{ said: string }>(
    world.db,
    sql`select kind || ' ' || state || coalesce(': ' || coalesce(reason, last_error), '') as said from mails
        where kind in ('get_ready', 'coming', 'day_before') order by id`,
  )
  return found.map(({ said }) => said)
}

/** 12-04 09:00 */
function formatClock(world: World): string {
  return formatIso(world.clock.now(), 'Asia/Shanghai').slice(5, 16).replace('T', ' ')
}
