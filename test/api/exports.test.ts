import { inflateRawSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { sql } from 'drizzle-orm'
import readExcelFile from 'read-excel-file/node'
import { describe, expect, test } from 'vitest'
import { checkIn } from '../../src/domain/door/check-ins.ts'
import { confirmAttendance } from '../../src/domain/registrations/attendance-confirmation.ts'
import { findRegistrationById, type Registration } from '../../src/domain/registrations/registrations.ts'
import { createApiClient } from '../support/http/api-client.ts'
import { createWorld, type World } from '../support/world.ts'

const formula = '=HYPERLINK("http://evil.example";"click")'

/** Seeds a workshop with everything that makes exports hard: Chinese, formulas, phone numbers, answers, all statuses, an erased person. */
async function seedWorkshop(world: World) {
  const organiser = await createApiClient(world, 'organiser')
  const workshop = await world.workshop({
    slug: 'shanghai',
    capacity: 3,
    items: [
      {
        kind: 'prerequisite',
        text: { zh: '装好 RT-Thread Studio', en: 'RT-Thread Studio installed' },
        mustConfirm: true,
      },
      { kind: 'bring', text: { zh: '+插线板', en: '+Power strip' }, mustConfirm: true },
      { kind: 'bring', text: { zh: '电脑' }, mustConfirm: false },
    ],
  })
  const [studio, strip] = workshop.items.map((item) => item.id) as [string, string]
  const { body: link } = await organiser.post('/workshops/shanghai/links', { body: { channel: '@newsletter' } })
  const first = await world.register(workshop, {
    name: '王小明',
    email: 'wang@example.com',
    phone: '+8613800138000',
    company: formula,
    via: link.code,
    ready: { [studio]: true, [strip]: false },
  })
  world.clock.advance({ minutes: 30 })
  await world.register(workshop, {
    name: '-2+3+cmd|calc',
    email: '=sum@example.com',
    phone: '+8613800138000',
    company: ' “引号", 逗号; 分号',
    ready: { [studio]: false },
  })
  const third = await world.register(workshop, { name: '＝1+1', email: 'c@example.com', phone: '+819012345678' })
  await world.register(workshop, {
    name: '韩梅梅;=1+1',
    email: 'han@example.com',
    company: ';=2',
    locale: 'en',
  })
  await world.register(workshop, { name: '𠮷田 🙂', email: 'ling@example.com' })
  world.clock.advance({ hours: 2 })
  await organiser.post(`/registrations/${first.id}/cancel`)
  await organiser.delete(`/registrations/${third.id}`)
  return organiser
}

const expectedHeaders = [
  ...['序号', '状态', '候补位次', '姓名', '邮箱', '手机', '手机重复', '公司或学校', '渠道'],
  ...['装好 RT-Thread Studio', '+插线板'],
  ...['报名时间', '得到名额时间', '名额保留到', '取消时间', '谁取消的', '语言', '会来', '签到时间'],
]

async function fetchCsv(world: World, path: string) {
  const response = await world.request(`/api/v1/workshops/shanghai/registrations.csv${path}`, {
    headers: { Authorization: `Bearer ${await world.token('organiser')}` },
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const table: string[][] = parse(bytes, { bom: true, record_delimiter: '\r\n' })
  const columns = table[0] as string[]
  const lines = table.slice(1).map((cells) => Object.fromEntries(cells.map((cell, n) => [columns[n], cell])))
  return { answer: response, bytes, columns, lines }
}

describe('GET /workshops/:slug/registrations.csv', () => {
  test('is a file download in UTF-8 with a byte order mark and CRLF', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { answer, bytes } = await fetchCsv(world, '')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const disposition = answer.headers.get('content-disposition') as string
    expect(disposition).toMatch(/^attachment; filename="shanghai\.csv"; filename\*=UTF-8''[\w.%-]+$/)
    expect(decodeURIComponent(disposition.split("''")[1] as string)).toBe('shanghai 上海 报名名单.csv')
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    const text = bytes.toString()
    expect(text.match(/\r\n/g)).toHaveLength(6)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(text.endsWith('\r\n')).toBe(true)
  })

  test('contains every registration with intact Chinese, local times and answers', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { columns, lines } = await fetchCsv(world, '')
    expect(columns.map((head) => head.replace(/^'/, ''))).toEqual(expectedHeaders)
    expect(lines).toHaveLength(5)
    expect(lines[0]).toMatchObject({
      序号: '1',
      状态: '报名已取消',
      候补位次: '',
      姓名: '王小明',
      邮箱: 'wang@example.com',
      '装好 RT-Thread Studio': '准备好了',
      "'+插线板": '还没有',
      报名时间: '2026-12-01 10:00',
      得到名额时间: '2026-12-01 10:00',
      取消时间: '2026-12-01 12:30',
      谁取消的: '主办方',
      语言: '中文',
    })
    expect(lines[1]).toMatchObject({ '装好 RT-Thread Studio': '还没有', "'+插线板": '没有回答' })
    expect(lines[3]).toMatchObject({
      状态: '报名成功',
      得到名额时间: '2026-12-01 12:30',
      语言: '英文',
    })
    expect(lines[4]).toMatchObject({ 状态: '报名成功', 姓名: '𠮷田 🙂' })
  })

  test('keeps the plus sign of phone numbers as text and marks shared numbers', async () => {
    await using world = await createWorld()
    const organiser = await seedWorkshop(world)
    const phones = async () => (await fetchCsv(world, '')).lines.map((line) => [line.手机, line.手机重复])
    expect((await phones()).slice(0, 2)).toEqual([
      ['+86 138 0013 8000', ''],
      ['+86 138 0013 8000', ''],
    ])
    await world.register(await world.workshop({ slug: 'other' }), { phone: '+8613800138000' })
    const again = { name: '又一个', email: 'again@example.com', phone: '+86 138-0013-8000', consent: true }
    await organiser.post('/workshops/shanghai/registrations', {
      body: again,
      headers: { 'Idempotency-Key': 'again-again' },
    })
    expect(await phones()).toEqual([
      ['+86 138 0013 8000', ''],
      ['+86 138 0013 8000', '是'],
      ['', ''],
      ['', ''],
      ['', ''],
      ['+86 138 0013 8000', '是'],
    ])
  })

  test('escapes every cell that a spreadsheet would compute', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { bytes, columns, lines } = await fetchCsv(world, '')
    expect(lines[0]).toMatchObject({ 公司或学校: `'${formula}`, 渠道: "'@newsletter" })
    expect(lines[1]).toMatchObject({
      姓名: "'-2+3+cmd|calc",
      邮箱: "'=sum@example.com",
      公司或学校: ' “引号", 逗号; 分号',
    })
    for (const cell of [...columns, ...lines.flatMap((line) => Object.values(line))]) {
      expect(cell).toMatch(/^(?![\s\0]*[=+\-@＝＋－＠]|[\t\r\n\0])|^\+\d+( \d+)+$/)
    }
    // Where the system's list separator is a semicolon, Excel starts a new cell after each.
    for (const cell of bytes.toString().split(/[;\r\n]+/)) expect(cell).not.toMatch(/^[\s"]*[=+\-@＝＋－＠]/)
    expect(lines[3]).toMatchObject({ 姓名: "韩梅梅;'=1+1", 公司或学校: ";'=2" })
  })

  test('keeps a row without personal data for an erased person', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { lines } = await fetchCsv(world, '')
    expect(lines[2]).toMatchObject({
      序号: '3',
      状态: '报名已取消',
      姓名: '（资料已删除）',
      邮箱: '',
      手机: '',
      公司或学校: '',
      '装好 RT-Thread Studio': '',
    })
  })

  test('is in English with ?lang=en and filters by status', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { answer, columns, lines } = await fetchCsv(world, '?lang=en&status=confirmed')
    expect(answer.headers.get('content-disposition')).toContain('shanghai%20Shanghai%20Attendees.csv')
    expect(columns).toContain('RT-Thread Studio installed')
    expect(lines).toMatchObject([
      { Number: '2', State: 'Seat confirmed', 'RT-Thread Studio installed': 'not yet', "'+Power strip": 'no answer' },
      { Number: '4', 'Signed up': '2026-12-01 10:30', 'Got the seat': '2026-12-01 12:30', Language: 'English' },
      { Number: '5' },
    ])
  })

  test("has a file name every browser can read, whatever the city's name", async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai', city: { zh: '上海', en: `St. John's * (east/"west")` } })
    const { answer } = await fetchCsv(world, '?lang=en')
    const name = /filename\*=UTF-8''([\w.%-]+)$/.exec(answer.headers.get('content-disposition') as string)?.[1]
    expect(decodeURIComponent(name as string)).toBe("shanghai St. John's   (east  west ) Attendees.csv")
  })

  test('has local times across a daylight saving change', async () => {
    await using world = await createWorld()
    world.clock.set('2027-03-28T00:30:00Z')
    const workshop = await world.workshop({ slug: 'shanghai', timeZone: 'Europe/Berlin' })
    await world.register(workshop)
    world.clock.advance({ hours: 1 })
    await world.register(workshop)
    const { lines } = await fetchCsv(world, '')
    expect(lines.map((line) => line.报名时间)).toEqual(['2027-03-28 01:30', '2027-03-28 03:30'])
  })

  test('has only a header row without registrations, and thousands of rows with them', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 5000 })
    expect((await fetchCsv(world, '')).lines).toEqual([])
    await Promise.all(Array.from({ length: 2300 }, () => world.register(workshop)))
    const { lines } = await fetchCsv(world, '')
    expect(lines.map((line) => Number(line.序号))).toEqual(Array.from({ length: 2300 }, (_, n) => n + 1))
  })
})

test('the CSV contains attendance confirmations and check-in times', async () => {
  await using world = await createWorld()
  const startsAt = new Date('2026-12-02T01:30:00Z')
  const workshop = await world.workshop({ slug: 'shanghai', startsAt })
  const { id } = await world.register(workshop)
  await world.register(workshop)
  await confirmAttendance(world.deps, (await findRegistrationById(world.deps, id)) as Registration)
  world.clock.set('2026-12-02T09:20:00+08:00')
  const helper = { name: '王工', workshopId: workshop.id }
  await checkIn(world.deps, helper, [{ id: world.deps.newId(), registration: id, at: world.clock.now() }])
  const { lines } = await fetchCsv(world, '')
  expect(lines.map((line) => [line.会来, line.签到时间])).toEqual([
    ['是', '2026-12-02 09:20'],
    ['', ''],
  ])
})

describe('GET /workshops/:slug/registrations.xlsx', () => {
  async function readXlsx(world: World, path = '') {
    const answer = await world.request(`/api/v1/workshops/shanghai/registrations.xlsx${path}`, {
      headers: { Authorization: `Bearer ${await world.token('organiser')}` },
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    const [sheet] = await readExcelFile(bytes)
    return { answer, bytes, sheet: sheet?.sheet, table: (sheet?.data ?? []) as unknown[][] }
  }

  test('is a workbook with every registration, numbers as numbers and everything else as text', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { answer, sheet, table } = await readXlsx(world)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
    expect(answer.headers.get('content-disposition')).toContain('filename="shanghai.xlsx"')
    expect(sheet).toBe('报名名单')
    expect(table[0]).toEqual(expectedHeaders)
    expect(table).toHaveLength(6)
    expect(table[1]).toEqual([
      ...[1, '报名已取消', null, '王小明', 'wang@example.com', '+86 138 0013 8000', null, formula, '@newsletter'],
      ...['准备好了', '还没有', '2026-12-01 10:00', '2026-12-01 10:00', null, '2026-12-01 12:30'],
      ...['主办方', '中文', null, null],
    ])
    expect(table[2]?.slice(0, 6)).toEqual([
      2,
      '报名成功',
      null,
      '-2+3+cmd|calc',
      '=sum@example.com',
      '+86 138 0013 8000',
    ])
    expect(table[3]?.slice(0, 6)).toEqual([3, '报名已取消', null, '（资料已删除）', null, null])
  })

  test('contains no formula and no link, whatever the input', async () => {
    await using world = await createWorld()
    await seedWorkshop(world)
    const { bytes } = await readXlsx(world)
    const files = unzip(bytes)
    expect(files['xl/worksheets/sheet1.xml']).toBeDefined()
    expect(Object.values(files).join()).toContain('HYPERLINK(')
    expect(Object.values(files).join()).not.toMatch(/<(?:f|hyperlink)[\s>]/)
  })

  test('contains waitlist positions as numbers, in English with ?lang=en', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ slug: 'shanghai', capacity: 1 })
    for (let n = 0; n < 3; n++) await world.register(workshop)
    const { sheet, table } = await readXlsx(world, '?lang=en&status=waitlisted')
    expect(sheet).toBe('Attendees')
    expect(table.map((row) => row.slice(0, 3))).toEqual([
      ['Number', 'State', 'Place in line'],
      [2, 'On the waitlist', 1],
      [3, 'On the waitlist', 2],
    ])
  })

  test('has only a header row without registrations', async () => {
    await using world = await createWorld()
    await world.workshop({ slug: 'shanghai' })
    const { table } = await readXlsx(world)
    expect(table).toHaveLength(1)
    expect(table[0]?.[0]).toBe('序号')
  })
})

/** Reads the files of a zip as text, using its central directory (APPNOTE.TXT, 4.3.12). */
function unzip(zip: Buffer): Record<string, string> {
  const files: Record<string, string> = {}
  const directoryEnd = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  let offset = zip.readUInt32LE(directoryEnd + 16)
  for (let remaining = zip.readUInt16LE(directoryEnd + 10); remaining > 0; remaining--) {
    const [size, nameLength, extraLength, commentLength] = [
      zip.readUInt32LE(offset + 20),
      zip.readUInt16LE(offset + 28),
      zip.readUInt16LE(offset + 30),
      zip.readUInt16LE(offset + 32),
    ]
    const local = zip.readUInt32LE(offset + 42)
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const compressed = zip.subarray(start, start + size)
    const name = zip.toString('utf8', offset + 46, offset + 46 + nameLength)
    files[name] = (zip.readUInt16LE(offset + 10) === 0 ? compressed : inflateRawSync(compressed)).toString()
    offset += 46 + nameLength + extraLength + commentLength
  }
  return files
}

test('an export that cannot be read returns a problem instead of a truncated file', async () => {
  await using world = await createWorld()
  await seedWorkshop(world)
  await world.db.execute(sql`alter table registrations rename to somewhere_else`)
  const token = await world.token('organiser')
  const answer = await world.request('/api/v1/workshops/shanghai/registrations.csv', {
    headers: { Authorization: `Bearer ${token}` },
  })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([500, 'application/problem+json'])
  expect(await answer.text()).not.toContain('select')
})
