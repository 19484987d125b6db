import type { Text } from '../../db/schema.ts'
import { normalizeUnicode } from '../../lib/text.ts'

/** What a slug looks like: lower-case Latin words with hyphens, short enough for a QR. */
export const slugPattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/**
 * A slug from a place or title and a date: `shanghai-2026-12-19`. Chinese names are spelled in pinyin.
 * @param attempt from 2 on, a number is appended, for when the slug is taken
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

/** The pinyin of a Chinese name, with hyphens between the syllables of a long one. */
async function toPinyin(name: string): Promise<string> {
  // Loaded when it is needed: its dictionaries take 14 ms of a start.
  const { pinyin } = await import('pinyin-pro')
  return pinyin(name, { toneType: 'none', type: 'array', nonZh: 'consecutive' }).join(name.length > 4 ? '-' : '')
}
