import type { Text } from '../../../db/schema.ts'
import { findUrls } from '../../../lib/urls.ts'
import type { ItemDraft } from '../../workshops/workshops.ts'
import type { AnnouncedDate, CalendarDay } from './dates.ts'

/** A part of the announcement, in UTF-16 units. `value`: taken into the draft; `cue`: words that told its meaning. */
export type Span = { start: number; end: number; field: Field; kind: 'value' | 'cue' }

export type Field =
  | 'title'
  | 'summary'
  | 'price'
  | 'date'
  | 'city'
  | 'venue'
  | 'address'
  | 'item'
  | 'registration'
  | 'list'

export type Range = { start: number; end: number }

export type Place = { city: Text; venue: Text; address: Text; dates: AnnouncedDate[] }

export type Scanner = {
  text: string
  /** The text in half-width characters, of the same length, with web and e-mail addresses masked. */
  normalized: string
  today: CalendarDay
  urls: Range[]
  title: Text
  summary: Text
  price: 'free' | 'paid' | undefined
  registration: Text
  items: ItemDraft[]
  /** Keyed by the Chinese name of the city. */
  places: Map<string, Place>
  /** Dates and venues without a city. */
  unassignedPlace: Place
  /** Venues and addresses without a city, used only if there is at most one city. */
  unassignedVenues: { range: Range; field: 'venue' | 'address' }[]
  /** The city of the last heading, and whether anything below it was assigned to it. No key after a list of cities. */
  currentCity: { key: string | undefined; used: boolean }
  /** Ranges without cues, searched for dates and cities if there are none elsewhere. */
  freeText: Range[]
  spans: Span[]
  /** Remaining numbers of lines and marks, and of dates and cities. The text after that remains unparsed. */
  budget: { marks: number; tokens: number }
}

/**
 * Per text; a newsletter of 10,000 characters has some hundreds of each. Each segment is searched for dates and cities about
 * three times.
 */
const scanBudget = { marks: 2_000, tokens: 3_000 }

/** Matches of any other pattern in one range. */
const maxMatches = 500

/** @param today for dates without a year */
export function createScanner(text: string, today: CalendarDay): Scanner {
  const halfWidth = toHalfWidth(text)
  const urls = findUrls(halfWidth)
  return {
    text,
    normalized: mask(
      mask(halfWidth, urls),
      [...halfWidth.matchAll(emailPattern)].map((mail) => ({ start: mail.index, end: mail.index + mail[0].length })),
    ),
    today,
    urls,
    title: {},
    summary: {},
    price: undefined,
    registration: {},
    items: [],
    places: new Map(),
    unassignedPlace: { city: {}, venue: {}, address: {}, dates: [] },
    unassignedVenues: [],
    currentCity: { key: undefined, used: true },
    freeText: [],
    spans: [],
    budget: { ...scanBudget },
  }
}

const emailPattern = /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g

/** Converts full-width letters, digits and punctuation to half-width, and unifies dashes and spaces. Keeps the length. */
function toHalfWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[\v\f\u00a0\u2000-\u200b\u3000\ufeff]/g, ' ')
    .replace(/[\r\u0085\u2028\u2029]/g, '\n')
    .replace(/[\u2010-\u2015\u2212\ufe63]/g, '-')
    .replace(/\u301c/g, '~')
    .replace(/｡/g, '。')
    .replace(/[‘’]/g, "'")
}

/** Replaces ranges with a character that no pattern matches. */
function mask(text: string, ranges: Range[]): string {
  let [masked, position] = ['', 0]
  for (const { start, end } of ranges) {
    if (start < position) continue
    masked += text.slice(position, start) + '\ue000'.repeat(end - start)
    position = end
  }
  return masked + text.slice(position)
}

/**
 * The first matches of a global pattern. Unlike `matchAll` it does not recompile the pattern, which takes 10 µs for long
 * ones.
 */
export function findMatches(pattern: RegExp, text: string, limit = maxMatches): RegExpExecArray[] {
  const matches: RegExpExecArray[] = []
  pattern.lastIndex = 0
  while (matches.length < limit) {
    const next = pattern.exec(text)
    if (!next) break
    matches.push(next)
    if (next[0] === '') pattern.lastIndex++
  }
  return matches
}

/** The lines of a text as ranges, without line breaks. */
export function* splitLines(text: string): Generator<Range> {
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    yield { start, end }
    start = end + 1
  }
}

export const slice = ({ normalized }: Scanner, { start, end }: Range) => normalized.slice(start, end)

/** A character that must not be dropped: not a space, punctuation, a dividing sign or line, or an invisible character. */
export const significantChar = /(?![\ufe0e\ufe0f])[^\s\p{P}\p{Cc}\p{Cf}|｜~～<>＜＞\u2500-\u257f]/u

/** Trims spaces and punctuation from a range, and a pair of brackets or quotes around it. Signs that belong to words stay. */
export function trimRange(text: string, { start, end }: Range): Range {
  let [from, to] = [start, end]
  while (from < to && trimmableStart.test(text[from] as string)) from++
  while (from < to && trimmableEnd.test(text[to - 1] as string)) to--
  const [first, last] = [text[from], text[to - 1]]
  if (from < to && isPair(first, last) && !text.slice(from + 1, to - 1).includes(first as string))
    return trimRange(text, { start: from + 1, end: to - 1 })
  return { start: from, end: to }
}

const trimmableStart = /[\s/&,.:;!?、。，：；！？．｜|*_>)\]】）~…·•-]/

const trimmableEnd = /[\s,.:;、。，：；．｜|*_<([【（~…·•-]/

const isPair = (first = '', last = '') => ['()', '[]', '【】', '（）', '""', '“”', "''", '「」'].includes(first + last)

/** Chinese if there is at least one Chinese character. */
export const detectLanguage = (text: string) => (/\p{Script=Han}/u.test(text) ? 'zh' : 'en')

export const toLocalizedText = (text: string): Text => ({ [detectLanguage(text)]: text })

/** Records that a range was parsed, and as what. */
export function recordSpan(scanner: Scanner, start: number, end: number, field: Field, kind: 'value' | 'cue'): void {
  if (end > start) scanner.spans.push({ start, end, field, kind })
}

/** Sets a range as a text in its language. Returns false if another text is set and `append` is not. */
export function assignText(scanner: Scanner, text: Text, range: Range, field: Field, append = false): boolean {
  const value = scanner.text.slice(range.start, range.end)
  if (!significantChar.test(value)) return true
  const language = detectLanguage(value)
  const existing = text[language]
  if (existing !== undefined && !append) return existing === value
  text[language] = existing === undefined ? value : `${existing}${language === 'zh' ? '；' : '; '}${value}`
  recordSpan(scanner, range.start, range.end, field, 'value')
  return true
}
