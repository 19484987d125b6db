import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { boards as boardTable, loans, registrations } from '../../../src/db/schema.ts'
import { allocateBoards } from '../../../src/domain/boards/allocation.ts'
import { addBoards, type Board, findBoard, listBoards } from '../../../src/domain/boards/inventory.ts'
import { checkIn } from '../../../src/domain/door/check-ins.ts'
import { startDoorSession } from '../../../src/domain/door/sessions.ts'
import type { Workshop } from '../../../src/domain/workshops/workshops.ts'
import { paths, withQuery } from '../../../src/http/links.ts'
import { formValues, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

test('GET /b/:code names the owner of the board, but not its borrower', async () => {
  await using world = await createWorld({ env: { PRIVACY_CONTACT: 'boards@example.org' } })
  const { door, boards, people } = await setUpDoor(world)
  await door.send([lendEntry(world, boards[0], people[0])])
  const response = await world.request(paths.boardLabel(boards[0]?.code ?? ''))
  const page = visibleText(await response.text())
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(page).toContain('开发板 星火一号 RTB-001')
  expect(page).toContain('请联系 boards@example.org')
  expect(page).not.toContain('王小明')
  for (const code of ['nothing', '%27', 'x'.repeat(500)]) {
    expect([code, (await world.request(`/b/${code}`)).status]).toEqual([code, 404])
  }
  const wrong = await world.request(paths.doorLend(), { method: 'POST' })
  expect(wrong.status).toBe(401)
})

test('helpers lend and return boards on the page of a checked-in attendee', async () => {
  await using world = await createWorld()
  const { door, boards, people } = await setUpDoor(world)
  const person = withQuery(paths.doorPage(), { person: people[0] })
  expect(await door.read(person)).not.toContain(paths.doorLend())
  await door.checkIn(people[0])
  const page = await door.read(person)
  expect(page).toContain('借给 星火一号 RTB-001')
  const lend = await door.post(paths.doorLend(), formFields(page, paths.doorLend()))
  expect(lend.status).toBe(303)
  const after = await door.read(lend.headers.get('location') ?? '')
  expect(visibleText(after)).toMatch(/已借出 王小明.*借了 星火一号 RTB-001/)
  expect((await door.post(paths.doorLend(), formFields(page, paths.doorLend()))).status).toBe(303)

  const other = { board: boards[1]?.id ?? '', registration: people[0] ?? '' }
  const refused = await door.post(paths.doorLend(), other)
  expect([refused.status, visibleText(await refused.text())]).toEqual([
    409,
    expect.stringContaining('已经借了 RTB-001'),
  ])
  const taken = await door.post(paths.doorLend(), { board: boards[0]?.id ?? '', registration: people[1] ?? '' })
  expect([taken.status, visibleText(await taken.text())]).toEqual([409, expect.stringContaining('在 王小明 手里')])
  expect((await door.post(paths.doorLend(), { board: 'x', registration: '' })).status).toBe(404)

  const back = formFields(await door.read(person), paths.doorReturn())
  const returned = await door.post(paths.doorReturn(), { ...back, broken: 'yes', note: '不亮' })
  expect(visibleText(await door.read(returned.headers.get('location') ?? ''))).toMatch(/已归还 王小明 记为坏了/)
  expect(await findBoard(world.deps, boards[0]?.id ?? '')).toMatchObject({ place: 'broken', note: '不亮' })
  const { id: _, ...withoutId } = back
  expect((await door.post(paths.doorReturn(), withoutId)).status).toBe(409)
  expect((await door.post(paths.doorReturn(), { board: world.deps.newId() })).status).toBe(404)
  expect(await door.read(person)).toContain('借给 星火一号 RTB-002')
})

test('helpers who scan a board label lend it to a checked-in attendee or return it from any borrower', async () => {
  await using world = await createWorld()
  const { door, boards, people, workshop } = await setUpDoor(world)
  const label = paths.boardLabel(boards[2]?.code ?? '')
  expect(visibleText(await door.read(label))).toContain('没有已签到、还没有借的人')
  await door.checkIn(people[0])
  world.clock.advance({ minutes: 1 })
  await door.checkIn(people[1])
  const page = await door.read(label)
  // The latest check-in is listed first.
  expect([...page.matchAll(/<option value="([^"]+)"/g)].map(([, id]) => id)).toEqual([people[1], people[0]])
  const response = await door.post(paths.doorLend(), {
    ...formFields(page, paths.doorLend()),
    registration: people[1] ?? '',
  })
  expect(response.headers.get('location')).toBe(`${label}?done=lent`)
  const lent = await door.read(`${label}?done=lent`)
  expect(visibleText(lent)).toMatch(/已借出 星火一号 RTB-003 在 李安 手里/)
  // The page loads no door script, which would replace it with the list.
  expect(lent).not.toContain('door.js')
  const returned = await door.post(paths.doorReturn(), formFields(lent, paths.doorReturn()))
  expect(returned.headers.get('location')).toBe(`${label}?done=returned`)
  expect(visibleText(await door.read(label))).toContain('可以借')

  const otherWorkshop = await world.workshop({ city: { zh: '南京' } })
  const otherAttendee = (await world.register(otherWorkshop, { name: '赵安' })).id
  const otherDoor = await openDoorClient(world, otherWorkshop)
  await otherDoor.send([lendEntry(world, boards[2], otherAttendee)])
  const labelPage = await door.read(label)
  expect(labelPage).not.toContain('赵安')
  expect(visibleText(labelPage)).toContain('还记在别的场次的人名下')
  const back = await door.post(paths.doorReturn(), formFields(labelPage, paths.doorReturn()))
  expect(back.headers.get('location')).toBe(`${label}?done=returned`)
  expect(visibleText(await door.read(back.headers.get('location') ?? ''))).toContain('已归还')
  expect(await world.db.select().from(loans).where(eq(loans.workshopId, workshop.id))).toHaveLength(1)
})

test('POST /door/entries lends and returns boards in order and reports each outcome', async () => {
  await using world = await createWorld()
  const { door, boards, people, workshop } = await setUpDoor(world)
  const [a, b] = boards as [Board, Board]
  const first = lendEntry(world, a, people[0])
  const entries = [
    first,
    first,
    lendEntry(world, a, people[1]),
    lendEntry(world, b, people[0]),
    lendEntry(world, b, workshop.id),
    returnEntry(world, b),
    returnEntry(world, a, { broken: true, note: '不亮' }),
    lendEntry(world, a, people[1]),
    returnEntry(world, { id: world.deps.newId() }),
    lendEntry(world, b, people[0]),
  ]
  const { results } = await door.send(entries)
  expect(results.map(({ outcome }) => outcome)).toEqual([
    ...[
      'lent',
      'lent',
      'board_taken',
      'has_board',
      'not_found',
      'not_lent',
      'returned',
      'unusable',
      'not_found',
      'lent',
    ],
  ])
  expect(results[2]).toMatchObject({ by: '王小明' })
  expect(results[3]).toMatchObject({ serial: 'RTB-001' })
  const list = await (await door.get(paths.doorList())).json()
  expect(list.boards).toEqual([
    { id: b.id, kind: '星火一号', serial: 'RTB-002', code: b.code, registration: people[0] },
    { id: boards[2]?.id, kind: '星火一号', serial: 'RTB-003', code: boards[2]?.code, registration: null },
  ])
  const stored = await world.db.select().from(loans)
  expect(stored.every(({ lentBy }) => lentBy === '前门')).toBe(true)
  await allocateBoards(world.deps, { name: '' }, workshop, { ids: [b.id] })
  expect((await (await door.get(paths.doorList())).json()).boards).toHaveLength(1)
  for (const wrong of [
    { ...first, board: 'x' },
    { ...first, at: 'yesterday' },
    { ...returnEntry(world, a), note: 'x'.repeat(501) },
    { ...returnEntry(world, a), broken: 'yes' },
  ]) {
    expect((await door.postEntries([wrong])).status).toBe(400)
  }
})

test('POST /t/:ticket/erase returns 409 while the attendee has a board', async () => {
  await using world = await createWorld()
  const { door, boards, people, tickets } = await setUpDoor(world)
  await door.send([lendEntry(world, boards[0], people[0])])
  const erase = () =>
    world.request(paths.ticketErase(tickets[0] ?? ''), {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
  const refused = await erase()
  expect([refused.status, visibleText(await refused.text())]).toEqual([409, expect.stringContaining('还没有归还')])
  const [stored] = await world.db
    .select()
    .from(registrations)
    .where(eq(registrations.id, people[0] ?? ''))
  expect(stored).toMatchObject({ name: '王小明', erasedAt: null })
  await door.send([returnEntry(world, boards[0])])
  expect((await erase()).status).toBe(303)
  expect(await world.db.select().from(boardTable)).toHaveLength(3)
})

function lendEntry(world: World, board: { id: string } | undefined, registration: string | undefined) {
  return { kind: 'lend', id: world.deps.newId(), board: board?.id, registration, at: world.clock.now().toISOString() }
}

function returnEntry(world: World, board: { id: string } | undefined, more: object = {}) {
  return { kind: 'return', id: world.deps.newId(), board: board?.id, at: world.clock.now().toISOString(), ...more }
}

/** Hidden field values of the form with this action. */
function formFields(html: string, action: string): Record<string, string> {
  const [, form] = new RegExp(`<form [^>]*action="${action}">(.*?)</form>`, 's').exec(html) ?? []
  if (form === undefined) throw new Error(`no form sends to ${action}`)
  return formValues(form)
}

/** Sets up a workshop on its day with three boards, two confirmed attendees, 王小明 and 李安, and a door session. */
async function setUpDoor(world: World) {
  const workshop = await world.workshop()
  const [wang, li] = [
    await world.register(workshop, { name: '王小明', phone: '+8613800138000' }),
    await world.register(workshop, { name: '李安' }),
  ]
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['RTB-001', 'RTB-002', 'RTB-003'] })
  const { boards } = await listBoards(world.deps)
  world.clock.set(workshop.startsAt)
  return {
    workshop,
    boards,
    people: [wang.id, li.id],
    tickets: [wang.ticket, li.ticket],
    door: await openDoorClient(world, workshop),
  }
}

async function openDoorClient(world: World, workshop: Workshop) {
  const session = await startDoorSession(world.deps, workshop, '前门', undefined)
  if (session.kind === 'refused') throw new Error('the door was not opened')
  const headers = { Cookie: `door=${session.token}` }
  const get = (path: string) => world.request(path, { headers })
  const postEntries = (entries: unknown[]) =>
    world.request(paths.doorEntries(), {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify({ entries }),
    })
  return {
    get,
    postEntries,
    read: async (path: string) => (await get(path)).text(),
    post: (path: string, fields: Record<string, string>) =>
      world.request(path, {
        method: 'POST',
        headers: { ...headers, Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    async send(entries: unknown[]): Promise<{ results: ({ outcome: string } & Record<string, unknown>)[] }> {
      return (await postEntries(entries)).json() as Promise<{
        results: ({ outcome: string } & Record<string, unknown>)[]
      }>
    },
    checkIn: (registration: string | undefined) =>
      checkIn(world.deps, { name: '前门', sessionId: session.session.id, workshopId: workshop.id }, [
        { id: world.deps.newId(), registration: registration as string, at: world.clock.now() },
      ]),
  }
}
