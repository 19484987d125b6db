import { parseNumeral } from './dates.ts'
import {
  type Field,
  findMatches,
  type Range,
  recordSpan,
  type Scanner,
  significantChar,
  slice,
  splitLines,
  trimRange,
} from './scanner.ts'

/** A piece of the announcement: a line, a point of a list, a sentence, or what follows a label. */
export type Segment = Range & {
  section: Section | undefined
  /** Whether a label precedes it directly. */
  labelled: boolean
  mark: 'number' | 'bullet' | 'heading' | 'emoji' | undefined
  /** What precedes it: `line` for the beginning of a line, `blank` for one after an empty line. */
  precededBy: 'blank' | 'line' | 'mark' | 'sentence' | 'part'
  endsSentence: boolean
}

export type Section = keyof typeof labels

const eventPrefix = '(?:(?<![\\u4e00-\\u9fff])(?:活动|培训|课程|会议|举办|讲座|上课|开课))?'

/** Patterns of labels, before a colon or alone in a line. The first match wins. */
const labels = {
  other:
    '(?:发布|发稿|更新)(?:时间|日期)|来源|作者|编辑|讲师(?:介绍)?|主讲人?|嘉宾|主办方?|主办单位|协办(?:方|单位)?|承办(?:方|单位)?|联系人|联系方式|咨询|电话|邮箱|' +
    '(?:活动|培训)?(?:日程|议程|流程|对象|人数|规模|名额)|适合人群|面向人群|交通(?:方式|指引)?|' +
    'speakers?|instructors?|hosts?|hosted by|organi[sz]ers?|organi[sz]ed by|contact|phone|e-?mail|agenda|schedule|programme|audience|who|seats|capacity|' +
    'getting there|published|posted(?: on)?|from|to|cc',
  notes: '(?:活动|参会|培训)?(?:注意事项|须知|说明)|备注|注|温馨提示|提示|notes?|please note|good to know',
  registration:
    '报名(?:通道|方式|链接|入口|地址|截止(?:时间|日期)?|时间|须知|方法|二维码)?|截止(?:时间|日期)|(?:如何|怎么)报名|' +
    '(?:how to )?(?:registration(?: link| deadline)?|register|sign[- ]?up|rsvp|apply)(?: here| at| by)?|deadline',
  title: `(?:活动|培训|课程|会议)?(?:主题|名称|标题|题目)|title|subject|topic|event`,
  when: `${eventPrefix}(?:时间|日期)|when|dates?(?: (?:and|&) times?)?|times?`,
  city: '(?:活动|培训|举办)?(?:城市|站点)|cit(?:y|ies)',
  address: '(?:详细|具体|活动|培训|会场)?地址|address',
  where: `${eventPrefix}(?:地点|场地|会场|地方)|where|venues?|locations?|place`,
  price: `${eventPrefix}(?:费用|收费|价格|票价)|prices?|costs?|fees?|tickets?|admission`,
  software:
    '(?:所需|需(?:要)?(?:提前)?安装(?:的)?|提前安装(?:的)?)?软件(?:环境|准备)?|开发环境|环境准备|(?:请)?(?:提前|预先)安装|' +
    '(?:required )?software|(?:please )?(?:pre-?)?install(?: beforehand| in advance)?|(?:software|what) to install',
  download: '下载(?:地址|链接)?|download(?: link| here| at| from)?',
  bring:
    '(?:请|需|需要|参与者需?|学员需?)?(?:自行|自)?(?:携带|自带|自备|准备)(?:的?物品|物品|设备)?|(?:需)?自带(?:物品|设备)|带什么|' +
    "(?:please )?bring(?: along| with you)?|(?:what|things) to bring|what (?:should i|you(?:'ll| will)? (?:need|have) to|do i need to) bring\\??|what you(?:'ll| will)? need",
  provided:
    '(?:主办方|我们|现场|活动|会务组)?(?:将)?(?:免费)?提供|(?:活动|参会|学员|现场)?福利|' +
    "(?:we|what we|what'?s) provided?|provided(?: by us| on site)?|what'?s included|included|what you(?:'ll| will)? get|we(?:'ll| will) provide",
  prerequisite:
    '(?:基础|参与|参加|参会|学员|报名|前置|知识)?(?:要求|条件)|(?:知识|前置)基础|前提|前置知识|先修(?:课程|知识)?|' +
    'pre-?requisites?|requirements?|required(?: knowledge)?|what you should know|you should know',
  summary:
    '(?:活动|培训|课程|主要)?(?:内容|形式|简介|介绍|亮点|大纲)|你将(?:学到|收获|掌握)|about|content|format|topics|overview|' +
    "what you(?:'ll| will) (?:learn|do|build)|what to expect|highlights",
} as const

const labelNames = Object.entries(labels)
  .map(([section, words]) => `(?<${section}>${words})`)
  .join('|')

const lineLabel = new RegExp(`^(?:${labelNames})$`, 'i')

/**
 * Where a line is split into segments. A label needs a colon or a closing bracket, except for ways to register. The number of
 * a list item counts only in sequence, and a full stop only if a sentence can begin after it.
 */
const breakPattern = new RegExp(
  [
    `(?<label>(?<![A-Za-z])(?:${labelNames})(?:[*_\\]】"' ]{0,4}:|[】\\]]|(?<space>(?: {2}|\\t)[ \\t]*(?=\\S))))`,
    '(?<call>报名(?:通道|方式|链接|入口|地址)(?![^\\n]{0,4}:))',
    '(?<before>(?:请|立即|长按|微信|点击)?(?:扫码|扫描?(?:下方|上方|文末)?二维码|识别二维码)报名)',
    '(?<number>(?<![\\d./:-])\\(?(?<digits>\\d{1,2})(?:[.、](?!\\d)|\\))|(?<![周期拜第一二三四五六七八九十])(?<numeral>[一二三四五六七八九十]{1,3})、)',
    '(?<circled>[\\u2460-\\u2473\\u2474-\\u2487\\u2776-\\u277f])',
    '(?<bullet>[•●○▪■□◆◇★☆‣◦])',
    '(?<emoji>(?:(?![©®™‼⁉])\\p{Extended_Pictographic}|\\p{Regional_Indicator}|[✓✗])(?:[\\ufe0e\\ufe0f\\u200d\\u20e3]|\\p{Emoji_Modifier}|\\p{Extended_Pictographic}){0,12}|[0-9]\\ufe0f?\\u20e3)',
    '(?<sentence>[。!?]+|(?<!\\b(?:No|Rd|St|Ave|Dr|Mr|Ms|Mrs|Prof|Univ|Bldg|Rm|vs|etc|approx|e\\.g|i\\.e|[ap]\\.m))\\.(?=\\s*$|\\s+[^\\d\\s]))',
    '(?<part>[;|])',
  ].join('|'),
  'giu',
)

const listMarker =
  /^[ \t]*(?:(?<number>\(?(?:\d{1,2}(?:[.)](?!\d)|、)|[一二三四五六七八九十]{1,3}(?:[、.)]))|\((?:\d{1,2}|[一二三四五六七八九十]{1,3})\))|(?<heading>#{1,6}(?= ))|(?<bullet>[-*+·>](?= )|[-·](?=[\u4e00-\u9fff])|-(?=[A-Z])))/

const emojiSections: Record<string, Section> = { '📍': 'where', '📅': 'when', '🗓': 'when', '⏰': 'when', '💰': 'price' }

/** Splits a text into segments, with the section of those that follow a label. */
export function splitSegments(scanner: Scanner): Segment[] {
  const segments: Segment[] = []
  let blank = false
  for (const { start, end } of splitLines(scanner.normalized)) {
    if (scanner.budget.marks <= 0) break
    const line = scanner.normalized.slice(start, end)
    if (significantChar.test(line)) splitLine(scanner, { start, end }, blank ? 'blank' : 'line', segments)
    blank = !/[^\s]/.test(line)
  }
  return segments
}

function splitLine(scanner: Scanner, line: Range, precededBy: 'blank' | 'line', segments: Segment[]): void {
  const { normalized } = scanner
  let next: Segment = {
    start: line.start,
    end: line.end,
    section: undefined,
    labelled: false,
    mark: undefined,
    precededBy,
    endsSentence: false,
  }
  let number = 0
  for (let marks = 0; marks < 4; marks++) {
    const match = listMarker.exec(normalized.slice(next.start, Math.min(line.end, next.start + 40)))
    if (!match) break
    const end = next.start + match[0].length
    recordSpan(scanner, next.start, end, 'list', 'cue')
    next = { ...next, start: end, mark: match.groups?.number ? 'number' : match.groups?.heading ? 'heading' : 'bullet' }
    number = parseNumeral(/\d+|[一二三四五六七八九十]+/.exec(match[0])?.[0]) || number
  }
  const lineRange = trimRange(normalized, next)
  const heading =
    lineRange.end - lineRange.start < 60 ? lineLabel.exec(normalized.slice(lineRange.start, lineRange.end)) : null
  const headingSection = matchedSection(heading)
  if (headingSection && headingSection !== 'title' && !/^(?:from|to|event)$/i.test(heading?.[0] ?? '')) {
    recordSpan(scanner, lineRange.start, lineRange.end, fieldForSection(headingSection), 'cue')
    segments.push({ ...next, start: lineRange.end, section: headingSection, labelled: true })
    return
  }
  const pushSegment = (end: number, nextStart: number, changes: Partial<Segment>) => {
    if (next.labelled || significantChar.test(normalized.slice(next.start, end)))
      segments.push({ ...next, end, endsSentence: changes.precededBy === 'sentence' })
    next = {
      ...next,
      start: nextStart,
      section: undefined,
      labelled: false,
      mark: undefined,
      precededBy: 'part',
      ...changes,
    }
  }
  const rest = normalized.slice(line.start, line.end)
  const first = line.start + rest.search(significantChar)
  const marks = findMatches(breakPattern, rest, scanner.budget.marks)
  scanner.budget.marks -= 1 + marks.length
  for (const match of marks) {
    const groups = match.groups as Record<string, string | undefined>
    const [start, end] = [line.start + match.index, line.start + match.index + match[0].length]
    if (start < next.start) continue
    if (groups.space && first < start) continue
    if (groups.label || groups.call) {
      const section = groups.call ? 'registration' : (matchedSection(match) as Section)
      const mark = significantChar.test(normalized.slice(next.start, start)) ? undefined : next.mark
      pushSegment(start, end, {
        section,
        labelled: true,
        mark,
        precededBy: mark || start === next.start ? next.precededBy : 'mark',
      })
      recordSpan(scanner, start, end, fieldForSection(section), 'cue')
    } else if (groups.before) {
      if (next.section !== 'registration') pushSegment(start, start, { precededBy: 'mark' })
    } else if (groups.number) {
      // Not after a letter: Cortex-M3. is a name.
      if (parseNumeral(groups.digits ?? groups.numeral) !== number + 1 || /[A-Z]/.test(normalized[start - 1] ?? ''))
        continue
      number++
      pushSegment(start, end, { mark: 'number', precededBy: 'mark' })
      recordSpan(scanner, start, end, 'list', 'cue')
    } else if (groups.circled || groups.bullet || groups.emoji) {
      const startsLine = !significantChar.test(normalized.slice(next.start, start))
      pushSegment(start, end, {
        mark: groups.emoji ? 'emoji' : 'bullet',
        precededBy: startsLine ? next.precededBy : 'mark',
        section: emojiSections[String.fromCodePoint(match[0].codePointAt(0) as number)],
      })
      recordSpan(scanner, start, end, 'list', 'cue')
    } else pushSegment(start, end, { precededBy: groups.sentence ? 'sentence' : 'part' })
  }
  pushSegment(line.end, line.end, {})
}

function matchedSection(match: RegExpExecArray | RegExpMatchArray | null): Section | undefined {
  return (Object.keys(labels) as Section[]).find((section) => match?.groups?.[section] !== undefined)
}

function fieldForSection(section: Section): Field {
  switch (section) {
    case 'when':
      return 'date'
    case 'where':
      return 'venue'
    case 'provided':
    case 'bring':
    case 'prerequisite':
    case 'software':
    case 'download':
      return 'item'
    case 'notes':
    case 'other':
      return 'list'
    default:
      return section
  }
}

/**
 * Extends the section of a label to the segments that belong to it: list items or lines below a label alone in its line, and
 * parts after a semicolon.
 */
export function inheritSections(scanner: Scanner, segments: Segment[]): Segment[] {
  let section: Section | undefined
  let content: 'same_line' | 'none' | 'list' | 'lines' = 'none'
  return segments.map((segment) => {
    if (segment.section) {
      section = segment.section
      content = significantChar.test(slice(scanner, segment)) ? 'same_line' : 'none'
      return segment
    }
    const { mark, precededBy } = segment
    if (mark === 'heading') section = undefined
    else if (precededBy === 'sentence') {
      if (section !== 'summary' && section !== 'registration' && section !== 'other') section = undefined
    } else if (precededBy !== 'part') {
      if (content === 'none') content = mark ? 'list' : 'lines'
      else if (content === 'same_line' || (content === 'list' ? !mark : mark || precededBy === 'blank'))
        section = undefined
    }
    return { ...segment, section }
  })
}
