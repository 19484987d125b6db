import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { auditEntries, mails } from '../../../src/db/schema.ts'
import { findCampaign, listCampaigns } from '../../../src/domain/campaigns/campaigns.ts'
import { shiftOneMonth } from '../../../src/domain/campaigns/copy-campaign.ts'
import { claimDueMails } from '../../../src/domain/mails/outbox.ts'
import { listMaterials, replaceMaterials } from '../../../src/domain/workshops/materials.ts'
import { findWorkshop, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { buildMessage } from '../../../src/email/message.ts'
import { localDateTime } from '../../../src/lib/time-zones.ts'
import { confirmField, formValues, postForm } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

/** Console client that fetches pages and submits forms like a browser without JavaScript. */
async function signInToConsole(world: World, role: 'organiser' | 'viewer' = 'organiser') {
  const { Cookie } = await world.signIn(role)
  return {
    get: async (path: string) => (await world.request(path, { headers: { Cookie } })).text(),
    send: (path: string, fields: Record<string, string>) =>
      world.request(path, {
        method: 'POST',
        headers: { Cookie, Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}

const cityFields = (n: number, values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`city.${n}.${name}`, value]))
const shanghaiFields = { zh: '上海', date: '2027-07-10', from: '09:30', to: '17:00', capacity: '40', boards: '30' }

describe('a campaign', () => {
  test('is created as a draft with its cities and checklist by one form', async () => {
    await using world = await createWorld()
    const { send, get } = await signInToConsole(world)
    const created = await send('/console/campaigns/new', {
      'title.zh': '入门培训',
      'title.en': 'Beginner workshop',
      oneSeat: 'yes',
      ...cityFields(0, shanghaiFields),
      ...cityFields(1, { ...shanghaiFields, zh: '南京', date: '2027-07-17' }),
      'item.0.kind': 'provided',
      'item.0.zh': '开发板',
      'item.1.kind': 'prerequisite',
      'item.1.zh': 'RT-Thread Studio',
      'item.1.url': 'https://www.rt-thread.io/studio.html',
      'item.1.confirm': 'yes',
      'item.2.kind': 'bring',
      'item.2.zh': ' ',
    })
    expect(created.status).toBe(303)
    const [campaign] = await listCampaigns(world.deps, { drafts: true })
    expect(campaign).toMatchObject({ state: 'draft', title: { zh: '入门培训', en: 'Beginner workshop' } })
    expect(campaign?.workshops.map(({ city, state, capacity }) => [city.zh, state, capacity])).toEqual([
      ['上海', 'draft', 40],
      ['南京', 'draft', 40],
    ])
    expect(campaign?.workshops[0]?.startsAt.toISOString()).toBe('2027-07-10T01:30:00.000Z')
    expect(campaign?.items).toMatchObject([
      { kind: 'provided', mustConfirm: false },
      { kind: 'prerequisite', url: 'https://www.rt-thread.io/studio.html', mustConfirm: true },
    ])
    // Drafts are not public.
    expect((await world.request(`/c/${campaign?.slug}`)).status).toBe(404)
    const page = await get(`/console/campaigns/${campaign?.slug}`)
    expect(page).toContain('只有 30')
    expect((await send(`/console/campaigns/${campaign?.slug}/publish`, confirmField)).status).toBe(303)
    expect((await world.request(`/c/${campaign?.slug}`)).status).toBe(200)
    expect((await findCampaign(world.deps, campaign?.slug ?? ''))?.workshops.map(({ state }) => state)).toEqual([
      'published',
      'published',
    ])
  })

  test.each([
    [{ 'title.zh': '', 'title.en': ' ' }, '标题'],
    [{ 'city.0.zh': ' ' }, '城市'],
    [{ 'city.0.date': '2027-02-30' }, '有效的日期'],
    [{ 'city.0.to': '08:00' }, '结束时间'],
    [{ 'city.0.capacity': 'viele' }, '整数'],
    [{ 'city.0.capacity': '0' }, '超出'],
    [{ 'item.0.zh': 'x', 'item.0.url': 'javascript:alert(1)' }, 'http'],
    [{ 'title.zh': 'x'.repeat(300) }, '太长'],
  ])('with %j is rejected with the input kept and the error named', async (wrong, sentence) => {
    await using world = await createWorld()
    const { send } = await signInToConsole(world)
    const fields = {
      'title.zh': '入门培训',
      'title.en': 'Labs',
      'city.0.venue.zh': '张江',
      ...cityFields(0, shanghaiFields),
      ...wrong,
    }
    const response = await send('/console/campaigns/new', fields)
    const html = await response.text()
    expect(response.status).toBe(422)
    expect(html).toContain(sentence)
    expect(formValues(html)).toMatchObject({ 'city.0.from': '09:30', 'city.0.venue.zh': '张江' })
    expect(await listCampaigns(world.deps, { drafts: true })).toEqual([])
  })

  test.each([
    [{ 'city.0.from': '' }, ['city.0.from']],
    [{ 'city.0.from': '', 'city.0.to': '' }, ['city.0.from', 'city.0.to']],
    [{ 'city.0.date': '' }, ['city.0.date']],
    [{ 'city.0.date': '2027-02-30' }, ['city.0.date']],
    [{ 'city.0.date': '', 'city.0.from': '', 'city.0.to': '' }, ['city.0.date', 'city.0.to']],
  ])('links to each invalid date or time field once: %j', async (changed, fields) => {
    await using world = await createWorld()
    const { send } = await signInToConsole(world)
    const response = await send('/console/campaigns/new', {
      'title.zh': 'a',
      ...cityFields(0, shanghaiFields),
      ...changed,
    })
    const linked = [...(await response.text()).matchAll(/<li><a href="#([^"]+)"/g)].map(([, field]) => field)
    expect([response.status, linked]).toEqual([422, fields])
  })

  test('is created once when the form is submitted several times at once', async () => {
    await using world = await createWorld({ postgres: true })
    const { send, get } = await signInToConsole(world)
    const { id = '' } = formValues(await get('/console/campaigns/new'))
    const fields = { id, 'title.zh': '入门培训', ...cityFields(0, shanghaiFields) }
    const responses = await Promise.all([1, 2, 3].map(() => send('/console/campaigns/new', fields)))
    expect(new Set(responses.map(({ headers }) => headers.get('location'))).size).toBe(1)
    expect(await listCampaigns(world.deps, { drafts: true })).toMatchObject([{ workshops: [{ capacity: 40 }] }])
  })

  test('shows the unparsed lines of a pasted text, also when the form is rendered again', async () => {
    await using world = await createWorld()
    const { send } = await signInToConsole(world)
    const text = '入门培训 7月 上海\n咖啡由谁来煮还不知道'
    const draft = await (await send('/console/draft', { text })).text()
    expect(draft).toContain('<li>咖啡由谁来煮还不知道')
    const rerendered = await send('/console/campaigns/new', { ...formValues(draft), source: text, do: 'add-city' })
    expect(await rerendered.text()).toContain('<li>咖啡由谁来煮还不知道')
    const tooLong = await send('/console/draft', { text: 'x'.repeat(50_001) })
    expect([tooLong.status, await tooLong.text()]).toEqual([422, expect.stringMatching(/太长[\s\S]*x{50001}/)])
  })

  test('accepts at most 50 checklist items and keeps the rest in the form', async () => {
    await using world = await createWorld()
    const { send } = await signInToConsole(world)
    const items = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`item.${n}.zh`, `第 ${n} 行`]))
    const response = await send('/console/campaigns/new', {
      'title.zh': '入门培训',
      ...cityFields(0, shanghaiFields),
      ...items,
    })
    const html = await response.text()
    expect([response.status, formValues(html)['item.50.zh']]).toEqual([422, '第 50 行'])
    expect(html).toContain('最多 50')
  })

  test('keeps line breaks in the summary when edited', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign({ summary: { zh: '免费\n动手实验' } })
    const { get } = await signInToConsole(world)
    expect(await get(`/console/campaigns/${campaign.slug}/edit`)).toMatch(
      /<textarea[^>]*name="summary.zh"[^>]*>免费\n动手实验</,
    )
  })

  test('keeps the focus on the button that moved a line of the checklist when it is edited', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const { send } = await signInToConsole(world)
    const fields = { 'title.zh': '入门培训', 'item.0.zh': '电脑', 'item.1.zh': '插线板', 'item.2.zh': '鼠标' }
    const answer = await send(`/console/campaigns/${campaign.slug}/edit`, { ...fields, do: 'down.0' })
    expect(await answer.text()).toMatch(/<button[^>]*value="down.1"[^>]*autofocus/)
  })

  test('adds and removes cities and reorders checklist items without losing input', async () => {
    await using world = await createWorld()
    const { send } = await signInToConsole(world)
    const input = {
      'title.zh': '入门培训',
      ...cityFields(0, shanghaiFields),
      'item.0.kind': 'bring',
      'item.0.zh': '电脑',
      'item.1.kind': 'bring',
      'item.1.zh': '插线板',
    }
    const clickButton = async (action: string) => {
      const response = await send('/console/campaigns/new', { ...input, do: action })
      expect(response.status).toBe(200)
      return formValues(await response.text())
    }
    expect(await clickButton('add-city')).toMatchObject({ 'city.0.zh': '上海', 'city.1.date': '2027-07-10' })
    expect(await clickButton('drop-city.0')).not.toHaveProperty(['city.0.zh'])
    expect(await clickButton('down.0')).toMatchObject({ 'item.0.zh': '插线板', 'item.1.zh': '电脑' })
    expect(await clickButton('up.0')).toMatchObject({ 'item.0.zh': '电脑', 'item.1.zh': '插线板' })
    expect(await clickButton('up.99')).toMatchObject({ 'item.0.zh': '电脑', 'item.1.zh': '插线板' })
  })

  test('is copied to the same weekday of the next month without registrations', async () => {
    await using world = await createWorld()
    const campaignId = (await world.campaign()).id
    const workshop = await world.workshop({ campaignId, startsAt: new Date('2026-12-12T01:30:00Z') })
    await world.register(workshop)
    const { get, send } = await signInToConsole(world)
    const { slug } = (await listCampaigns(world.deps))[0] ?? { slug: '' }
    const proposed = formValues(await get(`/console/campaigns/${slug}/next`))
    expect(proposed).toMatchObject({ 'city.0.date': '2027-01-09', 'city.0.from': '09:30', 'city.0.zh': '上海' })
    expect((await send('/console/campaigns/new', proposed)).status).toBe(303)
    const [next] = await listCampaigns(world.deps, { drafts: true })
    expect(next?.workshops).toMatchObject([{ taken: 0, state: 'draft' }])
  })

  test('is copied with its settings, reminders, checklist and materials in its own time zone', async () => {
    await using world = await createWorld()
    const campaignId = (await world.campaign()).id
    const settings = {
      ...({ waitlist: false, phone: 'required', confirmHours: 12, graceMinutes: 15, proofOfWork: true } as const),
      ...{ timeZone: 'Europe/Berlin', lead: '王工', entry: { zh: '找前台' }, reminders: { coming: 48 } },
    }
    const items = [{ kind: 'bring', text: { zh: '排插' }, mustConfirm: false, url: null }] as const
    const before = await world.workshop({
      campaignId,
      startsAt: new Date('2026-12-12T08:30:00Z'),
      ...settings,
      items: [...items],
    })
    const slides = { title: { zh: '课件' }, url: 'https://example.com/slides', note: {}, afterwards: true }
    await replaceMaterials(world.deps, { name: '王工' }, before, [slides])
    const { get, send } = await signInToConsole(world)
    const { slug } = (await listCampaigns(world.deps))[0] ?? { slug: '' }
    const proposed = formValues(await get(`/console/campaigns/${slug}/next`))
    expect((await send('/console/campaigns/new', proposed)).status).toBe(303)
    const [next] = await listCampaigns(world.deps, { drafts: true })
    const [workshop] = next?.workshops ?? []
    expect(workshop).toMatchObject({ ...settings, items, hasOwnItems: true, state: 'draft' })
    expect(workshop?.startsAt).toEqual(new Date('2027-01-09T08:30:00Z'))
    expect(await listMaterials(world.deps, workshop as Workshop)).toEqual([slides])
  })
})

test('shiftOneMonth keeps the weekday and its ordinal, or takes the last one of a shorter month', () => {
  const later = (day: string, timeZone = 'Asia/Shanghai', time = '01:30') => {
    const startsAt = new Date(`${day}T${time}:00Z`)
    const endsAt = new Date(startsAt.getTime() + 7 * 3600 * 1000)
    return localDateTime(shiftOneMonth({ startsAt, endsAt, timeZone }).startsAt, timeZone)
  }
  // Years after 2999 are not supported, so the date stays.
  expect(later('2999-12-14')).toBe('2999-12-14 09:30:00')
  // The second Saturday, the fifth Saturday, across the end of a year, and into daylight saving time in Berlin.
  expect(later('2027-07-10')).toBe('2027-08-14 09:30:00')
  expect(later('2027-07-31')).toBe('2027-08-28 09:30:00')
  expect(later('2026-12-12')).toBe('2027-01-09 09:30:00')
  expect(later('2027-03-13', 'Europe/Berlin', '08:30')).toBe('2027-04-10 09:30:00')
})

describe('changing the time of a workshop', () => {
  async function changeTime(tell: 'yes' | 'no') {
    const world = await createWorld({ env: { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'a@example.com' } })
    const workshop = await world.workshop({ capacity: 1, publish: true })
    const seated = await world.register(workshop)
    const waitlisted = await world.register(workshop)
    const cancelled = await world.register(workshop)
    await postForm(world, `/t/${cancelled.ticket}/cancel`, {})
    await world.db.update(mails).set({ state: 'sent' })
    const { get, send } = await signInToConsole(world)
    const form = formValues(await get(`/console/workshops/${workshop.slug}/edit`))
    const confirmPage = await send(`/console/workshops/${workshop.slug}/edit`, {
      ...form,
      phone: 'optional',
      from: '10:45',
    })
    return { world, workshop, seated, waitlisted, get, send, confirmPage: await confirmPage.text(), tell }
  }

  test('asks whether to notify, previews the mail and notifies everyone once with the old time and a higher SEQUENCE', async () => {
    const { world, workshop, seated, waitlisted, send, confirmPage } = await changeTime('yes')
    await using _ = world
    expect(confirmPage).toContain('10:45')
    expect(confirmPage).toContain('原来')
    expect((await findWorkshop(world.deps, workshop.slug))?.startsAt).toEqual(workshop.startsAt)

    const response = await send(`/console/workshops/${workshop.slug}/edit`, { ...formValues(confirmPage), tell: 'yes' })
    expect(response.headers.get('location')).toContain('done=told')
    expect(localDateTime((await findWorkshop(world.deps, workshop.slug))?.startsAt as Date, 'Asia/Shanghai')).toContain(
      '10:45',
    )
    const queued = await query<{ registration_id: string }>(
      world.db,
      sql`select registration_id from mails where kind = 'changed' order by id`,
    )
    expect(queued.map(({ registration_id }) => registration_id)).toEqual([seated.id, waitlisted.id])
    const { mails: claimed } = await claimDueMails(world.deps, 10, 120)
    const message = buildMessage(world.deps, claimed.find(({ kind }) => kind === 'changed') as (typeof claimed)[0])
    expect(message.text).toMatch(/10:45[\s\S]*原来[\s\S]*10:00/)
    expect(message.attachments.map(({ content }) => content.toString()).join()).toMatch(/SEQUENCE:1/)
    expect(await world.db.select({ action: auditEntries.action }).from(auditEntries)).toContainEqual({
      action: 'workshop.changed',
    })
  })

  test('returns to the form with the input kept', async () => {
    const { world, workshop, send, confirmPage } = await changeTime('no')
    await using _ = world
    const rerendered = await send(`/console/workshops/${workshop.slug}/edit`, {
      ...formValues(confirmPage),
      do: 'again',
    })
    expect([rerendered.status, formValues(await rerendered.text())]).toEqual([
      200,
      expect.objectContaining({ from: '10:45' }),
    ])
    expect(confirmPage).toMatch(/<button[^>]* name="do" value="again"/)
    expect(confirmPage).not.toContain(`href="/console/workshops/${workshop.slug}/edit"`)
  })

  test('sends no mail when notifying is declined', async () => {
    const { world, workshop, send, confirmPage } = await changeTime('no')
    await using _ = world
    await send(`/console/workshops/${workshop.slug}/edit`, { ...formValues(confirmPage), tell: 'no' })
    expect(await query(world.db, sql`select 1 from mails where kind = 'changed'`)).toEqual([])
    expect(localDateTime((await findWorkshop(world.deps, workshop.slug))?.startsAt as Date, 'Asia/Shanghai')).toContain(
      '10:45',
    )
  })

  test('asks nothing when nobody is registered or only the capacity changes', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { get, send } = await signInToConsole(world)
    const form = { ...formValues(await get(`/console/workshops/${workshop.slug}/edit`)), phone: 'optional' }
    const edit = `/console/workshops/${workshop.slug}/edit`
    expect((await send(edit, { ...form, from: '10:45' })).status).toBe(303)
    await world.register(workshop)
    expect((await send(edit, { ...form, from: '10:45', capacity: '9' })).status).toBe(303)
    const refused = await send(edit, { ...form, from: '10:45', capacity: '0' })
    expect(refused.status).toBe(422)
  })
})

test('rejects a capacity below the seats taken and reports that number', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 3 })
  for (let n = 0; n < 3; n++) await world.register(workshop)
  const { get, send } = await signInToConsole(world)
  const form = { ...formValues(await get(`/console/workshops/${workshop.slug}/edit`)), phone: 'optional' }
  const response = await send(`/console/workshops/${workshop.slug}/edit`, { ...form, capacity: '2' })
  expect([response.status, await response.text()]).toEqual([409, expect.stringContaining('不能少于已经占用的 3')])
})

test('closing, reopening and cancelling a workshop change its state, and cancelling asks for confirmation', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop)
  const { get, send } = await signInToConsole(world)
  const state = async (state: string) =>
    (await send(`/console/workshops/${workshop.slug}/state`, { state })).headers.get('location')
  expect(await state('closed')).toContain('done=closed')
  expect(await state('published')).toContain('done=reopened')
  expect((await send(`/console/workshops/${workshop.slug}/state`, { state: 'draft' })).status).toBe(409)
  expect(await get(`/console/workshops/${workshop.slug}/cancel`)).toMatch(/1\u00a0位已报名[\s\S]*培训取消：/)
  const unconfirmed = await send(`/console/workshops/${workshop.slug}/cancel`, {})
  const rerendered = await unconfirmed.text()
  expect([unconfirmed.status, formValues(rerendered)]).toEqual([422, confirmField])
  expect(rerendered).toMatch(/什么都没有改动[\s\S]*1\u00a0位已报名[\s\S]*培训取消：/)
  expect((await findWorkshop(world.deps, workshop.slug))?.state).toBe('published')
  expect((await send(`/console/workshops/${workshop.slug}/cancel`, confirmField)).status).toBe(303)
  expect((await send(`/console/workshops/${workshop.slug}/cancel`, confirmField)).status).toBe(409)
  expect((await findWorkshop(world.deps, workshop.slug))?.state).toBe('cancelled')
})

test('viewers see workshops without forms or edit links', async () => {
  await using world = await createWorld()
  const campaign = await world.campaign()
  const workshop = await world.workshop({ campaignId: campaign.id })
  const { get } = await signInToConsole(world, 'viewer')
  for (const path of [
    `/console/campaigns/${campaign.slug}`,
    `/console/workshops/${workshop.slug}`,
    '/console/campaigns',
  ]) {
    const html = await get(path)
    expect(html).toContain('上海')
    expect(html).not.toMatch(/<form(?![^>]*sign-out)|\/edit"|\/people"|\/spread"|\/draft"/)
  }
})

test('a draft can be previewed by organisers only', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ publish: false })
  const { get } = await signInToConsole(world)
  expect(await get(`/console/workshops/${workshop.slug}/preview/page`)).toContain('id="form"')
  expect((await world.request(`/console/workshops/${workshop.slug}/preview/page`)).status).toBe(302)
  expect((await world.request(`/w/${workshop.slug}`)).status).toBe(404)
})
