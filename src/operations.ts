import { type Context, Hono } from 'hono'
import { etag } from 'hono/etag'
import type { App } from './context.ts'
import { isMigrated } from './db/database.ts'

/** What operators and browsers ask of any service: is it alive, is it ready, its numbers, its files. */
export const operations = new Hono<App>()

operations.get('/healthz', (c) => c.text('alive\n'))

/** Ready: the database answers and has this release's tables. */
operations.get('/readyz', async (c) => {
  const { db, migrations } = c.env.deps
  if (await isMigrated(db, migrations)) return c.text('ready\n')
  c.header('Retry-After', '5')
  return c.text('the database is not migrated: run the command migrate\n', 503)
})

operations.get('/metrics', async (c) => {
  const { metrics } = c.env.deps
  return metrics ? c.text(await metrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4' }) : c.notFound()
})

operations.get('/assets/:name', etag(), async (c) => (await c.env.deps.asset(c.req.param('name'))) ?? c.notFound())

operations.get('/favicon.ico', etag(), async (c) => (await c.env.deps.asset('favicon.svg')) ?? c.notFound())

/**
 * The file by which WeChat knows that a domain is ours, at its root: it holds the code that its name carries. Undefined
 * for any other path. Not a route, because a pattern beside the names at the root would cost every request a slower router.
 */
export function wechatFile(c: Context<App>): Response | undefined {
  const { wechatVerify: name } = c.env.deps.config
  if (!name || c.req.path !== `/${name}` || c.req.method === 'POST') return undefined
  return c.text(name.slice('MP_verify_'.length, -'.txt'.length))
}
