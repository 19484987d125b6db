import type { MiddlewareHandler } from 'hono'
import { compress as honoCompress } from 'hono/compress'
import type { App } from '../context.ts'
import { isApiPath } from '../route.ts'

/** Compresses pages and their assets. The API streams its lists uncompressed, and Cloudflare compresses by itself. */
export function compress(): MiddlewareHandler<App> {
  const compressBody = honoCompress()
  return (c, next) =>
    c.env.deps.compressResponses && c.req.header('accept-encoding') && !isApiPath(c.req.path)
      ? compressBody(c, next)
      : next()
}
