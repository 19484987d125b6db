import type { Context } from 'hono'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { findPerson, type Person } from '../../../domain/registrations/admin.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'

/** The person in the path, or undefined. */
export function loadPerson(c: Context<App>): Promise<Person | undefined> {
  return findPerson(c.env.deps, personId(c))
}

/** The id in the path, or one that nobody has. */
export function personId(c: Context<App>): string {
  const id = c.req.param('id') ?? ''
  return isUuid(id) ? id : '00000000-0000-0000-0000-000000000000'
}

/** All workshops of the person's campaign, or their only one. */
export async function listCampaignWorkshops(c: Context<App>, { workshop }: Person): Promise<Workshop[]> {
  const campaign = workshop.campaign && (await findCampaign(c.env.deps, workshop.campaign.slug))
  return campaign ? campaign.workshops : [workshop]
}

/** What can have been done just now, as the address of the page says it. */
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

/** Back to the person's page, which says what was done. */
export function redirectToPerson(c: Context<App>, id: string, flash: (typeof flashCodes)[number]): Response {
  return c.redirect(withQuery(paths.person(id), { done: flash }), 303)
}
