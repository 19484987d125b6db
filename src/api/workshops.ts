import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { audited } from '../audited.ts'
import { isTimeZone } from '../config.ts'
import type { App } from '../context.ts'
import { phoneRules } from '../db/schema.ts'
import type { AuditAction } from '../domain/audit.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { cancelWorkshop } from '../domain/seats.ts'
import { isoIn, readMoment } from '../domain/time-zones.ts'
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
} from '../domain/workshops.ts'
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
import { readText, text } from './texts.ts'

export const workshops = new OpenAPIHono<App>()

const moment = z.iso.datetime({ offset: true }).meta({ example: '2026-12-19T09:30:00+08:00' })

export const WorkshopAnswer = z
  .object({
    slug: z.string(),
    campaign: z.string().nullable().meta({ description: 'Slug of its campaign.' }),
    title: z.string(),
    city: z.string(),
    venue: z.string(),
    address: z.string(),
    startsAt: moment,
    endsAt: moment,
    timeZone: z.string().meta({ description: 'IANA time zone; the times have its offset.', example: 'Asia/Shanghai' }),
    opensAt: moment.optional().meta({ description: 'When registration opens, if not at once.' }),
    closesAt: moment.optional().meta({ description: 'When registration closes, if not at the start.' }),
    capacity: z.int(),
    boards: z.int().meta({ description: 'Boards that are lent.' }),
    seatsLeft: z.int(),
    waitlisted: z.int(),
    status: z.enum(workshopStatuses).meta({ description: 'What a newcomer meets.' }),
    state: z.enum(['draft', 'published', 'closed', 'cancelled']),
    waitlist: z.boolean().meta({ description: 'Whether there is a waitlist once all seats are taken.' }),
    confirmHours: z.int().nullable().meta({
      description: 'Hours in which a freed seat that is offered must be taken; null where it is given at once.',
    }),
    phone: z.enum(phoneRules).meta({ description: 'Whether a sign-up asks for a phone number.' }),
    proofOfWork: z
      .boolean()
      .meta({ description: 'Whether a sign-up has to come with a proof of work: see its challenge.' }),
    items: z.array(ItemAnswer).meta({ description: "Its own checklist, or its campaign's where it has none." }),
    prerequisites: z.array(z.string()),
    provided: z.array(z.string()),
    bring: z.array(z.string()),
    url: z.url().meta({ description: 'The page for attendees.' }),
  })
  .meta({ id: 'Workshop', description: 'One date in one city.' })

const time = z
  .string(said)
  .refine((text) => readMoment(text, 'UTC') !== undefined, 'time_invalid')
  .meta({
    description: "ISO 8601; without an offset in the workshop's time zone.",
    examples: ['2026-12-19T09:30', '2026-12-19T09:30:00+08:00'],
  })

const facts = {
  campaign: slug.optional().meta({ description: 'Slug of the campaign it belongs to.' }),
  slug: slug.optional().meta({ description: 'Made from city and date if it is not given. Fixed once published.' }),
  title: text(200),
  city: text(80),
  venue: text(200),
  address: text(300),
  startsAt: time,
  endsAt: time,
  // Intl takes offsets such as +08:00 too, which calendars cannot name.
  timeZone: z
    .string(said)
    .refine((name) => /^[A-Za-z]/.test(name) && isTimeZone(name), 'time_zone_invalid')
    .optional()
    .meta({ description: 'IANA time zone; without one that of the installation.', example: 'Asia/Shanghai' }),
  opensAt: time.nullish(),
  closesAt: time.nullish(),
  capacity: z.int(said).min(1, 'out_of_range').max(100_000, 'out_of_range'),
  boards: z.int(said).min(0, 'out_of_range').max(100_000, 'out_of_range').optional(),
  waitlist: z.boolean(said).optional(),
  confirmHours: z.int(said).min(1, 'out_of_range').max(336, 'out_of_range').nullish().meta({
    description:
      'A freed seat is offered to the next in line, who has so many hours to take it; null gives it at once.',
    example: 24,
  }),
  phone: z.enum(phoneRules, said).optional(),
  proofOfWork: z.boolean(said).optional().meta({
    description: 'Have browsers work a second for a sign-up, against those that send many.',
  }),
  ...checklist,
}

const WorkshopDraftBody = z
  .strictObject({ ...facts, publish: z.boolean(said).optional() }, said)
  .check(checkChecklist)
  .meta({ id: 'WorkshopDraft' })

const WorkshopChangesBody = z
  .strictObject(facts, said)
  .partial()
  .extend({ state: z.enum(['draft', 'published', 'closed'], said).optional(), publish: z.boolean(said).optional() })
  .check(checkChecklist)
  .meta({ id: 'WorkshopChanges' })

const tags = ['Workshops']

workshops.openapi(
  createRoute({
    method: 'get',
    path: '/workshops',
    tags,
    summary: 'Upcoming workshops, in the order in which they start',
    security: anyone,
    middleware: publicRead,
    request: {
      query: inLanguage.extend({
        city: z.string().max(80, 'too_long').optional().meta({ description: 'In either language.', example: '南京' }),
        status: z.enum(workshopStatuses).optional().meta({ description: 'Without it, all that are not over.' }),
        cursor: z.string().max(200, 'too_long').optional().meta({ description: '`next` of the page before.' }),
      }),
    },
    responses: {
      200: {
        description: 'A page of workshops. Bearers of a token see drafts too.',
        content: json(z.object({ items: z.array(WorkshopAnswer), next: z.string().optional() })),
      },
      ...problems({ 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { lang: _, ...filter } = c.req.valid('query')
    const { items, next } = c.var.role
      ? await listWorkshops(deps, { ...filter, drafts: true })
      : await deps.fresh(`workshops ${JSON.stringify(filter)}`, () => listWorkshops(deps, filter))
    return c.json({ items: items.map((workshop) => showWorkshop(c, workshop)), ...(next && { next }) }, 200)
  },
)

workshops.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}',
    tags,
    summary: 'A workshop',
    security: anyone,
    middleware: publicRead,
    request: { params: bySlug, query: inLanguage },
    responses: {
      200: { description: 'The workshop', content: json(WorkshopAnswer) },
      ...problems({ 404: ['not_found'] }),
    },
  }),
  async (c) => {
    const workshop = await findVisibleWorkshop(c, c.req.valid('param').slug)
    return workshop ? c.json(showWorkshop(c, workshop), 200) : problem(c, 404, 'not_found')
  },
)

workshops.openapi(
  createRoute({
    method: 'post',
    path: '/workshops',
    tags,
    summary: 'Create a workshop',
    description: 'A draft, unless `publish` is true.',
    security: organisers,
    middleware: jsonBody,
    request: { query: inLanguage, body: { required: true, content: json(WorkshopDraftBody) } },
    responses: {
      201: { description: 'The workshop', content: json(WorkshopAnswer) },
      ...problems({ 409: ['slug_taken'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const body = c.req.valid('json')
    const campaignId = await campaignIdOf(c, body.campaign)
    if (campaignId === 'not_found') return unknownCampaign(c)
    const draft = readFacts(c, body, body.timeZone ?? deps.config.timeZone)
    // Nothing that a draft needs is missing: its schema has seen to that.
    const created = await createWorkshop(deps, given({ ...draft, campaignId }) as WorkshopDraft)
    if (created.kind === 'refused') return refused(c, created)
    await audited(c, about('workshop.created', created.workshop))
    return c.json(showWorkshop(c, created.workshop), 201)
  },
)

workshops.openapi(
  createRoute({
    method: 'patch',
    path: '/workshops/{slug}',
    tags,
    summary: 'Change, publish or close a workshop',
    description:
      'Only what is given changes. More seats, a later start or opening it again serve the waitlist in the same moment. Closing it or opening it again is mailed to everyone registered.',
    security: organisers,
    middleware: jsonBody,
    request: { params: bySlug, query: inLanguage, body: { required: true, content: json(WorkshopChangesBody) } },
    responses: {
      200: { description: 'The workshop as it is now', content: json(WorkshopAnswer) },
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
    const body = asState(c.req.valid('json'))
    const workshop = await findWorkshop(deps, slug)
    if (!workshop) return problem(c, 404, 'not_found')
    const campaignId = await campaignIdOf(c, body.campaign)
    if (campaignId === 'not_found') return unknownCampaign(c)
    const changes = readFacts(c, body, body.timeZone ?? workshop.timeZone, workshop)
    const changed = await changeWorkshop(deps, slug, given({ ...changes, campaignId }))
    if (changed.kind === 'refused') return refused(c, changed)
    await audited(c, about('workshop.changed', changed.workshop))
    return c.json(showWorkshop(c, changed.workshop), 200)
  },
)

workshops.openapi(
  createRoute({
    method: 'post',
    path: '/workshops/{slug}/cancel',
    tags,
    summary: 'Cancel a workshop for good',
    description: 'Everyone registered is told by mail.',
    security: organisers,
    request: { params: bySlug, query: inLanguage },
    responses: {
      200: { description: 'The cancelled workshop', content: json(WorkshopAnswer) },
      ...problems({ 404: ['not_found'], 409: ['already_cancelled', 'over'] }),
    },
  }),
  async (c) => {
    const cancelled = await cancelWorkshop(c.env.deps, c.req.valid('param').slug)
    if (cancelled.kind === 'refused') return refused(c, cancelled)
    await audited(c, about('workshop.cancelled', cancelled.workshop))
    return c.json(showWorkshop(c, cancelled.workshop), 200)
  },
)

const about = (action: AuditAction, { id, slug }: Workshop) => ({ action, workshopId: id, facts: { slug } })

/** The workshop with a slug; drafts only for bearers of a token. */
function findVisibleWorkshop(c: Context<App>, slug: string): Promise<Workshop | undefined> {
  const { deps } = c.env
  return c.var.role ? findWorkshop(deps, slug) : findPublicWorkshop(deps, slug)
}

/** A workshop as it is answered: texts in the language of the request, times with the offset of its zone. */
export function showWorkshop(c: Context<App>, workshop: Workshop): z.input<typeof WorkshopAnswer> {
  const { locale, role } = c.var
  const { timeZone, opensAt, closesAt, campaign } = workshop
  const textsOf = (kind: Workshop['items'][number]['kind']) =>
    workshop.items.filter((item) => item.kind === kind).map((item) => pick(item.text, locale))
  return {
    slug: workshop.slug,
    campaign: campaign && (role || campaign.state !== 'draft') ? campaign.slug : null,
    title: pick(workshop.title, locale),
    city: pick(workshop.city, locale),
    venue: pick(workshop.venue, locale),
    address: pick(workshop.address, locale),
    startsAt: isoIn(workshop.startsAt, timeZone),
    endsAt: isoIn(workshop.endsAt, timeZone),
    timeZone,
    ...(opensAt && { opensAt: isoIn(opensAt, timeZone) }),
    ...(closesAt && { closesAt: isoIn(closesAt, timeZone) }),
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
    items: showItems(workshop.items, locale),
    prerequisites: textsOf('prerequisite'),
    provided: textsOf('provided'),
    bring: textsOf('bring'),
    url: urlOf(c.env.deps.config.baseUrl, paths.workshop(workshop.slug)),
  }
}

/** What a body says about a workshop, in the words of the domain. Times without an offset are meant in `timeZone`. */
function readFacts(
  c: Context<App>,
  { campaign: _campaign, items, prerequisites, provided, bring, ...body }: z.output<typeof WorkshopChangesBody>,
  timeZone: string,
  current?: Workshop,
): WorkshopChanges {
  const words = (given: typeof body.title) => (given === undefined ? undefined : readText(c, given))
  const at = <None extends null | undefined>(given: string | None) =>
    typeof given === 'string' ? (readMoment(given, timeZone) as Date) : given
  return {
    ...body,
    title: words(body.title),
    city: words(body.city),
    venue: words(body.venue),
    address: words(body.address),
    startsAt: at(body.startsAt),
    endsAt: at(body.endsAt),
    opensAt: at(body.opensAt),
    closesAt: at(body.closesAt),
    items: readChecklist(c, { items, prerequisites, provided, bring }, current?.items),
  }
}

async function campaignIdOf(c: Context<App>, slug: string | undefined): Promise<string | undefined | 'not_found'> {
  if (slug === undefined) return undefined
  return (await findCampaign(c.env.deps, slug))?.id ?? 'not_found'
}

const unknownCampaign = (c: Context<App>) =>
  problem(c, 422, 'invalid', { errors: [{ field: 'campaign', code: 'not_found' }] })

function refused(c: Context<App>, refusal: WorkshopRefusal): ProblemResponse {
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
