import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { campaignStates } from '../db/schema.ts'
import {
  type Campaign,
  type CampaignChanges,
  type CampaignDraft,
  type CampaignRefusal,
  changeCampaign,
  createCampaign,
  findCampaign,
  findPublicCampaign,
  listCampaigns,
} from '../domain/campaigns.ts'
import { paths, urlOf } from '../links.ts'
import { pick } from '../messages/text.ts'
import { checkChecklist, checklist, ItemAnswer, readChecklist, showItems } from './checklists.ts'
import { type ProblemResponse, problem, problems } from './problem.ts'
import {
  anyone,
  asState,
  bySlug,
  given,
  inLanguage,
  json,
  jsonBody,
  organisers,
  publicRead,
  said,
  slug,
} from './requests.ts'
import { paragraphs, readText, text } from './texts.ts'
import { showWorkshop, WorkshopAnswer } from './workshops.ts'

export const campaigns = new OpenAPIHono<App>()

const CampaignAnswer = z
  .object({
    slug: z.string(),
    title: z.string(),
    summary: z.string(),
    oneSeatPerPerson: z.boolean(),
    items: z.array(ItemAnswer).meta({ description: 'The checklist of its workshops that have none of their own.' }),
    workshops: z.array(WorkshopAnswer).meta({ description: 'In the order in which they start.' }),
    state: z.enum(campaignStates),
    url: z.url().meta({ description: 'The page for attendees.' }),
  })
  .meta({ id: 'Campaign', description: 'One announcement: what it teaches, and the workshops of that month.' })

const facts = {
  slug: slug.optional().meta({ description: 'Made from title and date if it is not given. Fixed once published.' }),
  title: text(200),
  summary: paragraphs(5000).optional(),
  oneSeatPerPerson: z.boolean(said).optional(),
  ...checklist,
}

const CampaignDraftBody = z
  .strictObject({ ...facts, publish: z.boolean(said).optional() }, said)
  .check(checkChecklist)
  .meta({ id: 'CampaignDraft' })

const CampaignChangesBody = z
  .strictObject(facts, said)
  .partial()
  .extend({ state: z.enum(campaignStates, said).optional(), publish: z.boolean(said).optional() })
  .check(checkChecklist)
  .meta({ id: 'CampaignChanges' })

const tags = ['Campaigns']

campaigns.openapi(
  createRoute({
    method: 'get',
    path: '/campaigns',
    tags,
    summary: 'The newest 50 campaigns, the latest first',
    security: anyone,
    middleware: publicRead,
    request: { query: inLanguage },
    responses: {
      200: {
        description: 'The campaigns. Bearers of a token see drafts too.',
        content: json(z.object({ items: z.array(CampaignAnswer) })),
      },
      ...problems(),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const items = c.var.role
      ? await listCampaigns(deps, { drafts: true })
      : await deps.fresh('campaigns', () => listCampaigns(deps))
    return c.json({ items: items.map((campaign) => showCampaign(c, campaign)) }, 200)
  },
)

campaigns.openapi(
  createRoute({
    method: 'get',
    path: '/campaigns/{slug}',
    tags,
    summary: 'A campaign',
    security: anyone,
    middleware: publicRead,
    request: { params: bySlug, query: inLanguage },
    responses: {
      200: { description: 'The campaign', content: json(CampaignAnswer) },
      ...problems({ 404: ['not_found'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { slug } = c.req.valid('param')
    const campaign = await (c.var.role ? findCampaign(deps, slug) : findPublicCampaign(deps, slug))
    return campaign ? c.json(showCampaign(c, campaign), 200) : problem(c, 404, 'not_found')
  },
)

campaigns.openapi(
  createRoute({
    method: 'post',
    path: '/campaigns',
    tags,
    summary: 'Create a campaign',
    description: 'A draft, unless `publish` is true.',
    security: organisers,
    middleware: jsonBody,
    request: { query: inLanguage, body: { required: true, content: json(CampaignDraftBody) } },
    responses: {
      201: { description: 'The campaign', content: json(CampaignAnswer) },
      ...problems({ 409: ['slug_taken'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    // Nothing that a draft needs is missing: its schema has seen to that.
    const draft = given(readFacts(c, c.req.valid('json'))) as CampaignDraft
    const created = await createCampaign(c.env.deps, draft)
    if (created.kind === 'refused') return refused(c, created.refusal)
    const { id, slug } = created.campaign
    await audited(c, { action: 'campaign.created', campaignId: id, facts: { slug } })
    return c.json(showCampaign(c, created.campaign), 201)
  },
)

campaigns.openapi(
  createRoute({
    method: 'patch',
    path: '/campaigns/{slug}',
    tags,
    summary: 'Change or publish a campaign',
    description: 'Only what is given changes.',
    security: organisers,
    middleware: jsonBody,
    request: { params: bySlug, query: inLanguage, body: { required: true, content: json(CampaignChangesBody) } },
    responses: {
      200: { description: 'The campaign as it is now', content: json(CampaignAnswer) },
      ...problems({ 404: ['not_found'], 409: ['slug_taken', 'slug_fixed'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { slug } = c.req.valid('param')
    const campaign = await findCampaign(deps, slug)
    if (!campaign) return problem(c, 404, 'not_found')
    const changed = await changeCampaign(deps, slug, given(readFacts(c, asState(c.req.valid('json')), campaign)))
    if (changed.kind === 'refused') return refused(c, changed.refusal)
    await audited(c, {
      action: 'campaign.changed',
      campaignId: changed.campaign.id,
      facts: { slug: changed.campaign.slug },
    })
    return c.json(showCampaign(c, changed.campaign), 200)
  },
)

function showCampaign(c: Context<App>, campaign: Campaign): z.input<typeof CampaignAnswer> {
  const { locale } = c.var
  return {
    slug: campaign.slug,
    title: pick(campaign.title, locale),
    summary: pick(campaign.summary, locale),
    oneSeatPerPerson: campaign.oneSeatPerPerson,
    items: showItems(campaign.items, locale),
    workshops: campaign.workshops.map((workshop) => showWorkshop(c, workshop)),
    state: campaign.state,
    url: urlOf(c.env.deps.config.baseUrl, paths.campaign(campaign.slug)),
  }
}

/** What a body says about a campaign, in the words of the domain. */
function readFacts(
  c: Context<App>,
  { items, prerequisites, provided, bring, ...body }: z.output<typeof CampaignChangesBody>,
  current?: Campaign,
): CampaignChanges {
  const words = (given: typeof body.title) => (given === undefined ? undefined : readText(c, given))
  return {
    ...body,
    title: words(body.title),
    summary: words(body.summary),
    items: readChecklist(c, { items, prerequisites, provided, bring }, current?.items),
  }
}

function refused(c: Context<App>, refusal: CampaignRefusal): ProblemResponse {
  return refusal === 'not_found' ? problem(c, 404, refusal) : problem(c, 409, refusal)
}
