/*
 * Normalization of user input. The length is checked first: a text that cannot fit its field is rejected before it is
 * normalized or matched.
 */

/**
 * Before normalization a text may be this many times longer than its limit: up to three characters become one, and spaces
 * and invisible characters are dropped.
 */
const lengthSlack = 4

/**
 * Normalizes a text for a field of `maxLength` UTF-16 units. Returns undefined if it is too long; a text of more than four
 * times that length is rejected without normalizing it.
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
 * Normalizes a single-line text: full-width spaces, line breaks, control and format characters become spaces, and lone
 * surrogates, which Postgres rejects, become U+FFFD. The joiners U+200C and U+200D are kept inside words, where Persian and
 * Indian names and emoji need them. Returns undefined if the text is too long.
 */
export function normalizeLine(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, toSingleLine)
}

/** Like `normalizeLine`, but keeps line breaks. */
export function normalizeText(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, toPlainText)
}

/** Like `normalizeLine`, but also converts full-width letters and digits to half-width ones. */
export function normalizeHalfWidth(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, (text) => toSingleLine(normalizeUnicode(text, 'NFKC')))
}

/** `normalizeLine` without a length limit: for stored texts and for those whose length is known. */
export function toSingleLine(text: string): string {
  return normalizeUnicode(text, 'NFC')
    .replace(/(?:[\s\p{Cc}]|(?![\u200c\u200d])\p{Cf})+/gu, ' ')
    .replace(/(?<![\p{L}\p{M}\p{N}\p{Emoji}])(?:\u200c|\u200d)|(?:\u200c|\u200d)(?![\p{L}\p{M}\p{N}\p{Emoji}])/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim()
}

/** `normalizeText` without a length limit: for stored texts and for those whose length is known. */
export function toPlainText(text: string): string {
  return text
    .split(/\r\n|[\r\n]/)
    .map((line) => line && toSingleLine(line))
    .join('\n')
    .trim()
}

/** The trimmed search term, cut to `maxSearchLength`. Undefined if it is empty. */
export function parseSearch(input: string | undefined): string | undefined {
  return (input && truncate(input.trim(), maxSearchLength)) || undefined
}

/** In UTF-16 units. */
export const maxSearchLength = 100

/** The first `maxLength` UTF-16 units of a text. Never ends in half a surrogate pair, which Postgres rejects. */
export function truncate(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '')
}

/**
 * Applies a Unicode normalization form in linear time. ICU sorts a run of combining marks in quadratic time: 200,000 marks take
 * 12 s. Marks after the 30th in a row are dropped; no language needs more than 18 (UAX #15, 13, Stream-Safe Text Format).
 */
export function normalizeUnicode(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  return text.toWellFormed().replace(longMarkRuns, '$1').normalize(form)
}

// Japanese half-width sound marks are letters that NFKC turns into combining marks.
const longMarkRuns = /([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu
