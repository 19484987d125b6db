import { firstPerKey } from '../../lib/input-limits.ts'
import { normalizeHalfWidth, normalizeText } from '../../lib/text.ts'

/*
 * Parses the forms for boards: kinds, serial numbers, ranges of them, and notes.
 */

/** Maximum length of each field, and the maximum number of boards added at once. */
export const boardLimits = { kind: 60, serial: 40, note: 500, boards: 500 } as const

/** Longest range: two serial numbers, with dots and spaces between them. */
const maxRangeLength = 2 * boardLimits.serial + 4
/** Longest input: as many ranges as boards, with separators. */
const maxInputLength = boardLimits.boards * (maxRangeLength + 2)
/** Serial numbers parsed at once, duplicates included. */
const maxParsed = 10 * boardLimits.boards

export type BoardProblem =
  | { field: 'kind' | 'serial' | 'serials'; code: 'missing' }
  | { field: 'kind' | 'serial' | 'serials' | 'note'; code: 'too_long' }
  /** `text`: a range with an end before its start, or whose ends differ in more than the number. */
  | { field: 'serials'; code: 'range_invalid'; text: string }
  | { field: 'serials'; code: 'too_many' }

/**
 * Parses the form for adding boards: serial numbers separated by line breaks or commas, and ranges such as RTB-001..RTB-040
 * or RTB-001..040. Duplicates are dropped.
 */
export function parseBoards(input: { kind: string; serials: string }): {
  kind: string
  serials: string[]
  problems: BoardProblem[]
} {
  const kind = normalizeHalfWidth(input.kind, boardLimits.kind)
  const problems: BoardProblem[] = []
  if (kind === undefined) problems.push({ field: 'kind', code: 'too_long' })
  if (kind === '') problems.push({ field: 'kind', code: 'missing' })
  const serials = parseSerials(input.serials, problems)
  if (serials.length === 0 && !problems.some(({ field }) => field === 'serials')) {
    problems.push({ field: 'serials', code: 'missing' })
  }
  if (serials.some((serial) => serial.length > boardLimits.serial)) {
    problems.push({ field: 'serials', code: 'too_long' })
  }
  return { kind: kind ?? '', serials, problems: firstPerKey(problems, ({ field, code }) => `${field} ${code}`) }
}

/** Parses serial numbers and ranges. Adds errors to `problems`. */
function parseSerials(input: string, problems: BoardProblem[]): string[] {
  const field = 'serials'
  if (input.length > maxInputLength) {
    problems.push({ field, code: 'too_long' })
    return []
  }
  const serials = new Set<string>()
  let count = 0
  for (const part of input.split(/[\r\n,，、;；]/)) {
    // Skips empty parts, which may be the majority, before normalizing.
    const text = part.trim() && normalizeHalfWidth(part, maxRangeLength)
    if (text === '') continue
    const expanded = text === undefined ? 'too_long' : expandRange(text)
    if (typeof expanded !== 'string') for (const serial of expanded) serials.add(serial)
    else if (expanded === 'range_invalid') problems.push({ field, code: expanded, text: text ?? '' })
    else problems.push({ field, code: expanded })
    count += typeof expanded === 'string' ? 1 : expanded.length
    if (expanded === 'too_many') break
    if (serials.size > boardLimits.boards || count > maxParsed) {
      problems.push({ field, code: 'too_many' })
      break
    }
  }
  return [...serials]
}

/** Normalizes a note to plain text. Undefined if too long. */
export function parseNote(input: string): string | undefined {
  return normalizeText(input, boardLimits.note)
}

/** Expands a range of serial numbers; a single one is returned as it is. The end of a range may omit the common prefix. */
function expandRange(text: string): string[] | 'range_invalid' | 'too_many' {
  const [from = '', to, ...more] = text.split(/\s*(?:\.{2,}|…+|~)\s*/)
  if (to === undefined) return [text]
  const [, head = '', first = '', tail = ''] = /^(.*?)(\d{1,9})(\D*)$/.exec(from) ?? []
  const [, toHead = '', last = '', toTail = ''] = /^(.*?)(\d{1,9})(\D*)$/.exec(to) ?? []
  const sameAffixes = (toHead === head || toHead === '') && (toTail === tail || toTail === '')
  // The end of 2023001..040 is 2023040.
  const end = Number(first.slice(0, -last.length) + last)
  if (more.length > 0 || !first || !last || !sameAffixes || end < Number(first)) return 'range_invalid'
  const count = end - Number(first) + 1
  if (count > boardLimits.boards) return 'too_many'
  return Array.from(
    { length: count },
    (_, n) => `${head}${String(Number(first) + n).padStart(first.length, '0')}${tail}`,
  )
}
