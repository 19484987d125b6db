import { eq, sql } from 'drizzle-orm'
import ical from 'node-ical'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { registrations } from '../../../src/db/schema.ts'
import type { Registered } from '../../../src/domain/registrations/batcher.ts'
import { findRegistrationById } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { createTicketToken } from '../../../src/domain/tickets/signed-tokens.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

const wechatHeaders = { 'User-Agent': 'Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 MicroMessenger/8.0.42' }

async function createConfirmed(world: World, signUp = {}) {
  const workshop = await world.workshop({
    items: [
      {
        kind: 'prerequisite',
        text: { zh: '已安装 RT-Thread Studio', en: 'RT-Thread Studio is installed' },
        url: 'https://www.rt-thread.org/studio.html',
        mustConfirm: true,
      },
    ],
  })
  const registered = await world.register(workshop, {
    name: '王小明',
    email: 'wang@example.com',
    ready: { [workshop.items[0]?.id as string]: false },
    ...signUp,
  })
  return { workshop, registered, path: `/t/${registered.ticket}` }
}

async function registrationStatus(world: World, { id }: Registered) {
  return (await findRegistrationById(world.deps, id))?.status
}

describe('GET /t/:ticket', () => {
  test('shows the seat, check-in code, date, place, checklist and actions', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const response = await world.request(path)
    expect(response.status).toBe(200)
    const html = await response.text()
    const text = visibleText(html)
    for (const phrase of [
      '报名成功 王小明，到时见',
      '周五 10:00 – 17:00',
      '2026年12月11日 · 北京时间',
      '上海 · 张江科学会堂',
      '准备好一样，就勾一样',
      '发往 wang@example.com',
    ]) {
      expect(text).toContain(phrase)
    }
    expect(html).toContain(`<img src="${path}/qr.png"`)
    for (const action of ['calendar.ics', 'cancel', 'data.json', 'erase'])
      expect(html).toContain(`href="${path}/${action}"`)
    expect(html).toContain(`action="${path}/email"`)
  })

  test('is not cached, indexed or leaked in referrers', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    for (const address of [path, `${path}/qr.png`, `${path}/calendar.ics`, `${path}/cancel`, '/t/forged']) {
      const { headers } = await world.request(address)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('x-robots-tag')).toBe('noindex')
    }
  })

  test('shows the position and no check-in code on the waitlist', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    await world.register(workshop)
    const { ticket } = await world.register(workshop)
    const html = await (await world.request(`/t/${ticket}`)).text()
    expect(visibleText(html)).toContain('第 2 位')
    expect(html).not.toMatch(/qr\.png|calendar\.ics/)
    expect((await world.request(`/t/${ticket}/qr.png`)).status).toBe(404)
    expect(visibleText(await (await world.request(`/t/${ticket}?lang=en`)).text())).toContain('No. 2 in line')
  })

  test('shows who cancelled and links back to the workshop', async () => {
    await using world = await createWorld()
    const { path, registered, workshop } = await createConfirmed(world)
    await cancelRegistration(world.deps, registered.id, 'organiser')
    const html = await (await world.request(path)).text()
    expect(visibleText(html)).toContain('已取消 主办方取消了这次报名')
    expect(html).toContain(`<a class="button" href="/w/${workshop.slug}">`)
    expect(html).not.toContain('qr.png')
  })

  test('links to the other city when the workshop was cancelled', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const cancelled = await world.workshop({ campaignId: campaign.id })
    const other = await world.workshop({ campaignId: campaign.id, city: { zh: '南京' } })
    const { ticket } = await world.register(cancelled)
    await cancelWorkshop(world.deps, cancelled.slug)
    const html = await (await world.request(`/t/${ticket}`)).text()
    expect(visibleText(html)).toContain('这场培训不办了，很抱歉')
    expect(html).toContain(`href="/w/${other.slug}"`)
  })

  test('offers no changes but erasure after the workshop', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    world.clock.advance({ days: 11 })
    const html = await (await world.request(path)).text()
    expect(visibleText(html)).toContain('已结束 欢迎关注下一期')
    expect(html).not.toMatch(/qr\.png|\/cancel|calendar\.ics|<form/)
    expect(html).toContain(`${path}/erase`)
  })

  test('offers a link to copy instead of downloads in WeChat', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const html = await (await world.request(path, { headers: wechatHeaders })).text()
    expect(html).not.toMatch(/calendar\.ics|data\.json/)
    expect(visibleText(html)).toContain('选「在浏览器打开」')
    expect(visibleText(html)).toContain('要下载一份，请在浏览器打开这张票')
    expect(html).toContain(`value="http://localhost:3000${path}"`)
  })

  test('returns the same 404 for forged, foreign and outdated tickets', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    await postForm(world, `${path}/email`, { email: 'right@example.com' })
    const bodies = await Promise.all(
      [path, '/t/forged', `/t/${createTicketToken('another secret', { id: registered.id, version: 1 })}`].map(
        async (address) => {
          const response = await world.request(address)
          expect(response.status).toBe(404)
          return visibleText(await response.text())
        },
      ),
    )
    expect(new Set(bodies).size).toBe(1)
    expect((await world.request('/t/forged/cancel')).status).toBe(404)
    expect((await postForm(world, '/t/forged/cancel', {})).status).toBe(404)
    expect((await postForm(world, '/t/forged/email', { email: 'right@example.com' })).status).toBe(404)
    expect((await postForm(world, '/t/forged/erase', {})).status).toBe(404)
  })
})

test('GET /t/:ticket/qr.png is the check-in code, which redirects non-helpers to the workshop', async () => {
  await using world = await createWorld()
  const { path, workshop } = await createConfirmed(world)
  const response = await world.request(`${path}/qr.png`)
  expect(response.headers.get('content-type')).toBe('image/png')
  const checkInUrl = new URL(decodeQr(new Uint8Array(await response.arrayBuffer())))
  expect(checkInUrl.href).toMatch(/^http:\/\/localhost:3000\/in\/[\w-]+$/)
  const redirect = await world.request(checkInUrl.pathname)
  expect(redirect.status).toBe(302)
  expect(redirect.headers.get('location')).toBe(`/w/${workshop.slug}`)
  expect((await world.request('/in/forged')).status).toBe(404)
  // The check-in code is not a ticket.
  expect((await world.request(checkInUrl.pathname.replace('/in/', '/t/'))).status).toBe(404)
})

test('GET /t/:ticket/calendar.ics contains the workshop with the ticket link', async () => {
  await using world = await createWorld()
  const { path, registered, workshop } = await createConfirmed(world)
  const response = await world.request(`${path}/calendar.ics`)
  expect(response.headers.get('content-type')).toContain('text/calendar')
  const [event] = Object.values(ical.sync.parseICS(await response.text())).filter((part) => part?.type === 'VEVENT')
  expect(event).toMatchObject({
    uid: `${registered.id}@baoming`,
    summary: 'RT-Thread 入门培训 · 上海',
    start: workshop.startsAt,
    url: { val: `http://localhost:3000${path}` },
  })
})

test('GET /t/:ticket/data.json exports everything stored about the person', async () => {
  await using world = await createWorld()
  const { path } = await createConfirmed(world)
  const response = await world.request(`${path}/data.json`)
  expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
  expect(await response.json()).toMatchObject({
    registration: { name: '王小明', email: 'wang@example.com' },
    mails: [{ kind: 'confirmed' }],
  })
})

describe('/t/:ticket/cancel', () => {
  test('asks for confirmation on GET and changes nothing', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    const html = await (await world.request(`${path}/cancel`)).text()
    expect(visibleText(html)).toContain('取消报名？')
    expect(html).toContain(`<form method="post" action="${path}/cancel">`)
    expect(await registrationStatus(world, registered)).toBe('confirmed')
  })

  test('frees the seat for the waitlist and redirects to the ticket', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const first = await world.register(workshop)
    const second = await world.register(workshop)
    const response = await postForm(world, `/t/${first.ticket}/cancel`, {})
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe(`/t/${first.ticket}`)
    expect(visibleText(await (await world.request(`/t/${first.ticket}`)).text())).toContain(
      '你取消了报名，名额已经让出',
    )
    expect(await registrationStatus(world, second)).toBe('confirmed')
    // Submitted twice, as by a double click.
    expect((await postForm(world, `/t/${first.ticket}/cancel`, {})).status).toBe(303)
  })

  test('is called leaving the waitlist on a waitlist ticket', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    const { ticket } = await world.register(workshop)
    expect(visibleText(await (await world.request(`/t/${ticket}/cancel?lang=en`)).text())).toContain(
      'Leave the waitlist?',
    )
  })

  test('returns 409 once the workshop has started', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    world.clock.advance({ days: 10 })
    expect((await world.request(`${path}/cancel`)).headers.get('location')).toBe(path)
    const response = await postForm(world, `${path}/cancel`, {})
    expect(response.status).toBe(409)
    expect(visibleText(await response.text())).toContain('培训已经开始，不能再取消。')
    expect(await registrationStatus(world, registered)).toBe('confirmed')
  })
})

describe('POST /t/:ticket/email', () => {
  test('redirects to the new ticket and mails the confirmation again', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    const response = await postForm(world, `${path}/email`, { email: ' Right＠example.com ' })
    expect(response.status).toBe(303)
    const next = response.headers.get('location') as string
    expect(next).toMatch(/^\/t\/[\w-]+\?done=corrected$/)
    expect(next).not.toContain(registered.ticket)
    expect(visibleText(await (await world.request(next)).text())).toContain('邮箱已改为 Right@example.com')
    expect(await query(world.db, sql`select kind, payload from mails where state = 'pending'`)).toEqual([
      { kind: 'confirmed', payload: { corrected: true } },
    ])
  })

  test('changes nothing for the same address', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const response = await postForm(world, `${path}/email`, { email: 'wang@example.com' })
    expect(response.headers.get('location')).toBe(`${path}?done=unchanged`)
  })

  test('returns 422 with the form open for an invalid address', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const response = await postForm(world, `${path}/email`, { email: 'right@@example' })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).toContain('<details open="">')
    expect(html).toContain('value="right@@example"')
    expect(html).toContain('<a href="#email">邮箱地址不对')
    // The language link leads to the ticket, because the form's own path has no GET route.
    expect(html).toContain(`href="${path}?lang=en"`)
  })

  test('returns 409 when the address is taken or changed too often, or the registration cancelled or over', async () => {
    await using world = await createWorld()
    const { path, registered, workshop } = await createConfirmed(world)
    await world.register(workshop, { email: 'taken@example.com' })
    const refusal = async (email: string, ticket = path) => {
      const response = await postForm(world, `${ticket}/email`, { email })
      expect(response.status).toBe(409)
      return visibleText(await response.text())
    }
    expect(await refusal('taken@example.com')).toContain('这个邮箱在这场培训里已经有报名了。')
    await world.db.update(registrations).set({ ticketVersion: 6 }).where(eq(registrations.id, registered.id))
    const sixthTicket = `/t/${createTicketToken(world.deps.config.secret, { id: registered.id, version: 6 })}`
    expect(await refusal('next@example.com', sixthTicket)).toContain('邮箱已经改过五次')
    await cancelRegistration(world.deps, registered.id, 'attendee')
    expect((await postForm(world, `${sixthTicket}/email`, { email: 'next@example.com' })).status).toBe(409)
    const late = await createConfirmed(world, { email: 'late@example.com' })
    world.clock.advance({ days: 11 })
    expect((await postForm(world, `${late.path}/email`, { email: 'next@example.com' })).status).toBe(409)
  })
})

describe('/t/:ticket/erase', () => {
  test('erases the person and frees the seat after confirmation', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const first = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    const second = await world.register(workshop)
    const path = `/t/${first.ticket}`
    expect(visibleText(await (await world.request(`${path}/erase`)).text())).toContain('你的名额或排队的位置会一起让出')
    expect(await registrationStatus(world, first)).toBe('confirmed')
    const response = await postForm(world, `${path}/erase`, {})
    expect(response.status).toBe(303)
    expect(visibleText(await (await world.request(response.headers.get('location') as string)).text())).toContain(
      '你的资料已经删除。',
    )
    expect((await world.request(path)).status).toBe(404)
    expect(await registrationStatus(world, second)).toBe('confirmed')
    const stored = JSON.stringify(await world.db.select().from(registrations))
    expect(stored).not.toMatch(/王小明|wang@example/)
  })
})
