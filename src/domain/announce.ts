import type { Deps } from '../deps.ts'
import { type Campaign, type CampaignDraft, createCampaign, findCampaign } from './campaigns.ts'
import { createWorkshop, type WorkshopDraft } from './workshops.ts'

/**
 * Makes a campaign with its workshops, all of them drafts, or nothing of it.
 * @throws for what no form lets through: an end before its start
 */
export async function announce(deps: Deps, campaign: CampaignDraft, workshops: WorkshopDraft[]): Promise<Campaign> {
  return deps.db.transaction(async (tx) => {
    const within = { ...deps, db: tx }
    const made = await createCampaign(within, campaign)
    if (made.kind === 'refused') throw new Error(`the campaign was refused: ${made.refusal}`)
    for (const workshop of workshops) {
      const created = await createWorkshop(within, { ...workshop, campaignId: made.campaign.id })
      if (created.kind === 'refused') throw new Error(`a workshop was refused: ${created.refusal}`)
    }
    return (await findCampaign(within, made.campaign.slug)) as Campaign
  })
}
