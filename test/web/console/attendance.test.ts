import { expect, test } from 'vitest'
import { closeAttendance } from '../../../src/domain/attendance/attendance.ts'
import { saveFeedback } from '../../../src/domain/attendance/feedback.ts'
import { claimDueMails } from '../../../src/domain/mails/outbox.ts'
import { listMaterials } from '../../../src/domain/workshops/materials.ts'
import { findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { buildMessage } from '../../../src/email/message.ts'
import { paths } from '../../../src/http/links.ts'
import { confirmField, formValues, visibleText } from '../../support/http/forms.ts'
import { checkIn } from '../../support/seeds/attendance.ts'
import { createWorld, type World } from '../../support/world.ts'

type ConsoleClient = {
  get(path: string): Promise<{ status: number; html: string; text: string }>
  post(path: string, fields: Record<string, string>): Promise<{ status: number; html: string; location: string | null }>
}

async function signInToConsole(world: World, role: 'viewer' | 'organiser' = 'organiser'): Promise<ConsoleClient> {
  const { Cookie } = await world.signIn(role)
  return {
    async get(path) {
      const response = await world.request(path, { headers: { Cookie } })
      const html = await response.text()
      return { status: response.status, html, text: visibleText(html) }
    },
    async post(path, fields) {
      const response = await world.request(path, {
        method: 'POST',
        headers: { Cookie, Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      })
      return { status: response.status, html: await response.text(), location: response.headers.get('location') }
    },
  }
}

test('closing attendance lists no-shows and thanks the attendees, and it can be reopened', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 3 })
  const attendee = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
  await world.register(workshop, { name: '李华' })
  const organiser = await signInToConsole(world)
  const path = paths.attendance(workshop.slug)
  expect((await organiser.get(path)).text).toContain('培训还没有开始')
  expect((await organiser.post(paths.closeAttendance(workshop.slug), confirmField)).status).toBe(409)
  world.clock.set(workshop.endsAt)
  await checkIn(world, attendee.id)
  await organiser.post(paths.materials(workshop.slug), {
    ...confirmField,
    'material.0.title.zh': '课件',
    'material.0.url': 'https://pan.example.com/slides',
  })
  const before = await organiser.get(path)
  expect(before.text).toMatch(/李华 .*没有来/)
  expect(before.text).not.toMatch(/王小明 .*没有来 /)
  expect(before.text).toContain('感谢来过的 1 人')
  expect(before.text).toContain('谢谢你来')
  expect(formValues(before.html).thank).toBeUndefined()

  const closed = await organiser.post(paths.closeAttendance(workshop.slug), { ...confirmField, thank: 'yes' })
  expect([closed.status, closed.location]).toEqual([303, `${path}?done=closed&thanked=1`])
  expect((await organiser.get(`${path}?done=closed&thanked=1`)).text).toContain('1 封感谢邮件')
  expect((await organiser.post(paths.closeAttendance(workshop.slug), confirmField)).status).toBe(409)

  const { mails } = await claimDueMails(world.deps, 100, 60)
  const thanks = mails.filter(({ kind }) => kind === 'afterwards').map((mail) => buildMessage(world.deps, mail))
  expect(thanks).toHaveLength(1)
  const [thankYou] = thanks
  expect(thankYou?.to).toEqual({ name: '王小明', address: 'wang@example.com' })
  for (const where of [paths.ticketCertificate, paths.ticketFeedback, (t: string) => `${paths.ticket(t)}#materials`]) {
    expect(thankYou?.text).toContain(`http://localhost:3000${where(attendee.ticket)}`)
    expect(thankYou?.html).toContain(`http://localhost:3000${where(attendee.ticket)}`)
  }
  // No entry instructions, calendar file or cancel link.
  expect(thankYou?.attachments).toEqual([])
  expect(thankYou?.text).not.toMatch(/取消报名|二维码/)

  expect((await organiser.post(paths.reopenAttendance(workshop.slug), confirmField)).status).toBe(303)
  expect((await organiser.post(paths.reopenAttendance(workshop.slug), confirmField)).status).toBe(409)
})

test('the materials form adds, reorders and removes entries without JavaScript and keeps invalid input', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const organiser = await signInToConsole(world)
  const path = paths.materials(workshop.slug)
  const fields = {
    ...confirmField,
    'material.0.title.zh': '课件',
    'material.0.url': 'https://pan.example.com/slides',
    'material.0.note.zh': '提取码 8k2d',
    'material.3.title.en': 'Answers',
    'material.3.url': 'http://example.com/answers',
    'material.3.afterwards': 'yes',
  }
  const moved = await organiser.post(path, { ...fields, do: 'up.1' })
  expect(formValues(moved.html)).toMatchObject({ 'material.0.title.en': 'Answers', 'material.1.title.zh': '课件' })
  const dropped = await organiser.post(path, { ...fields, do: 'drop.0' })
  expect(formValues(dropped.html)['material.1.title.zh']).toBeUndefined()
  expect(await listMaterials(world.deps, workshop)).toEqual([])
  for (const url of ['javascript:alert(1)', 'ftp://example.com/a', '/door', '']) {
    const wrong = await organiser.post(path, { ...fields, 'material.3.url': url })
    expect([url, wrong.status, wrong.html.includes('href="#material.1.url"')]).toEqual([url, 422, true])
    expect(formValues(wrong.html)['material.0.note.zh']).toBe('提取码 8k2d')
  }
  for (const url of [`https://example.com/${'y'.repeat(2000)}`, `https://example.com/${'长'.repeat(300)}`]) {
    const long = await organiser.post(path, { ...fields, 'material.3.url': url })
    expect([long.status, formValues(long.html)['material.1.url']]).toEqual([422, url])
    expect(visibleText(long.html)).toContain('太长了')
    expect(visibleText(long.html)).not.toContain('要以 http')
  }
  expect((await organiser.post(path, fields)).status).toBe(303)
  expect(await listMaterials(world.deps, workshop)).toEqual([
    { title: { zh: '课件' }, url: 'https://pan.example.com/slides', note: { zh: '提取码 8k2d' }, afterwards: false },
    { title: { en: 'Answers' }, url: 'http://example.com/answers', note: {}, afterwards: true },
  ])
  const many = Object.fromEntries(
    Array.from({ length: 31 }, (_, n) => [
      [`material.${n}.title.zh`, `第 ${n} 份`],
      [`material.${n}.url`, 'https://example.com/'],
    ]).flat(),
  )
  expect((await organiser.post(path, { ...confirmField, ...many })).status).toBe(422)
})

test('feedback is shown as bars without names and exported to CSV with formulas escaped', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 3 })
  const people = [await world.register(workshop, { name: '王小明' }), await world.register(workshop, { name: '李华' })]
  const [organiser, viewer] = [await signInToConsole(world), await signInToConsole(world, 'viewer')]
  world.clock.set(workshop.endsAt)
  const ended = (await findWorkshop(world.deps, workshop.slug)) as Workshop
  for (const { id } of people) await checkIn(world, id)
  const [first, second] = people as [(typeof people)[0], (typeof people)[0]]
  const words = { better: '=HYPERLINK("http://example.com")' }
  await saveFeedback(world.deps, { id: first.id, workshop: ended }, { ratings: { useful: 5 }, texts: words })
  await saveFeedback(world.deps, { id: second.id, workshop: ended }, { ratings: { useful: 4 }, texts: {} })

  const page = await organiser.get(paths.attendance(workshop.slug))
  for (const phrase of ['2 人回答了（100%）', '平均 4.5 分，2 人打分', 'HYPERLINK']) expect(page.text).toContain(phrase)
  expect(page.text.slice(page.text.indexOf('人回答了'))).not.toMatch(/王小明|李华/)
  const statisticsPage = await viewer.get(paths.workshopStats(workshop.slug))
  expect(statisticsPage.text).toContain('平均 4.5 分')
  // Viewers see the ratings, but no free text.
  expect(statisticsPage.text).not.toContain('HYPERLINK')

  const csv = (await organiser.get(paths.feedbackCsv(workshop.slug))).html
  expect(csv).toMatch(/^\uFEFF?"序号","今天的内容对你有用吗？"/)
  expect(csv.split('\r\n').filter(Boolean)).toHaveLength(3)
  expect(csv).not.toMatch(/"=|王小明/)

  const questions = paths.feedbackQuestions(workshop.slug)
  const form = formValues((await organiser.get(questions)).html)
  expect(form).toMatchObject({ 'question.0.id': 'useful', 'question.0.zh': '今天的内容对你有用吗？' })
  const rejected = await organiser.post(questions, {
    ...confirmField,
    'question.0.zh': '板子好用吗？',
    'question.0.kind': 'rating',
  })
  expect([rejected.status, rejected.html]).toEqual([409, expect.stringContaining('今天的内容对你有用吗？')])
  expect(formValues(rejected.html)['question.0.zh']).toBe('板子好用吗？')
})

test('forms suggest a capacity once enough attendance lists are closed', async () => {
  await using world = await createWorld()
  const campaign = await world.campaign()
  const organiser = await signInToConsole(world)
  const later = await world.workshop({
    campaignId: campaign.id,
    capacity: 40,
    startsAt: new Date('2027-03-01T01:00:00Z'),
  })
  const page = async () => (await organiser.get(paths.attendance(later.slug))).text
  expect(await page()).toContain('数据还不够')
  expect((await organiser.get(paths.editWorkshop(later.slug))).text).not.toContain('只是建议')
  for (let n = 0; n < 3; n++) {
    const workshop = await world.workshop({ capacity: 12 })
    const people = []
    for (let i = 0; i < 12; i++) people.push(await world.register(workshop))
    world.clock.set(workshop.endsAt)
    for (const { id } of people.slice(0, 8)) await checkIn(world, id)
    await closeAttendance(world.deps, { name: '主办方' }, workshop, { thank: false })
  }
  expect(await page()).toMatch(/同城同题的 3 场里，应到 36 人，没有来 12 人。.*33%/)
  for (const path of [paths.editWorkshop(later.slug), paths.copyCampaign(campaign.slug)]) {
    expect((await organiser.get(path)).text).toMatch(/现场有 40 个座位的话，可以放 \d+ 个名额/)
  }
  expect((await organiser.get('/console/years')).text).toContain('8 / 24（33%）')
})
