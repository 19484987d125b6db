import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { boards, loans } from '../../src/db/schema.ts'
import type { Deps } from '../../src/deps.ts'
import { addBoards, findBoard, setBoardState } from '../../src/domain/boards.ts'
import { examine } from '../../src/domain/doctor.ts'
import { lendBoard, nextBoard, returnBoard } from '../../src/domain/loans.ts'
import { packBoards, unpackBoards } from '../../src/domain/packing.ts'
import type { Workshop } from '../../src/domain/workshops.ts'
import { createWorld, type World } from '../support/world.ts'

/*
 * Boards go in and out at several doors at once, each with a connection and a clock of its own, on a real Postgres. What
 * each door is to do is invented by fast-check; in which order it happens the doors settle among themselves.
 */

const doors = 4
const people = 4
const pieces = 3

const minute = 60_000

/** What happens at a door. `off`: minutes by which its clock is wrong. */
type Step =
  | { do: 'lend'; board: number; person: number; off: number }
  | { do: 'next'; person: number; off: number }
  | { do: 'return'; board: number; off: number; broken: boolean }
  /** What was sent last, once more. */
  | { do: 'again' }
  /** What was lent here last, back at once. */
  | { do: 'undo' }
  | { do: 'state'; board: number; state: 'usable' | 'broken' | 'retired' }
  | { do: 'pack'; count: number }
  | { do: 'unpack' }

const board = fc.nat(pieces - 1)
const person = fc.nat(people - 1)
const off = fc.constantFrom(0, 0, 0, -1, -90, 5)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('lend' as const), board, person, off }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('next' as const), person, off }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('return' as const), board, off, broken: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ do: 'again' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'undo' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('state' as const),
      board,
      // A board that is out of use tells nothing about lending, so most of them are made usable again.
      state: fc.constantFrom(
        'usable' as const,
        'usable' as const,
        'usable' as const,
        'broken' as const,
        'retired' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pack' as const), count: fc.integer({ min: 1, max: pieces }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'unpack' as const }) },
)
const scripts = fc.array(fc.array(step, { minLength: 1, maxLength: 15 }), { minLength: doors, maxLength: doors })

let world: World
let workshop: Workshop
const persons: string[] = []
const connections: { deps: Deps; close(): Promise<void> }[] = []

beforeAll(async () => {
  world = await createWorld({ postgres: true })
  workshop = await world.workshop({ capacity: people })
  for (let n = 0; n < people; n++) persons.push((await world.register(workshop)).id)
  world.clock.set(workshop.startsAt)
  for (let n = 0; n < doors; n++) {
    const { db, close } = openPostgres(world.databaseUrl ?? '', { max: 1 })
    connections.push({ deps: { ...world.deps, db }, close })
  }
})
afterAll(async () => {
  await Promise.all(connections.map(({ close }) => close()))
  await world.close()
})

/** What the doors were told: every loan and return that was granted, by its nonce. */
type Told = { lent: Map<string, { board: string; person: string }>; returned: Map<string, string> }

async function play(script: Step[][]): Promise<Told> {
  await world.db.delete(loans)
  await world.db.delete(boards)
  const serials = Array.from({ length: pieces }, (_, n) => `${n + 1}`)
  const added = await addBoards(world.deps, { name: 'test' }, { kind: 'board', serials })
  const ids = added.kind === 'added' ? added.ids : []
  const told: Told = { lent: new Map(), returned: new Map() }
  await Promise.all(script.map((steps, n) => standAtDoor((connections[n] as { deps: Deps }).deps, steps, ids, told)))
  return told
}

async function standAtDoor(deps: Deps, steps: Step[], ids: string[], told: Told): Promise<void> {
  const by = { name: 'door' }
  let last: (() => Promise<unknown>) | undefined
  let mine: string | undefined

  async function lend(boardId: string, registrationId: string, off: number) {
    const loan = { id: randomUUID(), boardId, registrationId, workshopId: workshop.id, at: at(off) }
    last = async () => {
      const { outcome } = await lendBoard(deps, by, loan)
      if (outcome !== 'lent') return
      told.lent.set(loan.id, { board: boardId, person: registrationId })
      mine = boardId
    }
    await last()
  }
  async function take(boardId: string, off: number, broken = false) {
    const back = { id: randomUUID(), boardId, at: at(off), broken }
    last = async () => {
      const { outcome } = await returnBoard(deps, by, back)
      if (outcome === 'returned') told.returned.set(back.id, boardId)
    }
    await last()
  }

  for (const step of steps) {
    world.clock.advance({ seconds: 1 })
    if (step.do === 'lend') await lend(ids[step.board] as string, persons[step.person] as string, step.off)
    else if (step.do === 'next') {
      const next = await nextBoard(deps, workshop.id)
      if (next) await lend(next.id, persons[step.person] as string, step.off)
    } else if (step.do === 'return') await take(ids[step.board] as string, step.off, step.broken)
    else if (step.do === 'again') await last?.()
    else if (step.do === 'undo' && mine) await take(mine, 0)
    else if (step.do === 'state') {
      const board = { id: ids[step.board] as string, kind: 'board', serial: '' }
      await setBoardState(deps, by, board, { state: step.state, note: '' })
    } else if (step.do === 'pack') await packBoards(deps, by, workshop, { kind: 'board', count: step.count })
    else if (step.do === 'unpack') await unpackBoards(deps, by, workshop)
  }
}

const at = (off: number) => new Date(world.clock.now().getTime() + off * minute)

/** What is wrong with how things stand, in words; nothing where all is well. */
async function wrongs(told: Told): Promise<string[]> {
  const stored = await world.db.select().from(loans)
  const lost = await rows<{ what: string }>(
    world.db,
    // Each board is free, with exactly one person, or out of use.
    sql`select b.serial || ' is ' || b.state || ' and with ' || count(l.id) as what
        from boards b left join loans l on l.board_id = b.id and l.returned_at is null
        group by b.id having count(l.id) > 1 or (b.state <> 'usable' and count(l.id) > 0)`,
  )
  const places = await Promise.all((await world.db.select().from(boards)).map(({ id }) => findBoard(world.deps, id)))
  const returned = new Map(stored.flatMap(({ returnId, boardId }) => (returnId ? [[returnId, boardId] as const] : [])))
  return [
    ...(await examine(world.deps)).map(({ invariant }) => invariant),
    ...lost.map(({ what }) => what),
    ...(places.filter(Boolean).length === pieces ? [] : ['a board is gone']),
    // Whatever was granted is there once, and nothing is there that was not granted.
    ...(stored.length === told.lent.size ? [] : [`${stored.length} loans, ${told.lent.size} granted`]),
    ...stored.flatMap(({ id, boardId, registrationId }) => {
      const granted = told.lent.get(id)
      return granted?.board === boardId && granted.person === registrationId ? [] : ['a loan that nobody was granted']
    }),
    ...([...told.returned].every(([nonce, id]) => returned.get(nonce) === id) && returned.size === told.returned.size
      ? []
      : ['a return that was granted is not there, or one is that was not']),
  ]
}

const runs = { numRuns: 60, endOnFailure: true }

test('whatever happens at four doors at once, a board is with one person, and none is lost', async () => {
  let [lent, refused] = [0, 0]
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      const told = await play(script)
      expect(await wrongs(told)).toEqual([])
      lent += told.lent.size
      refused += script.flat().filter(({ do: what }) => what === 'lend').length - told.lent.size
    }),
    runs,
  )
  // A script in which everything is refused would show nothing.
  expect([lent > runs.numRuns, refused > runs.numRuns]).toEqual([true, true])
}, 120_000)

test('what is sent by four connections at the same moment is done once, and each is told that it was', async () => {
  for (let round = 0; round < 50; round++) {
    await world.db.delete(loans)
    await world.db.delete(boards)
    const added = await addBoards(world.deps, { name: 'test' }, { kind: 'board', serials: ['1'] })
    const boardId = added.kind === 'added' ? (added.ids[0] as string) : ''
    const loan = { id: randomUUID(), boardId, registrationId: persons[0] as string, workshopId: workshop.id, at: at(0) }
    const back = { id: randomUUID(), boardId, at: at(0), broken: false }
    const everywhere = <T>(send: (deps: Deps) => Promise<T>) => Promise.all(connections.map(({ deps }) => send(deps)))
    const lent = await everywhere((deps) => lendBoard(deps, { name: 'door' }, loan))
    expect(lent.map(({ outcome }) => outcome)).toEqual(Array(doors).fill('lent'))
    const returned = await everywhere((deps) => returnBoard(deps, { name: 'door' }, back))
    expect(returned.map(({ outcome }) => outcome)).toEqual(Array(doors).fill('returned'))
  }
}, 60_000)

test.each(['loans_one_holder', 'loans_one_board'])(
  'control: without the index %s somebody gets what another has',
  async (index) => {
    const [there] = await rows<{ indexdef: string }>(
      world.db,
      sql`select indexdef from pg_indexes where indexname = ${index}`,
    )
    await world.db.execute(sql.raw(`drop index ${index}`))
    const found = await fc.check(
      fc.asyncProperty(scripts, async (script) => (await wrongs(await play(script))).length === 0),
      runs,
    )
    await world.db.delete(loans)
    await world.db.execute(sql.raw(there?.indexdef ?? ''))
    expect(found.failed).toBe(true)
  },
  120_000,
)
