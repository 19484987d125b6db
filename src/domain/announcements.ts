import type { ItemKind, Text } from '../db/schema.ts'
import type { Day } from './announced-dates.ts'
import { denial, isStatement, itemCue, readDownload, readItems, takeThings } from './announced-items.ts'
import {
  type AnnouncedWorkshop,
  isOnly,
  readPlaceLine,
  readProse,
  readTokens,
  readWhen,
  readWhere,
  stripEnds,
  tokensOf,
  workshopsOf,
} from './announced-places.ts'
import { inherit, type Segment, split } from './announcement-parts.ts'
import {
  add,
  createReader,
  languageOf,
  linesOf,
  matchesOf,
  type Range,
  type Reader,
  type Span,
  significant,
  slice,
  trimmed,
} from './announcement-reader.ts'
import type { ItemDraft } from './workshops.ts'

/** What an announcement says. Every text is verbatim a part of it: Chinese ones are `zh`, others `en`. */
export type AnnouncementDraft = {
  title: Text
  /** What is said about the content and the price, joined by ；or ; where there are several pieces. */
  summary: Text
  price: 'free' | 'paid' | undefined
  /** One per city, in their order; one without a city where only a date or a place is named. */
  workshops: AnnouncedWorkshop[]
  /** Software to install is a prerequisite that must be confirmed. */
  items: ItemDraft[]
  /** How to register, joined like the summary. */
  registration: Text
  /** What the draft was read from, by position; title and summary may share a span with other fields. */
  read: Span[]
  /** All the rest of the announcement, but for spaces and punctuation. */
  leftover: Leftover[]
}

export type Leftover = { start: number; end: number; text: string }

/**
 * Reads a newsletter's announcement of workshops into a draft for an organiser to check. It looks for cues (labels such as
 * 时间：, verbs such as 自行携带, the shapes of dates, names of cities) and leaves the rest visible. It guesses no day and
 * no city, and never throws. Its time is linear in the length of the text: the repetitions of each pattern and the numbers of
 * segments, dates, cities, items and pieces left over are bounded.
 * @param today for dates without a year, which are the next ones
 */
export function readAnnouncement(text: string, today: Day): AnnouncementDraft {
  const reader = createReader(text, today)
  const segments = inherit(reader, split(reader))
  readTitle(reader, segments)
  for (const segment of segments) readSegment(reader, segment)
  readProse(reader)
  const workshops = workshopsOf(reader)
  return {
    title: reader.title,
    summary: reader.summary,
    price: reader.price,
    workshops,
    items: reader.items,
    registration: reader.registration,
    read: reader.read.sort((a, b) => a.start - b.start || a.end - b.end),
    leftover: leftoverOf(reader),
  }
}

/** Reads the first line that can be a title: neither a greeting, nor a sentence, nor a point of a list. */
function readTitle(reader: Reader, segments: Segment[]): void {
  if (segments.some(({ section }) => section === 'title')) return
  for (const segment of segments) {
    if (segment.section || segment.mark === 'number' || segment.mark === 'bullet') return
    const clauses = clausesOf(reader, segment)
    // Dates and cities may stand before the title, and those behind it belong together with those at its end.
    const [before] = clauses
    const [first, ...others] = before && isTokens(reader, before) ? clauses.slice(1) : clauses
    if (!before || !first) continue
    if (greeting.test(slice(reader, first)) || call.test(slice(reader, first)) || isDateline(reader, segment)) continue
    if (/[:,]\s*$/.test(slice(reader, segment))) continue
    const next = others.findIndex((clause) => hasCue(reader, clause))
    const end = (next < 0 ? others.at(-1) : others[next - 1])?.end ?? first.end
    const behind = others[next]
    const until = behind && isTokens(reader, behind) ? behind.end : end
    if (end - first.start > 120) continue
    const closed = segment.ended && /[。.]/.test(reader.plain[segment.end] ?? '')
    if (closed && hasCue(reader, first)) return
    if ((closed || before !== first) && sentence.test(slice(reader, { start: first.start, end }))) return
    const title = stripEnds(reader, { start: first.start, end })
    if (!title) continue
    const said = slice(reader, title)
    if (itemCue(said)[0]?.start === 0) return
    addTitle(reader, title)
    readTokens(reader, { start: before.start, end: until }, true)
    if (isFree(said)) reader.price = 'free'
    const rest = { ...segment, start: until }
    const after = segments[segments.indexOf(segment) + 1]
    if (after && !significant.test(slice(reader, rest))) readOtherTitle(reader, after)
    Object.assign(segment, rest)
    return
  }
}

const isTokens = (reader: Reader, range: Range) => isOnly(reader, range, tokensOf(reader, range))

/** The line below the title, if it is the title in the other language. */
function readOtherTitle(reader: Reader, segment: Segment): void {
  const range = trimmed(reader.plain, segment)
  const said = slice(reader, range)
  if (segment.section || segment.ended || segment.mark === 'number' || segment.mark === 'bullet' || said.length > 80)
    return
  if (
    languageOf(said) in reader.title ||
    hasCue(reader, range) ||
    greeting.test(said) ||
    /[:,]\s*$/.test(slice(reader, segment))
  )
    return
  const title = stripEnds(reader, range)
  if (!title) return
  addTitle(reader, title)
  readTokens(reader, range, true)
  Object.assign(segment, { start: segment.end })
}

function addTitle(reader: Reader, range: Range): void {
  add(reader, reader.title, range, 'title')
}

const greeting =
  /^\s*(?:dear|hi|hello|hey|good (?:morning|afternoon)|各位|亲爱的|尊敬的|大家好|同学们|老师们|您好|你好)(?![a-z])/i

const sentence = /[,。]|\b(?:we|you|is|are|will|our)\b|我们|将于|诚邀|欢迎/i

const call =
  /报名|扫码|二维码|阅读原文|(?<![A-Za-z])(?:regist(?:er|ration)|sign(?:ing)?[- ]?up|rsvp|scan|apply)(?![A-Za-z])/i

const dateline = /发布(?!会)|发表于|更新于|来源|作者|published|posted|updated/i

const isDateline = (reader: Reader, range: Range) => dateline.test(slice(reader, range))

function hasCue(reader: Reader, clause: Range): boolean {
  const said = slice(reader, clause)
  return (
    call.test(said) ||
    isDateline(reader, clause) ||
    itemCue(said).length > 0 ||
    priceOf(said) !== undefined ||
    content.test(said) ||
    isOnly(reader, clause, tokensOf(reader, clause))
  )
}

/** Reads a segment after its section. */
function readSegment(reader: Reader, segment: Segment): void {
  const range = trimmed(reader.plain, segment)
  if (range.start >= range.end) return
  switch (segment.section) {
    case 'title':
      if (!add(reader, reader.title, range, 'title')) reader.prose.push(range)
      return
    case 'when':
      readWhen(reader, range)
      return
    case 'where':
    case 'city':
    case 'address':
      readWhere(reader, range, segment.section)
      return
    case 'price':
    case 'summary':
      reader.price = reader.price ?? priceOf(slice(reader, range), segment.section === 'price')
      add(reader, reader.summary, range, 'summary', true)
      return
    case 'registration':
      add(reader, reader.registration, range, 'registration', true)
      return
    case 'download':
      readDownload(reader, range)
      return
    case 'other':
      return
    default:
      readClauses(reader, segment)
  }
}

/** Reads a segment clause by clause, each after its own cue. */
function readClauses(reader: Reader, segment: Segment): void {
  const clauses = clausesOf(reader, segment)
  const section = segment.section === 'notes' ? undefined : (segment.section as ItemKind | 'software' | undefined)
  // What the next clause goes on listing, and from where a list may begin whose verb stands at its end.
  let listing = section
  let open: number | undefined
  if (isDateline(reader, segment) || (!section && readPlaceLine(reader, segment))) return
  for (const clause of clauses) {
    const said = slice(reader, clause)
    if ((!section || clause !== clauses[0]) && call.test(said)) {
      add(
        reader,
        reader.registration,
        trimmed(reader.plain, { start: clause.start, end: segment.end }),
        'registration',
        true,
      )
      return
    }
    const cues = denial.test(said) ? [] : itemCue(said)
    if (cues.length > 0) {
      listing = readItems(reader, clause, cues, open, section)
      open = undefined
    } else if (!section && isOnly(reader, clause, tokensOf(reader, clause))) {
      readTokens(reader, clause, false)
      listing = undefined
    } else if (listing && !denial.test(said) && ((section && clause === clauses[0]) || !isStatement(said))) {
      takeThings(reader, clause, listing)
    } else if (priceOf(said)) {
      reader.price = reader.price ?? priceOf(said)
      add(reader, reader.summary, clause, 'summary', true)
    } else if (content.test(said) && said.length <= 60) {
      add(reader, reader.summary, clause, 'summary', true)
    } else {
      if (!isStatement(said)) open = open ?? clause.start
      else open = undefined
      listing = undefined
      reader.prose.push(clause)
    }
  }
}

/** What is said of the workshop's content. */
const content = /实验(?!室)|实操|实践|动手|理论|(?<![A-Za-z])(?:hands[- ]?on|labs?|theory|lectures?)(?![A-Za-z])/i

function priceOf(said: string, labelled = false): 'free' | 'paid' | undefined {
  if (isFree(said) || (labelled && /(?<![A-Za-z])free(?![A-Za-z])/i.test(said))) return 'free'
  return paid.test(said) ? 'paid' : undefined
}

const isFree = (said: string) => free.test(said)

const free =
  /(?<![不非])免费|(?<![A-Za-z])(?:(?<!feel )free of charge|free (?:admission|entry|event|to attend|workshop|training|class|course)|for free|no (?:charge|fee|cost)|(?:it's|attendance is|participation is|admission is|the (?:workshop|event|training) is) free)(?![A-Za-z])|^\s*free\s*[!.]?\s*$/i

const paid = /[¥￥$€]\s?\d|\d\s?(?:元|rmb|cny|usd|eur)(?![A-Za-z])|收费/i

/** Pieces that are left over at the most. The last of them is the rest of the text. */
const mostLeftover = 500

/** All that no span covers, in whole lines at most, without the spaces and punctuation around it. */
function leftoverOf(reader: Reader): Leftover[] {
  const leftover: Leftover[] = []
  let at = 0
  for (const { start, end } of [...reader.read, { start: reader.text.length, end: reader.text.length }]) {
    if (start > at) {
      for (const line of linesOf(reader.plain.slice(at, start))) {
        const isLast = leftover.length === mostLeftover - 1
        const range = trimmed(reader.text, {
          start: at + line.start,
          end: isLast ? reader.text.length : at + line.end,
        })
        const text = reader.text.slice(range.start, range.end)
        if (significant.test(text)) leftover.push({ ...range, text })
        if (isLast) return leftover
      }
    }
    at = Math.max(at, end)
  }
  return leftover
}

/** Clauses of a segment: what commas divide outside of brackets, and spaces between Chinese words. */
function clausesOf(reader: Reader, segment: Range): Range[] {
  const clauses: Range[] = []
  let at = segment.start
  for (const found of matchesOf(clauseEnds, slice(reader, segment))) {
    if (!found[1]) continue
    clauses.push(trimmed(reader.plain, { start: at, end: segment.start + found.index }))
    at = segment.start + found.index + found[0].length
  }
  clauses.push(trimmed(reader.plain, { start: at, end: segment.end }))
  return joinTokens(
    reader,
    clauses.filter(({ start, end }) => end > start),
  )
}

const clauseEnds = /[([【][^()[\]【】]{0,120}[)\]】]|(,(?!\d{3}(?!\d))|(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff]))/g

/** Makes one clause of those in a row that say nothing but dates, times and cities. */
function joinTokens(reader: Reader, clauses: Range[]): Range[] {
  const joined: Range[] = []
  let before = false
  for (const clause of clauses) {
    const only = isOnly(reader, clause, tokensOf(reader, clause))
    const last = joined.at(-1)
    if (only && before && last) last.end = clause.end
    else joined.push(clause)
    before = only
  }
  return joined
}
