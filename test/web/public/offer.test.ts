import { expect, test } from 'vitest'
import type { Registered } from '../../../src/domain/registrations/batcher.ts'
import { findRegistrationById } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, expireOffers } from '../../../src/domain/registrations/seats.ts'
import { changeWorkshop } from '../../../src/domain/workshops/workshops.ts'
import { postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

/** A one-seat workshop whose seat came free: offered to the first on the waitlist, the second still waits. */
async function offerFreedSeat(world: World) {
  const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
  const [seated, first, second] = [
    await world.register(workshop),
    await world.register(workshop),
    await world.register(workshop),
  ]
  await cancelRegistration(world.deps, seated.id, 'attendee')
  return { workshop, seated, first, second, path: `/t/${first.ticket}` }
}

async function fetchPage(world: World, path: string) {
  const html = await (await world.request(path)).text()
  return { html, text: visibleText(html) }
}

const registrationStatus = async (world: World, { id }: Registered) =>
  (await findRegistrationById(world.deps, id))?.status

test('GET /t/:ticket of an offer shows the deadline and an accept button, but no check-in code', async () => {
  await using world = await createWorld()
  const { path } = await offerFreedSeat(world)
  const zh = await fetchPage(world, path)
  expect(zh.text).toContain('名额为你保留 请在 12月2日周三 10:00（北京时间）前确认')
  expect(zh.html).toContain(
    `<form method="post" action="${path}/confirm"><button type="submit">确认参加</button></form>`,
  )
  expect(zh.html).toContain(`href="${path}/cancel"`)
  expect(zh.html).not.toMatch(/qr\.png|calendar\.ics/)
  expect((await world.request(`${path}/qr.png`)).status).toBe(404)
  const en = await fetchPage(world, `${path}?lang=en`)
  expect(en.text).toContain('A seat is held for you Please confirm before Wed 2 Dec, 10:00 (Beijing time)')
  expect(en.text).toContain('Confirm my seat')
})

test('GET /t/:ticket/confirm shows the ticket and changes nothing', async () => {
  await using world = await createWorld()
  const { path, first } = await offerFreedSeat(world)
  const response = await world.request(`${path}/confirm`)
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect(visibleText(await response.text())).toContain('确认参加')
  expect(await registrationStatus(world, first)).toBe('offered')
  expect((await world.request('/t/forged/confirm')).status).toBe(404)
})

test('POST /t/:ticket/confirm accepts the offer, and the ticket shows the check-in code', async () => {
  await using world = await createWorld()
  const { path, first } = await offerFreedSeat(world)
  const response = await postForm(world, `${path}/confirm`, {})
  expect([response.status, response.headers.get('location')]).toEqual([303, `${path}?done=taken`])
  const { html, text } = await fetchPage(world, `${path}?done=taken`)
  expect(text).toContain('名额是你的了')
  expect(text).toContain('报名成功')
  expect(html).toContain(`<img src="${path}/qr.png"`)
  expect(html).not.toContain(`${path}/confirm`)
  // Submitted twice, as by a double click.
  expect((await postForm(world, `${path}/confirm`, {})).status).toBe(303)
  expect(await registrationStatus(world, first)).toBe('confirmed')
})

test('POST /t/:ticket/confirm returns 409 after the deadline, before and after the offer is expired', async () => {
  await using world = await createWorld()
  const { path, first, second } = await offerFreedSeat(world)
  world.clock.advance({ hours: 24 })
  const refused = await postForm(world, `${path}/confirm`, {})
  expect(refused.status).toBe(409)
  const html = await refused.text()
  expect(visibleText(html)).toContain('确认的期限已过，名额已经让给下一位。')
  expect(html).not.toMatch(/\/confirm|\/cancel|qr\.png/)
  expect((await fetchPage(world, path)).text).toContain('期限已过 没有按时确认')
  expect((await world.request(`${path}/cancel`)).headers.get('location')).toBe(path)

  await expireOffers(world.deps)
  expect(await registrationStatus(world, first)).toBe('cancelled')
  expect(await registrationStatus(world, second)).toBe('offered')
  expect((await postForm(world, `${path}/confirm`, {})).status).toBe(409)
  expect((await fetchPage(world, `${path}?lang=en`)).text).toContain('Cancelled You did not confirm in time')
})

test('POST /t/:ticket/confirm rejects waitlisted and cancelled registrations and forged tickets', async () => {
  await using world = await createWorld()
  const { seated, second } = await offerFreedSeat(world)
  const waitlisted = await postForm(world, `/t/${second.ticket}/confirm`, {})
  expect([waitlisted.status, visibleText(await waitlisted.text())]).toEqual([
    409,
    expect.stringContaining('还没有轮到你'),
  ])
  const cancelled = await postForm(world, `/t/${seated.ticket}/confirm`, {})
  expect([cancelled.status, visibleText(await cancelled.text())]).toEqual([
    409,
    expect.stringContaining('这次报名已经取消'),
  ])
  expect((await postForm(world, '/t/forged/confirm', {})).status).toBe(404)
  expect(await registrationStatus(world, second)).toBe('waitlisted')
})

test('cancelling an offer passes it on to the next on the waitlist', async () => {
  await using world = await createWorld()
  const { path, second } = await offerFreedSeat(world)
  expect((await fetchPage(world, `${path}/cancel`)).text).toContain('名额会马上让给排队的人')
  expect((await postForm(world, `${path}/cancel`, {})).status).toBe(303)
  expect(await registrationStatus(world, second)).toBe('offered')
})

test('a waitlist ticket shows the current position and the time to confirm', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
  await world.register(workshop)
  expect((await fetchPage(world, `/w/${workshop.slug}`)).text).toContain('要在 24 小时内确认')
  const [ahead, { ticket }] = [await world.register(workshop), await world.register(workshop)]
  expect((await fetchPage(world, `/t/${ticket}`)).text).toContain(
    '第 2 位 名额已满，你在排队。轮到你时发邮件通知你，要在 24 小时内确认',
  )
  expect((await fetchPage(world, `/t/${ticket}/cancel`)).text).toContain('退出候补？')
  await postForm(world, `/t/${ahead.ticket}/cancel`, {})
  expect((await fetchPage(world, `/t/${ticket}`)).text).toContain('第 1 位')
  expect((await postForm(world, `/t/${ticket}/cancel`, {})).status).toBe(303)
  expect((await fetchPage(world, `/t/${ticket}`)).text).toContain('已取消')
})

test('no page mentions confirming when seats are given directly', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1 })
  await world.register(workshop)
  const { ticket } = await world.register(workshop)
  expect((await fetchPage(world, `/t/${ticket}`)).text).toContain('有人取消就按顺序递补')
  expect((await fetchPage(world, `/w/${workshop.slug}`)).text).not.toContain('小时内确认')
})

test('the ticket of a closed workshop keeps the seat and shows a paused waitlist', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1 })
  const [seated, waitlisted] = [await world.register(workshop), await world.register(workshop)]
  await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
  expect((await fetchPage(world, `/t/${seated.ticket}`)).text).toContain('报名已截止，你的名额不变')
  expect((await fetchPage(world, `/t/${waitlisted.ticket}`)).text).toContain('第 1 位 报名已截止，候补暂停')
  await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
  for (const { ticket } of [seated, waitlisted])
    expect((await fetchPage(world, `/t/${ticket}`)).text).not.toContain('截止')
})
