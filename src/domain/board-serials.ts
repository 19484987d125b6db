import { firstOfEach } from './bounds.ts'
import { plainLines, plainWidth } from './plain-text.ts'

/*
 * What people type of boards: kinds, serial numbers and ranges of them, notes.
 */

/** Characters that each may have at the most, and how many boards are added at once. */
export const boardLimits = { kind: 60, serial: 40, note: 500, boards: 500 } as const

/** Characters of a range: two serial numbers with dots and spaces between them. */
const longestRange = 2 * boardLimits.serial + 4
/** Characters of all that is typed at once: as many ranges as boards, and what separates them. */
const longestSerials = boardLimits.boards * (longestRange + 2)
/** Serial numbers that are read at once, those that are named again included. */
const mostNamed = 10 * boardLimits.boards

export type BoardProblem =
  | { field: 'kind' | 'serial' | 'serials'; code: 'missing' }
  | { field: 'kind' | 'serial' | 'serials' | 'note'; code: 'too_long' }
  /** `text`: a range that does not end after it begins, or whose ends differ in more than a number. */
  | { field: 'serials'; code: 'range_invalid'; text: string }
  | { field: 'serials'; code: 'too_many' }

/**
 * Reads what was typed to add boards: serial numbers a line each or with commas between, and ranges such as
 * RTB-001..RTB-040 or RTB-001..040. One that is named twice counts once.
 */
export function readBoards(typed: { kind: string; serials: string }): {
  kind: string
  serials: string[]
  problems: BoardProblem[]
} {
  const kind = plainWidth(typed.kind, boardLimits.kind)
  const problems: BoardProblem[] = []
  if (kind === undefined) problems.push({ field: 'kind', code: 'too_long' })
  if (kind === '') problems.push({ field: 'kind', code: 'missing' })
  const serials = readSerials(typed.serials, problems)
  if (serials.length === 0 && !problems.some(({ field }) => field === 'serials')) {
    problems.push({ field: 'serials', code: 'missing' })
  }
  if (serials.some((serial) => serial.length > boardLimits.serial)) {
    problems.push({ field: 'serials', code: 'too_long' })
  }
  return { kind: kind ?? '', serials, problems: firstOfEach(problems, ({ field, code }) => `${field} ${code}`) }
}

/** The serial numbers that a text names; what is wrong with it is added to the problems. */
function readSerials(typed: string, problems: BoardProblem[]): string[] {
  const field = 'serials'
  if (typed.length > longestSerials) {
    problems.push({ field, code: 'too_long' })
    return []
  }
  const serials = new Set<string>()
  let named = 0
  for (const part of typed.split(/[\r\n,，、;；]/)) {
    // Most of what is between separators may be nothing.
    const text = part.trim() && plainWidth(part, longestRange)
    if (text === '') continue
    const read = text === undefined ? 'too_long' : serialsIn(text)
    if (typeof read !== 'string') for (const serial of read) serials.add(serial)
    else if (read === 'range_invalid') problems.push({ field, code: read, text: text ?? '' })
    else problems.push({ field, code: read })
    named += typeof read === 'string' ? 1 : read.length
    if (read === 'too_many') break
    if (serials.size > boardLimits.boards || named > mostNamed) {
      problems.push({ field, code: 'too_many' })
      break
    }
  }
  return [...serials]
}

/** A note on a board as it was typed, made plain text. Undefined for one that is too long. */
export function readNote(typed: string): string | undefined {
  return plainLines(typed, boardLimits.note)
}

/** A serial number, or all of a range. The end of a range may leave out what both have in common. */
function serialsIn(text: string): string[] | 'range_invalid' | 'too_many' {
  const [from = '', to, ...more] = text.split(/\s*(?:\.{2,}|…+|~)\s*/)
  if (to === undefined) return [text]
  const [, head = '', first = '', tail = ''] = /^(.*?)(\d{1,9})(\D*)$/.exec(from) ?? []
  const [, toHead = '', last = '', toTail = ''] = /^(.*?)(\d{1,9})(\D*)$/.exec(to) ?? []
  const alike = (toHead === head || toHead === '') && (toTail === tail || toTail === '')
  // 2023001..040 ends with 2023040.
  const end = Number(first.slice(0, -last.length) + last)
  if (more.length > 0 || !first || !last || !alike || end < Number(first)) return 'range_invalid'
  const count = end - Number(first) + 1
  if (count > boardLimits.boards) return 'too_many'
  return Array.from(
    { length: count },
    (_, n) => `${head}${String(Number(first) + n).padStart(first.length, '0')}${tail}`,
  )
}
