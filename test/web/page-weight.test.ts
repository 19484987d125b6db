import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { findWorkshop, type Workshop } from '../../src/domain/workshops/workshops.ts'
import { mailPreviewCookie } from '../support/mail/mail-preview.ts'
import { isOrganiserRoute, seedEveryPage } from '../support/seeds/every-page.ts'
import { createWorld, type World } from '../support/world.ts'

const kilobyte = 1024
const maxBytes = { public: 30 * kilobyte, console: 60 * kilobyte, door: 60 * kilobyte }

/** Swagger UI, a library of its own for those who write programs. */
const thirdPartyPages = ['GET /api/docs']

test('a public page weighs less than 30 KB with all that it asks for, one of the console or a door less than 60', async () => {
  await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
  const { Cookie, doorCookie, pages: opened, doorPages } = await seedEveryPage(world)
  const [, today = ''] = opened['GET /console/workshops/:slug/door'] ?? []
  for (const path of [opened['GET /w/:workshop']?.[0] ?? '', today]) {
    await fillLists(world, /[a-z]+-\d{4}-\d\d-\d\d/.exec(path)?.[0] ?? '')
  }
  const weights: { route: string; path: string; bytes: number }[] = []
  const weigh = async (pages: typeof opened, cookieFor: (route: string) => string) => {
    for (const [route, paths] of Object.entries(pages)) {
      for (const path of thirdPartyPages.includes(route) ? [] : paths) {
        const answer = await world.request(path, { headers: { Cookie: cookieFor(route) } })
        const isPage = answer.headers.get('content-type')?.startsWith('text/html') && answer.status !== 302
        if (isPage) weights.push({ route, path, bytes: await pageBytes(world, await answer.text()) })
      }
    }
  }
  await weigh(opened, (route) => (isOrganiserRoute(route) ? Cookie : mailPreviewCookie(world)))
  await weigh(doorPages, () => doorCookie)
  expect(weights.length).toBeGreaterThan(150)
  const limitOf = (path: string) =>
    path.startsWith('/console') ? maxBytes.console : /^\/(door|in|b)\b/.test(path) ? maxBytes.door : maxBytes.public
  expect(weights.filter(({ path, bytes }) => bytes >= limitOf(path))).toEqual([])
}, 60_000)

/** Fills the lists of a workshop's people and mails to more than a page. */
async function fillLists(world: World, slug: string): Promise<void> {
  const workshop = (await findWorkshop(world.deps, slug)) as Workshop
  // Also of one that has begun.
  const now = world.clock.now()
  world.clock.set(new Date(Math.min(now.getTime(), workshop.startsAt.getTime() - 60_000)))
  await Promise.all(
    Array.from({ length: 120 }, (_, n) => {
      const [name, company] = [
        `${surnames[n % surnames.length]}${String.fromCodePoint(0x4e8c + n * 37)}`,
        `第 ${n} 研究所`,
      ]
      return world.register(workshop, { name, company, phone: `+86138${10_000_000 + n * 7919}` })
    }),
  )
  world.clock.set(now)
}

const surnames = ['王', '李', '张', '刘', '陈', '欧阳']

/** What comes over the network for a page: itself, its stylesheets and its scripts with all that they import, each compressed. */
async function pageBytes(world: World, html: string): Promise<number> {
  const assetLinks = [...html.matchAll(/<script[^>]* src="([^"]+)"|<link rel="stylesheet" href="([^"]+)"/g)]
  const files = new Set(assetLinks.map(([, script, style]) => script ?? style ?? ''))
  let bytes = gzipSync(html).length
  // What is added while it goes on comes by too.
  for (const path of files) {
    const response = await world.request(path)
    expect([path, response.status]).toEqual([path, 200])
    const text = await response.text()
    const imports = [...text.matchAll(/\b(?:from|import)\b *\(? *["'`](\.[^"'`]+)["'`]/g)]
    for (const [, imported] of imports) files.add(new URL(imported ?? '', `http://localhost${path}`).pathname)
    bytes += gzipSync(text).length
  }
  return bytes
}
