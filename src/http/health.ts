import { type Context, Hono } from 'hono'
import { etag } from 'hono/etag'
import { isMigrated } from '../db/database.ts'
import type { App } from './context.ts'

/** What operators and browsers ask of any service: is it alive, is it ready, its numbers, its files. */
export const healthRoutes = new Hono<App>()

healthRoutes.get('/healthz', (c) => c.text('alive\n'))

/** Ready: the database answers and has this release's tables. */
healthRoutes.get('/readyz', async (c) => {
  const { db, expectedMigrations } = c.env.deps
  if (await isMigrated(db, expectedMigrations)) return c.text('ready\n')
  c.header('Retry-After', '5')
  return c.text('the database is not migrated: run the command migrate\n', 503)
})

healthRoutes.get('/metrics', async (c) => {
  const { renderMetrics } = c.env.deps
  return renderMetrics
    ? c.text(await renderMetrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4' })
    : c.notFound()
})

healthRoutes.get(
  '/assets/:name',
  etag(),
  async (c) => (await c.env.deps.readAsset(c.req.param('name'))) ?? c.notFound(),
)

healthRoutes.get('/favicon.ico', etag(), async (c) => (await c.env.deps.readAsset('favicon.svg')) ?? c.notFound())

/**
 * The file by which WeChat knows that a domain is ours, at its root: it holds the code that its name carries. Undefined
 * for any other path. Not a route, because a pattern beside the names at the root would cost every request a slower router.
 */
export function wechatVerificationFile(c: Context<App>): Response | undefined {
  const { wechatVerify: name } = c.env.deps.config
  if (!name || c.req.path !== `/${name}` || c.req.method === 'POST') return undefined
  return c.text(name.slice('MP_verify_'.length, -'.txt'.length))
}
