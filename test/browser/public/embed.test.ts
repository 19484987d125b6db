import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { createWorld } from '../../support/world.ts'

test('only the embed page of a workshop can be framed by another site', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage()
  const { slug } = await world.workshop()
  const embeddingSite = createServer((request, response) =>
    response.setHeader('Content-Type', 'text/html').end(`<iframe src="${server.url}${request.url}"></iframe>`),
  ).listen(0, '127.0.0.1')
  await once(embeddingSite, 'listening')
  const inFrame = async (path: string) => {
    await page.goto(`http://localhost:${(embeddingSite.address() as AddressInfo).port}${path}`)
    const frame = page.frames().find((frame) => frame !== page.mainFrame())
    await frame?.waitForLoadState()
    return (await frame?.locator('body').textContent()) ?? ''
  }
  expect(await inFrame(`/w/${slug}/embed`)).toContain('上海')
  expect(await inFrame(`/w/${slug}`)).not.toContain('上海')
  embeddingSite.close()
  embeddingSite.closeAllConnections()
})
