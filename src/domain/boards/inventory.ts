import { eq, type SQL, sql } from 'drizzle-orm'
import { databaseError, query, timestamptz, uuidArray } from '../../db/database.ts'
import { type BoardState, boards, type Text } from '../../db/schema.ts'
import { normalizeHalfWidth, normalizeUnicode, toSingleLine } from '../../lib/text.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { generateShortCode } from '../promotion/registration-links.ts'
import { type BoardProblem, boardLimits, parseNote } from './serials.ts'

/*
 * The inventory of boards: kinds, serial numbers, states and places. allocation.ts allocates them to workshops, loans.ts
 * lends them.
 */

export type Board = {
  id: string
  kind: string
  serial: string
  /** Code in the QR on its label. */
  code: string
  state: BoardState
  note: string | null
  /** The workshop it is allocated to, until that is over or cancelled. */
  packedFor: BoardWorkshop | null
  /** The attendee who has it; null if not lent. */
  holder: BoardHolder | null
  place: BoardPlace
}

export type BoardWorkshop = { id: string; slug: string; city: Text; startsAt: Date; timeZone: string }
export type BoardHolder = { registrationId: string; name: string; workshop: BoardWorkshop; lentAt: Date }

/** Where a board is; exactly one applies. `packed`: allocated to a workshop and not lent. */
export const boardPlaces = ['free', 'packed', 'lent', 'broken', 'retired'] as const
export type BoardPlace = (typeof boardPlaces)[number]

/**
 * Adds boards of a kind, all or none. `exist`: the kind has boards with the returned serial numbers already.
 * @param serials as returned by `parseBoards`
 */
export async function addBoards(
  deps: Deps,
  actor: Actor,
  { kind, serials }: { kind: string; serials: readonly string[] },
): Promise<{ kind: 'added'; ids: string[] } | { kind: 'refused'; refusal: 'exist'; serials: string[] }> {
  const now = deps.now()
  const values = serials.map((serial) => ({
    ...{ id: deps.newId(), kind, serial, code: generateShortCode() },
    ...{ createdAt: now, updatedAt: now },
  }))
  try {
    await deps.db.insert(boards).values(values)
  } catch (error) {
    const { constraint } = databaseError(error) ?? {}
    // Codes collide once in 27⁷; draw again.
    if (constraint === 'boards_code_unique') return addBoards(deps, actor, { kind, serials })
    if (constraint !== 'boards_serial') throw error
    const existing = await query<{ serial: string }>(
      deps.db,
      sql`select serial from boards
          where kind = ${kind} and serial in (select jsonb_array_elements_text(${JSON.stringify(serials)}::jsonb))
          order by length(serial), serial`,
    )
    return { kind: 'refused', refusal: 'exist', serials: existing.map(({ serial }) => serial) }
  }
  await recordAudit(deps, actor, { action: 'board.added', payload: { board: kind, count: serials.length } })
  return { kind: 'added', ids: values.map(({ id }) => id) }
}

export type BoardFilter = {
  kind?: string | undefined
  place?: BoardPlace | undefined
  /** Part of the serial number, kind, note or holder's name, case-insensitive. As returned by `parseSearch`. */
  search?: string | undefined
  /** Allocated to this workshop, or lent to an attendee of it. */
  workshopId?: string | undefined
}

export const boardsPerPage = 100

/** Lists one page of boards by kind and serial number, with the total. A page after the last one returns the first. */
export async function listBoards(
  deps: Deps,
  filter: BoardFilter = {},
  page = 1,
): Promise<{ boards: Board[]; total: number; page: number }> {
  const stored = await query<StoredBoard & { total: number }>(
    deps.db,
    sql`select *, count(*) over ()::int as total from (${boardsQuery(deps.now())}) b
        where ${buildCondition(filter)} order by ${bySerial}
        limit ${boardsPerPage} offset ${(page - 1) * boardsPerPage}`,
  )
  if (stored.length === 0 && page > 1) return listBoards(deps, filter)
  return { boards: stored.map(parseBoard), total: stored[0]?.total ?? 0, page }
}

export async function listAllBoards(deps: Deps, filter: BoardFilter = {}): Promise<Board[]> {
  const stored = await query<StoredBoard>(
    deps.db,
    sql`select * from (${boardsQuery(deps.now())}) b where ${buildCondition(filter)} order by ${bySerial}`,
  )
  return stored.map(parseBoard)
}

/** Finds boards by id, in the order of `listBoards`. */
export async function findBoards(deps: Deps, ids: readonly string[]): Promise<Board[]> {
  const stored = await query<StoredBoard>(
    deps.db,
    sql`select * from (${boardsQuery(deps.now(), sql`b.id = any(${uuidArray(ids)})`)}) b order by ${bySerial}`,
  )
  return stored.map(parseBoard)
}

export async function findBoard(deps: Deps, id: string): Promise<Board | undefined> {
  const [board] = await findBoards(deps, [id])
  return board
}

/** Finds a board by the code on its label. */
export async function findBoardByCode(deps: Deps, code: string): Promise<Board | undefined> {
  const [stored] = await query<StoredBoard>(deps.db, boardsQuery(deps.now(), sql`b.code = ${code}`))
  return stored && parseBoard(stored)
}

/** Counts boards by kind and place. */
export async function countBoards(deps: Deps): Promise<{ kind: string; places: Record<BoardPlace, number> }[]> {
  const counts = await query<{ kind: string; place: BoardPlace; n: number }>(
    deps.db,
    sql`select kind, place, count(*)::int as n from (${boardsQuery(deps.now())}) b group by kind, place order by kind`,
  )
  const kinds = [...new Set(counts.map(({ kind }) => kind))]
  return kinds.map((kind) => ({
    kind,
    places: Object.fromEntries(
      boardPlaces.map((place) => [place, counts.find((c) => c.kind === kind && c.place === place)?.n ?? 0]),
    ) as Record<BoardPlace, number>,
  }))
}

/** Counts boards that are not broken or retired, lent ones included. Undefined if the inventory is empty. */
export async function countUsableBoards(deps: Deps): Promise<number | undefined> {
  const [counts] = await query<{ usable: number; known: number }>(
    deps.db,
    sql`select count(*) filter (where state = 'usable')::int as usable, count(*)::int as known from boards`,
  )
  return counts?.known ? counts.usable : undefined
}

/** Corrects kind and serial number. `exists`: another board of that kind has the serial number. */
export async function renameBoard(
  deps: Deps,
  actor: Actor,
  board: Pick<Board, 'id' | 'kind' | 'serial'>,
  { kind, serial }: { kind: string; serial: string },
): Promise<'changed' | 'exists' | 'not_found' | BoardProblem[]> {
  const normalized = {
    kind: normalizeHalfWidth(kind, boardLimits.kind),
    serial: normalizeHalfWidth(serial, boardLimits.serial),
  }
  const problems = (['kind', 'serial'] as const).flatMap((field): BoardProblem[] => {
    if (normalized[field] === undefined) return [{ field, code: 'too_long' }]
    return normalized[field] === '' ? [{ field, code: 'missing' }] : []
  })
  if (problems.length > 0) return problems
  // Undefined values were reported as problems above.
  const name = normalized as { kind: string; serial: string }
  if (name.kind === board.kind && name.serial === board.serial) return 'changed'
  try {
    const changed = await deps.db
      .update(boards)
      .set({ ...name, updatedAt: deps.now() })
      .where(eq(boards.id, board.id))
      .returning({ id: boards.id })
    if (changed.length === 0) return 'not_found'
  } catch (error) {
    if (databaseError(error)?.constraint === 'boards_serial') return 'exists'
    throw error
  }
  await recordBoardAudit(deps, actor, 'board.changed', name, { before: `${board.kind} ${board.serial}` })
  return 'changed'
}

/** Sets a board's state, with a note. `lent`: a lent board must be returned before it can be broken or retired. */
export async function setBoardState(
  deps: Deps,
  actor: Actor,
  board: Pick<Board, 'id' | 'kind' | 'serial'>,
  { state, note }: { state: BoardState; note: string },
): Promise<'changed' | 'lent' | 'not_found' | BoardProblem[]> {
  const normalizedNote = parseNote(note)
  if (normalizedNote === undefined) return [{ field: 'note', code: 'too_long' }]
  const [result] = await query<{ outcome: 'changed' | 'lent' | 'not_found' }>(
    deps.db,
    sql`select set_board_state(${board.id}::uuid, ${state}, ${normalizedNote || null}, ${timestamptz(deps.now())}) as outcome`,
  )
  const outcome = result?.outcome ?? 'not_found'
  if (outcome === 'changed') await recordBoardAudit(deps, actor, 'board.changed', board, { state })
  return outcome
}

/** Deletes a board that was never lent. A board that was lent must be retired instead, to keep its history. */
export async function removeBoard(
  deps: Deps,
  actor: Actor,
  board: Pick<Board, 'id' | 'kind' | 'serial'>,
): Promise<'removed' | 'was_lent' | 'not_found'> {
  try {
    const removed = await deps.db.delete(boards).where(eq(boards.id, board.id)).returning({ id: boards.id })
    if (removed.length === 0) return 'not_found'
  } catch (error) {
    // Referenced by a loan, possibly a concurrent one.
    if (databaseError(error)?.constraint === 'loans_board_id_boards_id_fk') return 'was_lent'
    throw error
  }
  await recordBoardAudit(deps, actor, 'board.removed', board)
  return 'removed'
}

async function recordBoardAudit(
  deps: Deps,
  actor: Actor,
  action: 'board.changed' | 'board.removed',
  { kind, serial }: Pick<Board, 'kind' | 'serial'>,
  facts: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(deps, actor, { action, payload: { board: `${kind} ${serial}`, ...facts } })
}

/** Sorts RTB-9 before RTB-10. */
export const bySerial = sql.raw('b.kind, length(b.serial), b.serial')

/**
 * SQL condition: board `b` is allocated to workshop `w`. Allocations end by themselves when the workshop is over or
 * cancelled.
 */
export function isAllocatedTo(now: Date): SQL {
  return sql`w.id = b.allocated_to and w.ends_at > ${timestamptz(now)} and w.state <> 'cancelled'`
}

function boardsQuery(now: Date, condition: SQL = sql`true`): SQL {
  return sql`
    select b.id, b.kind, b.serial, b.code, b.state, b.note, p.workshop as allocated_to, h.holder,
      case
        when h.holder is not null then 'lent'
        when b.state <> 'usable' then b.state
        when p.workshop is not null then 'packed'
        else 'free'
      end as place
    from boards b
    left join lateral (
      select ${boardWorkshopJson} as workshop from workshops w where ${isAllocatedTo(now)}
    ) p on true
    left join lateral (
      select json_build_object(
        'registrationId', r.id, 'name', r.name, 'lentAt', l.lent_at, 'workshop', ${boardWorkshopJson}
      ) as holder
      from loans l
      join registrations r on r.id = l.registration_id
      join workshops w on w.id = l.workshop_id
      where l.board_id = b.id and l.returned_at is null
      limit 1
    ) h on true
    where ${condition}`
}

/** Workshop `w` as JSON, for `parseBoardWorkshop`. */
export const boardWorkshopJson = sql.raw(
  `json_build_object('id', w.id, 'slug', w.slug, 'city', w.city, 'startsAt', w.starts_at, 'timeZone', w.time_zone)`,
)

function buildCondition({ kind, place, search, workshopId }: BoardFilter): SQL {
  const needle = search && toSingleLine(normalizeUnicode(search, 'NFKC')).toLowerCase()
  const conditions = [
    ...(kind ? [sql`b.kind = ${kind}`] : []),
    ...(place ? [sql`b.place = ${place}`] : []),
    ...(workshopId ? [sql`${workshopId} in (b.allocated_to ->> 'id', b.holder -> 'workshop' ->> 'id')`] : []),
    ...(needle
      ? [sql`strpos(lower(concat_ws(' ', b.kind, b.serial, b.note, b.holder ->> 'name')), ${needle}) > 0`]
      : []),
  ]
  return conditions.length > 0 ? sql.join(conditions, sql` and `) : sql`true`
}

export type StoredBoardWorkshop = Omit<BoardWorkshop, 'startsAt'> & { startsAt: string }
type StoredBoard = Omit<Board, 'packedFor' | 'holder'> & {
  allocated_to: StoredBoardWorkshop | null
  holder: (Omit<BoardHolder, 'lentAt' | 'workshop'> & { lentAt: string; workshop: StoredBoardWorkshop }) | null
}

function parseBoard({
  id,
  kind,
  serial,
  code,
  state,
  note,
  place,
  allocated_to: allocated,
  holder,
}: StoredBoard): Board {
  return {
    ...{ id, kind, serial, code, state, note, place },
    packedFor: allocated && parseBoardWorkshop(allocated),
    holder: holder && { ...holder, lentAt: new Date(holder.lentAt), workshop: parseBoardWorkshop(holder.workshop) },
  }
}

export function parseBoardWorkshop(stored: StoredBoardWorkshop): BoardWorkshop {
  return { ...stored, startsAt: new Date(stored.startsAt) }
}
