import type { Text } from '../db/schema.ts'
import type { AnnouncedDate, Day } from './announced-dates.ts'
import { findWebAddresses } from './web-addresses.ts'
import type { ItemDraft } from './workshops.ts'

/** A part of the announcement, in UTF-16 units: `value` stands in the draft, `cue` are the words around it that tell its meaning. */
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

export type Reader = {
  text: string
  /** The text in plain width and of the same length, with addresses of the web and of mail blotted out. */
  plain: string
  today: Day
  urls: Range[]
  title: Text
  summary: Text
  price: 'free' | 'paid' | undefined
  registration: Text
  items: ItemDraft[]
  /** By the Chinese name of the city. */
  places: Map<string, Place>
  /** What is said of no city in particular. */
  anywhere: Place
  /** Where a venue without a city stands: it is read only if there is no choice of cities. */
  venues: { range: Range; field: 'venue' | 'address' }[]
  /** The city whose heading was read last, until now with or without anything below it; none after a list of cities. */
  cityHere: { key: string | undefined; used: boolean }
  /** What no cue explains, to be searched for dates and cities if none stand out. */
  prose: Range[]
  read: Span[]
  /** How many lines and marks in them may still be read, and how many dates and cities: what comes after is left over. */
  left: { marks: number; tokens: number }
}

/**
 * In one text, where a newsletter of 10,000 characters has some hundreds of each. What a mark begins is searched for dates
 * and cities about three times.
 */
const most = { marks: 2_000, tokens: 3_000 }

/** Matches that are looked at of any other pattern, in one range. */
const mostMatches = 500

/** A reader that has read nothing yet. @param today for dates without a year */
export function createReader(text: string, today: Day): Reader {
  const wide = plainWidth(text)
  const urls = findWebAddresses(wide)
  return {
    text,
    plain: blot(
      blot(wide, urls),
      [...wide.matchAll(mailAddress)].map((mail) => ({ start: mail.index, end: mail.index + mail[0].length })),
    ),
    today,
    urls,
    title: {},
    summary: {},
    price: undefined,
    registration: {},
    items: [],
    places: new Map(),
    anywhere: { city: {}, venue: {}, address: {}, dates: [] },
    venues: [],
    cityHere: { key: undefined, used: true },
    prose: [],
    read: [],
    left: { ...most },
  }
}

const mailAddress = /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g

/** Full-width letters, digits and punctuation as the plain ones, all dashes and spaces alike; the length stays. */
function plainWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[\v\f\u00a0\u2000-\u200b\u3000\ufeff]/g, ' ')
    .replace(/[\r\u0085\u2028\u2029]/g, '\n')
    .replace(/[\u2010-\u2015\u2212\ufe63]/g, '-')
    .replace(/\u301c/g, '~')
    .replace(/｡/g, '。')
    .replace(/[‘’]/g, "'")
}

/** Ranges replaced by a character that no cue holds. */
function blot(text: string, ranges: Range[]): string {
  let [blotted, at] = ['', 0]
  for (const { start, end } of ranges) {
    if (start < at) continue
    blotted += text.slice(at, start) + '\ue000'.repeat(end - start)
    at = end
  }
  return blotted + text.slice(at)
}

/**
 * The matches of a global pattern, at most so many. Unlike `matchAll` it does not compile the pattern anew, which takes 10 µs
 * for long ones.
 */
export function matchesOf(pattern: RegExp, text: string, atMost = mostMatches): RegExpExecArray[] {
  const found: RegExpExecArray[] = []
  pattern.lastIndex = 0
  while (found.length < atMost) {
    const next = pattern.exec(text)
    if (!next) break
    found.push(next)
    if (next[0] === '') pattern.lastIndex++
  }
  return found
}

/** The lines of a text, without their ends, as ranges in it. */
export function* linesOf(plain: string): Generator<Range> {
  for (let start = 0; start <= plain.length; ) {
    const newline = plain.indexOf('\n', start)
    const end = newline < 0 ? plain.length : newline
    yield { start, end }
    start = end + 1
  }
}

export const slice = ({ plain }: Reader, { start, end }: Range) => plain.slice(start, end)

/** What must not get lost: all but spaces, punctuation, signs and lines that divide, and invisible characters. */
export const significant = /(?![\ufe0e\ufe0f])[^\s\p{P}\p{Cc}\p{Cf}|｜~～<>＜＞\u2500-\u257f]/u

/** A range without spaces and punctuation at its ends; brackets, quotes and signs that belong to words stay. */
export function trimmed(text: string, { start, end }: Range): Range {
  let [from, to] = [start, end]
  while (from < to && idleStart.test(text[from] as string)) from++
  while (from < to && idleEnd.test(text[to - 1] as string)) to--
  const [first, last] = [text[from], text[to - 1]]
  if (from < to && isPair(first, last) && !text.slice(from + 1, to - 1).includes(first as string))
    return trimmed(text, { start: from + 1, end: to - 1 })
  return { start: from, end: to }
}

const idleStart = /[\s/&,.:;!?、。，：；！？．｜|*_>)\]】）~…·•-]/

const idleEnd = /[\s,.:;、。，：；．｜|*_<([【（~…·•-]/

const isPair = (first = '', last = '') => ['()', '[]', '【】', '（）', '""', '“”', "''", '「」'].includes(first + last)

/** Chinese as soon as there is one Chinese character. */
export const languageOf = (text: string) => (/\p{Script=Han}/u.test(text) ? 'zh' : 'en')

export const textOf = (text: string): Text => ({ [languageOf(text)]: text })

/** Writes down that a range was understood, and as what. */
export function take(reader: Reader, start: number, end: number, field: Field, kind: 'value' | 'cue'): void {
  if (end > start) reader.read.push({ start, end, field, kind })
}

/** Puts a range into a text, in its language; false if one stands there already and none may be joined to it. */
export function add(reader: Reader, text: Text, range: Range, field: Field, joined = false): boolean {
  const said = reader.text.slice(range.start, range.end)
  if (!significant.test(said)) return true
  const language = languageOf(said)
  const before = text[language]
  if (before !== undefined && !joined) return before === said
  text[language] = before === undefined ? said : `${before}${language === 'zh' ? '；' : '; '}${said}`
  take(reader, range.start, range.end, field, 'value')
  return true
}
