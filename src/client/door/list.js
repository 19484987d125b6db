// What a door knows, and what the scans of this phone make of it. Nothing here touches the page, the network or the store.
//
// A list is what GET /door/list.json says, with `askedAt`: when it was asked for, by this phone's clock in milliseconds.
// A record is an entry of POST /door/entries as the phone keeps it: { n, entry, about?, workshop, savedAt, sentAt?, result?,
// told? }, `about` being the names that stood on the screen, { person, board? }, and `told` the outcome that somebody has seen.

/** What a QR says: a ticket's door code, the label of a board, or nothing of ours. */
export function parseScan(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const [, place, code] = /^\/(in|b)\/([\w-]{4,80})$/.exec(url?.pathname ?? '') ?? []
  if (!code || !/^https?:$/.test(url.protocol)) return { kind: 'strange' }
  return { kind: place === 'in' ? 'ticket' : 'board', code }
}

/** How the list writes a door code, so that it holds none: base64url of its SHA-256. */
export async function sha256Base64Url(code) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code)))
  return btoa(String.fromCharCode(...hash))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/**
 * Whose a door code says it is, true or forged: it begins with the id (domain/tickets.ts). Only good for saying why a code
 * is not on the list. Undefined for what cannot be a door code.
 */
export function registrationIdFromCode(code) {
  if (code.length !== 39) return undefined
  const bytes = atob(code.replaceAll('-', '+').replaceAll('_', '/'))
  const hex = Array.from(bytes.slice(0, 16), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The list as it is once the scans are counted of which it knows nothing yet. */
export function applyPendingEntries(list, records) {
  const people = new Map(list.people.map((person) => [person.id, { ...person }]))
  const boards = new Map(list.boards.map((board) => [board.id, { ...board }]))
  const localCheckIn = (entry, sentAt) => ({ id: entry.id, at: entry.at, by: list.session.name, saved: !sentAt })
  const steps = {
    in({ entry, sentAt, result }) {
      const person = people.get(entry.registration)
      if (!person) return
      if (result?.outcome === 'again') person.checkedIn = result.checkedIn
      else if (!result || result.outcome === 'in') person.checkedIn ??= localCheckIn(entry, sentAt)
    },
    undo({ entry }) {
      for (const person of people.values()) {
        // A walk-in who was taken in by mistake never was there: their own id is that of the check-in.
        if (person.walkIn && person.id === entry.checkIn)
          Object.assign(person, { status: 'cancelled', standing: false })
        if (person.checkedIn?.id === entry.checkIn) person.checkedIn = null
      }
    },
    walk_in({ entry, sentAt, result }) {
      if (result && result.outcome !== 'in' && result.outcome !== 'standing') return
      const id = result?.person?.id ?? entry.id
      if (people.has(id)) return
      const standing = result?.outcome === 'standing'
      people.set(id, {
        ...{ id, seq: null, name: entry.name, initials: '', tail: entry.phone.slice(-4), code: null, coming: true },
        ...{ status: standing ? 'waitlisted' : 'confirmed', standing, board: null },
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
    const known = record.sentAt !== undefined && record.sentAt < list.askedAt
    if (!known) steps[record.entry.kind](record)
  }
  return { ...list, people: [...people.values()], boards: [...boards.values()] }
}

/** How many are in, of how many seats that are taken, and how many stand in line. */
export function countPeople({ people }) {
  return {
    in: people.filter(({ checkedIn }) => checkedIn).length,
    seats: people.filter(({ status }) => status === 'confirmed' || status === 'offered').length,
    standing: people.filter(({ standing, checkedIn }) => standing && !checkedIn).length,
  }
}

/**
 * What did not come out as the screen said when it was scanned: { record, outcome, … } with what the answer tells beside.
 * Of two doors that were offline the earlier scan wins, so that a check-in that was taken may still turn out to be the second.
 */
export function findConflicts(list, records) {
  const people = new Map(list.people.map((person) => [person.id, person]))
  const undone = new Set(records.map(({ entry }) => entry.kind === 'undo' && entry.checkIn))
  return entriesOfWorkshop(list, records).flatMap((record) => {
    const { entry, result, sentAt, told } = record
    if (!result || undone.has(entry.id)) return []
    const first = people.get(entry.registration)?.checkedIn
    const overtaken = entry.kind === 'in' && sentAt < list.askedAt && first && first.id !== entry.id
    const actual = result.outcome === 'in' && overtaken ? { outcome: 'again', checkedIn: first } : result
    return expectedOutcomes.has(actual.outcome) || actual.outcome === told ? [] : [{ ...actual, record }]
  })
}

/** The outcomes that are what was wanted. One that stands in line is told of, because a seat may have been hoped for. */
const expectedOutcomes = new Set(['in', 'undone', 'lent', 'returned', 'not_in'])

/** Those whom a search finds: by name, pinyin, the end of the phone number, their own number or their board's. */
export function searchPeople(people, query) {
  const normalizedQuery = normalizeText(query).replace(/^#/, '')
  const letterQuery = normalizeLetters(query)
  if (!normalizedQuery) return people
  const exact = (person) => String(person.seq) === normalizedQuery || normalizeText(person.name) === normalizedQuery
  const found = people.filter(
    (person) =>
      exact(person) ||
      normalizeText(person.name).includes(normalizedQuery) ||
      (letterQuery && matchesPinyin(person.initials, letterQuery)) ||
      (normalizedQuery.length > 1 && person.tail.endsWith(normalizedQuery)) ||
      (person.board && normalizeText(person.board.serial) === normalizedQuery),
  )
  return found.toSorted((a, b) => exact(b) - exact(a))
}

const normalizeText = (text) => text.normalize('NFKC').toLowerCase().replaceAll(/\s/g, '')
const normalizeLetters = (text) =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')

/** Whether a name's pinyin or its initials begin so, the surname with them or not: see domain/name-initials.ts. */
function matchesPinyin(known, typed) {
  const [syllables, , initials = ''] = known.split(' / ')
  const parts = syllables.split(' ')
  return parts.some((_, i) => parts.slice(i).join('').startsWith(typed) || initials.slice(i).startsWith(typed))
}

/** Entries of another workshop wait for a session there. */
function entriesOfWorkshop({ workshop }, records) {
  return records.filter((record) => record.workshop === workshop.slug)
}
