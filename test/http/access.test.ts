import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Role } from '../../src/db/schema.ts'
import { certificates, checkIns as checkInsTable, feedback, loans, mails, registrations } from '../../src/db/schema.ts'
import { addBoards } from '../../src/domain/boards/inventory.ts'
import { lendBoard } from '../../src/domain/boards/loans.ts'
import { checkIn as checkIns } from '../../src/domain/door/check-ins.ts'
import { endDoorSession } from '../../src/domain/door/sessions.ts'
import { createCheckInCode, createTicketToken } from '../../src/domain/tickets/signed-tokens.ts'
import { access } from '../../src/http/access.ts'
import { app } from '../../src/http/app.ts'
import { paths } from '../../src/http/links.ts'
import { mailPreviewCookie } from '../support/mail/mail-preview.ts'
import { checkInYesterday } from '../support/seeds/attendance.ts'
import { openDoorSession } from '../support/seeds/door.ts'
import { createWorld, type World } from '../support/world.ts'

const routes = [
  ...new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)),
]

test('every route is on the access list, and every entry of the list is a route', () => {
  expect(routes.toSorted()).toEqual(Object.keys(access).toSorted())
})

const roleOrder: (Role | 'anonymous')[] = ['anonymous', 'viewer', 'organiser', 'owner']

const isConsoleRoute = (route: string) => / \/console(?:\/|$)/.test(route)

const doorRoutes = Object.entries(access).flatMap(([route, needed]) => (needed === 'door' ? [route] : []))
const roleRoutes = Object.entries(access).filter(([, needed]) => needed !== 'door')

describe('by role', () => {
  let world: World
  let tokens: Record<Role, string>
  let cookies: Record<Role, string>
  beforeAll(async () => {
    world = await createWorld({ env: { RATE_LIMIT: 'off' } })
    const forEachRole = async (create: (role: Role) => Promise<string>) => ({
      viewer: await create('viewer'),
      organiser: await create('organiser'),
      owner: await create('owner'),
    })
    tokens = await forEachRole(world.token)
    cookies = await forEachRole(async (role) => (await world.signIn(role)).Cookie)
  })
  afterAll(() => world.close())

  /** Credentials of a role: a session for the console, a token elsewhere. */
  async function credentials(route: string, role: (typeof roleOrder)[number]): Promise<Headers> {
    if (route.includes(' /mailbox')) return new Headers({ Cookie: mailPreviewCookie(world) })
    if (role === 'anonymous') return new Headers()
    if (!isConsoleRoute(route)) return new Headers({ Authorization: `Bearer ${tokens[role]}` })
    // Signing out would end the session that the other routes use.
    if (route === `POST ${paths.signOut()}`) return new Headers({ Cookie: (await world.signIn(role)).Cookie })
    return new Headers({ Cookie: cookies[role] })
  }

  test.each(roleRoutes)('%s allows %s and rejects lower roles', async (route, needed) => {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(/\{.*?\}$/, '').replace(/:\w+/g, 'nothing')
    for (const role of roleOrder) {
      const headers = await credentials(route, role)
      if (method !== 'GET')
        headers.set('Content-Type', path.startsWith('/api/') ? 'application/json' : 'application/x-www-form-urlencoded')
      const init = { method, headers, ...(method === 'GET' ? {} : { body: path.startsWith('/api/') ? '{}' : '' }) }
      const response = await world.request(path, init)
      const allowed =
        !roleOrder.includes(needed as Role) || roleOrder.indexOf(role) >= roleOrder.indexOf(needed as Role)
      const toSignIn = response.headers.get('location')?.startsWith('/console/sign-in?back=') ?? false
      if (allowed)
        expect([role, toSignIn, response.status]).not.toEqual([
          role,
          expect.anything(),
          expect.toBeOneOf([401, 403, 500]),
        ])
      else if (role === 'anonymous' && isConsoleRoute(route) && method === 'GET')
        expect([role, toSignIn]).toEqual([role, true])
      else expect([role, response.status]).toEqual([role, role === 'anonymous' ? 401 : 403])
      if (allowed) expect(toSignIn).toBe(false)
      if (needed === 'localhost') {
        expect((await world.request(path, init, '192.168.1.9')).status).toBe(404)
      }
    }
  })
})

test('every route returns 405 with an Allow header for other methods', async () => {
  await using world = await createWorld()
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  const routeList = Object.entries(access).map(([route, needed]) => {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(/\{.*?\}$/, '')
    const regex = new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`)
    return { method, needed, path: path.replace(/:\w+/g, 'nothing'), regex }
  })
  for (const path of new Set(routeList.map(({ path }) => path))) {
    // `/console/people/chosen` matches `/console/people/:id` too.
    const routes = routeList.filter(({ regex, needed }) => regex.test(path) && needed !== 'localhost')
    const accepted = new Set(routes.map(({ method }) => method))
    for (const method of methods.filter((method) => method !== 'GET' || accepted.size > 0)) {
      if (accepted.has(method)) continue
      const response = await world.request(path, { method })
      const allowed = response.headers.get('allow')?.split(', ') ?? []
      // Localhost-only routes are not disclosed.
      expect([method, path, response.status]).toEqual([method, path, accepted.size > 0 ? 405 : 404])
      expect([path, allowed]).toEqual([path, expect.arrayContaining([...accepted])])
      expect(allowed).not.toContain(method)
      expect(allowed.includes('HEAD')).toBe(allowed.includes('GET'))
      const type = response.headers.get('content-type') ?? ''
      // Errors for the door script are JSON.
      const json = path.startsWith('/api/') || path === paths.doorList() || path === paths.doorEntries()
      expect([path, type]).toEqual([path, expect.stringContaining(json ? 'problem+json' : 'html')])
    }
  }
  expect((await world.request('/nothing', { method: 'PUT' })).status).toBe(404)
  expect(await (await world.request('/api/v1/mails', { method: 'PUT' })).json()).toMatchObject({
    status: 405,
    code: 'method_not_allowed',
  })
})

test('a token opens no console page, and a session nothing but the console', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const token = { Authorization: `Bearer ${await world.token('owner')}` }
  expect((await world.request('/console/tokens', { headers: token })).headers.get('location')).toMatch(/sign-in/)
  const { Cookie } = await world.signIn('owner')
  expect((await world.request('/console/tokens', { headers: { Cookie } })).status).toBe(200)
  const path = `/api/v1/workshops/${workshop.slug}/registrations`
  expect((await world.request(path, { headers: { Cookie } })).status).toBe(401)
})

test.each(doorRoutes)('%s allows door sessions of its workshop only', async (route) => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1, graceMinutes: 15 })
  const otherWorkshop = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
  const { id } = await world.register(workshop)
  const waitlisted = await world.register(workshop)
  world.clock.set(workshop.startsAt)
  const [method = '', path = ''] = route.split(' ')
  const json = path.includes('.json') || path.includes('entries')
  const [own, ended, other] = [
    await openDoorSession(world, workshop),
    await openDoorSession(world, workshop),
    await openDoorSession(world, otherWorkshop),
  ]
  const checkIn = crypto.randomUUID()
  await checkIns(world.deps, own.actor, [{ id: checkIn, registration: id, at: world.clock.now() }])
  await endDoorSession(world.deps, workshop, ended.id)
  const [board = '', lent = ''] = await addTwoBoards(world)
  const lend = () =>
    lendBoard(world.deps, own.actor, {
      ...{ id: crypto.randomUUID(), boardId: lent, registrationId: id, workshopId: workshop.id, at: world.clock.now() },
    })
  if (path === paths.doorReturn()) await lend()
  const registration = path === paths.doorQueueJoin() || path === paths.doorQueueLeave() ? waitlisted.id : id
  const body = json
    ? JSON.stringify({ entries: [{ kind: 'in', id: checkIn, registration: id, at: world.clock.now() }] })
    : new URLSearchParams({
        ...{ registration, checkIn, name: '张三', phone: '' },
        board: path === paths.doorReturn() ? lent : board,
      }).toString()
  const type = json ? 'application/json' : 'application/x-www-form-urlencoded'
  const send = (headers: Record<string, string>) =>
    world.request(path, { method, headers: { 'Content-Type': type, ...headers }, ...(method === 'POST' && { body }) })
  const stored = async () => [
    await world.db.select().from(registrations),
    await world.db.select().from(checkInsTable),
    await world.db.select().from(mails),
    await world.db.select().from(loans),
  ]
  const before = await stored()

  for (const role of ['viewer', 'organiser', 'owner'] as const) {
    expect((await send({ Authorization: `Bearer ${await world.token(role)}` })).status).toBe(401)
    expect((await send({ Cookie: (await world.signIn(role)).Cookie })).status).toBe(401)
  }
  for (const Cookie of ['', 'door=', `door=${'x'.repeat(43)}`, ended.Cookie]) {
    const response = await send({ Cookie })
    expect([Cookie, response.status]).toEqual([Cookie, 401])
    expect(response.headers.get('content-type')).toMatch(json ? /^application\/problem\+json/ : /^text\/html/)
    if (json) expect(await response.json()).toMatchObject({ code: 'session_over' })
    else if (Cookie === ended.Cookie) expect(await response.text()).toContain('这个签到台已经关闭')
  }
  // A door session of another workshop is valid, but finds no registration of this one.
  const response = await send({ Cookie: other.Cookie })
  if (path === paths.doorList())
    expect(await response.json()).toMatchObject({ workshop: { slug: otherWorkshop.slug }, people: [] })
  else if (json) expect(await response.json()).toMatchObject({ results: [{ outcome: 'not_found' }] })
  // A board can be returned at any door.
  else if (path === paths.doorReturn()) expect([response.status, (await lend()).outcome]).toEqual([303, 'lent'])
  else if (path === paths.doorEnd()) expect(response.status).toBe(303)
  else if (path !== paths.doorSeat() && path !== paths.doorWalkIn()) expect(response.status).toBeOneOf([404, 409])
  const workshopRegistrations = async () =>
    (await world.db.select().from(registrations)).filter(({ workshopId }) => workshopId === workshop.id)
  expect(await workshopRegistrations()).toEqual(before[0])

  const allowed = await send({ Cookie: own.Cookie })
  expect(allowed.status).toBe(json ? 200 : 303)
  world.clock.set(new Date(workshop.endsAt.getTime() + 24 * 3600_000))
  expect((await send({ Cookie: own.Cookie })).status).toBe(401)
})

async function addTwoBoards(world: World): Promise<string[]> {
  const added = await addBoards(world.deps, { name: '' }, { kind: 'K', serials: ['1', '2'] })
  return added.kind === 'added' ? added.ids : []
}

const ticketRoutes = Object.entries(access).flatMap(([route, needed]) => (needed === 'ticket' ? [route] : []))

test.each(ticketRoutes)('%s accepts the ticket and rejects forged and other tokens', async (route) => {
  await using world = await createWorld()
  const campaignId = (await world.campaign()).id
  const items = [{ kind: 'prerequisite' as const, text: { zh: '装好 RT-Thread Studio' }, mustConfirm: true }]
  const workshop = await world.workshop({ campaignId, items })
  const other = await world.workshop({ campaignId, city: { zh: '南京', en: 'Nanjing' } })
  const { id, ticket } = await world.register(workshop)
  const own = await world.register(workshop)
  if (route.endsWith('/confirm')) {
    // Only an offer can be accepted.
    const offer = { status: 'offered', seatedAt: null, offeredUntil: workshop.startsAt } as const
    await world.db.update(registrations).set(offer).where(eq(registrations.id, id))
  }
  // Post-event routes need attendance.
  if (/\/(certificate|feedback)$/.test(route)) await checkInYesterday(world, id)
  const [method = '', pattern = ''] = route.split(' ')
  const send = (ticket: string) =>
    world.request(pattern.replace(':ticket', ticket), {
      method,
      ...(method === 'POST' && {
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: `email=new%40example.com&to=${other.slug}&ready.${workshop.items[0]?.id}=yes&name=Wang&answer.useful=5`,
      }),
    })
  const stored = () =>
    Promise.all([registrations, mails, certificates, feedback].map((table) => world.db.select().from(table)))
  const before = await stored()

  const bytes = Buffer.from(ticket, 'base64url')
  const forged = [
    // The hash of one ticket under the id of another.
    Buffer.concat([bytes.subarray(0, 17), Buffer.from(own.ticket, 'base64url').subarray(17)]),
    Buffer.from(createTicketToken('another secret', { id, version: 1 }), 'base64url'),
    Buffer.concat([bytes.subarray(0, 17), Buffer.alloc(16)]),
    bytes.subarray(0, 17),
  ].map((bytes) => bytes.toString('base64url'))
  const { secret } = world.deps.config
  // Validly signed, but for another version, another purpose or an unknown registration.
  const invalid = [
    createTicketToken(secret, { id, version: 2 }),
    createCheckInCode(secret, { id, version: 1 }),
    createTicketToken(secret, { id: workshop.id, version: 1 }),
  ]
  for (const wrong of [...forged, ...invalid]) expect([wrong, (await send(wrong)).status]).toEqual([wrong, 404])
  expect(await stored()).toEqual(before)

  expect((await send(ticket)).status).toBe(method === 'GET' ? 200 : 303)
  if (method === 'POST') expect(await stored()).not.toEqual(before)
  else expect(await stored()).toEqual(before)
})

test('GET /api/v1/workshops/:slug/registrations returns 403 for viewers and the list for organisers', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop, { name: '王小明' })
  const path = `/api/v1/workshops/${workshop.slug}/registrations`
  const fetchList = async (role: Role) =>
    world.request(path, { headers: { Authorization: `Bearer ${await world.token(role)}` } })
  expect((await fetchList('viewer')).status).toBe(403)
  expect(await (await fetchList('organiser')).text()).toContain('王小明')
})
