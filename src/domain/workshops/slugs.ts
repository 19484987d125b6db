import type { Text } from '../../db/schema.ts'
import { normalizeUnicode } from '../../lib/text.ts'

/** Lower-case Latin words with hyphens. */
export const slugPattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/**
 * Generates a slug from a place or title and a date: `shanghai-2026-12-19`. Chinese names are transcribed to pinyin.
 * @param attempt appended if greater than 1, for when the slug is taken
 */
export async function generateSlug(name: Text, date: Date, timeZone: string, attempt = 1): Promise<string> {
  const latin = name.en ?? (await toPinyin(name.zh ?? ''))
  const words = normalizeUnicode(latin, 'NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(date)
  return [words || 'workshop', day, ...(attempt > 1 ? [attempt] : [])].join('-')
}

/** Separates the syllables of a long name with hyphens. */
async function toPinyin(name: string): Promise<string> {
  // Loaded on first use: its dictionaries would add 14 ms to the start.
  const { pinyin } = await import('pinyin-pro')
  return pinyin(name, { toneType: 'none', type: 'array', nonZh: 'consecutive' }).join(name.length > 4 ? '-' : '')
}
