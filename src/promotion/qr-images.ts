import { qrPng, qrSvg } from '../lib/qr.ts'

/**
 * Width of a QR image by its use, in pixels. Article: WeChat shows at most 677, and 900 is sharp on phones. Poster: 15
 * cm at 300 dpi. Slide: the height of Full HD.
 */
export const qrSizes = { article: 900, poster: 1772, slide: 1080 } as const

export type QrUse = keyof typeof qrSizes
export const qrUses = Object.keys(qrSizes) as QrUse[]

/**
 * Renders a QR code (error level M, quiet zone 4) as a PNG of exactly the width for its use. Modules are whole pixels;
 * the remainder widens the quiet zone.
 * @throws if the URL is longer than 2,331 bytes, the capacity of a QR code
 */
export function renderQrPng(url: string, use: QrUse): Uint8Array<ArrayBuffer> {
  return qrPng(url, { side: qrSizes[use] })
}

/** Renders the same as an SVG, with that default width. */
export function renderQrSvg(url: string, use: QrUse): string {
  return qrSvg(url, qrSizes[use])
}

/** File name for downloads, e.g. qr-article-900.png. */
export function qrFileName(use: QrUse, type: 'png' | 'svg'): string {
  return `qr-${use}-${qrSizes[use]}.${type}`
}
