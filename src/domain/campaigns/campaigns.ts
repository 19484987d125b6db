import { and, desc, eq, getTableColumns, ne, sql } from 'drizzle-orm'
import { databaseError } from '../../db/database.ts'
import { type CampaignState, campaigns, type Text } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { generateSlug } from '../workshops/slugs.ts'
import {
  changeWorkshop,
  checklistJson,
  type Item,
  type ItemDraft,
  listWorkshops,
  replaceItems,
  type Workshop,
} from '../workshops/workshops.ts'

/** One announcement with its checklist and its workshops. */
export type Campaign = typeof campaigns.$inferSelect & { items: Item[]; workshops: Workshop[] }

export type CampaignDraft = {
  slug?: string | undefined
  title: Text
  summary?: Text | undefined
  oneSeatPerPerson?: boolean | undefined
  items?: ItemDraft[] | undefined
  publish?: boolean | undefined
}

export type CampaignChanges = Partial<Omit<CampaignDraft, 'publish'>> & {
  state?: CampaignState | undefined
}

export type CampaignRefusal = 'slug_taken' | 'slug_fixed' | 'not_found'
export type CampaignResult = { kind: 'changed'; campaign: Campaign } | { kind: 'refused'; refusal: CampaignRefusal }

/** Finds a campaign by slug, with its workshops. Includes drafts of both. */
export async function findCampaign(deps: Deps, slug: string): Promise<Campaign | undefined> {
  const [campaign] = await selectCampaigns(deps).where(eq(campaigns.slug, slug))
  return campaign && withWorkshops(deps, campaign, true)
}

/** Finds a campaign by id, with its workshops. Includes drafts of both. */
export async function findCampaignById(deps: Deps, id: string): Promise<Campaign | undefined> {
  const [campaign] = await selectCampaigns(deps).where(eq(campaigns.id, id))
  return campaign && withWorkshops(deps, campaign, true)
}

/** Finds a public campaign with its public workshops in the order of their dates. The result is at most a second old. */
export async function findPublicCampaign(deps: Deps, slug: string): Promise<Campaign | undefined> {
  return deps.cache(`campaign ${slug}`, async () => {
    const [campaign] = await selectCampaigns(deps).where(and(eq(campaigns.slug, slug), ne(campaigns.state, 'draft')))
    return campaign && withWorkshops(deps, campaign, false)
  })
}

/** True if there is any campaign, including drafts. */
export async function hasCampaigns({ db }: Deps): Promise<boolean> {
  const [first] = await db.select({ id: campaigns.id }).from(campaigns).limit(1)
  return first !== undefined
}

/** The newest campaigns, with their workshops. */
export async function listCampaigns(deps: Deps, { drafts = false, limit = 50 } = {}): Promise<Campaign[]> {
  const rows = await selectCampaigns(deps)
    .where(drafts ? undefined : ne(campaigns.state, 'draft'))
    .orderBy(desc(campaigns.createdAt), desc(campaigns.id))
    .limit(limit)
  return Promise.all(rows.map((campaign) => withWorkshops(deps, campaign, drafts)))
}

/** Creates a campaign, as a draft unless `publish` is set. The default slug is generated from title and date. */
export async function createCampaign(
  deps: Deps,
  draft: CampaignDraft,
  id: string = deps.newId(),
): Promise<CampaignResult> {
  const { items = [], publish = false, slug: requestedSlug, summary = {}, ...facts } = draft
  for (let attempt = 1; ; attempt++) {
    const slug = requestedSlug ?? (await generateSlug(draft.title, deps.now(), deps.config.timeZone, attempt))
    try {
      await deps.db.transaction(async (tx) => {
        await tx.insert(campaigns).values({
          ...facts,
          id,
          slug,
          summary,
          ...(publish && { state: 'published', publishedAt: deps.now() }),
          createdAt: deps.now(),
          updatedAt: deps.now(),
        })
        await replaceItems({ ...deps, db: tx }, { campaignId: id }, items)
      })
      return { kind: 'changed', campaign: (await findCampaign(deps, slug)) as Campaign }
    } catch (error) {
      if (databaseError(error)?.constraint !== 'campaigns_slug_unique') throw error
      if (requestedSlug || attempt === 50) return { kind: 'refused', refusal: 'slug_taken' }
    }
  }
}

/** Changes a campaign. The slug is fixed once the campaign was published, because it may be in print. */
export async function changeCampaign(deps: Deps, slug: string, changes: CampaignChanges): Promise<CampaignResult> {
  const [campaign] = await selectCampaigns(deps).where(eq(campaigns.slug, slug))
  if (!campaign) return { kind: 'refused', refusal: 'not_found' }
  if (changes.slug && changes.slug !== slug && campaign.publishedAt) return { kind: 'refused', refusal: 'slug_fixed' }
  const { items, ...facts } = changes
  try {
    await deps.db.transaction(async (tx) => {
      if (items) await replaceItems({ ...deps, db: tx }, { campaignId: campaign.id }, items)
      await tx
        .update(campaigns)
        .set({
          ...facts,
          updatedAt: deps.now(),
          ...(changes.state === 'published' && { publishedAt: campaign.publishedAt ?? deps.now() }),
        })
        .where(eq(campaigns.id, campaign.id))
    })
  } catch (error) {
    if (databaseError(error)?.constraint === 'campaigns_slug_unique') return { kind: 'refused', refusal: 'slug_taken' }
    throw error
  }
  return { kind: 'changed', campaign: (await findCampaign(deps, changes.slug ?? slug)) as Campaign }
}

/** Publishes a campaign and its draft workshops. Call it again after an interruption to publish the rest. */
export async function publishCampaign(deps: Deps, { slug, workshops }: Campaign): Promise<CampaignResult> {
  for (const workshop of workshops) {
    if (workshop.state === 'draft') await changeWorkshop(deps, workshop.slug, { state: 'published' })
  }
  return changeCampaign(deps, slug, { state: 'published' })
}

type CampaignRow = Omit<Campaign, 'workshops'>

async function withWorkshops(deps: Deps, campaign: CampaignRow, drafts: boolean): Promise<Campaign> {
  const { items } = await listWorkshops(deps, { campaignId: campaign.id, drafts, limit: 200 })
  return { ...campaign, workshops: items }
}

function selectCampaigns(deps: Deps) {
  return deps.db
    .select({
      ...getTableColumns(campaigns),
      items: sql<Item[]>`coalesce(${checklistJson(sql`i.campaign_id = ${campaigns.id}`)}, '[]')`,
    })
    .from(campaigns)
    .$dynamic()
}
