import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { mails, pendingSignUps, registrations, type SignUp, workshops } from '../../../src/db/schema.ts'
import { claimDueMails } from '../../../src/domain/mails/outbox.ts'
import {
  confirmPendingSignUp,
  createPendingSignUp,
  findPendingSignUp,
} from '../../../src/domain/registrations/pending-sign-ups.ts'
import { purge } from '../../../src/domain/registrations/privacy.ts'
import { consentVersion } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { createPendingSignUpCode, createTicketToken } from '../../../src/domain/tickets/signed-tokens.ts'
import { changeWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../../support/world.ts'

const wangSignUp: SignUp = {
  name: '王小明',
  email: 'Wang@example.com',
  phone: '+8613800138000',
  locale: 'zh-CN',
  ready: {},
  consentVersion,
}

/** The latest pending sign-up of a mailbox, found by the code in its mailed link. */
async function findPendingSignUpOf(world: World, emailKey = 'wang@example.com') {
  const [row] = await world.db.select().from(pendingSignUps).where(eq(pendingSignUps.emailKey, emailKey))
  return row && findPendingSignUp(world.deps, createPendingSignUpCode(world.deps.config.secret, row.id))
}

const mailKinds = async (world: World) =>
  (await world.db.select().from(mails).orderBy(mails.id)).map(({ kind }) => kind)
const seatsTaken = async (world: World, { id }: Workshop) =>
  (await world.db.select().from(workshops).where(eq(workshops.id, id)))[0]?.taken

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  test('createPendingSignUp takes no seat, enqueues one mail and is idempotent by key', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop()
    expect(await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')).toEqual({ kind: 'held' })
    expect(world.mailQueueNotifications()).toBe(1)
    expect(await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')).toEqual({ kind: 'held' })
    expect(await createPendingSignUp(world.deps, workshop, { ...wangSignUp, name: '李雷' }, 'held-1')).toEqual({
      kind: 'refused',
      refusal: 'idempotency_mismatch',
    })
    expect(await world.db.select().from(pendingSignUps)).toMatchObject([
      { emailKey: 'wang@example.com', signUp: wangSignUp, idempotencyKey: 'held-1', createdAt: world.clock.now() },
    ])
    expect(await mailKinds(world)).toEqual(['held'])
    expect(await world.db.$count(registrations)).toBe(0)
    expect(await seatsTaken(world, workshop)).toBe(0)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('confirmPendingSignUp registers once, and the form submitted again returns the same ticket', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop()
    await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')
    world.clock.advance({ hours: 23, minutes: 59 })
    const pending = await findPendingSignUpOf(world)
    if (!pending) throw new Error('no pending sign-up found')
    const first = await confirmPendingSignUp(world.deps, pending)
    expect(first).toMatchObject({ kind: 'registered', replayed: false, status: 'confirmed' })
    expect(await confirmPendingSignUp(world.deps, pending)).toEqual({ ...first, replayed: true })
    expect(await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')).toEqual({ ...first, replayed: true })
    expect(await world.db.select().from(registrations)).toMatchObject([
      { name: '王小明', email: 'Wang@example.com', phone: '+8613800138000', idempotencyKey: 'held-1' },
    ])
    expect(await mailKinds(world)).toEqual(['held', 'confirmed'])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('a pending sign-up expires after a day: its link is invalid, its mail is discarded and purge deletes both', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop()
    await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')
    await createPendingSignUp(world.deps, workshop, { ...wangSignUp, email: 'li@example.com' }, 'held-2')
    world.clock.advance({ hours: 24 })
    expect(await findPendingSignUpOf(world)).toBeUndefined()
    expect(await claimDueMails(world.deps, 10, 60)).toEqual({ mails: [], discarded: 2 })
    expect((await world.db.select().from(mails)).map(({ reason }) => reason)).toEqual(Array(2).fill('link_expired'))
    expect(await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')).toEqual({ kind: 'held' })
    expect(await findPendingSignUpOf(world)).toMatchObject({ signUp: wangSignUp })
    await purge(world.deps)
    expect(await world.db.select().from(pendingSignUps)).toMatchObject([{ emailKey: 'wang@example.com' }])
    expect(await mailKinds(world)).toEqual(['held'])
  })

  test('createPendingSignUp refuses like register, and mails the ticket to a person already registered', async () => {
    await using world = await createWorld({ postgres })
    const refusal = async (workshop: Workshop, email = wangSignUp.email) => {
      const answer = await createPendingSignUp(world.deps, workshop, { ...wangSignUp, email }, crypto.randomUUID())
      return answer.kind === 'refused' ? answer.refusal : answer.kind
    }
    const full = await world.workshop({ capacity: 1, waitlist: false })
    await world.register(full, { email: 'first@example.com' })
    expect(await refusal(full)).toBe('full')
    const withWaitlist = await world.workshop({ capacity: 1 })
    await world.register(withWaitlist)
    expect(await refusal(withWaitlist)).toBe('held')
    const closed = await world.workshop()
    await changeWorkshop(world.deps, closed.slug, { state: 'closed' })
    expect(await refusal(closed)).toBe('closed')
    expect(await refusal(await world.workshop({ opensAt: new Date('2026-12-05T10:00:00+08:00') }))).toBe('not_open')
    expect(await refusal(await world.workshop({ publish: false }))).toBe('not_found')
    world.clock.advance({ minutes: 11 })
    expect(await refusal(full, 'First@example.com')).toBe('already_registered')
    expect(await refusal(full, 'First@example.com')).toBe('already_registered')
    expect(await mailKinds(world)).toEqual(['confirmed', 'confirmed', 'held', 'found'])
    expect(await world.db.$count(pendingSignUps)).toBe(1)
  })

  test('confirmPendingSignUp is refused when the seats were taken in the meantime', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop({ capacity: 1, waitlist: false })
    await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')
    const other = await world.register(workshop)
    const pending = await findPendingSignUpOf(world)
    if (!pending) throw new Error('no pending sign-up found')
    expect(await confirmPendingSignUp(world.deps, pending)).toEqual({ kind: 'refused', refusal: 'full' })
    await cancelRegistration(world.deps, other.id, 'attendee')
    expect(await confirmPendingSignUp(world.deps, pending)).toMatchObject({ kind: 'registered', status: 'confirmed' })
  })

  test('createPendingSignUp limits a mailbox to ten mails of all kinds a day, also for concurrent requests', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop()
    for (let n = 0; n < 4; n++) await world.register(await world.workshop(), { email: wangSignUp.email })
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => createPendingSignUp(world.deps, workshop, wangSignUp, `key-at-once-${n}`)),
    )
    expect(answers.filter(({ kind }) => kind === 'held')).toHaveLength(6)
    expect(answers.filter((answer) => answer.kind === 'refused' && answer.refusal === 'too_many')).toHaveLength(14)
    expect(await world.db.$count(pendingSignUps)).toBe(6)
    expect(await world.db.$count(mails)).toBe(10)
    // Pending sign-ups count towards the limit of other mails, too.
    await expect(world.register(workshop, { email: wangSignUp.email })).rejects.toThrow('too_many')
    expect(
      await createPendingSignUp(world.deps, workshop, { ...wangSignUp, email: 'li@example.com' }, 'key-li'),
    ).toEqual({
      kind: 'held',
    })
    world.clock.advance({ hours: 24 })
    expect(await createPendingSignUp(world.deps, workshop, wangSignUp, 'key-of-tomorrow')).toEqual({ kind: 'held' })
  })

  test('a pending sign-up is erased with its person, but not by the retention of an older registration', async () => {
    await using world = await createWorld({ postgres })
    const past = await world.register(await world.workshop(), { email: wangSignUp.email })
    world.clock.advance({ days: 10 + 91 })
    const workshop = await world.workshop()
    await createPendingSignUp(world.deps, workshop, wangSignUp, 'held-1')
    expect(await purge(world.deps)).toBe(1)
    expect(await findPendingSignUpOf(world)).toMatchObject({ signUp: wangSignUp })

    const next = await world.register(await world.workshop(), { email: wangSignUp.email })
    await createPendingSignUp(world.deps, workshop, { ...wangSignUp, email: 'li@example.com' }, 'held-2')
    await eraseRegistrations(world.deps, [past.id, next.id], 'attendee')
    expect(await world.db.select().from(pendingSignUps)).toMatchObject([{ emailKey: 'li@example.com' }])
    const left = await world.db.select().from(mails)
    expect(left.filter(({ kind }) => kind === 'held')).toHaveLength(1)
  })
})

test('findPendingSignUp rejects forged codes and codes of another kind', async () => {
  await using world = await createWorld()
  const { secret } = world.deps.config
  await createPendingSignUp(world.deps, await world.workshop(), wangSignUp, 'held-1')
  const [row] = await world.db.select().from(pendingSignUps)
  const id = row?.id as string
  const code = createPendingSignUpCode(secret, id)
  expect(await findPendingSignUp(world.deps, code)).toMatchObject({ id, code })
  for (const invalid of [
    '',
    'x',
    id,
    createPendingSignUpCode('another secret', id),
    createPendingSignUpCode(secret, world.deps.newId()),
    createTicketToken(secret, { id, version: 1 }),
    `${code.slice(0, -1)}${code.endsWith('A') ? 'Q' : 'A'}`,
  ]) {
    expect([invalid, await findPendingSignUp(world.deps, invalid)]).toEqual([invalid, undefined])
  }
})
