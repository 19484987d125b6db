import type { ItemKind, Text } from '../../../db/schema.ts'
import type { ItemDraft } from '../../workshops/workshops.ts'
import type { CalendarDay } from './dates.ts'
import { extractItems, findItemCues, isStatement, negationPattern, parseDownload, parseItems } from './items.ts'
import {
  buildWorkshops,
  hasOnlyTokens,
  type ParsedWorkshop,
  parseDates,
  parseFreeText,
  parsePlaceLine,
  parsePlaces,
  parseTokens,
  tokenize,
  trimSpan,
} from './places.ts'
import {
  assignText,
  createScanner,
  detectLanguage,
  findMatches,
  type Range,
  type Scanner,
  type Span,
  significantChar,
  slice,
  splitLines,
  trimRange,
} from './scanner.ts'
import { inheritSections, type Segment, splitSegments } from './sections.ts'

/** The result of parsing an announcement. Every text is a verbatim part of it: Chinese ones are `zh`, others `en`. */
export type AnnouncementDraft = {
  title: Text
  /** Content and price; several parts are joined with ；or ;. */
  summary: Text
  price: 'free' | 'paid' | undefined
  /** One per city, in order; one without a city for dates or places without one. */
  workshops: ParsedWorkshop[]
  /** Software to install becomes a prerequisite that must be confirmed. */
  items: ItemDraft[]
  /** How to register; several parts are joined like the summary. */
  registration: Text
  /** The parts of the text that were parsed, by position. Title and summary may share a span with other fields. */
  spans: Span[]
  /** The rest of the announcement, without spaces and punctuation. */
  unparsed: UnparsedText[]
}

export type UnparsedText = { start: number; end: number; text: string }

/**
 * Parses the announcement of workshops in a newsletter into a draft for an organiser to check. Looks for cues (labels such as
 * 时间：, verbs such as 自行携带, date formats, names of cities) and returns the rest as `unparsed`. Guesses neither day nor
 * city, and never throws. Takes linear time: the repetitions of each pattern and the numbers of segments, dates, cities,
 * items and unparsed parts are limited.
 * @param today for dates without a year, which are taken to be the next ones
 */
export function parseAnnouncement(text: string, today: CalendarDay): AnnouncementDraft {
  const scanner = createScanner(text, today)
  const segments = inheritSections(scanner, splitSegments(scanner))
  parseTitle(scanner, segments)
  for (const segment of segments) parseSegment(scanner, segment)
  parseFreeText(scanner)
  const workshops = buildWorkshops(scanner)
  return {
    title: scanner.title,
    summary: scanner.summary,
    price: scanner.price,
    workshops,
    items: scanner.items,
    registration: scanner.registration,
    spans: scanner.spans.sort((a, b) => a.start - b.start || a.end - b.end),
    unparsed: findUnparsed(scanner),
  }
}

/** Takes the first line that can be a title: not a greeting, a sentence or a list item. */
function parseTitle(scanner: Scanner, segments: Segment[]): void {
  if (segments.some(({ section }) => section === 'title')) return
  for (const segment of segments) {
    if (segment.section || segment.mark === 'number' || segment.mark === 'bullet') return
    const clauses = splitClauses(scanner, segment)
    // Dates and cities may precede the title, and those after it are read together with those at its end.
    const [before] = clauses
    const [first, ...others] = before && isTokensOnly(scanner, before) ? clauses.slice(1) : clauses
    if (!before || !first) continue
    if (
      greetingPattern.test(slice(scanner, first)) ||
      callToAction.test(slice(scanner, first)) ||
      isDateline(scanner, segment)
    )
      continue
    if (/[:,]\s*$/.test(slice(scanner, segment))) continue
    const next = others.findIndex((clause) => hasCue(scanner, clause))
    const end = (next < 0 ? others.at(-1) : others[next - 1])?.end ?? first.end
    const following = others[next]
    const until = following && isTokensOnly(scanner, following) ? following.end : end
    if (end - first.start > 120) continue
    const endsWithStop = segment.endsSentence && /[。.]/.test(scanner.normalized[segment.end] ?? '')
    if (endsWithStop && hasCue(scanner, first)) return
    if ((endsWithStop || before !== first) && sentencePattern.test(slice(scanner, { start: first.start, end }))) return
    const title = trimSpan(scanner, { start: first.start, end })
    if (!title) continue
    const text = slice(scanner, title)
    if (findItemCues(text)[0]?.start === 0) return
    addTitle(scanner, title)
    parseTokens(scanner, { start: before.start, end: until }, true)
    if (isFree(text)) scanner.price = 'free'
    const rest = { ...segment, start: until }
    const after = segments[segments.indexOf(segment) + 1]
    if (after && !significantChar.test(slice(scanner, rest))) parseTranslatedTitle(scanner, after)
    Object.assign(segment, rest)
    return
  }
}

const isTokensOnly = (scanner: Scanner, range: Range) => hasOnlyTokens(scanner, range, tokenize(scanner, range))

/** Takes the line below the title if it can be the title in the other language. */
function parseTranslatedTitle(scanner: Scanner, segment: Segment): void {
  const range = trimRange(scanner.normalized, segment)
  const text = slice(scanner, range)
  if (
    segment.section ||
    segment.endsSentence ||
    segment.mark === 'number' ||
    segment.mark === 'bullet' ||
    text.length > 80
  )
    return
  if (
    detectLanguage(text) in scanner.title ||
    hasCue(scanner, range) ||
    greetingPattern.test(text) ||
    /[:,]\s*$/.test(slice(scanner, segment))
  )
    return
  const title = trimSpan(scanner, range)
  if (!title) return
  addTitle(scanner, title)
  parseTokens(scanner, range, true)
  Object.assign(segment, { start: segment.end })
}

function addTitle(scanner: Scanner, range: Range): void {
  assignText(scanner, scanner.title, range, 'title')
}

const greetingPattern =
  /^\s*(?:dear|hi|hello|hey|good (?:morning|afternoon)|各位|亲爱的|尊敬的|大家好|同学们|老师们|您好|你好)(?![a-z])/i

const sentencePattern = /[,。]|\b(?:we|you|is|are|will|our)\b|我们|将于|诚邀|欢迎/i

const callToAction =
  /报名|扫码|二维码|阅读原文|(?<![A-Za-z])(?:regist(?:er|ration)|sign(?:ing)?[- ]?up|rsvp|scan|apply)(?![A-Za-z])/i

const datelinePattern = /发布(?!会)|发表于|更新于|来源|作者|published|posted|updated/i

const isDateline = (scanner: Scanner, range: Range) => datelinePattern.test(slice(scanner, range))

function hasCue(scanner: Scanner, clause: Range): boolean {
  const text = slice(scanner, clause)
  return (
    callToAction.test(text) ||
    isDateline(scanner, clause) ||
    findItemCues(text).length > 0 ||
    detectPrice(text) !== undefined ||
    contentPattern.test(text) ||
    isTokensOnly(scanner, clause)
  )
}

/** Parses a segment according to its section. */
function parseSegment(scanner: Scanner, segment: Segment): void {
  const range = trimRange(scanner.normalized, segment)
  if (range.start >= range.end) return
  switch (segment.section) {
    case 'title':
      if (!assignText(scanner, scanner.title, range, 'title')) scanner.freeText.push(range)
      return
    case 'when':
      parseDates(scanner, range)
      return
    case 'where':
    case 'city':
    case 'address':
      parsePlaces(scanner, range, segment.section)
      return
    case 'price':
    case 'summary':
      scanner.price = scanner.price ?? detectPrice(slice(scanner, range), segment.section === 'price')
      assignText(scanner, scanner.summary, range, 'summary', true)
      return
    case 'registration':
      assignText(scanner, scanner.registration, range, 'registration', true)
      return
    case 'download':
      parseDownload(scanner, range)
      return
    case 'other':
      return
    default:
      parseClauses(scanner, segment)
  }
}

/** Parses a segment clause by clause, each according to its cue. */
function parseClauses(scanner: Scanner, segment: Segment): void {
  const clauses = splitClauses(scanner, segment)
  const section = segment.section === 'notes' ? undefined : (segment.section as ItemKind | 'software' | undefined)
  // The kind of items that the next clause continues, and the possible beginning of a list whose verb comes last.
  let listing = section
  let listStart: number | undefined
  if (isDateline(scanner, segment) || (!section && parsePlaceLine(scanner, segment))) return
  for (const clause of clauses) {
    const text = slice(scanner, clause)
    if ((!section || clause !== clauses[0]) && callToAction.test(text)) {
      assignText(
        scanner,
        scanner.registration,
        trimRange(scanner.normalized, { start: clause.start, end: segment.end }),
        'registration',
        true,
      )
      return
    }
    const cues = negationPattern.test(text) ? [] : findItemCues(text)
    if (cues.length > 0) {
      listing = parseItems(scanner, clause, cues, listStart, section)
      listStart = undefined
    } else if (!section && isTokensOnly(scanner, clause)) {
      parseTokens(scanner, clause, false)
      listing = undefined
    } else if (listing && !negationPattern.test(text) && ((section && clause === clauses[0]) || !isStatement(text))) {
      extractItems(scanner, clause, listing)
    } else if (detectPrice(text)) {
      scanner.price = scanner.price ?? detectPrice(text)
      assignText(scanner, scanner.summary, clause, 'summary', true)
    } else if (contentPattern.test(text) && text.length <= 60) {
      assignText(scanner, scanner.summary, clause, 'summary', true)
    } else {
      if (!isStatement(text)) listStart = listStart ?? clause.start
      else listStart = undefined
      listing = undefined
      scanner.freeText.push(clause)
    }
  }
}

/** Words about the content of the workshop. */
const contentPattern =
  /实验(?!室)|实操|实践|动手|理论|(?<![A-Za-z])(?:hands[- ]?on|labs?|theory|lectures?)(?![A-Za-z])/i

function detectPrice(text: string, labelled = false): 'free' | 'paid' | undefined {
  if (isFree(text) || (labelled && /(?<![A-Za-z])free(?![A-Za-z])/i.test(text))) return 'free'
  return paidPattern.test(text) ? 'paid' : undefined
}

const isFree = (text: string) => freePattern.test(text)

const freePattern =
  /(?<![不非])免费|(?<![A-Za-z])(?:(?<!feel )free of charge|free (?:admission|entry|event|to attend|workshop|training|class|course)|for free|no (?:charge|fee|cost)|(?:it's|attendance is|participation is|admission is|the (?:workshop|event|training) is) free)(?![A-Za-z])|^\s*free\s*[!.]?\s*$/i

const paidPattern = /[¥￥$€]\s?\d|\d\s?(?:元|rmb|cny|usd|eur)(?![A-Za-z])|收费/i

/** The last of them is the rest of the text. */
const maxUnparsed = 500

/** The parts that no span covers, split at line breaks and trimmed. */
function findUnparsed(scanner: Scanner): UnparsedText[] {
  const unparsed: UnparsedText[] = []
  let position = 0
  for (const { start, end } of [...scanner.spans, { start: scanner.text.length, end: scanner.text.length }]) {
    if (start > position) {
      for (const line of splitLines(scanner.normalized.slice(position, start))) {
        const isLast = unparsed.length === maxUnparsed - 1
        const range = trimRange(scanner.text, {
          start: position + line.start,
          end: isLast ? scanner.text.length : position + line.end,
        })
        const text = scanner.text.slice(range.start, range.end)
        if (significantChar.test(text)) unparsed.push({ ...range, text })
        if (isLast) return unparsed
      }
    }
    position = Math.max(position, end)
  }
  return unparsed
}

/** Splits a segment at commas outside brackets, and at spaces between Chinese words. */
function splitClauses(scanner: Scanner, segment: Range): Range[] {
  const clauses: Range[] = []
  let position = segment.start
  for (const match of findMatches(clauseSeparator, slice(scanner, segment))) {
    if (!match[1]) continue
    clauses.push(trimRange(scanner.normalized, { start: position, end: segment.start + match.index }))
    position = segment.start + match.index + match[0].length
  }
  clauses.push(trimRange(scanner.normalized, { start: position, end: segment.end }))
  return mergeTokenClauses(
    scanner,
    clauses.filter(({ start, end }) => end > start),
  )
}

const clauseSeparator = /[([【][^()[\]【】]{0,120}[)\]】]|(,(?!\d{3}(?!\d))|(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff]))/g

/** Merges consecutive clauses that consist of dates, times and cities. */
function mergeTokenClauses(scanner: Scanner, clauses: Range[]): Range[] {
  const merged: Range[] = []
  let previousTokensOnly = false
  for (const clause of clauses) {
    const tokensOnly = isTokensOnly(scanner, clause)
    const last = merged.at(-1)
    if (tokensOnly && previousTokensOnly && last) last.end = clause.end
    else merged.push(clause)
    previousTokensOnly = tokensOnly
  }
  return merged
}
