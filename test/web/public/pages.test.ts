import { sql } from 'drizzle-orm'
import ical from 'node-ical'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { changeCampaign } from '../../../src/domain/campaigns/campaigns.ts'
import { cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld } from '../../support/world.ts'

describe('GET /', () => {
  test('groups the upcoming workshops by campaign, with their seats, and leaves out what is over, cancelled or a draft', async () => {
    await using world = await createWorld()
    const december = await world.campaign({ title: { zh: '十二月入门' } })
    const shanghai = await world.workshop({ campaignId: december.id })
    const alone = await world.workshop({ title: { zh: '单独一场' }, city: { zh: '杭州' } })
    const nanjing = await world.workshop({ campaignId: december.id, city: { zh: '南京' }, capacity: 1 })
    await world.register(nanjing)
    const gone = await world.workshop({ city: { zh: '北京' } })
    await cancelWorkshop(world.deps, gone.slug)
    const past = await world.workshop({ startsAt: new Date('2026-11-20T09:30:00+08:00') })
    const draft = await world.workshop({ publish: false })
    const html = await (await world.request('/')).text()
    expect([...html.matchAll(/href="(\/[cw]\/[^"]+)"/g)].map(([, href]) => href)).toEqual([
      `/c/${december.slug}`,
      `/w/${shanghai.slug}`,
      `/w/${nanjing.slug}`,
      `/w/${alone.slug}`,
    ])
    expect(html).not.toContain(past.slug)
    expect(html).not.toContain(draft.slug)
    expect(visibleText(html)).toMatch(
      /十二月入门 .*上海 · 张江科学会堂 周五 10:00 – 17:00 还有 2 个名额 .*已满，可候补/,
    )
  })

  test('says so in both languages when there is nothing', async () => {
    await using world = await createWorld()
    expect(visibleText(await (await world.request('/')).text())).toContain('现在没有可以报名的培训。')
    expect(visibleText(await (await world.request('/?lang=en')).text())).toContain(
      'No workshop is open for registration',
    )
  })

  test('shows what does not fit on one page on the next', async () => {
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
  test('shows both cities with the seats left; a full one offers its waitlist and the other city', async () => {
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

  test('that is unknown or a draft is a 404 in both languages', async () => {
    await using world = await createWorld()
    const { slug } = await world.campaign()
    expect((await world.request(`/c/${slug}`)).status).toBe(200)
    await changeCampaign(world.deps, slug, { state: 'draft' })
    for (const path of [`/c/${slug}`, '/c/unknown']) {
      const answer = await world.request(path)
      expect(answer.status).toBe(404)
      expect(visibleText(await answer.text())).toContain('这里什么也没有')
      expect(visibleText(await (await world.request(`${path}?lang=en`)).text())).toContain('There is nothing here')
    }
  })
})

test('GET /calendar.ics has every upcoming workshop, and a cancelled one as such', async () => {
  await using world = await createWorld()
  const shanghai = await world.workshop()
  const gone = await world.workshop({ city: { zh: '北京' } })
  await cancelWorkshop(world.deps, gone.slug)
  await world.workshop({ publish: false })
  const answer = await world.request('/calendar.ics')
  expect(answer.headers.get('content-type')).toContain('text/calendar')
  const events = Object.values(ical.sync.parseICS(await answer.text())).filter((part) => part?.type === 'VEVENT')
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
  test('answers the same whether the address is known or not, and mails the known one', async () => {
    await using world = await createWorld()
    await world.register(await world.workshop(), { email: 'wang@example.com' })
    const answers = await Promise.all(
      ['Wang@example.com', 'nobody@example.com'].map(async (email) => {
        const answer = await postForm(world, '/find', { email })
        return [answer.status, answer.headers.get('location'), await answer.text()]
      }),
    )
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]?.[0]).toBe(303)
    expect(visibleText(await (await world.request(answers[0]?.[1] as string)).text())).toContain('如果这个邮箱有报名')
    expect(await query(world.db, sql`select kind from mails where kind = 'found'`)).toHaveLength(1)
  })

  test('comes back filled in when the address cannot be one', async () => {
    await using world = await createWorld()
    const answer = await postForm(world, '/find', { email: 'wang@@' })
    expect(answer.status).toBe(422)
    const html = await answer.text()
    expect(html).toContain('value="wang@@"')
    expect(html).toContain('<a href="#email">邮箱地址不对')
  })

  test('is limited for one place', async () => {
    await using world = await createWorld()
    let last = 0
    for (let n = 0; n < 31 && last !== 429; n++) last = (await postForm(world, '/find', { email: `a${n}@b.cn` })).status
    expect(last).toBe(429)
    const refused = await postForm(world, '/find', { email: 'wang@example.com' })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(visibleText(await refused.text())).toContain('请求太多了')
  })
})

test('GET /privacy says who asks, for how long and whom to contact', async () => {
  await using world = await createWorld({ env: { RETENTION_DAYS: '30', PRIVACY_CONTACT: 'privacy@example.com' } })
  const chinese = await (await world.request('/privacy')).text()
  expect(visibleText(chinese)).toContain('培训结束 30 天后删除个人信息')
  expect(chinese).toContain('<a href="mailto:privacy@example.com">')
  expect(visibleText(await (await world.request('/privacy?lang=en')).text())).toContain('30 days after the workshop')
})

test('an unknown path is a 404 in the visitor’s language, with a way on', async () => {
  await using world = await createWorld()
  const answer = await world.request('/nowhere', { headers: { 'Accept-Language': 'en' } })
  expect(answer.status).toBe(404)
  const html = await answer.text()
  expect(visibleText(html)).toContain('There is nothing here')
  expect(html).toContain('<a class="button" href="/">')
})

test('a path that looks like another site does not make our links lead there', async () => {
  await using world = await createWorld()
  for (const path of ['//elsewhere.example/x', '/\\elsewhere.example/x']) {
    const html = await (await world.request(`http://localhost${path}`)).text()
    expect(html).toContain('href="/elsewhere.example/x?lang=en"')
    expect(html).not.toContain('"//elsewhere.example')
  }
})

test('the footer shows what the operator wants there', async () => {
  await using world = await createWorld({ env: { FOOTER: '沪ICP备12345678号 <b>' } })
  expect(await (await world.request('/')).text()).toContain('<span>沪ICP备12345678号 &lt;b&gt;</span>')
})
