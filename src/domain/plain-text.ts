/**
 * Text as people type it, made one plain line: full-width spaces, line breaks and control characters become spaces, and
 * halves of surrogate pairs, which Postgres refuses, become U+FFFD.
 */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
}

/** The same for a text that may have paragraphs: its line breaks stay. */
export function plainLines(text: string): string {
  return text
    .split(/\r\n|[\r\n]/)
    .map(oneLine)
    .join('\n')
    .trim()
}
