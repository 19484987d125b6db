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

test('a viewer sees how many boards there are, and not who has them', async () => {
  await using world = await createWorld()
  const { boards } = await setUpBoards(world)
  const viewer = await signInToConsole(world, 'viewer')
  const counted = visibleText(await viewer.read(paths.boards()))
  expect(counted).toMatch(/星火一号 2 · 1 · ·/)
  expect(counted).not.toContain('王小明')
  expect(counted).not.toContain('RTB')
  for (const path of [paths.board(boards[0]?.id ?? ''), paths.boardsCsv(), paths.boardLabels(), paths.addBoards()]) {
    expect([path, (await viewer.get(path)).status]).toEqual([path, 403])
  }
})

test('boards are added by a range, and what is wrong comes back as it was typed', async () => {
  await using world = await createWorld()
  const me = await signInToConsole(world)
  expect(visibleText(await me.read(paths.boards()))).toContain('还没有登记开发板')
  const wrong = await me.post(paths.addBoards(), { kind: ' ', serials: 'RTB-9..RTB-1' })
  expect(wrong.status).toBe(422)
  const again = await wrong.text()
  expect(visibleText(again)).toContain('“RTB-9..RTB-1”不是一段编号')
  expect(visibleText(again)).toContain('请填写型号')
  expect(again).toContain('>RTB-9..RTB-1</textarea>')
  const added = await me.post(paths.addBoards(), { kind: '星火一号', serials: 'RTB-001..RTB-040' })
  expect(added.status).toBe(303)
  expect(visibleText(await me.read(added.headers.get('location') ?? ''))).toContain('登记了 40 块')
  const twice = await me.post(paths.addBoards(), { kind: '星火一号', serials: 'RTB-041\nRTB-007' })
  expect(twice.status).toBe(409)
  expect(visibleText(await twice.text())).toContain('已经登记过：RTB-007')
  expect((await listBoards(world.deps)).total).toBe(40)
})

test('the list is searched and filtered by its address, and what it does not know counts as not said', async () => {
  await using world = await createWorld()
  const { workshop } = await setUpBoards(world)
  await addBoards(world.deps, { name: '' }, { kind: '<b>潘多拉</b>', serials: ['P-1'] })
  const me = await signInToConsole(world)
  const all = await me.read(paths.boards())
  expect(all).toContain('&lt;b&gt;潘多拉')
  expect(all).not.toContain('<b>潘多拉')
  expect(visibleText(all)).toMatch(/RTB-001 星火一号 借出 王小明 · 上海/)
  const found = async (query: string) =>
    [...(await me.read(`${paths.boards()}?${query}`)).matchAll(/>((?:RTB|P)-\d+)<\/a>/g)].map(([, serial]) => serial)
  expect(await found('q=小明')).toEqual(['RTB-001'])
  expect(await found('q=rtb')).toEqual(['RTB-001', 'RTB-002', 'RTB-003'])
  expect(await found('place=lent')).toEqual(['RTB-001'])
  expect(await found('place=free&kind=%3Cb%3E潘多拉%3C/b%3E')).toEqual(['P-1'])
  expect(await found('q=%25')).toEqual([])
  for (const odd of [
    'place=x',
    'page=x',
    'page=99999',
    'kind=%F0%9F%98%80',
    `q=${'长'.repeat(500)}`,
    'q=%F0%9F%98%80',
  ]) {
    expect([odd, (await me.get(`${paths.boards()}?${odd}`)).status]).toEqual([odd, 200])
  }
  for (const path of [paths.board('nothing'), paths.board(workshop.id), '/console/workshops/nothing/boards']) {
    expect([path, (await me.get(path)).status]).toEqual([path, 404])
  }
})

test('the file of the inventory has no cell that a spreadsheet computes, and is written down', async () => {
  await using world = await createWorld()
  const { boards } = await setUpBoards(world)
  await addBoards(world.deps, { name: '' }, { kind: '=1+1', serials: ['@x'] })
  await setBoardState(world.deps, { name: '' }, boards[1] as Board, { state: 'broken', note: '-2+3' })
  const me = await signInToConsole(world)
  const answer = await me.get(paths.boardsCsv())
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  // A string would have lost the byte order mark.
  const bytes = Buffer.from(await answer.arrayBuffer())
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
  const written = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'board.exported'))
  expect(written).toMatchObject([{ payload: { count: 4 }, actor: '林老师' }])
})

test('a board is called broken and repaired, renamed, and removed only if it was never lent', async () => {
  await using world = await createWorld()
  const { boards } = await setUpBoards(world)
  const [lent, free] = boards as [Board, Board]
  const me = await signInToConsole(world)
  const broken = await me.post(paths.boardState(free.id), { ...confirmField, state: 'broken', note: '不亮' })
  expect(visibleText(await me.read(broken.headers.get('location') ?? ''))).toContain('坏了')
  expect(await me.read(paths.board(free.id))).toContain('不亮')
  const refused = await me.post(paths.boardState(lent.id), { ...confirmField, state: 'broken', note: '' })
  expect([refused.status, visibleText(await refused.text())]).toEqual([409, expect.stringContaining('还在别人手里')])
  const long = await me.post(paths.boardState(free.id), { ...confirmField, state: 'usable', note: 'x'.repeat(501) })
  expect([long.status, await long.text()]).toEqual([422, expect.stringContaining('x'.repeat(501))])
  const taken = await me.post(paths.boardEdit(free.id), { kind: '星火一号', serial: 'RTB-003' })
  expect([taken.status, await taken.text()]).toEqual([409, expect.stringContaining('value="RTB-003"')])
  expect((await me.post(paths.boardEdit(free.id), { kind: '星火一号', serial: 'RTB-2' })).status).toBe(303)
  expect((await me.post(paths.boardRemove(lent.id), confirmField)).status).toBe(409)
  expect((await me.post(paths.boardRemove(free.id), confirmField)).status).toBe(303)
  expect((await me.get(paths.board(free.id))).status).toBe(404)
})

test('a board is returned on its own page, fine, broken or lost, and its history says who had it', async () => {
  await using world = await createWorld()
  const { boards, workshop, people } = await setUpBoards(world)
  const [board] = boards as [Board]
  const me = await signInToConsole(world)
  const page = await me.read(paths.board(board.id))
  expect(visibleText(page)).toMatch(/谁借过 王小明 · 上海.* 起，还没有归还 · 经手 前门/)
  const form = { ...confirmField, nonce: formValues(page).nonce ?? '', as: 'broken', damage: '缺线' }
  for (let n = 0; n < 2; n++) expect((await me.post(paths.boardReturn(board.id), form)).status).toBe(303)
  expect(visibleText(await me.read(paths.board(board.id)))).toMatch(/坏了.*经手 前门、林老师/)
  const other = { ...form, nonce: world.deps.newId() }
  expect((await me.post(paths.boardReturn(board.id), other)).status).toBe(409)
  await setBoardState(world.deps, { name: '' }, board, { state: 'usable', note: '' })
  const loan = { boardId: board.id, registrationId: people[1] as string, workshopId: workshop.id }
  await lendBoard(world.deps, { name: '前门' }, { id: world.deps.newId(), at: world.clock.now(), ...loan })
  await me.post(paths.boardReturn(board.id), { ...confirmField, nonce: world.deps.newId(), as: 'lost', damage: '' })
  expect(visibleText(await me.read(paths.board(board.id)))).toContain('停用')
  const written = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'board.returned'))
  expect(written.map(({ payload, registrationId }) => [payload.state, registrationId])).toEqual([
    ['broken', people[0]],
    ['retired', people[1]],
  ])
  expect(await findViolations(world.deps)).toEqual([])
})

test('boards are packed for a workshop by number or by name, lent and taken back by hand', async () => {
  await using world = await createWorld()
  const { workshop, boards, people } = await setUpBoards(world)
  const me = await signInToConsole(world)
  const path = paths.workshopBoards(workshop.slug)
  const page = await me.read(path)
  expect(visibleText(page)).toMatch(/2 计划 0 已备好 1 借出 2 还能借/)
  expect(formValues(page)).toMatchObject({ count: '2' })
  const pack = (fields: Record<string, string>) =>
    me.post(paths.allocateBoards(workshop.slug), { kind: '星火一号', ...fields })
  expect((await pack({ count: '', serials: '' })).status).toBe(422)
  expect((await pack({ count: '2x', serials: '' })).status).toBe(422)
  const unknown = await pack({ count: '', serials: 'RTB-002, RTB-999' })
  expect([unknown.status, visibleText(await unknown.text())]).toEqual([
    409,
    expect.stringContaining('没有登记过，或者不能用：RTB-999'),
  ])
  const packed = await pack({ count: '1', serials: '' })
  expect(visibleText(await me.read(packed.headers.get('location') ?? ''))).toMatch(/备好了 1 块.*1 已备好/)
  expect((await pack({ count: '', serials: 'RTB-001..003' })).headers.get('location')).toContain('packed-2')
  expect((await pack({ count: '5', serials: '' })).status).toBe(409)

  const lend = {
    nonce: formValues(await me.read(path)).nonce ?? '',
    board: boards[1]?.id ?? '',
    person: people[1] ?? '',
  }
  for (let n = 0; n < 2; n++) expect((await me.post(paths.lendBoard(workshop.slug), lend)).status).toBe(303)
  const more = await me.post(paths.lendBoard(workshop.slug), {
    ...lend,
    nonce: world.deps.newId(),
    board: boards[2]?.id ?? '',
  })
  expect([more.status, visibleText(await more.text())]).toEqual([409, expect.stringContaining('已经借了 RTB-002')])
  expect((await me.post(paths.lendBoard(workshop.slug), { board: 'x', person: 'y' })).status).toBe(409)
  expect(await world.db.select().from(loans)).toHaveLength(2)
  const out = visibleText(await me.read(path))
  expect(out).toMatch(/王小明 · 星火一号 RTB-001 尾号 8000/)
  expect(out).toMatch(/李安 · 星火一号 RTB-002 .*经手 林老师/)

  const back = await me.post(paths.returnBoard(workshop.slug), {
    nonce: world.deps.newId(),
    board: boards[1]?.id ?? '',
  })
  expect(back.status).toBe(303)
  expect(visibleText(await me.read(path))).not.toMatch(/李安 · 星火一号/)
  expect((await me.post(paths.returnBoard(workshop.slug), { board: boards[1]?.id ?? '' })).status).toBe(409)
  const some = await me.post(paths.deallocateBoards(workshop.slug), { do: 'chosen', id: boards[2]?.id ?? '' })
  expect(some.headers.get('location')).toContain('unpacked-1')
  const all = await me.post(paths.deallocateBoards(workshop.slug), { do: 'all' })
  expect(all.headers.get('location')).toContain('unpacked-2')
})

test('the form to pack boards that is sent twice packs once, and after the workshop there is none', async () => {
  await using world = await createWorld()
  const { workshop } = await setUpBoards(world)
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['RTB-004', 'RTB-005'] })
  const me = await signInToConsole(world)
  const path = paths.workshopBoards(workshop.slug)
  const form = { ...formValues(await me.read(path)), kind: '星火一号' }
  for (let n = 0; n < 2; n++) {
    const packed = await me.post(paths.allocateBoards(workshop.slug), form)
    expect(visibleText(await me.read(packed.headers.get('location') ?? ''))).toMatch(/备好了 2 块.*2 计划 2 已备好/)
  }
  // Another kind by the same form, gone back to.
  await addBoards(world.deps, { name: '' }, { kind: '潘多拉', serials: ['P-1', 'P-2'] })
  await me.post(paths.allocateBoards(workshop.slug), { ...form, kind: '潘多拉' })
  expect((await listBoards(world.deps, { kind: '潘多拉', place: 'packed' })).total).toBe(2)
  world.clock.set(workshop.endsAt)
  expect(visibleText(await me.read(path))).toContain('已经结束或者取消，不用再备')
  expect(await me.read(path)).not.toContain(paths.allocateBoards(workshop.slug))
  for (const [field, value] of [
    ['count', '1'],
    ['serials', 'RTB-005'],
  ] as const) {
    const late = await me.post(paths.allocateBoards(workshop.slug), { kind: '星火一号', [field]: value })
    expect([late.status, visibleText(await late.text())]).toEqual([409, expect.stringContaining('已经结束或者取消')])
  }
})

test('those who still have a board are mailed after a look at the mail, which names the board and no ticket', async () => {
  await using world = await createWorld()
  const { workshop } = await setUpBoards(world)
  world.clock.set(new Date(workshop.endsAt.getTime() + 3_600_000))
  const me = await signInToConsole(world)
  const path = paths.requestBoardReturns(workshop.slug)
  expect(visibleText(await me.read(paths.workshopBoards(workshop.slug)))).toContain('发邮件请 1 个人归还')
  const preview = visibleText(await me.read(path))
  expect(preview).toContain('发给 1 个人')
  expect(preview).toContain('星火一号 RTB-001')
  expect(await queuedLoanReminders(world)).toHaveLength(0)
  expect((await me.post(path, confirmField)).headers.get('location')).toContain('asked-1')
  expect((await me.post(path, confirmField)).headers.get('location')).toContain('asked-0')
  expect(visibleText(await me.read(path))).toContain('现在没有可以发邮件的人')
  const [mail] = await queuedLoanReminders(world)
  const found = await findMail(world.deps, mail?.id ?? 0)
  if (!found?.registration) throw new Error('the mail is not there')
  const message = buildMessage(world.deps, { ...found, registration: found.registration })
  expect(message.subject).toMatch(/^借的开发板还没有还：/)
  expect(message.text).toContain('星火一号 RTB-001')
  expect(message.text).not.toContain('/t/')
  expect(message.attachments).toEqual([])
})

test('who still has a board is not erased by an organiser, who is told why', async () => {
  await using world = await createWorld()
  const { people, workshop } = await setUpBoards(world)
  const me = await signInToConsole(world)
  const refused = await me.post(paths.personErase(people[0] as string), confirmField)
  expect([refused.status, visibleText(await refused.text())]).toEqual([409, expect.stringContaining('还没有归还')])
  const token = await world.token('organiser')
  const erase = (id: string) =>
    world.request(`/api/v1/registrations/${id}`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } })
  const answer = await erase(people[0] as string)
  expect([answer.status, await answer.json()]).toEqual([409, expect.objectContaining({ code: 'board_not_returned' })])
  expect((await erase(people[1] as string)).status).toBe(204)
  expect(visibleText(await me.read(paths.workshopPeople(workshop.slug)))).toContain('王小明')
})

/** Three boards, a workshop with 王小明, who has the first of them, and 李安. */
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
