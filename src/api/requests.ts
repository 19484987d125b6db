import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { fieldCodes } from '../domain/registrations/registrations.ts'
import { slugPattern } from '../domain/workshops/slugs.ts'
import type { App } from '../http/context.ts'
import { zhCN } from '../i18n/zh-CN/api.ts'
import { type ApiFieldCode, type ApiFieldProblem, type ProblemResponse, problem } from './problem.ts'

/** Rejects bodies with another content type (415) or malformed JSON (400). */
export const requireJson: MiddlewareHandler<App> = async (c, next) => {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') return problem(c, 415, 'unsupported_media_type')
  try {
    // Hono caches the body, so the validator can read it again.
    await c.req.json()
  } catch (error) {
    if (error instanceof SyntaxError) return problem(c, 400, 'malformed_json')
    throw error
  }
  return next()
}

/** Responds to failed validation: 404 for invalid path parameters, otherwise 422 with the invalid fields. */
export function validationHook(
  result: { target: string; success: boolean; error?: z.ZodError },
  c: Context<App>,
): ProblemResponse | undefined {
  if (result.success || !result.error) return undefined
  if (result.target === 'param') return problem(c, 404, 'not_found')
  return problem(c, 422, 'invalid', { errors: toFieldProblems(result.error.issues) })
}

/**
 * For public GET routes: allows any origin and sets `max-age=1`, so that a response is at most 2 s old with the server's
 * own cache. Responses to requests with a token are `no-store`.
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

export const publicCacheHeaders = {
  'Cache-Control': 'public, max-age=1',
  Vary: 'Accept-Language, Authorization',
}

/** zod error option: `missing` for undefined, `invalid` for a wrong type. */
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
    description:
      'Chosen by the client: new for each sign-up, the same for its retries. 8 to 200 visible ASCII characters.',
    example: '0f4f7f0e-2a57-4f6c-9a35-6f2f6e0f3b8b',
  })

/** For the documentation only: middleware detects the language. */
export const languageQuery = z.object({
  lang: z
    .string()
    .optional()
    .meta({ description: 'Language of the response. Default: Accept-Language.', examples: ['zh-CN', 'en'] }),
})

/*
 * Required role of a route, for the documentation only; access.ts decides. OpenAPI 3.1 allows a role in place of a
 * scope for bearer tokens.
 */
type Security = Record<string, string[]>[]
export const publicRoute: Security = [{}, { token: ['viewer'] }]
export const viewerRoute: Security = [{ token: ['viewer'] }]
export const organiserRoute: Security = [{ token: ['organiser'] }]

export const jsonContent = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } })

/** Removes undefined members, which `in` would report as present. */
export function omitUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

/** Converts `publish: true` to the state `published`. An explicit `state` takes precedence. */
export function parseState<Body extends { publish?: boolean; state?: string }>({ publish, ...changes }: Body) {
  return { ...changes, state: changes.state ?? (publish ? ('published' as const) : undefined) }
}

type Issue = z.core.$ZodIssue

function toFieldProblems(issues: Issue[], parentPath: PropertyKey[] = []): ApiFieldProblem[] {
  return issues.flatMap((issue): ApiFieldProblem[] => {
    const path = [...parentPath, ...issue.path]
    const fieldName = (...keys: string[]) => [...path, ...keys].map(String).join('.')
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: fieldName(key), code: 'unknown_field' as const }))
    }
    // For a union, report the errors of the alternative whose type matches.
    const closest = issue.code === 'invalid_union' && issue.errors.find((errors) => !errors.some(isTypeMismatch))
    if (closest) return toFieldProblems(closest, path)
    return [{ field: fieldName(), code: fieldCode(issue) }]
  })
}

/** The message of the issue if it is one of our codes, else `invalid`. */
export function fieldCode(issue: { message: string } | undefined): ApiFieldCode {
  return issue && knownCodes.has(issue.message) ? (issue.message as ApiFieldCode) : 'invalid'
}

const isTypeMismatch = (issue: Issue) => issue.code === 'invalid_type' && issue.path.length === 0

const knownCodes: ReadonlySet<string> = new Set([...fieldCodes, ...Object.keys(zhCN.fieldProblems)])
