import { sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { bySerial, isAllocatedTo } from './inventory.ts'
import { isLent } from './loans.ts'

/*
 * The box of a workshop: which boards are packed for it.
 */

/**
 * Packs boards for a workshop: so many usable ones of a kind that nobody has and that are packed for no other workshop to
 * come, in the order of their serial numbers, or chosen ones, which may be packed for another. Returns how many, which is
 * fewer where there are no more. `over`: the workshop is over or cancelled, and a box for it would count for none.
 *
 * `beside`: how many of the kind were in the box when that was asked for. Whatever is in it beside them by now was packed by the same
 * form, sent twice, and counts as packed.
 */
export async function allocateBoards(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug' | 'state' | 'endsAt'>,
  selection: { kind: string; count: number; beside?: number } | { ids: readonly string[] },
): Promise<number | 'over'> {
  if (!canAllocateBoards(deps, workshop)) return 'over'
  if ('ids' in selection || selection.beside === undefined) return allocate(deps, actor, workshop, selection)
  const { kind, count, beside: alreadyAllocated } = selection
  return deps.db.transaction(async (db) => {
    // Of the same form twice at once one comes after the other: what is in the box is read after it.
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
        -- Two who pack at once take different ones.
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

/** Whether boards may be packed for a workshop: until it is over, unless it is cancelled. */
export function canAllocateBoards({ now }: Deps, { state, endsAt }: Pick<Workshop, 'state' | 'endsAt'>): boolean {
  return state !== 'cancelled' && now() < endsAt
}

/** Takes boards out of the box of a workshop again: those with these ids, or all of them. Returns how many. */
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
