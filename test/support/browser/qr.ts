import jsQr from 'jsqr'
import { PNG } from 'pngjs'
import { openPage } from './browser.ts'

/** What the QR on a picture says, read by a decoder that knows nothing of how it was made. Fails if there is none. */
export function decodeQr(png: Uint8Array): string {
  const { data, width, height } = PNG.sync.read(Buffer.from(png))
  const code = jsQr(new Uint8ClampedArray(data), width, height)
  if (!code) throw new Error(`no QR can be read on a picture of ${width} × ${height}`)
  return code.data
}

/** What a QR in SVG says once a browser has drawn it, as an image of its own. */
export async function decodeSvgQr(svg: string): Promise<string> {
  await using page = await openPage({ width: 800, height: 800 })
  const image = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
  await page.setContent(`<img src="${image}" style="width: 600px; margin: 40px">`)
  await page.waitForFunction(() => document.images[0]?.complete)
  return decodeQr(await page.screenshot())
}
