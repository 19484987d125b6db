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

test('every route is on the access list, and the list names no other', () => {
  expect(routes.toSorted()).toEqual(Object.keys(access).toSorted())
})

const roleOrder: (Role | 'nobody')[] = ['nobody', 'viewer', 'organiser', 'owner']

const isConsoleRoute = (route: string) => / \/console(?:\/|$)/.test(route)

const doorRoutes = Object.entries(access).flatMap(([route, needed]) => (needed === 'door' ? [route] : []))
const roleRoutes = Object.entries(access).filter(([, needed]) => needed !== 'door')

describe('by role', () => {
  let world: World
  let tokens: Record<Role, string>
  let cookies: Record<Role, string>
  beforeAll(async () => {
    world = await createWorld({ env: { RATE_LIMIT: 'off' } })
    const ofEach = async (make: (role: Role) => Promise<string>) => ({
      viewer: await make('viewer'),
      organiser: await make('organiser'),
      owner: await make('owner'),
    })
    tokens = await ofEach(world.token)
    cookies = await ofEach(async (role) => (await world.signIn(role)).Cookie)
  })
  afterAll(() => world.close())

  /** How a role proves itself: in the console by a session, elsewhere by a token. */
  async function prove(route: string, rank: (typeof roleOrder)[number]): Promise<Headers> {
    if (route.includes(' /mailbox')) return new Headers({ Cookie: mailPreviewCookie(world) })
    if (rank === 'nobody') return new Headers()
    if (!isConsoleRoute(route)) return new Headers({ Authorization: `Bearer ${tokens[rank]}` })
    // The other routes go on with the sessions that signing out would end.
    if (route === `POST ${paths.signOut()}`) return new Headers({ Cookie: (await world.signIn(rank)).Cookie })
    return new Headers({ Cookie: cookies[rank] })
  }

  test.each(roleRoutes)('%s lets in %s and nobody below', async (route, needed) => {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(/\{.*?\}$/, '').replace(/:\w+/g, 'nothing')
    for (const rank of roleOrder) {
      const headers = await prove(route, rank)
      if (method !== 'GET')
        headers.set('Content-Type', path.startsWith('/api/') ? 'application/json' : 'application/x-www-form-urlencoded')
      const init = { method, headers, ...(method === 'GET' ? {} : { body: path.startsWith('/api/') ? '{}' : '' }) }
      const answer = await world.request(path, init)
      const allowed =
        !roleOrder.includes(needed as Role) || roleOrder.indexOf(rank) >= roleOrder.indexOf(needed as Role)
      const toSignIn = answer.headers.get('location')?.startsWith('/console/sign-in?back=') ?? false
      if (allowed)
        expect([rank, toSignIn, answer.status]).not.toEqual([
          rank,
          expect.anything(),
          expect.toBeOneOf([401, 403, 500]),
        ])
      else if (rank === 'nobody' && isConsoleRoute(route) && method === 'GET')
        expect([rank, toSignIn]).toEqual([rank, true])
      else expect([rank, answer.status]).toEqual([rank, rank === 'nobody' ? 401 : 403])
      if (allowed) expect(toSignIn).toBe(false)
      if (needed === 'localhost') {
        expect((await world.request(path, init, '192.168.1.9')).status).toBe(404)
      }
    }
  })
})

test('every route answers 405 to a method that it does not take, and says which it does', async () => {
  await using world = await createWorld()
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  const listed = Object.entries(access).map(([route, needed]) => {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(/\{.*?\}$/, '')
    const like = new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`)
    return { method, needed, path: path.replace(/:\w+/g, 'nothing'), like }
  })
  for (const path of new Set(listed.map(({ path }) => path))) {
    // `/console/people/chosen` is taken for the name of somebody too.
    const routes = listed.filter(({ like, needed }) => like.test(path) && needed !== 'localhost')
    const taken = new Set(routes.map(({ method }) => method))
    for (const method of methods.filter((method) => method !== 'GET' || taken.size > 0)) {
      if (taken.has(method)) continue
      const answer = await world.request(path, { method })
      const allowed = answer.headers.get('allow')?.split(', ') ?? []
      // Of what only this machine may ask for, nobody is told.
      expect([method, path, answer.status]).toEqual([method, path, taken.size > 0 ? 405 : 404])
      expect([path, allowed]).toEqual([path, expect.arrayContaining([...taken])])
      expect(allowed).not.toContain(method)
      expect(allowed.includes('HEAD')).toBe(allowed.includes('GET'))
      const type = answer.headers.get('content-type') ?? ''
      // What a door's script asks is answered to a script.
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

test('a token opens no page of the console, and a session nothing but the console', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const token = { Authorization: `Bearer ${await world.token('owner')}` }
  expect((await world.request('/console/tokens', { headers: token })).headers.get('location')).toMatch(/sign-in/)
  const { Cookie } = await world.signIn('owner')
  expect((await world.request('/console/tokens', { headers: { Cookie } })).status).toBe(200)
  const path = `/api/v1/workshops/${workshop.slug}/registrations`
  expect((await world.request(path, { headers: { Cookie } })).status).toBe(401)
})

test.each(doorRoutes)('%s lets in the doors of a workshop, to that workshop, and nobody else', async (route) => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 1, graceMinutes: 15 })
  const elsewhere = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
  const { id } = await world.register(workshop)
  const waiting = await world.register(workshop)
  world.clock.set(workshop.startsAt)
  const [method = '', path = ''] = route.split(' ')
  const json = path.includes('.json') || path.includes('entries')
  const [mine, ended, foreign] = [
    await openDoorSession(world, workshop),
    await openDoorSession(world, workshop),
    await openDoorSession(world, elsewhere),
  ]
  const checkIn = crypto.randomUUID()
  await checkIns(world.deps, mine.actor, [{ id: checkIn, registration: id, at: world.clock.now() }])
  await endDoorSession(world.deps, workshop, ended.id)
  const [board = '', lent = ''] = await addTwoBoards(world)
  const lend = () =>
    lendBoard(world.deps, mine.actor, {
      ...{ id: crypto.randomUUID(), boardId: lent, registrationId: id, workshopId: workshop.id, at: world.clock.now() },
    })
  if (path === paths.doorReturn()) await lend()
  const registration = path === paths.doorQueueJoin() || path === paths.doorQueueLeave() ? waiting.id : id
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
    const answer = await send({ Cookie })
    expect([Cookie, answer.status]).toEqual([Cookie, 401])
    expect(answer.headers.get('content-type')).toMatch(json ? /^application\/problem\+json/ : /^text\/html/)
    if (json) expect(await answer.json()).toMatchObject({ code: 'session_over' })
    else if (Cookie === ended.Cookie) expect(await answer.text()).toContain('这个签到台已经关闭')
  }
  // The door of another workshop is one, but finds nobody of this one.
  const answer = await send({ Cookie: foreign.Cookie })
  if (path === paths.doorList())
    expect(await answer.json()).toMatchObject({ workshop: { slug: elsewhere.slug }, people: [] })
  else if (json) expect(await answer.json()).toMatchObject({ results: [{ outcome: 'not_found' }] })
  // A board comes back wherever it is brought.
  else if (path === paths.doorReturn()) expect([answer.status, (await lend()).outcome]).toEqual([303, 'lent'])
  else if (path === paths.doorEnd()) expect(answer.status).toBe(303)
  else if (path !== paths.doorSeat() && path !== paths.doorWalkIn()) expect(answer.status).toBeOneOf([404, 409])
  const sameWorkshop = async () =>
    (await world.db.select().from(registrations)).filter(({ workshopId }) => workshopId === workshop.id)
  expect(await sameWorkshop()).toEqual(before[0])

  const allowed = await send({ Cookie: mine.Cookie })
  expect(allowed.status).toBe(json ? 200 : 303)
  world.clock.set(new Date(workshop.endsAt.getTime() + 24 * 3600_000))
  expect((await send({ Cookie: mine.Cookie })).status).toBe(401)
})

async function addTwoBoards(world: World): Promise<string[]> {
  const added = await addBoards(world.deps, { name: '' }, { kind: 'K', serials: ['1', '2'] })
  return added.kind === 'added' ? added.ids : []
}

const ticketRoutes = Object.entries(access).flatMap(([route, needed]) => (needed === 'ticket' ? [route] : []))

test.each(ticketRoutes)('%s answers to the ticket and to nothing that looks like it', async (route) => {
  await using world = await createWorld()
  const campaignId = (await world.campaign()).id
  const items = [{ kind: 'prerequisite' as const, text: { zh: '装好 RT-Thread Studio' }, mustConfirm: true }]
  const workshop = await world.workshop({ campaignId, items })
  const other = await world.workshop({ campaignId, city: { zh: '南京', en: 'Nanjing' } })
  const { id, ticket } = await world.register(workshop)
  const mine = await world.register(workshop)
  if (route.endsWith('/confirm')) {
    // Only an offered seat can be taken.
    const offer = { status: 'offered', seatedAt: null, offeredUntil: workshop.startsAt } as const
    await world.db.update(registrations).set(offer).where(eq(registrations.id, id))
  }
  // What follows a workshop is for those who came.
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
    Promise.all([registrations, mails, certificates, feedback].map((of) => world.db.select().from(of)))
  const before = await stored()

  const bytes = Buffer.from(ticket, 'base64url')
  const forged = [
    // The hash of one's own ticket below the id of the other.
    Buffer.concat([bytes.subarray(0, 17), Buffer.from(mine.ticket, 'base64url').subarray(17)]),
    Buffer.from(createTicketToken('another secret', { id, version: 1 }), 'base64url'),
    Buffer.concat([bytes.subarray(0, 17), Buffer.alloc(16)]),
    bytes.subarray(0, 17),
  ].map((bytes) => bytes.toString('base64url'))
  const { secret } = world.deps.config
  // Rightly sealed, but for another version, for the door, or for somebody who is not there.
  const stale = [
    createTicketToken(secret, { id, version: 2 }),
    createCheckInCode(secret, { id, version: 1 }),
    createTicketToken(secret, { id: workshop.id, version: 1 }),
  ]
  for (const wrong of [...forged, ...stale]) expect([wrong, (await send(wrong)).status]).toEqual([wrong, 404])
  expect(await stored()).toEqual(before)

  expect((await send(ticket)).status).toBe(method === 'GET' ? 200 : 303)
  if (method === 'POST') expect(await stored()).not.toEqual(before)
  else expect(await stored()).toEqual(before)
})

test('a viewer sees no person, an organiser the list', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop, { name: '王小明' })
  const path = `/api/v1/workshops/${workshop.slug}/registrations`
  const ask = async (role: Role) =>
    world.request(path, { headers: { Authorization: `Bearer ${await world.token(role)}` } })
  expect((await ask('viewer')).status).toBe(403)
  expect(await (await ask('organiser')).text()).toContain('王小明')
})
