import { eq, sql } from 'drizzle-orm'
import ical from 'node-ical'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { registrations } from '../../../src/db/schema.ts'
import { findRegistrationById } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop, type Registered } from '../../../src/domain/registrations/seats.ts'
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
  test('shows the seat, the code for the door, when, where, what was promised to be ready, and the ways to change it', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const answer = await world.request(path)
    expect(answer.status).toBe(200)
    const html = await answer.text()
    const text = visibleText(html)
    for (const said of [
      '报名成功 王小明，到时见',
      '周五 10:00 – 17:00',
      '2026年12月11日 · 北京时间',
      '上海 · 张江科学会堂',
      '准备好一样，就勾一样',
      '发往 wang@example.com',
    ]) {
      expect(text).toContain(said)
    }
    expect(html).toContain(`<img src="${path}/qr.png"`)
    for (const way of ['calendar.ics', 'cancel', 'data.json', 'erase']) expect(html).toContain(`href="${path}/${way}"`)
    expect(html).toContain(`action="${path}/email"`)
  })

  test('is kept by nobody, tells no other site its address and no search engine its content', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    for (const address of [path, `${path}/qr.png`, `${path}/calendar.ics`, `${path}/cancel`, '/t/forged']) {
      const { headers } = await world.request(address)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('x-robots-tag')).toBe('noindex')
    }
  })

  test('of someone who waits says the position and has no code for the door', async () => {
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

  test('after a cancellation says who cancelled, and the way back in', async () => {
    await using world = await createWorld()
    const { path, registered, workshop } = await createConfirmed(world)
    await cancelRegistration(world.deps, registered.id, 'organiser')
    const html = await (await world.request(path)).text()
    expect(visibleText(html)).toContain('已取消 主办方取消了这次报名')
    expect(html).toContain(`<a class="button" href="/w/${workshop.slug}">`)
    expect(html).not.toContain('qr.png')
  })

  test('of a workshop that was cancelled names the other city', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const gone = await world.workshop({ campaignId: campaign.id })
    const other = await world.workshop({ campaignId: campaign.id, city: { zh: '南京' } })
    const { ticket } = await world.register(gone)
    await cancelWorkshop(world.deps, gone.slug)
    const html = await (await world.request(`/t/${ticket}`)).text()
    expect(visibleText(html)).toContain('这场培训不办了，很抱歉')
    expect(html).toContain(`href="/w/${other.slug}"`)
  })

  test('once the workshop is over has nothing left to change but one’s data', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    world.clock.advance({ days: 11 })
    const html = await (await world.request(path)).text()
    expect(visibleText(html)).toContain('已结束 欢迎关注下一期')
    expect(html).not.toMatch(/qr\.png|\/cancel|calendar\.ics|<form/)
    expect(html).toContain(`${path}/erase`)
  })

  test('in WeChat offers a link to copy instead of files that cannot be downloaded', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const html = await (await world.request(path, { headers: wechatHeaders })).text()
    expect(html).not.toMatch(/calendar\.ics|data\.json/)
    expect(visibleText(html)).toContain('选「在浏览器打开」')
    expect(visibleText(html)).toContain('要下载一份，请在浏览器打开这张票')
    expect(html).toContain(`value="http://localhost:3000${path}"`)
  })

  test('that is forged, of another installation, or older than a corrected address is the same 404', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    await postForm(world, `${path}/email`, { email: 'right@example.com' })
    const bodies = await Promise.all(
      [path, '/t/forged', `/t/${createTicketToken('another secret', { id: registered.id, version: 1 })}`].map(
        async (address) => {
          const answer = await world.request(address)
          expect(answer.status).toBe(404)
          return visibleText(await answer.text())
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

test('GET /t/:ticket/qr.png is the door code, which leads anyone but a helper to the workshop', async () => {
  await using world = await createWorld()
  const { path, workshop } = await createConfirmed(world)
  const answer = await world.request(`${path}/qr.png`)
  expect(answer.headers.get('content-type')).toBe('image/png')
  const door = new URL(decodeQr(new Uint8Array(await answer.arrayBuffer())))
  expect(door.href).toMatch(/^http:\/\/localhost:3000\/in\/[\w-]+$/)
  const led = await world.request(door.pathname)
  expect(led.status).toBe(302)
  expect(led.headers.get('location')).toBe(`/w/${workshop.slug}`)
  expect((await world.request('/in/forged')).status).toBe(404)
  // The door code is no ticket.
  expect((await world.request(door.pathname.replace('/in/', '/t/'))).status).toBe(404)
})

test('GET /t/:ticket/calendar.ics is the entry of the workshop with the ticket in it', async () => {
  await using world = await createWorld()
  const { path, registered, workshop } = await createConfirmed(world)
  const answer = await world.request(`${path}/calendar.ics`)
  expect(answer.headers.get('content-type')).toContain('text/calendar')
  const [event] = Object.values(ical.sync.parseICS(await answer.text())).filter((part) => part?.type === 'VEVENT')
  expect(event).toMatchObject({
    uid: `${registered.id}@baoming`,
    summary: 'RT-Thread 入门培训 · 上海',
    start: workshop.startsAt,
    url: { val: `http://localhost:3000${path}` },
  })
})

test('GET /t/:ticket/data.json is a copy of everything stored about the person', async () => {
  await using world = await createWorld()
  const { path } = await createConfirmed(world)
  const answer = await world.request(`${path}/data.json`)
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment/)
  expect(await answer.json()).toMatchObject({
    registration: { name: '王小明', email: 'wang@example.com' },
    mails: [{ kind: 'confirmed' }],
  })
})

describe('cancelling', () => {
  test('asks once more and changes nothing until it is sent', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    const html = await (await world.request(`${path}/cancel`)).text()
    expect(visibleText(html)).toContain('取消报名？')
    expect(html).toContain(`<form method="post" action="${path}/cancel">`)
    expect(await registrationStatus(world, registered)).toBe('confirmed')
  })

  test('frees the seat for the next in line and leads back to the ticket', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const first = await world.register(workshop)
    const second = await world.register(workshop)
    const answer = await postForm(world, `/t/${first.ticket}/cancel`, {})
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe(`/t/${first.ticket}`)
    expect(visibleText(await (await world.request(`/t/${first.ticket}`)).text())).toContain(
      '你取消了报名，名额已经让出',
    )
    expect(await registrationStatus(world, second)).toBe('confirmed')
    // Sent twice, as impatient fingers do.
    expect((await postForm(world, `/t/${first.ticket}/cancel`, {})).status).toBe(303)
  })

  test('is called leaving the waitlist by someone who waits', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    const { ticket } = await world.register(workshop)
    expect(visibleText(await (await world.request(`/t/${ticket}/cancel?lang=en`)).text())).toContain(
      'Leave the waitlist?',
    )
  })

  test('is over when the workshop begins', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    world.clock.advance({ days: 10 })
    expect((await world.request(`${path}/cancel`)).headers.get('location')).toBe(path)
    const answer = await postForm(world, `${path}/cancel`, {})
    expect(answer.status).toBe(409)
    expect(visibleText(await answer.text())).toContain('培训已经开始，不能再取消。')
    expect(await registrationStatus(world, registered)).toBe('confirmed')
  })
})

describe('correcting the e-mail', () => {
  test('leads to the new ticket, and the confirmation goes out again', async () => {
    await using world = await createWorld()
    const { path, registered } = await createConfirmed(world)
    const answer = await postForm(world, `${path}/email`, { email: ' Right＠example.com ' })
    expect(answer.status).toBe(303)
    const next = answer.headers.get('location') as string
    expect(next).toMatch(/^\/t\/[\w-]+\?done=corrected$/)
    expect(next).not.toContain(registered.ticket)
    expect(visibleText(await (await world.request(next)).text())).toContain('邮箱已改为 Right@example.com')
    expect(await query(world.db, sql`select kind, payload from mails where state = 'pending'`)).toEqual([
      { kind: 'confirmed', payload: { corrected: true } },
    ])
  })

  test('to the same address changes nothing', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const answer = await postForm(world, `${path}/email`, { email: 'wang@example.com' })
    expect(answer.headers.get('location')).toBe(`${path}?done=unchanged`)
  })

  test('to something that is no address comes back filled in, with the form open', async () => {
    await using world = await createWorld()
    const { path } = await createConfirmed(world)
    const answer = await postForm(world, `${path}/email`, { email: 'right@@example' })
    expect(answer.status).toBe(422)
    const html = await answer.text()
    expect(html).toContain('<details open="">')
    expect(html).toContain('value="right@@example"')
    expect(html).toContain('<a href="#email">邮箱地址不对')
    // The form's own address cannot be asked for, so the other language is found where the ticket is.
    expect(html).toContain(`href="${path}?lang=en"`)
  })

  test('is refused with the reason: taken, too often, cancelled, over', async () => {
    await using world = await createWorld()
    const { path, registered, workshop } = await createConfirmed(world)
    await world.register(workshop, { email: 'taken@example.com' })
    const refusal = async (email: string, ticket = path) => {
      const answer = await postForm(world, `${ticket}/email`, { email })
      expect(answer.status).toBe(409)
      return visibleText(await answer.text())
    }
    expect(await refusal('taken@example.com')).toContain('这个邮箱在这场培训里已经有报名了。')
    await world.db.update(registrations).set({ ticketVersion: 6 }).where(eq(registrations.id, registered.id))
    const sixth = `/t/${createTicketToken(world.deps.config.secret, { id: registered.id, version: 6 })}`
    expect(await refusal('next@example.com', sixth)).toContain('邮箱已经改过五次')
    await cancelRegistration(world.deps, registered.id, 'attendee')
    expect((await postForm(world, `${sixth}/email`, { email: 'next@example.com' })).status).toBe(409)
    const late = await createConfirmed(world, { email: 'late@example.com' })
    world.clock.advance({ days: 11 })
    expect((await postForm(world, `${late.path}/email`, { email: 'next@example.com' })).status).toBe(409)
  })
})

describe('erasing', () => {
  test('asks once more, then forgets the person, frees the seat and says that it is done', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    const first = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    const second = await world.register(workshop)
    const path = `/t/${first.ticket}`
    expect(visibleText(await (await world.request(`${path}/erase`)).text())).toContain('你的名额或排队的位置会一起让出')
    expect(await registrationStatus(world, first)).toBe('confirmed')
    const answer = await postForm(world, `${path}/erase`, {})
    expect(answer.status).toBe(303)
    expect(visibleText(await (await world.request(answer.headers.get('location') as string)).text())).toContain(
      '你的资料已经删除。',
    )
    expect((await world.request(path)).status).toBe(404)
    expect(await registrationStatus(world, second)).toBe('confirmed')
    const stored = JSON.stringify(await world.db.select().from(registrations))
    expect(stored).not.toMatch(/王小明|wang@example/)
  })
})
