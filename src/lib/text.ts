/*
 * Text that people type, made plain. The length is checked first: a text that cannot fit its field is refused before it is
 * normalized or matched.
 */

/**
 * How many times its limit a text may have before it is read. Normalizing makes one character of up to three; spaces and
 * invisible characters are dropped.
 */
const lengthSlack = 4

/**
 * Reads a text of a field that takes `longest` UTF-16 units. Undefined for a text that is too long: without reading it
 * where it has more than four times as many, else once it is read.
 */
export function normalizeWithin(
  maxLength: number,
  text: string,
  normalize: (text: string) => string,
): string | undefined {
  if (text.length > maxLength * lengthSlack) return undefined
  const plain = normalize(text)
  return plain.length > maxLength ? undefined : plain
}

/**
 * A text on one line: full-width spaces, line breaks, control and format characters become spaces, and halves of surrogate
 * pairs, which Postgres refuses, become U+FFFD. The joiners U+200C and U+200D stay inside words, where Persian and Indian
 * names and emoji need them. Undefined for a text that is too long.
 */
export function normalizeLine(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, toSingleLine)
}

/** The same for a text that may have paragraphs: its line breaks stay. Undefined for a text that is too long. */
export function normalizeText(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, toPlainText)
}

/** The same as `oneLine` with full-width letters and digits as plain ones. Undefined for a text that is too long. */
export function normalizeHalfWidth(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, (text) => toSingleLine(normalizeUnicode(text, 'NFKC')))
}

/** A text on one line, whatever its length: for stored texts and for those whose length is known. */
export function toSingleLine(text: string): string {
  return normalizeUnicode(text, 'NFC')
    .replace(/(?:[\s\p{Cc}]|(?![\u200c\u200d])\p{Cf})+/gu, ' ')
    .replace(/(?<![\p{L}\p{M}\p{N}\p{Emoji}])(?:\u200c|\u200d)|(?:\u200c|\u200d)(?![\p{L}\p{M}\p{N}\p{Emoji}])/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim()
}

/** A text with paragraphs, whatever its length: for stored texts and for those whose length is known. */
export function toPlainText(text: string): string {
  return text
    .split(/\r\n|[\r\n]/)
    .map((line) => line && toSingleLine(line))
    .join('\n')
    .trim()
}

/** What somebody searches for: the first 100 UTF-16 units of what was typed. Undefined where nothing was. */
export function parseSearch(input: string | undefined): string | undefined {
  return (input && truncate(input.trim(), maxSearchLength)) || undefined
}

/** The longest text that is searched for, in UTF-16 units. */
export const maxSearchLength = 100

/** The beginning of a text, at most `longest` UTF-16 units long, where Postgres would refuse half of an emoji. */
export function truncate(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '')
}

/**
 * A text in a normalization form, in linear time. ICU sorts a run of combining marks in quadratic time: 200,000 marks take
 * 12 s. Marks after the 30th in a row are dropped; no language needs more than 18 (UAX #15, 13, Stream-Safe Text Format).
 */
export function normalizeUnicode(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  return text.toWellFormed().replace(longMarkRuns, '$1').normalize(form)
}

// The half-width sound marks of Japanese are letters that NFKC turns into combining marks.
const longMarkRuns = /([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu
