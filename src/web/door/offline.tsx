import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { deleteCookie } from 'hono/cookie'
import { endDoorSession } from '../../domain/door/sessions.ts'
import type { App } from '../../http/context.ts'
import { paths } from '../../http/links.ts'
import { doorAppMessages } from '../../i18n/door-app.ts'
import { doorPage, renderDoorPage } from './layout.tsx'
import { requireDoorSession } from './session.ts'

/** App shell and service worker, for working offline, and ending the session. */
export const offlineRoutes = new Hono<App>()

/** The app shell: a door page without workshop data, cached by the service worker. */
offlineRoutes.get('/door/shell', (c) => doorPage(c, appShellOptions(c), null))

/** The service worker. Contains a hash of the shell and its files, because browsers update it when its bytes differ. */
offlineRoutes.get('/door/worker.js', async (c) => {
  const { readAsset } = c.env.deps
  const [shell, script, ...files] = await Promise.all([
    renderDoorPage(c, appShellOptions(c), null),
    readAsset('door-worker.js').then((file) => file?.text()),
    ...offlineFiles.map(async (name) => (await readAsset(name))?.text()),
  ])
  if (!script) return c.notFound()
  const hash = createHash('sha256')
  for (const part of [shell, ...files]) hash.update(part ?? '')
  const version = hash.digest('base64url').slice(0, 16)
  const urls = offlineFiles.map((name) => paths.asset(name))
  c.header('Cache-Control', 'no-cache')
  c.header('Service-Worker-Allowed', '/')
  c.header('Content-Type', 'text/javascript; charset=utf-8')
  return c.body(`const version = ${JSON.stringify(version)}\nconst files = ${JSON.stringify(urls)}\n${script}`)
})

offlineRoutes.post('/door/end', async (c) => {
  const { session, workshop } = await requireDoorSession(c)
  await endDoorSession(c.env.deps, workshop, session.id)
  deleteCookie(c, 'door', { path: '/' })
  return c.redirect(paths.doorPage(), 303)
})

/** Assets that the service worker caches. */
const offlineFiles = [
  'favicon.svg',
  'site.css',
  'door.css',
  'door-phone.css',
  'door.js',
  'qr-scanner.min.js',
  'qr-scanner-worker.min.js',
]

function appShellOptions(c: Context<App>) {
  return { title: doorAppMessages(c.var.locale).title, path: paths.doorPage() }
}
