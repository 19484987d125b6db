import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { findWorkshop, type Workshop } from '../../src/domain/workshops/workshops.ts'
import { mailPreviewCookie } from '../support/mail/mail-preview.ts'
import { isOrganiserRoute, seedEveryPage } from '../support/seeds/every-page.ts'
import { createWorld, type World } from '../support/world.ts'

const kilobyte = 1024
const maxBytes = { public: 30 * kilobyte, console: 60 * kilobyte, door: 60 * kilobyte }

/** Swagger UI, a third-party page for API developers. */
const thirdPartyPages = ['GET /api/docs']

test('public pages weigh less than 30 KB with all assets, console and door pages less than 60 KB', async () => {
  await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
  const { Cookie, doorCookie, pages: allPages, doorPages } = await seedEveryPage(world)
  const [, today = ''] = allPages['GET /console/workshops/:slug/door'] ?? []
  for (const path of [allPages['GET /w/:workshop']?.[0] ?? '', today]) {
    await fillLists(world, /[a-z]+-\d{4}-\d\d-\d\d/.exec(path)?.[0] ?? '')
  }
  const weights: { route: string; path: string; bytes: number }[] = []
  const weigh = async (pages: typeof allPages, cookieFor: (route: string) => string) => {
    for (const [route, paths] of Object.entries(pages)) {
      for (const path of thirdPartyPages.includes(route) ? [] : paths) {
        const response = await world.request(path, { headers: { Cookie: cookieFor(route) } })
        const isPage = response.headers.get('content-type')?.startsWith('text/html') && response.status !== 302
        if (isPage) weights.push({ route, path, bytes: await pageBytes(world, await response.text()) })
      }
    }
  }
  await weigh(allPages, (route) => (isOrganiserRoute(route) ? Cookie : mailPreviewCookie(world)))
  await weigh(doorPages, () => doorCookie)
  expect(weights.length).toBeGreaterThan(150)
  const limitOf = (path: string) =>
    path.startsWith('/console') ? maxBytes.console : /^\/(door|in|b)\b/.test(path) ? maxBytes.door : maxBytes.public
  expect(weights.filter(({ path, bytes }) => bytes >= limitOf(path))).toEqual([])
}, 60_000)

/** Adds enough people and mails to a workshop to fill more than one page. */
async function fillLists(world: World, slug: string): Promise<void> {
  const workshop = (await findWorkshop(world.deps, slug)) as Workshop
  // Registering needs a time before the start.
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

/** Compressed size of a page with its stylesheets, scripts and their imports. */
async function pageBytes(world: World, html: string): Promise<number> {
  const assetLinks = [...html.matchAll(/<script[^>]* src="([^"]+)"|<link rel="stylesheet" href="([^"]+)"/g)]
  const files = new Set(assetLinks.map(([, script, style]) => script ?? style ?? ''))
  let bytes = gzipSync(html).length
  // The set grows while it is iterated.
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
