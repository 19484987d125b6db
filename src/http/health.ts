import { type Context, Hono } from 'hono'
import { etag } from 'hono/etag'
import { isMigrated } from '../db/database.ts'
import type { App } from './context.ts'

/** Liveness, readiness, metrics and assets. */
export const healthRoutes = new Hono<App>()

healthRoutes.get('/healthz', (c) => c.text('alive\n'))

/** Ready if the database responds and has this release's migrations. */
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
 * WeChat's domain verification file at the root, whose content is the code in its name. Undefined for any other path.
 * Not a route: a pattern at the root makes Hono use a slower router for every request.
 */
export function wechatVerificationFile(c: Context<App>): Response | undefined {
  const { wechatVerify: name } = c.env.deps.config
  if (!name || c.req.path !== `/${name}` || c.req.method === 'POST') return undefined
  return c.text(name.slice('MP_verify_'.length, -'.txt'.length))
}
