import { crc32, deflateSync } from 'node:zlib'
import QRCode from 'qrcode'

/** White modules that scanners need around the code (ISO/IEC 18004). */
const quietZone = 4

/**
 * Renders a QR code as a black and white PNG, error level M. Encoded here with one bit per pixel, because the package's own
 * encoder takes 3–12 ms and blocks the process.
 * @param scale pixels per module, a whole number
 * @param margin white modules around the code
 * @param mask the mask pattern; by default the best of all eight is computed
 * @param side width of the image in pixels, instead of a scale: modules stay whole pixels, and the remainder goes to the
 * margin. Throws a RangeError if a module would be smaller than a pixel.
 */
export function qrPng(
  text: string,
  {
    scale: requestedScale = 8,
    margin = quietZone,
    mask,
    side: requestedSide,
  }: { scale?: number; margin?: number; mask?: QRCode.QRCodeMaskPattern; side?: number } = {},
): Uint8Array<ArrayBuffer> {
  const { size, isDark } = qrModules(text, mask)
  const modules = size + 2 * margin
  const scale = requestedSide === undefined ? requestedScale : Math.floor(requestedSide / modules)
  if (scale < 1) throw new RangeError(`a QR of ${modules} modules does not fit into ${requestedSide} pixels`)
  const side = requestedSide ?? modules * scale
  const edge = Math.floor((side - size * scale) / 2)
  // Each scanline begins with its filter type: 0 for none, 2 for the difference to the line above, which is zero here.
  const stride = 1 + Math.ceil(side / 8)
  const pixels = new Uint8Array(stride * side)
  for (let y = 0; y < side; y++) pixels[y * stride] = 2
  const drawLine = (y: number, row: number) => {
    const first = y * stride
    pixels[first] = 0
    pixels.fill(0xff, first + 1, first + stride)
    for (let column = 0; column < size; column++) {
      if (!isDark(row, column)) continue
      const from = edge + column * scale
      for (let x = from; x < from + scale; x++) {
        const byteIndex = first + 1 + (x >> 3)
        pixels[byteIndex] = (pixels[byteIndex] ?? 0) & ~(0x80 >> (x & 7))
      }
    }
  }
  drawLine(0, -1)
  for (let row = 0; row < size; row++) drawLine(edge + row * scale, row)
  if (edge > 0) drawLine(edge + size * scale, size)
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, side)
  view.setUint32(4, side)
  // Bit depth 1, greyscale; compression, filter and interlace methods stay 0.
  header[8] = 1
  return Uint8Array.from(
    Buffer.concat([
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      pngChunk('IHDR', header),
      pngChunk('IDAT', deflateSync(pixels, { level: 1 })),
      pngChunk('IEND', new Uint8Array(0)),
    ]),
  )
}

/**
 * The mask pattern for check-in codes, whose content is as good as random: it is the best of the eight for half of them, and
 * on average 6 % worse than the best by the penalties of ISO/IEC 18004, 7.8.3. Computing the best takes 0.3 ms, as long as
 * everything else.
 */
export const doorMask = 2

/**
 * Renders a QR code as an SVG, error level M.
 * @param width in pixels; by default 8 per module
 */
export function qrSvg(text: string, width?: number): string {
  const { side, dark } = qrPath(text)
  const size = width ?? side * 8
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${side}v${side}H0z"/><path d="${dark}"/></svg>`
}

/** The dark modules of a QR code as the data of one SVG path, error level M. `side`: width in modules, margin included. */
export function qrPath(text: string): { side: number; dark: string } {
  const { size, isDark } = qrModules(text)
  let dark = ''
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (!isDark(row, column)) continue
      const start = column
      while (isDark(row, column + 1)) column++
      const length = column + 1 - start
      dark += `M${start + quietZone} ${row + quietZone}h${length}v1h-${length}z`
    }
  }
  return { side: size + 2 * quietZone, dark }
}

function qrModules(
  text: string,
  mask?: QRCode.QRCodeMaskPattern,
): { size: number; isDark(row: number, column: number): boolean } {
  // Byte mode, because addresses have lower-case letters. The package's search for a better mix of modes takes 0.2 ms.
  const bytes: QRCode.QRCodeSegment[] = [{ mode: 'byte', data: new TextEncoder().encode(text) }]
  const { modules } = QRCode.create(bytes, { errorCorrectionLevel: 'M', maskPattern: mask })
  const { size, data } = modules
  return {
    size,
    isDark: (row, column) => row >= 0 && column >= 0 && row < size && column < size && data[row * size + column] === 1,
  }
}

/** Length, type, content and checksum (PNG, 5.3). */
function pngChunk(type: string, content: Uint8Array): Buffer {
  const chunk = Buffer.alloc(content.length + 12)
  chunk.writeUInt32BE(content.length, 0)
  chunk.write(type, 4, 'latin1')
  chunk.set(content, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, content.length + 8)), content.length + 8)
  return chunk
}
