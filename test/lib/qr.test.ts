import { createHash } from 'node:crypto'
import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { doorMask, qrPng, qrSvg } from '../../src/lib/qr.ts'
import { decodeQr, decodeSvgQr } from '../support/browser/qr.ts'

const shortUrl = 'https://baoming.example.com/q/w7kd3fp'
const longUrl = `https://baoming.example.com/in/${'Aa0_-'.repeat(8)}`

test('qrPng is readable at every scale', () => {
  for (const scale of [2, 3, 4, 7, 8, 13, 40]) {
    expect(decodeQr(qrPng(shortUrl, { scale }))).toBe(shortUrl)
    expect(decodeQr(qrPng(longUrl, { scale }))).toBe(longUrl)
  }
})

test('qrPng with the mask of door codes is readable for any code', () => {
  for (let n = 0; n < 40; n++) {
    const code = createHash('sha256').update(String(n)).digest('base64url').slice(0, 39)
    const url = `https://baoming.example.com/in/${code}`
    expect(decodeQr(qrPng(url, { mask: doorMask }))).toBe(url)
  }
})

test('qrPng uses one bit per pixel and a quiet zone of four modules', () => {
  const png = qrPng(shortUrl, { scale: 1 })
  const { width, height, data } = PNG.sync.read(Buffer.from(png))
  expect([png[24], png[25]]).toEqual([1, 0])
  expect(width).toBe(height)
  const darkAt = (x: number, y: number) => data[(y * width + x) * 4] === 0
  for (let i = 0; i < width; i++) {
    for (const edge of [0, 1, 2, 3, width - 4, width - 3, width - 2, width - 1]) {
      expect(darkAt(i, edge) || darkAt(edge, i)).toBe(false)
    }
  }
  // The corners of the three finder patterns touch the quiet zone.
  expect([darkAt(4, 4), darkAt(width - 5, 4), darkAt(4, width - 5)]).toEqual([true, true, true])
})

test('qrPng without a quiet zone is as wide as its modules', () => {
  const widthOf = (margin: number) => PNG.sync.read(Buffer.from(qrPng(shortUrl, { scale: 3, margin }))).width
  expect(widthOf(0)).toBe(widthOf(4) - 2 * 4 * 3)
})

test('qrSvg is readable when a browser renders it', async () => {
  expect(await decodeSvgQr(qrSvg(longUrl))).toBe(longUrl)
}, 60_000)
