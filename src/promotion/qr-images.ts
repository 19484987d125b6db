import { qrPng, qrSvg } from '../lib/qr.ts'

/**
 * How wide the picture of a QR is where it goes, in pixels. An article: WeChat shows it at 677 at most and keeps it sharp
 * on phones at 900. A poster: 15 cm at 300 dpi. A slide: as high as one of Full HD.
 */
export const qrSizes = { article: 900, poster: 1772, slide: 1080 } as const

/** Where the picture of a QR goes. */
export type QrUse = keyof typeof qrSizes
export const qrUses = Object.keys(qrSizes) as QrUse[]

/**
 * A QR (error level M, quiet zone 4) as a PNG of exactly the width for a place. Its modules are whole pixels; what is
 * left over makes the white around them wider. Throws for an address longer than a QR can say (2,331 bytes).
 */
export function renderQrPng(url: string, use: QrUse): Uint8Array<ArrayBuffer> {
  return qrPng(url, { side: qrSizes[use] })
}

/** The same as an SVG, which is that wide where nothing else is said. */
export function renderQrSvg(url: string, use: QrUse): string {
  return qrSvg(url, qrSizes[use])
}

/** What the picture is called when it is downloaded: qr-article-900.png. */
export function qrFileName(use: QrUse, type: 'png' | 'svg'): string {
  return `qr-${use}-${qrSizes[use]}.${type}`
}
