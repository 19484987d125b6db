import { databaseError } from '../../db/database.ts'
import type { Deps } from '../deps.ts'
import { copyMaterials } from '../workshops/materials.ts'
import { createWorkshop, type Workshop, type WorkshopDraft } from '../workshops/workshops.ts'
import { type Campaign, type CampaignDraft, createCampaign, findCampaignById } from './campaigns.ts'
import { copySettings } from './copy-campaign.ts'

export type CreateCampaignResult =
  | { kind: 'announced'; campaign: Campaign }
  | { kind: 'refused'; refusal: 'slug_taken' }

/** A workshop of an announcement. `like`: one that is run in the same way, with the same materials. */
export type NewCampaignWorkshop = WorkshopDraft & { copyFrom?: Workshop | undefined }

/**
 * Makes a campaign with its workshops, all of them drafts, or nothing of it. The same `id` again is the same form sent
 * twice, and gives what is there.
 * @throws for what no form lets through: an end before its start
 */
export async function createCampaignWithWorkshops(
  deps: Deps,
  id: string,
  campaign: CampaignDraft,
  workshops: NewCampaignWorkshop[],
): Promise<CreateCampaignResult> {
  try {
    return await deps.db.transaction(async (tx) => {
      const txDeps = { ...deps, db: tx }
      const createdCampaign = await createCampaign(txDeps, campaign, id)
      if (createdCampaign.kind === 'refused') throw new SlugTakenError()
      for (const { copyFrom, ...workshop } of workshops) {
        const created = await createWorkshop(txDeps, {
          ...(copyFrom && copySettings(copyFrom)),
          ...workshop,
          campaignId: id,
        })
        if (created.kind === 'refused' && created.refusal === 'slug_taken') throw new SlugTakenError()
        if (created.kind === 'refused') throw new Error(`a workshop was refused: ${created.refusal}`)
        if (copyFrom) await copyMaterials(txDeps, copyFrom, created.workshop)
      }
      return { kind: 'announced', campaign: (await findCampaignById(txDeps, id)) as Campaign }
    })
  } catch (error) {
    // Fifty others of the same city begin on that day. Thrown, so that nothing is left of the announcement.
    if (error instanceof SlugTakenError) return { kind: 'refused', refusal: 'slug_taken' }
    if (databaseError(error)?.constraint !== 'campaigns_pkey') throw error
    return { kind: 'announced', campaign: (await findCampaignById(deps, id)) as Campaign }
  }
}

class SlugTakenError extends Error {}
