import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type ProblemCode, type ProblemStatus, problem } from '../../api/problem.ts'
import { isDatabaseUnavailable, redactError } from '../../db/database.ts'
import { type ErrorStatus, errorPage } from '../../web/public/error-page.tsx'
import { type App, TooManyRequestsError } from '../context.ts'
import { wechatVerificationFile } from '../health.ts'
import { matchedRoute, wantsJson } from '../route.ts'

/** Answers what no route answers: the verification file of WeChat where one is set, else 404. */
export function notFound(c: Context<App>): Response | Promise<Response> {
  return wechatVerificationFile(c) ?? (wantsJson(c.req.path) ? problem(c, 404, 'not_found') : errorPage(c, 404))
}

/** Turns an error into a page or problem+json. Unknown errors are logged and answered with 500, without their message. */
export function onError(error: Error, c: Context<App>): Response | Promise<Response> {
  const { log } = c.env.deps
  const respond = (status: ErrorStatus & ProblemStatus, code: ProblemCode) =>
    wantsJson(c.req.path) ? problem(c, status, code) : errorPage(c, status)
  if (error instanceof TooManyRequestsError) {
    c.header('Retry-After', String(error.retryAfter))
    return respond(429, 'too_many_requests')
  }
  if (isDatabaseUnavailable(error) || (error instanceof HTTPException && error.status === 503)) {
    log.warn({ route: matchedRoute(c), reason: redactError(error).reason }, 'service unavailable')
    c.header('Retry-After', '5')
    return respond(503, 'unavailable')
  }
  if (error instanceof HTTPException) {
    const status = error.status in problemCodes ? (error.status as keyof typeof problemCodes) : 400
    return respond(status, problemCodes[status])
  }
  log.error({ route: matchedRoute(c), ...redactError(error) }, 'internal error')
  return respond(500, 'internal')
}

const problemCodes = {
  400: 'malformed_json',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
} as const satisfies Partial<Record<ErrorStatus, ProblemCode>>
