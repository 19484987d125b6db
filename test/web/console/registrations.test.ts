import { parse } from 'csv-parse/sync'
import { desc, eq } from 'drizzle-orm'
import { readSheet } from 'read-excel-file/node'
import { expect, test } from 'vitest'
import type { Role } from '../../../src/db/schema.ts'
import { auditEntries, mails, organisers, registrations } from '../../../src/db/schema.ts'
import { createLink } from '../../../src/domain/promotion/registration-links.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { createSignInCode } from '../../../src/domain/tickets/signed-tokens.ts'
import { findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { paths } from '../../../src/http/links.ts'
import { confirmField, formValues, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

const unknownId = '00000000-0000-7000-8000-00000000ffff'

test('viewers and anonymous users see no personal data', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { id } = await world.register(workshop)
  const viewer = await signInToConsole(world, 'viewer')
  for (const path of [
    paths.workshopPeople(workshop.slug),
    paths.person(id),
    `${paths.workshopPeople(workshop.slug)}.csv`,
  ]) {
    expect([path, (await viewer.get(path)).status]).toEqual([path, 403])
    expect((await world.request(path)).headers.get('location')).toContain('/console/sign-in')
  }
  expect(await world.db.select().from(auditEntries)).toEqual([])
})

test('the people list is searched, filtered and sorted by query parameters and shows the count', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 2 })
  await world.register(workshop, { name: '王小明', phone: '+8613800138000' })
  await world.register(workshop, { name: '李安', company: 'ST' })
  await world.register(workshop, { name: '<b>赵</b>' })
  const organiser = await signInToConsole(world, 'organiser')
  const list = paths.workshopPeople(workshop.slug)
  const all = await organiser.read(list)
  expect(all).toMatch(/王小明.*李安.*&lt;b&gt;赵/s)
  expect(all).not.toContain('<b>赵</b>')
  expect(visibleText(all)).toContain('3 人')
  expect(visibleText(all)).toContain('候补第 1 位')
  const matches = await organiser.read(`${list}?q=wxm`)
  expect(visibleText(matches)).toMatch(/符合条件的 1 人，共 3 人/)
  expect(matches).not.toContain('李安')
  expect(await organiser.read(`${list}?sort=-number`)).toMatch(/赵.*李安.*王小明/s)
  expect(await organiser.read(`${list}?status=waitlisted`)).not.toContain('王小明')
  expect(visibleText(await organiser.read(`${list}?q=%F0%9F%98%80`))).toContain('没有符合条件的人')
  // Unknown values are ignored.
  for (const invalid of [
    'status=x',
    'sort=x',
    'page=x',
    'page=99',
    'ready=x',
    'link=%27',
    'q=%5C',
    `q=${'长'.repeat(500)}`,
  ])
    expect([invalid, (await organiser.get(`${list}?${invalid}`)).status]).toEqual([invalid, 200])
  expect((await organiser.get('/console/workshops/nothing/people')).status).toBe(404)
  const entries = await world.db.select().from(auditEntries).orderBy(auditEntries.id)
  expect(entries[0]).toMatchObject({
    action: 'list.looked_up',
    actor: '林老师',
    workshopId: workshop.id,
    pii: { search: 'wxm' },
  })
})

test('a search is truncated between characters, and a promotion reason is kept whole', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1 })
  await world.register(workshop)
  const waitlisted = await world.register(workshop)
  const organiser = await signInToConsole(world, 'organiser')
  const list = paths.workshopPeople(workshop.slug)
  for (const path of [list, `${list}.csv`, `${list}/name-badges`]) {
    const response = await organiser.get(`${path}?q=${encodeURIComponent(`${'a'.repeat(99)}😀`)}`)
    expect([path, response.status]).toEqual([path, 200])
  }
  const reason = `${'a'.repeat(498)}😀`
  const promoted = await organiser.post(paths.personPromote(waitlisted.id), { reason, addSeat: 'yes' })
  expect(promoted.headers.get('location')).toContain('done=promoted')
  expect(await organiser.read(paths.person(waitlisted.id))).toContain(reason)
})

test('chosen columns are remembered, and the name is always shown', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop, { name: '王小明', email: 'wang@example.com', company: 'ST' })
  const organiser = await signInToConsole(world, 'organiser')
  const list = paths.workshopPeople(workshop.slug)
  expect(await organiser.read(list)).not.toContain('wang@example.com')
  const saved = await organiser.get(`${list}?q=wang&column=email&column=name`)
  expect(saved.status).toBe(303)
  expect(saved.headers.get('location')).toBe(`${list}?q=wang`)
  const reloaded = await organiser.read(list)
  expect(reloaded).toContain('wang@example.com')
  expect(reloaded).toContain('王小明')
  expect(reloaded).not.toContain('>ST<')
})

test('the people list has 100 entries per page', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 500 })
  for (let i = 0; i < 101; i++) await world.register(workshop)
  const organiser = await signInToConsole(world, 'organiser')
  const list = paths.workshopPeople(workshop.slug)
  expect(await organiser.read(`${list}?sort=-time`)).toContain('?sort=-time&amp;page=2"')
  const second = await organiser.read(`${list}?page=2`)
  expect(visibleText(second)).toContain('第 2 页，共 2 页')
  expect(second.match(/data-head="姓名"/g)).toHaveLength(1)
})

test('the people list of a campaign shows each person’s workshop', async () => {
  await using world = await createWorld()
  const { campaign, shanghai, nanjing } = await createTwoCityCampaign(world)
  await world.register(shanghai, { name: '甲' })
  await world.register(nanjing, { name: '乙' })
  const organiser = await signInToConsole(world, 'organiser')
  const list = paths.campaignPeople(campaign)
  expect(visibleText(await organiser.read(list))).toMatch(/上海 2026-12-11 甲.*南京 2026-12-11 乙/)
  const csv = await parseCsv(await organiser.get(`${list}.csv`))
  expect(csv.map((row) => [row.培训, row.姓名])).toEqual([
    ['上海 2026-12-11', '甲'],
    ['南京 2026-12-11', '乙'],
  ])
})

test('exports contain the filtered people in list order and are audited', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 2 })
  const link = await createLink(world.deps, { workshop: workshop.slug }, { channel: '海报' })
  await world.register(workshop, { name: '王小明', via: link?.code })
  await world.register(workshop, { name: '李安', via: link?.code })
  await world.register(workshop, { name: '汪小民', via: link?.code })
  await world.register(workshop, { name: '赵云' })
  const organiser = await signInToConsole(world, 'organiser')
  const list = paths.workshopPeople(workshop.slug)
  const csv = await organiser.get(`${list}.csv?link=${link?.code}`)
  expect((await parseCsv(csv)).map((row) => [row.姓名, row.候补位次])).toEqual([
    ['王小明', ''],
    ['李安', ''],
    ['汪小民', '1'],
  ])
  const sorted = await parseCsv(await organiser.get(`${list}.csv?sort=-number&status=confirmed`))
  expect(sorted.map((row) => row.姓名)).toEqual(['李安', '王小明'])
  expect(csv.headers.get('content-disposition')).toContain(`filename="${workshop.slug}.csv"`)
  const xlsx = await organiser.get(`${list}.xlsx?q=wxm`)
  const rows = await readSheet(Buffer.from(await xlsx.arrayBuffer()))
  expect(rows.slice(1).map((row) => row[3])).toEqual(['王小明', '汪小民'])
  const entries = await world.db.select().from(auditEntries).orderBy(auditEntries.id)
  expect(entries.map(({ action, payload, pii }) => [action, payload, pii])).toEqual([
    ['list.exported', { format: 'csv', link: link?.code }, null],
    ['list.exported', { format: 'csv', status: 'confirmed' }, null],
    ['list.exported', { format: 'xlsx' }, { search: 'wxm' }],
  ])
})

test('the sign-in sheet shows the last digits of phones, and badges are printed ten per page', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 12 })
  await world.register(workshop, { name: '王小明', company: 'ST', phone: '+8613800138000' })
  for (let i = 0; i < 12; i++) await world.register(workshop)
  const organiser = await signInToConsole(world, 'organiser')
  const sheet = await organiser.read(paths.signInSheet(workshop.slug))
  expect(sheet).toContain('<td>8000</td>')
  expect(sheet).not.toContain('13800138000')
  expect(sheet.match(/<tr>/g)).toHaveLength(1 + 12)
  const badges = await organiser.read(paths.nameBadges(workshop.slug))
  expect(badges.match(/<section class="badges">/g)).toHaveLength(2)
  expect(badges.match(/class="name-badge"/g)).toHaveLength(12)
  expect(await organiser.read(`${paths.nameBadges(workshop.slug)}?status=waitlisted`)).toContain('学员 13')
  expect(visibleText(await organiser.read(`${paths.signInSheet(workshop.slug)}?q=zzz`))).toContain('没有人可以打印')
  expect((await organiser.get(paths.signInSheet('nothing'))).status).toBe(404)
})

test('viewing a person is audited, and their data can be corrected', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop, { email: 'taken@example.com' })
  const { id } = await world.register(workshop, { name: '王小明', email: 'wang@example.com', company: 'ST' })
  const organiser = await signInToConsole(world, 'organiser')
  expect(visibleText(await organiser.read(paths.person(id)))).toMatch(
    /王小明.*wang@example\.com.*ST.*报名，得到名额.*等待发送|没有设置邮件服务器/,
  )
  expect(await world.db.select().from(auditEntries)).toMatchObject([{ action: 'person.looked_up', registrationId: id }])
  for (const path of [paths.person(unknownId), paths.person('nothing'), paths.personMove("'")])
    expect([path, (await organiser.get(path)).status]).toEqual([path, 404])

  const edit = (fields: Record<string, string>) =>
    organiser.post(paths.personEdit(id), {
      name: '王小明',
      email: 'wang@example.com',
      phone: '',
      company: 'ST',
      ...fields,
    })
  const wrong = await edit({ name: '', phone: '123' })
  expect(wrong.status).toBe(422)
  const form = await wrong.text()
  expect(form).toContain('<a href="#name">请填写姓名</a>')
  expect(formValues(form)).toMatchObject({ phone: '123', company: 'ST' })
  const taken = await edit({ name: '王晓明', email: 'taken@example.com' })
  expect([taken.status, visibleText(await taken.text())]).toEqual([
    409,
    expect.stringContaining('这个邮箱已经有报名了'),
  ])
  expect((await edit({})).headers.get('location')).toContain('done=unchanged')
  const saved = await edit({ name: '王晓明', phone: '138 0013 8000', email: 'w@example.com' })
  expect([saved.status, saved.headers.get('location')]).toEqual([303, `${paths.person(id)}?done=saved`])
  expect(visibleText(await organiser.read(`${paths.person(id)}?done=saved`))).toMatch(
    /已保存.*王晓明.*改了邮箱.*改了姓名、手机/,
  )
})

test('cancelling, moving and promoting ask for confirmation', async () => {
  await using world = await createWorld()
  const { shanghai, nanjing } = await createTwoCityCampaign(world)
  await world.register(shanghai)
  const { id } = await world.register(shanghai, { name: '王小明' })
  const organiser = await signInToConsole(world, 'organiser')
  const status = async () =>
    (await world.db.select().from(registrations).where(eq(registrations.id, id))).map((row) => row.status)[0]

  const confirmPage = await organiser.read(paths.personPromote(id))
  expect(visibleText(confirmPage)).toContain('现在用了 1 个名额，共 1 个')
  expect((await organiser.post(paths.personPromote(id), { reason: ' ' })).status).toBe(422)
  const full = await organiser.post(paths.personPromote(id), { reason: '助教' })
  expect([full.status, visibleText(await full.text())]).toEqual([409, expect.stringContaining('没有空名额')])
  expect(await status()).toBe('waitlisted')
  const promoted = await organiser.post(paths.personPromote(id), { reason: '助教', addSeat: 'yes' })
  expect(promoted.headers.get('location')).toContain('done=promoted')
  expect(await status()).toBe('confirmed')
  expect(visibleText(await organiser.read(paths.person(id)))).toMatch(/得到名额 操作人 林老师 原因：助教/)

  expect(visibleText(await organiser.read(paths.personMove(id)))).toMatch(/南京 2026-12-11 还有 1 个名额/)
  expect((await organiser.post(paths.personMove(id), { to: 'nothing' })).status).toBe(409)
  expect((await organiser.post(paths.personMove(id), { to: nanjing.slug })).headers.get('location')).toContain(
    'done=moved',
  )

  expect(visibleText(await organiser.read(paths.personCancel(id)))).toContain('取消王小明的报名？')
  expect(await status()).toBe('confirmed')
  expect((await organiser.post(paths.personCancel(id), confirmField)).headers.get('location')).toContain(
    'done=cancelled',
  )
  expect(await status()).toBe('cancelled')
  expect((await organiser.get(paths.personCancel(id))).status).toBe(302)
  expect(await findViolations(world.deps)).toEqual([])
})

test('a NUL in a submitted workshop slug means an unknown workshop', async () => {
  await using world = await createWorld()
  const { shanghai } = await createTwoCityCampaign(world)
  const { id } = await world.register(shanghai)
  const organiser = await signInToConsole(world, 'organiser')
  expect((await organiser.post(paths.personMove(id), { to: 'a\u0000b' })).status).toBe(409)
  const { code } = (await createLink(world.deps, { workshop: shanghai.slug }, { channel: 'x' })) ?? { code: '' }
  const retargeted = await organiser.post(paths.consoleLink(code), {
    channel: 'x',
    target: 'workshop a\u0000b',
    active: 'yes',
  })
  expect(retargeted.status).toBe(422)
})

test('erasing a person asks for confirmation and cannot be undone', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { id } = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
  const organiser = await signInToConsole(world, 'organiser')
  expect(visibleText(await organiser.read(paths.personErase(id)))).toContain('删除王小明的资料？')
  const erased = await organiser.post(paths.personErase(id), confirmField)
  expect(visibleText(await organiser.read(erased.headers.get('location') ?? ''))).toMatch(
    /资料已删除。.*（资料已删除）/,
  )
  for (const path of [paths.person(id), paths.personErase(id)]) expect((await organiser.get(path)).status).toBe(404)
  expect((await organiser.post(paths.personErase(id), confirmField)).status).toBe(404)
  const stored = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'person.erased'))
  expect(stored).toHaveLength(1)
  expect(JSON.stringify(stored)).not.toMatch(/王小明|wang@/)
})

test('a failed mail can be resent, but not through another person’s page', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const [one, other] = [await world.register(workshop), await world.register(workshop)]
  const organiser = await signInToConsole(world, 'organiser')
  const [mail] = await world.db.select().from(mails).where(eq(mails.registrationId, one.id))
  await world.db.update(mails).set({ state: 'dead', lastError: 'no such mailbox' })
  const path = paths.resendPersonMail(one.id, mail?.id ?? 0)
  expect(await organiser.read(paths.person(one.id))).toContain(`action="${path}"`)
  expect((await organiser.post(paths.resendPersonMail(other.id, mail?.id ?? 0), confirmField)).status).toBe(404)
  expect((await organiser.post(paths.resendPersonMail(one.id, 10 ** 15), confirmField)).status).toBe(404)
  expect((await organiser.post(path, confirmField)).headers.get('location')).toContain('done=owed')
  expect((await organiser.post(path, confirmField)).headers.get('location')).toContain('done=not_dead')
})

test('adding a person by hand applies the sign-up rules', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1, phone: 'required' })
  const organiser = await signInToConsole(world, 'organiser')
  const path = paths.addPerson(workshop.slug)
  const form = formValues(await organiser.read(path))
  const person = {
    ...form,
    name: '王小明',
    email: 'wang@example.com',
    phone: '13800138000',
    locale: 'en',
    consent: 'yes',
  }
  const { consent: _, ...withoutConsent } = person
  const refused = await organiser.post(path, { ...withoutConsent, phone: '' })
  expect([refused.status, visibleText(await refused.text())]).toEqual([
    422,
    expect.stringMatching(/请填写手机.*没有本人同意/),
  ])
  const added = await organiser.post(path, person)
  expect(added.status).toBe(303)
  expect((await organiser.post(path, person)).headers.get('location')).toBe(added.headers.get('location'))
  const duplicate = await organiser.post(path, { ...person, key: world.deps.newId() })
  expect([duplicate.status, visibleText(await duplicate.text())]).toEqual([
    409,
    expect.stringContaining('已经报过名了'),
  ])
  const [stored, ...others] = await world.db.select().from(registrations)
  expect(others).toEqual([])
  expect(stored).toMatchObject({ name: '王小明', locale: 'en', consentVersion: expect.stringContaining('organiser') })
  const draft = await world.workshop({ publish: false })
  const early = await organiser.post(paths.addPerson(draft.slug), person)
  expect([early.status, visibleText(await early.text())]).toEqual([409, expect.stringContaining('还没有发布')])
})

test('bulk actions ask for confirmation with names and report each outcome', async () => {
  await using world = await createWorld()
  const { shanghai, nanjing } = await createTwoCityCampaign(world)
  const people = []
  for (const name of ['甲', '乙', '丙']) people.push(await world.register(shanghai, { name }))
  await world.register(nanjing, { email: 'person-1@example.com' }).catch(() => undefined)
  const ids = people.map(({ id }) => id)
  const organiser = await signInToConsole(world, 'organiser')
  const back = `${paths.workshopPeople(shanghai.slug)}?q=x`
  const send = async (fields: [string, string][]) => {
    const response = await organiser.post(paths.bulkActions(), [['back', back], ...fields])
    return [response.status, visibleText(await response.text())] as const
  }
  const idFields = (some: readonly string[]) => some.map((id): [string, string] => ['id', id])

  expect(await send([['action', 'cancel']])).toEqual([422, expect.stringContaining('没有选中任何人')])
  expect(
    await send([
      ['action', 'cancel'],
      ['id', "'"],
      ['id', unknownId],
    ]),
  ).toEqual([422, expect.anything()])
  expect(await send([['action', 'promote'], ...idFields(ids)])).toEqual([
    200,
    expect.stringMatching(/提前给 3 人名额？.*甲.*乙.*丙/),
  ])
  expect(await send([['action', 'promote'], ['sure', 'yes'], ...idFields(ids)])).toEqual([
    422,
    expect.stringContaining('请填写原因'),
  ])
  expect(
    await send([
      ['action', 'promote'],
      ['sure', 'yes'],
      ['reason', '助教'],
      ['addSeat', 'yes'],
      ...idFields(ids.slice(0, 2)),
    ]),
  ).toEqual([200, expect.stringMatching(/2 人中 1 人已完成.*甲.*已经有名额.*乙.*已给名额/)])
  expect((await findWorkshop(world.deps, shanghai.slug))?.capacity).toBe(2)

  expect(await send([['action', 'move'], ...idFields(ids)])).toEqual([
    200,
    expect.stringMatching(/3 人换到哪一场？.*南京/),
  ])
  expect(
    await send([['action', 'move'], ['sure', 'yes'], ['to', nanjing.slug], ...idFields([ids[1] ?? '', ids[2] ?? ''])]),
  ).toEqual([200, expect.stringMatching(/2 人中 2 人已完成.*乙.*已换过去，有名额.*丙.*已换过去，进入候补/)])
  expect(await send([['action', 'cancel'], ...idFields(ids)])).toEqual([
    200,
    expect.stringContaining('取消 3 人的报名？'),
  ])
  expect(await world.db.select().from(registrations).where(eq(registrations.status, 'cancelled'))).toEqual([])
  expect(await send([['action', 'cancel'], ['sure', 'yes'], ...idFields([...ids, ids[0] ?? ''])])).toEqual([
    200,
    expect.stringContaining('3 人中 3 人已完成'),
  ])
  expect(await send([['action', 'cancel'], ['sure', 'yes'], ...idFields(ids)])).toEqual([
    200,
    expect.stringMatching(/3 人中 0 人已完成.*已经取消过了/),
  ])
  expect(await findViolations(world.deps)).toEqual([])
  const page = await organiser.post(paths.bulkActions(), [
    ['back', 'https://evil.example/'],
    ['action', 'cancel'],
  ])
  expect(await page.text()).not.toContain('evil')
})

test('merging duplicates keeps one registration unchanged and cancels the other', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 2 })
  const kept = await world.register(workshop, { name: '王小明', phone: '+8613800138000' })
  const other = await world.register(workshop, { name: '小明', phone: '+8613800138000' })
  await world.register(workshop, { name: '李安' })
  const organiser = await signInToConsole(world, 'organiser')
  const page = await organiser.read(`${paths.workshopPeople(workshop.slug)}/duplicates`)
  expect(visibleText(page)).toMatch(/手机相同.*王小明.*保留.*小明/)
  expect(page).not.toContain('李安')
  const form = formValues(page)
  expect(form).toMatchObject({ action: 'merge', kept: kept.id, id: other.id })
  expect(visibleText(await (await organiser.post(paths.bulkActions(), form)).text())).toMatch(
    /另外 1 个报名？.*保留：王小明/,
  )
  expect(visibleText(await (await organiser.post(paths.bulkActions(), { ...form, sure: 'yes' })).text())).toContain(
    '1 人中 1 人已完成',
  )
  const rows = await world.db.select().from(registrations).orderBy(registrations.seq)
  expect(rows.map(({ status }) => status)).toEqual(['confirmed', 'cancelled', 'confirmed'])
  expect(visibleText(await organiser.read(`${paths.workshopPeople(workshop.slug)}/duplicates`))).toContain(
    '没有找到可能重复的人',
  )
  const merged = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'person.merged'))
  expect(merged.map(({ registrationId }) => registrationId).toSorted()).toEqual([kept.id, other.id].toSorted())
})

test('people marked as not duplicates are not suggested again until another one with the same name signs up', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 5 })
  const people = [await world.register(workshop, { name: '王伟' }), await world.register(workshop, { name: '王 伟' })]
  const organiser = await signInToConsole(world, 'organiser')
  const duplicates = `${paths.workshopPeople(workshop.slug)}/duplicates`
  const groups = (html: string) => [...html.matchAll(/name="group" value="([^"]+)"/g)].map(([, id]) => id).toSorted()
  const suggested = groups(await organiser.read(duplicates))
  expect(suggested).toEqual(people.map(({ id }) => id).toSorted())
  const fields = suggested.map((id): [string, string] => ['group', id as string])
  const response = await organiser.post(paths.markNotDuplicates(), [...fields, ['back', duplicates]])
  expect(response.headers.get('location')).toBe(`${duplicates}?done=apart`)
  expect(visibleText(await organiser.read(duplicates))).toContain('没有找到可能重复的人')
  const third = await world.register(workshop, { name: '王伟' })
  expect(groups(await organiser.read(duplicates))).toEqual([...people, third].map(({ id }) => id).toSorted())
  expect((await organiser.post(paths.markNotDuplicates(), { group: 'nobody' })).status).toBe(422)
})

/** A campaign with two workshops of one seat each. */
async function createTwoCityCampaign(
  world: World,
): Promise<{ campaign: string; shanghai: Workshop; nanjing: Workshop }> {
  const { id: campaignId, slug: campaign } = await world.campaign()
  const shanghai = await world.workshop({ campaignId, capacity: 1 })
  const nanjing = await world.workshop({ campaignId, capacity: 1, city: { zh: '南京', en: 'Nanjing' } })
  return { campaign, shanghai, nanjing }
}

async function parseCsv(response: Response): Promise<Record<string, string>[]> {
  return parse(await response.text(), { bom: true, columns: true })
}

/** Signs an organiser in through the mailed link and keeps the cookies like a browser. */
async function signInToConsole(world: World, role: Role) {
  const now = world.clock.now()
  const email = `${role}@example.com`
  const id = world.deps.newId()
  await world.db
    .insert(organisers)
    .values({ id, name: '林老师', email, role, emailVerified: true, createdAt: now, updatedAt: now })
  const cookies = new Map<string, string>()
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('Cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await world.request(path, { ...init, headers })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(name, value)
    }
    return response
  }
  const post = (path: string, fields: Record<string, string> | [string, string][]) =>
    request(path, {
      method: 'POST',
      headers: { Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
  await post(paths.signIn(), { email })
  const [mail] = await world.db.select().from(mails).where(eq(mails.organiserId, id)).orderBy(desc(mails.id))
  await post(paths.magicLink(createSignInCode(world.deps.config.secret, mail?.uid ?? '')), {})
  return {
    get: (path: string) => request(path),
    post,
    read: async (path: string) => (await request(path)).text(),
  }
}
