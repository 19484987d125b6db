import type { LinkTarget } from '../../../domain/promotion/registration-links.ts'
import { paths } from '../../../http/links.ts'

/** Where the links of a campaign or workshop are listed. */
export const promotionPath = (target: LinkTarget) =>
  'campaign' in target ? paths.campaignPromotion(target.campaign) : paths.workshopPromotion(target.workshop)
