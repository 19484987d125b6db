import { databaseError } from '../../db/database.ts'
import type { Deps } from '../deps.ts'
import { copyMaterials } from '../workshops/materials.ts'
import { createWorkshop, type Workshop, type WorkshopDraft } from '../workshops/workshops.ts'
import { type Campaign, type CampaignDraft, createCampaign, findCampaignById } from './campaigns.ts'
import { copySettings } from './copy-campaign.ts'

export type CreateCampaignResult = { kind: 'created'; campaign: Campaign } | { kind: 'refused'; refusal: 'slug_taken' }

/** A workshop of the new campaign. `copyFrom`: the workshop whose settings and materials it takes over. */
export type NewCampaignWorkshop = WorkshopDraft & { copyFrom?: Workshop | undefined }

/**
 * Creates a campaign and its workshops as drafts, in one transaction. A repeated `id` means that the form was submitted
 * twice: the existing campaign is returned.
 * @throws if a workshop is invalid, for example ends before its start; forms reject that
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
      return { kind: 'created', campaign: (await findCampaignById(txDeps, id)) as Campaign }
    })
  } catch (error) {
    // Thrown to roll back the transaction. A generated slug is taken only if fifty workshops of the city begin on that day.
    if (error instanceof SlugTakenError) return { kind: 'refused', refusal: 'slug_taken' }
    if (databaseError(error)?.constraint !== 'campaigns_pkey') throw error
    return { kind: 'created', campaign: (await findCampaignById(deps, id)) as Campaign }
  }
}

class SlugTakenError extends Error {}
