import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { registrations, workshops } from '../../../src/db/schema.ts'
import { findCertificate, formatCertificateNumber } from '../../../src/domain/attendance/certificates.ts'
import { findFeedback } from '../../../src/domain/attendance/feedback.ts'
import { replaceMaterials } from '../../../src/domain/workshops/materials.ts'
import { paths } from '../../../src/http/links.ts'
import { formValues, postForm, visibleText } from '../../support/http/forms.ts'
import { checkIn, revertCheckIn } from '../../support/seeds/attendance.ts'
import { createWorld, type World } from '../../support/world.ts'

const fetchPage = async (world: World, path: string, headers: Record<string, string> = {}) => {
  const response = await world.request(path, { headers })
  return {
    status: response.status,
    html: await response.clone().text(),
    text: visibleText(await response.text()),
    response,
  }
}

/** An ended workshop with one attendee and one no-show. */
async function attendPastWorkshop(world: World) {
  const workshop = await world.workshop({ capacity: 3 })
  const { id, ticket } = await world.register(workshop, { name: '王小明' })
  const noShow = await world.register(workshop, { name: '李华' })
  world.clock.set(workshop.startsAt)
  const scan = await checkIn(world, id)
  world.clock.set(workshop.endsAt)
  return { workshop, id, ticket, scan, noShow }
}

test('an attendee gets a certificate whose number anyone can verify in any spelling', async () => {
  await using world = await createWorld()
  const { id, ticket, scan } = await attendPastWorkshop(world)
  expect((await fetchPage(world, paths.ticket(ticket))).text).toContain('领取参加证书')
  const form = await fetchPage(world, paths.ticketCertificate(ticket))
  expect(formValues(form.html)).toEqual({ name: '王小明' })

  const wrong = await postForm(world, paths.ticketCertificate(ticket), { name: ' ', keep: 'yes' })
  expect([wrong.status, formValues(await wrong.text())]).toEqual([422, { name: ' ', keep: 'yes' }])
  const link = await postForm(world, paths.ticketCertificate(ticket), { name: '看 example.com 领奖' })
  expect([link.status, await link.text()]).toEqual([422, expect.stringContaining('看 example.com 领奖')])
  expect(await findCertificate(world.deps, id)).toBeUndefined()

  const saved = await postForm(world, paths.ticketCertificate(ticket), { name: '王 小明 ' })
  expect([saved.status, saved.headers.get('location')]).toEqual([303, `${paths.ticketCertificate(ticket)}?done=saved`])
  const number = formatCertificateNumber((await findCertificate(world.deps, id))?.number ?? '')
  expect((await fetchPage(world, paths.ticketCertificate(ticket))).text).toContain(number)
  expect((await fetchPage(world, paths.ticket(ticket))).text).toContain('我的参加证书')

  for (const spelling of [number, number.toLowerCase(), number.replace('-', ''), number.replace('-', '%20')]) {
    const { status, text, response } = await fetchPage(world, `/certificate/${spelling}`)
    expect([spelling, status, response.headers.get('x-robots-tag')]).toEqual([spelling, 200, 'noindex'])
    for (const phrase of ['证书是真的', '王 小明', 'RT-Thread 入门培训', '上海', '2026年12月11日', '7 小时'])
      expect(text).toContain(phrase)
    // The page shows the name, but no contact data.
    expect(text).not.toMatch(/example\.com|\+86/)
  }
  const lookup = await world.request(`/certificate?number=${number.toLowerCase()}`)
  expect([lookup.status, lookup.headers.get('location')]).toEqual([302, paths.certificate(number)])
  const english = await fetchPage(world, paths.certificate(number), { 'Accept-Language': 'en' })
  for (const phrase of ['This certificate is genuine', 'Shanghai', '11 December 2026', '7 hours'])
    expect(english.text).toContain(phrase)
  const sheet = await fetchPage(world, paths.certificatePrint(number))
  expect([sheet.status, sheet.text]).toEqual([200, expect.stringContaining('王 小明')])
  expect(sheet.html).not.toMatch(/ style=|<script/)

  await revertCheckIn(world, scan)
  for (const path of [paths.certificate(number), paths.certificatePrint(number)]) {
    const { status, text } = await fetchPage(world, path)
    expect([status, text]).toEqual([410, expect.stringContaining('证书已经无效')])
    expect(text).not.toContain('王 小明')
  }
})

test('GET /certificate/:number returns 404 for unknown numbers and is rate limited', async () => {
  await using world = await createWorld()
  const form = await fetchPage(world, '/certificate')
  expect([form.status, form.text]).toEqual([200, expect.stringContaining('核对证书')])
  for (const path of ['/certificate/00000-00000', '/certificate/nothing', '/certificate/%F0%9F%98%80/print']) {
    const { status, text } = await fetchPage(world, path)
    expect([path, status, text]).toEqual([path, 404, expect.stringContaining('没有这个编号')])
  }
  const lookup = await fetchPage(world, '/certificate?number=%22%3E%3Cb%3E')
  expect([lookup.status, lookup.html]).toEqual([404, expect.stringContaining('&quot;&gt;&lt;b&gt;')])
  let slowed = 0
  for (let i = 0; i < 150; i++) slowed += (await world.request('/certificate/00000-00000')).status === 429 ? 1 : 0
  expect(slowed).toBeGreaterThan(20)
})

test('certificates and feedback are rejected for no-shows, and for attendees before the end', async () => {
  await using world = await createWorld()
  const { workshop, ticket, noShow } = await attendPastWorkshop(world)
  expect((await fetchPage(world, paths.ticket(noShow.ticket))).text).not.toContain('证书')
  for (const path of [paths.ticketCertificate(noShow.ticket), paths.ticketFeedback(noShow.ticket)]) {
    expect((await fetchPage(world, path)).text).toContain('没有你的签到记录')
    const response = await postForm(world, path, { name: '李华', 'answer.useful': '5' })
    expect([response.status, await response.text()]).toEqual([409, expect.stringContaining('没有你的签到记录')])
  }
  world.clock.set(workshop.startsAt)
  for (const path of [paths.ticketCertificate(ticket), paths.ticketFeedback(ticket)]) {
    const response = await postForm(world, path, { name: '王小明', 'answer.useful': '5' })
    expect([response.status, await response.text()]).toEqual([409, expect.stringContaining('培训结束后')])
  }
})

test('attendees give and change feedback without JavaScript until the deadline', async () => {
  await using world = await createWorld()
  const { workshop, id, ticket } = await attendPastWorkshop(world)
  const path = paths.ticketFeedback(ticket)
  const first = await fetchPage(world, path)
  expect(first.text).toContain('今天的内容对你有用吗？')
  const empty = await postForm(world, path, {})
  expect([empty.status, await empty.text()]).toEqual([422, expect.stringContaining('还什么都没有填')])
  const long = await postForm(world, path, { 'answer.useful': '2', 'answer.better': '长'.repeat(2001) })
  const html = await long.text()
  expect([long.status, html.includes('最多写 2000 字'), html.includes('长'.repeat(2001))]).toEqual([422, true, true])
  expect(formValues(html)).toMatchObject({ 'answer.useful': '2' })

  const saved = await postForm(world, path, {
    'answer.useful': '5',
    'answer.hands_on': '9',
    'answer.better': '多讲\r\n中断',
    'answer.other': '1',
  })
  expect([saved.status, saved.headers.get('location')]).toEqual([303, `${path}?done=given`])
  expect(await findFeedback(world.deps, id)).toEqual({ ratings: { useful: 5 }, texts: { better: '多讲\n中断' } })
  const done = await fetchPage(world, `${path}?done=given`)
  expect(done.text).toContain('12月25日')
  expect(formValues(done.html)).toMatchObject({ 'answer.useful': '5' })
  await postForm(world, path, { 'answer.useful': '3' })
  expect(await findFeedback(world.deps, id)).toEqual({ ratings: { useful: 3 }, texts: {} })

  world.clock.set(new Date(workshop.endsAt.getTime() + 14 * 24 * 3600 * 1000))
  expect((await fetchPage(world, path)).text).toContain('反馈已经截止')
  expect((await postForm(world, path, { 'answer.useful': '1' })).status).toBe(409)
  expect((await fetchPage(world, paths.ticket(ticket))).text).not.toContain('反馈')
})

test('materials are shown to registrations with a seat, some only to attendees', async () => {
  await using world = await createWorld()
  const { workshop, ticket, noShow } = await attendPastWorkshop(world)
  await replaceMaterials(world.deps, { name: '主办方' }, workshop, [
    { title: { zh: '课件' }, url: 'https://pan.example.com/slides', note: { zh: '提取码 8k2d' }, afterwards: false },
    { title: { zh: '答案' }, url: 'https://pan.example.com/answers', note: {}, afterwards: true },
  ])
  const [attendeePage, noShowPage] = [
    await fetchPage(world, paths.ticket(ticket)),
    await fetchPage(world, paths.ticket(noShow.ticket)),
  ]
  for (const phrase of ['课件', '提取码 8k2d', '答案']) expect(attendeePage.text).toContain(phrase)
  expect(noShowPage.text).toContain('课件')
  expect(noShowPage.html).not.toMatch(/答案|answers/)
  await world.db
    .update(registrations)
    .set({ status: 'cancelled', cancelledBy: 'attendee', cancelledAt: world.clock.now() })
    .where(eq(registrations.id, noShow.id))
  expect((await fetchPage(world, paths.ticket(noShow.ticket))).html).not.toContain('pan.example.com')
})

test('certificates and feedback open when attendance is closed before the end', async () => {
  await using world = await createWorld()
  const { workshop, ticket } = await attendPastWorkshop(world)
  world.clock.set(new Date(workshop.endsAt.getTime() - 3600 * 1000))
  await world.db.update(workshops).set({ attendanceClosedAt: world.clock.now() })
  expect((await postForm(world, paths.ticketCertificate(ticket), { name: '王小明' })).status).toBe(303)
  expect((await postForm(world, paths.ticketFeedback(ticket), { 'answer.useful': '4' })).status).toBe(303)
})

test('GET /privacy covers check-in, boards, certificates and feedback', async () => {
  await using world = await createWorld()
  const zh = (await fetchPage(world, '/privacy')).text
  for (const phrase of ['签到', '开发板', '证书', '反馈', '2026-11-24b']) expect(zh).toContain(phrase)
  const en = (await fetchPage(world, '/privacy', { 'Accept-Language': 'en' })).text
  for (const phrase of ['checked in', 'board', 'certificate', 'feedback']) expect(en).toContain(phrase)
})
