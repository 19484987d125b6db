import type { Context, TypedResponse } from 'hono'
import { z } from 'zod'
import type { Refusal } from '../domain/registrations/batcher.ts'
import type { FieldCode } from '../domain/registrations/registrations.ts'
import type { App } from '../http/context.ts'
import { apiMessages } from '../i18n/api.ts'
import { publicMessages } from '../i18n/public.ts'
import type { ApiMessages } from '../i18n/zh-CN/api.ts'
import { firstPerKey, maxProblems } from '../lib/input-limits.ts'
import { truncate } from '../lib/text.ts'

export type ProblemStatus = keyof ApiMessages['statuses']
export type ProblemCode = keyof ApiMessages['problems'] | Refusal
export type ApiFieldCode = keyof ApiMessages['fieldProblems'] | FieldCode
/** An invalid field. `field` is its path in the body, such as `items.0.text`, or the name of a header or parameter. */
export type ApiFieldProblem = { field: string; code: ApiFieldCode }

/** Assignable to the response type of any route. */
export type ProblemResponse = Response & TypedResponse<never, never, 'json'>

const Problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'Meaning of the status, in the language of the request.' }),
    status: z.int(),
    detail: z.string().meta({ description: 'What went wrong, in the language of the request.' }),
    code: z.string().meta({ description: 'What went wrong, for programs. Stable.', example: 'already_registered' }),
    errors: z
      .array(z.object({ field: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .meta({ description: `With \`invalid\`: the invalid fields and why, at most ${maxProblems}.` }),
    taken: z.int().optional().meta({ description: 'With `capacity_below_taken`: number of seats taken.' }),
  })
  .meta({ id: 'Problem', description: 'A problem (RFC 9457).' })

/**
 * Creates a problem response (RFC 9457) in the language of the request.
 * @param errors invalid fields; the first problem of each is reported
 * @param taken number of seats taken, with `capacity_below_taken`
 */
export function problem(
  c: Context<App>,
  status: ProblemStatus,
  code: ProblemCode,
  { errors, ...details }: { errors?: ApiFieldProblem[]; taken?: number } = {},
): ProblemResponse {
  // Undefined if the request failed before its language was detected.
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
    ...details,
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

/** Bounds what is echoed of an unknown field's name. Our own names are shorter than 100 characters. */
function truncateFieldName(field: string): string {
  return field.length > 100 ? `${truncate(field, 99)}…` : field
}

/** Documents the problems of a route, plus the default one. */
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
