import { pipeline, Readable } from 'node:stream'
import { crc32, createDeflateRaw } from 'node:zlib'
import { strFromU8, unzipSync, Zip, ZipDeflate, type ZipInputFile } from 'fflate'

export type Cell = string | number | null

/**
 * Appends rows to the sheet of a workbook. Yields chunks, so that the workbook is never in memory as a whole: 100,000 rows
 * are 100 MB of uncompressed XML. Texts are inline strings, which no program evaluates as formulas (ECMA-376, 18.18.11).
 * @param template a workbook of one sheet with one row
 * @param rows in pages
 */
export async function* appendRows(template: Uint8Array, rows: AsyncIterable<Cell[][]>): AsyncGenerator<Uint8Array> {
  const { [sheetName]: sheet, ...others } = unzipSync(template)
  const [head, tail] = strFromU8(sheet as Uint8Array).split(/(?=<\/sheetData>)/) as [string, string]
  const output: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    output.push(chunk)
  })
  for (const [name, content] of Object.entries(others)) {
    const file = new ZipDeflate(name)
    zip.add(file)
    file.push(content, true)
  }

  const file: ZipInputFile = { filename: sheetName, compression: deflateMethod, size: 0, crc: 0 }
  zip.add(file)
  async function* content() {
    for await (const text of renderSheet(head, rows, tail)) {
      const bytes = Buffer.from(text)
      file.size += bytes.length
      file.crc = crc32(bytes, file.crc)
      yield bytes
    }
  }
  const deflate = createDeflateRaw({ level: 1 })
  // If one end fails, pipeline destroys the other.
  pipeline(Readable.from(content()), deflate, () => {})
  for await (const chunk of deflate) {
    file.ondata?.(null, chunk, false)
    yield* output.splice(0)
  }
  file.ondata?.(null, new Uint8Array(0), true)
  zip.end()
  yield* output
}

const sheetName = 'xl/worksheets/sheet1.xml'
/** APPNOTE.TXT, 4.4.5. */
const deflateMethod = 8

async function* renderSheet(head: string, rows: AsyncIterable<Cell[][]>, tail: string): AsyncGenerator<string> {
  yield head
  let n = 1
  for await (const page of rows) yield page.map((cells) => renderRow(cells, ++n)).join('')
  yield tail
}

/** @param n the number of the row, from 1 */
function renderRow(cells: Cell[], n: number): string {
  let row = `<row r="${n}">`
  for (const [column, cell] of cells.entries()) {
    if (cell === null || cell === '') continue
    const attributes = `r="${columnName(column)}${n}"`
    row +=
      typeof cell === 'number'
        ? `<c ${attributes}><v>${cell}</v></c>`
        : `<c ${attributes} t="inlineStr"><is><t xml:space="preserve">${escapeXml(cell)}</t></is></c>`
  }
  return `${row}</row>`
}

/** A to Z, AA, AB, … for columns from 0. */
function columnName(column: number): string {
  const last = String.fromCharCode(65 + (column % 26))
  return column < 26 ? last : columnName(Math.floor(column / 26) - 1) + last
}

/** Drops characters that XML 1.0 cannot represent. */
function escapeXml(text: string): string {
  if (xmlSafePattern.test(text)) return text
  return text
    .replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] as string)
    .replace(/[^\t\n\r\x20-\uFFFD]/g, '')
}

const xmlSafePattern = /^[\x20-\x25\x27-\x3B\x3D\x3F-\uFFFD]*$/
