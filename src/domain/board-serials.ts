import { oneLine, plainLines } from './plain-text.ts'

/*
 * What people type of boards: kinds, serial numbers and ranges of them, notes.
 */

/** Characters that each may have at the most, and how many boards are added at once. */
export const boardLimits = { kind: 60, serial: 40, note: 500, boards: 500 } as const

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
  const kind = plainWidth(typed.kind)
  const problems: BoardProblem[] = []
  if (!kind) problems.push({ field: 'kind', code: 'missing' })
  if (kind.length > boardLimits.kind) problems.push({ field: 'kind', code: 'too_long' })
  const serials = new Set<string>()
  for (const part of typed.serials.split(/[\r\n,，、;；]/)) {
    const text = plainWidth(part)
    if (!text) continue
    const named = serialsIn(text)
    if (named === 'range_invalid') problems.push({ field: 'serials', code: named, text: text.slice(0, 80) })
    else for (const serial of named === 'too_many' ? [] : named) serials.add(serial)
    if (named === 'too_many' || serials.size > boardLimits.boards) {
      problems.push({ field: 'serials', code: 'too_many' })
      break
    }
  }
  if (serials.size === 0 && !problems.some(({ field }) => field === 'serials')) {
    problems.push({ field: 'serials', code: 'missing' })
  }
  if ([...serials].some((serial) => serial.length > boardLimits.serial)) {
    problems.push({ field: 'serials', code: 'too_long' })
  }
  return { kind, serials: [...serials], problems: firstOfEach(problems) }
}

/** A note on a board as it was typed, made plain text. */
export function readNote(typed: string): string {
  return plainLines(typed)
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

/** Full-width letters and digits become plain ones: what stands on a board is typed in many ways. */
export function plainWidth(text: string): string {
  return oneLine(text.toWellFormed().normalize('NFKC'))
}

function firstOfEach(problems: BoardProblem[]): BoardProblem[] {
  return problems.filter(
    ({ field, code }, n) => n === problems.findIndex((other) => other.field === field && other.code === code),
  )
}
