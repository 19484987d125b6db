import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { findWorkshop, type Workshop } from '../src/domain/workshops.ts'
import { furnish, isForOwners } from './support/pages.ts'
import { createWorld, type World } from './support/world.ts'

const kilobyte = 1024
const most = { public: 30 * kilobyte, console: 60 * kilobyte }

/** Swagger UI, a library of its own for those who write programs. */
const foreign = ['GET /api/docs']

test('a public page weighs less than 30 KB with all that it asks for, one of the console less than 60', async () => {
  await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
  const { Cookie, opened } = await furnish(world)
  await crowd(world, opened['GET /w/:workshop']?.[0]?.replace('/w/', '') ?? '')
  const weights: { route: string; path: string; bytes: number }[] = []
  for (const [route, paths] of Object.entries(opened)) {
    for (const path of foreign.includes(route) ? [] : paths) {
      const answer = await world.request(path, { headers: isForOwners(route) ? { Cookie } : {} })
      const isPage = answer.headers.get('content-type')?.startsWith('text/html') && answer.status !== 302
      if (isPage) weights.push({ route, path, bytes: await weightOf(world, await answer.text()) })
    }
  }
  expect(weights.length).toBeGreaterThan(80)
  const limitOf = (path: string) => (path.startsWith('/console') ? most.console : most.public)
  expect(weights.filter(({ path, bytes }) => bytes >= limitOf(path))).toEqual([])
}, 60_000)

/** Fills the lists of a workshop's people and mails to more than a page. */
async function crowd(world: World, slug: string): Promise<void> {
  const workshop = (await findWorkshop(world.deps, slug)) as Workshop
  await Promise.all(
    Array.from({ length: 120 }, (_, n) => {
      const [name, company] = [
        `${surnames[n % surnames.length]}${String.fromCodePoint(0x4e8c + n * 37)}`,
        `第 ${n} 研究所`,
      ]
      return world.register(workshop, { name, company, phone: `+86138${10_000_000 + n * 7919}` })
    }),
  )
}

const surnames = ['王', '李', '张', '刘', '陈', '欧阳']

/** What comes over the network for a page: itself, its stylesheets and its scripts, each compressed. */
async function weightOf(world: World, html: string): Promise<number> {
  const asked = [...html.matchAll(/<script[^>]* src="([^"]+)"|<link rel="stylesheet" href="([^"]+)"/g)]
  let bytes = gzipSync(html).length
  for (const [, script, style] of asked) {
    const answer = await world.request(script ?? style ?? '')
    expect([script ?? style, answer.status]).toEqual([script ?? style, 200])
    const text = await answer.text()
    // What a script fetches besides would have to be counted too.
    expect(text).not.toMatch(/\bimport\b *[("'{*]|new Worker\(/)
    bytes += gzipSync(text).length
  }
  return bytes
}
