import { constants, crc32, deflateRawSync } from 'node:zlib'

/** A page that is drawn for many, with slots for what is each visitor's own. */
export type PageTemplate = {
  /** In turn what all visitors get and the name of a slot. */
  segments: { plain: Buffer; deflated?: Buffer | undefined; placeholder?: string | undefined }[]
}

/**
 * Takes a page apart for `fillIn`.
 * @placeholders placeholders what stands in the page where something of the visitor's own goes: words that stand nowhere else in it
 */
export function compileTemplate(html: string, placeholders: readonly string[]): PageTemplate {
  const pattern = new RegExp(`(${placeholders.join('|')})`)
  const texts = html.split(pattern)
  return {
    segments: Array.from({ length: Math.ceil(texts.length / 2) }, (_, piece) => ({
      plain: Buffer.from(texts[2 * piece] as string),
      placeholder: texts[2 * piece + 1],
    })),
  }
}

/** The bytes of a page for one visitor. Bytes, because most of a page's time would go into encoding it anew. */
export function renderTemplate(
  { segments }: PageTemplate,
  values: Readonly<Record<string, string>>,
): Buffer<ArrayBuffer> {
  return Buffer.concat(
    segments.flatMap(({ plain, placeholder }) =>
      placeholder === undefined ? [plain] : [plain, Buffer.from(values[placeholder] as string)],
    ),
  )
}

/**
 * The same as gzip (RFC 1952). What all visitors get is compressed once; what is a visitor's own is put in between as it
 * stands, in blocks of RFC 1951 that need no compressing. That takes 20 µs where compressing all of it takes 500.
 */
export function renderTemplateGzip(
  template: PageTemplate,
  values: Readonly<Record<string, string>>,
): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [gzipHeader]
  let checksum = 0
  let length = 0
  const add = (plain: Buffer, ...packed: Buffer[]) => {
    checksum = crc32(plain, checksum)
    length += plain.length
    parts.push(...packed)
  }
  for (const piece of template.segments) {
    piece.deflated ??= deflateRawSync(piece.plain, { finishFlush: constants.Z_SYNC_FLUSH })
    add(piece.plain, piece.deflated)
    if (piece.placeholder === undefined) continue
    const text = Buffer.from(values[piece.placeholder] as string)
    add(text, storedBlockHeader(text, false), text)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(checksum)
  trailer.writeUInt32LE(length, 4)
  return Buffer.concat([...parts, finalBlock, trailer])
}

/** Deflate, no name, no time, unknown system. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** What stands before bytes that are not compressed: whether they are the last, how many they are, and that inverted. */
function storedBlockHeader({ length }: Buffer, last: boolean): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt8(last ? 1 : 0)
  header.writeUInt16LE(length, 1)
  header.writeUInt16LE(~length & 0xffff, 3)
  return header
}

const finalBlock = storedBlockHeader(Buffer.alloc(0), true)
