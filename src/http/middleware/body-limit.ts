import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit as honoBodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import type { App } from '../context.ts'
import { paths } from '../links.ts'
import { isConsolePath, isDoorPath } from '../route.ts'

/**
 * Rejects a body that is too large with 413. Comes after authorize(), because the limit depends on who is signed in and
 * nothing should be read of a request that is rejected anyway. A Content-Length is trusted (Node and Cloudflare enforce
 * it); without one the stream is counted.
 */
export function bodyLimit(): MiddlewareHandler<App> {
  const tooLarge = () => Promise.reject(new HTTPException(413))
  const limitStream = (maxSize: number) => honoBodyLimit({ maxSize, onError: tooLarge })
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const maxSize = maxBodySize(c)
    const length = c.req.header('transfer-encoding') ? undefined : c.req.header('content-length')
    if (length === undefined) return limitStream(maxSize)(c, next)
    return Number(length) <= maxSize ? next() : tooLarge()
  }
}

const kilobyte = 1024

/** In bytes. Console and door accept little before somebody is signed in. */
function maxBodySize(c: Context<App>): number {
  if (isConsolePath(c.req.path) && !c.get('organiser')) return 8 * kilobyte
  // The largest form uploads a picture; passkey requests are a few kB of JSON.
  if (isConsolePath(c.req.path)) return c.req.path.startsWith(paths.auth()) ? 64 * kilobyte : 1024 * kilobyte
  if (isDoorPath(c.req.path)) return c.get('door') ? 256 * kilobyte : 8 * kilobyte
  return 64 * kilobyte
}
