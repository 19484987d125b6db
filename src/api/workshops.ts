import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { phoneRules } from '../db/schema.ts'
import type { AuditAction } from '../domain/audit/log.ts'
import { findCampaign } from '../domain/campaigns/campaigns.ts'
import { cancelWorkshop } from '../domain/registrations/seats.ts'
import {
  changeWorkshop,
  createWorkshop,
  findPublicWorkshop,
  findWorkshop,
  listWorkshops,
  seatsLeft,
  type Workshop,
  type WorkshopChanges,
  type WorkshopDraft,
  type WorkshopRefusal,
  workshopStatuses,
} from '../domain/workshops/workshops.ts'
import { audit } from '../http/audit.ts'
import type { App } from '../http/context.ts'
import { absoluteUrl, paths } from '../http/links.ts'
import { localize } from '../i18n/format.ts'
import { isTimeZone } from '../lib/config.ts'
import { formatIso, parseDateTime } from '../lib/time-zones.ts'
import { checklistFields, ItemResponse, parseChecklist, serializeItems, validateChecklist } from './checklists.ts'
import { parseLocalizedText, singleLineText } from './localized-text.ts'
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

export const workshops = new OpenAPIHono<App>()

const dateTime = z.iso.datetime({ offset: true }).meta({ example: '2026-12-19T09:30:00+08:00' })

export const WorkshopResponse = z
  .object({
    slug: z.string(),
    campaign: z.string().nullable().meta({ description: 'Slug of its campaign.' }),
    title: z.string(),
    city: z.string(),
    venue: z.string(),
    address: z.string(),
    startsAt: dateTime,
    endsAt: dateTime,
    timeZone: z.string().meta({ description: 'IANA time zone; the times have its offset.', example: 'Asia/Shanghai' }),
    opensAt: dateTime.optional().meta({ description: 'When registration opens, if not at once.' }),
    closesAt: dateTime.optional().meta({ description: 'When registration closes, if not at the start.' }),
    capacity: z.int(),
    boards: z.int().meta({ description: 'Boards available for lending.' }),
    seatsLeft: z.int(),
    waitlisted: z.int(),
    status: z.enum(workshopStatuses).meta({ description: 'Registration status for a new attendee.' }),
    state: z.enum(['draft', 'published', 'closed', 'cancelled']),
    waitlist: z.boolean().meta({ description: 'Whether there is a waitlist once all seats are taken.' }),
    confirmHours: z.int().nullable().meta({
      description: 'Hours to accept an offered seat; null if a freed seat is assigned without an offer.',
    }),
    phone: z.enum(phoneRules).meta({ description: 'Whether a sign-up asks for a phone number.' }),
    proofOfWork: z.boolean().meta({ description: 'Whether a sign-up needs a proof of work: see its challenge.' }),
    items: z.array(ItemResponse).meta({ description: "Its checklist, or its campaign's if it has none." }),
    prerequisites: z.array(z.string()),
    provided: z.array(z.string()),
    bring: z.array(z.string()),
    url: z.url().meta({ description: 'The page for attendees.' }),
  })
  .meta({ id: 'Workshop', description: 'One date in one city.' })

const timeField = z
  .string(typeErrorMessage)
  .refine((text) => parseDateTime(text, 'UTC') !== undefined, 'time_invalid')
  .meta({
    description: "ISO 8601; without an offset, in the workshop's time zone.",
    examples: ['2026-12-19T09:30', '2026-12-19T09:30:00+08:00'],
  })

const workshopFields = {
  campaign: slug.optional().meta({ description: 'Slug of the campaign it belongs to.' }),
  slug: slug.optional().meta({ description: 'Default: derived from city and date. Fixed once published.' }),
  title: singleLineText(200),
  city: singleLineText(80),
  venue: singleLineText(200),
  address: singleLineText(300),
  startsAt: timeField,
  endsAt: timeField,
  // Names only: Intl also accepts offsets such as +08:00, which calendars cannot express.
  timeZone: z
    .string(typeErrorMessage)
    .refine((name) => /^[A-Za-z]/.test(name) && isTimeZone(name), 'time_zone_invalid')
    .optional()
    .meta({ description: 'IANA time zone. Default: that of the installation.', example: 'Asia/Shanghai' }),
  opensAt: timeField.nullish(),
  closesAt: timeField.nullish(),
  capacity: z.int(typeErrorMessage).min(1, 'out_of_range').max(100_000, 'out_of_range'),
  boards: z.int(typeErrorMessage).min(0, 'out_of_range').max(100_000, 'out_of_range').optional(),
  waitlist: z.boolean(typeErrorMessage).optional(),
  confirmHours: z.int(typeErrorMessage).min(1, 'out_of_range').max(336, 'out_of_range').nullish().meta({
    description: 'Hours that the next on the waitlist has to accept a freed seat; null assigns it without an offer.',
    example: 24,
  }),
  phone: z.enum(phoneRules, typeErrorMessage).optional(),
  proofOfWork: z.boolean(typeErrorMessage).optional().meta({
    description: 'Require a proof of work for a sign-up, about a second in a browser, against mass sign-ups.',
  }),
  ...checklistFields,
}

const WorkshopDraftBody = z
  .strictObject({ ...workshopFields, publish: z.boolean(typeErrorMessage).optional() }, typeErrorMessage)
  .check(validateChecklist)
  .meta({ id: 'WorkshopDraft' })

const WorkshopChangesBody = z
  .strictObject(workshopFields, typeErrorMessage)
  .partial()
  .extend({
    state: z.enum(['draft', 'published', 'closed'], typeErrorMessage).optional(),
    publish: z.boolean(typeErrorMessage).optional(),
  })
  .check(validateChecklist)
  .meta({ id: 'WorkshopChanges' })

const tags = ['Workshops']

workshops.openapi(
  createRoute({
    method: 'get',
    path: '/workshops',
    tags,
    summary: 'Upcoming workshops, by start time',
    security: publicRoute,
    middleware: publicCache,
    request: {
      query: languageQuery.extend({
        city: z.string().max(80, 'too_long').optional().meta({ description: 'In either language.', example: '南京' }),
        status: z.enum(workshopStatuses).optional().meta({ description: 'Default: all that are not over.' }),
        cursor: z.string().max(200, 'too_long').optional().meta({ description: '`next` of the previous page.' }),
      }),
    },
    responses: {
      200: {
        description: 'A page of workshops, with a token including drafts.',
        content: jsonContent(z.object({ items: z.array(WorkshopResponse), next: z.string().optional() })),
      },
      ...problems({ 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { lang: _, ...filter } = c.req.valid('query')
    const { items, next } = c.var.role
      ? await listWorkshops(deps, { ...filter, drafts: true })
      : await deps.cache(`workshops ${JSON.stringify(filter)}`, () => listWorkshops(deps, filter))
    return c.json({ items: items.map((workshop) => serializeWorkshop(c, workshop)), ...(next && { next }) }, 200)
  },
)

workshops.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}',
    tags,
    summary: 'A workshop',
    security: publicRoute,
    middleware: publicCache,
    request: { params: slugParams, query: languageQuery },
    responses: {
      200: { description: 'The workshop', content: jsonContent(WorkshopResponse) },
      ...problems({ 404: ['not_found'] }),
    },
  }),
  async (c) => {
    const workshop = await findVisibleWorkshop(c, c.req.valid('param').slug)
    return workshop ? c.json(serializeWorkshop(c, workshop), 200) : problem(c, 404, 'not_found')
  },
)

workshops.openapi(
  createRoute({
    method: 'post',
    path: '/workshops',
    tags,
    summary: 'Create a workshop',
    description: 'A draft, unless `publish` is true.',
    security: organiserRoute,
    middleware: requireJson,
    request: { query: languageQuery, body: { required: true, content: jsonContent(WorkshopDraftBody) } },
    responses: {
      201: { description: 'The workshop', content: jsonContent(WorkshopResponse) },
      ...problems({ 409: ['slug_taken'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const body = c.req.valid('json')
    const campaignId = await findCampaignId(c, body.campaign)
    if (campaignId === 'not_found') return campaignNotFound(c)
    const draft = parseWorkshopBody(c, body, body.timeZone ?? deps.config.timeZone)
    // The schema guarantees the required fields of a draft.
    const created = await createWorkshop(deps, omitUndefined({ ...draft, campaignId }) as WorkshopDraft)
    if (created.kind === 'refused') return refusalProblem(c, created)
    await audit(c, workshopAuditEntry('workshop.created', created.workshop))
    return c.json(serializeWorkshop(c, created.workshop), 201)
  },
)

workshops.openapi(
  createRoute({
    method: 'patch',
    path: '/workshops/{slug}',
    tags,
    summary: 'Change, publish or close a workshop',
    description:
      'Omitted fields stay unchanged. More seats, a later start or reopening promote from the waitlist at once. Closing or reopening is mailed to all attendees.',
    security: organiserRoute,
    middleware: requireJson,
    request: {
      params: slugParams,
      query: languageQuery,
      body: { required: true, content: jsonContent(WorkshopChangesBody) },
    },
    responses: {
      200: { description: 'The changed workshop', content: jsonContent(WorkshopResponse) },
      ...problems({
        404: ['not_found'],
        409: ['slug_taken', 'slug_fixed', 'has_registrations', 'capacity_below_taken', 'cancelled'],
        422: ['invalid'],
      }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { slug } = c.req.valid('param')
    const body = parseState(c.req.valid('json'))
    const workshop = await findWorkshop(deps, slug)
    if (!workshop) return problem(c, 404, 'not_found')
    const campaignId = await findCampaignId(c, body.campaign)
    if (campaignId === 'not_found') return campaignNotFound(c)
    const changes = parseWorkshopBody(c, body, body.timeZone ?? workshop.timeZone, workshop)
    const changed = await changeWorkshop(deps, slug, omitUndefined({ ...changes, campaignId }))
    if (changed.kind === 'refused') return refusalProblem(c, changed)
    await audit(c, workshopAuditEntry('workshop.changed', changed.workshop))
    return c.json(serializeWorkshop(c, changed.workshop), 200)
  },
)

workshops.openapi(
  createRoute({
    method: 'post',
    path: '/workshops/{slug}/cancel',
    tags,
    summary: 'Cancel a workshop',
    description: 'Cannot be undone. All attendees are notified by mail.',
    security: organiserRoute,
    request: { params: slugParams, query: languageQuery },
    responses: {
      200: { description: 'The cancelled workshop', content: jsonContent(WorkshopResponse) },
      ...problems({ 404: ['not_found'], 409: ['already_cancelled', 'over'] }),
    },
  }),
  async (c) => {
    const cancelled = await cancelWorkshop(c.env.deps, c.req.valid('param').slug)
    if (cancelled.kind === 'refused') return refusalProblem(c, cancelled)
    await audit(c, workshopAuditEntry('workshop.cancelled', cancelled.workshop))
    return c.json(serializeWorkshop(c, cancelled.workshop), 200)
  },
)

const workshopAuditEntry = (action: AuditAction, { id, slug }: Workshop) => ({
  action,
  workshopId: id,
  payload: { slug },
})

/** Finds a workshop by slug; drafts only with a token. */
function findVisibleWorkshop(c: Context<App>, slug: string): Promise<Workshop | undefined> {
  const { deps } = c.env
  return c.var.role ? findWorkshop(deps, slug) : findPublicWorkshop(deps, slug)
}

/** Serializes texts in the language of the request and times with the offset of the workshop's time zone. */
export function serializeWorkshop(c: Context<App>, workshop: Workshop): z.input<typeof WorkshopResponse> {
  const { locale, role } = c.var
  const { timeZone, opensAt, closesAt, campaign } = workshop
  const itemTexts = (kind: Workshop['items'][number]['kind']) =>
    workshop.items.filter((item) => item.kind === kind).map((item) => localize(item.text, locale))
  return {
    slug: workshop.slug,
    campaign: campaign && (role || campaign.state !== 'draft') ? campaign.slug : null,
    title: localize(workshop.title, locale),
    city: localize(workshop.city, locale),
    venue: localize(workshop.venue, locale),
    address: localize(workshop.address, locale),
    startsAt: formatIso(workshop.startsAt, timeZone),
    endsAt: formatIso(workshop.endsAt, timeZone),
    timeZone,
    ...(opensAt && { opensAt: formatIso(opensAt, timeZone) }),
    ...(closesAt && { closesAt: formatIso(closesAt, timeZone) }),
    capacity: workshop.capacity,
    boards: workshop.boards,
    seatsLeft: seatsLeft(workshop),
    waitlisted: workshop.waitlisted,
    status: workshop.status,
    state: workshop.state,
    waitlist: workshop.waitlist,
    confirmHours: workshop.confirmHours,
    phone: workshop.phone,
    proofOfWork: workshop.proofOfWork,
    items: serializeItems(workshop.items, locale),
    prerequisites: itemTexts('prerequisite'),
    provided: itemTexts('provided'),
    bring: itemTexts('bring'),
    url: absoluteUrl(c.env.deps.config.baseUrl, paths.workshop(workshop.slug)),
  }
}

/** Converts a body to the domain's type. Times without an offset are in `timeZone`. */
function parseWorkshopBody(
  c: Context<App>,
  { campaign: _campaign, items, prerequisites, provided, bring, ...body }: z.output<typeof WorkshopChangesBody>,
  timeZone: string,
  current?: Workshop,
): WorkshopChanges {
  const localized = (input: typeof body.title) => (input === undefined ? undefined : parseLocalizedText(c, input))
  const toDate = <None extends null | undefined>(input: string | None) =>
    typeof input === 'string' ? (parseDateTime(input, timeZone) as Date) : input
  return {
    ...body,
    title: localized(body.title),
    city: localized(body.city),
    venue: localized(body.venue),
    address: localized(body.address),
    startsAt: toDate(body.startsAt),
    endsAt: toDate(body.endsAt),
    opensAt: toDate(body.opensAt),
    closesAt: toDate(body.closesAt),
    items: parseChecklist(c, { items, prerequisites, provided, bring }, current?.items),
  }
}

async function findCampaignId(c: Context<App>, slug: string | undefined): Promise<string | undefined | 'not_found'> {
  if (slug === undefined) return undefined
  return (await findCampaign(c.env.deps, slug))?.id ?? 'not_found'
}

const campaignNotFound = (c: Context<App>) =>
  problem(c, 422, 'invalid', { errors: [{ field: 'campaign', code: 'not_found' }] })

function refusalProblem(c: Context<App>, refusal: WorkshopRefusal): ProblemResponse {
  switch (refusal.refusal) {
    case 'not_found':
      return problem(c, 404, 'not_found')
    case 'ends_before_start':
      return problem(c, 422, 'invalid', { errors: [{ field: 'endsAt', code: 'ends_before_start' }] })
    case 'closes_before_opening':
      return problem(c, 422, 'invalid', { errors: [{ field: 'closesAt', code: 'closes_before_opening' }] })
    case 'capacity_below_taken':
      return problem(c, 409, 'capacity_below_taken', { taken: refusal.taken })
    default:
      return problem(c, 409, refusal.refusal)
  }
}
