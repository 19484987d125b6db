import { asc, eq, sql } from 'drizzle-orm'
import { materials, type Text } from '../../db/schema.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import type { Registration } from '../registrations/registrations.ts'
import type { Workshop } from './workshops.ts'

/** A link with a note, shown on tickets. */
export type Material = {
  title: Text
  /** http or https. */
  url: string
  /** What is needed to open it, such as an extraction code. */
  note: Text
  /** Only for attendees who were checked in; otherwise for all confirmed registrations. */
  afterwards: boolean
}

/** Per workshop. */
export const maxMaterials = 30

export async function listMaterials(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<Material[]> {
  return deps.db
    .select({ title: materials.title, url: materials.url, note: materials.note, afterwards: materials.afterwards })
    .from(materials)
    .where(eq(materials.workshopId, workshop.id))
    .orderBy(asc(materials.position))
}

/**
 * The materials that an attendee may see.
 * @param attended whether the attendee was checked in
 */
export async function listVisibleMaterials(
  deps: Deps,
  { workshop, status }: Pick<Registration, 'workshop' | 'status'>,
  attended: boolean,
): Promise<Material[]> {
  if (status !== 'confirmed' && !attended) return []
  return (await listMaterials(deps, workshop)).filter(({ afterwards }) => attended || !afterwards)
}

/** Replaces the materials of a workshop and records that in the audit log. */
export async function replaceMaterials(
  deps: Deps,
  actor: Actor,
  workshop: Pick<Workshop, 'id' | 'slug'>,
  drafts: readonly Material[],
): Promise<void> {
  const rows = drafts.map((draft, position) => ({ ...draft, id: deps.newId(), workshopId: workshop.id, position }))
  await deps.db.transaction(async (db) => {
    // Two concurrent saves would insert the same positions.
    await db.execute(sql`select 1 from workshops where id = ${workshop.id}::uuid for no key update`)
    await db.delete(materials).where(eq(materials.workshopId, workshop.id))
    if (rows.length > 0) await db.insert(materials).values(rows)
    const payload = { slug: workshop.slug, count: rows.length }
    await recordAudit({ ...deps, db }, actor, { action: 'materials.changed', workshopId: workshop.id, payload })
  })
}

/** Copies the materials of a workshop to one that has none. */
export async function copyMaterials(deps: Deps, from: Pick<Workshop, 'id'>, to: Pick<Workshop, 'id'>): Promise<void> {
  const drafts = await listMaterials(deps, from)
  const copies = drafts.map((draft, position) => ({ ...draft, id: deps.newId(), workshopId: to.id, position }))
  if (copies.length > 0) await deps.db.insert(materials).values(copies)
}
