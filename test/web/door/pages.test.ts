import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { openPostgres } from '../../../src/db/postgres.ts'
import { checkIns, doorSessions, registrations } from '../../../src/db/schema.ts'
import {
  doorSessionExpiry,
  endDoorSession,
  listDoorSessions,
  rotateJoinCode,
} from '../../../src/domain/door/sessions.ts'
import { correctEmail } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration } from '../../../src/domain/registrations/seats.ts'
import { createCheckInCode, createJoinCode } from '../../../src/domain/tickets/signed-tokens.ts'
import { findWorkshop, type Workshop, type WorkshopDraft } from '../../../src/domain/workshops/workshops.ts'
import { formValues, visibleText } from '../../support/http/forms.ts'
import { joinPath, listCheckIns, openDoorSession, registrationState } from '../../support/seeds/door.ts'
import { createWorld, type World } from '../../support/world.ts'

/** Door client without JavaScript: follows redirects and submits the values in forms. */
function createPhoneClient(world: World, Cookie: string) {
  const headers = { Cookie, Origin: 'http://localhost' }
  const send = (path: string, fields: Record<string, string>) =>
    world.request(path, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
  const get = (path: string) => world.request(path, { headers })
  return {
    get,
    send,
    /** Submits a form and follows the redirect. */
    async follow(path: string, fields: Record<string, string>) {
      const response = await send(path, fields)
      return response.status === 303 ? get(response.headers.get('location') as string) : response
    },
  }
}

async function setUpDoor(world: World, registered: number, draft: Partial<WorkshopDraft> = {}) {
  const workshop = await world.workshop({ capacity: 2, graceMinutes: 15, ...draft })
  const people = await Promise.all(
    Array.from({ length: registered }, (_, n) =>
      world.register(workshop, { name: `学员${'甲乙丙丁戊'[n]}`, phone: `+861380000123${n}` }),
    ),
  )
  world.clock.set(new Date(workshop.startsAt.getTime() - 30 * 60_000))
  const door = await openDoorSession(world, workshop)
  const code = (n: number, version = 1) =>
    `/in/${createCheckInCode(world.deps.config.secret, { id: people[n]?.id as string, version })}`
  return { workshop, people: people as { id: string }[], door, phone: createPhoneClient(world, door.Cookie), code }
}

const pageSeverity = (html: string) => /<html [^>]*class="tone-(\w+)"/.exec(html)?.[1]
const storedState = async (world: World) => [
  await world.db.select().from(checkIns),
  await world.db.select().from(registrations),
]

describe('a door session', () => {
  test('starts with the join code and a name and lasts until midnight', async () => {
    await using world = await createWorld({ env: { BASE_URL: 'https://example.com' } })
    const workshop = await world.workshop()
    world.clock.set(workshop.startsAt)
    const path = joinPath(world, workshop)
    const anonymous = createPhoneClient(world, '')
    expect(await (await anonymous.get('/door')).text()).toContain('这部手机还不是签到台')
    expect(await (await anonymous.get(path)).text()).toContain('帮忙签到')
    expect(await world.db.select().from(doorSessions)).toEqual([])
    for (const name of ['', ' \u3000 ', '长'.repeat(41)])
      expect((await anonymous.send(path, { name })).status).toBe(422)
    const joined = await anonymous.send(path, { name: ' 小李 ' })
    expect([joined.status, joined.headers.get('location')]).toEqual([303, '/door'])
    const [cookie = ''] = joined.headers.getSetCookie()
    expect(cookie).toMatch(/^door=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/)
    const [session] = await world.db.select().from(doorSessions)
    expect(session).toMatchObject({ name: '小李', expiresAt: new Date('2026-12-12T00:00:00+08:00') })
    expect(session?.hash).not.toContain(cookie.slice(5, 48))

    const phone = createPhoneClient(world, cookie.split(';')[0] as string)
    expect(visibleText(await (await phone.get('/door')).text())).toContain('小李')
    world.clock.set('2026-12-11T23:59:59+08:00')
    expect((await phone.get('/door')).status).toBe(200)
    world.clock.set('2026-12-12T00:00:00+08:00')
    const closed = await phone.get('/door')
    expect(closed.status).toBe(401)
    expect(await closed.text()).toContain('请主办方再出示一次二维码')
    const before = await storedState(world)
    const response = await phone.send('/door/walk-in', { name: '张三' })
    expect(response.status).toBe(401)
    expect(await response.text()).toContain('刚才的操作没有保存')
    expect(await storedState(world)).toEqual(before)
  })

  test.each([
    { what: 'forged', code: async () => createJoinCode('another secret', { id: crypto.randomUUID(), version: 1 }) },
    { what: 'mangled', code: async (_: World, path: string) => path.split('/').at(-1)?.slice(0, -1) },
    {
      what: 'a check-in code',
      code: async ({ deps }: World, _: string, { id }: Workshop) =>
        createCheckInCode(deps.config.secret, { id, version: 1 }),
    },
    { what: 'malformed', code: async () => 'x' },
  ])('does not start with a code that is $what', async ({ code }) => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const path = `/door/join/${await code(world, joinPath(world, workshop), workshop)}`
    const anonymous = createPhoneClient(world, '')
    for (const response of [await anonymous.get(path), await anonymous.send(path, { name: '小李' })]) {
      expect(response.status).toBe(404)
      expect(await response.text()).toContain('这个二维码不对')
    }
    expect(await world.db.select().from(doorSessions)).toEqual([])
  })

  test('does not start with a rotated code or after midnight', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const outdated = joinPath(world, workshop)
    await rotateJoinCode(world.deps, workshop)
    const anonymous = createPhoneClient(world, '')
    expect((await anonymous.send(outdated, { name: '小李' })).status).toBe(410)
    expect(await (await anonymous.get(outdated)).text()).toContain('已经换掉了')
    const path = joinPath(world, (await findWorkshop(world.deps, workshop.slug)) as Workshop)
    expect((await anonymous.get(path)).status).toBe(200)
    world.clock.set('2026-12-12T00:00:00+08:00')
    expect((await anonymous.send(path, { name: '小李' })).status).toBe(410)
    expect(await world.db.select().from(doorSessions)).toEqual([])
  })

  test('returns 401 on the next request after an organiser ended it', async () => {
    await using world = await createWorld()
    const { workshop, door, phone, people } = await setUpDoor(world, 1)
    await endDoorSession(world.deps, workshop, door.id)
    const response = await phone.send('/door/check-in', { registration: people[0]?.id as string })
    expect(response.status).toBe(401)
    expect(await listCheckIns(world, people[0]?.id as string)).toEqual([])
  })

  test('explains how to continue when a ticket is scanned after it ended', async () => {
    await using world = await createWorld()
    const { workshop, door, phone, code } = await setUpDoor(world, 1)
    await endDoorSession(world.deps, workshop, door.id)
    const response = await phone.get(code(0))
    expect([response.status, visibleText(await response.text())]).toEqual([
      401,
      expect.stringMatching(/这个签到台已经关闭.*请主办方再出示一次二维码/s),
    ])
  })

  test('names the workshop that the phone leaves, and none when it joins the same one again', async () => {
    await using world = await createWorld()
    const { workshop, phone } = await setUpDoor(world, 0)
    const other = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
    const joinForm = async (path: string) => {
      const response = await phone.get(path)
      return [response.status, (await response.text()).includes('class="note-box"')]
    }
    expect(await joinForm(joinPath(world, workshop))).toEqual([200, false])
    expect(await joinForm(joinPath(world, other))).toEqual([200, true])
  })

  test('replaces the previous one when the phone joins again', async () => {
    await using world = await createWorld()
    const { workshop, door, phone } = await setUpDoor(world, 0)
    const other = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
    const response = await phone.send(joinPath(world, workshop), { name: '西门' })
    expect(await listDoorSessions(world.deps, workshop)).toMatchObject([
      { name: '西门', open: true },
      { id: door.id, open: false },
    ])
    const [Cookie = ''] = response.headers.getSetCookie()
    await createPhoneClient(world, Cookie.split(';')[0] as string).send(joinPath(world, other), { name: '西门' })
    expect((await listDoorSessions(world.deps, workshop)).map(({ open }) => open)).toEqual([false, false])
  })
})

test('a door session expires at midnight in the workshop’s time zone, also across daylight saving changes', () => {
  const expiryOf = (startsAt: string, endsAt: string, timeZone: string, now: string) =>
    doorSessionExpiry({ startsAt: new Date(startsAt), endsAt: new Date(endsAt), timeZone }, new Date(now)).toISOString()
  const berlin = (now: string) => expiryOf('2026-10-24T10:00+02:00', '2026-10-25T17:00+01:00', 'Europe/Berlin', now)
  // Started two days before: at the next midnight. Started less than twelve hours before: at midnight after the end.
  expect(berlin('2026-10-22T15:00+02:00')).toBe('2026-10-22T22:00:00.000Z')
  expect(berlin('2026-10-23T21:59+02:00')).toBe('2026-10-23T22:00:00.000Z')
  expect(berlin('2026-10-23T22:00+02:00')).toBe('2026-10-25T23:00:00.000Z')
  expect(berlin('2026-10-25T09:00+01:00')).toBe('2026-10-25T23:00:00.000Z')
  // Santiago has no midnight in the night when daylight saving time begins.
  const santiago = expiryOf(
    '2026-09-05T10:00-04:00',
    '2026-09-05T17:00-04:00',
    'America/Santiago',
    '2026-09-05T09:00-04:00',
  )
  expect(santiago).toBe('2026-09-06T04:00:00.000Z')
})

describe('GET /in/:code', () => {
  test('checks in with one button and then shows when and by whom', async () => {
    await using world = await createWorld()
    const { phone, people, code } = await setUpDoor(world, 2)
    const ready = await (await phone.get(code(0))).text()
    expect(visibleText(ready)).toContain('学员甲')
    expect(await listCheckIns(world, people[0]?.id as string)).toEqual([])
    const fields = formValues(ready)
    const green = await (await phone.follow('/door/check-in', fields)).text()
    expect([pageSeverity(green), visibleText(green)]).toEqual([
      'in',
      expect.stringMatching(/签到成功.*学员甲.*09:30 到/s),
    ])
    // Resubmitting the form, as on reload, is the same check-in.
    expect(pageSeverity(await (await phone.follow('/door/check-in', fields)).text())).toBe('in')
    world.clock.advance({ minutes: 4 })
    const red = await (await phone.get(code(0))).text()
    expect([pageSeverity(red), visibleText(red)]).toEqual([
      'stop',
      expect.stringMatching(/已经签过到了.*09:30 由 东门 签到/s),
    ])
    const other = createPhoneClient(world, (await openDoorSession(world, await loadWorkshop(world), '西门')).Cookie)
    const second = await (await other.follow('/door/check-in', { registration: people[0]?.id as string })).text()
    expect([pageSeverity(second), visibleText(second)]).toEqual(['stop', expect.stringContaining('09:30 由 东门 签到')])
  })

  test('reports invalid tickets and changes nothing', async () => {
    await using world = await createWorld()
    const { phone, people, code } = await setUpDoor(world, 4)
    const yesterday = await world
      .workshop({
        city: { zh: '南京', en: 'Nanjing' },
        startsAt: new Date('2026-12-10T10:00+08:00'),
        endsAt: new Date('2026-12-10T17:00+08:00'),
        closesAt: null,
      })
      .then(async (workshop) => {
        const now = world.clock.now()
        world.clock.set('2026-12-01T10:00+08:00')
        const { id } = await world.register(workshop)
        world.clock.set(now)
        return `/in/${createCheckInCode(world.deps.config.secret, { id, version: 1 })}`
      })
    await cancelRegistration(world.deps, people[3]?.id as string, 'organiser')
    const outdated = code(0)
    await correctEmail(world.deps, people[0]?.id as string, 'corrected@example.com')
    const before = await storedState(world)
    const forged = `/in/${createCheckInCode('another secret', { id: people[1]?.id as string, version: 1 })}`
    const expected: [string, number, string, RegExp][] = [
      [forged, 404, 'wait', /这张票不对/],
      [`${code(1)}x`, 404, 'wait', /这张票不对/],
      ['/in/nonsense', 404, 'wait', /这张票不对/],
      [outdated, 404, 'wait', /旧票/],
      [yesterday, 409, 'wait', /不是这一场的票.*南京.*2026年12月10日/s],
      [code(2), 200, 'wait', /在候补，没有名额.*10:15/s],
      [code(3), 200, 'wait', /报名已经取消/],
    ]
    for (const [path, status, severity, text] of expected) {
      for (let n = 0; n < 10; n++) {
        const response = await phone.get(path)
        const html = await response.text()
        expect([path, response.status, pageSeverity(html), visibleText(html)]).toEqual([
          path,
          status,
          severity,
          expect.stringMatching(text),
        ])
      }
    }
    expect(await storedState(world)).toEqual(before)
    // Fields that no form sends change nothing either.
    for (const fields of [{}, { registration: 'x' }, { registration: crypto.randomUUID() }, { registration: "'" }])
      expect((await phone.send('/door/check-in', fields as Record<string, string>)).status).toBe(404)
    expect((await phone.send('/door/undo', { checkIn: crypto.randomUUID() })).status).toBe(404)
    expect((await phone.send('/door/stand', { registration: crypto.randomUUID() })).status).toBe(404)
    expect(await storedState(world)).toEqual(before)
  })

  test('redirects anyone but helpers to the workshop page', async () => {
    await using world = await createWorld()
    const { code, workshop } = await setUpDoor(world, 1)
    const response = await world.request(code(0))
    expect([response.status, response.headers.get('location')]).toEqual([302, `/w/${workshop.slug}`])
    expect((await world.request('/in/nonsense')).status).toBe(404)
  })
})

const loadWorkshop = async (world: World) => (await findWorkshop(world.deps, 'shanghai-2026-12-11')) as Workshop

describe('the door list', () => {
  test('finds people by name, pinyin, phone digits and number and shows no contact data', async () => {
    await using world = await createWorld()
    const { phone } = await setUpDoor(world, 2)
    const list = await (await phone.get('/door')).text()
    expect(list).not.toMatch(/@example|\+86/)
    for (const q of ['甲', 'xyj', '1230', '#1']) {
      const names = [
        ...(await (await phone.get(`/door?q=${encodeURIComponent(q)}`)).text()).matchAll(/学员[甲乙](?=<small)/g),
      ]
      expect([q, names.map(String)]).toEqual([q, ['学员甲']])
    }
    expect(await (await phone.get('/door?q=nobody')).text()).toContain('没有找到')
  })

  test('stores search keys once and skips locked rows', async () => {
    await using world = await createWorld({ postgres: true })
    const { phone } = await setUpDoor(world, 2)
    const storedKeys = async () =>
      (
        await world.db.select({ initials: registrations.nameSearch }).from(registrations).orderBy(registrations.seq)
      ).map(({ initials }) => initials)
    const fetchList = async () => (await phone.get('/door/list.json')).json()
    const otherClient = openPostgres(world.databaseUrl ?? '', { max: 1 })
    await otherClient.db.transaction(async (tx) => {
      await tx.execute(sql`select 1 from registrations where seq = 2 for no key update`)
      expect((await fetchList()).people.map(({ initials }: { initials: string }) => initials)).toEqual([
        expect.stringContaining('xyj'),
        expect.stringContaining('xyy'),
      ])
      expect(await storedKeys()).toEqual([expect.stringContaining('xyj'), null])
    })
    await otherClient.close()
    await fetchList()
    expect(await storedKeys()).toEqual([expect.stringContaining('xyj'), expect.stringContaining('xyy')])
  })

  test('reverts a check-in, with the button highlighted for 30 seconds', async () => {
    await using world = await createWorld()
    const { phone, people } = await setUpDoor(world, 1)
    const id = people[0]?.id as string
    const done = await phone.send('/door/check-in', { registration: id })
    const path = done.headers.get('location') as string
    const html = await (await phone.get(path)).text()
    expect(html).toContain('class="undo fresh"')
    world.clock.advance({ seconds: 30 })
    expect(await (await phone.get(path)).text()).toContain('class="undo"')
    const [scan] = await listCheckIns(world, id)
    const undone = await (await phone.follow('/door/undo', { checkIn: scan?.id as string })).text()
    expect([pageSeverity(undone), visibleText(undone)]).toEqual(['wait', expect.stringContaining('已撤销')])
    expect(await listCheckIns(world, id)).toMatchObject([{ outcome: 'undone' }])
  })

  test('queues waitlisted attendees and seats them after the grace period', async () => {
    await using world = await createWorld()
    const { phone, people, workshop } = await setUpDoor(world, 3)
    const waitlisted = people[2]?.id as string
    const queued = await (await phone.follow('/door/stand', { registration: waitlisted })).text()
    expect(visibleText(queued)).toMatch(/在门口等位.*排在第.1.位/s)
    expect(await (await phone.follow('/door/seat', {})).text()).toContain('现在没有可以给的名额')
    world.clock.set(new Date(workshop.startsAt.getTime() + 15 * 60_000))
    // Viewing changes nothing.
    await phone.get('/door')
    expect(await registrationState(world, waitlisted)).toMatchObject({ status: 'waitlisted' })
    expect(visibleText(await (await phone.follow('/door/seat', {})).text())).toMatch(/1.位等位的人有了名额，已签到/)
    expect(await registrationState(world, waitlisted)).toMatchObject({ status: 'confirmed' })
    expect(await registrationState(world, people[1]?.id as string)).toMatchObject({ cancelledBy: 'absence' })
  })
})

test('joining the door queue after the grace period gives a seat at once', async () => {
  await using world = await createWorld()
  const { phone, people, workshop } = await setUpDoor(world, 3)
  world.clock.set(new Date(workshop.startsAt.getTime() + 15 * 60_000))
  const waitlisted = people[2]?.id as string
  await phone.follow('/door/stand', { registration: waitlisted })
  expect(await registrationState(world, waitlisted)).toMatchObject({ status: 'confirmed' })
})

describe('POST /door/walk-in', () => {
  test('registers a walk-in while seats are free, once per form', async () => {
    await using world = await createWorld()
    const { phone } = await setUpDoor(world, 1)
    const fields = { id: crypto.randomUUID(), name: '张三', phone: '138 0000 9999' }
    const green = await (await phone.follow('/door/walk-in', fields)).text()
    expect([pageSeverity(green), visibleText(green)]).toEqual(['in', expect.stringMatching(/签到成功.*张三/s)])
    expect(pageSeverity(await (await phone.follow('/door/walk-in', fields)).text())).toBe('in')
    expect(await world.db.select().from(registrations).where(eq(registrations.name, '张三'))).toHaveLength(1)
    expect(visibleText(await (await phone.get('/door')).text())).toContain('1 / 2')
  })

  test('returns 409 with a new id when the form was used for another person', async () => {
    await using world = await createWorld()
    const { phone } = await setUpDoor(world, 0)
    const fields = { id: crypto.randomUUID(), name: '张三', phone: '' }
    await phone.send('/door/walk-in', fields)
    const reused = await phone.send('/door/walk-in', { ...fields, name: '李四' })
    const html = await reused.text()
    expect([reused.status, visibleText(html)]).toEqual([409, expect.stringContaining('这张表刚才已经给别人用过')])
    const filled = formValues(html.slice(html.indexOf('id="walk-in"')))
    expect(filled).toMatchObject({ name: '李四' })
    expect(visibleText(await (await phone.follow('/door/walk-in', filled)).text())).toMatch(/签到成功.*李四/s)
    expect(await world.db.select().from(registrations)).toHaveLength(2)
  })

  test('returns 422 with the input kept, and 409 when there is no door queue', async () => {
    await using world = await createWorld()
    const { phone } = await setUpDoor(world, 2, { graceMinutes: null })
    const wrong = await phone.send('/door/walk-in', { name: '', phone: '12' })
    expect(wrong.status).toBe(422)
    const html = await wrong.text()
    expect(formValues(html)).toMatchObject({ phone: '12' })
    expect(visibleText(html)).toContain('请填写姓名')
    const full = await phone.send('/door/walk-in', { name: '张三', phone: '' })
    expect(full.status).toBe(409)
    expect(await full.text()).toContain('没有空位了，这一场也不让出没来的人的名额')
    expect(await world.db.select().from(registrations)).toHaveLength(2)
  })
})
