import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import {
  changeLink,
  createLink,
  type LinkTarget,
  linkStats,
  listLinks,
  type RegistrationLink,
} from '../domain/promotion/registration-links.ts'
import { audit } from '../http/audit.ts'
import type { App } from '../http/context.ts'
import { absoluteUrl, paths } from '../http/links.ts'
import { normalizedWith } from '../lib/input-limits.ts'
import { normalizeLine } from '../lib/text.ts'
import { formatIso, parseDateTime } from '../lib/time-zones.ts'
import { problem, problems } from './problem.ts'
import {
  jsonContent,
  languageQuery,
  omitUndefined,
  organiserRoute,
  requireJson,
  slug,
  slugParams,
  typeErrorMessage,
  viewerRoute,
} from './requests.ts'

export const registrationLinks = new OpenAPIHono<App>()

const LinkResponse = z
  .object({
    code: z.string().meta({ example: 'k7m2xq4' }),
    channel: z.string(),
    target: z.union([z.object({ campaign: z.string() }), z.object({ workshop: z.string() })]),
    active: z.boolean().meta({ description: 'False if switched off. An expired link stays active: see expiresAt.' }),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    url: z.url().meta({ description: 'The URL in the QR code.' }),
    qrSvgUrl: z.url(),
    qrPngUrl: z.url(),
  })
  .meta({ id: 'RegistrationLink', description: 'A short code behind a QR code, for one channel.' })

const channel = z
  .string(typeErrorMessage)
  .transform(normalizedWith((text) => normalizeLine(text, 100)))
  .pipe(z.string().min(1, 'missing'))
  .meta({ description: 'Where the link is published.', example: 'AI newsletter 2023-07-07' })

const expiresAt = z
  .string(typeErrorMessage)
  .refine((text) => parseDateTime(text, 'UTC') !== undefined, 'time_invalid')
  .nullish()
  .meta({ description: 'ISO 8601; without an offset, in the default time zone of the installation. null: never.' })

const LinkDraftBody = z.strictObject({ channel, expiresAt }, typeErrorMessage).meta({ id: 'RegistrationLinkDraft' })

const LinkChangesBody = z
  .strictObject(
    {
      channel: channel.optional(),
      expiresAt,
      active: z.boolean(typeErrorMessage).optional(),
      target: z
        .union(
          [z.strictObject({ campaign: slug }, typeErrorMessage), z.strictObject({ workshop: slug }, typeErrorMessage)],
          typeErrorMessage,
        )
        .optional()
        .meta({ description: 'New target. Printed QR codes keep working.' }),
    },
    typeErrorMessage,
  )
  .meta({ id: 'RegistrationLinkChanges' })

const codeParams = z.object({ code: z.string().regex(/^\w{1,64}$/) })
const tags = ['Registration links']

for (const kind of ['workshop', 'campaign'] as const) {
  const toTarget = (slug: string) => ({ [kind]: slug }) as LinkTarget

  registrationLinks.openapi(
    createRoute({
      method: 'get',
      path: `/${kind}s/{slug}/links`,
      tags,
      summary: `The registration links of a ${kind}`,
      security: viewerRoute,
      request: { params: slugParams, query: languageQuery },
      responses: {
        200: {
          description: 'The links, oldest first',
          content: jsonContent(z.object({ items: z.array(LinkResponse) })),
        },
        ...problems({ 404: ['not_found'] }),
      },
    }),
    async (c) => {
      const links = await listLinks(c.env.deps, toTarget(c.req.valid('param').slug))
      return links ? c.json({ items: links.map((link) => serializeLink(c, link)) }, 200) : problem(c, 404, 'not_found')
    },
  )

  registrationLinks.openapi(
    createRoute({
      method: 'post',
      path: `/${kind}s/{slug}/links`,
      tags,
      summary: `Create a registration link to a ${kind}`,
      security: organiserRoute,
      middleware: requireJson,
      request: {
        params: slugParams,
        query: languageQuery,
        body: { required: true, content: jsonContent(LinkDraftBody) },
      },
      responses: {
        201: { description: 'The link', content: jsonContent(LinkResponse) },
        ...problems({ 404: ['not_found'], 422: ['invalid'] }),
      },
    }),
    async (c) => {
      const { channel, expiresAt } = c.req.valid('json')
      const draft = { channel, expiresAt: parseTime(c, expiresAt) }
      const link = await createLink(c.env.deps, toTarget(c.req.valid('param').slug), draft)
      if (!link) return problem(c, 404, 'not_found')
      await audit(c, { action: 'link.created', payload: { code: link.code, channel } })
      return c.json(serializeLink(c, link), 201)
    },
  )
}

registrationLinks.openapi(
  createRoute({
    method: 'patch',
    path: '/links/{code}',
    tags,
    summary: 'Update a registration link',
    description: 'Changes target, channel, expiry and whether it is active. Omitted fields stay unchanged.',
    security: organiserRoute,
    middleware: requireJson,
    request: {
      params: codeParams,
      query: languageQuery,
      body: { required: true, content: jsonContent(LinkChangesBody) },
    },
    responses: {
      200: { description: 'The changed link', content: jsonContent(LinkResponse) },
      ...problems({ 404: ['not_found'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { expiresAt, ...body } = c.req.valid('json')
    const changes = omitUndefined({ ...body, expiresAt: parseTime(c, expiresAt) })
    const link = await changeLink(c.env.deps, c.req.valid('param').code, changes)
    if (link === 'not_found') return problem(c, 404, link)
    if (link === 'target_not_found') {
      return problem(c, 422, 'invalid', { errors: [{ field: 'target', code: 'not_found' }] })
    }
    await audit(c, { action: 'link.changed', payload: { code: link.code, channel: link.channel } })
    return c.json(serializeLink(c, link), 200)
  },
)

registrationLinks.openapi(
  createRoute({
    method: 'get',
    path: '/links/{code}/stats',
    tags,
    summary: 'Scans and registrations of a link',
    security: viewerRoute,
    request: { params: codeParams, query: languageQuery },
    responses: {
      200: {
        description: 'Scans, and registrations through the link, including cancelled ones',
        content: jsonContent(z.object({ scans: z.int(), registrations: z.int() })),
      },
      ...problems({ 404: ['not_found'] }),
    },
  }),
  async (c) => {
    const stats = await linkStats(c.env.deps, c.req.valid('param').code)
    return stats ? c.json(stats, 200) : problem(c, 404, 'not_found')
  },
)

function serializeLink(c: Context<App>, { code, channel, target, active, expiresAt }: RegistrationLink) {
  const { baseUrl, timeZone } = c.env.deps.config
  return {
    code,
    channel,
    target,
    active,
    ...(expiresAt && { expiresAt: formatIso(expiresAt, timeZone) }),
    url: absoluteUrl(baseUrl, paths.registrationLink(code)),
    qrSvgUrl: absoluteUrl(baseUrl, paths.registrationLinkQrSvg(code)),
    qrPngUrl: absoluteUrl(baseUrl, paths.registrationLinkQrPng(code)),
  }
}

function parseTime(c: Context<App>, text: string | null | undefined): Date | null | undefined {
  return text ? parseDateTime(text, c.env.deps.config.timeZone) : (text as null | undefined)
}
