import { normalizeUnicode } from '../lib/text.ts'

/*
 * Line breaking for SVG, which has none. The viewer's fonts are unknown, so widths are upper bounds: what fits by them
 * fits in PingFang, Noto, YaHei, Segoe, San Francisco and DejaVu (the widest), also in bold.
 */

/** A text split at its line break opportunities. Widths are in em. */
export type MeasuredText = Run[]

type Run = {
  text: string
  width: number
  /** Without trailing space, which may overhang. */
  trimmedWidth: number
}

/** Lines of one font size, in the unit of the available width. */
export type FittedText = {
  size: number
  lines: string[]
  /** No text was dropped and no word was split. */
  complete: boolean
}

/** Measures a text once, for any number of calls of wrapText. */
export function measureText(text: string, weight: Weight): MeasuredText {
  return splitRuns(text).map((run) => {
    const width = textWidth(run, weight)
    return { text: run, width, trimmedWidth: run.endsWith(' ') ? textWidth(run.trimEnd(), weight) : width }
  })
}

type Weight = 'bold' | 'regular'

/**
 * Wraps a text at the first of `sizes` (in descending order) at which it fits into `lines` lines without splitting
 * words. If none fits, the last size is used: words are split and the text is truncated with an ellipsis.
 * @param balanced make lines about equally long
 */
export function wrapText(
  text: MeasuredText,
  {
    width,
    sizes,
    lines: maxLines,
    balanced = false,
  }: { width: number; sizes: number[]; lines: number; balanced?: boolean },
): FittedText {
  for (const size of sizes) {
    const { lines, cut } = breakLines(text, width / size)
    if (lines.length > maxLines || cut) continue
    return { size, lines: balanced ? balanceLines(text, width / size, lines) : lines, complete: true }
  }
  const size = sizes.at(-1) ?? 1
  const { lines } = breakLines(text, width / size)
  if (lines.length <= maxLines) return { size, lines, complete: false }
  return {
    size,
    lines: [...lines.slice(0, maxLines - 1), truncateToWidth(lines.slice(maxLines - 1).join(' '), width / size)],
    complete: false,
  }
}

/** Upper bound of the width of a text, in em. */
export function textWidth(text: string, weight: Weight): number {
  // Covers nearly all texts and is many times as fast as the segmenter.
  const graphemes = simpleCharsPattern.test(text)
    ? [...text]
    : [...getSegmenter('grapheme').segment(text)].map(({ segment }) => segment)
  return graphemes.reduce((width, grapheme) => width + graphemeWidth(grapheme, weight), 0)
}

function breakLines(text: MeasuredText, maxWidth: number): { lines: string[]; cut: boolean } {
  // Tolerance for rounding, so that a text fits into its own width.
  const width = maxWidth + 1e-6
  const lines: string[] = []
  let [line, used, cut] = ['', 0, false]
  const endLine = () => {
    if (line.trim()) lines.push(line.trim())
    ;[line, used] = ['', 0]
  }
  for (const run of text) {
    if (used + run.trimmedWidth > width) endLine()
    if (run.trimmedWidth <= width) {
      line += run.text
      used += run.width
      continue
    }
    cut = true
    for (const { segment } of getSegmenter('grapheme').segment(run.text)) {
      const segmentWidth = graphemeWidth(segment)
      if (used + segmentWidth > width) endLine()
      line += segment
      used += segmentWidth
    }
  }
  endLine()
  return { lines, cut }
}

/** Finds the smallest width that needs no more lines, by bisection. */
function balanceLines(text: MeasuredText, width: number, lines: string[]): string[] {
  let [tooNarrow, wideEnough, best] = [width / 2, width, lines]
  for (let step = 0; step < 8; step++) {
    const middle = (tooNarrow + wideEnough) / 2
    const attempt = breakLines(text, middle)
    if (attempt.lines.length > lines.length || attempt.cut) tooNarrow = middle
    else [wideEnough, best] = [middle, attempt.lines]
  }
  return best
}

function truncateToWidth(text: string, width: number): string {
  let [kept, used] = ['', textWidth('…', 'bold')]
  for (const { segment } of getSegmenter('grapheme').segment(text)) {
    used += graphemeWidth(segment)
    if (used > width) break
    kept += segment
  }
  return `${kept.replace(/[\s，、；：,;:]+$/u, '')}…`
}

/** Splits Chinese between words, other scripts at spaces. Punctuation stays with its word. */
function splitRuns(text: string): string[] {
  const runs: string[] = []
  for (const { segment } of getSegmenter('word').segment(text)) {
    const previous = runs.at(-1)
    if (previous === undefined || canBreak(previous, segment)) runs.push(segment)
    else runs[runs.length - 1] = previous + segment
  }
  return runs
}

function canBreak(before: string, after: string): boolean {
  const [last = '', first = ''] = [[...before].at(-1), [...after][0]]
  if (/[\s\u00a0]/u.test(first) || noLineStart.test(first) || noLineEnd.test(last)) return false
  if (last === '\u00a0') return false
  return /\s/u.test(last) || fullWidthPattern.test(last) || fullWidthPattern.test(first)
}

/** Closing punctuation must not start a line, opening punctuation must not end one (GB/T 15834, 5.1). */
const noLineStart = /[，。、；：？！）》〉」』】〕”’％%…·—–～,.;:?!)\]}]/u
const noLineEnd = /[（《〈「『【〔“‘([{]/u

/** Full-width scripts, without spaces between words. */
const fullWidthPattern =
  /[\u2e80-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]|[\u{20000}-\u{3ffff}]|\p{Extended_Pictographic}/u

function graphemeWidth(grapheme: string, weight: Weight = 'bold'): number {
  const known = latinWidths.get(grapheme) ?? latinWidths.get(normalizeUnicode(grapheme, 'NFD').charAt(0))
  if (known !== undefined) return known * (weight === 'bold' ? 1 : regularFactor)
  return Math.max(
    0.35,
    [...grapheme].map(charWidth).reduce((sum, width) => sum + width),
  )
}

function charWidth(char: string): number {
  if (/[\p{M}\p{Cf}]/u.test(char)) return 0
  // For each part of an emoji, because systems without the font show the parts separately.
  if (/\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(char)) return 1.4
  // Dashes, dots and quotation marks are full-width in Chinese fonts.
  if (fullWidthPattern.test(char) || /[\u2010-\u206f]/u.test(char)) return 1
  return /\p{Lu}/u.test(char) ? 1.25 : 1.1
}

/** Upper bounds for Latin letters, in the bold fonts named above. */
const latinWidths = new Map(
  Object.entries({
    ' \u00a0': 0.35,
    "ijlI'|.,:;!": 0.4,
    'frt()[]{}-/\\`"': 0.53,
    'acesxyzkv?_^*': 0.69,
    'bdghnopqu0123456789$–': 0.72,
    '+=<>~#ABCDEFGHJKLNOPQRSTUVXYZ&': 0.88,
    'mwMW%@': 1.11,
  }).flatMap(([letters, width]) => [...letters].map((letter) => [letter, width] as const)),
)

/** Width of regular relative to bold Latin letters. Chinese does not differ. */
const regularFactor = 0.92

/** Characters that are graphemes by themselves. */
const simpleCharsPattern = /^[\u0020-\u007e\u3001-\u3029\u4e00-\u9fff\uff01-\uff5e]*$/

const segmenters = new Map<string, Intl.Segmenter>()

/** Created on demand, because ICU takes 10 ms to load its dictionary. */
function getSegmenter(granularity: 'word' | 'grapheme'): Intl.Segmenter {
  const cached = segmenters.get(granularity) ?? new Intl.Segmenter('zh', { granularity })
  segmenters.set(granularity, cached)
  return cached
}
