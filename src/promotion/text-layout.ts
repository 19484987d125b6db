import { normalizeUnicode } from '../lib/text.ts'

/*
 * How a text is broken into lines where no browser does it. A picture is drawn with fonts that we do not know, so the
 * measure is an upper bound: what fits by it fits in PingFang, Noto, YaHei, Segoe, San Francisco and DejaVu, the widest of all, bold too.
 */

/** A text cut where a line may end. Widths are in em. */
export type MeasuredText = Run[]

type Run = {
  text: string
  width: number /** Without the space at its end, which may hang over. */
  trimmedWidth: number
}

/** Lines of one size, in the unit of the width that was given. */
export type FittedText = {
  size: number
  lines: string[]
  /** Whether all of the text is there, with no word cut. */
  complete: boolean
}

/** Measures a text once, to be fitted as often as need be. */
export function measureText(text: string, weight: Weight): MeasuredText {
  return splitRuns(text).map((run) => {
    const width = textWidth(run, weight)
    return { text: run, width, trimmedWidth: run.endsWith(' ') ? textWidth(run.trimEnd(), weight) : width }
  })
}

type Weight = 'bold' | 'regular'

/**
 * The greatest of the sizes (given in falling order) at which a text needs no more than so many lines and no word has to
 * be cut. At the last one words are cut, and what does not fit ends in an ellipsis.
 * @param balanced makes the lines about equally long
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

/** The least width in em that a text is sure to fit into. */
export function textWidth(text: string, weight: Weight): number {
  // Nearly all texts, and many times as fast as to look for letters that belong together.
  const letters = simpleCharsPattern.test(text)
    ? [...text]
    : [...getSegmenter('grapheme').segment(text)].map(({ segment }) => segment)
  return letters.reduce((width, letter) => width + graphemeWidth(letter, weight), 0)
}

function breakLines(text: MeasuredText, maxWidth: number): { lines: string[]; cut: boolean } {
  // A text fits into its own width, whatever rounding does to the sum.
  const width = maxWidth + 1e-6
  const lines: string[] = []
  let [line, used, cut] = ['', 0, false]
  const end = () => {
    if (line.trim()) lines.push(line.trim())
    ;[line, used] = ['', 0]
  }
  for (const piece of text) {
    if (used + piece.trimmedWidth > width) end()
    if (piece.trimmedWidth <= width) {
      line += piece.text
      used += piece.width
      continue
    }
    cut = true
    for (const { segment } of getSegmenter('grapheme').segment(piece.text)) {
      const wide = graphemeWidth(segment)
      if (used + wide > width) end()
      line += segment
      used += wide
    }
  }
  end()
  return { lines, cut }
}

/** The lines at the least width at which they are no more than they were. */
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

/** Chinese may be broken between any two words, the rest at spaces; punctuation stays with what it belongs to. */
function splitRuns(text: string): string[] {
  const pieces: string[] = []
  for (const { segment } of getSegmenter('word').segment(text)) {
    const before = pieces.at(-1)
    if (before === undefined || canBreak(before, segment)) pieces.push(segment)
    else pieces[pieces.length - 1] = before + segment
  }
  return pieces
}

function canBreak(before: string, after: string): boolean {
  const [last = '', first = ''] = [[...before].at(-1), [...after][0]]
  if (/[\s\u00a0]/u.test(first) || noLineStart.test(first) || noLineEnd.test(last)) return false
  if (last === '\u00a0') return false
  return /\s/u.test(last) || fullWidthPattern.test(last) || fullWidthPattern.test(first)
}

/** Punctuation that ends something must not begin a line, what opens something must not end one (GB/T 15834, 5.1). */
const noLineStart = /[，。、；：？！）》〉」』】〕”’％%…·—–～,.;:?!)\]}]/u
const noLineEnd = /[（《〈「『【〔“‘([{]/u

/** Scripts without spaces between words, whose characters are as wide as they are high. */
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

function charWidth(letter: string): number {
  if (/[\p{M}\p{Cf}]/u.test(letter)) return 0
  // Each part of an emoji, because a system without such a font shows them one by one.
  if (/\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(letter)) return 1.4
  // Dashes, dots and quotation marks are full-width in Chinese fonts.
  if (fullWidthPattern.test(letter) || /[\u2010-\u206f]/u.test(letter)) return 1
  return /\p{Lu}/u.test(letter) ? 1.25 : 1.1
}

/** Upper bounds for the letters of Latin, the bold ones of the fonts above. */
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

/** How much narrower Latin is where it is not bold; Chinese is not. */
const regularFactor = 0.92

/** Each of these letters stands for itself. */
const simpleCharsPattern = /^[\u0020-\u007e\u3001-\u3029\u4e00-\u9fff\uff01-\uff5e]*$/

const segmenters = new Map<string, Intl.Segmenter>()

/** Made when it is first needed, because ICU takes 10 ms to load what it knows of words. */
function getSegmenter(granularity: 'word' | 'grapheme'): Intl.Segmenter {
  const cached = segmenters.get(granularity) ?? new Intl.Segmenter('zh', { granularity })
  segmenters.set(granularity, cached)
  return cached
}
