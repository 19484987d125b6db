// The state of a door as this phone knows it: the list last fetched and the entries made since. Pure: no DOM, no requests.
import { holdsSeat } from '../../domain/registrations/status.ts'
import { checkInHashBytes, parseTokenSubject, subjectBytes } from '../../domain/tickets/token-subject.ts'
import type {
  Board,
  CheckedIn,
  Conflict,
  Counts,
  DoorState,
  Entry,
  EntryKind,
  EntryRecord,
  Person,
  StoredList,
} from './entries.ts'

export type Scan = { kind: 'ticket' | 'board'; code: string } | { kind: 'strange' }

/** Reads a QR code: a check-in code, the label of a board, or anything else. */
export function parseScan(text: string): Scan {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const [, place, code] = /^\/(in|b)\/([\w-]{4,80})$/.exec(url?.pathname ?? '') ?? []
  if (!url || !code || !/^https?:$/.test(url.protocol)) return { kind: 'strange' }
  return { kind: place === 'in' ? 'ticket' : 'board', code }
}

/**
 * The hash by which the list names check-in codes, so that it contains none of them. The server computes it with
 * node:crypto (domain/door/check-ins.ts): WebCrypto takes ten times as long for a whole list.
 */
export async function sha256Base64Url(code: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code)))
  return btoa(String.fromCharCode(...hash))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/**
 * The registration that a check-in code names. Not verified: only for explaining why the code is not on the list. Undefined
 * for a text of another length.
 */
export function registrationIdFromCode(code: string): string | undefined {
  if (code.length !== checkInCodeLength) return undefined
  const binary = atob(code.replaceAll('-', '+').replaceAll('_', '/'))
  return parseTokenSubject(Uint8Array.from(binary, (character) => character.charCodeAt(0))).id
}

/** Characters in base64url. */
const checkInCodeLength = Math.ceil(((subjectBytes + checkInHashBytes) * 4) / 3)

/** Applies the entries to the list that the server did not know yet when it sent it. */
export function applyPendingEntries(list: StoredList, records: readonly EntryRecord[]): DoorState {
  const people = new Map<string, Person>(list.people.map((person) => [person.id, { ...person }]))
  const boards = new Map<string, Board>(list.boards.map((board) => [board.id, { ...board }]))
  const localCheckIn = ({ id, at }: Entry<'in' | 'walk_in'>, sentAt: number | undefined): CheckedIn => ({
    id,
    at,
    by: list.session.name,
    saved: !sentAt,
  })
  const apply: { [Kind in EntryKind]: (record: EntryRecord<Kind>) => void } = {
    in({ entry, sentAt, result }) {
      const person = people.get(entry.registration)
      if (!person) return
      if (result?.outcome === 'again') person.checkedIn = result.checkedIn
      else if (!result || result.outcome === 'in') person.checkedIn ??= localCheckIn(entry, sentAt)
    },
    undo({ entry }) {
      for (const person of people.values()) {
        // Undoing a walk-in removes them: their registration has the id of the check-in.
        if (person.walkIn && person.id === entry.checkIn)
          Object.assign(person, { status: 'cancelled', standing: false } satisfies Partial<Person>)
        if (person.checkedIn?.id === entry.checkIn) person.checkedIn = null
      }
    },
    walk_in({ entry, sentAt, result }) {
      if (result && result.outcome !== 'in' && result.outcome !== 'standing') return
      const id = result?.person?.id ?? entry.id
      if (people.has(id)) return
      const standing = result?.outcome === 'standing'
      people.set(id, {
        id,
        seq: null,
        name: entry.name,
        initials: '',
        tail: entry.phone.slice(-4),
        code: null,
        coming: true,
        status: standing ? 'waitlisted' : 'confirmed',
        cancelledBy: null,
        standing,
        board: null,
        checkedIn: standing ? null : localCheckIn(entry, sentAt),
        walkIn: true,
      })
    },
    lend({ entry, result }) {
      const [board, person] = [boards.get(entry.board), people.get(entry.registration)]
      if (!board || !person || (result && result.outcome !== 'lent')) return
      board.registration = person.id
      person.board = { id: board.id, kind: board.kind, serial: board.serial }
    },
    return({ entry }) {
      const board = boards.get(entry.board)
      if (!board) return
      board.registration = null
      if (entry.broken) boards.delete(board.id)
      for (const person of people.values()) if (person.board?.id === entry.board) person.board = null
    },
  }
  for (const record of entriesOfWorkshop(list, records)) {
    const isInList = record.sentAt !== undefined && record.sentAt < list.askedAt
    if (!isInList) (apply[record.entry.kind] as (record: EntryRecord) => void)(record)
  }
  return { ...list, people: [...people.values()], boards: [...boards.values()] }
}

/** How many are checked in, how many hold a seat, and how many are in the door queue. */
export function countPeople({ people }: Pick<DoorState, 'people'>): Counts {
  return {
    in: people.filter(({ checkedIn }) => checkedIn).length,
    seats: people.filter(holdsSeat).length,
    standing: people.filter(({ standing, checkedIn }) => standing && !checkedIn).length,
  }
}

/**
 * The entries with conflicts that nobody has seen. Of two doors that were offline the earlier scan counts, so a check-in
 * that was confirmed may still turn out to be the second.
 */
export function findConflicts(list: StoredList, records: readonly EntryRecord[]): Conflict[] {
  const people = new Map(list.people.map((person) => [person.id, person]))
  const undone = new Set(records.map(({ entry }) => entry.kind === 'undo' && entry.checkIn))
  return entriesOfWorkshop(list, records).flatMap((record): Conflict[] => {
    const { entry, result, sentAt = Number.POSITIVE_INFINITY, told } = record
    if (!result || undone.has(entry.id)) return []
    const first = entry.kind === 'in' && sentAt < list.askedAt ? people.get(entry.registration)?.checkedIn : undefined
    const isSecond = result.outcome === 'in' && first && first.id !== entry.id
    const actual = isSecond ? { outcome: 'again', checkedIn: first } : result
    return expectedOutcomes.has(actual.outcome) || actual.outcome === told ? [] : [{ ...actual, record }]
  })
}

/** `standing` is a conflict, because the helper may have expected a seat. */
const expectedOutcomes = new Set(['in', 'undone', 'lent', 'returned', 'not_in'])

/** Entries of another workshop wait for a session of it. */
function entriesOfWorkshop({ workshop }: StoredList, records: readonly EntryRecord[]): EntryRecord[] {
  return records.filter((record) => record.workshop === workshop.slug)
}
