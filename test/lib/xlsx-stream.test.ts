import readExcelFile from 'read-excel-file/node'
import { expect, test } from 'vitest'
import writeExcelFile from 'write-excel-file/universal'
import { appendRows, type Cell } from '../../src/lib/xlsx-stream.ts'

const columns = Array.from({ length: 30 }, (_, n) => `column ${n}`)

async function createWorkbookHead(): Promise<Uint8Array> {
  const head = columns.map((value) => ({ value, type: String }))
  return new Uint8Array(await (await writeExcelFile([head], { sheet: '名单' }).toBlob()).arrayBuffer())
}

async function readRows(pages: AsyncIterable<Cell[][]>): Promise<unknown[][]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of appendRows(await createWorkbookHead(), pages)) chunks.push(chunk)
  const [sheet] = await readExcelFile(Buffer.concat(chunks))
  return (sheet?.data ?? []) as unknown[][]
}

test('appendRows adds rows page by page after existing ones, also in columns beyond Z', async () => {
  const row = (n: number) => columns.map((_, column) => (column % 2 ? `${n} ${column}` : n * column))
  async function* pages() {
    for (let page = 0; page < 3; page++) yield Array.from({ length: 500 }, (_, n) => row(page * 500 + n))
  }
  const table = await readRows(pages())
  expect(table).toHaveLength(1501)
  expect(table[0]).toEqual(columns)
  expect(table[1]).toEqual(row(0))
  expect(table[1500]).toEqual(row(1499))
})

test('appendRows keeps texts except characters not allowed in XML, and keeps empty cells empty', async () => {
  const texts = ['<b>&amp;</b>', '=1+1', 'two  spaces', '"\'', '𠮷田 🙂', ']]>', '007', 'a\u0001b']
  async function* pages() {
    yield [[...texts, null, '']]
  }
  const [, row = []] = await readRows(pages())
  expect(row.slice(0, 8)).toEqual(texts.with(7, 'ab'))
  expect(row.slice(8)).toEqual(row.slice(8).map(() => null))
})

test('an error while reading rows aborts the workbook', async () => {
  async function* pages() {
    yield [['one']]
    throw new Error('the database is away')
  }
  await expect(readRows(pages())).rejects.toThrow('the database is away')
})

test('appendRows stops reading rows when its consumer stops', async () => {
  let ended = false
  async function* pages() {
    try {
      for (;;) yield Array.from({ length: 1000 }, (_, n) => [`${n} ${Math.random()}`])
    } finally {
      ended = true
    }
  }
  for await (const _ of appendRows(await createWorkbookHead(), pages())) break
  await expect.poll(() => ended).toBe(true)
})
