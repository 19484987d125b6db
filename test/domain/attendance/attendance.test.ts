import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { registrations } from '../../../src/db/schema.ts'
import {
  closeAttendance,
  countAttendance,
  countEligibleForThankYou,
  listNoShows,
  listPastAttendances,
  maxRisk,
  overflowProbability,
  type PastAttendance,
  reopenAttendance,
  suggestOverbooking,
} from '../../../src/domain/attendance/attendance.ts'
import {
  findCertificate,
  formatCertificateNumber,
  issueCertificate,
  parseCertificateNumber,
  verifyCertificate,
} from '../../../src/domain/attendance/certificates.ts'
import {
  allAnswers,
  feedbackResults,
  findFeedback,
  listQuestions,
  parseAnswers,
  replaceQuestions,
  saveFeedback,
} from '../../../src/domain/attendance/feedback.ts'
import { requestReturns } from '../../../src/domain/boards/loans.ts'
import { claimDueMails } from '../../../src/domain/mails/outbox.ts'
import {
  correctEmail,
  findRegistrationById,
  type Registration,
} from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration } from '../../../src/domain/registrations/seats.ts'
import { computeYearlyStatistics } from '../../../src/domain/reports/yearly-statistics.ts'
import {
  listMaterials,
  listVisibleMaterials,
  type Material,
  replaceMaterials,
} from '../../../src/domain/workshops/materials.ts'
import { findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { checkIn, lendNewBoard, revertCheckIn } from '../../support/seeds/attendance.ts'
import { createWorld, type World } from '../../support/world.ts'

const actor = { name: '主办方' }

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  test('countAttendance and listNoShows count check-ins, no-shows, passed-on seats and late cancellations', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock, db } = world
    const workshop = await world.workshop({ capacity: 6 })
    const [first, second, noShow, passedOn, early, late] = await registerPeople(world, workshop, 6)
    await world.register(workshop)
    await cancelRegistration(deps, early.id, 'attendee')
    clock.set(new Date(workshop.startsAt.getTime() - 3 * hourMs))
    await cancelRegistration(deps, late.id, 'attendee')
    clock.set(workshop.startsAt)
    await db
      .update(registrations)
      .set({ status: 'cancelled', cancelledBy: 'absence', cancelledAt: clock.now() })
      .where(hasId(passedOn))
    const walkIn = await insertWalkIn(world, workshop)
    for (const { id } of [first, second, walkIn]) await checkIn(world, id)
    await revertCheckIn(world, await checkIn(world, noShow.id))
    expect(await countAttendance(deps, workshop)).toEqual({
      expected: 5,
      came: 3,
      walkIns: 1,
      noShows: 3,
      passedOn: 1,
      lateCancellations: 1,
    })
    const missing = await listNoShows(deps, workshop)
    expect(missing.map(({ id, cancelledBy }) => [id, cancelledBy])).toEqual([
      [noShow.id, null],
      [passedOn.id, 'absence'],
      [missing[2]?.id, null],
    ])
  })

  test('closeAttendance works once after the start, thanks each attendee with an address once, and can be undone', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const workshop = await world.workshop({ capacity: 4 })
    const [first, second, third] = await registerPeople(world, workshop, 3)
    const close = async (thank: boolean) =>
      closeAttendance(deps, actor, await reloadWorkshop(world, workshop), { thank })
    const reopen = async () => reopenAttendance(deps, actor, await reloadWorkshop(world, workshop))
    expect(await close(true)).toEqual({ kind: 'refused', refusal: 'not_started' })
    clock.set(workshop.startsAt)
    await checkIn(world, first.id)
    await checkIn(world, second.id)
    await checkIn(world, (await insertWalkIn(world, workshop)).id)
    expect(await countEligibleForThankYou(deps, workshop)).toEqual({ people: 2, someone: first.id })
    expect(await reopen()).toEqual({ kind: 'refused', refusal: 'not_closed' })

    const both = await Promise.all([close(true), close(true)])
    expect(both).toEqual(
      expect.arrayContaining([
        { kind: 'closed', thanked: 2 },
        { kind: 'refused', refusal: 'closed' },
      ]),
    )
    expect(await reopen()).toEqual({ kind: 'reopened' })
    await checkIn(world, third.id)
    expect(await close(true)).toEqual({ kind: 'closed', thanked: 1 })
    expect(await thankYouRecipients(world)).toEqual([first.id, second.id, third.id])
    expect(
      await query(world.db, sql`select action, payload ->> 'thanked' as thanked from audit_entries order by id`),
    ).toEqual([
      { action: 'attendance.closed', thanked: '2' },
      { action: 'attendance.reopened', thanked: null },
      { action: 'attendance.closed', thanked: '1' },
    ])
    clock.set(new Date(workshop.endsAt.getTime() + deps.config.retentionDays * 24 * hourMs))
    expect(await reopen()).toEqual({ kind: 'refused', refusal: 'forgotten' })
  })

  test('an attendee whose check-in was reverted gets no thank-you and their feedback does not count until checked in again', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const workshop = await world.workshop({ capacity: 2 })
    const [attended, reverted] = await registerPeople(world, workshop, 2)
    clock.set(workshop.endsAt)
    await checkIn(world, attended.id)
    const scan = await checkIn(world, reverted.id)
    await claimDueMails(deps, 10, 60)
    const submitFeedback = async (id: string) =>
      saveFeedback(
        deps,
        { id, workshop: await reloadWorkshop(world, workshop) },
        { ratings: { useful: 4 }, texts: { better: '多讲' } },
      )
    for (const { id } of [attended, reverted]) expect(await submitFeedback(id)).toBe('saved')
    const close = async () => closeAttendance(deps, actor, await reloadWorkshop(world, workshop), { thank: true })
    const sent = async () => (await claimDueMails(deps, 10, 60)).mails.map(({ registration }) => registration?.id)
    expect(await close()).toEqual({ kind: 'closed', thanked: 2 })
    expect((await feedbackResults(deps, workshop)).answered).toBe(2)

    await revertCheckIn(world, scan)
    expect(await sent()).toEqual([attended.id])
    expect((await feedbackResults(deps, workshop)).answered).toBe(1)
    expect(await allAnswers(deps, workshop)).toHaveLength(1)

    await reopenAttendance(deps, actor, await reloadWorkshop(world, workshop))
    await checkIn(world, reverted.id)
    expect((await countEligibleForThankYou(deps, workshop)).people).toBe(1)
    expect(await close()).toEqual({ kind: 'closed', thanked: 1 })
    expect(await sent()).toEqual([reverted.id])
    expect((await feedbackResults(deps, workshop)).answered).toBe(2)
  })

  test('with MAIL_RATE thank-you mails take every other slot, and are discarded after 14 days', async () => {
    await using world = await createWorld({ postgres, env: { MAIL_RATE: '60' } })
    const { deps, clock } = world
    const workshop = await world.workshop({ capacity: 4 })
    const people = await registerPeople(world, workshop, 4)
    clock.set(workshop.endsAt)
    for (const { id } of people.slice(0, 3)) await checkIn(world, id)
    expect(await closeAttendance(deps, actor, await reloadWorkshop(world, workshop), { thank: true })).toMatchObject({
      thanked: 3,
    })
    const due = await query<{ seconds: number }>(
      world.db,
      sql`select extract(epoch from due_at - created_at)::int as seconds from mails where kind = 'afterwards' order by id`,
    )
    expect(due.map(({ seconds }) => seconds)).toEqual([0, 2, 4])
    // No mail server was configured until now.
    clock.advance({ days: 14 })
    expect((await claimDueMails(deps, 10, 60)).mails.filter(({ kind }) => kind === 'afterwards')).toEqual([])
    const found = await query(world.db, sql`select distinct state, reason from mails where kind = 'afterwards'`)
    expect(found).toEqual([{ state: 'dead', reason: 'too_late' }])
  })

  test('thank-you and board return mails go to the corrected address', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const workshop = await world.workshop({ capacity: 2 })
    const [first, second] = await registerPeople(world, workshop, 2)
    clock.set(new Date(workshop.endsAt.getTime() - hourMs))
    await claimDueMails(deps, 10, 24 * 3600)
    for (const { id } of [first, second]) await checkIn(world, id)
    await lendNewBoard(world, first.id, 'RTB-001')
    expect(await requestReturns(deps, actor, workshop)).toBe(1)
    await closeAttendance(deps, actor, await reloadWorkshop(world, workshop), { thank: true })
    // The first attendee's mails are claimed, but their sender crashed before sending.
    await correctEmail(deps, first.id, 'first@example.com')
    await claimDueMails(deps, 10, 60)
    await correctEmail(deps, second.id, 'second@example.com')
    clock.advance({ minutes: 2 })
    const { mails } = await claimDueMails(deps, 10, 60)
    expect(mails.map(({ kind, registration }) => `${kind} ${registration?.email}`).sort()).toEqual([
      'afterwards first@example.com',
      'afterwards second@example.com',
      'board_due first@example.com',
      'confirmed first@example.com',
      'confirmed second@example.com',
    ])
  })

  test('issueCertificate needs a check-in, keeps the number when issued again, and is invalid while the check-in is reverted', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const workshop = await world.workshop({ capacity: 3 })
    const [attended, noShow, other] = await registerPeople(world, workshop, 3)
    clock.set(workshop.startsAt)
    const scan = await checkIn(world, attended.id)
    const issue = async ({ id }: { id: string }, name = '王小明', keepName = false, number?: () => string) =>
      issueCertificate(deps, { id, workshop: await reloadWorkshop(world, workshop) }, { name, keepName }, number)
    expect(await issue(attended)).toEqual({ kind: 'refused', refusal: 'too_early' })
    clock.set(workshop.endsAt)
    expect(await issue(noShow)).toEqual({ kind: 'refused', refusal: 'did_not_come' })
    expect(await issue({ id: workshop.id })).toEqual({ kind: 'refused', refusal: 'not_found' })
    const first = await issue(attended)
    const again = await issue(attended, '王晓明', true)
    const number = again.kind === 'issued' ? again.certificate.number : ''
    expect(first).toMatchObject({ kind: 'issued', certificate: { number, name: '王小明', keepName: false } })
    expect(number).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/)
    expect(await findCertificate(deps, attended.id)).toEqual({
      number,
      name: '王晓明',
      keepName: true,
      issuedAt: clock.now(),
    })

    // A number that is already taken is generated again.
    await checkIn(world, other.id)
    const numbers = [number, number, 'ABCDEFGHJK']
    expect(await issue(other, '李', false, () => numbers.shift() as string)).toMatchObject({
      certificate: { number: 'ABCDEFGHJK' },
    })

    expect(await verifyCertificate(deps, number)).toMatchObject({
      name: '王晓明',
      valid: true,
      workshop: { id: workshop.id },
    })
    await revertCheckIn(world, scan)
    expect(await verifyCertificate(deps, number)).toMatchObject({ valid: false })
    await checkIn(world, attended.id)
    expect(await verifyCertificate(deps, number)).toMatchObject({ valid: true })
    expect(await verifyCertificate(deps, '0000000000')).toBeUndefined()
  })

  test('replaceMaterials keeps the order, and listVisibleMaterials hides attendee-only ones before the check-in', async () => {
    await using world = await createWorld({ postgres })
    const { deps } = world
    const workshop = await world.workshop({ capacity: 1 })
    const [seated, waiting] = await registerPeople(world, workshop, 2)
    const material = (zh: string, afterwards: boolean): Material => ({
      ...{ title: { zh }, url: 'https://pan.example.com/s/1', note: { zh: '提取码 8k2d' }, afterwards },
    })
    const both = [material('课件', false), material('答案', true)]
    await replaceMaterials(deps, actor, workshop, both.toReversed())
    // Two concurrent saves: one of them wins.
    await Promise.all([replaceMaterials(deps, actor, workshop, both), replaceMaterials(deps, actor, workshop, both)])
    expect(await listMaterials(deps, workshop)).toEqual(both)
    const visibleTitles = async ({ id }: { id: string }, attended: boolean) =>
      (await listVisibleMaterials(deps, (await findRegistrationById(deps, id)) as Registration, attended)).map(
        ({ title }) => title.zh,
      )
    expect(await visibleTitles(seated, false)).toEqual(['课件'])
    expect(await visibleTitles(seated, true)).toEqual(['课件', '答案'])
    expect(await visibleTitles(waiting, false)).toEqual([])
  })

  test('saveFeedback accepts answers of attendees for two weeks after the end, and results contain no names', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const workshop = await world.workshop({ capacity: 4 })
    const [first, second, noShow] = await registerPeople(world, workshop, 3)
    clock.set(workshop.startsAt)
    await checkIn(world, first.id)
    await checkIn(world, second.id)
    const submit = async ({ id }: { id: string }, useful: number | undefined, better = '') =>
      saveFeedback(
        deps,
        { id, workshop: await reloadWorkshop(world, workshop) },
        { ratings: useful ? { useful } : {}, texts: better ? { better } : {} },
      )
    expect(await submit(first, 5)).toBe('too_early')
    clock.set(workshop.endsAt)
    expect(await submit(first, undefined)).toBe('empty')
    expect(await submit(noShow, 1)).toBe('did_not_come')
    expect(await submit(first, 5)).toBe('saved')
    expect(await submit(first, 2, '多留点时间做实验')).toBe('saved')
    expect(await submit(second, 4)).toBe('saved')
    const results = await feedbackResults(deps, await reloadWorkshop(world, workshop))
    expect(results.answered).toBe(2)
    expect(results.questions).toMatchObject([
      { kind: 'rating', counts: [0, 1, 0, 1, 0], average: 3 },
      { kind: 'rating', counts: [0, 0, 0, 0, 0], average: null },
      { kind: 'text', texts: ['多留点时间做实验'] },
    ])
    expect(JSON.stringify(await allAnswers(deps, workshop))).not.toMatch(/学员|example/)
    clock.set(new Date(workshop.endsAt.getTime() + 14 * 24 * hourMs))
    expect(await submit(first, 1)).toBe('too_late')
    // Closing the attendance late starts a new period of two weeks.
    await closeAttendance(deps, actor, workshop, { thank: false })
    expect(await submit(first, 1)).toBe('saved')
    expect(await findFeedback(deps, first.id)).toEqual({ ratings: { useful: 1 }, texts: {} })
  })

  test('replaceQuestions refuses to remove or retype a question that has answers', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const workshop = await world.workshop()
    const { id } = await world.register(workshop)
    const set = async (drafts: Parameters<typeof replaceQuestions>[3]) =>
      replaceQuestions(deps, actor, await reloadWorkshop(world, workshop), drafts)
    const rated = { kind: 'rating', text: { zh: '板子好用吗？' } } as const
    const first = await set([rated])
    expect(first).toMatchObject({ kind: 'changed', workshop: { feedbackQuestions: [rated] } })
    const [question] = listQuestions(await reloadWorkshop(world, workshop))
    clock.set(workshop.endsAt)
    await checkIn(world, id)
    const answers = parseAnswers([question as never], () => '4')
    await saveFeedback(
      deps,
      { id, workshop: await reloadWorkshop(world, workshop) },
      (answers as { answers: never }).answers,
    )
    expect(await set([])).toMatchObject({ kind: 'refused', refusal: 'answered', questions: [question] })
    expect(await set([{ id: question?.id, kind: 'text', text: { zh: '换了' } }])).toMatchObject({ refusal: 'answered' })
    const reworded = { id: question?.id, kind: 'rating', text: { zh: '开发板好用吗？' } } as const
    const after = await set([{ kind: 'text', text: { zh: '还想学什么？' } }, reworded, reworded])
    const questions = after.kind === 'changed' ? listQuestions(after.workshop) : []
    expect(questions[1]).toEqual(reworded)
    // A duplicate id would assign one answer to two questions.
    expect(new Set(questions.map(({ id }) => id)).size).toBe(3)
    expect((await feedbackResults(deps, await reloadWorkshop(world, workshop))).questions[1]).toMatchObject({
      average: 4,
    })
  })

  test('listPastAttendances and computeYearlyStatistics include only workshops whose attendance is closed', async () => {
    await using world = await createWorld({ postgres })
    const { deps, clock } = world
    const items = [{ kind: 'prerequisite' as const, text: { zh: 'C 语言' }, mustConfirm: true }]
    const workshop = await world.workshop({ capacity: 3, items })
    const open = await world.workshop({ capacity: 3 })
    const item = workshop.items[0]?.id as string
    const ready = await world.register(workshop, { ready: { [item]: true } })
    await world.register(workshop, { ready: { [item]: false } })
    await world.register(workshop)
    await world.register(open)
    clock.set(workshop.endsAt)
    await checkIn(world, ready.id)
    expect(await listPastAttendances(deps)).toEqual([])
    await closeAttendance(deps, actor, workshop, { thank: false })
    expect(await listPastAttendances(deps)).toMatchObject([{ city: workshop.city, expected: 3, noShows: 2 }])
    const { years } = await computeYearlyStatistics(deps)
    expect(years).toMatchObject([{ expected: 3, noShows: 2, asked: 3, ready: 1 }])
  })
})

const pastWorkshop = (city: string, expected: number, noShows: number, title = '入门'): PastAttendance => ({
  ...{ title: { zh: title }, city: { zh: city }, expected, noShows },
})
const nextWorkshop = { title: { zh: '入门', en: 'Beginners' }, city: { zh: '上海' } }

test('suggestOverbooking returns too_little for two workshops or few attendees', () => {
  expect(suggestOverbooking([pastWorkshop('上海', 40, 8), pastWorkshop('上海', 40, 8)], nextWorkshop, 40)).toEqual({
    kind: 'too_little',
    workshops: 2,
    expected: 80,
  })
  const small = [pastWorkshop('上海', 9, 2), pastWorkshop('上海', 9, 2), pastWorkshop('上海', 9, 2)]
  expect(suggestOverbooking(small, nextWorkshop, 40).kind).toBe('too_little')
})

test('suggestOverbooking prefers the same workshop in the same city, then the same title, then all workshops', () => {
  const here = [pastWorkshop('上海', 40, 4), pastWorkshop('上海', 40, 4), pastWorkshop('上海', 40, 4)]
  const there = [pastWorkshop('南京', 40, 20), pastWorkshop('南京', 40, 20), pastWorkshop('南京', 40, 20)]
  const others = [pastWorkshop('成都', 40, 8, '进阶'), pastWorkshop('成都', 40, 8, '进阶')]
  const basis = (some: PastAttendance[]) => {
    const suggestion = suggestOverbooking(some, nextWorkshop, 40)
    return suggestion.kind === 'suggested' && [suggestion.basis, suggestion.expected, suggestion.noShows]
  }
  expect(basis([...here, ...there, ...others])).toEqual(['same', 120, 12])
  expect(basis([...here.slice(1), ...there, ...others])).toEqual(['title', 200, 68])
  expect(basis([...here.slice(2), ...others])).toEqual(['all', 120, 20])
})

test('suggestOverbooking returns the Wilson interval as published', () => {
  // Of 263 people 81: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3).
  const suggestion = suggestOverbooking(
    [pastWorkshop('上海', 88, 27), pastWorkshop('上海', 88, 27), pastWorkshop('上海', 87, 27)],
    nextWorkshop,
    40,
  )
  if (suggestion.kind !== 'suggested') throw new Error('nothing was suggested')
  expect(suggestion.rate.found).toBeCloseTo(81 / 263, 10)
  expect(suggestion.rate.low).toBeCloseTo(0.2553, 4)
  expect(suggestion.rate.high).toBeCloseTo(0.3662, 4)
})

test('suggestOverbooking returns the largest number within the accepted risk', () => {
  const many = Array.from({ length: 12 }, () => pastWorkshop('上海', 40, 8))
  const suggestion = suggestOverbooking(many, nextWorkshop, 40)
  if (suggestion.kind !== 'suggested') throw new Error('nothing was suggested')
  const jeffreys = { a: 96.5, b: 384.5 }
  expect(overflowProbability(40, suggestion.overbook, jeffreys)).toBeLessThanOrEqual(maxRisk)
  expect(overflowProbability(40, suggestion.overbook + 1, jeffreys)).toBeGreaterThan(maxRisk)
})

test('overflowProbability is correct for a beta-binomial of one, two and many people', () => {
  // For one person with no-show mean a / (a + b), the probability of no no-show is b / (a + b).
  expect(overflowProbability(0, 1, { a: 2, b: 6 })).toBeCloseTo(6 / 8, 12)
  // Uniform over 0, 1, 2 when a = b = 1: for two people, fewer than one or fewer than two.
  expect(overflowProbability(1, 1, { a: 1, b: 1 })).toBeCloseTo(1 / 3, 12)
  expect(overflowProbability(0, 2, { a: 1, b: 1 })).toBeCloseTo(2 / 3, 12)
  // The first term underflows, and the result is still a probability.
  expect(overflowProbability(50_000, 1000, { a: 1000, b: 1000 })).toBe(0)
  expect(overflowProbability(50_000, 20_000, { a: 1, b: 1e6 })).toBeCloseTo(1, 6)
})

test('suggestOverbooking is lower when workshops vary more, and zero when every attendee came', () => {
  const steady = suggestOverbooking(
    Array.from({ length: 8 }, () => pastWorkshop('上海', 40, 8)),
    nextWorkshop,
    40,
  )
  const wild = suggestOverbooking(
    Array.from({ length: 8 }, (_, n) => pastWorkshop('上海', 40, n % 2 ? 0 : 16)),
    nextWorkshop,
    40,
  )
  if (steady.kind !== 'suggested' || wild.kind !== 'suggested') throw new Error('nothing was suggested')
  expect(steady.rate.found).toBe(wild.rate.found)
  expect(wild.overbook).toBeLessThan(steady.overbook)
  expect(wild.rate.high - wild.rate.low).toBeGreaterThan(steady.rate.high - steady.rate.low)
  const all = suggestOverbooking(
    Array.from({ length: 8 }, () => pastWorkshop('上海', 40, 0)),
    nextWorkshop,
    40,
  )
  expect(all).toMatchObject({ overbook: 0, rate: { found: 0, low: 0 } })
  const none = suggestOverbooking(
    Array.from({ length: 8 }, () => pastWorkshop('上海', 40, 40)),
    nextWorkshop,
    40,
  )
  expect(none).toMatchObject({ rate: { found: 1 } })
})

test('parseCertificateNumber accepts common ways of typing a number and rejects everything else', () => {
  expect(formatCertificateNumber('7K3QM9XB2D')).toBe('7K3QM-9XB2D')
  for (const input of ['7K3QM-9XB2D', '7k3qm 9xb2d', ' ７Ｋ３ＱＭ－９ＸＢ２Ｄ ', '7K3QM—9XB2D', '7K-3Q-M9-XB-2D'])
    expect([input, parseCertificateNumber(input)]).toEqual([input, '7K3QM9XB2D'])
  expect(parseCertificateNumber('oil0O-1lI11')).toBe('0110011111')
  for (const invalid of [
    '',
    '7K3QM9XB2',
    '7K3QM9XB2DD',
    '7K3QM9XB2U',
    '7K3QM9XB2\u0000',
    '王'.repeat(10),
    '0'.repeat(1e6),
  ])
    expect(parseCertificateNumber(invalid)).toBeUndefined()
})

const hourMs = 3600 * 1000

const reloadWorkshop = async (world: World, { slug }: Workshop) => (await findWorkshop(world.deps, slug)) as Workshop
const hasId = ({ id }: { id: string }) => sql`id = ${id}::uuid`

async function registerPeople(world: World, workshop: Workshop, n: number) {
  const all = []
  for (let i = 0; i < n; i++) all.push(await world.register(workshop))
  return all as [(typeof all)[0], (typeof all)[0], (typeof all)[0], (typeof all)[0], (typeof all)[0], (typeof all)[0]]
}

/** Adds a walk-in without an e-mail address. */
async function insertWalkIn(world: World, workshop: Workshop): Promise<{ id: string }> {
  const id = world.deps.newId()
  const at = world.clock.now()
  await world.db.insert(registrations).values({
    ...{
      id,
      workshopId: workshop.id,
      firstWorkshopId: workshop.id,
      seq: 1000,
      status: 'confirmed',
      firstStatus: 'confirmed',
    },
    ...{ name: '路过', email: '', emailKey: id, locale: 'zh-CN', idempotencyKey: id, fingerprint: '' },
    ...{ consentVersion: 'by word', consentAt: at, createdAt: at, placedAt: at, seatedAt: at, walkInAt: at },
  })
  return { id }
}

async function thankYouRecipients(world: World): Promise<string[]> {
  const found = await query<{ id: string }>(
    world.db,
    sql`select registration_id as id from mails where kind = 'afterwards' order by id`,
  )
  return found.map(({ id }) => id)
}
