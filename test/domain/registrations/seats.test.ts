import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { createLink } from '../../../src/domain/promotion/registration-links.ts'
import { register } from '../../../src/domain/registrations/batcher.ts'
import {
  correctEmail,
  enqueueTicketsMail,
  findRegistrationById,
} from '../../../src/domain/registrations/registrations.ts'
import {
  cancelRegistration,
  cancelWorkshop,
  eraseRegistrations,
  moveRegistration,
} from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { verifyTicketToken } from '../../../src/domain/tickets/signed-tokens.ts'
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

  test('register confirms until the workshop is full and then waitlists with a position', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2 })
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await world.register(workshop))
    expect(answers.map(({ status, position }) => [status, position])).toEqual([
      ['confirmed', null],
      ['confirmed', null],
      ['waitlisted', 1],
      ['waitlisted', 2],
    ])
    expect(await seatCounts(world, workshop)).toEqual({ taken: 2, waitlisted: 2, status: 'waitlist' })
    expect(await mailKinds(world)).toEqual(['confirmed', 'confirmed', 'waitlisted', 'waitlisted'])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('register fills exactly the seats when a hundred people register at once', async () => {
    await using world = await newWorld()
    const [shanghai, nanjing] = [await world.workshop({ capacity: 10 }), await world.workshop({ capacity: 7 })]
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => world.register(i % 2 ? shanghai : nanjing)))
    expect(answers.filter(({ status }) => status === 'confirmed')).toHaveLength(17)
    expect(await seatCounts(world, shanghai)).toMatchObject({ taken: 10, waitlisted: 40 })
    expect(await seatCounts(world, nanjing)).toMatchObject({ taken: 7, waitlisted: 43 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('register decides each entry of a batch separately: same person, same key, unknown workshop', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2 })
    const unknown = { ...workshop, id: '00000000-0000-7000-8000-00000000ffff' }
    const ann = { name: '安', email: 'ann@example.com', idempotencyKey: 'ann' }
    // The first occupies the batcher, the rest share a batch.
    const [, ...outcomes] = await Promise.all([
      registerOutcome(world, workshop, { email: 'first@example.com', idempotencyKey: 'first' }),
      registerOutcome(world, workshop, ann),
      registerOutcome(world, workshop, { ...ann, email: 'Ann@Example.com', idempotencyKey: 'other' }),
      registerOutcome(world, workshop, ann),
      registerOutcome(world, workshop, { ...ann, name: '安娜' }),
      registerOutcome(world, unknown, { email: 'lost@example.com', idempotencyKey: 'lost' }),
      registerOutcome(world, workshop, { email: 'bob@example.com', idempotencyKey: 'bob' }),
    ])
    expect(outcomes).toEqual([
      'confirmed',
      'already_registered',
      'confirmed again',
      'idempotency_mismatch',
      'not_found',
      'waitlisted',
    ])
    expect(await seatCounts(world, workshop)).toMatchObject({ taken: 2, waitlisted: 1 })
  })

  test('repeating a request with the same idempotency key returns the first result and takes no second seat', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const first = await world.register(workshop, { email: 'a@example.com', name: '甲', idempotencyKey: 'one' })
    const again = await world.register(workshop, { email: 'a@example.com', name: '甲', idempotencyKey: 'one' })
    expect(again).toEqual({ ...first, replayed: true })
    expect(await registerOutcome(world, workshop, { email: 'b@example.com', idempotencyKey: 'one' })).toBe(
      'idempotency_mismatch',
    )
    const waiting = await world.register(workshop, { email: 'c@example.com', name: '丙', idempotencyKey: 'two' })
    expect(await world.register(workshop, { email: 'c@example.com', name: '丙', idempotencyKey: 'two' })).toEqual({
      ...waiting,
      replayed: true,
    })
    expect(await mailKinds(world)).toEqual(['confirmed', 'waitlisted'])
  })

  test('an idempotency key is scoped to its workshop', async () => {
    await using world = await newWorld()
    const [one, other] = [await world.workshop(), await world.workshop()]
    expect(await registerOutcome(world, one, { email: 'a@example.com', idempotencyKey: 'k' })).toBe('confirmed')
    expect(await registerOutcome(world, other, { email: 'a@example.com', idempotencyKey: 'k' })).toBe('confirmed')
  })

  test('registering again mails the ticket, at most every ten minutes', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    await world.register(workshop, { email: 'a@example.com' })
    const registerAgain = () => registerOutcome(world, workshop, { email: 'A@example.com' })
    for (let i = 0; i < 3; i++) {
      expect(await registerAgain()).toBe('already_registered')
      expect(await registerAgain()).toBe('already_registered')
      await enqueueTicketsMail(world.deps, 'a@example.com')
      world.clock.advance({ minutes: 11 })
    }
    expect((await mailKinds(world)).filter((kind) => kind === 'found')).toHaveLength(3)
  })

  test("a batch that repeats one person's registrations in several workshops mails their tickets once", async () => {
    await using world = await newWorld()
    const workshops = [await world.workshop(), await world.workshop(), await world.workshop()]
    for (const workshop of workshops) await world.register(workshop, { email: 'a@example.com' })
    await Promise.all(
      [...workshops, ...workshops].map((workshop) => registerOutcome(world, workshop, { email: 'a@example.com' })),
    )
    expect((await mailKinds(world)).filter((kind) => kind === 'found')).toHaveLength(1)
  })

  test('a mailbox gets at most ten mails a day from sign-ups, ticket requests and corrections', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 100 })
    const answers = []
    for (let i = 0; i < 15; i++) {
      const answer = await register(
        world.deps,
        workshop,
        { name: '某人', email: 'victim@example.com', locale: 'zh-CN', ready: {}, consentVersion: 'v' },
        `flood-${i}`,
        'web',
      )
      answers.push(answer.kind === 'refused' ? answer.refusal : answer.status)
      if (answer.kind === 'registered') await cancelRegistration(world.deps, answer.id, 'attendee')
      await enqueueTicketsMail(world.deps, 'victim@example.com')
      world.clock.advance({ minutes: 11 })
    }
    expect(answers).toEqual([...Array(10).fill('confirmed'), ...Array(5).fill('too_many')])
    const { id } = await world.register(workshop, { email: 'attacker@example.com' })
    expect(await correctEmail(world.deps, id, 'victim@example.com')).toMatchObject({ refusal: 'too_many' })
    world.clock.advance({ hours: 24 })
    expect(await registerOutcome(world, workshop, { email: 'victim@example.com' })).toBe('confirmed')
  })

  test('register is refused before opening, after closing, after the start, when full and when cancelled', async () => {
    await using world = await newWorld()
    const startsAt = new Date('2026-12-20T09:30:00+08:00')
    const opensAt = new Date('2026-12-05T10:00:00+08:00')
    const closesAt = new Date('2026-12-18T18:00:00+08:00')
    const workshop = await world.workshop({ startsAt, opensAt, closesAt, capacity: 1, waitlist: false })
    const tryAt = async (time: string) => {
      world.clock.set(time)
      const email = `${time.replace(/\W/g, '')}@example.com`
      const answer = await registerOutcome(world, workshop, { email, idempotencyKey: time })
      return [answer, (await findWorkshop(world.deps, workshop.slug))?.status]
    }
    expect(await tryAt('2026-12-05T09:59:59+08:00')).toEqual(['not_open', 'upcoming'])
    expect(await tryAt('2026-12-05T10:00:00+08:00')).toEqual(['confirmed', 'full'])
    expect(await tryAt('2026-12-05T10:00:01+08:00')).toEqual(['full', 'full'])
    expect(await tryAt('2026-12-18T18:00:00+08:00')).toEqual(['closed', 'closed'])
    await changeWorkshop(world.deps, workshop.slug, { closesAt: null, capacity: 2 })
    expect(await tryAt('2026-12-20T09:30:00+08:00')).toEqual(['closed', 'closed'])
    expect(await tryAt('2026-12-20T16:30:00+08:00')).toEqual(['closed', 'over'])

    const closed = await world.workshop()
    await changeWorkshop(world.deps, closed.slug, { state: 'closed' })
    expect(await registerOutcome(world, closed, { email: 'x@example.com' })).toBe('closed')
    await cancelWorkshop(world.deps, closed.slug)
    expect(await registerOutcome(world, closed, { email: 'x@example.com' })).toBe('cancelled')
  })

  test('cancelRegistration gives the seat to the first on the waitlist and mails both', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const seated = await world.register(workshop)
    const first = await world.register(workshop)
    const second = await world.register(workshop)
    expect(await cancelRegistration(world.deps, seated.id, 'attendee')).toBe('cancelled')
    expect(await cancelRegistration(world.deps, seated.id, 'attendee')).toBe('already_cancelled')
    expect(await findRegistrationById(world.deps, first.id)).toMatchObject({ status: 'confirmed', position: null })
    expect(await findRegistrationById(world.deps, second.id)).toMatchObject({ status: 'waitlisted', position: 1 })
    expect(await mailKinds(world)).toEqual(['confirmed', 'waitlisted', 'waitlisted', 'cancelled', 'promoted'])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('register puts a person who cancelled at the end of the waitlist with a new number', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const seated = await world.register(workshop, { email: 'a@example.com' })
    await world.register(workshop)
    await world.register(workshop)
    await cancelRegistration(world.deps, seated.id, 'attendee')
    const back = await world.register(workshop, { email: 'a@example.com' })
    expect(back).toMatchObject({ status: 'waitlisted', position: 2 })
    expect(await findRegistrationById(world.deps, back.id)).toMatchObject({ seq: 4 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('cancelRegistration allows attendees until the start and organisers afterwards, without promotion', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const seated = await world.register(workshop)
    const waiting = await world.register(workshop)
    world.clock.set(workshop.startsAt)
    expect(await cancelRegistration(world.deps, seated.id, 'attendee')).toBe('over')
    expect(await cancelRegistration(world.deps, seated.id, 'organiser')).toBe('cancelled')
    expect(await findRegistrationById(world.deps, waiting.id)).toMatchObject({ status: 'waitlisted' })
  })

  test('changeWorkshop promotes the waitlist in order when seats are added and refuses fewer seats than taken', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2 })
    for (let i = 0; i < 5; i++) await world.register(workshop)
    await changeWorkshop(world.deps, workshop.slug, { capacity: 4 })
    expect(await seatCounts(world, workshop)).toMatchObject({ taken: 4, waitlisted: 1 })
    expect(await changeWorkshop(world.deps, workshop.slug, { capacity: 3 })).toEqual({
      kind: 'refused',
      refusal: 'capacity_below_taken',
      taken: 4,
    })
    expect((await mailKinds(world)).filter((kind) => kind === 'promoted')).toHaveLength(2)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a closed workshop promotes nobody until it is reopened', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const seated = await world.register(workshop)
    const waiting = await world.register(workshop)
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    await cancelRegistration(world.deps, seated.id, 'attendee')
    expect(await findRegistrationById(world.deps, waiting.id)).toMatchObject({ status: 'waitlisted' })
    await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
    expect(await findRegistrationById(world.deps, waiting.id)).toMatchObject({ status: 'confirmed' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('cancelWorkshop cancels every registration and mails each person once', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    await world.register(workshop)
    const gone = await world.register(workshop)
    await cancelRegistration(world.deps, gone.id, 'attendee')
    expect(await cancelWorkshop(world.deps, workshop.slug)).toMatchObject({ kind: 'changed' })
    expect(await cancelWorkshop(world.deps, workshop.slug)).toEqual({ kind: 'refused', refusal: 'already_cancelled' })
    expect((await mailKinds(world)).filter((kind) => kind === 'cancelled')).toHaveLength(3)
    expect(await seatCounts(world, workshop)).toEqual({ taken: 0, waitlisted: 0, status: 'cancelled' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('correctEmail mails the new address, invalidates the old ticket and is limited to five corrections', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const { id, ticket } = await world.register(workshop, { email: 'typo@exmaple.com' })
    await world.register(workshop, { email: 'other@example.com' })
    expect(await correctEmail(world.deps, id, 'other@example.com')).toEqual({
      kind: 'refused',
      refusal: 'already_registered',
    })
    expect(await correctEmail(world.deps, id, 'typo@exmaple.com')).toMatchObject({ kind: 'unchanged', ticket })
    const corrected = await correctEmail(world.deps, id, 'right@example.com')
    if (corrected.kind !== 'corrected') throw new Error(corrected.kind)
    expect(corrected.ticket).not.toBe(ticket)
    expect(verifyTicketToken(world.deps.config.secret, corrected.ticket)).toEqual({ id, version: 2 })
    // The first confirmation was not sent yet: only the new one will be.
    expect(await query(world.db, sql`select kind, state from mails where registration_id = ${id} order by id`)).toEqual(
      [
        { kind: 'confirmed', state: 'dead' },
        { kind: 'confirmed', state: 'pending' },
      ],
    )
    for (let i = 0; i < 4; i++) await correctEmail(world.deps, id, `more-${i}@example.com`)
    expect(await correctEmail(world.deps, id, 'last@example.com')).toEqual({ kind: 'refused', refusal: 'too_many' })
  })

  test('eraseRegistrations keeps the number, passes the seat on and sends no mail', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const seated = await world.register(workshop, {
      name: '王小明',
      email: 'wang@example.com',
      phone: '+8613800138000',
    })
    const waiting = await world.register(workshop)
    expect(await eraseRegistrations(world.deps, [seated.id], 'attendee')).toBe(1)
    expect(await findRegistrationById(world.deps, seated.id)).toBeUndefined()
    expect(await findRegistrationById(world.deps, waiting.id)).toMatchObject({ status: 'confirmed' })
    const [row] = await query(
      world.db,
      sql`select to_jsonb(r)::text as all from registrations r where id = ${seated.id}`,
    )
    expect(row?.all).not.toMatch(/王小明|wang|138/)
    expect(await query(world.db, sql`select state from mails where registration_id = ${seated.id}`)).toEqual([
      { state: 'dead' },
      { state: 'dead' },
    ])
    expect(await findViolations(world.deps)).toEqual([])
    // An erased person may sign up again.
    expect(await registerOutcome(world, workshop, { email: 'wang@example.com' })).toBe('waitlisted')
  })

  test('register allows one active registration per person and campaign, also for concurrent sign-ups in two cities', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world)
    const person = { email: 'wang@example.com' }
    const [, ...both] = await Promise.all([
      registerOutcome(world, shanghai, { email: 'first@example.com' }),
      registerOutcome(world, shanghai, person),
      registerOutcome(world, nanjing, person),
      registerOutcome(world, nanjing, { email: 'neighbour@example.com' }),
    ])
    expect(both).toEqual(['confirmed', 'already_registered', 'confirmed'])
    expect(await registerOutcome(world, nanjing, { email: 'Wang@example.com' })).toBe('already_registered')
    // The ticket is mailed once more; it allows moving.
    expect((await mailKinds(world)).filter((kind) => kind === 'found')).toHaveLength(1)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a refusal in one city does not block a sign-up for another city in the same batch', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world, { capacity: 1, waitlist: false })
    await world.register(shanghai)
    const [, ...both] = await Promise.all([
      registerOutcome(world, nanjing, { email: 'first@example.com' }),
      registerOutcome(world, shanghai, { email: 'wang@example.com', idempotencyKey: 'k' }),
      registerOutcome(world, shanghai, { email: 'other@example.com', idempotencyKey: 'k' }),
      registerOutcome(world, nanjing, { email: 'wang@example.com' }),
    ])
    expect(both).toEqual(['full', 'full', 'full'])
    await changeWorkshop(world.deps, nanjing.slug, { capacity: 2 })
    const [, , inNanjing] = await Promise.all([
      registerOutcome(world, nanjing, { email: 'first@example.com' }),
      registerOutcome(world, shanghai, { email: 'wang@example.com' }),
      registerOutcome(world, nanjing, { email: 'wang@example.com' }),
    ])
    expect(inNanjing).toBe('confirmed')
  })

  test('register allows a seat in each city when the campaign allows several', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world, {}, false)
    expect(await registerOutcome(world, shanghai, { email: 'wang@example.com' })).toBe('confirmed')
    expect(await registerOutcome(world, nanjing, { email: 'wang@example.com' })).toBe('confirmed')
  })

  test('correctEmail refuses an address registered in another city of the campaign', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world)
    await world.register(nanjing, { email: 'wang@example.com' })
    const { id } = await world.register(shanghai, { email: 'li@example.com' })
    expect(await correctEmail(world.deps, id, 'wang@example.com')).toMatchObject({ refusal: 'already_registered' })
    expect(await correctEmail(world.deps, id, 'LI@example.com')).toMatchObject({ kind: 'corrected' })
  })

  test('moveRegistration keeps id and ticket, takes a free seat and passes the old one on', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world, { capacity: 1 })
    const wang = await world.register(shanghai, { email: 'wang@example.com', name: '王', idempotencyKey: 'one' })
    const waiting = await world.register(shanghai)
    world.clock.advance({ hours: 1 })
    expect(await moveRegistration(world.deps, wang.id, nanjing.slug)).toEqual({ kind: 'moved', status: 'confirmed' })
    expect(await findRegistrationById(world.deps, wang.id)).toMatchObject({
      ticket: wang.ticket,
      status: 'confirmed',
      seq: 1,
      workshop: { slug: nanjing.slug },
    })
    expect(await findRegistrationById(world.deps, waiting.id)).toMatchObject({ status: 'confirmed' })
    expect(await mailKinds(world)).toEqual(['confirmed', 'waitlisted', 'moved', 'promoted'])
    // Repeating the first sign-up still returns its result.
    const again = await world.register(shanghai, { email: 'wang@example.com', name: '王', idempotencyKey: 'one' })
    expect(again).toEqual({ ...wang, replayed: true })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('moveRegistration joins the waitlist of a full workshop, and changes nothing where there is no waitlist', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world, { capacity: 1 })
    const wang = await world.register(shanghai)
    const other = await world.register(nanjing)
    expect(await moveRegistration(world.deps, wang.id, nanjing.slug)).toEqual({ kind: 'moved', status: 'waitlisted' })
    expect(await seatCounts(world, shanghai)).toMatchObject({ taken: 0 })
    expect(await findRegistrationById(world.deps, wang.id)).toMatchObject({ position: 1, seatedAt: null })
    await cancelRegistration(world.deps, other.id, 'attendee')
    expect(await findRegistrationById(world.deps, wang.id)).toMatchObject({ status: 'confirmed' })
    await changeWorkshop(world.deps, shanghai.slug, { waitlist: false })
    await world.register(shanghai)
    const before = await query(world.db, sql`select * from registrations order by id`)
    expect(await moveRegistration(world.deps, wang.id, shanghai.slug)).toEqual({ kind: 'refused', refusal: 'full' })
    expect(await query(world.db, sql`select * from registrations order by id`)).toEqual(before)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('moveRegistration is refused outside the campaign, for inactive registrations, after the start and where already registered', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world, {}, false)
    const wang = await world.register(shanghai, { email: 'wang@example.com' })
    const refusal = async (id: string, to: string) =>
      (await moveRegistration(world.deps, id, to)) as { refusal?: string }
    expect((await refusal(wang.id, (await world.workshop()).slug)).refusal).toBe('not_found')
    expect((await refusal(wang.id, 'nowhere')).refusal).toBe('not_found')
    expect((await refusal(wang.id, shanghai.slug)).refusal).toBe('already_registered')
    await world.register(nanjing, { email: 'wang@example.com' })
    expect((await refusal(wang.id, nanjing.slug)).refusal).toBe('already_registered')
    const gone = await world.register(shanghai)
    await cancelRegistration(world.deps, gone.id, 'attendee')
    expect((await refusal(gone.id, nanjing.slug)).refusal).toBe('not_live')
    const late = await world.register(shanghai)
    await changeWorkshop(world.deps, nanjing.slug, { state: 'closed' })
    expect((await refusal(late.id, nanjing.slug)).refusal).toBe('closed')
    world.clock.set(shanghai.startsAt)
    expect((await refusal(late.id, nanjing.slug)).refusal).toBe('over')
  })

  test('the calendar sequence of a registration rises with every move', async () => {
    await using world = await newWorld()
    const { shanghai, nanjing } = await createTwoCityCampaign(world)
    for (const city of ['上海', '苏州', '上海']) {
      await changeWorkshop(world.deps, shanghai.slug, { venue: { zh: city } })
    }
    const { id } = await world.register(shanghai)
    const number = async () => {
      const found = await findRegistrationById(world.deps, id)
      return found ? found.workshop.calendarSequence + found.calendarSequenceOffset : Number.NaN
    }
    const numbers = [await number()]
    for (const to of [nanjing, shanghai, nanjing]) {
      await moveRegistration(world.deps, id, to.slug)
      numbers.push(await number())
    }
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(4)
  })

  test('register stores a known link code and ignores an unknown one', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const link = await createLink(world.deps, { workshop: workshop.slug }, { channel: 'poster' })
    const scanned = await world.register(workshop, { via: link?.code as string })
    const unknown = await world.register(workshop, { via: 'nonsense' })
    expect(await query(world.db, sql`select id, link_code from registrations order by seq`)).toEqual([
      { id: scanned.id, link_code: link?.code },
      { id: unknown.id, link_code: null },
    ])
  })

  test('the database rejects a raw insert beyond the capacity', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    const insert = world.db.execute(sql`
      insert into registrations (id, workshop_id, seq, status, first_status, name, email, email_key, locale,
        consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at)
      values (gen_random_uuid(), ${workshop.id}, 99, 'confirmed', 'confirmed', '多', 'x@example.com', 'x@example.com', 'zh-CN',
        'v', now(), 'raw', ${workshop.id}, '', now(), now())`)
    await expect(insert).rejects.toMatchObject({ cause: { message: expect.stringContaining('workshops_taken') } })
    expect(await seatCounts(world, workshop)).toMatchObject({ taken: 1 })
  })

  test("the database rejects updates of a workshop's counters", async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const update = world.db.execute(sql`update workshops set taken = 0 where id = ${workshop.id}`)
    await expect(update).rejects.toMatchObject({ cause: { message: expect.stringContaining('not set by hand') } })
  })

  test('deleting a registration row lowers the seat count', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2 })
    const { id } = await world.register(workshop)
    await world.db.execute(sql`delete from mails where registration_id = ${id}`)
    await world.db.execute(sql`delete from registrations where id = ${id}`)
    expect(await seatCounts(world, workshop)).toMatchObject({ taken: 0 })
  })
})

test('findViolations names each broken invariant', async () => {
  await using world = await createWorld({ postgres: true })
  const workshop = await world.workshop({ capacity: 2, slug: 'shanghai' })
  const [first, , third] = [
    await world.register(workshop),
    await world.register(workshop),
    await world.register(workshop),
  ]
  await world.db.execute(sql`alter table workshops disable trigger guard_counters`)
  await world.db.execute(sql`update workshops set taken = 1, next_seq = 2`)
  await world.db.execute(sql`alter table registrations disable trigger count_seats_on_update`)
  await world.db.execute(sql`update registrations set status = 'waitlisted' where id = ${first.id}`)
  await world.db.execute(sql`delete from mails where registration_id = ${third.id}`)
  expect((await findViolations(world.deps)).map(({ invariant, broken }) => [invariant, broken.length])).toEqual([
    ['taken is the number of seats held and never exceeds the capacity', 1],
    ['sequence numbers are unique within a workshop and rise with time', 2],
    ['no registration is waitlisted while its open workshop has a free seat', 1],
    ['no registration overtook the waitlist without an audited decision', 1],
    ['every registration, offer, promotion, move and cancellation has its mail', 1],
  ])
})

async function createTwoCityCampaign(world: World, draft: Partial<WorkshopDraft> = {}, oneSeatPerPerson = true) {
  const { id: campaignId } = await world.campaign({ oneSeatPerPerson })
  return {
    shanghai: await world.workshop({ campaignId, ...draft }),
    nanjing: await world.workshop({ campaignId, city: { zh: '南京', en: 'Nanjing' }, ...draft }),
  }
}

async function registerOutcome(
  world: World,
  workshop: Workshop,
  person: { email: string; name?: string; idempotencyKey?: string },
) {
  const { idempotencyKey = crypto.randomUUID(), ...rest } = person
  const result = await register(
    world.deps,
    workshop,
    { name: '某人', locale: 'zh-CN', ready: {}, consentVersion: 'v', ...rest },
    idempotencyKey,
    'web',
  )
  return result.kind === 'refused' ? result.refusal : `${result.status}${result.replayed ? ' again' : ''}`
}

async function seatCounts(world: World, workshop: Workshop) {
  const found = await findWorkshop(world.deps, workshop.slug)
  return found && { taken: found.taken, waitlisted: found.waitlisted, status: found.status }
}

async function mailKinds(world: World): Promise<string[]> {
  return (await query<{ kind: string }>(world.db, sql`select kind from mails order by id`)).map((mail) => mail.kind)
}
