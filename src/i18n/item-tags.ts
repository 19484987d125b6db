import type { Item } from '../domain/workshops/workshops.ts'

/** Label of a checklist item. */
export type ItemTag = 'provided' | 'bring' | 'know' | 'install'

/** A prerequisite with a URL is to be installed, one without is knowledge. */
export function itemTag({ kind, url }: Pick<Item, 'kind' | 'url'>): ItemTag {
  if (kind !== 'prerequisite') return kind
  return url ? 'install' : 'know'
}
