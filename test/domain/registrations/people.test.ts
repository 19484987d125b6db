import { eq, isNull, sql } from 'drizzle-orm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { auditEntries, registrations } from '../../../src/db/schema.ts'
import { createLink } from '../../../src/domain/promotion/registration-links.ts'
import {
  acceptPersonOffer,
  addPerson,
  cancelPerson,
  correctPerson,
  findPerson,
  findPersonAudited,
  movePerson,
  type Person,
  promotePerson,
  resendPersonMail,
} from '../../../src/domain/registrations/admin.ts'
import {
  countPeople,
  findDuplicates,
  listPeople,
  type PeopleFilter,
  streamPeople,
} from '../../../src/domain/registrations/list.ts'
import { buildSearchKey } from '../../../src/domain/registrations/name-search.ts'
import { consentVersion } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { changeWorkshop, findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../../support/world.ts'

const actor = { name: '林老师' }

test('buildSearchKey contains pinyin, joined pinyin and initials', async () => {
  expect(await buildSearchKey('王小明')).toBe('wang xiao ming / wangxiaoming / wxm')
  expect(await buildSearchKey('单雄信')).toBe('shan xiong xin / shanxiongxin / sxx')
  expect(await buildSearchKey('吕布')).toBe('lv bu / lvbu / lb')
  expect(await buildSearchKey('Zoë  O’Neill')).toBe('zoe o neill / zoeoneill / zon')
  expect(await buildSearchKey('Ann 李')).toBe('ann li / annli / al')
  expect(await buildSearchKey('😀')).toBe(' /  / ')
})

// The SQL must behave the same on PGlite and on Postgres.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const newWorld = () => createWorld({ postgres })

  test('listPeople finds people by name, pinyin, initials, e-mail, company, number and last digits of the phone', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 9 })
    await world.register(workshop, { name: '王小明', email: 'Wang.X@example.com', phone: '+8613800138000' })
    await world.register(workshop, { name: '李安', email: '12345678@qq.com', company: '睿赛德 Real-Thread' })
    await world.register(workshop, { name: 'Ann_100% Lee', email: 'ann@example.com' })
    const found = async (search: string) => listNames((await listPeople(world.deps, [workshop], { search })).lines)
    expect(await found('小明')).toEqual(['王小明'])
    expect(await found(' 王 小明')).toEqual(['王小明'])
    expect(await found('WXM')).toEqual(['王小明'])
    expect(await found('ｗｘｍ')).toEqual(['王小明'])
    expect(await found('wang xiao')).toEqual(['王小明'])
    expect(await found('8000')).toEqual(['王小明'])
    expect(await found('138 0013 8000')).toEqual(['王小明'])
    expect(await found('+86 138-0013-8000')).toEqual(['王小明'])
    expect(await found('wang.x@EXAMPLE.com')).toEqual(['王小明'])
    expect(await found('0013')).toEqual([])
    expect(await found('1234567')).toEqual(['李安'])
    expect(await found('real-thread')).toEqual(['李安'])
    expect(await found('2')).toEqual(['李安'])
    expect(await found('ann lee')).toEqual([])
    expect(await found('lee')).toEqual(['Ann_100% Lee'])
    expect(await found('_100%')).toEqual(['Ann_100% Lee'])
    expect(await found('n%l')).toEqual([])
    expect(await found('\\')).toEqual([])
    expect(await found('nobody')).toEqual([])
  })

  test('listPeople computes search keys when Latin letters are searched, again after a name was corrected', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 9 })
    const { id } = await world.register(workshop, { name: '王小明' })
    const countMissingKeys = async () =>
      (await world.db.select().from(registrations).where(isNull(registrations.nameSearch))).length
    await listPeople(world.deps, [workshop], { search: '王' })
    expect(await countMissingKeys()).toBe(1)
    await listPeople(world.deps, [workshop], { search: 'zzz' })
    expect(await countMissingKeys()).toBe(0)
    const person = await loadPerson(world, id)
    await correctPerson(world.deps, actor, person, { ...person, name: '汪小民' })
    expect(await countMissingKeys()).toBe(1)
    const byInitials = await listPeople(world.deps, [workshop], { search: 'wxm' })
    expect(listNames(byInitials.lines)).toEqual(['汪小民'])
  })

  test('listPeople does not find an erased person by any search', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 9 })
    const { id } = await world.register(workshop, { name: '王小明' })
    await listPeople(world.deps, [workshop], { search: 'wxm' })
    await eraseRegistrations(world.deps, [id], 'organiser')
    for (const search of ['wxm', '王', id.slice(0, 8), '1'])
      expect((await listPeople(world.deps, [workshop], { search })).total).toBe(0)
    expect((await world.db.select().from(registrations)).map((row) => row.nameSearch)).toEqual([null])
    expect((await listPeople(world.deps, [workshop])).lines.map(({ erased }) => erased)).toEqual([true])
  })

  test('listPeople combines filters by status, link and readiness', async () => {
    await using world = await newWorld()
    const item = { kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true } as const
    const workshop = await world.workshop({
      capacity: 3,
      items: [item, { ...item, text: { zh: 'Studio' } }, { ...item, mustConfirm: false }],
    })
    const [c = '', studio = ''] = workshop.items.map(({ id }) => id)
    const link = await createLink(world.deps, { workshop: workshop.slug }, { channel: '海报' })
    const via = link?.code
    await world.register(workshop, { name: '甲', via, ready: { [c]: true, [studio]: true } })
    await world.register(workshop, { name: '乙', via, ready: { [c]: true, [studio]: false } })
    await world.register(workshop, { name: '丙', ready: { [c]: true } })
    await world.register(workshop, { name: '丁', ready: {} })
    const found = async (filter: PeopleFilter) => listNames((await listPeople(world.deps, [workshop], filter)).lines)
    expect(await found({ status: 'confirmed' })).toEqual(['甲', '乙', '丙'])
    expect(await found({ status: 'waitlisted' })).toEqual(['丁'])
    expect(await found({ link: via })).toEqual(['甲', '乙'])
    expect(await found({ link: 'none' })).toEqual(['丙', '丁'])
    expect(await found({ readiness: 'ready' })).toEqual(['甲'])
    expect(await found({ readiness: 'not_ready' })).toEqual(['乙'])
    expect(await found({ readiness: 'unanswered' })).toEqual(['丙', '丁'])
    expect(await found({ readiness: 'unanswered', status: 'confirmed', link: 'none', search: '丙' })).toEqual(['丙'])
    expect(await countPeople(world.deps, [workshop])).toEqual({
      statuses: { confirmed: 3, waitlisted: 1, offered: 0, cancelled: 0 },
      links: [
        { code: via, channel: '海报', people: 2 },
        { code: null, channel: null, people: 2 },
      ],
    })
  })

  test('listPeople sorts by number, name, time, status and company in both directions', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2 })
    const people = [
      { name: '梁红', company: 'B' },
      { name: '李安', company: 'a' },
      { name: '李刚' },
      { name: 'Adam', company: 'C' },
    ]
    for (const person of people) {
      await world.register(workshop, person)
      world.clock.advance({ minutes: 1 })
    }
    const sorted = async (by: 'number' | 'name' | 'time' | 'status' | 'company', descending = false) =>
      listNames((await listPeople(world.deps, [workshop], {}, { by, descending })).lines)
    expect(await sorted('number')).toEqual(['梁红', '李安', '李刚', 'Adam'])
    expect(await sorted('number', true)).toEqual(['Adam', '李刚', '李安', '梁红'])
    expect(await sorted('name')).toEqual(['Adam', '李安', '李刚', '梁红'])
    expect(await sorted('name', true)).toEqual(['梁红', '李刚', '李安', 'Adam'])
    expect(await sorted('time', true)).toEqual(['Adam', '李刚', '李安', '梁红'])
    expect(await sorted('status', true)).toEqual(['李刚', 'Adam', '梁红', '李安'])
    expect(await sorted('company')).toEqual(['李安', '梁红', 'Adam', '李刚'])
    expect(await sorted('company', true)).toEqual(['Adam', '梁红', '李安', '李刚'])
  })

  test('listPeople returns pages of 100 with the total, and streamPeople returns the same lines', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 5 })
    await createPeople(world, workshop, 260)
    const now = (await findWorkshop(world.deps, workshop.slug)) as Workshop
    const pages = []
    for (const page of [1, 2, 3]) pages.push(await listPeople(world.deps, [now], {}, { by: 'number' }, page))
    expect(pages.map(({ lines, total }) => [lines.length, total])).toEqual([
      [100, 260],
      [100, 260],
      [60, 260],
    ])
    const lines = pages.flatMap((page) => page.lines)
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 260 }, (_, i) => i + 1))
    expect(lines.map(({ position }) => position)).toEqual(Array.from({ length: 260 }, (_, i) => (i < 5 ? null : i - 4)))
    expect((await listPeople(world.deps, [now], {}, { by: 'number' }, 4)).page).toBe(1)
    const all = []
    for await (const chunk of streamPeople(world.deps, [now])) all.push(...chunk)
    expect(all).toEqual(lines)
  })

  test('listPeople of a campaign returns the people of all its workshops and no others', async () => {
    await using world = await newWorld()
    const [campaignId, workshops, other] = await createTwoCityCampaign(world)
    await world.register(workshops[1], { name: '乙' })
    await world.register(workshops[0], { name: '甲' })
    await world.register(other, { name: '别人' })
    expect(campaignId).toBeTruthy()
    expect(listNames((await listPeople(world.deps, workshops)).lines)).toEqual(['甲', '乙'])
    expect(listNames((await listPeople(world.deps, workshops, { search: 'yi' })).lines)).toEqual(['乙'])
  })

  test('promotePerson gives a free seat out of turn with a mail, and the invariants hold', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const [seated, first, second] = [
      await world.register(workshop),
      await world.register(workshop),
      await world.register(workshop),
    ]
    // While the workshop is closed, the freed seat stays free.
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    await cancelRegistration(world.deps, seated.id, 'organiser')
    const promoted = await promotePerson(world.deps, actor, await loadPerson(world, second.id), {
      reason: '讲师的助手',
      addSeat: false,
    })
    expect(promoted).toEqual({ kind: 'promoted', capacity: 1 })
    expect(await statusById(world)).toEqual({
      [seated.id]: 'cancelled',
      [first.id]: 'waitlisted',
      [second.id]: 'confirmed',
    })
    expect((await loadPerson(world, second.id)).history.at(-1)).toMatchObject({
      kind: 'seated',
      actor: '林老师',
      reason: '讲师的助手',
    })
    expect(await findViolations(world.deps)).toEqual([])
    await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('promotePerson refuses when full and adds a seat only when addSeat is set', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 2 })
    const people = []
    for (let i = 0; i < 5; i++) people.push(await world.register(workshop))
    const last = await loadPerson(world, people[4]?.id ?? '')
    const promote = (addSeat: boolean) => promotePerson(world.deps, actor, last, { reason: '助教', addSeat })
    expect(await promote(false)).toEqual({ kind: 'refused', refusal: 'full', taken: 2, capacity: 2 })
    expect(await promote(true)).toEqual({ kind: 'promoted', capacity: 3 })
    expect(await promote(true)).toMatchObject({ kind: 'refused', refusal: 'seated' })
    expect(Object.values(await statusById(world))).toEqual([
      'confirmed',
      'confirmed',
      'waitlisted',
      'waitlisted',
      'confirmed',
    ])
    const changed = (await findWorkshop(world.deps, workshop.slug)) as Workshop
    expect(changed).toMatchObject({ capacity: 3, taken: 3, waitlisted: 2, updatedAt: world.clock.now() })
    expect(await findViolations(world.deps)).toEqual([])
    await cancelPerson(world.deps, actor, last)
    expect((await statusById(world))[people[2]?.id ?? '']).toBe('confirmed')
    expect(await promote(true)).toMatchObject({ kind: 'refused', refusal: 'cancelled' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('promotePerson is possible until the workshop ends and rejects unknown registrations', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    const waiting = await loadPerson(world, (await world.register(workshop)).id)
    world.clock.set(workshop.startsAt)
    const promote = (person: Person) => promotePerson(world.deps, actor, person, { reason: '到场', addSeat: true })
    expect(await promote({ ...waiting, id: '00000000-0000-7000-8000-00000000ffff' })).toMatchObject({
      refusal: 'not_found',
    })
    world.clock.set(workshop.endsAt)
    expect(await promote(waiting)).toMatchObject({ refusal: 'over' })
    world.clock.set(workshop.startsAt)
    expect(await promote(waiting)).toMatchObject({ kind: 'promoted', capacity: 2 })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('concurrent promotions and cancellations keep the invariants', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 3 })
    const people: Person[] = []
    for (let i = 0; i < 12; i++) people.push(await loadPerson(world, (await world.register(workshop)).id))
    await Promise.all(
      people.map((person, i) =>
        i % 3 === 0
          ? cancelPerson(world.deps, actor, person)
          : promotePerson(world.deps, actor, person, { reason: '助教', addSeat: i % 2 === 0 }),
      ),
    )
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('findPerson returns the history in order with actors', async () => {
    await using world = await newWorld()
    const [, [shanghai, nanjing]] = await createTwoCityCampaign(world)
    const seated = await world.register(nanjing)
    await world.register(nanjing)
    const { id } = await world.register(shanghai, { name: '王小明', email: 'wang@example.com' })
    const step = async (act: (person: Person) => Promise<unknown>) => {
      world.clock.advance({ minutes: 5 })
      await act(await loadPerson(world, id))
    }
    await step((person) => movePerson(world.deps, actor, person, nanjing.slug))
    await step((person) =>
      correctPerson(world.deps, actor, person, { ...person, company: '睿赛德', email: 'w@example.com' }),
    )
    await step(() => cancelRegistration(world.deps, seated.id, 'attendee'))
    await step((person) => promotePerson(world.deps, actor, person, { reason: '远道而来', addSeat: true }))
    await step((person) => cancelPerson(world.deps, { name: '小陈' }, person))
    const { history, mails, otherRegistrations } = await loadPerson(world, id)
    expect(history.map(({ at: _, ...event }) => event)).toEqual([
      { kind: 'signed_up', status: 'confirmed' },
      { kind: 'moved', from: shanghai.id, actor: '林老师' },
      { kind: 'email_corrected', actor: '林老师' },
      { kind: 'changed', fields: ['company'], actor: '林老师' },
      { kind: 'seated', actor: '林老师', reason: '远道而来' },
      { kind: 'cancelled', by: 'organiser', actor: '小陈' },
    ])
    expect(mails.map(({ kind }) => kind)).toEqual(['confirmed', 'moved', 'waitlisted', 'promoted', 'cancelled'])
    expect(otherRegistrations).toEqual([])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('views and changes of a person are audited, with names kept out of facts', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const { id } = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    expect(await findPersonAudited(world.deps, actor, id)).toMatchObject({ name: '王小明' })
    expect(await findPersonAudited(world.deps, actor, '00000000-0000-7000-8000-00000000ffff')).toBeUndefined()
    await cancelPerson(world.deps, actor, await loadPerson(world, id))
    await cancelPerson(world.deps, actor, await loadPerson(world, id))
    const signUp = { name: '李安', email: 'li@example.com', locale: 'zh-CN', ready: {}, consentVersion }
    expect(await addPerson(world.deps, actor, workshop, signUp, 'by hand')).toMatchObject({ status: 'confirmed' })
    expect(await addPerson(world.deps, actor, workshop, signUp, 'by hand')).toMatchObject({ replayed: true })
    expect(await addPerson(world.deps, actor, workshop, signUp, 'again')).toEqual({
      kind: 'refused',
      refusal: 'already_registered',
    })
    const entries = await world.db.select().from(auditEntries).orderBy(auditEntries.id)
    expect(entries.map(({ actor, action, pii }) => [actor, action, pii?.name])).toEqual([
      ['林老师', 'person.looked_up', '王小明'],
      ['林老师', 'person.cancelled', '王小明'],
      ['林老师', 'person.added', '李安'],
    ])
    expect(JSON.stringify(entries.map(({ payload }) => payload))).not.toMatch(/王小明|李安|example\.com/)
    const [added] = await world.db.select().from(registrations).where(eq(registrations.name, '李安'))
    expect(added?.consentVersion).toBe(`${consentVersion}, by word of an organiser`)
  })

  test('correctPerson changes nothing when it is refused', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    await world.register(workshop, { email: 'taken@example.com' })
    const { id } = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    const person = await loadPerson(world, id)
    const changes = { name: '王晓明', email: 'Taken@example.com' }
    expect(await correctPerson(world.deps, actor, person, changes)).toEqual({
      kind: 'refused',
      refusal: 'already_registered',
    })
    expect(await loadPerson(world, id)).toMatchObject({ name: '王小明', email: 'wang@example.com' })
    expect(await correctPerson(world.deps, actor, person, person)).toEqual({ kind: 'corrected', fields: [] })
    expect(await world.db.select().from(auditEntries)).toEqual([])
    const corrected = await correctPerson(world.deps, actor, person, { name: '王晓明', email: person.email })
    expect(corrected).toEqual({ kind: 'corrected', fields: ['name'] })
    const [entry] = await world.db.select().from(auditEntries)
    expect(entry).toMatchObject({ pii: { before: { name: '王小明' }, after: { name: '王晓明' } } })
  })

  test('acceptPersonOffer accepts an offer for a person, and resendPersonMail retries only a failed mail of theirs', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
    const seated = await world.register(workshop)
    const { id } = await world.register(workshop)
    await cancelRegistration(world.deps, seated.id, 'attendee')
    expect(await acceptPersonOffer(world.deps, actor, await loadPerson(world, id))).toBe('taken')
    const person = await loadPerson(world, id)
    expect(person).toMatchObject({ status: 'confirmed', history: [{}, { kind: 'offered' }, { kind: 'seated' }] })
    const mail = person.mails[0]?.id ?? 0
    expect(await resendPersonMail(world.deps, actor, person, mail)).toBe('not_dead')
    await world.db.execute(sql`update mails set state = 'dead', last_error = 'no such mailbox' where id = ${mail}`)
    expect(await resendPersonMail(world.deps, actor, await loadPerson(world, seated.id), mail)).toBe('not_found')
    expect(await resendPersonMail(world.deps, actor, person, mail)).toBe('queued')
  })

  test('findDuplicates groups people with the same phone or name, earliest first', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const phone = '+8613800138000'
    const first = await world.register(workshop, { name: '王小明', phone })
    const late = await world.register(workshop, { name: '小明', phone })
    const sameName = await world.register(workshop, { name: '王 小明' })
    const gone = await world.register(workshop, { name: '王小明', phone })
    await world.register(workshop, { name: '李安', phone: '+8613900139000' })
    await cancelRegistration(world.deps, gone.id, 'attendee')
    const groups = await findDuplicates(world.deps, [workshop])
    expect(groups.map(({ by, people }) => [by, people.map(({ id }) => id)])).toEqual([
      ['phone', [first.id, late.id]],
      ['name', [first.id, sameName.id]],
    ])
  })

  test('findDuplicates ignores the same address in two workshops', async () => {
    await using world = await newWorld()
    const campaignId = (await world.campaign({ oneSeatPerPerson: false })).id
    const workshops = [await world.workshop({ campaignId }), await world.workshop({ campaignId })]
    for (const workshop of workshops) await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    expect(await findDuplicates(world.deps, workshops)).toEqual([])
  })
})

const latinNames = fc.stringMatching(/^[A-Z][a-z]{1,8}( [A-Z][a-z]{1,8}){0,2}$/)
const chineseNames = fc
  .tuple(
    fc.constantFrom(...'王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗单曾仇解区查尉'),
    fc.array(fc.constantFrom(...'小明红伟芳娜敏静丽强磊军洋勇艳杰涛超秀英霞平刚桂华乐行长重朝'), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([surname, rest]) => surname + rest.join(''))
const phoneNumbers = fc.integer({ min: 0, max: 99_999_999 }).map((n) => `+86138${String(n).padStart(8, '0')}`)

test('streamPeople finds everyone by initials, part of the name and last four digits of the phone', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1000 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: fc.oneof(chineseNames, latinNames), phone: phoneNumbers }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.nat(),
      async (people, seed) => {
        for (const person of people) {
          const { id } = await world.register(workshop, person)
          const finds = async (search: string) => {
            const found: string[] = []
            for await (const lines of streamPeople(world.deps, [workshop], { search }))
              found.push(...lines.map((line) => line.id))
            expect([search, person, found.includes(id)]).toEqual([search, person, true])
          }
          const from = seed % person.name.length
          await finds(person.name.slice(from, from + 1 + (seed % 3)).trim() || person.name)
          await finds(person.phone.slice(-4))
          await finds((await buildSearchKey(person.name)).split(' / ')[2] ?? '')
          await finds((await buildSearchKey(person.name)).split(' / ')[1] ?? '')
        }
      },
    ),
    { numRuns: 40 },
  )
})

function listNames(lines: { name: string }[]): string[] {
  return lines.map(({ name }) => name)
}

async function loadPerson(world: World, id: string): Promise<Person> {
  return (await findPerson(world.deps, id)) as Person
}

async function statusById(world: World): Promise<Record<string, string>> {
  const all = await world.db.select().from(registrations).orderBy(registrations.seq)
  return Object.fromEntries(all.map(({ id, status }) => [id, status]))
}

/** A campaign with two one-seat workshops, and a workshop outside the campaign. */
async function createTwoCityCampaign(world: World): Promise<[string, [Workshop, Workshop], Workshop]> {
  const campaignId = (await world.campaign()).id
  const shanghai = await world.workshop({ campaignId, capacity: 1 })
  const nanjing = await world.workshop({ campaignId, capacity: 1, city: { zh: '南京', en: 'Nanjing' } })
  return [campaignId, [shanghai, nanjing], await world.workshop()]
}

/** Registers the given number of people in one statement. */
async function createPeople(world: World, workshop: Workshop, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, n) => ({
    n,
    id: world.deps.newId(),
    workshop_id: workshop.id,
    name: `学员 ${n}`,
    email: `p${n}@example.com`,
    email_key: `p${n}@example.com`,
    locale: 'zh-CN',
    ready: {},
    consent_version: consentVersion,
    source: 'web',
    idempotency_key: `fill-${n}`,
    fingerprint: '',
  }))
  const results = await query<{ outcome: string }>(
    world.db,
    sql`select outcome from register(${JSON.stringify(entries)}::jsonb, ${world.clock.now().toISOString()}::timestamptz)`,
  )
  expect(results.filter(({ outcome }) => outcome === 'registered')).toHaveLength(count)
}
