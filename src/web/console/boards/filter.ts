import type { Context } from 'hono'
import { type BoardFilter, boardPlaces } from '../../../domain/boards/inventory.ts'
import type { App } from '../../../http/context.ts'
import { parseSearch } from '../../../lib/text.ts'

/** Parses the filter in the query string. Unknown values are ignored. */
export function parseBoardFilter(c: Context<App>): BoardFilter {
  const { kind, place, q } = c.req.query()
  return {
    kind: parseSearch(kind),
    place: boardPlaces.find((known) => known === place),
    search: parseSearch(q),
  }
}

export function serializeBoardFilter({ kind, place, search }: BoardFilter): Record<string, string | undefined> {
  return { kind, place, q: search }
}
