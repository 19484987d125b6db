import type { Item } from '../domain/workshops/workshops.ts'

/** What a checklist item asks of the attendee. */
export type ItemTag = 'provided' | 'bring' | 'know' | 'install'

/** A prerequisite with an address is something to get and install, one without is something to know. */
export function itemTag({ kind, url }: Pick<Item, 'kind' | 'url'>): ItemTag {
  if (kind !== 'prerequisite') return kind
  return url ? 'install' : 'know'
}
