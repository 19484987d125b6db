import { sql } from 'drizzle-orm'
import ical from 'node-ical'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { changeCampaign } from '../../../src/domain/campaigns/campaigns.ts'
import { cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld } from '../../support/world.ts'

describe('GET /', () => {
  test('groups upcoming workshops by campaign and omits past, cancelled and draft ones', async () => {
    await using world = await createWorld()
    const december = await world.campaign({ title: { zh: '十二月入门' } })
    const shanghai = await world.workshop({ campaignId: december.id })
    const single = await world.workshop({ title: { zh: '单独一场' }, city: { zh: '杭州' } })
    const nanjing = await world.workshop({ campaignId: december.id, city: { zh: '南京' }, capacity: 1 })
    await world.register(nanjing)
    const cancelled = await world.workshop({ city: { zh: '北京' } })
    await cancelWorkshop(world.deps, cancelled.slug)
    const past = await world.workshop({ startsAt: new Date('2026-11-20T09:30:00+08:00') })
    const draft = await world.workshop({ publish: false })
    const html = await (await world.request('/')).text()
    expect([...html.matchAll(/href="(\/[cw]\/[^"]+)"/g)].map(([, href]) => href)).toEqual([
      `/c/${december.slug}`,
      `/w/${shanghai.slug}`,
      `/w/${nanjing.slug}`,
      `/w/${single.slug}`,
    ])
    expect(html).not.toContain(past.slug)
    expect(html).not.toContain(draft.slug)
    expect(visibleText(html)).toMatch(
      /十二月入门 .*上海 · 张江科学会堂 周五 10:00 – 17:00 还有 2 个名额 .*已满，可候补/,
    )
  })

  test('shows an empty state in both languages', async () => {
    await using world = await createWorld()
    expect(visibleText(await (await world.request('/')).text())).toContain('现在没有可以报名的培训。')
    expect(visibleText(await (await world.request('/?lang=en')).text())).toContain(
      'No workshop is open for registration',
    )
  })

  test('has 50 workshops per page', async () => {
    await using world = await createWorld()
    for (let n = 0; n < 51; n++) await world.workshop({ slug: `workshop-${n}` })
    const first = await (await world.request('/')).text()
    const next = /href="(\/\?cursor=[^"]+)"/.exec(first)?.[1] as string
    const second = await (await world.request(next)).text()
    const slugs = (html: string) => [...html.matchAll(/href="\/w\/([^"]+)"/g)].map(([, slug]) => slug)
    expect(slugs(first)).toHaveLength(50)
    expect(slugs(second)).toHaveLength(1)
    expect(new Set([...slugs(first), ...slugs(second)]).size).toBe(51)
  })
})

describe('GET /c/:campaign', () => {
  test('shows the seats of each city, and for a full one the waitlist and the other city', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign({
      items: [{ kind: 'bring', text: { zh: '笔记本电脑' }, mustConfirm: false }],
    })
    const shanghai = await world.workshop({ campaignId: campaign.id, capacity: 9 })
    const nanjing = await world.workshop({ campaignId: campaign.id, city: { zh: '南京' }, capacity: 1 })
    await world.register(nanjing)
    const html = await (await world.request(`/c/${campaign.slug}?via=abc`)).text()
    const text = visibleText(html)
    expect(text).toContain('动手实验与理论')
    expect(text).toContain('还有 9 个名额 上海报名')
    expect(text).toContain('已满，可候补 南京候补 上海还有 9 个名额')
    expect(text).toContain('请自带 笔记本电脑')
    expect([...html.matchAll(/href="(\/w\/[^"]+)"/g)].map(([, href]) => href)).toEqual([
      `/w/${shanghai.slug}?via=abc`,
      `/w/${nanjing.slug}?via=abc`,
      `/w/${shanghai.slug}?via=abc`,
    ])
  })

  test('returns 404 for an unknown campaign or a draft', async () => {
    await using world = await createWorld()
    const { slug } = await world.campaign()
    expect((await world.request(`/c/${slug}`)).status).toBe(200)
    await changeCampaign(world.deps, slug, { state: 'draft' })
    for (const path of [`/c/${slug}`, '/c/unknown']) {
      const response = await world.request(path)
      expect(response.status).toBe(404)
      expect(visibleText(await response.text())).toContain('这里什么也没有')
      expect(visibleText(await (await world.request(`${path}?lang=en`)).text())).toContain('There is nothing here')
    }
  })
})

test('GET /calendar.ics contains upcoming workshops and marks cancelled ones', async () => {
  await using world = await createWorld()
  const shanghai = await world.workshop()
  const cancelled = await world.workshop({ city: { zh: '北京' } })
  await cancelWorkshop(world.deps, cancelled.slug)
  await world.workshop({ publish: false })
  const response = await world.request('/calendar.ics')
  expect(response.headers.get('content-type')).toContain('text/calendar')
  const events = Object.values(ical.sync.parseICS(await response.text())).filter((part) => part?.type === 'VEVENT')
  expect(events).toMatchObject([
    {
      summary: 'RT-Thread 入门培训 · 上海',
      status: 'CONFIRMED',
      url: { val: `http://localhost:3000/w/${shanghai.slug}` },
    },
    { summary: 'RT-Thread 入门培训 · 北京', status: 'CANCELLED', sequence: 1 },
  ])
})

describe('/find', () => {
  test('responds the same for known and unknown addresses and mails only the known one', async () => {
    await using world = await createWorld()
    await world.register(await world.workshop(), { email: 'wang@example.com' })
    const responses = await Promise.all(
      ['Wang@example.com', 'nobody@example.com'].map(async (email) => {
        const response = await postForm(world, '/find', { email })
        return [response.status, response.headers.get('location'), await response.text()]
      }),
    )
    expect(responses[0]).toEqual(responses[1])
    expect(responses[0]?.[0]).toBe(303)
    expect(visibleText(await (await world.request(responses[0]?.[1] as string)).text())).toContain('如果这个邮箱有报名')
    expect(await query(world.db, sql`select kind from mails where kind = 'found'`)).toHaveLength(1)
  })

  test('returns 422 with the input kept for an invalid address', async () => {
    await using world = await createWorld()
    const response = await postForm(world, '/find', { email: 'wang@@' })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).toContain('value="wang@@"')
    expect(html).toContain('<a href="#email">邮箱地址不对')
  })

  test('is rate limited by IP', async () => {
    await using world = await createWorld()
    let last = 0
    for (let n = 0; n < 31 && last !== 429; n++) last = (await postForm(world, '/find', { email: `a${n}@b.cn` })).status
    expect(last).toBe(429)
    const refused = await postForm(world, '/find', { email: 'wang@example.com' })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(visibleText(await refused.text())).toContain('请求太多了')
  })
})

test('GET /privacy names the retention period and the contact', async () => {
  await using world = await createWorld({ env: { RETENTION_DAYS: '30', PRIVACY_CONTACT: 'privacy@example.com' } })
  const chinese = await (await world.request('/privacy')).text()
  expect(visibleText(chinese)).toContain('培训结束 30 天后删除个人信息')
  expect(chinese).toContain('<a href="mailto:privacy@example.com">')
  expect(visibleText(await (await world.request('/privacy?lang=en')).text())).toContain('30 days after the workshop')
})

test('an unknown path returns 404 in the visitor’s language with a link home', async () => {
  await using world = await createWorld()
  const response = await world.request('/nowhere', { headers: { 'Accept-Language': 'en' } })
  expect(response.status).toBe(404)
  const html = await response.text()
  expect(visibleText(html)).toContain('There is nothing here')
  expect(html).toContain('<a class="button" href="/">')
})

test('a path that looks like another host stays relative in links', async () => {
  await using world = await createWorld()
  for (const path of ['//elsewhere.example/x', '/\\elsewhere.example/x']) {
    const html = await (await world.request(`http://localhost${path}`)).text()
    expect(html).toContain('href="/elsewhere.example/x?lang=en"')
    expect(html).not.toContain('"//elsewhere.example')
  }
})

test('the footer shows FOOTER with HTML escaped', async () => {
  await using world = await createWorld({ env: { FOOTER: '沪ICP备12345678号 <b>' } })
  expect(await (await world.request('/')).text()).toContain('<span>沪ICP备12345678号 &lt;b&gt;</span>')
})
