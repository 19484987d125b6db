import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { certificates, checkIns, doorSessions, feedback, loans, registrations } from '../../../src/db/schema.ts'
import { canReopenAttendance, closeAttendance } from '../../../src/domain/attendance/attendance.ts'
import { issueCertificate, verifyCertificate } from '../../../src/domain/attendance/certificates.ts'
import { feedbackResults, saveFeedback } from '../../../src/domain/attendance/feedback.ts'
import { exportPersonalData, purge } from '../../../src/domain/registrations/privacy.ts'
import { findRegistrationById, type Registration } from '../../../src/domain/registrations/registrations.ts'
import { eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import { findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { checkIn, lendNewBoard, revertCheckIn } from '../../support/seeds/attendance.ts'
import { createWorld, type World } from '../../support/world.ts'

/** Seeds an attendee with everything a workshop leaves behind: two check-ins, a board loan, a certificate, feedback and a thank-you mail. */
async function seedPastWorkshop(world: World, keepName = false) {
  const { deps, clock, db } = world
  const workshop = await world.workshop({ capacity: 3 })
  const person = await world.register(workshop, {
    ...{ name: '欧阳修竹', email: 'xiuzhu@example.com', phone: '+8613800138000', company: '竹里馆' },
  })
  clock.set(workshop.startsAt)
  const session = deps.newId()
  await db.insert(doorSessions).values({
    ...{ id: session, workshopId: workshop.id, name: '门口小李', hash: 'hash', userAgent: '小李的手机' },
    ...{ createdAt: clock.now(), expiresAt: workshop.endsAt },
  })
  await revertCheckIn(world, await checkIn(world, person.id))
  const scan = await checkIn(world, person.id)
  await db.update(checkIns).set({ doorSessionId: session }).where(eq(checkIns.id, scan))
  const loan = await lendNewBoard(world, person.id, 'A-01')
  clock.set(workshop.endsAt)
  const about = { id: person.id, workshop: (await findWorkshop(deps, workshop.slug)) as Workshop }
  const issued = await issueCertificate(deps, about, { name: '欧阳修竹（证书）', keepName })
  await saveFeedback(deps, about, { ratings: { useful: 5 }, texts: { better: '我是竹里馆的欧阳，下次多讲中断' } })
  await closeAttendance(deps, { name: '主办方' }, workshop, { thank: true })
  const number = issued.kind === 'issued' ? issued.certificate.number : ''
  return { workshop, person, loan, number }
}

const returnLoan = (world: World, loan: string) =>
  world.db.update(loans).set({ returnedAt: world.clock.now(), returnedBy: '收板小钱' }).where(eq(loans.id, loan))

const advancePastRetention = (world: World, { endsAt }: Workshop) =>
  world.clock.set(new Date(endsAt.getTime() + world.deps.config.retentionDays * 24 * 3600 * 1000 + 1000))

/** Dumps all rows of all tables as one text. */
async function dumpTables(world: World): Promise<string> {
  const tables = await query<{ name: string }>(
    world.db,
    sql`select tablename::text as name from pg_tables where schemaname = 'public'`,
  )
  const dumps = []
  for (const { name } of tables) {
    const [dump] = await query<{ text: string }>(
      world.db,
      sql`select ${name} || coalesce(jsonb_agg(to_jsonb(t))::text, '') as text from ${sql.identifier(name)} t`,
    )
    dumps.push(dump?.text)
  }
  return dumps.join('\n')
}

const attendeeData = /欧阳|xiuzhu|13800138000|竹里馆|中断/
const helperNames = /小李|小赵|小钱/

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  test('purge after RETENTION_DAYS removes all attendee data and helper names from every table and keeps counts', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, person, loan, number } = await seedPastWorkshop(world)
    await returnLoan(world, loan)
    expect(await dumpTables(world)).toMatch(attendeeData)
    expect(await dumpTables(world)).toMatch(helperNames)
    advancePastRetention(world, workshop)
    expect(await purge(world.deps)).toBe(1)
    const left = await dumpTables(world)
    expect(left).not.toMatch(attendeeData)
    expect(left).not.toMatch(helperNames)
    expect(canReopenAttendance(world.deps, workshop)).toBe(false)
    // The rows that are counted remain.
    expect(await world.db.select().from(doorSessions)).toEqual([])
    expect((await world.db.select().from(checkIns)).map(({ outcome }) => outcome).toSorted()).toEqual(['in', 'undone'])
    expect(await world.db.select().from(loans)).toMatchObject([
      { registrationId: person.id, lentBy: '', returnedBy: '' },
    ])
    const results = await feedbackResults(world.deps, (await findWorkshop(world.deps, workshop.slug)) as Workshop)
    expect(results).toMatchObject({ answered: 1, questions: [{ average: 5 }, {}, { texts: [] }] })
    expect(await verifyCertificate(world.deps, number)).toMatchObject({ name: null, valid: true })
    expect(await purge(world.deps)).toBe(0)
  })

  test('purge keeps a name on the certificate if the attendee chose so, and nowhere else', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, loan, number } = await seedPastWorkshop(world, true)
    await returnLoan(world, loan)
    advancePastRetention(world, workshop)
    await purge(world.deps)
    expect(await verifyCertificate(world.deps, number)).toMatchObject({ name: '欧阳修竹（证书）', valid: true })
    await world.db.update(certificates).set({ name: null })
    expect(await dumpTables(world)).not.toMatch(attendeeData)
  })

  test('eraseRegistrations erases a person at once, including the kept name on the certificate', async () => {
    await using world = await createWorld({ postgres })
    const { person, number, loan } = await seedPastWorkshop(world, true)
    await returnLoan(world, loan)
    expect(await eraseRegistrations(world.deps, [person.id], 'attendee')).toBe(1)
    expect(await dumpTables(world)).not.toMatch(attendeeData)
    expect(await verifyCertificate(world.deps, number)).toMatchObject({ name: null, valid: true })
    // Nothing can be added to an erased person.
    const about = { id: person.id, workshop: (await verifyCertificate(world.deps, number))?.workshop as Workshop }
    expect(await issueCertificate(world.deps, about, { name: '欧阳', keepName: true })).toMatchObject({
      refusal: 'not_found',
    })
    expect(await saveFeedback(world.deps, about, { ratings: {}, texts: { better: '欧阳' } })).toBe('did_not_come')
    expect(await dumpTables(world)).not.toMatch(attendeeData)
  })

  test('purge keeps an attendee until the lent board is returned, and nobody else', async () => {
    await using world = await createWorld({ postgres })
    const other = await world.register(await world.workshop())
    const { workshop, person, loan } = await seedPastWorkshop(world)
    advancePastRetention(world, workshop)
    await purge(world.deps)
    const remainingIds = async () =>
      (await world.db.select().from(registrations)).filter(({ erasedAt }) => !erasedAt).map(({ id }) => id)
    expect(await remainingIds()).toEqual([person.id])
    expect(await world.db.select().from(doorSessions)).toEqual([])
    // A purge that selected them earlier does not erase them either.
    expect(await eraseRegistrations(world.deps, [person.id, other.id], 'purge')).toBe(0)
    await returnLoan(world, loan)
    expect(await purge(world.deps)).toBe(1)
    expect(await remainingIds()).toEqual([])
    expect(await dumpTables(world)).not.toMatch(attendeeData)
  })
})

test('exportPersonalData includes check-ins, loans, certificate and feedback', async () => {
  await using world = await createWorld()
  const { person, number } = await seedPastWorkshop(world)
  const registration = (await findRegistrationById(world.deps, person.id)) as Registration
  const copy = JSON.parse(JSON.stringify(await exportPersonalData(world.deps, registration)))
  expect(copy).toMatchObject({
    checkIns: [{ outcome: 'undone' }, { outcome: 'in' }],
    loans: [{ kind: 'STM32F407', serial: 'A-01', returned_at: null }],
    certificate: { number, name: '欧阳修竹（证书）', keepName: false },
    feedback: { ratings: { useful: 5 }, texts: { better: expect.stringContaining('中断') } },
  })
  // Helpers have not consented to sharing their names.
  expect(JSON.stringify(copy)).not.toMatch(helperNames)
  expect(await world.db.select().from(feedback)).toHaveLength(1)
})
