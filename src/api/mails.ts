import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { mailKinds } from '../db/schema.ts'
import { findMail, listMails, type MailInList, sendAgain, shownStates } from '../domain/mails.ts'
import { isoIn } from '../domain/time-zones.ts'
import { problem, problems } from './problem.ts'
import { inLanguage, json, organisers } from './requests.ts'

export const mails = new OpenAPIHono<App>()

const moment = z.iso.datetime({ offset: true })

const MailAnswer = z
  .object({
    id: z.int(),
    kind: z.enum(mailKinds),
    state: z.enum(shownStates).meta({
      description: '`held`: owed, but no mail server is set. `dead`: given up or refused for good, see `reason`.',
    }),
    workshop: z
      .string()
      .nullable()
      .meta({ description: 'Slug; null once the person is erased or a held sign-up is out of date.' }),
    registration: z.guid().nullable().meta({
      description: 'Id of the registration whose mail it is; null for one of the kind `held`, where there is none yet.',
    }),
    name: z.string().nullable(),
    email: z.string().nullable(),
    attempts: z.int(),
    reason: z.string().nullable().meta({ description: 'Why the last attempt failed, or why it was given up.' }),
    createdAt: moment,
    sentAt: moment.nullable(),
  })
  .meta({ id: 'Mail', description: 'An e-mail that is owed to an attendee. Times are those of the installation.' })

const id = z.string().regex(/^\d{1,15}$/)
const tags = ['Mails']
const pageLength = 50

mails.openapi(
  createRoute({
    method: 'get',
    path: '/mails',
    tags,
    summary: 'Mails, the newest first',
    security: organisers,
    request: {
      query: inLanguage.extend({
        state: z.enum(shownStates).optional(),
        cursor: id.optional().meta({ description: '`next` of the page before.' }),
      }),
    },
    responses: {
      200: {
        description: 'A page of mails',
        content: json(z.object({ items: z.array(MailAnswer), next: z.string().optional() })),
      },
      ...problems({ 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { state, cursor } = c.req.valid('query')
    const found = await listMails(c.env.deps, { state, before: Number(cursor ?? 0), limit: pageLength + 1 })
    const items = found.slice(0, pageLength)
    const next = found.length > pageLength ? String(items.at(-1)?.id) : undefined
    return c.json({ items: items.map((mail) => showMail(c, mail)), ...(next && { next }) }, 200)
  },
)

mails.openapi(
  createRoute({
    method: 'post',
    path: '/mails/{id}/send-again',
    tags,
    summary: 'Send a dead mail again',
    description:
      'For 24 hours it is tried as if it were new. One that would only confuse, such as a confirmation after the workshop, is given up again.',
    security: organisers,
    request: { params: z.object({ id: id.meta({ example: '42' }) }), query: inLanguage },
    responses: {
      200: { description: 'The mail as it is now', content: json(MailAnswer) },
      ...problems({ 404: ['not_found'], 409: ['not_dead', 'message_paused'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    const id = Number(c.req.valid('param').id)
    const outcome = await sendAgain(deps, id)
    const mail = await findMail(deps, id)
    if (outcome === 'not_found' || !mail) return problem(c, 404, 'not_found')
    if (outcome !== 'owed') return problem(c, 409, outcome)
    await audited(c, { action: 'mail.sent_again', registrationId: mail.registrationId ?? undefined })
    return c.json(showMail(c, mail), 200)
  },
)

function showMail(c: Context<App>, mail: MailInList): z.input<typeof MailAnswer> {
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
    createdAt: isoIn(mail.createdAt, timeZone),
    sentAt: mail.sentAt && isoIn(mail.sentAt, timeZone),
  }
}
