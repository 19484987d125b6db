import type { LinkTarget } from '../../../domain/promotion/registration-links.ts'
import { paths } from '../../../http/links.ts'

/** Path of the promotion page of a campaign or workshop. */
export const promotionPath = (target: LinkTarget) =>
  'campaign' in target ? paths.campaignPromotion(target.campaign) : paths.workshopPromotion(target.workshop)
