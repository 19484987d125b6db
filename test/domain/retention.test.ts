import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { rows } from '../../src/db/database.ts'
import { certificates, checkIns, doorSessions, feedback, loans, registrations } from '../../src/db/schema.ts'
import { closeAttendance, mayReopen } from '../../src/domain/attendance.ts'
import { issueCertificate, verifyCertificate } from '../../src/domain/certificates.ts'
import { feedbackResults, giveFeedback } from '../../src/domain/feedback.ts'
import { copyOfData, purge } from '../../src/domain/privacy.ts'
import { findRegistrationById, type Registration } from '../../src/domain/registrations.ts'
import { forgetPeople } from '../../src/domain/seats.ts'
import { findWorkshop, type Workshop } from '../../src/domain/workshops.ts'
import { checkIn, lend, undo } from '../support/attendance.ts'
import { createWorld, type World } from '../support/world.ts'

/*
 * Somebody came with all that a day leaves behind: checked in twice, a board, a certificate, what they wrote, the mail of thanks.
 */
async function theDay(world: World, keepName = false) {
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
  await undo(world, await checkIn(world, person.id))
  const scan = await checkIn(world, person.id)
  await db.update(checkIns).set({ doorSessionId: session }).where(eq(checkIns.id, scan))
  const loan = await lend(world, person.id, 'A-01')
  clock.set(workshop.endsAt)
  const about = { id: person.id, workshop: (await findWorkshop(deps, workshop.slug)) as Workshop }
  const issued = await issueCertificate(deps, about, { name: '欧阳修竹（证书）', keepName })
  await giveFeedback(deps, about, { ratings: { useful: 5 }, texts: { better: '我是竹里馆的欧阳，下次多讲中断' } })
  await closeAttendance(deps, { name: '主办方' }, workshop, { thank: true })
  const number = issued.kind === 'issued' ? issued.certificate.number : ''
  return { workshop, person, loan, number }
}

const giveBack = (world: World, loan: string) =>
  world.db.update(loans).set({ returnedAt: world.clock.now(), returnedBy: '收板小钱' }).where(eq(loans.id, loan))

const retentionLater = (world: World, { endsAt }: Workshop) =>
  world.clock.set(new Date(endsAt.getTime() + world.deps.config.retentionDays * 24 * 3600 * 1000 + 1000))

/** Everything that is stored, in every table, as one text. */
async function everything(world: World): Promise<string> {
  const tables = await rows<{ name: string }>(
    world.db,
    sql`select tablename::text as name from pg_tables where schemaname = 'public'`,
  )
  const dumps = []
  for (const { name } of tables) {
    const [dump] = await rows<{ text: string }>(
      world.db,
      sql`select ${name} || coalesce(jsonb_agg(to_jsonb(t))::text, '') as text from ${sql.identifier(name)} t`,
    )
    dumps.push(dump?.text)
  }
  return dumps.join('\n')
}

const personal = /欧阳|xiuzhu|13800138000|竹里馆|中断/
const helpers = /小李|小赵|小钱/

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  test('after RETENTION_DAYS no table tells who somebody was or who stood at the door; counts stay', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, person, loan, number } = await theDay(world)
    await giveBack(world, loan)
    expect(await everything(world)).toMatch(personal)
    expect(await everything(world)).toMatch(helpers)
    retentionLater(world, workshop)
    expect(await purge(world.deps)).toBe(1)
    const left = await everything(world)
    expect(left).not.toMatch(personal)
    expect(left).not.toMatch(helpers)
    expect(mayReopen(world.deps, workshop)).toBe(false)
    // What counts is still there.
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

  test('a name stays on a certificate where that was asked for, and on nothing else', async () => {
    await using world = await createWorld({ postgres })
    const { workshop, loan, number } = await theDay(world, true)
    await giveBack(world, loan)
    retentionLater(world, workshop)
    await purge(world.deps)
    expect(await verifyCertificate(world.deps, number)).toMatchObject({ name: '欧阳修竹（证书）', valid: true })
    await world.db.update(certificates).set({ name: null })
    expect(await everything(world)).not.toMatch(personal)
  })

  test('who asks to be erased goes at once, from the certificate too, whatever was asked for before', async () => {
    await using world = await createWorld({ postgres })
    const { person, number, loan } = await theDay(world, true)
    await giveBack(world, loan)
    expect(await forgetPeople(world.deps, [person.id], 'attendee')).toBe(1)
    expect(await everything(world)).not.toMatch(personal)
    expect(await verifyCertificate(world.deps, number)).toMatchObject({ name: null, valid: true })
    // Nothing comes back to somebody who is gone.
    const about = { id: person.id, workshop: (await verifyCertificate(world.deps, number))?.workshop as Workshop }
    expect(await issueCertificate(world.deps, about, { name: '欧阳', keepName: true })).toMatchObject({
      refusal: 'not_found',
    })
    expect(await giveFeedback(world.deps, about, { ratings: {}, texts: { better: '欧阳' } })).toBe('did_not_come')
    expect(await everything(world)).not.toMatch(personal)
  })

  test('who still has a board is kept until it is back, and others are not kept with them', async () => {
    await using world = await createWorld({ postgres })
    const other = await world.register(await world.workshop())
    const { workshop, person, loan } = await theDay(world)
    retentionLater(world, workshop)
    await purge(world.deps)
    const known = async () =>
      (await world.db.select().from(registrations)).filter(({ erasedAt }) => !erasedAt).map(({ id }) => id)
    expect(await known()).toEqual([person.id])
    expect(await world.db.select().from(doorSessions)).toEqual([])
    // A purge that chose them a moment before is told so too.
    expect(await forgetPeople(world.deps, [person.id, other.id], 'purge')).toBe(0)
    await giveBack(world, loan)
    expect(await purge(world.deps)).toBe(1)
    expect(await known()).toEqual([])
    expect(await everything(world)).not.toMatch(personal)
  })
})

test('a copy of one’s data has the check-ins, the board, the certificate and the answers', async () => {
  await using world = await createWorld()
  const { person, number } = await theDay(world)
  const registration = (await findRegistrationById(world.deps, person.id)) as Registration
  const copy = JSON.parse(JSON.stringify(await copyOfData(world.deps, registration)))
  expect(copy).toMatchObject({
    checkIns: [{ outcome: 'undone' }, { outcome: 'in' }],
    loans: [{ kind: 'STM32F407', serial: 'A-01', returned_at: null }],
    certificate: { number, name: '欧阳修竹（证书）', keepName: false },
    feedback: { ratings: { useful: 5 }, texts: { better: expect.stringContaining('中断') } },
  })
  // Whose names they are has not agreed to that.
  expect(JSON.stringify(copy)).not.toMatch(helpers)
  expect(await world.db.select().from(feedback)).toHaveLength(1)
})
