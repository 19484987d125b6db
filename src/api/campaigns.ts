import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
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
} from '../domain/campaigns/campaigns.ts'
import { audit } from '../http/audit.ts'
import type { App } from '../http/context.ts'
import { absoluteUrl, paths } from '../http/links.ts'
import { localize } from '../i18n/format.ts'
import { checklistFields, ItemResponse, parseChecklist, serializeItems, validateChecklist } from './checklists.ts'
import { multiLineText, parseLocalizedText, singleLineText } from './localized-text.ts'
import { type ProblemResponse, problem, problems } from './problem.ts'
import {
  jsonContent,
  languageQuery,
  omitUndefined,
  organiserRoute,
  parseState,
  publicCache,
  publicRoute,
  requireJson,
  slug,
  slugParams,
  typeErrorMessage,
} from './requests.ts'
import { serializeWorkshop, WorkshopResponse } from './workshops.ts'

export const campaigns = new OpenAPIHono<App>()

const CampaignResponse = z
  .object({
    slug: z.string(),
    title: z.string(),
    summary: z.string(),
    oneSeatPerPerson: z.boolean(),
    items: z.array(ItemResponse).meta({ description: 'The checklist of workshops without one.' }),
    workshops: z.array(WorkshopResponse).meta({ description: 'By start time.' }),
    state: z.enum(campaignStates),
    url: z.url().meta({ description: 'The page for attendees.' }),
  })
  .meta({ id: 'Campaign', description: 'One announcement: its content and its workshops.' })

const campaignFields = {
  slug: slug.optional().meta({ description: 'Default: derived from title and date. Fixed once published.' }),
  title: singleLineText(200),
  summary: multiLineText(5000).optional(),
  oneSeatPerPerson: z.boolean(typeErrorMessage).optional(),
  ...checklistFields,
}

const CampaignDraftBody = z
  .strictObject({ ...campaignFields, publish: z.boolean(typeErrorMessage).optional() }, typeErrorMessage)
  .check(validateChecklist)
  .meta({ id: 'CampaignDraft' })

const CampaignChangesBody = z
  .strictObject(campaignFields, typeErrorMessage)
  .partial()
  .extend({
    state: z.enum(campaignStates, typeErrorMessage).optional(),
    publish: z.boolean(typeErrorMessage).optional(),
  })
  .check(validateChecklist)
  .meta({ id: 'CampaignChanges' })

const tags = ['Campaigns']

campaigns.openapi(
  createRoute({
    method: 'get',
    path: '/campaigns',
    tags,
    summary: 'The newest 50 campaigns, newest first',
    security: publicRoute,
    middleware: publicCache,
    request: { query: languageQuery },
    responses: {
      200: {
        description: 'The campaigns, with a token including drafts.',
        content: jsonContent(z.object({ items: z.array(CampaignResponse) })),
      },
      ...problems(),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const items = c.var.role
      ? await listCampaigns(deps, { drafts: true })
      : await deps.cache('campaigns', () => listCampaigns(deps))
    return c.json({ items: items.map((campaign) => serializeCampaign(c, campaign)) }, 200)
  },
)

campaigns.openapi(
  createRoute({
    method: 'get',
    path: '/campaigns/{slug}',
    tags,
    summary: 'A campaign',
    security: publicRoute,
    middleware: publicCache,
    request: { params: slugParams, query: languageQuery },
    responses: {
      200: { description: 'The campaign', content: jsonContent(CampaignResponse) },
      ...problems({ 404: ['not_found'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { slug } = c.req.valid('param')
    const campaign = await (c.var.role ? findCampaign(deps, slug) : findPublicCampaign(deps, slug))
    return campaign ? c.json(serializeCampaign(c, campaign), 200) : problem(c, 404, 'not_found')
  },
)

campaigns.openapi(
  createRoute({
    method: 'post',
    path: '/campaigns',
    tags,
    summary: 'Create a campaign',
    description: 'A draft, unless `publish` is true.',
    security: organiserRoute,
    middleware: requireJson,
    request: { query: languageQuery, body: { required: true, content: jsonContent(CampaignDraftBody) } },
    responses: {
      201: { description: 'The campaign', content: jsonContent(CampaignResponse) },
      ...problems({ 409: ['slug_taken'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    // The schema guarantees the required fields of a draft.
    const draft = omitUndefined(parseCampaignBody(c, c.req.valid('json'))) as CampaignDraft
    const created = await createCampaign(c.env.deps, draft)
    if (created.kind === 'refused') return refusalProblem(c, created.refusal)
    const { id, slug } = created.campaign
    await audit(c, { action: 'campaign.created', campaignId: id, payload: { slug } })
    return c.json(serializeCampaign(c, created.campaign), 201)
  },
)

campaigns.openapi(
  createRoute({
    method: 'patch',
    path: '/campaigns/{slug}',
    tags,
    summary: 'Change or publish a campaign',
    description: 'Omitted fields stay unchanged.',
    security: organiserRoute,
    middleware: requireJson,
    request: {
      params: slugParams,
      query: languageQuery,
      body: { required: true, content: jsonContent(CampaignChangesBody) },
    },
    responses: {
      200: { description: 'The changed campaign', content: jsonContent(CampaignResponse) },
      ...problems({ 404: ['not_found'], 409: ['slug_taken', 'slug_fixed'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { slug } = c.req.valid('param')
    const campaign = await findCampaign(deps, slug)
    if (!campaign) return problem(c, 404, 'not_found')
    const changed = await changeCampaign(
      deps,
      slug,
      omitUndefined(parseCampaignBody(c, parseState(c.req.valid('json')), campaign)),
    )
    if (changed.kind === 'refused') return refusalProblem(c, changed.refusal)
    await audit(c, {
      action: 'campaign.changed',
      campaignId: changed.campaign.id,
      payload: { slug: changed.campaign.slug },
    })
    return c.json(serializeCampaign(c, changed.campaign), 200)
  },
)

function serializeCampaign(c: Context<App>, campaign: Campaign): z.input<typeof CampaignResponse> {
  const { locale } = c.var
  return {
    slug: campaign.slug,
    title: localize(campaign.title, locale),
    summary: localize(campaign.summary, locale),
    oneSeatPerPerson: campaign.oneSeatPerPerson,
    items: serializeItems(campaign.items, locale),
    workshops: campaign.workshops.map((workshop) => serializeWorkshop(c, workshop)),
    state: campaign.state,
    url: absoluteUrl(c.env.deps.config.baseUrl, paths.campaign(campaign.slug)),
  }
}

/** Converts a body to the domain's type. */
function parseCampaignBody(
  c: Context<App>,
  { items, prerequisites, provided, bring, ...body }: z.output<typeof CampaignChangesBody>,
  current?: Campaign,
): CampaignChanges {
  const localized = (input: typeof body.title) => (input === undefined ? undefined : parseLocalizedText(c, input))
  return {
    ...body,
    title: localized(body.title),
    summary: localized(body.summary),
    items: parseChecklist(c, { items, prerequisites, provided, bring }, current?.items),
  }
}

function refusalProblem(c: Context<App>, refusal: CampaignRefusal): ProblemResponse {
  return refusal === 'not_found' ? problem(c, 404, refusal) : problem(c, 409, refusal)
}
