import type { MiddlewareHandler } from 'hono'
import type { App } from '../context.ts'

/** Answers 404 to a URL with a NUL character. Nothing has one in its name, and Postgres fails to compare with it. */
export function rejectNullBytes(): MiddlewareHandler<App> {
  return (c, next) => (c.req.url.includes('%00') ? Promise.resolve(c.notFound()) : next())
}
