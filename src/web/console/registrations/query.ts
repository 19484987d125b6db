import type { Context } from 'hono'
import { registrationStatuses } from '../../../db/schema.ts'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { confirmationStatuses } from '../../../domain/registrations/attendance-confirmation.ts'
import { type PeopleFilter, type PeopleSort, peopleSortKeys } from '../../../domain/registrations/list.ts'
import { readinessStates } from '../../../domain/registrations/readiness.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { paths } from '../../../http/links.ts'
import { localize } from '../../../i18n/format.ts'
import { parseSearch } from '../../../lib/text.ts'
import { workshopLabel } from '../ui/workshop-labels.ts'

/** The workshop, or all workshops of the campaign, whose people a page shows. */
export type PeopleScope =
  | { kind: 'workshop'; workshops: [Workshop] }
  | { kind: 'campaign'; slug: string; title: Workshop['title']; id: string; workshops: Workshop[] }

/** Loads the workshop or campaign in the path, including drafts. */
export async function loadScope(c: Context<App>, kind: PeopleScope['kind']): Promise<PeopleScope | undefined> {
  const slug = c.req.param('slug') ?? ''
  if (kind === 'workshop') {
    const workshop = await findWorkshop(c.env.deps, slug)
    return workshop && { kind, workshops: [workshop] }
  }
  const campaign = await findCampaign(c.env.deps, slug)
  return campaign && { kind, slug, title: campaign.title, id: campaign.id, workshops: campaign.workshops }
}

export function attendeeListPath(scope: PeopleScope): string {
  return scope.kind === 'workshop' ? paths.workshopPeople(scope.workshops[0].slug) : paths.campaignPeople(scope.slug)
}

export function newBroadcastPath(scope: PeopleScope): string {
  return scope.kind === 'workshop'
    ? paths.newWorkshopBroadcast(scope.workshops[0].slug)
    : paths.newCampaignBroadcast(scope.slug)
}

export type PeopleQuery = { filter: PeopleFilter; order: PeopleSort; page: number }

/** Parses the query string of a list. Unknown values, such as from an old bookmark, are ignored. */
export function parsePeopleQuery(c: Context<App>): PeopleQuery {
  const { q, status, link, ready = '', coming, sort = '', page = '' } = c.req.query()
  const by = peopleSortKeys.find((order) => order === sort.replace(/^-/, '')) ?? 'number'
  return {
    filter: {
      search: parseSearch(q),
      status: registrationStatuses.find((known) => known === status),
      link: link && /^\w{1,64}$/.test(link) ? link : undefined,
      readiness: readinessStates.find((known) => known === ready),
      item: parseItemFilter(ready),
      coming: confirmationStatuses.find((known) => known === coming),
    },
    order: { by, descending: sort.startsWith('-') },
    page: /^[1-9]\d{0,5}$/.test(page) ? Number(page) : 1,
  }
}

/** Parses `<item id>.ready` or `<item id>.not`. */
function parseItemFilter(text: string): PeopleFilter['item'] {
  const [, id, answer] = /^(.*)\.(ready|not)$/.exec(text) ?? []
  return isUuid(id) ? { id, ready: answer === 'ready' } : undefined
}

/** Query parameters of the filter and sort order, for links that keep them. */
export function serializePeopleQuery({ filter, order }: Omit<PeopleQuery, 'page'>): Record<string, string | undefined> {
  const { search, status, link, readiness, item, coming } = filter
  const sort = `${order.descending ? '-' : ''}${order.by}`
  return {
    ...{ q: search, status, link, coming },
    ready: readiness ?? (item && `${item.id}.${item.ready ? 'ready' : 'not'}`),
    sort: sort === 'number' ? undefined : sort,
  }
}

/** The scope as fields of an audit entry. */
export function scopeIds(scope: PeopleScope): { workshopId: string } | { campaignId: string } {
  return scope.kind === 'workshop' ? { workshopId: scope.workshops[0].id } : { campaignId: scope.id }
}

/** "上海 2026-12-19", or the title of the campaign. */
export function scopeTitle(c: Context<App>, scope: PeopleScope): string {
  return scope.kind === 'workshop' ? workshopLabel(scope.workshops[0], c) : localize(scope.title, c.var.locale)
}

export function scopePath(scope: PeopleScope): string {
  return scope.kind === 'workshop' ? paths.consoleWorkshop(scope.workshops[0].slug) : paths.consoleCampaign(scope.slug)
}
