import { readFile } from 'node:fs/promises'
import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { type PosterFormat, renderPoster } from '../../../src/promotion/poster.tsx'
import { openPage } from '../../support/browser/browser.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { serveHtml } from '../../support/browser/serve-html.ts'
import { createAnnouncedCampaign } from '../../support/seeds/campaigns.ts'
import { createWorld } from '../../support/world.ts'

const url = 'https://baoming.example.com/q/w7kd3fp'

/** Serves a page that offers a poster as a picture. */
async function openPosterPage(format: PosterFormat, size: string, name = 'poster.svg') {
  await using world = await createWorld()
  const content = renderPoster(await createAnnouncedCampaign(world, 2), { url, format, locale: 'zh-CN' })
  return serveHtml(
    `<p><a href="/poster.svg" download="${name}" data-picture="${size}" data-hold="长按图片保存">下载图片</a></p>
     <script type="module" src="/assets/picture.js"></script>`,
    { '/poster.svg': { type: 'image/svg+xml', content } },
  )
}

test.each([
  { format: 'phone', width: 1080, height: 1440, name: 'poster.svg' },
  { format: 'a4', width: 2480, height: 3508, name: 'poster.png' },
] as const)(
  'a $format poster is downloaded as a readable PNG of $width × $height',
  async ({ format, width, height, name }) => {
    await using server = await openPosterPage(format, `${width}x${height}`, name)
    await using page = await openPage({ width: 1280, height: 800 })
    const problems: string[] = []
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(server.url)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a')])
    expect(download.suggestedFilename()).toBe('poster.png')
    const png = await readFile(await download.path())
    const picture = PNG.sync.read(png)
    expect([picture.width, picture.height]).toEqual([width, height])
    expect(decodeQr(png)).toBe(url)
    // The corner is opaque paper.
    expect(picture.data[3]).toBe(255)
    expect(problems).toEqual([])
  },
  60_000,
)

test('WeChat, which cannot download, shows the PNG to be saved with a long press', async () => {
  await using server = await openPosterPage('phone', '1080x1440')
  const userAgent =
    'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50'
  await using page = await openPage({ userAgent })
  await page.goto(server.url)
  await page.click('a')
  await page.waitForSelector('img')
  expect(await page.textContent('p')).toContain('长按图片保存')
  await page.click('a')
  expect(await page.locator('img').count()).toBe(1)
  const source = (await page.getAttribute('img', 'src')) ?? ''
  const png = Buffer.from(source.replace('data:image/png;base64,', ''), 'base64')
  expect(decodeQr(png)).toBe(url)
  // The content security policy allows the image.
  expect(await page.evaluate(() => document.images[0]?.naturalWidth)).toBe(1080)
}, 60_000)

test('the link downloads the SVG when no picture can be rendered', async () => {
  for (const failure of ['no script', 'no canvas', 'busy server'] as const) {
    await using server = await openPosterPage('phone', '1080x1440')
    await using page = await openPage({ javaScriptEnabled: failure !== 'no script' })
    if (failure === 'no canvas') {
      await page.addInitScript(() => {
        HTMLCanvasElement.prototype.getContext = () => null
      })
    }
    if (failure === 'busy server') {
      // Fails only the script's fetch, not the browser's navigation.
      await page.route('**/poster.svg', (route) =>
        route.request().resourceType() === 'fetch' ? route.fulfill({ status: 503 }) : route.continue(),
      )
    }
    await page.goto(server.url)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a')])
    expect(download.suggestedFilename(), failure).toBe('poster.svg')
    expect(await readFile(await download.path(), 'utf8'), failure).toMatch(/^<svg /)
  }
}, 60_000)
