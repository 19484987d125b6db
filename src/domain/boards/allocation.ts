import { sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { bySerial, isAllocatedTo } from './inventory.ts'
import { isLent } from './loans.ts'

/**
 * Allocates boards to a workshop: either `count` usable ones of a kind that are neither lent nor allocated to another
 * upcoming workshop, in the order of their serial numbers, or those with these ids, even if allocated to another. Returns the
 * number allocated, fewer than requested if there are no more. `over`: the workshop is over or cancelled.
 * @param selection `alreadyAllocated`: boards of the kind that the form showed as allocated. Any surplus was allocated by the
 *   same form submitted twice and counts towards `count`
 */
export async function allocateBoards(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug' | 'state' | 'endsAt'>,
  selection: { kind: string; count: number; alreadyAllocated?: number } | { ids: readonly string[] },
): Promise<number | 'over'> {
  if (!canAllocateBoards(deps, workshop)) return 'over'
  if ('ids' in selection || selection.alreadyAllocated === undefined) return allocate(deps, actor, workshop, selection)
  const { kind, count, alreadyAllocated } = selection
  return deps.db.transaction(async (db) => {
    // Serializes concurrent submissions of the same form: count only after the other has finished.
    await db.execute(sql`select 1 from workshops where id = ${workshop.id}::uuid for no key update`)
    const [allocated] = await query<{ n: number }>(
      db,
      sql`select count(*)::int as n from boards where allocated_to = ${workshop.id}::uuid and kind = ${kind}`,
    )
    const allocatedSince = Math.min(count, Math.max(0, (allocated?.n ?? 0) - alreadyAllocated))
    if (allocatedSince === count) return allocatedSince
    return allocatedSince + (await allocate({ ...deps, db }, actor, workshop, { kind, count: count - allocatedSince }))
  })
}

async function allocate(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug'>,
  selection: { kind: string; count: number } | { ids: readonly string[] },
): Promise<number> {
  const now = timestamptz(deps.now())
  const condition =
    'ids' in selection
      ? sql`b.id = any(${uuidArray(selection.ids)}) and b.allocated_to is distinct from ${workshop.id}::uuid`
      : sql`b.kind = ${selection.kind} and not ${isLent}
            and not exists (select 1 from workshops w where ${isAllocatedTo(deps.now())})`
  const allocated = await query(
    deps.db,
    sql`
      with chosen as materialized (
        select b.id from boards b
        where b.state = 'usable' and ${condition}
        order by ${bySerial}
        limit ${'ids' in selection ? selection.ids.length : selection.count}
        -- Concurrent allocations take different boards.
        for no key update skip locked
      )
      update boards b set allocated_to = ${workshop.id}::uuid, updated_at = ${now}
      from chosen where b.id = chosen.id and b.state = 'usable'
      returning b.id`,
  )
  if (allocated.length > 0) {
    const payload = { slug: workshop.slug, count: allocated.length }
    await recordAudit(deps, actor, { action: 'board.packed', workshopId: workshop.id, payload })
  }
  return allocated.length
}

export function canAllocateBoards({ now }: Deps, { state, endsAt }: Pick<Workshop, 'state' | 'endsAt'>): boolean {
  return state !== 'cancelled' && now() < endsAt
}

/** Releases the boards allocated to a workshop: those with these ids, or all. Returns how many. */
export async function releaseBoards(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug'>,
  ids?: readonly string[],
): Promise<number> {
  const released = await query(
    deps.db,
    sql`
      with chosen as materialized (
        select b.id from boards b
        where b.allocated_to = ${workshop.id}::uuid and ${ids ? sql`b.id = any(${uuidArray(ids)})` : sql`true`}
        order by b.id for no key update
      )
      update boards b set allocated_to = null, updated_at = ${timestamptz(deps.now())}
      from chosen where b.id = chosen.id and b.allocated_to = ${workshop.id}::uuid
      returning b.id`,
  )
  if (released.length > 0) {
    const payload = { slug: workshop.slug, count: -released.length }
    await recordAudit(deps, actor, { action: 'board.packed', workshopId: workshop.id, payload })
  }
  return released.length
}
