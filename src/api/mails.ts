import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { mailKinds, mailReasons } from '../db/schema.ts'
import { displayStates, findMail, type ListedMail, listMails, retryMail } from '../domain/mails/outbox.ts'
import { audit } from '../http/audit.ts'
import type { App } from '../http/context.ts'
import { formatIso } from '../lib/time-zones.ts'
import { problem, problems } from './problem.ts'
import { jsonContent, languageQuery, organiserRoute } from './requests.ts'

export const mails = new OpenAPIHono<App>()

const dateTime = z.iso.datetime({ offset: true })

const MailResponse = z
  .object({
    id: z.int(),
    kind: z.enum(mailKinds),
    state: z.enum(displayStates).meta({
      description: '`held`: queued, but no mail server is configured. `dead`: failed or discarded, see `reason`.',
    }),
    workshop: z.string().nullable().meta({
      description:
        'Slug; null for mails to organisers, and once the person is erased or a pending sign-up has expired.',
    }),
    registration: z.guid().nullable().meta({
      description:
        'Id of the registration; null for the confirmation of a pending sign-up and for mails to organisers.',
    }),
    name: z.string().nullable(),
    email: z.string().nullable(),
    attempts: z.int(),
    reason: z.string().nullable().meta({ description: 'Why the last attempt failed, or why the mail was discarded.' }),
    reasonCode: z.enum(mailReasons).nullable().meta({
      description:
        'Code of `reason`: why the mail was discarded, `retries_exhausted` (it failed for 24 hours) or `render_failed`. Null while `reason` is only the last delivery error.',
    }),
    createdAt: dateTime,
    sentAt: dateTime.nullable(),
  })
  .meta({
    id: 'Mail',
    description: 'An e-mail to an attendee or an organiser. Times are in the time zone of the installation.',
  })

const id = z.string().regex(/^\d{1,15}$/)
const tags = ['Mails']
const pageSize = 50

mails.openapi(
  createRoute({
    method: 'get',
    path: '/mails',
    tags,
    summary: 'Mails, newest first',
    security: organiserRoute,
    request: {
      query: languageQuery.extend({
        state: z.enum(displayStates).optional(),
        cursor: id.optional().meta({ description: '`next` of the previous page.' }),
      }),
    },
    responses: {
      200: {
        description: 'A page of mails',
        content: jsonContent(z.object({ items: z.array(MailResponse), next: z.string().optional() })),
      },
      ...problems({ 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { state, cursor } = c.req.valid('query')
    const rows = await listMails(c.env.deps, { state, before: Number(cursor ?? 0), limit: pageSize + 1 })
    const items = rows.slice(0, pageSize)
    const next = rows.length > pageSize ? String(items.at(-1)?.id) : undefined
    return c.json({ items: items.map((mail) => serializeMail(c, mail)), ...(next && { next }) }, 200)
  },
)

mails.openapi(
  createRoute({
    method: 'post',
    path: '/mails/{id}/send-again',
    tags,
    summary: 'Retry a failed mail',
    description:
      'It is retried for 24 hours like a new one. An obsolete mail, such as a confirmation after the workshop, is discarded again.',
    security: organiserRoute,
    request: { params: z.object({ id: id.meta({ example: '42' }) }), query: languageQuery },
    responses: {
      200: { description: 'The queued mail', content: jsonContent(MailResponse) },
      ...problems({ 404: ['not_found'], 409: ['not_dead', 'message_paused'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const id = Number(c.req.valid('param').id)
    const outcome = await retryMail(deps, id)
    const mail = await findMail(deps, id)
    if (outcome === 'not_found' || !mail) return problem(c, 404, 'not_found')
    if (outcome !== 'queued') return problem(c, 409, outcome)
    await audit(c, { action: 'mail.sent_again', registrationId: mail.registrationId ?? undefined })
    return c.json(serializeMail(c, mail), 200)
  },
)

function serializeMail(c: Context<App>, mail: ListedMail): z.input<typeof MailResponse> {
  const { timeZone } = c.env.deps.config
  const { registration, held } = mail
  return {
    id: mail.id,
    kind: mail.kind,
    state: mail.state,
    workshop: (registration ?? held)?.workshop.slug ?? null,
    registration: mail.registrationId,
    name: (registration ?? held?.signUp)?.name ?? null,
    email: (registration ?? held?.signUp)?.email ?? null,
    attempts: mail.attempt,
    reason: mail.reason,
    reasonCode: mail.reasonCode,
    createdAt: formatIso(mail.createdAt, timeZone),
    sentAt: mail.sentAt && formatIso(mail.sentAt, timeZone),
  }
}
