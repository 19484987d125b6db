import { constants, crc32, deflateRawSync } from 'node:zlib'

/** A page that is drawn for many, with slots for what is each visitor's own. */
export type DrawnPage = {
  /** In turn what all visitors get and the name of a slot. */
  pieces: { plain: Buffer; packed?: Buffer | undefined; slot?: string | undefined }[]
}

/**
 * Takes a page apart for `fillIn`.
 * @param slots what stands in the page where something of the visitor's own goes: words that stand nowhere else in it
 */
export function takeApart(html: string, slots: readonly string[]): DrawnPage {
  const pattern = new RegExp(`(${slots.join('|')})`)
  const texts = html.split(pattern)
  return {
    pieces: Array.from({ length: Math.ceil(texts.length / 2) }, (_, piece) => ({
      plain: Buffer.from(texts[2 * piece] as string),
      slot: texts[2 * piece + 1],
    })),
  }
}

/** The bytes of a page for one visitor. Bytes, because most of a page's time would go into encoding it anew. */
export function fillIn({ pieces }: DrawnPage, own: Readonly<Record<string, string>>): Buffer<ArrayBuffer> {
  return Buffer.concat(
    pieces.flatMap(({ plain, slot }) => (slot === undefined ? [plain] : [plain, Buffer.from(own[slot] as string)])),
  )
}

/**
 * The same as gzip (RFC 1952). What all visitors get is compressed once; what is a visitor's own is put in between as it
 * stands, in blocks of RFC 1951 that need no compressing. That takes 20 µs where compressing all of it takes 500.
 */
export function fillInPacked(page: DrawnPage, own: Readonly<Record<string, string>>): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [gzipHeader]
  let sum = 0
  let length = 0
  const add = (plain: Buffer, ...packed: Buffer[]) => {
    sum = crc32(plain, sum)
    length += plain.length
    parts.push(...packed)
  }
  for (const piece of page.pieces) {
    piece.packed ??= deflateRawSync(piece.plain, { finishFlush: constants.Z_SYNC_FLUSH })
    add(piece.plain, piece.packed)
    if (piece.slot === undefined) continue
    const text = Buffer.from(own[piece.slot] as string)
    add(text, storedBlock(text, false), text)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(sum)
  trailer.writeUInt32LE(length, 4)
  return Buffer.concat([...parts, endOfBlocks, trailer])
}

/** Deflate, no name, no time, unknown system. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** What stands before bytes that are not compressed: whether they are the last, how many they are, and that inverted. */
function storedBlock({ length }: Buffer, last: boolean): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt8(last ? 1 : 0)
  header.writeUInt16LE(length, 1)
  header.writeUInt16LE(~length & 0xffff, 3)
  return header
}

const endOfBlocks = storedBlock(Buffer.alloc(0), true)
