import jsQr from 'jsqr'
import { PNG } from 'pngjs'
import { openPage } from './browser.ts'

/** Text of the QR code in a PNG, read by an independent decoder. Throws if there is none. */
export function decodeQr(png: Uint8Array): string {
  const { data, width, height } = PNG.sync.read(Buffer.from(png))
  const code = jsQr(new Uint8ClampedArray(data), width, height)
  if (!code) throw new Error(`no readable QR code in an image of ${width} × ${height}`)
  return code.data
}

/** Text of an SVG QR code, rendered by a browser as an image. */
export async function decodeSvgQr(svg: string): Promise<string> {
  await using page = await openPage({ width: 800, height: 800 })
  const image = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
  await page.setContent(`<img src="${image}" style="width: 600px; margin: 40px">`)
  await page.waitForFunction(() => document.images[0]?.complete)
  return decodeQr(await page.screenshot())
}
