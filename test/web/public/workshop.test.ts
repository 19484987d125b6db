import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { mails, registrations } from '../../../src/db/schema.ts'
import { createLink } from '../../../src/domain/promotion/registration-links.ts'
import { cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { changeWorkshop, type ItemDraft } from '../../../src/domain/workshops/workshops.ts'
import { formValues, openForm, postForm, submitForm, visibleText } from '../../support/http/forms.ts'
import { createWorld } from '../../support/world.ts'

const person = { name: '王小明', email: 'wang@example.com', phone: '', company: '', consent: 'yes' }

const studioItem: ItemDraft = {
  kind: 'prerequisite',
  text: { zh: '已安装 RT-Thread Studio', en: 'RT-Thread Studio is installed' },
  url: 'https://www.rt-thread.org/studio.html',
  mustConfirm: true,
}
const boardItem: ItemDraft = { kind: 'provided', text: { zh: '开发板', en: 'A board' }, mustConfirm: false }

describe('GET /w/:workshop', () => {
  test('shows date, time zone, place, seats, provided items and prerequisites', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ items: [boardItem, studioItem] })
    await world.register(workshop)
    const response = await world.request(`/w/${workshop.slug}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('private, no-cache')
    const html = await response.text()
    expect(html).toContain('<html lang="zh-CN">')
    const text = visibleText(html)
    for (const phrase of [
      'RT-Thread 入门培训',
      '周五 10:00 – 17:00',
      '2026年12月11日',
      '北京时间',
      '上海 · 张江科学会堂',
      '海科路 1393 号',
      '1 个名额剩余，共 2 个',
      '现场提供 开发板',
      '请先安装 已安装 RT-Thread Studio',
      '报名，占一个名额',
    ]) {
      expect(text).toContain(phrase)
    }
  })

  test('uses the preferred language and keeps the channel in the language link', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const html = await (
      await world.request(`/w/${workshop.slug}?via=abc`, { headers: { 'Accept-Language': 'en-GB,en;q=0.9' } })
    ).text()
    expect(html).toContain('<html lang="en">')
    expect(visibleText(html)).toContain('2 of 2 seats left')
    expect(html).toContain(`href="/w/${workshop.slug}?via=abc&amp;lang=zh-CN"`)
  })

  test('contains nothing inline and no third-party resources', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ items: [boardItem, studioItem] })
    const html = await (await world.request(`/w/${workshop.slug}`)).text()
    expect(html).not.toMatch(/ style=| on\w+=|<style|<script(?![^>]* src="\/)/)
    expect([...html.matchAll(/(?:src|href)="(https?:[^"]+)"/g)].map(([, url]) => url)).toEqual([studioItem.url])
  })

  test('escapes what organisers write', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ title: { zh: '<img src=x onerror=alert(1)>"&' } })
    const html = await (await world.request(`/w/${workshop.slug}`)).text()
    expect(html).not.toContain('<img src=x')
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })

  test('contains a new idempotency key for each visitor', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const keys = await Promise.all(
      [1, 2].map(async () => formValues(await (await world.request(`/w/${slug}`)).text()).key),
    )
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(keys[0]).not.toBe(keys[1])
  })

  test('has the phone field that the workshop is set to', async () => {
    await using world = await createWorld()
    const phoneField = async (phone: 'required' | 'optional' | 'no') => {
      const { slug } = await world.workshop({ phone })
      return /<input id="phone"[^>]*>/.exec(await (await world.request(`/w/${slug}`)).text())?.[0]
    }
    expect(await phoneField('required')).toContain('required')
    expect(await phoneField('optional')).not.toContain('required')
    expect(await phoneField('no')).toBeUndefined()
  })

  test('offers the waitlist and the other city when the workshop is full', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const full = await world.workshop({ campaignId: campaign.id, capacity: 1 })
    const other = await world.workshop({ campaignId: campaign.id, city: { zh: '南京', en: 'Nanjing' }, capacity: 9 })
    await world.register(full)
    await world.register(full)
    const html = await (await world.request(`/w/${full.slug}?via=abc`)).text()
    expect(visibleText(html)).toContain('已满 可以排队候补，现在有 1 人在排队')
    expect(html).toContain(`<a class="other-city" href="/w/${other.slug}?via=abc">南京还有\u00a09\u00a0个名额</a>`)
    expect(visibleText(html)).toMatch(/排队候补 有人取消就按顺序递补/)
  })

  test('has no form and gives the reason when registration is not open', async () => {
    await using world = await createWorld()
    const at = (moment: string) => new Date(`${moment}+08:00`)
    const later = await world.workshop({ opensAt: at('2026-12-08T10:00') })
    const late = await world.workshop({ closesAt: at('2026-11-30T18:00') })
    const closed = await world.workshop()
    await changeWorkshop(world.deps, closed.slug, { state: 'closed' })
    const cancelled = await world.workshop()
    await cancelWorkshop(world.deps, cancelled.slug)
    const past = await world.workshop({ startsAt: at('2026-11-20T09:30') })
    const full = await world.workshop({ capacity: 1, waitlist: false })
    await world.register(full)
    for (const [workshop, reason] of [
      [later, '即将开放 12月8日周二 10:00 开放报名'],
      [late, '已截止 报名于 11月30日周一 18:00 截止'],
      [closed, '已截止 报名已经结束'],
      [cancelled, '已取消 这场培训不办了'],
      [past, '已结束'],
      [full, '已满 共 1 个名额，不设候补'],
    ] as const) {
      const html = await (await world.request(`/w/${workshop.slug}`)).text()
      expect(visibleText(html)).toContain(reason)
      expect(html).not.toContain('<form')
    }
  })

  test('returns 404 for an unknown workshop or a draft, in the visitor’s language', async () => {
    await using world = await createWorld()
    const draft = await world.workshop({ publish: false })
    for (const slug of ['nowhere', draft.slug]) {
      const chinese = await world.request(`/w/${slug}`)
      expect(chinese.status).toBe(404)
      expect(visibleText(await chinese.text())).toContain('这里什么也没有')
      const english = await world.request(`/w/${slug}?lang=en`)
      expect(english.status).toBe(404)
      const html = await english.text()
      expect(visibleText(html)).toContain('There is nothing here')
      expect(html).toContain('<a class="button" href="/">')
    }
  })
})

describe('POST /w/:workshop', () => {
  test('redirects to the ticket and stores the input with its registration link', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ items: [studioItem] })
    const link = await createLink(world.deps, { workshop: workshop.slug }, { channel: 'poster' })
    const form = await openForm(world, `/w/${workshop.slug}?via=${link?.code}`)
    const item = workshop.items[0]?.id as string
    const response = await postForm(world, `/w/${workshop.slug}`, {
      ...form,
      ...person,
      phone: '１３８ ００１３ ８０００',
      company: '睿赛德',
      [`ready.${item}`]: 'no',
    })
    expect(response.status).toBe(303)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const ticket = response.headers.get('location') as string
    expect(ticket).toMatch(/^\/t\/[\w-]{40,}$/)
    expect(visibleText(await (await world.request(ticket)).text())).toContain('报名成功 王小明，到时见')
    expect(await world.db.select().from(registrations)).toMatchObject([
      {
        name: '王小明',
        email: 'wang@example.com',
        phone: '+8613800138000',
        company: '睿赛德',
        locale: 'zh-CN',
        linkCode: link?.code,
        ready: { [item]: false },
        status: 'confirmed',
        idempotencyKey: form.key,
      },
    ])
  })

  test('accepts a multipart form', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const body = new FormData()
    for (const [name, value] of Object.entries({ ...(await openForm(world, `/w/${slug}`)), ...person }))
      body.set(name, value)
    const response = await world.request(`/w/${slug}`, { method: 'POST', body })
    expect(response.status).toBe(303)
  })

  test('registers once when the form is submitted twice', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const form = await openForm(world, `/w/${slug}`)
    const first = await postForm(world, `/w/${slug}`, { ...form, ...person })
    const second = await postForm(world, `/w/${slug}`, { ...form, ...person })
    expect(second.status).toBe(303)
    expect(second.headers.get('location')).toBe(first.headers.get('location'))
    expect(await world.db.$count(registrations)).toBe(1)
  })

  test('returns 422 with the input kept and a link to each invalid field', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ phone: 'required', items: [studioItem] })
    const ready = `ready.${workshop.items[0]?.id}`
    const form = await openForm(world, `/w/${workshop.slug}?via=abc`)
    const input = {
      ...form,
      name: 'see www.example.com',
      email: 'wang@@example',
      phone: '12345',
      company: 'a'.repeat(121),
      [ready]: 'no',
    }
    const response = await postForm(world, `/w/${workshop.slug}`, input)
    expect(response.status).toBe(422)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const html = await response.text()
    expect(formValues(html)).toEqual(input)
    expect([...html.matchAll(/<li><a href="#([^"]+)">([^<]+)/g)].map(([, field, message]) => [field, message])).toEqual(
      [
        ['name', '姓名里不能有网址'],
        ['email', '邮箱地址不对，请检查，例如 name@example.com'],
        ['phone', '请填写手机号，国外的手机号请带上国家代码，例如 +49'],
        ['company', '公司或学校太长了'],
        ['consent', '请勾选同意，否则我们不能保存你的信息'],
      ],
    )
    for (const field of ['name', 'email', 'phone', 'company', 'consent']) {
      expect(html).toMatch(new RegExp(`<input id="${field}"[^>]*aria-describedby="[^"]*${field}-problem"`))
      expect(html).toContain(`id="${field}-problem"`)
    }
    expect(html).toMatch(/<div class="alert" role="alert" tabindex="-1" autofocus/)
    expect(await world.db.$count(registrations)).toBe(0)
  })

  test('names every required field when the form is empty', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ phone: 'required' })
    const response = await postForm(world, `/w/${slug}?lang=en`, {})
    expect(response.status).toBe(422)
    const text = visibleText(await response.text())
    for (const phrase of ['Name is missing', 'E-mail is missing', 'Phone is missing', 'Please tick the box']) {
      expect(text).toContain(phrase)
    }
  })

  test('returns 409 without details for a registered address and mails its ticket', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const registered = await world.register(workshop, { email: 'Wang@example.com', name: '王小明的真名' })
    const response = await submitForm(world, `/w/${workshop.slug}`, { ...person, name: '陌生人' })
    expect(response.status).toBe(409)
    const html = await response.text()
    expect(visibleText(html)).toContain('这个邮箱已经报过名了')
    expect(formValues(html)).toMatchObject({ name: '陌生人', email: 'wang@example.com', consent: 'yes' })
    expect(html).not.toContain('王小明的真名')
    expect(html).not.toContain('/t/')
    expect(html).not.toContain(registered.id)
    expect(await world.db.select().from(mails).where(eq(mails.kind, 'found'))).toHaveLength(1)
  })

  test('returns 409 with a new key when the key was used for another person', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const form = await openForm(world, `/w/${slug}`)
    await postForm(world, `/w/${slug}`, { ...form, ...person })
    const colleague = { ...person, name: '李雷', email: 'li@example.com' }
    const refused = await postForm(world, `/w/${slug}`, { ...form, ...colleague })
    expect(refused.status).toBe(409)
    const rerendered = formValues(await refused.text())
    expect(rerendered.key).not.toBe(form.key)
    const response = await postForm(world, `/w/${slug}`, rerendered)
    expect(response.status).toBe(303)
    expect(await world.db.$count(registrations)).toBe(2)
  })

  test('returns 409 with the input kept and the other city when there is no waitlist', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const full = await world.workshop({ campaignId: campaign.id, capacity: 1, waitlist: false })
    const other = await world.workshop({ campaignId: campaign.id, city: { zh: '南京' } })
    const form = await openForm(world, `/w/${full.slug}`)
    await world.register(full)
    const response = await postForm(world, `/w/${full.slug}`, { ...form, ...person })
    expect(response.status).toBe(409)
    const html = await response.text()
    expect(visibleText(html)).toContain('名额已经报满，这场培训不设候补。')
    expect(html).toContain(`href="/w/${other.slug}"`)
    expect(formValues(html)).toMatchObject({ name: '王小明', email: 'wang@example.com' })
  })

  test('returns 409 with the reason before opening, after closing and for a cancelled workshop', async () => {
    await using world = await createWorld()
    const at = (moment: string) => new Date(`${moment}+08:00`)
    const [later, late, cancelled] = [await world.workshop(), await world.workshop(), await world.workshop()]
    const forms = new Map<string, Record<string, string>>()
    for (const { slug } of [later, late, cancelled]) forms.set(slug, await openForm(world, `/w/${slug}`))
    await changeWorkshop(world.deps, later.slug, { opensAt: at('2026-12-08T10:00') })
    await changeWorkshop(world.deps, late.slug, { closesAt: at('2026-11-30T18:00') })
    await cancelWorkshop(world.deps, cancelled.slug)
    for (const [workshop, reason] of [
      [later, '报名还没有开放。'],
      [late, '报名已经截止，没有提交成功。'],
      [cancelled, '这场培训已经取消。'],
    ] as const) {
      const response = await postForm(world, `/w/${workshop.slug}`, { ...forms.get(workshop.slug), ...person })
      expect(response.status).toBe(409)
      expect(visibleText(await response.text())).toContain(reason)
    }
    expect(await world.db.$count(registrations)).toBe(0)
  })

  test('adds registrations after the last seat to the waitlist with their position', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    await world.register(workshop)
    const response = await submitForm(world, `/w/${workshop.slug}`, person)
    expect(response.status).toBe(303)
    const ticket = await (await world.request(response.headers.get('location') as string)).text()
    expect(visibleText(ticket)).toContain('第 2 位 名额已满，你在排队')
    expect(ticket).not.toContain('qr.png')
  })

  test('returns 422 when the honeypot is filled in, and accepts the rendered form', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const html = await (await world.request(`/w/${slug}`)).text()
    const honeypot = /<div class="trap" aria-hidden="true">.*?<input id="message" name="message"([^>]*)>/.exec(
      html,
    )?.[1]
    expect(honeypot).toContain('tabindex="-1"')
    expect(honeypot).toContain('autocomplete="off"')
    const trapped = await submitForm(world, `/w/${slug}`, { ...person, message: 'Buy now' })
    expect(trapped.status).toBe(422)
    const back = await trapped.text()
    expect(visibleText(back)).toContain('一个看不见的格子被填上了')
    expect(await world.db.$count(registrations)).toBe(0)
    const form = formValues(back)
    expect(form).toMatchObject({ name: '王小明', email: 'wang@example.com', consent: 'yes' })
    expect(form).not.toHaveProperty('message')
    // No more waiting: the form was rendered long enough ago.
    expect((await postForm(world, `/w/${slug}`, form)).status).toBe(303)
  })

  test('returns 422 less than two seconds after the form was rendered', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const form = formValues(await (await world.request(`/w/${slug}`)).text())
    world.clock.advance({ seconds: 1.9 })
    const response = await postForm(world, `/w/${slug}`, { ...form, ...person })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(visibleText(html)).toContain('表单提交得太快了')
    expect(formValues(html)).toMatchObject({ name: '王小明', email: 'wang@example.com', consent: 'yes' })
    expect(await world.db.$count(registrations)).toBe(0)
    world.clock.advance({ seconds: 0.1 })
    expect((await postForm(world, `/w/${slug}`, formValues(html))).status).toBe(303)
  })

  test('returns 422 for a missing, forged or other form’s timestamp and renders a valid one', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const other = await openForm(world, `/w/${(await world.workshop()).slug}`)
    const another = await openForm(world, `/w/${slug}`)
    const form = await openForm(world, `/w/${slug}`)
    const { guard = '', ...unguarded } = form
    const earlier = `${(Number.parseInt(guard, 36) - 1).toString(36)}.${guard.split('.')[1]}`
    const guards = ['', 'x', earlier, `${guard.slice(0, -1)}~`, other.guard ?? '', another.guard ?? '']
    for (const wrong of guards) {
      const response = await postForm(world, `/w/${slug}`, { ...form, ...person, guard: wrong })
      expect([wrong, response.status]).toEqual([wrong, 422])
    }
    const response = await postForm(world, `/w/${slug}`, { ...unguarded, ...person })
    expect(await world.db.$count(registrations)).toBe(0)
    const back = formValues(await response.text())
    world.clock.advance({ seconds: 2 })
    expect((await postForm(world, `/w/${slug}`, back)).status).toBe(303)
  })

  test('accepts a correction at once, because the time counts from the first rendering', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const refused = await submitForm(world, `/w/${slug}`, { ...person, email: 'wang@' })
    expect(refused.status).toBe(422)
    const back = { ...formValues(await refused.text()), email: person.email }
    expect((await postForm(world, `/w/${slug}`, back)).status).toBe(303)
  })

  test('returns 404 for an unknown workshop', async () => {
    await using world = await createWorld()
    expect((await postForm(world, '/w/nowhere', person)).status).toBe(404)
  })

  test('returns 403 for a cross-site form', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const response = await world.request(`/w/${slug}`, {
      method: 'POST',
      headers: { Origin: 'https://elsewhere.example', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(person).toString(),
    })
    expect(response.status).toBe(403)
    expect(visibleText(await response.text())).toContain('这个操作被拒绝了')
    expect(await world.db.$count(registrations)).toBe(0)
  })
})

test('GET /w/:workshop/badge.svg shows the seats left in the requested language and is cached for a second', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1 })
  const badge = async (query = '') => world.request(`/w/${workshop.slug}/badge.svg${query}`)
  const response = await badge()
  expect(response.headers.get('content-type')).toContain('image/svg+xml')
  expect(response.headers.get('cache-control')).toBe('public, max-age=1')
  expect(response.headers.get('cross-origin-resource-policy')).not.toBe('same-origin')
  expect(await response.text()).toContain('<title>上海: 还有\u00a01\u00a0个名额</title>')
  expect(await (await badge('?lang=en')).text()).toContain('<title>Shanghai: 1\u00a0seat left</title>')
  await world.register(workshop)
  expect(await (await badge()).text()).toContain('<title>上海: 已满，可候补</title>')
  expect((await world.request('/w/nowhere/badge.svg')).status).toBe(404)
})

test('a sign-up whose response was lost is recognised when the page is opened and submitted again', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  const open = async (cookie = '') => {
    const page = await world.request(`/w/${slug}`, { headers: { Cookie: cookie } })
    const [setCookie = ''] = page.headers.getSetCookie()
    const { key = '', guard = '' } = formValues(await page.text())
    world.clock.advance({ seconds: 20 })
    return { form: { key, guard }, key, setCookie }
  }
  const first = await open()
  expect(first.setCookie).toMatch(
    new RegExp(`^key=${first.key}; Max-Age=3600; Path=/w/${slug}; HttpOnly; SameSite=Lax$`),
  )
  const sent = await postForm(world, `/w/${slug}`, { ...person, ...first.form })

  const reopened = await open(`key=${first.key}`)
  expect(reopened).toMatchObject({ key: first.key, setCookie: '' })
  const resent = await postForm(world, `/w/${slug}`, { ...person, ...reopened.form })
  expect([resent.status, resent.headers.get('location')]).toEqual([303, sent.headers.get('location')])
  // The key is forgotten after a response, because the next sign-up on this phone is another person.
  expect(resent.headers.getSetCookie()).toEqual([`key=; Max-Age=0; Path=/w/${slug}`])
  expect((await open()).key).not.toBe(first.key)
})

test('a draft stays hidden until it is published', async () => {
  await using world = await createWorld()
  const status = async (slug: string) => (await world.request(`/w/${slug}`)).status
  const { slug } = await world.workshop({ publish: false })
  expect(await status(slug)).toBe(404)
  await changeWorkshop(world.deps, slug, { state: 'closed' })
  expect(await status(slug)).toBe(404)
  expect(await (await world.request('/')).text()).not.toContain(`/w/${slug}`)
  const other = await world.workshop({ publish: false })
  await cancelWorkshop(world.deps, other.slug)
  expect(await status(other.slug)).toBe(404)
  await changeWorkshop(world.deps, slug, { state: 'published' })
  expect(await status(slug)).toBe(200)
})
