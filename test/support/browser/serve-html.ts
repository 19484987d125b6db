import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { securityHeaderValues } from '../../../src/http/responses.ts'
import { bundleScripts } from '../../../src/server/build/scripts.js'

/**
 * Serves a page with our scripts and other files under the security headers of all pages: nothing inline, nothing
 * third-party.
 */
export async function serveHtml(
  body: string,
  files: Record<string, { type: string; content: string }> = {},
): Promise<AsyncDisposable & { url: string }> {
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaderValues)) c.header(name, value)
  })
  app.get('/', (c) => c.html(`<!doctype html><title>Spread</title>${body}`))
  const scripts = await bundleScripts()
  app.get('/assets/:name{[a-z-]+\\.js}', (c) =>
    c.body(new TextDecoder().decode(scripts.get(c.req.param('name'))), 200, { 'Content-Type': 'text/javascript' }),
  )
  for (const [path, { type, content }] of Object.entries(files)) {
    app.get(path, (c) => c.body(content, 200, { 'Content-Type': type }))
  }
  const server = createAdaptorServer({ fetch: app.fetch }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
    },
  }
}
