/**
 * Text as people type it, made one plain line: full-width spaces, line breaks, control and format characters become
 * spaces, and halves of surrogate pairs, which Postgres refuses, become U+FFFD. The joiners U+200C and U+200D stay inside
 * words, where Persian and Indian names and emoji need them.
 */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/(?:[\s\p{Cc}]|(?![\u200c\u200d])\p{Cf})+/gu, ' ')
    .replace(/(?<![\p{L}\p{M}\p{N}\p{Emoji}])(?:\u200c|\u200d)|(?:\u200c|\u200d)(?![\p{L}\p{M}\p{N}\p{Emoji}])/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim()
}

/** The beginning of a text, at most `longest` UTF-16 units long, where Postgres would refuse half of an emoji. */
export function beginning(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')
}

/** The same for a text that may have paragraphs: its line breaks stay. */
export function plainLines(text: string): string {
  return text
    .split(/\r\n|[\r\n]/)
    .map(oneLine)
    .join('\n')
    .trim()
}
