import { desc } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { auditEntries, doorSessions, workshops } from '../../../src/db/schema.ts'
import { checkIn } from '../../../src/domain/door/check-ins.ts'
import { admitWalkIn } from '../../../src/domain/door/walk-ins.ts'
import { purge } from '../../../src/domain/registrations/privacy.ts'
import { decodeSvgQr } from '../../support/browser/qr.ts'
import { confirmField, formValues, visibleText } from '../../support/http/forms.ts'
import { joinPath, listCheckIns, openDoorSession, registrationState } from '../../support/seeds/door.ts'
import { createWorld, type World } from '../../support/world.ts'

async function signInToConsole(world: World) {
  const { Cookie } = await world.signIn('organiser', '王组织')
  const headers = { Cookie, Origin: 'http://localhost' }
  const send = (path: string, fields: Record<string, string> = confirmField) =>
    world.request(path, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
  return { get: async (path: string) => (await world.request(path, { headers })).text(), send }
}

const lastAuditEntry = async (world: World) =>
  (await world.db.select().from(auditEntries).orderBy(desc(auditEntries.id)).limit(1))[0]

test('organisers can show and rotate the join QR code and end door sessions', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  world.clock.set(workshop.startsAt)
  const { get, send } = await signInToConsole(world)
  const page = `/console/workshops/${workshop.slug}/door`
  const decodePageQr = async (path: string) => {
    const [, picture = ''] = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(await get(path)) ?? []
    return new URL(await decodeSvgQr(Buffer.from(picture, 'base64').toString())).pathname
  }
  expect(await decodePageQr(page)).toBe(joinPath(world, workshop))
  expect(await decodePageQr(`${page}/qr`)).toBe(joinPath(world, workshop))
  // The link as text, for a helper who is not on site.
  const [, link] = / id="join"[^>]* value="([^"]+)"/.exec(await get(page)) ?? []
  expect(link).toBe(world.deps.config.baseUrl + joinPath(world, workshop))
  expect(await get(`/console/workshops/${workshop.slug}`)).toContain(page)
  expect(await get('/console')).toContain(page)

  expect((await send(`${page}/renew`)).status).toBe(303)
  expect(await lastAuditEntry(world)).toMatchObject({ action: 'door.renewed', workshopId: workshop.id })
  const renewed = await decodePageQr(page)
  expect(renewed).not.toBe(joinPath(world, workshop))
  expect((await world.request(renewed)).status).toBe(200)

  const helper = await openDoorSession(world, workshop, '小李')
  expect(visibleText(await get(page))).toMatch(/小李 开着/)
  expect((await send(`${page}/sessions/${helper.id}/end`)).status).toBe(303)
  expect(await lastAuditEntry(world)).toMatchObject({ action: 'door.ended', pii: { door: '小李' } })
  expect(visibleText(await get('/console/audit'))).toMatch(/结束签到台.*小李/)
  expect((await world.request('/door', { headers: { Cookie: helper.Cookie } })).status).toBe(401)
  expect(visibleText(await get(page))).toMatch(/小李 已关闭/)
  expect((await send(`${page}/sessions/${helper.id}/end`)).status).toBe(404)
  const otherDoor = await openDoorSession(world, await world.workshop({ city: { zh: '南京', en: 'Nanjing' } }))
  expect((await send(`${page}/sessions/${otherDoor.id}/end`)).status).toBe(404)

  world.clock.advance({ days: world.deps.config.retentionDays + 1 })
  await purge(world.deps)
  expect(JSON.stringify(await world.db.select().from(auditEntries))).not.toContain('小李')
})

test('an organiser’s own device can start a door session under their name', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { send } = await signInToConsole(world)
  const opened = await send(`/console/workshops/${workshop.slug}/door/open`)
  expect([opened.status, opened.headers.get('location')]).toEqual([303, '/door'])
  const cookie = opened.headers.getSetCookie().find((cookie) => cookie.startsWith('door='))
  expect((await world.request('/door', { headers: { Cookie: cookie?.split(';')[0] as string } })).status).toBe(200)
  expect(await world.db.select({ name: doorSessions.name }).from(doorSessions)).toEqual([{ name: '王组织' }])
  expect(await lastAuditEntry(world)).toMatchObject({ action: 'door.opened' })
  world.clock.set('2026-12-12T00:00:00+08:00')
  expect((await send(`/console/workshops/${workshop.slug}/door/open`)).status).toBe(409)
})

test('the door page shows arrivals and the door queue and gives freed seats to the queue', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 2, graceMinutes: 0 })
  const [attendee, noShow] = [
    await world.register(workshop, { name: '来了' }),
    await world.register(workshop, { name: '没来' }),
  ]
  const { actor } = await openDoorSession(world, workshop)
  const now = () => world.clock.now()
  world.clock.set(new Date(workshop.startsAt.getTime() - 60_000))
  await checkIn(world.deps, actor, [{ id: crypto.randomUUID(), registration: attendee.id, at: now() }])
  await admitWalkIn(world.deps, actor, { name: '站着' }, crypto.randomUUID(), now())
  const { get, send } = await signInToConsole(world)
  const page = `/console/workshops/${workshop.slug}/door`
  expect(visibleText(await get(page))).toMatch(/1 \/ 2 已到 门口等位.1.人.*站着.*已到 1 来了.*还没到 1 没来/s)
  await send(`${page}/seat`)
  expect(await registrationState(world, noShow.id)).toMatchObject({ status: 'confirmed' })
  world.clock.set(workshop.startsAt)
  expect((await send(`${page}/seat`)).headers.get('location')).toBe(`${page}?done=seated`)
  expect(await registrationState(world, noShow.id)).toMatchObject({ status: 'cancelled', cancelledBy: 'absence' })
  expect(visibleText(await get(page))).toMatch(/2 \/ 2 已到 其中现场加入.1.人/)
})

test('the person page shows the check-in and can revert it', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1 })
  const person = await world.register(workshop)
  const waitlisted = await world.register(workshop)
  const { get, send } = await signInToConsole(world)
  const page = `/console/people/${person.id}`
  expect(await get(page)).toContain('还没有签到')
  expect((await send(`${page}/check-in`)).status).toBe(303)
  expect(await listCheckIns(world, person.id)).toMatchObject([{ outcome: 'in', by: '王组织' }])
  expect(visibleText(await get(page))).toContain('10:00，王组织')
  expect((await send(`${page}/undo`)).status).toBe(303)
  expect(await listCheckIns(world, person.id)).toMatchObject([{ outcome: 'undone' }])
  expect((await send(`/console/people/${waitlisted.id}/check-in`)).status).toBe(409)
  expect(await listCheckIns(world, waitlisted.id)).toEqual([])
})

test('a walk-in is listed without an e-mail address and can be edited without one', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { actor } = await openDoorSession(world, workshop)
  const result = await admitWalkIn(world.deps, actor, { name: '张三' }, crypto.randomUUID(), world.clock.now())
  const { registration } = result as { registration: string }
  const { get, send } = await signInToConsole(world)
  expect(await get(`/console/workshops/${workshop.slug}/people`)).toContain('张三')
  const page = await get(`/console/people/${registration}`)
  expect(page).toContain('没有邮箱')
  expect(page).not.toContain('mailto:')
  expect((await send(`/console/people/${registration}/edit`, { name: '张三丰', email: '' })).status).toBe(303)
  expect(await get(`/console/people/${registration}`)).toContain('张三丰')
  expect(await registrationState(world, registration)).toMatchObject({ mails: [] })
})

test('the grace period is a field of the workshop form', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { get, send } = await signInToConsole(world)
  const path = `/console/workshops/${workshop.slug}/edit`
  const fields = { ...formValues(await get(path)), phone: 'optional' }
  expect((await send(path, { ...fields, graceMinutes: '601' })).status).toBe(422)
  expect((await send(path, { ...fields, graceMinutes: '15' })).status).toBeOneOf([200, 303])
  expect(await world.db.select({ grace: workshops.graceMinutes }).from(workshops)).toEqual([{ grace: 15 }])
  expect(formValues(await get(path))).toMatchObject({ graceMinutes: '15' })
})
