import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { qrFileName, qrSizes, qrUses, renderQrPng, renderQrSvg } from '../../src/promotion/qr-images.ts'
import { decodeQr, decodeSvgQr } from '../support/browser/qr.ts'

const shortUrl = 'https://baoming.example.com/q/w7kd3fp'
const longUrl = `https://baoming.example.com/w/shanghai-2026-12-19?via=${'Aa0_-'.repeat(40)}`

test.each(qrUses)('renderQrPng for %s has exactly the configured size and is readable', (place) => {
  for (const url of [shortUrl, longUrl]) {
    const png = renderQrPng(url, place)
    const { width, height } = PNG.sync.read(Buffer.from(png))
    expect([width, height]).toEqual([qrSizes[place], qrSizes[place]])
    expect(decodeQr(png)).toBe(url)
  }
})

test('renderQrPng for an article is 900 pixels wide with whole-pixel modules and a quiet zone of four modules', () => {
  const png = PNG.sync.read(Buffer.from(renderQrPng(shortUrl, 'article')))
  expect(png.width).toBe(900)
  const darkAt = (x: number, y: number) => png.data[(y * png.width + x) * 4] === 0
  const pixels = Array.from({ length: 900 }, (_, n) => n)
  const columns = pixels.filter((x) => pixels.some((y) => darkAt(x, y)))
  const [first = 0, last = 0] = [columns[0], columns.at(-1)]
  // The finder pattern in the corner is seven modules wide.
  const module = pixels.slice(first).findIndex((x) => !darkAt(x, first)) / 7
  expect(Number.isInteger(module)).toBe(true)
  expect(first).toBeGreaterThanOrEqual(4 * module)
  expect(899 - last).toBeGreaterThanOrEqual(4 * module)
  expect(Math.abs(first - (899 - last))).toBeLessThanOrEqual(1)
})

test('renderQrPng throws when the URL is too long', () => {
  expect(() => renderQrPng(`https://baoming.example.com/${'a'.repeat(2400)}`, 'article')).toThrow()
})

test('renderQrSvg states its width and is readable', async () => {
  const svg = renderQrSvg(shortUrl, 'slide')
  expect(svg).toMatch(/^<svg [^>]*width="1080" height="1080"/)
  expect(await decodeSvgQr(svg)).toBe(shortUrl)
  expect(qrFileName('slide', 'svg')).toBe('qr-slide-1080.svg')
}, 60_000)
