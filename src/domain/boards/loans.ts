import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { toPlainText, truncate } from '../../lib/text.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { clampClientTime } from '../door/sessions.ts'
import type { Workshop } from '../workshops/workshops.ts'
import {
  type BoardWorkshop,
  boardWorkshopJson,
  bySerial,
  isAllocatedTo,
  parseBoardWorkshop,
  type StoredBoardWorkshop,
} from './inventory.ts'
import { boardLimits } from './serials.ts'

/*
 * Loans of boards. Unique indexes ensure one holder per board and one board per person; lend_board.sql and return_board.sql
 * in drizzle/functions rely on them.
 */

/** A helper at the door, by name, or an organiser, whose loans are also audited. */
export type Lender = { name: string } | Actor

export type BoardRef = { id: string; kind: string; serial: string }

export type LendResult =
  | { outcome: 'lent'; board: BoardRef }
  /** `by`: name of the holder; null for an attendee of another workshop, whose name this door must not see. */
  | { outcome: 'board_taken'; by: string | null }
  /** The person already has this board, possibly the one that was scanned. */
  | { outcome: 'has_board'; board: BoardRef; serial: string }
  | { outcome: 'unusable' }
  /** Unknown board, or the person has no seat in this workshop. */
  | { outcome: 'not_found' }

/**
 * Lends a board to an attendee with a seat in the workshop.
 * @param loan `id`: nonce of the scan or tap, makes the call idempotent. `at`: the phone's time, clamped to between twelve
 *   hours before the start and now
 */
export async function lendBoard(
  deps: Deps,
  by: Lender,
  loan: { id: string; boardId: string; registrationId: string; workshopId: string; at: Date },
): Promise<LendResult> {
  const [result] = await query<LendRow>(
    deps.db,
    sql`select l.outcome, l.replayed, b.id, b.kind, b.serial, r.name as holder, r.workshop_id as holder_workshop
        from lend_board(
          ${loan.id}::uuid, ${loan.boardId}::uuid, ${loan.registrationId}::uuid, ${loan.workshopId}::uuid,
          ${timestamptz(clampClientTime(deps, loan.at))}, ${by.name}, ${timestamptz(deps.now())}
        ) l
        left join boards b on b.id = l.board
        left join registrations r on r.id = l.holder`,
  )
  if (!result || result.outcome === 'not_found') return { outcome: 'not_found' }
  const { outcome, id, kind, serial, holder, holder_workshop: workshop } = result
  const board = { id, kind, serial }
  switch (outcome) {
    case 'lent':
      if (!result.replayed) await auditLoan(deps, by, 'board.lent', board, loan)
      return { outcome, board }
    case 'board_taken':
      return { outcome, by: workshop === loan.workshopId ? holder : null }
    case 'has_board':
      return { outcome, board, serial }
    case 'unusable':
      return { outcome }
  }
}

type LendRow = BoardRef & {
  outcome: LendResult['outcome']
  replayed: boolean
  holder: string | null
  holder_workshop: string | null
}

export type ReturnResult =
  /** `registrationId`: the former holder. */
  | { outcome: 'returned'; registrationId: string; workshopId: string }
  /** Not lent, or lent after the time of the return. */
  | { outcome: 'not_lent' }
  | { outcome: 'not_found' }

/**
 * Takes a board back, also from an attendee of another workshop.
 * @param returned `id`: nonce of the scan or tap, makes the call idempotent. `at`: the phone's time, clamped to between
 *   twelve hours before the start and now. `broken` and `lost` also take the board out of use; a lost one is retired.
 *   `note`: what is broken or missing; truncated if too long
 */
export async function returnBoard(
  deps: Deps,
  by: Lender,
  returned: { id: string; boardId: string; at: Date; broken?: boolean; lost?: boolean; note?: string | undefined },
): Promise<ReturnResult> {
  const state = returned.lost ? 'retired' : returned.broken ? 'broken' : null
  const rawNote = truncate(returned.note ?? '', 4 * boardLimits.note)
  const note = truncate(toPlainText(rawNote), boardLimits.note)
  const [result] = await query<ReturnRow>(
    deps.db,
    sql`select t.outcome, t.replayed, t.registration, t.workshop, b.id, b.kind, b.serial
        from return_board(
          ${returned.id}::uuid, ${returned.boardId}::uuid, ${timestamptz(clampClientTime(deps, returned.at))}, ${by.name}, ${state}::text, ${note || null}::text,
          ${timestamptz(deps.now())}
        ) t
        left join boards b on b.id = ${returned.boardId}::uuid`,
  )
  if (result?.outcome !== 'returned') return { outcome: result?.outcome ?? 'not_found' }
  const { registration: registrationId, workshop: workshopId } = result
  if (!result.replayed) {
    await auditLoan(deps, by, 'board.returned', result, { registrationId, workshopId }, state ? { state } : {})
  }
  return { outcome: 'returned', registrationId, workshopId }
}

type ReturnRow = BoardRef & {
  outcome: ReturnResult['outcome']
  replayed: boolean
  registration: string
  workshop: string
}

/** Audits loans by organisers. For helpers the loan row itself is the record. */
async function auditLoan(
  deps: Deps,
  by: Lender,
  action: 'board.lent' | 'board.returned',
  { kind, serial }: Pick<BoardRef, 'kind' | 'serial'>,
  subject: { registrationId: string; workshopId: string },
  payload: Record<string, unknown> = {},
): Promise<void> {
  if (!('organiserId' in by || 'tokenId' in by)) return
  const { registrationId, workshopId } = subject
  await recordAudit(deps, by, {
    action,
    registrationId,
    workshopId,
    payload: { board: `${kind} ${serial}`, ...payload },
  })
}

/**
 * Finds the next board to lend in a workshop: of those allocated to it, or if there are none, of those not allocated to any
 * other. Undefined if none is left.
 */
export async function findNextBoard(deps: Deps, workshopId: string): Promise<BoardRef | undefined> {
  const [next] = await query<BoardRef>(
    deps.db,
    sql`select b.id, b.kind, b.serial from boards b
        where b.state = 'usable' and ${isAvailableFor(deps, workshopId)} and not ${isLent}
        order by ${bySerial} limit 1`,
  )
  return next
}

/** A board as door phones see it. `registration`: the holder, possibly of another workshop. */
export type DoorBoard = BoardRef & { code: string; registration: string | null }

/** Lists the boards that `findNextBoard` chooses from, lent ones included, and all boards lent in this workshop. */
export async function listDoorBoards(deps: Deps, workshopId: string): Promise<DoorBoard[]> {
  return query<DoorBoard>(
    deps.db,
    sql`select b.id, b.kind, b.serial, b.code, l.registration_id as registration
        from boards b
        left join lateral (
          select registration_id, workshop_id from loans where board_id = b.id and returned_at is null limit 1
        ) l on true
        where (b.state = 'usable' and ${isAvailableFor(deps, workshopId)}) or l.workshop_id = ${workshopId}::uuid
        order by ${bySerial}`,
  )
}

function isAvailableFor(deps: Deps, workshopId: string): SQL {
  const id = sql`${workshopId}::uuid`
  return sql`case
    when exists (select 1 from boards packed where packed.allocated_to = ${id}) then coalesce(b.allocated_to = ${id}, false)
    else not exists (select 1 from workshops w where ${isAllocatedTo(deps.now())})
  end`
}

/** A loan whose board was not returned, with the holder's contact details. */
export type ActiveLoan = {
  loanId: string
  board: BoardRef
  registrationId: string
  name: string
  /** Last four digits of the phone number, or empty. */
  tail: string
  hasEmail: boolean
  lentAt: Date
  lentBy: string
  /** When the last loan reminder was enqueued. */
  returnRequestedAt: Date | null
}

/** Lists the boards lent in a workshop and not returned, longest lent first. */
export async function listActiveLoans(deps: Deps, workshopId: string): Promise<ActiveLoan[]> {
  const rows = await query<{
    loan_id: string
    id: string
    kind: string
    serial: string
    registration_id: string
    name: string
    tail: string
    has_email: boolean
    lent_at: string
    lent_by: string
    asked_at: string | null
  }>(
    deps.db,
    sql`select l.id as loan_id, b.id, b.kind, b.serial, l.registration_id, r.name,
          coalesce(right(r.phone, 4), '') as tail, r.email <> '' as has_email, l.lent_at, l.lent_by,
          (
            select max(m.created_at) from mails m
            where m.registration_id = r.id and m.kind = 'board_due'
              and (m.state <> 'dead' or m.reason is distinct from 'board_returned')
          ) as asked_at
        from loans l
        join boards b on b.id = l.board_id
        join registrations r on r.id = l.registration_id
        where l.workshop_id = ${workshopId}::uuid and l.returned_at is null
        order by l.lent_at, l.id`,
  )
  return rows.map(({ loan_id: loanId, id, kind, serial, ...row }) => ({
    loanId,
    board: { id, kind, serial },
    registrationId: row.registration_id,
    ...{ name: row.name, tail: row.tail, hasEmail: row.has_email, lentBy: row.lent_by },
    lentAt: new Date(row.lent_at),
    returnRequestedAt: row.asked_at ? new Date(row.asked_at) : null,
  }))
}

/** True if the holder has an address and no reminder was enqueued in the last 24 hours. */
export function canRequestReturn(
  { hasEmail, returnRequestedAt }: Pick<ActiveLoan, 'hasEmail' | 'returnRequestedAt'>,
  now: Date,
): boolean {
  return hasEmail && (returnRequestedAt === null || now.getTime() - returnRequestedAt.getTime() >= 24 * 3600 * 1000)
}

/** Enqueues a reminder to every holder of a board of a workshop for whom `canRequestReturn` is true. Returns how many. */
export async function requestReturns(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug'>,
): Promise<number> {
  const [result] = await query<{ queued: number }>(
    deps.db,
    sql`select enqueue_loan_reminders(${workshop.id}::uuid, ${timestamptz(deps.now())}) as queued`,
  )
  const enqueued = result?.queued ?? 0
  if (enqueued > 0) {
    deps.notifyMailQueue()
    const payload = { slug: workshop.slug, count: enqueued }
    await recordAudit(deps, actor, { action: 'board.asked_back', workshopId: workshop.id, payload })
  }
  return enqueued
}

/** One loan in the history of a board. `person` is null once erased. */
export type PastLoan = {
  id: string
  person: { registrationId: string; name: string } | null
  workshop: BoardWorkshop
  lentAt: Date
  lentBy: string
  returnedAt: Date | null
  returnedBy: string | null
}

/** Lists the loans of a board, latest first, at most 200. */
export async function listBoardLoans(deps: Deps, boardId: string): Promise<PastLoan[]> {
  const rows = await query<{
    id: string
    registration_id: string
    name: string
    known: boolean
    workshop: StoredBoardWorkshop
    lent_at: string
    lent_by: string
    returned_at: string | null
    returned_by: string | null
  }>(
    deps.db,
    sql`select l.id, l.registration_id, r.name, r.erased_at is null as known, l.lent_at, l.lent_by, l.returned_at, l.returned_by,
          ${boardWorkshopJson} as workshop
        from loans l
        join registrations r on r.id = l.registration_id
        join workshops w on w.id = l.workshop_id
        where l.board_id = ${boardId}::uuid
        order by l.lent_at desc, l.id desc limit 200`,
  )
  return rows.map((row) => ({
    id: row.id,
    person: row.known ? { registrationId: row.registration_id, name: row.name } : null,
    workshop: parseBoardWorkshop(row.workshop),
    lentAt: new Date(row.lent_at),
    lentBy: row.lent_by,
    returnedAt: row.returned_at ? new Date(row.returned_at) : null,
    returnedBy: row.returned_by,
  }))
}

/** SQL condition: board `b` is lent. */
export const isLent = sql`exists (select 1 from loans l where l.board_id = b.id and l.returned_at is null)`
