import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { auditEntries, boards, loans, mails, registrations } from '../../../src/db/schema.ts'
import { allocateBoards, releaseBoards } from '../../../src/domain/boards/allocation.ts'
import {
  addBoards,
  countBoards,
  findBoard,
  findBoardByCode,
  listBoards,
  removeBoard,
  renameBoard,
  setBoardState,
} from '../../../src/domain/boards/inventory.ts'
import {
  canRequestReturn,
  findNextBoard,
  lendBoard,
  listActiveLoans,
  listBoardLoans,
  listDoorBoards,
  requestReturns,
  returnBoard,
} from '../../../src/domain/boards/loans.ts'
import { parseBoards } from '../../../src/domain/boards/serials.ts'
import { claimDueMails, type DeliverableMail } from '../../../src/domain/mails/outbox.ts'
import { erasePerson } from '../../../src/domain/registrations/admin.ts'
import {
  cancelRegistration,
  cancelWorkshop,
  eraseRegistration,
  moveRegistration,
} from '../../../src/domain/registrations/seats.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { findWarnings } from '../../../src/domain/workshops/warnings.ts'
import { findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { buildMessage } from '../../../src/email/message.ts'
import { createWorld, type World } from '../../support/world.ts'

const actor = { name: '林老师', organiserId: undefined }
const helper = { name: '前门' }

test.each([
  ['RTB-001', ['RTB-001']],
  ['RTB-001..RTB-004', ['RTB-001', 'RTB-002', 'RTB-003', 'RTB-004']],
  ['RTB-008..011', ['RTB-008', 'RTB-009', 'RTB-010', 'RTB-011']],
  ['RTB-9..11', ['RTB-9', 'RTB-10', 'RTB-11']],
  ['SN20230700099…SN20230700101', ['SN20230700099', 'SN20230700100', 'SN20230700101']],
  ['ＲＴＢ－００１～ＲＴＢ－００２', ['RTB-001', 'RTB-002']],
  ['A1，B2\nA1、 C 3 ', ['A1', 'B2', 'C 3']],
  ['7A..9A', ['7A', '8A', '9A']],
])('parseBoards reads %j as serial numbers', (input, serials) => {
  expect(parseBoards({ kind: ' 星火一号 ', serials: input })).toEqual({ kind: '星火一号', serials, problems: [] })
})

test.each([
  [{ kind: '', serials: 'A1' }, [['kind', 'missing']]],
  [
    { kind: 'x'.repeat(61), serials: '' },
    [
      ['kind', 'too_long'],
      ['serials', 'missing'],
    ],
  ],
  [{ kind: 'K', serials: ' ,\n' }, [['serials', 'missing']]],
  [{ kind: 'K', serials: 'RTB-9..RTB-1' }, [['serials', 'range_invalid']]],
  [{ kind: 'K', serials: 'A-1..B-9' }, [['serials', 'range_invalid']]],
  [{ kind: 'K', serials: 'A..B' }, [['serials', 'range_invalid']]],
  [{ kind: 'K', serials: '1..2..3' }, [['serials', 'range_invalid']]],
  [{ kind: 'K', serials: 'A1..' }, [['serials', 'range_invalid']]],
  [{ kind: 'K', serials: '1..999999999' }, [['serials', 'too_many']]],
  [{ kind: 'K', serials: '1..400,1001..1400' }, [['serials', 'too_many']]],
  [{ kind: 'K', serials: 'x'.repeat(41) }, [['serials', 'too_long']]],
])('parseBoards rejects %j', (input, expected) => {
  expect(parseBoards(input).problems.map(({ field, code }) => [field, code])).toEqual(expected)
})

// The SQL must behave the same on PGlite and on Postgres.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const newWorld = () => createWorld({ postgres })

  test('addBoards adds all boards or none, and rejects a duplicate serial number of one kind', async () => {
    await using world = await newWorld()
    const [first = ''] = await addBoardsOrThrow(world, '星火一号', 'RTB-9..RTB-11')
    expect(await addBoards(world.deps, actor, { kind: '星火一号', serials: ['RTB-12', 'RTB-11', 'RTB-9'] })).toEqual({
      kind: 'refused',
      refusal: 'exist',
      serials: ['RTB-9', 'RTB-11'],
    })
    await addBoardsOrThrow(world, '潘多拉', 'RTB-9')
    const { boards, total } = await listBoards(world.deps)
    expect(total).toBe(4)
    expect(boards.map(({ kind, serial, place }) => [kind, serial, place])).toEqual(
      [
        ['星火一号', 'RTB-9', 'free'],
        ['星火一号', 'RTB-10', 'free'],
        ['星火一号', 'RTB-11', 'free'],
        ['潘多拉', 'RTB-9', 'free'],
      ].sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0)),
    )
    const board = await findExistingBoard(world, first)
    expect(board.code).toMatch(/^[2-9a-z]{7}$/)
    expect(await findBoardByCode(world.deps, board.code)).toEqual(board)
    expect(await findBoardByCode(world.deps, 'nothing')).toBeUndefined()
    expect((await listBoards(world.deps, { search: 'rtb-1' })).boards.map(({ serial }) => serial)).toEqual([
      'RTB-10',
      'RTB-11',
    ])
    expect((await listBoards(world.deps, { kind: '潘多拉' }, 7)).total).toBe(1)

    expect(await renameBoard(world.deps, actor, board, { kind: '星火一号', serial: 'RTB-10' })).toBe('exists')
    expect(await renameBoard(world.deps, actor, board, { kind: '', serial: ' ' })).toHaveLength(2)
    expect(await renameBoard(world.deps, actor, board, { kind: '星火一号', serial: 'RTB-009' })).toBe('changed')
    expect((await findExistingBoard(world, first)).serial).toBe('RTB-009')
    expect(await removeBoard(world.deps, actor, board)).toBe('removed')
    expect(await removeBoard(world.deps, actor, board)).toBe('not_found')
    const written = await world.db.select().from(auditEntries).orderBy(auditEntries.id)
    expect(written.map(({ action }) => action)).toEqual([
      'board.added',
      'board.added',
      'board.changed',
      'board.removed',
    ])
  })

  test('lendBoard allows one board per person and one person per board, and repeats its result for the same nonce', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world)
    const [a = '', b = ''] = ids
    const [wang, li] = people as [string, string]
    const lend = (board: string, person: string, nonce = world.deps.newId(), at = world.clock.now()) =>
      lendBoard(world.deps, helper, { id: nonce, boardId: board, registrationId: person, workshopId: workshop.id, at })
    const takeBack = (board: string, nonce = world.deps.newId(), at = world.clock.now()) =>
      returnBoard(world.deps, helper, { id: nonce, boardId: board, at })

    const nonce = world.deps.newId()
    expect(await lend(a, wang, nonce)).toMatchObject({ outcome: 'lent', board: { serial: 'RTB-001' } })
    expect(await lend(a, wang, nonce)).toMatchObject({ outcome: 'lent', board: { serial: 'RTB-001' } })
    expect(await lend(a, li)).toEqual({ outcome: 'board_taken', by: '王小明' })
    expect(await lend(b, wang)).toMatchObject({ outcome: 'has_board', serial: 'RTB-001' })
    expect(await lend(a, wang)).toMatchObject({ outcome: 'has_board', serial: 'RTB-001' })
    expect(await loanedBoard(world, workshop, wang)).toMatchObject({ id: a, serial: 'RTB-001' })
    expect(await lend(world.deps.newId(), li)).toEqual({ outcome: 'not_found' })
    expect(await lend(b, world.deps.newId())).toEqual({ outcome: 'not_found' })
    expect(await removeBoard(world.deps, actor, await findExistingBoard(world, a))).toBe('was_lent')

    expect(await takeBack(b)).toEqual({ outcome: 'not_lent' })
    expect(await takeBack(world.deps.newId())).toEqual({ outcome: 'not_found' })
    world.clock.advance({ hours: 1 })
    const back = world.deps.newId()
    const returned = { outcome: 'returned', registrationId: wang, workshopId: workshop.id }
    expect(await takeBack(a, back)).toEqual(returned)
    expect(await takeBack(a, back)).toEqual(returned)
    // A nonce already used for another operation returns not_found.
    expect(await takeBack(b, back)).toEqual({ outcome: 'not_found' })
    expect(await lend(b, wang, nonce)).toEqual({ outcome: 'not_found' })
    expect(await lend(a, li, nonce)).toEqual({ outcome: 'not_found' })
    expect(await takeBack(a)).toEqual({ outcome: 'not_lent' })
    // A replay after the return repeats the original result and lends nothing.
    expect(await lend(a, wang, nonce)).toMatchObject({ outcome: 'lent' })
    expect(await loanedBoard(world, workshop, wang)).toBeUndefined()
    expect(await lend(a, li)).toMatchObject({ outcome: 'lent' })
    expect(await world.db.select().from(loans)).toHaveLength(2)
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('lendBoard requires a seat in this workshop and a usable board', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world)
    const [a = '', b = '', c = ''] = ids
    const [wang, li, waitlisted] = people as [string, string, string]
    const other = await world.workshop()
    const otherAttendee = (await world.register(other, { name: '赵安' })).id
    const lend = (board: string, person: string, of: Workshop = workshop) =>
      lendBoard(world.deps, helper, {
        ...{ id: world.deps.newId(), boardId: board, registrationId: person, workshopId: of.id, at: world.clock.now() },
      })
    expect(await lend(a, waitlisted)).toEqual({ outcome: 'not_found' })
    expect(await lend(a, otherAttendee)).toEqual({ outcome: 'not_found' })
    expect(
      await setBoardState(world.deps, actor, await findExistingBoard(world, a), { state: 'broken', note: ' 不亮 ' }),
    ).toBe('changed')
    expect(await lend(a, wang)).toEqual({ outcome: 'unusable' })
    expect(await findExistingBoard(world, a)).toMatchObject({ place: 'broken', note: '不亮' })
    expect(
      await setBoardState(world.deps, actor, await findExistingBoard(world, a), { state: 'usable', note: '' }),
    ).toBe('changed')
    expect(await lend(a, wang)).toMatchObject({ outcome: 'lent' })
    expect(
      await setBoardState(world.deps, actor, await findExistingBoard(world, a), { state: 'retired', note: '' }),
    ).toBe('lent')
    expect(await findExistingBoard(world, a)).toMatchObject({ place: 'lent', holder: { name: '王小明' } })
    // Another workshop's door does not learn the borrower's name.
    expect(await lend(a, otherAttendee, other)).toEqual({ outcome: 'board_taken', by: null })
    expect(await lend(b, otherAttendee, other)).toMatchObject({ outcome: 'lent' })
    expect(await lend(b, li)).toEqual({ outcome: 'board_taken', by: null })
    // Another workshop's door may still take the board back.
    expect(
      await returnBoard(world.deps, helper, {
        id: world.deps.newId(),
        boardId: b,
        at: world.clock.now(),
        broken: true,
        note: '缺线',
      }),
    ).toMatchObject({ outcome: 'returned' })
    expect(await findExistingBoard(world, b)).toMatchObject({ place: 'broken', note: '缺线', holder: null })
    // A note about missing parts is stored for a working board too, and stays until it is replaced.
    for (const note of ['少一根排线', undefined]) {
      await lend(c, li)
      await returnBoard(world.deps, helper, { id: world.deps.newId(), boardId: c, at: world.clock.now(), note })
      expect(await findExistingBoard(world, c)).toMatchObject({ place: 'free', note: '少一根排线' })
    }
    expect(await lend(b, li)).toEqual({ outcome: 'unusable' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test("lendBoard and returnBoard clamp a phone's clock to 12 hours before the start until now, in order", async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world)
    const [a = ''] = ids
    const [wang, li] = people as [string, string]
    const start = workshop.startsAt.getTime()
    const hour = 3_600_000
    world.clock.set(new Date(start + hour))
    const lend = (person: string, at: number) =>
      lendBoard(world.deps, helper, {
        ...{ id: world.deps.newId(), boardId: a, registrationId: person, workshopId: workshop.id, at: new Date(at) },
      })
    const takeBack = (at: number) =>
      returnBoard(world.deps, helper, { id: world.deps.newId(), boardId: a, at: new Date(at) })
    const times = async () =>
      (await listBoardLoans(world.deps, a))
        .map(({ lentAt, returnedAt }) => [lentAt, returnedAt].map((at) => at && (at.getTime() - start) / hour))
        .reverse()
    await lend(wang, -8.64e15)
    expect(await times()).toEqual([[-12, null]])
    await takeBack(8.64e15)
    expect(await times()).toEqual([[-12, 1]])
    // The phone's clock says a time before the previous return.
    await lend(li, start)
    expect(await times()).toEqual([
      [-12, 1],
      [1, null],
    ])
    // An offline phone repeats the first return: it does not apply to this loan.
    expect(await takeBack(start)).toEqual({ outcome: 'not_lent' })
    expect(await loanedBoard(world, workshop, li)).toMatchObject({ id: a })
    world.clock.advance({ minutes: 30 })
    // A clock that is slightly behind is accepted.
    expect(await takeBack(start + hour - 50_000)).toMatchObject({ outcome: 'returned' })
    expect(await times()).toEqual([
      [-12, 1],
      [1, 1],
    ])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('returnBoard accepts a return from a phone whose clock is years behind', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world)
    const [boardId = ''] = ids
    world.clock.set(workshop.startsAt)
    const by = { id: world.deps.newId(), boardId, registrationId: people[0] as string, workshopId: workshop.id }
    await lendBoard(world.deps, helper, { ...by, at: new Date('2020-01-01T09:00:00Z') })
    const back = { id: world.deps.newId(), boardId, at: new Date('2020-01-01T12:00:00Z') }
    expect(await returnBoard(world.deps, helper, back)).toMatchObject({ outcome: 'returned' })
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('allocateBoards reserves boards for a workshop and its door until the workshop ends', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world, 'RTB-001..RTB-005')
    const other = await world.workshop()
    const cancelled = await world.workshop()
    await cancelWorkshop(world.deps, cancelled.slug)
    const cancelledWorkshop = (await findWorkshop(world.deps, cancelled.slug)) as Workshop
    expect(await allocateBoards(world.deps, actor, cancelledWorkshop, { kind: '星火一号', count: 2 })).toBe('over')
    const doorSerials = async (of: Workshop) =>
      (await listDoorBoards(world.deps, of.id)).map(({ serial }) => serial.slice(-1)).join('')
    expect(await doorSerials(workshop)).toBe('12345')
    expect(await allocateBoards(world.deps, actor, workshop, { kind: '星火一号', count: 2 })).toBe(2)
    expect(await doorSerials(workshop)).toBe('12')
    expect(await doorSerials(other)).toBe('345')
    expect(await findNextBoard(world.deps, workshop.id)).toMatchObject({ serial: 'RTB-001' })
    expect(await findNextBoard(world.deps, other.id)).toMatchObject({ serial: 'RTB-003' })
    await setBoardState(world.deps, actor, await findExistingBoard(world, ids[2] ?? ''), { state: 'broken', note: '' })
    expect(await allocateBoards(world.deps, actor, other, { kind: '星火一号', count: 9 })).toBe(2)
    expect(await doorSerials(other)).toBe('45')
    expect(await allocateBoards(world.deps, actor, other, { kind: '星火一号', count: 9 })).toBe(0)
    // Boards named by id move from another workshop's allocation; broken ones do not.
    expect(await allocateBoards(world.deps, actor, workshop, { ids: [ids[2], ids[3]] as string[] })).toBe(1)
    expect(await doorSerials(workshop)).toBe('124')
    const lent = { boardId: ids[0] as string, registrationId: people[0] as string, workshopId: workshop.id }
    await lendBoard(world.deps, helper, { id: world.deps.newId(), at: world.clock.now(), ...lent })
    expect(await findNextBoard(world.deps, workshop.id)).toMatchObject({ serial: 'RTB-002' })
    expect(await listDoorBoards(world.deps, workshop.id)).toMatchObject([
      { serial: 'RTB-001', registration: people[0] },
      { serial: 'RTB-002', registration: null },
      { serial: 'RTB-004', registration: null },
    ])
    expect(await countBoards(world.deps)).toEqual([
      { kind: '星火一号', places: { free: 0, packed: 3, lent: 1, broken: 1, retired: 0 } },
    ])
    expect(await releaseBoards(world.deps, actor, workshop, [ids[3] as string])).toBe(1)
    expect(await releaseBoards(world.deps, actor, workshop)).toBe(2)
    // No board is allocated now, but the attendee keeps the lent board.
    expect(await doorSerials(workshop)).toBe('124')
    expect((await listBoards(world.deps, { workshopId: other.id })).boards.map(({ serial }) => serial)).toEqual([
      'RTB-005',
    ])
    world.clock.set(new Date(other.endsAt.getTime() + 1))
    expect(await allocateBoards(world.deps, actor, other, { ids: ids.slice(1, 2) })).toBe('over')
    expect((await listBoards(world.deps, { place: 'free' })).boards.map(({ serial }) => serial)).toEqual([
      'RTB-002',
      'RTB-004',
      'RTB-005',
    ])
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('allocateBoards applies a form submitted several times at once only once', async () => {
    await using world = await newWorld()
    const { workshop } = await setUpBoards(world, '1..9')
    const allocate = (count: number, alreadyAllocated?: number) =>
      allocateBoards(world.deps, actor, workshop, {
        kind: '星火一号',
        count,
        ...(alreadyAllocated !== undefined && { alreadyAllocated }),
      })
    expect(await Promise.all([allocate(3, 0), allocate(3, 0), allocate(3, 0), allocate(3, 0)])).toEqual([3, 3, 3, 3])
    expect((await listBoards(world.deps, { place: 'packed' })).total).toBe(3)
    // A form loaded before the allocation asks for four in total; one loaded after it, for two more.
    expect(await allocate(4, 0)).toBe(4)
    expect(await allocate(2, 4)).toBe(2)
    expect(await allocate(9, 6)).toBe(3)
    expect((await listBoards(world.deps, { place: 'packed' })).total).toBe(9)
    expect(await allocate(1, 9)).toBe(0)
    // A form for another kind, loaded before all of this.
    await addBoardsOrThrow(world, '潘多拉', '1..3')
    expect(await allocateBoards(world.deps, actor, workshop, { kind: '潘多拉', count: 2, alreadyAllocated: 0 })).toBe(2)
    expect((await listBoards(world.deps, { kind: '潘多拉', place: 'packed' })).total).toBe(2)
  })

  test('an attendee with a lent board cannot be erased, but can be moved or cancelled', async () => {
    await using world = await newWorld()
    const { campaignId, workshop, ids, people } = await setUpBoards(world)
    const other = await world.workshop({ campaignId, city: { zh: '南京' } })
    const [wang, li] = people as [string, string]
    for (const [n, registrationId] of [wang, li].entries()) {
      await lendBoard(world.deps, helper, {
        ...{
          id: world.deps.newId(),
          boardId: ids[n] as string,
          registrationId,
          workshopId: workshop.id,
          at: world.clock.now(),
        },
      })
    }
    const person = { id: wang, name: '王小明', email: 'wang@example.com', workshop }
    expect(await eraseRegistration(world.deps, wang, 'attendee')).toBe('board_not_returned')
    expect(await erasePerson(world.deps, actor, person)).toBe('board_not_returned')
    expect(await eraseRegistration(world.deps, world.deps.newId(), 'attendee')).toBe('not_found')
    expect(await cancelRegistration(world.deps, wang, 'attendee')).toBe('cancelled')
    expect(await moveRegistration(world.deps, li, other.slug)).toMatchObject({ kind: 'moved' })
    expect((await listActiveLoans(world.deps, workshop.id)).map(({ name }) => name)).toEqual(['王小明', '李安'])
    expect(await findViolations(world.deps)).toEqual([])

    await returnBoard(world.deps, helper, { id: world.deps.newId(), boardId: ids[0] as string, at: world.clock.now() })
    expect(await erasePerson(world.deps, actor, person)).toBe('erased')
    expect(await erasePerson(world.deps, actor, person)).toBe('not_found')
    expect(await listBoardLoans(world.deps, ids[0] as string)).toMatchObject([{ person: null }])
    // Writing off a board as lost ends its loan, so that its borrower can be erased.
    await returnBoard(world.deps, actor, {
      id: world.deps.newId(),
      boardId: ids[1] as string,
      at: world.clock.now(),
      lost: true,
    })
    expect(await findExistingBoard(world, ids[1] as string)).toMatchObject({ place: 'retired' })
    expect(await eraseRegistration(world.deps, li, 'attendee')).toBe('erased')
    expect(await findViolations(world.deps)).toEqual([])
  })

  test('requestReturns mails each borrower with an address at most once a day', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world, 'RTB-001..RTB-003', 3)
    for (const [n, registrationId] of people.entries()) {
      world.clock.advance({ minutes: 1 })
      await lendBoard(world.deps, helper, {
        ...{
          id: world.deps.newId(),
          boardId: ids[n] as string,
          registrationId,
          workshopId: workshop.id,
          at: world.clock.now(),
        },
      })
    }
    await world.db
      .update(registrations)
      .set({ email: '' })
      .where(eq(registrations.id, people[2] as string))
    await returnBoard(world.deps, helper, { id: world.deps.newId(), boardId: ids[1] as string, at: world.clock.now() })
    world.clock.set(new Date(workshop.endsAt.getTime() + 1))
    const activeLoans = await listActiveLoans(world.deps, workshop.id)
    expect(activeLoans).toMatchObject([
      { name: '王小明', tail: '8000', hasEmail: true, returnRequestedAt: null, board: { serial: 'RTB-001' } },
      { tail: '', hasEmail: false, board: { serial: 'RTB-003' } },
    ])
    const countRequestable = async () =>
      (await listActiveLoans(world.deps, workshop.id)).filter((loan) => canRequestReturn(loan, world.clock.now()))
        .length
    expect(await countRequestable()).toBe(1)
    const [one, two] = await Promise.all([
      requestReturns(world.deps, actor, workshop),
      requestReturns(world.deps, actor, workshop),
    ])
    expect(one + two).toBe(1)
    expect(await countRequestable()).toBe(0)
    world.clock.advance({ hours: 23 })
    expect(await requestReturns(world.deps, actor, workshop)).toBe(0)
    world.clock.advance({ hours: 1 })
    expect(await countRequestable()).toBe(1)
    expect(await requestReturns(world.deps, actor, workshop)).toBe(1)
    const queued = await world.db.select().from(mails).where(eq(mails.kind, 'board_due'))
    expect(queued.map(({ registrationId, payload }) => [registrationId, payload])).toEqual(
      Array(2).fill([people[0], expect.objectContaining({ board: { kind: '星火一号', serial: 'RTB-001' } })]),
    )
  })

  test('a pending return request is discarded when the board comes back, and the next board can be requested', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world)
    const lendTo = (boardId: string | undefined) =>
      lendBoard(world.deps, helper, {
        ...{ id: world.deps.newId(), boardId: boardId as string, registrationId: people[0] as string },
        ...{ workshopId: workshop.id, at: world.clock.now() },
      })
    const claimReturnRequests = async () =>
      (await claimDueMails(world.deps, 20, 60)).mails.filter(({ kind }) => kind === 'board_due')
    await lendTo(ids[0])
    expect(await requestReturns(world.deps, actor, workshop)).toBe(1)
    world.clock.advance({ minutes: 1 })
    await returnBoard(world.deps, helper, { id: world.deps.newId(), boardId: ids[0] as string, at: world.clock.now() })
    await lendTo(ids[1])
    expect(await claimReturnRequests()).toEqual([])
    const [loan] = await listActiveLoans(world.deps, workshop.id)
    expect(loan).toMatchObject({ board: { serial: 'RTB-002' }, returnRequestedAt: null })
    expect(await requestReturns(world.deps, actor, workshop)).toBe(1)
    expect((await claimReturnRequests()).map(({ payload }) => payload.board?.serial)).toEqual(['RTB-002'])
  })

  test('the return request to an attendee who moved does not mention the new workshop', async () => {
    await using world = await newWorld()
    const { campaignId, workshop, ids, people } = await setUpBoards(world)
    const other = await world.workshop({ campaignId, city: { zh: '南京' } })
    const [wang] = people as [string]
    await lendBoard(world.deps, helper, {
      ...{ id: world.deps.newId(), boardId: ids[0] as string, registrationId: wang, workshopId: workshop.id },
      at: world.clock.now(),
    })
    await moveRegistration(world.deps, wang, other.slug)
    expect(await requestReturns(world.deps, actor, workshop)).toBe(1)
    const { mails } = await claimDueMails(world.deps, 20, 60)
    const mail = mails.find(({ kind }) => kind === 'board_due') as DeliverableMail
    const { subject, text, html } = buildMessage(world.deps, mail)
    expect(subject).toBe('借的开发板还没有还：星火一号 RTB-001')
    expect(text).toContain('\n\n星火一号 RTB-001\n\n')
    expect(text + html).not.toMatch(/南京|12月11日/)
  })

  test('findViolations reports loans and boards in impossible states', async () => {
    await using world = await newWorld()
    const { workshop, ids, people } = await setUpBoards(world)
    const lend = (board: number, registrationId: string | undefined) =>
      lendBoard(world.deps, helper, {
        ...{ id: world.deps.newId(), boardId: ids[board] as string, registrationId: registrationId as string },
        ...{ workshopId: workshop.id, at: world.clock.now() },
      })
    await lend(0, people[0])
    await world.db
      .update(boards)
      .set({ state: 'broken' })
      .where(eq(boards.id, ids[0] as string))
    await world.db
      .update(registrations)
      .set({ erasedAt: world.clock.now() })
      .where(eq(registrations.id, people[0] as string))
    await world.db.execute(sql`drop index loans_one_active_per_board`)
    await world.db.execute(sql`drop index loans_one_active_per_registration`)
    const id = () => world.deps.newId()
    const common = { workshopId: workshop.id, lentBy: '', lentAt: world.clock.now() }
    await world.db.insert(loans).values([
      { id: id(), boardId: ids[0] as string, registrationId: people[1] as string, ...common },
      { id: id(), boardId: ids[1] as string, registrationId: people[1] as string, ...common },
    ])
    expect((await findViolations(world.deps)).map(({ invariant }) => invariant)).toEqual([
      'loans of a board do not overlap',
      'a registration has at most one active loan',
      'a lent board has a known borrower, and no loan ends before it begins',
      'an unusable board is neither lent nor allocated',
    ])
  })
})

test('findWarnings reports too few boards for a workshop alone and together with others on the same day', async () => {
  await using world = await createWorld()
  const startsAt = new Date('2026-12-12T09:00:00+08:00')
  const workshop = await world.workshop({ boards: 2, startsAt, publish: false })
  const boardWarnings = async () => {
    const found = await findWarnings(world.deps, (await findWorkshop(world.deps, workshop.slug)) as Workshop)
    return found.filter(({ warning }) => warning.startsWith('boards_'))
  }
  expect(await boardWarnings()).toEqual([])
  const [, second = ''] = await addBoardsOrThrow(world, '星火一号', '1..3')
  expect(await boardWarnings()).toEqual([])
  // Starts that evening on the same day, after the first workshop has ended.
  const other = await world.workshop({ boards: 2, startsAt: new Date('2026-12-12T18:00:00+08:00') })
  await world.workshop({ boards: 9, startsAt: new Date('2026-12-13T09:00:00+08:00') })
  expect(await boardWarnings()).toEqual([{ warning: 'boards_shared', boards: 4, usable: 3, slugs: [other.slug] }])
  await addBoardsOrThrow(world, '潘多拉', '4')
  expect(await boardWarnings()).toEqual([])
  // Each day of a three-day course has enough boards for itself and the workshop on the same day.
  const course = await world.workshop({
    ...{ boards: 2, startsAt: new Date('2027-01-04T09:00:00+08:00'), endsAt: new Date('2027-01-06T17:00:00+08:00') },
  })
  for (const startsAt of ['2027-01-04T09:00:00+08:00', '2027-01-06T09:00:00+08:00'])
    await world.workshop({ boards: 2, startsAt: new Date(startsAt) })
  const shared = async () => (await findWarnings(world.deps, course)).find(({ warning }) => warning === 'boards_shared')
  expect(await shared()).toBeUndefined()
  const third = await world.workshop({ boards: 1, startsAt: new Date('2027-01-06T09:00:00+08:00') })
  expect(await shared()).toMatchObject({ boards: 5, usable: 4, slugs: [expect.any(String), third.slug] })
  for (const serial of [second, (await listBoards(world.deps, { kind: '潘多拉' })).boards[0]?.id ?? '']) {
    await setBoardState(world.deps, actor, await findExistingBoard(world, serial), { state: 'retired', note: '' })
  }
  await setBoardState(
    world.deps,
    actor,
    await findExistingBoard(world, (await listBoards(world.deps, { place: 'free' })).boards[0]?.id ?? ''),
    { state: 'broken', note: '' },
  )
  expect(await boardWarnings()).toEqual([{ warning: 'boards_missing', boards: 2, usable: 1 }])
})

/** Seeds boards and a workshop: 王小明 and 李安 have seats, 赵安 is waitlisted. */
async function setUpBoards(world: World, serials = 'RTB-001..RTB-003', capacity = 2) {
  const campaignId = (await world.campaign()).id
  const workshop = await world.workshop({ campaignId, capacity })
  const ids = await addBoardsOrThrow(world, '星火一号', serials)
  const people: string[] = []
  people.push((await world.register(workshop, { name: '王小明', phone: '+8613800138000' })).id)
  people.push((await world.register(workshop, { name: '李安' })).id)
  people.push((await world.register(workshop, { name: '赵安' })).id)
  return { campaignId, workshop, ids, people }
}

async function addBoardsOrThrow(world: World, kind: string, serials: string): Promise<string[]> {
  const added = await addBoards(world.deps, actor, parseBoards({ kind, serials }))
  if (added.kind === 'refused') throw new Error(`boards rejected: ${added.serials}`)
  return added.ids
}

async function loanedBoard(world: World, workshop: Workshop, person: string) {
  return (await listActiveLoans(world.deps, workshop.id)).find(({ registrationId }) => registrationId === person)?.board
}

async function findExistingBoard(world: World, id: string) {
  const board = await findBoard(world.deps, id)
  if (!board) throw new Error('board not found')
  return board
}
