import type { Context, TypedResponse } from 'hono'
import { z } from 'zod'
import type { FieldCode } from '../domain/registrations/registrations.ts'
import type { Refusal } from '../domain/registrations/seats.ts'
import type { App } from '../http/context.ts'
import { apiMessages } from '../i18n/api.ts'
import { publicMessages } from '../i18n/public.ts'
import type { ApiMessages } from '../i18n/zh-CN/api.ts'
import { firstPerKey, maxProblems } from '../lib/input-limits.ts'
import { truncate } from '../lib/text.ts'

export type ProblemStatus = keyof ApiMessages['statuses']
export type ProblemCode = keyof ApiMessages['problems'] | Refusal
export type ApiFieldCode = keyof ApiMessages['fieldProblems'] | FieldCode
/** A field that is refused. `field` is its path in the body, such as `items.0.text`, or the name of a header or parameter. */
export type ApiFieldProblem = { field: string; code: ApiFieldCode }

/** Fits wherever a handler may answer: its body and status are in no route's way. */
export type ProblemResponse = Response & TypedResponse<never, never, 'json'>

const Problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'What the status means, in the language of the request.' }),
    status: z.int(),
    detail: z.string().meta({ description: 'What went wrong, in the language of the request.' }),
    code: z.string().meta({ description: 'What went wrong, for programs. Stable.', example: 'already_registered' }),
    errors: z
      .array(z.object({ field: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .meta({ description: `With \`invalid\`: every field that is refused and why, at most ${maxProblems} of them.` }),
    taken: z.int().optional().meta({ description: 'With `capacity_below_taken`: how many seats are taken.' }),
  })
  .meta({ id: 'Problem', description: 'A problem as in RFC 9457.' })

/**
 * Answers with what went wrong (RFC 9457), in the language of the request.
 * @param more the refused fields, of each of which the first problem is told, or the number that a refusal comes with
 */
export function problem(
  c: Context<App>,
  status: ProblemStatus,
  code: ProblemCode,
  { errors, ...more }: { errors?: ApiFieldProblem[]; taken?: number } = {},
): ProblemResponse {
  // What fails before the language is chosen is said in the installation's own.
  const locale = c.var.locale ?? c.env.deps.config.defaultLocale
  const publicTexts = publicMessages(locale)
  const apiTexts = apiMessages(locale)
  const sentences = { ...publicTexts.refusals, ...apiTexts.problems }
  const fieldSentences = { ...publicTexts.fieldProblems, ...apiTexts.fieldProblems }
  const body: z.input<typeof Problem> = {
    type: 'about:blank',
    title: apiTexts.statuses[status],
    status,
    detail: sentences[code],
    code,
    ...more,
    ...(errors && {
      errors: firstPerKey(errors, ({ field }) => field).map(({ field: fieldPath, code }) => {
        const field = truncateFieldName(fieldPath)
        const name = (Object.hasOwn(publicTexts.fields, field) && publicTexts.fields[field]) || field
        return { field, code, message: fieldSentences[code](name) }
      }),
    }),
  }
  const headers = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    // RFC 9110, 15.5.2.
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
  }
  return c.body(JSON.stringify(body), status, headers) as Response as ProblemResponse
}

/** The name of a field as an answer repeats it. The names of our own fields are shorter than 100 characters. */
function truncateFieldName(field: string): string {
  return field.length > 100 ? `${truncate(field, 99)}…` : field
}

/** The problems of a route, for its documentation; those of every route are added. */
export function problems(codes: { [Status in ProblemStatus]?: ProblemCode[] } = {}): object {
  const content = { 'application/problem+json': { schema: Problem } }
  const documented = Object.entries(codes).map(([status, codes]) => [
    status,
    { description: codes.map((code) => `\`${code}\``).join(', '), content },
  ])
  return {
    ...Object.fromEntries(documented),
    default: { description: 'Any other problem, such as `too_many_requests` or `unavailable`', content },
  }
}
