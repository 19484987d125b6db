import type { Context } from 'hono'
import type { App } from '../context.ts'
import { registrationStatuses } from '../db/schema.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { comings } from '../domain/coming.ts'
import { type PeopleFilter, type PeopleOrder, peopleOrders } from '../domain/people.ts'
import { readSearch } from '../domain/plain-text.ts'
import { readinesses } from '../domain/readiness.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { isId } from '../form-body.ts'
import { paths } from '../links.ts'

/** Whose people a page shows: those of a workshop, or those of all workshops of a campaign, by their dates. */
export type Whose =
  | { of: 'workshop'; workshops: [Workshop] }
  | { of: 'campaign'; slug: string; title: Workshop['title']; id: string; workshops: Workshop[] }

/** The workshop or campaign that a route names, drafts too, or undefined. */
export async function findWhose(c: Context<App>, of: Whose['of']): Promise<Whose | undefined> {
  const slug = c.req.param('slug') ?? ''
  if (of === 'workshop') {
    const workshop = await findWorkshop(c.env.deps, slug)
    return workshop && { of, workshops: [workshop] }
  }
  const campaign = await findCampaign(c.env.deps, slug)
  return campaign && { of, slug, title: campaign.title, id: campaign.id, workshops: campaign.workshops }
}

/** Where the list of these people is. */
export function listPath(whose: Whose): string {
  return whose.of === 'workshop' ? paths.workshopPeople(whose.workshops[0].slug) : paths.campaignPeople(whose.slug)
}

/** Where a message to these people is written. */
export function newMessagePath(whose: Whose): string {
  return whose.of === 'workshop'
    ? paths.newWorkshopMessage(whose.workshops[0].slug)
    : paths.newCampaignMessage(whose.slug)
}

/** What a list was asked for, as its address says it. */
export type PeopleQuery = { filter: PeopleFilter; order: PeopleOrder; page: number }

/** Reads the address of a list. What it does not know, such as from an old bookmark, counts as not said. */
export function readPeopleQuery(c: Context<App>): PeopleQuery {
  const { q, status, link, ready = '', coming, sort = '', page = '' } = c.req.query()
  const by = peopleOrders.find((order) => order === sort.replace(/^-/, '')) ?? 'number'
  return {
    filter: {
      search: readSearch(q),
      status: registrationStatuses.find((known) => known === status),
      link: link && /^\w{1,64}$/.test(link) ? link : undefined,
      readiness: readinesses.find((known) => known === ready),
      item: readItem(ready),
      coming: comings.find((known) => known === coming),
    },
    order: { by, descending: sort.startsWith('-') },
    page: /^[1-9]\d{0,5}$/.test(page) ? Number(page) : 1,
  }
}

/** `<id of an item>.ready` or `<id of an item>.not`. */
function readItem(text: string): PeopleFilter['item'] {
  const [, id, said] = /^(.*)\.(ready|not)$/.exec(text) ?? []
  return isId(id) ? { id, ready: said === 'ready' } : undefined
}

/** What of an address says the filter and the order, for other addresses that keep them. */
export function writePeopleQuery({ filter, order }: Omit<PeopleQuery, 'page'>): Record<string, string | undefined> {
  const { search, status, link, readiness, item, coming } = filter
  const sort = `${order.descending ? '-' : ''}${order.by}`
  return {
    ...{ q: search, status, link, coming },
    ready: readiness ?? (item && `${item.id}.${item.ready ? 'ready' : 'not'}`),
    sort: sort === 'number' ? undefined : sort,
  }
}
