import { pipeline, Readable } from 'node:stream'
import { crc32, createDeflateRaw } from 'node:zlib'
import { strFromU8, unzipSync, Zip, ZipDeflate, type ZipInputFile } from 'fflate'

export type Cell = string | number | null

/**
 * A workbook of one sheet with more rows at the end of it, piece by piece, so that it never stands in memory as a whole:
 * 100,000 rows are 100 MB of XML before they are packed. Texts are inline strings, which no program computes
 * (ECMA-376, 18.18.11).
 * @param begun the workbook, whose sheet has one row
 * @param rows in pages
 */
export async function* addRows(begun: Uint8Array, rows: AsyncIterable<Cell[][]>): AsyncGenerator<Uint8Array> {
  const { [sheetName]: sheet, ...others } = unzipSync(begun)
  const [head, tail] = strFromU8(sheet as Uint8Array).split(/(?=<\/sheetData>)/) as [string, string]
  const packed: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    packed.push(chunk)
  })
  for (const [name, content] of Object.entries(others)) {
    const file = new ZipDeflate(name)
    zip.add(file)
    file.push(content, true)
  }

  const file: ZipInputFile = { filename: sheetName, compression: deflated, size: 0, crc: 0 }
  zip.add(file)
  async function* content() {
    for await (const text of sheetOf(head, rows, tail)) {
      const bytes = Buffer.from(text)
      file.size += bytes.length
      file.crc = crc32(bytes, file.crc)
      yield bytes
    }
  }
  const deflate = createDeflateRaw({ level: 1 })
  // Whichever end breaks off, the other is told.
  pipeline(Readable.from(content()), deflate, () => {})
  for await (const chunk of deflate) {
    file.ondata?.(null, chunk, false)
    yield* packed.splice(0)
  }
  file.ondata?.(null, new Uint8Array(0), true)
  zip.end()
  yield* packed
}

const sheetName = 'xl/worksheets/sheet1.xml'
/** The compression method of APPNOTE.TXT, 4.4.5. */
const deflated = 8

async function* sheetOf(head: string, rows: AsyncIterable<Cell[][]>, tail: string): AsyncGenerator<string> {
  yield head
  let n = 1
  for await (const page of rows) yield page.map((cells) => rowOf(cells, ++n)).join('')
  yield tail
}

/** A row by its number, counted from 1. Empty cells are left out. */
function rowOf(cells: Cell[], n: number): string {
  let row = `<row r="${n}">`
  for (const [column, cell] of cells.entries()) {
    if (cell === null || cell === '') continue
    const place = `r="${columnName(column)}${n}"`
    row +=
      typeof cell === 'number'
        ? `<c ${place}><v>${cell}</v></c>`
        : `<c ${place} t="inlineStr"><is><t xml:space="preserve">${escaped(cell)}</t></is></c>`
  }
  return `${row}</row>`
}

/** A to Z, AA, AB, … for columns counted from 0. */
function columnName(column: number): string {
  const last = String.fromCharCode(65 + (column % 26))
  return column < 26 ? last : columnName(Math.floor(column / 26) - 1) + last
}

/** Without what XML 1.0 cannot hold at all. */
function escaped(text: string): string {
  if (plain.test(text)) return text
  return text
    .replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] as string)
    .replace(/[^\t\n\r\x20-\uFFFD]/g, '')
}

const plain = /^[\x20-\x25\x27-\x3B\x3D\x3F-\uFFFD]*$/
