import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { fieldCodes } from '../domain/registrations/registrations.ts'
import { slugPattern } from '../domain/workshops/slugs.ts'
import type { App } from '../http/context.ts'
import { zhCN } from '../i18n/zh-CN/api.ts'
import { type ApiFieldCode, type ApiFieldProblem, type ProblemResponse, problem } from './problem.ts'

/** Refuses a body that is not JSON, by its type (415) or in fact (400). */
export const requireJson: MiddlewareHandler<App> = async (c, next) => {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') return problem(c, 415, 'unsupported_media_type')
  try {
    // The body is kept, so that whoever validates it reads it again.
    await c.req.json()
  } catch (error) {
    if (error instanceof SyntaxError) return problem(c, 400, 'malformed_json')
    throw error
  }
  return next()
}

/** Answers what a schema refuses: a path that cannot exist is not found, everything else is named field by field. */
export function validationHook(
  result: { target: string; success: boolean; error?: z.ZodError },
  c: Context<App>,
): ProblemResponse | undefined {
  if (result.success || !result.error) return undefined
  if (result.target === 'param') return problem(c, 404, 'not_found')
  return problem(c, 422, 'invalid', { errors: toFieldProblems(result.error.issues) })
}

/**
 * Anyone may read this, pages of other sites too. Shared caches keep it for a second; with the second that we keep it
 * ourselves that makes two. What a token opens is kept by nobody.
 */
export const publicCache: MiddlewareHandler<App> = async (c, next) => {
  await next()
  if (c.get('headersDone')) return
  const { headers } = c.res
  headers.set('Access-Control-Allow-Origin', '*')
  if (c.res.status >= 400) return
  for (const [name, value] of Object.entries(publicCacheHeaders)) headers.append(name, value)
  if (c.get('role')) headers.set('Cache-Control', 'no-store')
}

/** What `publicRead` says of an answer that anyone may have. */
export const publicCacheHeaders = {
  'Cache-Control': 'public, max-age=1',
  Vary: 'Accept-Language, Authorization',
}

/** For zod: what is not there is missing, what is of the wrong type is invalid. */
export const typeErrorMessage = {
  error: (issue: { input?: unknown }) => (issue.input === undefined ? 'missing' : 'invalid'),
}

export const slug = z
  .string(typeErrorMessage)
  .max(80, { error: 'too_long', abort: true })
  .regex(slugPattern, 'slug_invalid')
export const slugParams = z.object({ slug: slug.meta({ example: 'shanghai-2026-12-19' }) })

export const idempotencyKey = z
  .string('missing')
  .regex(/^[\x21-\x7e]{8,200}$/, 'key_invalid')
  .meta({
    description: 'Made by the client, new for each sign-up and the same for its retries. 8 to 200 visible characters.',
    example: '0f4f7f0e-2a57-4f6c-9a35-6f2f6e0f3b8b',
  })

/** The language is chosen before any route is reached; it stands here for the documentation. */
export const languageQuery = z.object({
  lang: z
    .string()
    .optional()
    .meta({ description: 'Language of the answer, else Accept-Language decides.', examples: ['zh-CN', 'en'] }),
})

/*
 * Who may call a route, for its documentation; what decides is the list in access.ts. A role in place of a scope is what
 * OpenAPI 3.1 provides for bearer tokens.
 */
type Security = Record<string, string[]>[]
export const publicRoute: Security = [{}, { token: ['viewer'] }]
export const viewerRoute: Security = [{ token: ['viewer'] }]
export const organiserRoute: Security = [{ token: ['organiser'] }]

/** A body of JSON, for the documentation of a route. */
export const jsonContent = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } })

/** An object without the members that are undefined: to Drizzle they mean nothing, to `in` they are there. */
export function omitUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

/** The changes that a body asks for: `publish` is another way to ask for a state, and one that is named wins. */
export function parseState<Body extends { publish?: boolean; state?: string }>({ publish, ...changes }: Body) {
  return { ...changes, state: changes.state ?? (publish ? ('published' as const) : undefined) }
}

type Issue = z.core.$ZodIssue

function toFieldProblems(issues: Issue[], at: PropertyKey[] = []): ApiFieldProblem[] {
  return issues.flatMap((issue): ApiFieldProblem[] => {
    const path = [...at, ...issue.path]
    const fieldName = (...more: string[]) => [...path, ...more].map(String).join('.')
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: fieldName(key), code: 'unknown_field' as const }))
    }
    // Of a value that fits neither form, the form of its type says what is wrong with it.
    const closest = issue.code === 'invalid_union' && issue.errors.find((errors) => !errors.some(isTypeMismatch))
    if (closest) return toFieldProblems(closest, path)
    return [{ field: fieldName(), code: fieldCode(issue) }]
  })
}

/** Our schemas give codes as messages; what they do not name themselves is invalid. */
export function fieldCode(issue: { message: string } | undefined): ApiFieldCode {
  return issue && knownCodes.has(issue.message) ? (issue.message as ApiFieldCode) : 'invalid'
}

const isTypeMismatch = (issue: Issue) => issue.code === 'invalid_type' && issue.path.length === 0

const knownCodes: ReadonlySet<string> = new Set([...fieldCodes, ...Object.keys(zhCN.fieldProblems)])
