import { sql } from 'drizzle-orm'
import { uuidArray } from '../../db/database.ts'
import { normalizeUnicode } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'
import { foldLetters } from './search-key.ts'

/**
 * Builds the search key of a name, for search without a Chinese input method: its pinyin syllables or words, the same
 * without spaces, and their initials. 王小明 becomes `wang xiao ming / wangxiaoming / wxm`, Ann Lee `ann lee / annlee / al`.
 * Byte order sorts keys syllable by syllable, as a Chinese register does. Surnames have their own reading: 单 shan, 曾 zeng.
 */
export async function buildSearchKey(name: string): Promise<string> {
  // Loaded on first use: its dictionaries would add 14 ms to the start.
  const { pinyin } = await import('pinyin-pro')
  const syllables = pinyin(normalizeUnicode(name, 'NFKC'), {
    toneType: 'none',
    type: 'array',
    surname: 'head',
    nonZh: 'consecutive',
    v: true,
  })
  const words = syllables.flatMap((part) => foldLetters(part).match(/[\p{L}\p{N}]+/gu) ?? [])
  return [words.join(' '), words.join(''), words.map((word) => [...word][0]).join('')].join(' / ')
}

/**
 * Stores search keys, so that they are computed once (0.2 ms each). Skips names that were corrected or erased meanwhile.
 * @param onLocked whether to wait for locked rows or skip them
 */
export async function storeSearchKeys(
  deps: Deps,
  people: readonly { id: string; name: string; initials: string }[],
  onLocked: 'wait' | 'skip',
): Promise<void> {
  if (people.length === 0) return
  const input = JSON.stringify(people.map(({ id, name, initials }) => ({ id, name, initials })))
  await deps.db.execute(sql`
    with locked as (
      -- In id order, against deadlocks with concurrent searches and erasures.
      select id from registrations where id = any(${uuidArray(people.map(({ id }) => id))}) order by id
      for no key update ${onLocked === 'skip' ? sql`skip locked` : sql``}
    )
    update registrations r
    set name_search = computed.initials
    from locked
    join jsonb_to_recordset(${input}::jsonb) as computed(id uuid, name text, initials text) on computed.id = locked.id
    where r.id = locked.id and r.name = computed.name and r.erased_at is null`)
}
