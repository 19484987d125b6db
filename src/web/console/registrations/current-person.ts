import type { Context } from 'hono'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { findPerson, type Person } from '../../../domain/registrations/admin.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'

/** Loads the person in the path. */
export function loadPerson(c: Context<App>): Promise<Person | undefined> {
  return findPerson(c.env.deps, personId(c))
}

/** The id in the path, or the nil UUID if it is malformed. */
export function personId(c: Context<App>): string {
  const id = c.req.param('id') ?? ''
  return isUuid(id) ? id : '00000000-0000-0000-0000-000000000000'
}

/** All workshops of the person's campaign; without a campaign, just their own. */
export async function listCampaignWorkshops(c: Context<App>, { workshop }: Person): Promise<Workshop[]> {
  const campaign = workshop.campaign && (await findCampaign(c.env.deps, workshop.campaign.slug))
  return campaign ? campaign.workshops : [workshop]
}

/** Values of `?done=` on a person's page. */
export const flashCodes = [
  'saved',
  'unchanged',
  'cancelled',
  'moved',
  'promoted',
  'confirmed',
  'added',
  'owed',
  'not_dead',
  'message_paused',
  'checkedIn',
  'undone',
] as const

/** Redirects to the person's page, which shows the flash message. */
export function redirectToPerson(c: Context<App>, id: string, flash: (typeof flashCodes)[number]): Response {
  return c.redirect(withQuery(paths.person(id), { done: flash }), 303)
}
