import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { boards, loans } from '../../src/db/schema.ts'
import { allocateBoards, releaseBoards } from '../../src/domain/boards/allocation.ts'
import { addBoards, findBoard, setBoardState } from '../../src/domain/boards/inventory.ts'
import { findNextBoard, lendBoard, returnBoard } from '../../src/domain/boards/loans.ts'
import type { Deps } from '../../src/domain/deps.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import type { Workshop } from '../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../support/world.ts'

/*
 * Boards are lent and returned at several doors at once, each with its own connection and clock, on a real Postgres.
 * fast-check generates the steps of each door; the order in which they interleave is left to chance.
 */

const doorCount = 4
const personCount = 4
const boardCount = 3

const minute = 60_000

/** A step at one door. `off`: minutes by which its clock is wrong. */
type Step =
  | { do: 'lend'; board: number; person: number; off: number }
  | { do: 'next'; person: number; off: number }
  | { do: 'return'; board: number; off: number; broken: boolean }
  /** Repeats the last request. */
  | { do: 'again' }
  /** Returns the board that was lent last at this door. */
  | { do: 'undo' }
  | { do: 'state'; board: number; state: 'usable' | 'broken' | 'retired' }
  | { do: 'pack'; count: number }
  | { do: 'unpack' }

const board = fc.nat(boardCount - 1)
const person = fc.nat(personCount - 1)
const clockOffset = fc.constantFrom(0, 0, 0, -1, -90, 5)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('lend' as const), board, person, off: clockOffset }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('next' as const), person, off: clockOffset }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('return' as const), board, off: clockOffset, broken: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'again' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'undo' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('state' as const),
      board,
      // A board that is out of use tests nothing about lending, so most of them are made usable again.
      state: fc.constantFrom(
        'usable' as const,
        'usable' as const,
        'usable' as const,
        'broken' as const,
        'retired' as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pack' as const), count: fc.integer({ min: 1, max: boardCount }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'unpack' as const }) },
)
const scripts = fc.array(fc.array(step, { minLength: 1, maxLength: 15 }), {
  minLength: doorCount,
  maxLength: doorCount,
})

let world: World
let workshop: Workshop
const persons: string[] = []
const connections: { deps: Deps; close(): Promise<void> }[] = []

beforeAll(async () => {
  world = await createWorld({ postgres: true })
  workshop = await world.workshop({ capacity: personCount })
  for (let n = 0; n < personCount; n++) persons.push((await world.register(workshop)).id)
  world.clock.set(workshop.startsAt)
  for (let n = 0; n < doorCount; n++) {
    const { db, close } = openPostgres(world.databaseUrl ?? '', { max: 1 })
    connections.push({ deps: { ...world.deps, db }, close })
  }
})
afterAll(async () => {
  await Promise.all(connections.map(({ close }) => close()))
  await world.close()
})

/** Every loan and return that was granted, by nonce. */
type Granted = { loans: Map<string, { board: string; person: string }>; returns: Map<string, string> }

async function runScript(script: Step[][]): Promise<Granted> {
  await world.db.delete(loans)
  await world.db.delete(boards)
  const serials = Array.from({ length: boardCount }, (_, n) => `${n + 1}`)
  const added = await addBoards(world.deps, { name: 'test' }, { kind: 'board', serials })
  const ids = added.kind === 'added' ? added.ids : []
  const granted: Granted = { loans: new Map(), returns: new Map() }
  await Promise.all(script.map((steps, n) => runDoor((connections[n] as { deps: Deps }).deps, steps, ids, granted)))
  return granted
}

async function runDoor(deps: Deps, steps: Step[], ids: string[], granted: Granted): Promise<void> {
  const by = { name: 'door' }
  let repeatLast: (() => Promise<unknown>) | undefined
  let lastLentBoard: string | undefined

  async function lend(boardId: string, registrationId: string, off: number) {
    const loan = { id: randomUUID(), boardId, registrationId, workshopId: workshop.id, at: offsetTime(off) }
    repeatLast = async () => {
      const { outcome } = await lendBoard(deps, by, loan)
      if (outcome !== 'lent') return
      granted.loans.set(loan.id, { board: boardId, person: registrationId })
      lastLentBoard = boardId
    }
    await repeatLast()
  }
  async function returnFromDoor(boardId: string, off: number, broken = false) {
    const back = { id: randomUUID(), boardId, at: offsetTime(off), broken }
    repeatLast = async () => {
      const { outcome } = await returnBoard(deps, by, back)
      if (outcome === 'returned') granted.returns.set(back.id, boardId)
    }
    await repeatLast()
  }

  for (const step of steps) {
    world.clock.advance({ seconds: 1 })
    if (step.do === 'lend') await lend(ids[step.board] as string, persons[step.person] as string, step.off)
    else if (step.do === 'next') {
      const next = await findNextBoard(deps, workshop.id)
      if (next) await lend(next.id, persons[step.person] as string, step.off)
    } else if (step.do === 'return') await returnFromDoor(ids[step.board] as string, step.off, step.broken)
    else if (step.do === 'again') await repeatLast?.()
    else if (step.do === 'undo' && lastLentBoard) await returnFromDoor(lastLentBoard, 0)
    else if (step.do === 'state') {
      const board = { id: ids[step.board] as string, kind: 'board', serial: '' }
      await setBoardState(deps, by, board, { state: step.state, note: '' })
    } else if (step.do === 'pack') await allocateBoards(deps, by, workshop, { kind: 'board', count: step.count })
    else if (step.do === 'unpack') await releaseBoards(deps, by, workshop)
  }
}

const offsetTime = (off: number) => new Date(world.clock.now().getTime() + off * minute)

/** Describes every inconsistency; empty if there is none. */
async function findInconsistencies(expected: Granted): Promise<string[]> {
  const stored = await world.db.select().from(loans)
  const conflicts = await query<{ what: string }>(
    world.db,
    // Each board is free, lent to exactly one person, or out of use.
    sql`select b.serial || ' is ' || b.state || ' and with ' || count(l.id) as what
        from boards b left join loans l on l.board_id = b.id and l.returned_at is null
        group by b.id having count(l.id) > 1 or (b.state <> 'usable' and count(l.id) > 0)`,
  )
  const existingBoards = await Promise.all(
    (await world.db.select().from(boards)).map(({ id }) => findBoard(world.deps, id)),
  )
  const returned = new Map(stored.flatMap(({ returnId, boardId }) => (returnId ? [[returnId, boardId] as const] : [])))
  return [
    ...(await findViolations(world.deps)).map(({ invariant }) => invariant),
    ...conflicts.map(({ what }) => what),
    ...(existingBoards.filter(Boolean).length === boardCount ? [] : ['a board is missing']),
    // Everything granted is stored once, and nothing else is stored.
    ...(stored.length === expected.loans.size ? [] : [`${stored.length} loans, ${expected.loans.size} granted`]),
    ...stored.flatMap(({ id, boardId, registrationId }) => {
      const granted = expected.loans.get(id)
      return granted?.board === boardId && granted.person === registrationId ? [] : ['a loan was not granted']
    }),
    ...([...expected.returns].every(([nonce, id]) => returned.get(nonce) === id) &&
    returned.size === expected.returns.size
      ? []
      : ['the returns differ from those granted']),
  ]
}

const propertyOptions = { numRuns: 60, endOnFailure: true }

test('concurrent steps at four doors never lend a board twice or lose one', async () => {
  let [lent, refused] = [0, 0]
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      const granted = await runScript(script)
      expect(await findInconsistencies(granted)).toEqual([])
      lent += granted.loans.size
      refused += script.flat().filter(({ do: action }) => action === 'lend').length - granted.loans.size
    }),
    propertyOptions,
  )
  // A script in which every step is refused would test nothing.
  expect([lent > propertyOptions.numRuns, refused > propertyOptions.numRuns]).toEqual([true, true])
}, 120_000)

test('a request sent over four connections at once is applied once and succeeds on all of them', async () => {
  for (let round = 0; round < 50; round++) {
    await world.db.delete(loans)
    await world.db.delete(boards)
    const added = await addBoards(world.deps, { name: 'test' }, { kind: 'board', serials: ['1'] })
    const boardId = added.kind === 'added' ? (added.ids[0] as string) : ''
    const loan = {
      id: randomUUID(),
      boardId,
      registrationId: persons[0] as string,
      workshopId: workshop.id,
      at: offsetTime(0),
    }
    const back = { id: randomUUID(), boardId, at: offsetTime(0), broken: false }
    const sendAll = <T>(send: (deps: Deps) => Promise<T>) => Promise.all(connections.map(({ deps }) => send(deps)))
    const lent = await sendAll((deps) => lendBoard(deps, { name: 'door' }, loan))
    expect(lent.map(({ outcome }) => outcome)).toEqual(Array(doorCount).fill('lent'))
    const returned = await sendAll((deps) => returnBoard(deps, { name: 'door' }, back))
    expect(returned.map(({ outcome }) => outcome)).toEqual(Array(doorCount).fill('returned'))
  }
}, 60_000)

test.each(['loans_one_active_per_board', 'loans_one_active_per_registration'])(
  'control: without the index %s inconsistencies occur',
  async (index) => {
    const [original] = await query<{ indexdef: string }>(
      world.db,
      sql`select indexdef from pg_indexes where indexname = ${index}`,
    )
    await world.db.execute(sql.raw(`drop index ${index}`))
    const found = await fc.check(
      fc.asyncProperty(scripts, async (script) => (await findInconsistencies(await runScript(script))).length === 0),
      propertyOptions,
    )
    await world.db.delete(loans)
    await world.db.execute(sql.raw(original?.indexdef ?? ''))
    expect(found.failed).toBe(true)
  },
  120_000,
)
