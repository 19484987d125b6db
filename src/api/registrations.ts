import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { cancellers, registrationStatuses } from '../db/schema.ts'
import type { Deps } from '../domain/deps.ts'
import { type AttendeeRow, listAttendees } from '../domain/registrations/export.ts'
import { verifyProof } from '../domain/registrations/proof-of-work.ts'
import { parseSignUp, signUpSchema } from '../domain/registrations/registrations.ts'
import { acceptOffer, cancelRegistration, eraseRegistration, register } from '../domain/registrations/seats.ts'
import { findPublicWorkshop, findWorkshop, type Workshop } from '../domain/workshops/workshops.ts'
import { attendeeFileName, attendeesCsv, attendeesXlsx } from '../http/attendee-export.ts'
import { audit } from '../http/audit.ts'
import { type App, rateLimitByIp } from '../http/context.ts'
import { absoluteUrl, paths } from '../http/links.ts'
import { attachment, rawResponse, streamBody } from '../http/responses.ts'
import { formatIso } from '../lib/time-zones.ts'
import { type ApiFieldProblem, problem, problems } from './problem.ts'
import {
  fieldCode,
  idempotencyKey,
  jsonContent,
  languageQuery,
  organiserRoute,
  requireJson,
  slugParams,
} from './requests.ts'

export const registrations = new OpenAPIHono<App>()

const SignUpResponse = z
  .object({
    id: z.guid(),
    status: z.enum(['confirmed', 'waitlisted', 'offered']),
    position: z.int().nullable().meta({ description: 'Place on the waitlist, counted from 1; null with a seat.' }),
    ticketUrl: z.url().meta({ description: "The attendee's secret link." }),
  })
  .meta({ id: 'SignedUp' })

/** The domain's own schema, described for those who call the API. */
const SignUpBody = z
  .strictObject({
    ...signUpSchema.shape,
    name: signUpSchema.shape.name.meta({ description: 'At most 80 characters, no web address.', example: '王小明' }),
    email: signUpSchema.shape.email.meta({ description: 'Plain ASCII.', example: 'wang@example.com' }),
    phone: signUpSchema.shape.phone.meta({
      description: 'Of a mobile, as people write it. A number without a country code is Chinese.',
      example: '+86 138 0013 8000',
    }),
    company: signUpSchema.shape.company.meta({ description: 'At most 120 characters, no web address.' }),
    locale: signUpSchema.shape.locale.meta({ description: 'Language of the mails, else that of the request.' }),
    via: signUpSchema.shape.via.meta({ description: 'Code of the registration link that led here.' }),
    ready: signUpSchema.shape.ready.meta({ description: 'Answers to the checklist, by the id of the item.' }),
    consent: signUpSchema.shape.consent.meta({ description: 'To the privacy notice.' }),
    proof: z.string().optional().meta({
      description: 'Of the work that a workshop with `proofOfWork` wants: see its challenge. Others pass it over.',
    }),
  })
  .meta({ id: 'SignUp' })

const tags = ['Registrations']

const signUpRoute = createRoute({
  method: 'post',
  path: '/workshops/{slug}/registrations',
  tags,
  summary: 'Sign somebody up',
  description:
    'Gives a seat or a place on the waitlist; either is a success. A retry with the same key and body gets the same answer and is stored once. `already_registered` mails the ticket to the address on file and tells no more.',
  security: [],
  request: {
    params: slugParams,
    query: languageQuery,
    headers: z.object({ 'Idempotency-Key': idempotencyKey }),
    body: { required: true, content: jsonContent(SignUpBody) },
  },
  responses: {
    201: { description: 'Signed up', content: jsonContent(SignUpResponse) },
    ...problems({
      404: ['not_found'],
      409: ['already_registered', 'full', 'not_open', 'closed', 'cancelled', 'idempotency_mismatch'],
      422: ['invalid'],
    }),
  },
})

// What a sign-up must hold depends on its workshop, so the handler checks all of it, with the schemas above.
registrations.openAPIRegistry.registerPath(signUpRoute)
registrations.post(signUpRoute.getRoutingPath(), rateLimitSignUps(), requireJson, async (c) => {
  const { deps } = c.env
  const workshop = await findPublicWorkshop(deps, c.req.param('slug'))
  if (!workshop) return problem(c, 404, 'not_found')

  const body: unknown = await c.req.json()
  const key = idempotencyKey.safeParse(c.req.header('idempotency-key'))
  const parsed = parseSignUp(body, workshop, c.get('locale'))
  const errors: ApiFieldProblem[] = [
    ...(key.error ? [{ field: 'Idempotency-Key', code: fieldCode(key.error.issues[0]) }] : []),
    ...('problems' in parsed ? parsed.problems : []),
    ...(workshop.proofOfWork ? await validateProof(deps, workshop.slug, key.data, body) : []),
    ...findUnknownFields(body),
  ]
  if (errors.length > 0 || !key.success || 'problems' in parsed) return problem(c, 422, 'invalid', { errors })

  const answer = await register(deps, workshop, parsed.signUp, key.data, 'api')
  if (answer.kind === 'refused') {
    if (answer.refusal === 'too_many') c.header('Retry-After', '86400')
    const statuses = { not_found: 404, too_many: 429 } as const
    return problem(
      c,
      answer.refusal in statuses ? statuses[answer.refusal as keyof typeof statuses] : 409,
      answer.refusal,
    )
  }
  const { id, status, position, ticket } = answer
  const ticketUrl = absoluteUrl(deps.config.baseUrl, paths.ticket(ticket))
  const signedUp = { id, status, position, ticketUrl } satisfies z.input<typeof SignUpResponse>
  return rawResponse(c, JSON.stringify(signedUp), 201, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
  })
})

function rateLimitSignUps(): MiddlewareHandler<App> {
  return async (c, next) => {
    await rateLimitByIp(c, 'register')
    return next()
  }
}

async function validateProof(
  deps: Deps,
  slug: string,
  key: string | undefined,
  body: unknown,
): Promise<ApiFieldProblem[]> {
  const proof = (body as { proof?: unknown } | null)?.proof
  if (proof === undefined || proof === '') return [{ field: 'proof', code: 'proof_missing' }]
  const proven = key !== undefined && typeof proof === 'string' && (await verifyProof(deps, slug, key, proof))
  return proven ? [] : [{ field: 'proof', code: 'proof_invalid' }]
}

function findUnknownFields(body: unknown): ApiFieldProblem[] {
  if (typeof body !== 'object' || body === null) return []
  return Object.keys(body)
    .filter((field) => !Object.hasOwn(SignUpBody.shape, field))
    .map((field) => ({ field, code: 'unknown_field' }))
}

const dateTime = z.iso.datetime({ offset: true })

const RegistrationResponse = z
  .object({
    id: z.guid(),
    seq: z.int().meta({ description: 'Sequence number: rises in the order of sign-up, within the workshop.' }),
    status: z.enum(registrationStatuses),
    position: z.int().nullable().meta({ description: 'Place on the waitlist, counted from 1.' }),
    name: z.string(),
    email: z.string().meta({ description: 'Empty for walk-ins, who gave none, and once the person is erased.' }),
    phone: z.string().nullable().meta({ description: 'E.164', example: '+8613800138000' }),
    phoneShared: z.boolean().meta({ description: 'Another live registration of the workshop has this number.' }),
    company: z.string().nullable(),
    locale: z.string(),
    channel: z.string().nullable().meta({ description: 'Of the registration link that led here.' }),
    walkIn: z.boolean().meta({ description: 'Came to the door without having signed up.' }),
    ready: z.record(z.string(), z.boolean()).meta({ description: 'Answers to the checklist, by the id of the item.' }),
    createdAt: dateTime,
    seatedAt: dateTime.nullable(),
    offeredUntil: dateTime.nullable().meta({ description: 'Until when an `offered` seat is held.' }),
    cancelledAt: dateTime.nullable(),
    cancelledBy: z.enum(cancellers).nullable().meta({
      description:
        '`deadline`: an offered seat was not taken in time. `absence`: did not come, and the seat went to somebody at the door.',
    }),
    consentVersion: z.string().meta({ description: 'Of the privacy notice that was agreed to.' }),
    erased: z.boolean().meta({ description: 'The personal fields were emptied.' }),
  })
  .meta({ id: 'Registration' })

const xlsxMediaType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const statusQuery = languageQuery.extend({ status: z.enum(registrationStatuses).optional() })

registrations.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}/registrations',
    tags,
    summary: 'The attendee list, in the order of sign-up',
    security: organiserRoute,
    request: {
      params: slugParams,
      query: statusQuery.extend({
        cursor: z
          .string()
          .regex(/^\d{1,9}$/)
          .optional()
          .meta({ description: '`next` of the page before.' }),
      }),
    },
    responses: {
      200: {
        description: 'A page of registrations; times have the offset of the workshop.',
        content: jsonContent(z.object({ items: z.array(RegistrationResponse), next: z.string().optional() })),
      },
      ...problems({ 404: ['not_found'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const { status, cursor } = c.req.valid('query')
    const workshop = await findWorkshop(deps, c.req.valid('param').slug)
    if (!workshop) return problem(c, 404, 'not_found')
    await audit(c, { action: 'list.looked_up', workshopId: workshop.id, payload: { slug: workshop.slug } })
    const { lines, next } = await listAttendees(deps, workshop, { status, after: Number(cursor ?? 0) })
    return c.json(
      { items: lines.map((line) => serializeAttendee(line, workshop)), ...(next && { next: String(next) }) },
      200,
    )
  },
)

/** What a program is told of somebody: what the schema promises, and no more of what the console shows. */
function serializeAttendee(row: AttendeeRow, { timeZone }: Workshop): z.input<typeof RegistrationResponse> {
  const { workshopId: _workshop, attendanceConfirmedFor: _coming, checkedInAt: _came, ...publicFields } = row
  const { createdAt, seatedAt, offeredUntil, cancelledAt, ...line } = publicFields
  return {
    ...line,
    createdAt: formatIso(createdAt, timeZone),
    seatedAt: seatedAt && formatIso(seatedAt, timeZone),
    offeredUntil: offeredUntil && formatIso(offeredUntil, timeZone),
    cancelledAt: cancelledAt && formatIso(cancelledAt, timeZone),
  }
}

registrations.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}/registrations.csv',
    tags,
    summary: 'The attendee list as CSV',
    description: 'UTF-8 with a byte order mark. Heads are in the language of the request, times are local.',
    security: organiserRoute,
    request: { params: slugParams, query: statusQuery },
    responses: {
      200: { description: 'The list', content: { 'text/csv': { schema: z.string() } } },
      ...problems({ 404: ['not_found'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const workshop = await findWorkshop(deps, c.req.valid('param').slug)
    if (!workshop) return problem(c, 404, 'not_found')
    await audit(c, exportAuditEntry(workshop, 'csv'))
    const csv = attendeesCsv(deps, [workshop], c.var.locale, c.req.valid('query'))
    return c.body(await streamBody(deps, csv), 200, {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': attachment(`${workshop.slug}.csv`, attendeeFileName(workshop, c.var.locale, 'csv')),
    })
  },
)

registrations.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}/registrations.xlsx',
    tags,
    summary: 'The attendee list as a workbook',
    description: 'Heads are in the language of the request, times are local.',
    security: organiserRoute,
    request: { params: slugParams, query: statusQuery },
    responses: {
      200: { description: 'The list', content: { [xlsxMediaType]: { schema: { type: 'string', format: 'binary' } } } },
      ...problems({ 404: ['not_found'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const workshop = await findWorkshop(deps, c.req.valid('param').slug)
    if (!workshop) return problem(c, 404, 'not_found')
    await audit(c, exportAuditEntry(workshop, 'xlsx'))
    const xlsx = attendeesXlsx(deps, [workshop], c.var.locale, c.req.valid('query'))
    return c.body(await streamBody(deps, xlsx), 200, {
      'Content-Type': xlsxMediaType,
      'Content-Disposition': attachment(`${workshop.slug}.xlsx`, attendeeFileName(workshop, c.var.locale, 'xlsx')),
    })
  },
)

const exportAuditEntry = ({ id, slug }: Workshop, format: 'csv' | 'xlsx') => ({
  action: 'list.exported' as const,
  workshopId: id,
  payload: { slug, format },
})

const idParams = z.object({ id: z.guid() })

registrations.openapi(
  createRoute({
    method: 'post',
    path: '/registrations/{id}/cancel',
    tags,
    summary: 'Cancel a registration',
    description: 'The seat goes to the next in line; both are told by mail.',
    security: organiserRoute,
    request: { params: idParams, query: languageQuery },
    responses: {
      200: {
        description: 'Cancelled',
        content: jsonContent(z.object({ id: z.guid(), status: z.literal('cancelled') })),
      },
      ...problems({ 404: ['not_found'], 409: ['already_cancelled', 'over'] }),
    },
  }),
  async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await cancelRegistration(c.env.deps, id, 'organiser')
    if (outcome === 'cancelled') {
      await audit(c, { action: 'person.cancelled', registrationId: id })
      return c.json({ id, status: outcome }, 200)
    }
    return problem(c, outcome === 'not_found' ? 404 : 409, outcome)
  },
)

registrations.openapi(
  createRoute({
    method: 'post',
    path: '/registrations/{id}/confirm',
    tags,
    summary: 'Take an offered seat for somebody',
    description: 'For those who say on the phone that they come. One who has the seat already is answered the same.',
    security: organiserRoute,
    request: { params: idParams, query: languageQuery },
    responses: {
      200: {
        description: 'Confirmed',
        content: jsonContent(z.object({ id: z.guid(), status: z.literal('confirmed') })),
      },
      ...problems({ 404: ['not_found'], 409: ['lapsed', 'not_offered', 'already_cancelled'] }),
    },
  }),
  async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await acceptOffer(c.env.deps, id)
    if (outcome === 'taken' || outcome === 'already_taken') return c.json({ id, status: 'confirmed' as const }, 200)
    if (outcome === 'not_found') return problem(c, 404, outcome)
    return problem(c, 409, outcome === 'cancelled' ? 'already_cancelled' : outcome)
  },
)

registrations.openapi(
  createRoute({
    method: 'delete',
    path: '/registrations/{id}',
    tags,
    summary: 'Erase a person',
    description: 'Gives back the seat they still hold and empties the personal fields, for good. No mail is sent.',
    security: organiserRoute,
    request: { params: idParams, query: languageQuery },
    responses: {
      204: { description: 'Erased' },
      ...problems({ 404: ['not_found'], 409: ['board_not_returned'] }),
    },
  }),
  async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await eraseRegistration(c.env.deps, id, 'organiser')
    if (outcome !== 'erased') return problem(c, outcome === 'not_found' ? 404 : 409, outcome)
    await audit(c, { action: 'person.erased', registrationId: id })
    return c.body(null, 204)
  },
)
