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
  const answer = await world.request(path, { headers })
  return { status: answer.status, html: await answer.clone().text(), text: visibleText(await answer.text()), answer }
}

/** Somebody who came to a workshop that is over. */
async function attendPastWorkshop(world: World) {
  const workshop = await world.workshop({ capacity: 3 })
  const { id, ticket } = await world.register(workshop, { name: '王小明' })
  const noShow = await world.register(workshop, { name: '李华' })
  world.clock.set(workshop.startsAt)
  const scan = await checkIn(world, id)
  world.clock.set(workshop.endsAt)
  return { workshop, id, ticket, scan, away: noShow }
}

test('who came gets a certificate with a number that anyone can verify, in any spelling', async () => {
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

  const given = await postForm(world, paths.ticketCertificate(ticket), { name: '王 小明 ' })
  expect([given.status, given.headers.get('location')]).toEqual([303, `${paths.ticketCertificate(ticket)}?done=saved`])
  const number = formatCertificateNumber((await findCertificate(world.deps, id))?.number ?? '')
  expect((await fetchPage(world, paths.ticketCertificate(ticket))).text).toContain(number)
  expect((await fetchPage(world, paths.ticket(ticket))).text).toContain('我的参加证书')

  for (const spelt of [number, number.toLowerCase(), number.replace('-', ''), number.replace('-', '%20')]) {
    const { status, text, answer } = await fetchPage(world, `/certificate/${spelt}`)
    expect([spelt, status, answer.headers.get('x-robots-tag')]).toEqual([spelt, 200, 'noindex'])
    for (const said of ['证书是真的', '王 小明', 'RT-Thread 入门培训', '上海', '2026年12月11日', '7 小时'])
      expect(text).toContain(said)
    // Of whom it is about, nothing else.
    expect(text).not.toMatch(/example\.com|\+86/)
  }
  const typed = await world.request(`/certificate?number=${number.toLowerCase()}`)
  expect([typed.status, typed.headers.get('location')]).toEqual([302, paths.certificate(number)])
  const english = await fetchPage(world, paths.certificate(number), { 'Accept-Language': 'en' })
  for (const said of ['This certificate is genuine', 'Shanghai', '11 December 2026', '7 hours'])
    expect(english.text).toContain(said)
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

test('a number that is none is answered 404 with the form, and trying numbers is slowed down', async () => {
  await using world = await createWorld()
  const form = await fetchPage(world, '/certificate')
  expect([form.status, form.text]).toEqual([200, expect.stringContaining('核对证书')])
  for (const path of ['/certificate/00000-00000', '/certificate/nothing', '/certificate/%F0%9F%98%80/print']) {
    const { status, text } = await fetchPage(world, path)
    expect([path, status, text]).toEqual([path, 404, expect.stringContaining('没有这个编号')])
  }
  const typed = await fetchPage(world, '/certificate?number=%22%3E%3Cb%3E')
  expect([typed.status, typed.html]).toEqual([404, expect.stringContaining('&quot;&gt;&lt;b&gt;')])
  let slowed = 0
  for (let i = 0; i < 150; i++) slowed += (await world.request('/certificate/00000-00000')).status === 429 ? 1 : 0
  expect(slowed).toBeGreaterThan(20)
})

test('who did not come gets neither certificate nor questions, nor does who came while it goes on', async () => {
  await using world = await createWorld()
  const { workshop, ticket, away } = await attendPastWorkshop(world)
  expect((await fetchPage(world, paths.ticket(away.ticket))).text).not.toContain('证书')
  for (const path of [paths.ticketCertificate(away.ticket), paths.ticketFeedback(away.ticket)]) {
    expect((await fetchPage(world, path)).text).toContain('没有你的签到记录')
    const answer = await postForm(world, path, { name: '李华', 'answer.useful': '5' })
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('没有你的签到记录')])
  }
  world.clock.set(workshop.startsAt)
  for (const path of [paths.ticketCertificate(ticket), paths.ticketFeedback(ticket)]) {
    const answer = await postForm(world, path, { name: '王小明', 'answer.useful': '5' })
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('培训结束后')])
  }
})

test('who came answers without a script, changes it, and is told until when', async () => {
  await using world = await createWorld()
  const { workshop, id, ticket } = await attendPastWorkshop(world)
  const path = paths.ticketFeedback(ticket)
  const first = await fetchPage(world, path)
  expect(first.text).toContain('今天的内容对你有用吗？')
  const empty = await postForm(world, path, {})
  expect([empty.status, await empty.text()]).toEqual([422, expect.stringContaining('还什么都没有填')])
  const long = await postForm(world, path, { 'answer.useful': '2', 'answer.better': '长'.repeat(2001) })
  const again = await long.text()
  expect([long.status, again.includes('最多写 2000 字'), again.includes('长'.repeat(2001))]).toEqual([422, true, true])
  expect(formValues(again)).toMatchObject({ 'answer.useful': '2' })

  const given = await postForm(world, path, {
    'answer.useful': '5',
    'answer.hands_on': '9',
    'answer.better': '多讲\r\n中断',
    'answer.other': '1',
  })
  expect([given.status, given.headers.get('location')]).toEqual([303, `${path}?done=given`])
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

test('materials stand on the ticket of who has a seat, and some only for who came', async () => {
  await using world = await createWorld()
  const { workshop, ticket, away } = await attendPastWorkshop(world)
  await replaceMaterials(world.deps, { name: '主办方' }, workshop, [
    { title: { zh: '课件' }, url: 'https://pan.example.com/slides', note: { zh: '提取码 8k2d' }, afterwards: false },
    { title: { zh: '答案' }, url: 'https://pan.example.com/answers', note: {}, afterwards: true },
  ])
  const [came, not] = [await fetchPage(world, paths.ticket(ticket)), await fetchPage(world, paths.ticket(away.ticket))]
  for (const said of ['课件', '提取码 8k2d', '答案']) expect(came.text).toContain(said)
  expect(not.text).toContain('课件')
  expect(not.html).not.toMatch(/答案|answers/)
  await world.db
    .update(registrations)
    .set({ status: 'cancelled', cancelledBy: 'attendee', cancelledAt: world.clock.now() })
    .where(eq(registrations.id, away.id))
  expect((await fetchPage(world, paths.ticket(away.ticket))).html).not.toContain('pan.example.com')
})

test('where the check-in was closed before the end, certificates and questions begin then', async () => {
  await using world = await createWorld()
  const { workshop, ticket } = await attendPastWorkshop(world)
  world.clock.set(new Date(workshop.endsAt.getTime() - 3600 * 1000))
  await world.db.update(workshops).set({ attendanceClosedAt: world.clock.now() })
  expect((await postForm(world, paths.ticketCertificate(ticket), { name: '王小明' })).status).toBe(303)
  expect((await postForm(world, paths.ticketFeedback(ticket), { 'answer.useful': '4' })).status).toBe(303)
})

test('the privacy notice tells of the day and of what follows it', async () => {
  await using world = await createWorld()
  const zh = (await fetchPage(world, '/privacy')).text
  for (const said of ['签到', '开发板', '证书', '反馈', '2026-11-24b']) expect(zh).toContain(said)
  const en = (await fetchPage(world, '/privacy', { 'Accept-Language': 'en' })).text
  for (const said of ['checked in', 'board', 'certificate', 'feedback']) expect(en).toContain(said)
})
