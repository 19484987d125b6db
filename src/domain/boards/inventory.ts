import { eq, type SQL, sql } from 'drizzle-orm'
import { databaseError, query, timestamptz, uuidArray } from '../../db/database.ts'
import { type BoardState, boards, type Text } from '../../db/schema.ts'
import { normalizeHalfWidth, normalizeUnicode, toSingleLine } from '../../lib/text.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { generateShortCode } from '../promotion/registration-links.ts'
import { type BoardProblem, boardLimits, parseNote } from './serials.ts'

/*
 * The inventory of boards: what there is, in which state, and where. They are packed for workshops in packing.ts and lent
 * in loans.ts.
 */

/** A board of the inventory, with where it is. */
export type Board = {
  id: string
  kind: string
  serial: string
  /** What the QR on its label says. */
  code: string
  state: BoardState
  note: string | null
  /** The workshop that it is packed for, as long as that is to come or goes on. */
  packedFor: BoardWorkshop | null
  /** Who has it: null for a board that nobody has. */
  holder: BoardHolder | null
  place: BoardPlace
}

export type BoardWorkshop = { id: string; slug: string; city: Text; startsAt: Date; timeZone: string }
export type BoardHolder = { registrationId: string; name: string; workshop: BoardWorkshop; lentAt: Date }

/** Where a board is. Every board is in one of these places: packed for a workshop counts for those that nobody has. */
export const boardPlaces = ['free', 'packed', 'lent', 'broken', 'retired'] as const
export type BoardPlace = (typeof boardPlaces)[number]

/**
 * Adds boards of a kind, all of them or none. `exist`: these serial numbers are there already, of the same kind.
 * @param serials as `readBoards` gives them
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
    // One in 27⁷ codes: drawn once more.
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
  /** Part of the serial number, kind or note, or of the holder's name, in any case. As `readSearch` reads it. */
  search?: string | undefined
  /** Packed for this workshop, or with somebody in it. */
  workshopId?: string | undefined
}

export const boardsPerPage = 100

/** A page of boards, by kind and serial number, with how many there are in all; behind the last page there is the first. */
export async function listBoards(
  deps: Deps,
  filter: BoardFilter = {},
  page = 1,
): Promise<{ boards: Board[]; total: number; page: number }> {
  const found = await query<StoredBoard & { total: number }>(
    deps.db,
    sql`select *, count(*) over ()::int as total from (${boardsQuery(deps.now())}) b
        where ${buildCondition(filter)} order by ${bySerial}
        limit ${boardsPerPage} offset ${(page - 1) * boardsPerPage}`,
  )
  if (found.length === 0 && page > 1) return listBoards(deps, filter)
  return { boards: found.map(parseBoard), total: found[0]?.total ?? 0, page }
}

/** All boards that a filter lets through, in the order of the list. */
export async function listAllBoards(deps: Deps, filter: BoardFilter = {}): Promise<Board[]> {
  const found = await query<StoredBoard>(
    deps.db,
    sql`select * from (${boardsQuery(deps.now())}) b where ${buildCondition(filter)} order by ${bySerial}`,
  )
  return found.map(parseBoard)
}

/** The boards with these ids, in the order of the list. */
export async function findBoards(deps: Deps, ids: readonly string[]): Promise<Board[]> {
  const found = await query<StoredBoard>(
    deps.db,
    sql`select * from (${boardsQuery(deps.now(), sql`b.id = any(${uuidArray(ids)})`)}) b order by ${bySerial}`,
  )
  return found.map(parseBoard)
}

/** The board with an id, or undefined. */
export async function findBoard(deps: Deps, id: string): Promise<Board | undefined> {
  const [board] = await findBoards(deps, [id])
  return board
}

/** The board whose label says this, or undefined. */
export async function findBoardByCode(deps: Deps, code: string): Promise<Board | undefined> {
  const [found] = await query<StoredBoard>(deps.db, boardsQuery(deps.now(), sql`b.code = ${code}`))
  return found && parseBoard(found)
}

/** How many boards there are of each kind in each place. */
export async function countBoards(deps: Deps): Promise<{ kind: string; places: Record<BoardPlace, number> }[]> {
  const counted = await query<{ kind: string; place: BoardPlace; n: number }>(
    deps.db,
    sql`select kind, place, count(*)::int as n from (${boardsQuery(deps.now())}) b group by kind, place order by kind`,
  )
  const kinds = [...new Set(counted.map(({ kind }) => kind))]
  return kinds.map((kind) => ({
    kind,
    places: Object.fromEntries(
      boardPlaces.map((place) => [place, counted.find((c) => c.kind === kind && c.place === place)?.n ?? 0]),
    ) as Record<BoardPlace, number>,
  }))
}

/** How many boards can be lent at all, lent ones included; undefined where nobody keeps an inventory. */
export async function countUsableBoards(deps: Deps): Promise<number | undefined> {
  const [counted] = await query<{ usable: number; known: number }>(
    deps.db,
    sql`select count(*) filter (where state = 'usable')::int as usable, count(*)::int as known from boards`,
  )
  return counted?.known ? counted.usable : undefined
}

/** Corrects kind and serial number. `exists`: another board of that kind has the number. */
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
  // Neither is undefined: that was a problem.
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

/**
 * Says whether a board is usable, broken or retired, with a note. `lent`: somebody has it, and it has to come back before
 * it goes out of use.
 */
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

/** Removes a board that nobody ever had. One that was lent is retired instead, because its history stays. */
export async function removeBoard(
  deps: Deps,
  actor: Actor,
  board: Pick<Board, 'id' | 'kind' | 'serial'>,
): Promise<'removed' | 'was_lent' | 'not_found'> {
  try {
    const removed = await deps.db.delete(boards).where(eq(boards.id, board.id)).returning({ id: boards.id })
    if (removed.length === 0) return 'not_found'
  } catch (error) {
    // Its loans refer to it, also one that began this moment.
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

/** RTB-9 stands before RTB-10. */
export const bySerial = sql.raw('b.kind, length(b.serial), b.serial')

/**
 * What is true of the workshop `w` that a board `b` is packed for. One that is over or cancelled counts as none: nobody has
 * to unpack.
 */
export function isAllocatedTo(now: Date): SQL {
  return sql`w.id = b.allocated_to and w.ends_at > ${timestamptz(now)} and w.state <> 'cancelled'`
}

/** Boards with where they are. */
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

/** A workshop `w` as `readBoardWorkshop` reads it. */
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
