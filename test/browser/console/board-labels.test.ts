import { expect, test } from 'vitest'
import { addBoards, listBoards } from '../../../src/domain/boards/inventory.ts'
import { paths } from '../../../src/http/links.ts'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { createWorld } from '../../support/world.ts'

test('every printed label has the QR code of its board, also at page breaks', async () => {
  await using world = await createWorld({ env: { BASE_URL: 'https://training.example.org' } })
  const serials = Array.from({ length: 33 }, (_, n) => `RTB-${String(n + 1).padStart(3, '0')}`)
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials })
  const { boards } = await listBoards(world.deps)
  await using server = await serveWorld(world)
  const { Cookie } = await world.signIn('organiser')
  await using page = await openPage({ width: 1280, height: 900, extraHTTPHeaders: { Cookie } })
  await page.goto(server.url + paths.boardLabels())
  const labels = page.locator('.board-label')
  expect(await labels.count()).toBe(33)
  for (const n of [0, 15, 31, 32]) {
    const label = labels.nth(n)
    expect(await label.locator('b').textContent()).toBe(boards[n]?.serial)
    expect(decodeQr(await label.screenshot())).toBe(`https://training.example.org/b/${boards[n]?.code}`)
  }

  // Printed: 32 labels on the first page and one on the second, none split, in the configured size.
  const pdf = await page.pdf({ preferCSSPageSize: true })
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(2)
  await page.emulateMedia({ media: 'print' })
  const [first, last] = await Promise.all([labels.nth(0).boundingBox(), labels.nth(31).boundingBox()])
  const millimetres = (pixels: number | undefined) => Math.round(((pixels ?? 0) * 25.4) / 96)
  expect([millimetres(first?.width), millimetres(first?.height)]).toEqual([46, 34])
  // A4 without its margins is 277 mm high.
  expect(millimetres((last?.y ?? 0) + (last?.height ?? 0) - (first?.y ?? 0))).toBeLessThanOrEqual(277)

  await page.goto(`${server.url}${paths.boardLabels()}?chosen=yes&id=${boards[4]?.id}`)
  expect(await labels.count()).toBe(1)
  expect(decodeQr(await labels.first().screenshot())).toContain(boards[4]?.code)
  await page.goto(`${server.url}${paths.boardLabels()}?chosen=yes`)
  expect(await labels.count()).toBe(0)
}, 90_000)
