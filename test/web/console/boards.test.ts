import { parse } from 'csv-parse/sync'
import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { auditEntries, loans, mails, type Role } from '../../../src/db/schema.ts'
import { addBoards, type Board, listBoards, setBoardState } from '../../../src/domain/boards/inventory.ts'
import { lendBoard } from '../../../src/domain/boards/loans.ts'
import { findMail } from '../../../src/domain/mails/outbox.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import type { Workshop } from '../../../src/domain/workshops/workshops.ts'
import { buildMessage } from '../../../src/email/message.ts'
import { paths } from '../../../src/http/links.ts'
import { confirmField, formValues, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

test('viewers see board counts, but no serials or borrowers', async () => {
  await using world = await createWorld()
  const { boards } = await setUpBoards(world)
  const viewer = await signInToConsole(world, 'viewer')
  const boardsPage = visibleText(await viewer.read(paths.boards()))
  expect(boardsPage).toMatch(/星火一号 2 · 1 · ·/)
  expect(boardsPage).not.toContain('王小明')
  expect(boardsPage).not.toContain('RTB')
  for (const path of [paths.board(boards[0]?.id ?? ''), paths.boardsCsv(), paths.boardLabels(), paths.addBoards()]) {
    expect([path, (await viewer.get(path)).status]).toEqual([path, 403])
  }
})

test('boards are added by serial range, and an invalid range is rejected with the input kept', async () => {
  await using world = await createWorld()
  const organiser = await signInToConsole(world)
  expect(visibleText(await organiser.read(paths.boards()))).toContain('还没有登记开发板')
  const wrong = await organiser.post(paths.addBoards(), { kind: ' ', serials: 'RTB-9..RTB-1' })
  expect(wrong.status).toBe(422)
  const html = await wrong.text()
  expect(visibleText(html)).toContain('“RTB-9..RTB-1”不是一段编号')
  expect(visibleText(html)).toContain('请填写型号')
  expect(html).toContain('>RTB-9..RTB-1</textarea>')
  const added = await organiser.post(paths.addBoards(), { kind: '星火一号', serials: 'RTB-001..RTB-040' })
  expect(added.status).toBe(303)
  expect(visibleText(await organiser.read(added.headers.get('location') ?? ''))).toContain('登记了 40 块')
  const duplicate = await organiser.post(paths.addBoards(), { kind: '星火一号', serials: 'RTB-041\nRTB-007' })
  expect(duplicate.status).toBe(409)
  expect(visibleText(await duplicate.text())).toContain('已经登记过：RTB-007')
  expect((await listBoards(world.deps)).total).toBe(40)
})

test('the board list is searched and filtered by query parameters and ignores unknown values', async () => {
  await using world = await createWorld()
  const { workshop } = await setUpBoards(world)
  await addBoards(world.deps, { name: '' }, { kind: '<b>潘多拉</b>', serials: ['P-1'] })
  const organiser = await signInToConsole(world)
  const all = await organiser.read(paths.boards())
  expect(all).toContain('&lt;b&gt;潘多拉')
  expect(all).not.toContain('<b>潘多拉')
  expect(visibleText(all)).toMatch(/RTB-001 星火一号 借出 王小明 · 上海/)
  const search = async (query: string) =>
    [...(await organiser.read(`${paths.boards()}?${query}`)).matchAll(/>((?:RTB|P)-\d+)<\/a>/g)].map(
      ([, serial]) => serial,
    )
  expect(await search('q=小明')).toEqual(['RTB-001'])
  expect(await search('q=rtb')).toEqual(['RTB-001', 'RTB-002', 'RTB-003'])
  expect(await search('place=lent')).toEqual(['RTB-001'])
  expect(await search('place=free&kind=%3Cb%3E潘多拉%3C/b%3E')).toEqual(['P-1'])
  expect(await search('q=%25')).toEqual([])
  for (const invalid of [
    'place=x',
    'page=x',
    'page=99999',
    'kind=%F0%9F%98%80',
    `q=${'长'.repeat(500)}`,
    'q=%F0%9F%98%80',
  ]) {
    expect([invalid, (await organiser.get(`${paths.boards()}?${invalid}`)).status]).toEqual([invalid, 200])
  }
  for (const path of [paths.board('nothing'), paths.board(workshop.id), '/console/workshops/nothing/boards']) {
    expect([path, (await organiser.get(path)).status]).toEqual([path, 404])
  }
})

test('the inventory CSV escapes formulas and is audited', async () => {
  await using world = await createWorld()
  const { boards } = await setUpBoards(world)
  await addBoards(world.deps, { name: '' }, { kind: '=1+1', serials: ['@x'] })
  await setBoardState(world.deps, { name: '' }, boards[1] as Board, { state: 'broken', note: '-2+3' })
  const organiser = await signInToConsole(world)
  const response = await organiser.get(paths.boardsCsv())
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  // text() would strip the byte order mark.
  const bytes = Buffer.from(await response.arrayBuffer())
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  const text = bytes.subarray(3).toString()
  const lines: Record<string, string>[] = parse(text, { columns: true })
  expect(lines.map((line) => [line.型号, line.编号, line.在哪里, line.场次, line.备注])).toEqual(
    expect.arrayContaining([
      ["'=1+1", "'@x", '在库', '', ''],
      ['星火一号', 'RTB-001', '借出', '上海 12月11日 (2026-12-11)', ''],
      ['星火一号', 'RTB-002', '坏了', '', "'-2+3"],
    ]),
  )
  expect(text).not.toContain('王小明')
  const entries = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'board.exported'))
  expect(entries).toMatchObject([{ payload: { count: 4 }, actor: '林老师' }])
})

test('a board can be marked broken, renamed and, if never lent, removed', async () => {
  await using world = await createWorld()
  const { boards } = await setUpBoards(world)
  const [lent, free] = boards as [Board, Board]
  const organiser = await signInToConsole(world)
  const broken = await organiser.post(paths.boardState(free.id), { ...confirmField, state: 'broken', note: '不亮' })
  expect(visibleText(await organiser.read(broken.headers.get('location') ?? ''))).toContain('坏了')
  expect(await organiser.read(paths.board(free.id))).toContain('不亮')
  const refused = await organiser.post(paths.boardState(lent.id), { ...confirmField, state: 'broken', note: '' })
  expect([refused.status, visibleText(await refused.text())]).toEqual([409, expect.stringContaining('还在别人手里')])
  const long = await organiser.post(paths.boardState(free.id), {
    ...confirmField,
    state: 'usable',
    note: 'x'.repeat(501),
  })
  expect([long.status, await long.text()]).toEqual([422, expect.stringContaining('x'.repeat(501))])
  const taken = await organiser.post(paths.boardEdit(free.id), { kind: '星火一号', serial: 'RTB-003' })
  expect([taken.status, await taken.text()]).toEqual([409, expect.stringContaining('value="RTB-003"')])
  expect((await organiser.post(paths.boardEdit(free.id), { kind: '星火一号', serial: 'RTB-2' })).status).toBe(303)
  expect((await organiser.post(paths.boardRemove(lent.id), confirmField)).status).toBe(409)
  expect((await organiser.post(paths.boardRemove(free.id), confirmField)).status).toBe(303)
  expect((await organiser.get(paths.board(free.id))).status).toBe(404)
})

test('a board is returned as broken or lost on its page, which lists its loans', async () => {
  await using world = await createWorld()
  const { boards, workshop, people } = await setUpBoards(world)
  const [board] = boards as [Board]
  const organiser = await signInToConsole(world)
  const page = await organiser.read(paths.board(board.id))
  expect(visibleText(page)).toMatch(/谁借过 王小明 · 上海.* 起，还没有归还 · 经手 前门/)
  const form = { ...confirmField, nonce: formValues(page).nonce ?? '', as: 'broken', damage: '缺线' }
  for (let n = 0; n < 2; n++) expect((await organiser.post(paths.boardReturn(board.id), form)).status).toBe(303)
  expect(visibleText(await organiser.read(paths.board(board.id)))).toMatch(/坏了.*经手 前门、林老师/)
  const other = { ...form, nonce: world.deps.newId() }
  expect((await organiser.post(paths.boardReturn(board.id), other)).status).toBe(409)
  await setBoardState(world.deps, { name: '' }, board, { state: 'usable', note: '' })
  const loan = { boardId: board.id, registrationId: people[1] as string, workshopId: workshop.id }
  await lendBoard(world.deps, { name: '前门' }, { id: world.deps.newId(), at: world.clock.now(), ...loan })
  await organiser.post(paths.boardReturn(board.id), {
    ...confirmField,
    nonce: world.deps.newId(),
    as: 'lost',
    damage: '',
  })
  expect(visibleText(await organiser.read(paths.board(board.id)))).toContain('停用')
  const entries = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'board.returned'))
  expect(entries.map(({ payload, registrationId }) => [payload.state, registrationId])).toEqual([
    ['broken', people[0]],
    ['retired', people[1]],
  ])
  expect(await findViolations(world.deps)).toEqual([])
})

test('boards are allocated to a workshop by count or serial, lent and returned in the console', async () => {
  await using world = await createWorld()
  const { workshop, boards, people } = await setUpBoards(world)
  const organiser = await signInToConsole(world)
  const path = paths.workshopBoards(workshop.slug)
  const page = await organiser.read(path)
  expect(visibleText(page)).toMatch(/2 计划 0 已备好 1 借出 2 还能借/)
  expect(formValues(page)).toMatchObject({ count: '2' })
  const allocate = (fields: Record<string, string>) =>
    organiser.post(paths.allocateBoards(workshop.slug), { kind: '星火一号', ...fields })
  expect((await allocate({ count: '', serials: '' })).status).toBe(422)
  expect((await allocate({ count: '2x', serials: '' })).status).toBe(422)
  const unknown = await allocate({ count: '', serials: 'RTB-002, RTB-999' })
  expect([unknown.status, visibleText(await unknown.text())]).toEqual([
    409,
    expect.stringContaining('没有登记过，或者不能用：RTB-999'),
  ])
  const allocated = await allocate({ count: '1', serials: '' })
  expect(visibleText(await organiser.read(allocated.headers.get('location') ?? ''))).toMatch(/备好了 1 块.*1 已备好/)
  expect((await allocate({ count: '', serials: 'RTB-001..003' })).headers.get('location')).toContain('packed-2')
  expect((await allocate({ count: '5', serials: '' })).status).toBe(409)

  const lend = {
    nonce: formValues(await organiser.read(path)).nonce ?? '',
    board: boards[1]?.id ?? '',
    person: people[1] ?? '',
  }
  for (let n = 0; n < 2; n++) expect((await organiser.post(paths.lendBoard(workshop.slug), lend)).status).toBe(303)
  const second = await organiser.post(paths.lendBoard(workshop.slug), {
    ...lend,
    nonce: world.deps.newId(),
    board: boards[2]?.id ?? '',
  })
  expect([second.status, visibleText(await second.text())]).toEqual([409, expect.stringContaining('已经借了 RTB-002')])
  expect((await organiser.post(paths.lendBoard(workshop.slug), { board: 'x', person: 'y' })).status).toBe(409)
  expect(await world.db.select().from(loans)).toHaveLength(2)
  const loansPage = visibleText(await organiser.read(path))
  expect(loansPage).toMatch(/王小明 · 星火一号 RTB-001 尾号 8000/)
  expect(loansPage).toMatch(/李安 · 星火一号 RTB-002 .*经手 林老师/)

  const back = await organiser.post(paths.returnBoard(workshop.slug), {
    nonce: world.deps.newId(),
    board: boards[1]?.id ?? '',
  })
  expect(back.status).toBe(303)
  expect(visibleText(await organiser.read(path))).not.toMatch(/李安 · 星火一号/)
  expect((await organiser.post(paths.returnBoard(workshop.slug), { board: boards[1]?.id ?? '' })).status).toBe(409)
  const some = await organiser.post(paths.deallocateBoards(workshop.slug), { do: 'chosen', id: boards[2]?.id ?? '' })
  expect(some.headers.get('location')).toContain('unpacked-1')
  const all = await organiser.post(paths.deallocateBoards(workshop.slug), { do: 'all' })
  expect(all.headers.get('location')).toContain('unpacked-2')
})

test('allocating boards is idempotent per form and rejected after the workshop', async () => {
  await using world = await createWorld()
  const { workshop } = await setUpBoards(world)
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['RTB-004', 'RTB-005'] })
  const organiser = await signInToConsole(world)
  const path = paths.workshopBoards(workshop.slug)
  const form = { ...formValues(await organiser.read(path)), kind: '星火一号' }
  for (let n = 0; n < 2; n++) {
    const allocated = await organiser.post(paths.allocateBoards(workshop.slug), form)
    expect(visibleText(await organiser.read(allocated.headers.get('location') ?? ''))).toMatch(
      /备好了 2 块.*2 计划 2 已备好/,
    )
  }
  // The same form again, for another kind.
  await addBoards(world.deps, { name: '' }, { kind: '潘多拉', serials: ['P-1', 'P-2'] })
  await organiser.post(paths.allocateBoards(workshop.slug), { ...form, kind: '潘多拉' })
  expect((await listBoards(world.deps, { kind: '潘多拉', place: 'packed' })).total).toBe(2)
  world.clock.set(workshop.endsAt)
  expect(visibleText(await organiser.read(path))).toContain('已经结束或者取消，不用再备')
  expect(await organiser.read(path)).not.toContain(paths.allocateBoards(workshop.slug))
  for (const [field, value] of [
    ['count', '1'],
    ['serials', 'RTB-005'],
  ] as const) {
    const late = await organiser.post(paths.allocateBoards(workshop.slug), { kind: '星火一号', [field]: value })
    expect([late.status, visibleText(await late.text())]).toEqual([409, expect.stringContaining('已经结束或者取消')])
  }
})

test('borrowers are mailed after a preview, and the mail names the board and contains no ticket', async () => {
  await using world = await createWorld()
  const { workshop } = await setUpBoards(world)
  world.clock.set(new Date(workshop.endsAt.getTime() + 3_600_000))
  const organiser = await signInToConsole(world)
  const path = paths.requestBoardReturns(workshop.slug)
  expect(visibleText(await organiser.read(paths.workshopBoards(workshop.slug)))).toContain('发邮件请 1 个人归还')
  const preview = visibleText(await organiser.read(path))
  expect(preview).toContain('发给 1 个人')
  expect(preview).toContain('星火一号 RTB-001')
  expect(await queuedLoanReminders(world)).toHaveLength(0)
  expect((await organiser.post(path, confirmField)).headers.get('location')).toContain('asked-1')
  expect((await organiser.post(path, confirmField)).headers.get('location')).toContain('asked-0')
  expect(visibleText(await organiser.read(path))).toContain('现在没有可以发邮件的人')
  const [mail] = await queuedLoanReminders(world)
  const stored = await findMail(world.deps, mail?.id ?? 0)
  if (!stored?.registration) throw new Error('mail not found')
  const message = buildMessage(world.deps, { ...stored, registration: stored.registration })
  expect(message.subject).toMatch(/^借的开发板还没有还：/)
  expect(message.text).toContain('星火一号 RTB-001')
  expect(message.text).not.toContain('/t/')
  expect(message.attachments).toEqual([])
})

test('erasing an attendee is rejected while they have a board', async () => {
  await using world = await createWorld()
  const { people, workshop } = await setUpBoards(world)
  const organiser = await signInToConsole(world)
  const refused = await organiser.post(paths.personErase(people[0] as string), confirmField)
  expect([refused.status, visibleText(await refused.text())]).toEqual([409, expect.stringContaining('还没有归还')])
  const token = await world.token('organiser')
  const erase = (id: string) =>
    world.request(`/api/v1/registrations/${id}`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } })
  const response = await erase(people[0] as string)
  expect([response.status, await response.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'board_not_returned' }),
  ])
  expect((await erase(people[1] as string)).status).toBe(204)
  expect(visibleText(await organiser.read(paths.workshopPeople(workshop.slug)))).toContain('王小明')
})

/** A workshop with three boards and two attendees: 王小明, who has the first board, and 李安. */
async function setUpBoards(world: World): Promise<{ workshop: Workshop; boards: Board[]; people: string[] }> {
  const workshop = await world.workshop({ boards: 2 })
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['RTB-001', 'RTB-002', 'RTB-003'] })
  const { boards } = await listBoards(world.deps)
  const people = [
    (await world.register(workshop, { name: '王小明', phone: '+8613800138000' })).id,
    (await world.register(workshop, { name: '李安' })).id,
  ]
  const loan = { boardId: boards[0]?.id as string, registrationId: people[0] as string, workshopId: workshop.id }
  await lendBoard(world.deps, { name: '前门' }, { id: world.deps.newId(), at: world.clock.now(), ...loan })
  return { workshop, boards, people }
}

function queuedLoanReminders(world: World) {
  return world.db.select().from(mails).where(eq(mails.kind, 'board_due'))
}

async function signInToConsole(world: World, role: Role = 'organiser') {
  const { Cookie } = await world.signIn(role, '林老师')
  const get = (path: string) => world.request(path, { headers: { Cookie } })
  return {
    get,
    read: async (path: string) => (await get(path)).text(),
    post: (path: string, fields: Record<string, string>) =>
      world.request(path, {
        method: 'POST',
        headers: { Cookie, Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}
