import { normalizeUnicode } from '../../lib/text.ts'

/*
 * How search keys of names are searched. Pure, because the script on a helper's phone searches by the same rules; keys are
 * made in name-search.ts.
 */

/** A search as it would occur in a key, or undefined if it has no Latin letter or mixes them with Chinese. */
export function searchKeyQuery(search: string): string | undefined {
  const letters = foldLetters(normalizeUnicode(search, 'NFKC')).replace(/[^\p{L}\p{N}]/gu, '')
  return /[a-z]/.test(letters) && !/\p{Script=Han}/u.test(letters) ? letters : undefined
}

/**
 * Whether a name's syllables or initials contain a query from the beginning of a syllable on: of 王小明, `wangx`, `xiaom`
 * and `xm`, but not `ang`.
 * @param key as buildSearchKey makes it
 * @param query as searchKeyQuery returns it
 */
export function matchesSearchKey(key: string, query: string): boolean {
  const [words = '', , initials = ''] = key.split(' / ')
  const syllables = words.split(' ')
  return syllables.some((_, n) => syllables.slice(n).join('').startsWith(query) || initials.slice(n).startsWith(query))
}

/** In lower case and without accents: Zoë is zoe. */
export function foldLetters(text: string): string {
  return normalizeUnicode(text, 'NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
