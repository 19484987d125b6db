import type { Context } from 'hono'
import { type BoardFilter, boardPlaces } from '../../../domain/boards/inventory.ts'
import type { App } from '../../../http/context.ts'
import { parseSearch } from '../../../lib/text.ts'

/** The filter that stands in the address. What it does not know counts as not said. */
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
