import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { bounded } from '../domain/bounds.ts'
import { oneLine } from '../domain/plain-text.ts'
import {
  changeLink,
  createLink,
  type LinkTarget,
  linkStats,
  listLinks,
  type RegistrationLink,
} from '../domain/registration-links.ts'
import { isoIn, readMoment } from '../domain/time-zones.ts'
import { paths, urlOf } from '../links.ts'
import { problem, problems } from './problem.ts'
import { bySlug, given, inLanguage, json, jsonBody, organisers, said, slug, viewers } from './requests.ts'

export const links = new OpenAPIHono<App>()

const LinkAnswer = z
  .object({
    code: z.string().meta({ example: 'k7m2xq4' }),
    channel: z.string(),
    target: z.union([z.object({ campaign: z.string() }), z.object({ workshop: z.string() })]),
    active: z.boolean(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    url: z.url().meta({ description: 'What the QR says.' }),
    qrSvgUrl: z.url(),
    qrPngUrl: z.url(),
  })
  .meta({ id: 'RegistrationLink', description: 'A short code behind a QR, for one channel.' })

const channel = z
  .string(said)
  .transform(bounded((text) => oneLine(text, 100)))
  .pipe(z.string().min(1, 'missing'))
  .meta({ description: 'Where it is shown.', example: 'AI newsletter 2023-07-07' })

const expiresAt = z
  .string(said)
  .refine((text) => readMoment(text, 'UTC') !== undefined, 'time_invalid')
  .nullish()
  .meta({ description: 'ISO 8601; without an offset in the time zone of the installation. null: never.' })

const LinkDraftBody = z.strictObject({ channel, expiresAt }, said).meta({ id: 'RegistrationLinkDraft' })

const LinkChangesBody = z
  .strictObject(
    {
      channel: channel.optional(),
      expiresAt,
      active: z.boolean(said).optional(),
      target: z
        .union([z.strictObject({ campaign: slug }, said), z.strictObject({ workshop: slug }, said)], said)
        .optional()
        .meta({ description: 'Where it leads from now on, printed as it is.' }),
    },
    said,
  )
  .meta({ id: 'RegistrationLinkChanges' })

const byCode = z.object({ code: z.string().regex(/^\w{1,64}$/) })
const tags = ['Registration links']

for (const kind of ['workshop', 'campaign'] as const) {
  const targetOf = (slug: string) => ({ [kind]: slug }) as LinkTarget

  links.openapi(
    createRoute({
      method: 'get',
      path: `/${kind}s/{slug}/links`,
      tags,
      summary: `The registration links of a ${kind}`,
      security: viewers,
      request: { params: bySlug, query: inLanguage },
      responses: {
        200: { description: 'The links, the oldest first', content: json(z.object({ items: z.array(LinkAnswer) })) },
        ...problems({ 404: ['not_found'] }),
      },
    }),
    async (c) => {
      const found = await listLinks(c.env.deps, targetOf(c.req.valid('param').slug))
      return found ? c.json({ items: found.map((link) => showLink(c, link)) }, 200) : problem(c, 404, 'not_found')
    },
  )

  links.openapi(
    createRoute({
      method: 'post',
      path: `/${kind}s/{slug}/links`,
      tags,
      summary: `Make a registration link to a ${kind}`,
      security: organisers,
      middleware: jsonBody,
      request: { params: bySlug, query: inLanguage, body: { required: true, content: json(LinkDraftBody) } },
      responses: {
        201: { description: 'The link', content: json(LinkAnswer) },
        ...problems({ 404: ['not_found'], 422: ['invalid'] }),
      },
    }),
    async (c) => {
      const { channel, expiresAt } = c.req.valid('json')
      const draft = { channel, expiresAt: readTime(c, expiresAt) }
      const link = await createLink(c.env.deps, targetOf(c.req.valid('param').slug), draft)
      if (!link) return problem(c, 404, 'not_found')
      await audited(c, { action: 'link.created', facts: { code: link.code, channel } })
      return c.json(showLink(c, link), 201)
    },
  )
}

links.openapi(
  createRoute({
    method: 'patch',
    path: '/links/{code}',
    tags,
    summary: 'Re-aim a registration link, let it expire, switch it off or on',
    description: 'Only what is given changes.',
    security: organisers,
    middleware: jsonBody,
    request: { params: byCode, query: inLanguage, body: { required: true, content: json(LinkChangesBody) } },
    responses: {
      200: { description: 'The link as it is now', content: json(LinkAnswer) },
      ...problems({ 404: ['not_found'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { expiresAt, ...body } = c.req.valid('json')
    const changes = given({ ...body, expiresAt: readTime(c, expiresAt) })
    const link = await changeLink(c.env.deps, c.req.valid('param').code, changes)
    if (link === 'not_found') return problem(c, 404, link)
    if (link === 'target_not_found') {
      return problem(c, 422, 'invalid', { errors: [{ field: 'target', code: 'not_found' }] })
    }
    await audited(c, { action: 'link.changed', facts: { code: link.code, channel: link.channel } })
    return c.json(showLink(c, link), 200)
  },
)

links.openapi(
  createRoute({
    method: 'get',
    path: '/links/{code}/stats',
    tags,
    summary: 'What a registration link has brought',
    security: viewers,
    request: { params: byCode, query: inLanguage },
    responses: {
      200: {
        description: 'Scans, and the registrations that came of them, cancelled ones included',
        content: json(z.object({ scans: z.int(), registrations: z.int() })),
      },
      ...problems({ 404: ['not_found'] }),
    },
  }),
  async (c) => {
    const stats = await linkStats(c.env.deps, c.req.valid('param').code)
    return stats ? c.json(stats, 200) : problem(c, 404, 'not_found')
  },
)

function showLink(c: Context<App>, { code, channel, target, active, expiresAt }: RegistrationLink) {
  const { baseUrl, timeZone } = c.env.deps.config
  return {
    code,
    channel,
    target,
    active,
    ...(expiresAt && { expiresAt: isoIn(expiresAt, timeZone) }),
    url: urlOf(baseUrl, paths.link(code)),
    qrSvgUrl: urlOf(baseUrl, paths.linkQrSvg(code)),
    qrPngUrl: urlOf(baseUrl, paths.linkQrPng(code)),
  }
}

function readTime(c: Context<App>, given: string | null | undefined): Date | null | undefined {
  return given ? readMoment(given, c.env.deps.config.timeZone) : (given as null | undefined)
}
