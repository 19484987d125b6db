import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { cancellers, registrationStatuses } from '../db/schema.ts'
import { type AttendeeRow, listAttendees } from '../domain/registrations/export.ts'
import { signUpSchema } from '../domain/registrations/registrations.ts'
import { acceptOffer, cancelRegistration, eraseRegistration } from '../domain/registrations/seats.ts'
import { signUp } from '../domain/registrations/sign-up.ts'
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
    position: z.int().nullable().meta({ description: 'Position on the waitlist, from 1; null with a seat.' }),
    ticketUrl: z.url().meta({ description: "The attendee's secret link." }),
  })
  .meta({ id: 'SignedUp' })

/** The domain's schema with descriptions for the API documentation. */
const SignUpBody = z
  .strictObject({
    ...signUpSchema.shape,
    name: signUpSchema.shape.name.meta({ description: 'At most 80 characters, no web address.', example: '王小明' }),
    email: signUpSchema.shape.email.meta({ description: 'Plain ASCII.', example: 'wang@example.com' }),
    phone: signUpSchema.shape.phone.meta({
      description: 'A mobile number, in any common notation. Without a country code it is taken as Chinese.',
      example: '+86 138 0013 8000',
    }),
    company: signUpSchema.shape.company.meta({ description: 'At most 120 characters, no web address.' }),
    locale: signUpSchema.shape.locale.meta({ description: 'Language of the mails. Default: that of the request.' }),
    via: signUpSchema.shape.via.meta({ description: 'Code of the registration link that was followed.' }),
    ready: signUpSchema.shape.ready.meta({ description: 'Answers to the checklist, by the id of the item.' }),
    consent: signUpSchema.shape.consent.meta({ description: 'Consent to the privacy notice.' }),
    proof: z.string().optional().meta({
      description: 'Solution of the challenge, for a workshop with `proofOfWork`. Ignored by others.',
    }),
  })
  .meta({ id: 'SignUp' })

const tags = ['Registrations']

const signUpRoute = createRoute({
  method: 'post',
  path: '/workshops/{slug}/registrations',
  tags,
  summary: 'Register an attendee',
  description:
    'Gives a seat or a place on the waitlist; both are a success. A retry with the same key and body gets the same response and creates no second registration. `already_registered` mails the ticket to the address on file and discloses nothing else.',
  security: [],
  request: {
    params: slugParams,
    query: languageQuery,
    headers: z.object({ 'Idempotency-Key': idempotencyKey }),
    body: { required: true, content: jsonContent(SignUpBody) },
  },
  responses: {
    201: { description: 'Registered', content: jsonContent(SignUpResponse) },
    ...problems({
      404: ['not_found'],
      409: ['already_registered', 'full', 'not_open', 'closed', 'cancelled', 'idempotency_mismatch'],
      422: ['invalid'],
    }),
  },
})

// The required fields depend on the workshop, so the handler validates the body itself, with the schemas above.
registrations.openAPIRegistry.registerPath(signUpRoute)
registrations.post(signUpRoute.getRoutingPath(), rateLimitSignUps(), requireJson, async (c) => {
  const { deps } = c.env
  const workshop = await findPublicWorkshop(deps, c.req.param('slug'))
  if (!workshop) return problem(c, 404, 'not_found')

  const body: unknown = await c.req.json()
  const key = idempotencyKey.safeParse(c.req.header('idempotency-key'))
  const unknownFields = findUnknownFields(body)
  const result = await signUp(deps, workshop, {
    source: 'api',
    input: body,
    locale: c.get('locale'),
    idempotencyKey: key.data,
    proof: (body as { proof?: unknown } | null)?.proof,
    hasOtherErrors: unknownFields.length > 0,
  })
  if (result.kind === 'invalid') {
    const errors: ApiFieldProblem[] = [
      ...(key.error ? [{ field: 'Idempotency-Key', code: fieldCode(key.error.issues[0]) }] : []),
      ...result.problems,
      ...(result.proof ? [{ field: 'proof', code: `proof_${result.proof}` as const }] : []),
      ...unknownFields,
    ]
    return problem(c, 422, 'invalid', { errors })
  }
  if (result.kind === 'refused') {
    if (result.refusal === 'too_many') c.header('Retry-After', '86400')
    const statuses = { not_found: 404, too_many: 429 } as const
    return problem(
      c,
      result.refusal in statuses ? statuses[result.refusal as keyof typeof statuses] : 409,
      result.refusal,
    )
  }
  const { id, status, position, ticket } = result
  const ticketUrl = absoluteUrl(deps.config.baseUrl, paths.ticket(ticket))
  const response = { id, status, position, ticketUrl } satisfies z.input<typeof SignUpResponse>
  return rawResponse(c, JSON.stringify(response), 201, {
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
    seq: z.int().meta({ description: 'Sequence number within the workshop, in the order of registration.' }),
    status: z.enum(registrationStatuses),
    position: z.int().nullable().meta({ description: 'Position on the waitlist, from 1.' }),
    name: z.string(),
    email: z.string().meta({ description: 'Empty for walk-ins without an address, and once the person is erased.' }),
    phone: z.string().nullable().meta({ description: 'E.164', example: '+8613800138000' }),
    phoneShared: z.boolean().meta({ description: 'Another active registration of the workshop has this number.' }),
    company: z.string().nullable(),
    locale: z.string(),
    channel: z.string().nullable().meta({ description: 'Channel of the registration link that was followed.' }),
    walkIn: z.boolean().meta({ description: 'Registered at the door, without signing up before.' }),
    ready: z.record(z.string(), z.boolean()).meta({ description: 'Answers to the checklist, by the id of the item.' }),
    createdAt: dateTime,
    seatedAt: dateTime.nullable(),
    offeredUntil: dateTime.nullable().meta({ description: 'Deadline of an `offered` seat.' }),
    cancelledAt: dateTime.nullable(),
    cancelledBy: z.enum(cancellers).nullable().meta({
      description: '`deadline`: the offer expired. `absence`: a no-show, whose seat went to a walk-in.',
    }),
    consentVersion: z.string().meta({ description: 'Version of the privacy notice that was accepted.' }),
    erased: z.boolean().meta({ description: 'The personal fields have been cleared.' }),
  })
  .meta({ id: 'Registration' })

const xlsxMediaType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const statusQuery = languageQuery.extend({ status: z.enum(registrationStatuses).optional() })

registrations.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}/registrations',
    tags,
    summary: 'The attendee list, in the order of registration',
    security: organiserRoute,
    request: {
      params: slugParams,
      query: statusQuery.extend({
        cursor: z
          .string()
          .regex(/^\d{1,9}$/)
          .optional()
          .meta({ description: '`next` of the previous page.' }),
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

/** Serializes the fields of the schema only; the row has more, for the console. */
function serializeAttendee(row: AttendeeRow, { timeZone }: Workshop): z.input<typeof RegistrationResponse> {
  const {
    workshopId: _workshopId,
    attendanceConfirmedFor: _confirmedFor,
    checkedInAt: _checkedInAt,
    ...publicFields
  } = row
  const { createdAt, seatedAt, offeredUntil, cancelledAt, ...rest } = publicFields
  return {
    ...rest,
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
    description: 'The seat goes to the next on the waitlist. Both are notified by mail.',
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
    summary: 'Accept an offered seat for an attendee',
    description: 'E.g. after a phone call. Idempotent: succeeds if the offer has been accepted already.',
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
    description: 'Releases the seat and clears the personal fields; cannot be undone. No mail is sent.',
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
