import type { ItemKind } from '../../../db/schema.ts'
import {
  findMatches,
  type Range,
  recordSpan,
  type Scanner,
  significantChar,
  slice,
  toLocalizedText,
} from './scanner.ts'

/** Words that make a clause a statement rather than the next item of a list. */
export const statementPattern =
  /[请可即将会先谢需不已未了吧哦们你您我均若如因否为是在]|有限|自愿|截止|(?<![A-Za-z])(?:you|we|i|is|are|will|please|if|because|so|can|must|should|first|see|thanks?|thank|join|come|all|with|there|it|they)(?![A-Za-z])/i

export const isStatement = (text: string) => text.length > 40 || statementPattern.test(text)

export const negationPattern =
  /不(?!锈)|无(?!线|人机)|未(?!来)|没|零基础|优先|(?<![A-Za-z])(?:no|not|never|without|don't(?! forget)|do not(?! forget))(?![A-Za-z])/i

const provider = '(?:主办方|主办单位|我们|官方|会务组|现场|届时|到场|活动|将|会|均|统一|免费|也){0,5}'

const receiver = '(?:[为给](?:大家|您|你|学员|参与者|每人|每位(?:学员|参与者|同学)))?(?:免费)?'

const people =
  '(?:参与者|参加者|参会者|报名者|学员|大家|同学们|您|你|请|需要?|须|务必|烦请|建议|只需|记得|自行|提前|预先|事先|并|最好|至少|在电脑上|电脑上){0,6}'

const requestPrefix =
  "(?:please|kindly|also|just|remember to|don't forget to|you(?:'ll| will)? (?:need|have) to|(?:participants|attendees|you) (?:should|must|need)(?: to)?| ){0,5}"

/** Words before or after items that tell their kind. */
const itemCuePattern = new RegExp(
  [
    `(?<providedAfter>由(?:主办方|主办单位|我们|现场|官方|会务组)(?:统一|免费){0,2}提供|(?:(?<![A-Za-z])(?:is|are|will be) )?(?<![A-Za-z])(?:provided|supplied|included|lent|on us)(?![A-Za-z])(?: (?:free of charge|for free|free|by us|by the organi[sz]ers?|on site|for everyone|for all)){0,3})`,
    `(?<provided>${provider}${receiver}(?:提供|配备|发放|赠送|借出|准备了)|(?<![A-Za-z])(?:we|the organi[sz]ers?)(?:'ll| will)?(?: also)? (?:provide|supply|lend|give)(?: you(?: with)?)?(?![A-Za-z]))`,
    `(?<bring>${people}(?:携带|自带|自备|带上|带好|备好)|${people}(?<=请|需|要|行|得|务必|大家|您|你)带(?![领你大走教来有])|(?<![A-Za-z])${requestPrefix}bring(?: along| with you)?(?: your own)?(?![A-Za-z]))`,
    `(?<software>${people}(?<!已|已经)(?:下载并?安装|安装|装)(?!教程|指南|包|说明|步骤|方法|配|修|置)(?:好|完成|完)?|(?<![A-Za-z])${requestPrefix}(?:(?:download and |pre-?)?install(?![A-Za-z])|have(?= [^,;]{1,60} installed)))`,
    `(?<prerequisite>${people}(?:需要?|须|应|应当|要|要求|最好|至少)(?:有|具备|具有|了解|熟悉|掌握|懂|会(?!议))|(?<=^|[、:])\\s*(?:具备|具有|熟悉|了解|掌握)(?!更多|详情)|(?<![没])有(?=[^,。;]{1,40}(?:基础|经验))|(?<![A-Za-z])${requestPrefix}(?:(?<=should |must |need to |have to )(?:know|have|be familiar with)(?: (?:the )?basics of)?|(?:have )?(?:(?:basic|some|prior) )?(?:knowledge of|experience (?:with|in)|familiarity with)|familiar with)(?![A-Za-z]))`,
    `(?<prerequisiteAfter>(?:(?<![A-Za-z])(?:is|are) )?(?<![A-Za-z])(?:required|recommended|expected)(?![A-Za-z]))`,
  ].join('|'),
  'gi',
)

type ItemCue = Range & { kind: ItemKind | 'software'; after: boolean }

/** Finds the words that announce items to bring, items provided and prerequisites. */
export function findItemCues(text: string): ItemCue[] {
  return findMatches(itemCuePattern, text).map((match) => {
    const name = Object.entries(match.groups ?? {}).find(([, words]) => words !== undefined)?.[0] as string
    return {
      start: match.index,
      end: match.index + match[0].length,
      kind: name.replace('After', '') as ItemKind | 'software',
      after: name.endsWith('After'),
    }
  })
}

/**
 * Extracts the items of each cue in a clause: those up to the next cue, or those before it if none follow.
 * @param listStart the beginning of the list that this clause ends
 * @returns the kind of items that the next clause may continue
 */
export function parseItems(
  scanner: Scanner,
  clause: Range,
  cues: ItemCue[],
  listStart: number | undefined,
  section: ItemKind | 'software' | undefined,
): ItemKind | 'software' | undefined {
  let from = listStart ?? clause.start
  let listing: ItemKind | 'software' | undefined = section
  cues.forEach((cue, index) => {
    const [start, end] = [clause.start + cue.start, clause.start + cue.end]
    const following = {
      start: end,
      end: index + 1 < cues.length ? clause.start + (cues[index + 1] as ItemCue).start : clause.end,
    }
    const preceding = { start: from, end: start }
    const hasFollowing = significantChar.test(slice(scanner, following).replace(itemSuffix, ''))
    if (cue.after || !hasFollowing) {
      recordSpan(scanner, start, end, 'item', 'cue')
      extractItems(scanner, preceding, cue.kind)
      listing = section
      from = end
    } else {
      if (index === 0 && section && section !== cue.kind)
        extractItems(scanner, { start: clause.start, end: start }, section)
      recordSpan(scanner, start, end, 'item', 'cue')
      extractItems(scanner, following, cue.kind)
      listing = cue.kind
      from = following.end
    }
  })
  return listing
}

const listSeparator =
  /\([^()]{0,120}\)|(?<comma>[、,;])|(?<word>以及|并且|并(?=$|请)|(?<![普涉顾波埃触危])及(?![时格其早])|和(?![平谐])|与(?!非)|(?<= )\+(?= )|(?<=[\u4e00-\u9fff])\+(?=[\u4e00-\u9fff])|(?<![A-Za-z])(?:and|as well as|plus)(?![A-Za-z])|(?<= )&(?= ))/gi

/** The purpose of an item is part of its text. */
const purposePattern = /用于|用来|以便|(?<![A-Za-z])(?:for|to|so that)(?![A-Za-z])/i

const itemPrefix = /^(?:[\s:*_'"“”【\][<—-]+|(?:a|an|the|your|your own|some|one)(?= )|好|以下|如下)/i

const itemSuffix =
  /(?:[\s:*_'"“”】<>,.([\]—-]|(?<![A-Za-z])(?:in advance|beforehand|ahead of time|before (?:you come|coming|the (?:workshop|event|training|class|day)))|等|即可|就行|就好)$/i
const installedSuffix = /\s(?:pre-?)?installed$/i

/** Creates an item for each part of a list. A web address in it becomes its URL. */
export function extractItems(scanner: Scanner, range: Range, kind: ItemKind | 'software'): void {
  const text = slice(scanner, range)
  let [start, checkedTo, hasPurpose] = [0, 0, false]
  for (const match of text.matchAll(listSeparator)) {
    if (!match.groups?.comma && !match.groups?.word) continue
    hasPurpose ||= purposePattern.test(text.slice(checkedTo, match.index))
    checkedTo = match.index
    if (match.groups.word && hasPurpose) continue
    extractItem(scanner, { start: range.start + start, end: range.start + match.index }, kind)
    start = match.index + match[0].length
    if (match.groups.word) recordSpan(scanner, range.start + match.index, range.start + start, 'item', 'cue')
    hasPurpose = false
  }
  extractItem(scanner, { start: range.start + start, end: range.end }, kind)
}

/** Twice as many as a checklist may have. Further ones remain unparsed. */
const maxItems = 100

function extractItem(scanner: Scanner, range: Range, kind: ItemKind | 'software'): void {
  if (scanner.items.length === maxItems) return
  const url = scanner.urls.find(({ start, end }) => start >= range.start && end <= range.end)
  const withoutSuffix = trimMatching(scanner, { start: range.start, end: url?.start ?? range.end }, itemSuffix)
  const trimmed = trimMatching(
    scanner,
    kind === 'software' ? trimMatching(scanner, withoutSuffix, installedSuffix) : withoutSuffix,
    itemPrefix,
  )
  const text = scanner.text.slice(trimmed.start, trimmed.end)
  if (!significantChar.test(text)) {
    if (url) attachUrlToLastItem(scanner, url)
    return
  }
  recordSpan(scanner, trimmed.start, trimmed.end, 'item', 'value')
  if (url) recordSpan(scanner, url.start, url.end, 'item', 'value')
  if (url) trimMatching(scanner, { start: url.end, end: range.end }, itemSuffix)
  const software = kind === 'software'
  scanner.items.push({
    kind: software ? 'prerequisite' : kind,
    text: toLocalizedText(text),
    url: url ? scanner.text.slice(url.start, url.end) : null,
    mustConfirm: software,
  })
}

/** Attaches a web address to the software before it. */
export function parseDownload(scanner: Scanner, range: Range): void {
  const url = scanner.urls.find(({ start, end }) => start >= range.start && end <= range.end)
  if (url) attachUrlToLastItem(scanner, url)
}

function attachUrlToLastItem(scanner: Scanner, url: Range): void {
  const last = scanner.items.findLast(({ mustConfirm }) => mustConfirm)
  if (!last || last.url) return
  last.url = scanner.text.slice(url.start, url.end)
  recordSpan(scanner, url.start, url.end, 'item', 'value')
}

/** Trims matches of `ends` from one end of a range. Those that contain words are recorded as cues. */
function trimMatching(scanner: Scanner, range: Range, ends: RegExp): Range {
  let { start, end } = range
  for (let cuts = 0; cuts < 200 && start < end; cuts++) {
    const atStart = ends.source.startsWith('^')
    const edge = atStart
      ? scanner.normalized.slice(start, Math.min(end, start + 60))
      : scanner.normalized.slice(Math.max(start, end - 60), end)
    const match = ends.exec(edge)
    if (!match) break
    const cut = atStart ? { start, end: start + match[0].length } : { start: end - match[0].length, end }
    if (significantChar.test(match[0])) recordSpan(scanner, cut.start, cut.end, 'item', 'cue')
    if (atStart) start = cut.end
    else end = cut.start
  }
  return { start, end }
}
