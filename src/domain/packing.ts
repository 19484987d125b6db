import { sql } from 'drizzle-orm'
import { at, rows, uuids } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import { type Actor, recordAudit } from './audit.ts'
import { inOrder, isPackedFor } from './boards.ts'
import { isLent } from './loans.ts'
import type { Workshop } from './workshops.ts'

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
export async function packBoards(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug' | 'state' | 'endsAt'>,
  which: { kind: string; count: number; beside?: number } | { ids: readonly string[] },
): Promise<number | 'over'> {
  if (!mayBePacked(deps, workshop)) return 'over'
  if ('ids' in which || which.beside === undefined) return pack(deps, actor, workshop, which)
  const { kind, count, beside } = which
  return deps.db.transaction(async (db) => {
    // Of the same form twice at once one comes after the other: what is in the box is read after it.
    await db.execute(sql`select 1 from workshops where id = ${workshop.id}::uuid for no key update`)
    const [box] = await rows<{ n: number }>(
      db,
      sql`select count(*)::int as n from boards where packed_for = ${workshop.id}::uuid and kind = ${kind}`,
    )
    const there = Math.min(count, Math.max(0, (box?.n ?? 0) - beside))
    if (there === count) return there
    return there + (await pack({ ...deps, db }, actor, workshop, { kind, count: count - there }))
  })
}

async function pack(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug'>,
  which: { kind: string; count: number } | { ids: readonly string[] },
): Promise<number> {
  const now = at(deps.now())
  const condition =
    'ids' in which
      ? sql`b.id = any(${uuids(which.ids)}) and b.packed_for is distinct from ${workshop.id}::uuid`
      : sql`b.kind = ${which.kind} and not ${isLent}
            and not exists (select 1 from workshops w where ${isPackedFor(deps.now())})`
  const packed = await rows(
    deps.db,
    sql`
      with chosen as materialized (
        select b.id from boards b
        where b.state = 'usable' and ${condition}
        order by ${inOrder}
        limit ${'ids' in which ? which.ids.length : which.count}
        -- Two who pack at once take different ones.
        for no key update skip locked
      )
      update boards b set packed_for = ${workshop.id}::uuid, updated_at = ${now}
      from chosen where b.id = chosen.id and b.state = 'usable'
      returning b.id`,
  )
  if (packed.length > 0) {
    const facts = { slug: workshop.slug, count: packed.length }
    await recordAudit(deps, actor, { action: 'board.packed', workshopId: workshop.id, facts })
  }
  return packed.length
}

/** Whether boards may be packed for a workshop: until it is over, unless it is cancelled. */
export function mayBePacked({ now }: Deps, { state, endsAt }: Pick<Workshop, 'state' | 'endsAt'>): boolean {
  return state !== 'cancelled' && now() < endsAt
}

/** Takes boards out of the box of a workshop again: those with these ids, or all of them. Returns how many. */
export async function unpackBoards(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug'>,
  ids?: readonly string[],
): Promise<number> {
  const unpacked = await rows(
    deps.db,
    sql`
      with chosen as materialized (
        select b.id from boards b
        where b.packed_for = ${workshop.id}::uuid and ${ids ? sql`b.id = any(${uuids(ids)})` : sql`true`}
        order by b.id for no key update
      )
      update boards b set packed_for = null, updated_at = ${at(deps.now())}
      from chosen where b.id = chosen.id and b.packed_for = ${workshop.id}::uuid
      returning b.id`,
  )
  if (unpacked.length > 0) {
    const facts = { slug: workshop.slug, count: -unpacked.length }
    await recordAudit(deps, actor, { action: 'board.packed', workshopId: workshop.id, facts })
  }
  return unpacked.length
}
