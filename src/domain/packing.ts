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
 * fewer where there are no more.
 */
export async function packBoards(
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
