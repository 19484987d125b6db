import { databaseError } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import { type Campaign, type CampaignDraft, createCampaign, findCampaignById } from './campaigns.ts'
import { copyMaterials } from './materials.ts'
import { waysOf } from './next-month.ts'
import { createWorkshop, type Workshop, type WorkshopDraft } from './workshops.ts'

export type Announced = { kind: 'announced'; campaign: Campaign } | { kind: 'refused'; refusal: 'slug_taken' }

/** A workshop of an announcement. `like`: one that is run in the same way, with the same materials. */
export type AnnouncedWorkshop = WorkshopDraft & { like?: Workshop | undefined }

/**
 * Makes a campaign with its workshops, all of them drafts, or nothing of it. The same `id` again is the same form sent
 * twice, and gives what is there.
 * @throws for what no form lets through: an end before its start
 */
export async function announce(
  deps: Deps,
  id: string,
  campaign: CampaignDraft,
  workshops: AnnouncedWorkshop[],
): Promise<Announced> {
  try {
    return await deps.db.transaction(async (tx) => {
      const within = { ...deps, db: tx }
      const made = await createCampaign(within, campaign, id)
      if (made.kind === 'refused') throw new SlugTaken()
      for (const { like, ...workshop } of workshops) {
        const created = await createWorkshop(within, { ...(like && waysOf(like)), ...workshop, campaignId: id })
        if (created.kind === 'refused' && created.refusal === 'slug_taken') throw new SlugTaken()
        if (created.kind === 'refused') throw new Error(`a workshop was refused: ${created.refusal}`)
        if (like) await copyMaterials(within, like, created.workshop)
      }
      return { kind: 'announced', campaign: (await findCampaignById(within, id)) as Campaign }
    })
  } catch (error) {
    // Fifty others of the same city begin on that day. Thrown, so that nothing is left of the announcement.
    if (error instanceof SlugTaken) return { kind: 'refused', refusal: 'slug_taken' }
    if (databaseError(error)?.constraint !== 'campaigns_pkey') throw error
    return { kind: 'announced', campaign: (await findCampaignById(deps, id)) as Campaign }
  }
}

class SlugTaken extends Error {}
