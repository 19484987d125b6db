import { sql } from 'drizzle-orm'
import { uuidArray } from '../../db/database.ts'
import { normalizeUnicode } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'

/**
 * How a name is typed by those who do not switch to Chinese: its words or syllables, the same as one word, and their
 * initials. 王小明 is `wang xiao ming / wangxiaoming / wxm`, Ann Lee is `ann lee / annlee / al`. In the order of bytes
 * these stand as in a Chinese register, syllable by syllable. Surnames are read as surnames: 单 is shan, 曾 is zeng.
 */
export async function buildSearchKey(name: string): Promise<string> {
  // Loaded when it is needed: its dictionaries take 14 ms of a start.
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
 * Stores how names are typed, for whoever looks for them next: to work it out takes a fifth of a millisecond each. A name
 * that was corrected since, or erased, is left for then.
 * @onLocked onLocked what becomes of those to whom something happens at this moment: waited for, or left for then too
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
      -- In the order of their ids, because two may search at once, and somebody may be erased.
      select id from registrations where id = any(${uuidArray(people.map(({ id }) => id))}) order by id
      for no key update ${onLocked === 'skip' ? sql`skip locked` : sql``}
    )
    update registrations r
    set name_search = computed.initials
    from locked
    join jsonb_to_recordset(${input}::jsonb) as computed(id uuid, name text, initials text) on computed.id = locked.id
    where r.id = locked.id and r.name = computed.name and r.erased_at is null`)
}

/** What was typed, as it would stand within such initials, or undefined if that is no Latin letter. */
export function searchKeyQuery(search: string): string | undefined {
  const letters = foldLetters(normalizeUnicode(search, 'NFKC')).replace(/[^\p{L}\p{N}]/gu, '')
  return /[a-z]/.test(letters) && !/\p{Script=Han}/u.test(letters) ? letters : undefined
}

/** In lower case and without accents: Zoë is zoe. */
function foldLetters(text: string): string {
  return normalizeUnicode(text, 'NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
