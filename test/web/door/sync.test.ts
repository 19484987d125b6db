import { expect, test } from 'vitest'
import { checkIns, registrations } from '../../../src/db/schema.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import { rateLimits } from '../../../src/server/runtime.ts'
import { openDoorSession } from '../../support/seeds/door.ts'
import { createWorld, type World } from '../../support/world.ts'

async function setUpDoor(world: World, registered = 2) {
  const workshop = await world.workshop({ capacity: 3, graceMinutes: 15 })
  const people = await Promise.all(Array.from({ length: registered }, () => world.register(workshop)))
  world.clock.set(workshop.startsAt)
  const { Cookie } = await openDoorSession(world, workshop)
  const post = (body: string, headers: Record<string, string> = {}) =>
    world.request('/door/entries', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie, ...headers },
      body,
    })
  return {
    workshop,
    people: people as { id: string }[],
    Cookie,
    post,
    send: async (...entries: object[]) => (await post(JSON.stringify({ entries }))).json(),
    at: world.clock.now().toISOString(),
  }
}

test('POST /door/entries applies entries of all kinds in order and is idempotent', async () => {
  await using world = await createWorld()
  const { people, send, at } = await setUpDoor(world)
  const [one, undo, walkIn, invalid, unknown] = Array.from({ length: 5 }, () => crypto.randomUUID())
  const entries = [
    { kind: 'in', id: one, registration: people[0]?.id, at },
    { kind: 'undo', id: undo, checkIn: one, at },
    { kind: 'walk_in', id: walkIn, name: '张三', phone: '13800001234', at },
    { kind: 'walk_in', id: invalid, name: '', phone: 7, at },
    { kind: 'in', id: unknown, registration: crypto.randomUUID(), at },
  ]
  const first = await send(...entries)
  expect(first).toMatchObject({
    now: world.clock.now().toISOString(),
    results: [
      { id: one, outcome: 'in', checkedIn: { id: one, at, by: '东门' } },
      { id: undo, outcome: 'undone', checkedIn: null },
      { id: walkIn, outcome: 'in', person: { name: '张三', tail: '1234', walkIn: true, checkedIn: { id: walkIn } } },
      { id: invalid, outcome: 'invalid', fields: [{ field: 'name' }, { field: 'phone' }] },
      { id: unknown, outcome: 'not_found' },
    ],
    counts: { seats: 3, in: 1, walkIns: 1, standing: 0 },
  })
  const repeated = await send(...entries)
  expect(repeated.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
    first.results.map(({ outcome }: { outcome: string }) => outcome),
  )
  expect(repeated.counts).toEqual(first.counts)
  expect(await world.db.select().from(checkIns)).toHaveLength(2)
  expect(await findViolations(world.deps)).toEqual([])
})

test('POST /door/entries returns 409 for entries recorded for another workshop', async () => {
  await using world = await createWorld()
  const { workshop, people, post, at } = await setUpDoor(world)
  const entries = [{ kind: 'in', id: crypto.randomUUID(), registration: people[0]?.id, at }]
  const other = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
  const { Cookie } = await openDoorSession(world, other)
  const body = JSON.stringify({ workshop: workshop.slug, entries })
  expect((await post(body, { Cookie })).status).toBe(409)
  expect(await world.db.select().from(checkIns)).toEqual([])
  expect(await (await post(body)).json()).toMatchObject({ results: [{ outcome: 'in' }] })
})

test('a queued walk-in is seated by the first sync after the grace period, even an empty one', async () => {
  await using world = await createWorld()
  const { people, send, at, Cookie } = await setUpDoor(world, 3)
  const id = crypto.randomUUID()
  expect(await send({ kind: 'walk_in', id, name: '张三', phone: '', at })).toMatchObject({
    results: [{ id, outcome: 'standing', place: 1, person: { standing: true } }],
    counts: { standing: 1 },
  })
  world.clock.advance({ minutes: 15 })
  expect(await (await world.request('/door/list.json', { headers: { Cookie } })).json()).toMatchObject({
    counts: { standing: 1 },
  })
  expect(await send()).toMatchObject({ results: [], counts: { standing: 0 } })
  const list = await (await world.request('/door/list.json', { headers: { Cookie } })).json()
  expect(list).toMatchObject({
    counts: { seats: 3, in: 1, walkIns: 1, standing: 0 },
    workshop: { taken: 3, capacity: 3 },
  })
  expect(list.people.find(({ id }: { id: string }) => id === people[2]?.id)).toMatchObject({
    status: 'cancelled',
    cancelledBy: 'absence',
  })
  expect(JSON.stringify(list)).not.toContain('@')
})

test('POST /door/entries accepts up to 500 entries', async () => {
  await using world = await createWorld()
  const { people, post, at } = await setUpDoor(world)
  const body = (n: number) =>
    JSON.stringify({
      entries: Array.from({ length: n }, () => ({
        kind: 'in',
        id: crypto.randomUUID(),
        registration: people[0]?.id,
        at,
      })),
    })
  expect((await post(body(500))).status).toBe(200)
  expect(await world.db.select().from(checkIns)).toHaveLength(500)
  expect((await post(body(501))).status).toBe(400)
  expect(await findViolations(world.deps)).toEqual([])
})

test.each([
  ['no JSON', '{', 400],
  ['no list', '{"entries":{}}', 400],
  ['an unknown kind', '{"entries":[{"kind":"erase","id":"a"}]}', 400],
  ['a malformed id', '{"entries":[{"kind":"in","id":"1","registration":"2","at":"2026-12-11T10:00:00Z"}]}', 400],
  [
    'a malformed time',
    `{"entries":[{"kind":"in","id":"${crypto.randomUUID()}","registration":"${crypto.randomUUID()}","at":"now"}]}`,
    400,
  ],
])('POST /door/entries rejects a body with %s', async (_, body, status) => {
  await using world = await createWorld()
  const { post } = await setUpDoor(world)
  const response = await post(body)
  expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  expect(await world.db.select().from(checkIns)).toEqual([])
})

test.each(['0000-01-01T00:00:00Z', '0000-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00'])(
  'POST /door/entries accepts a client time of %s, which Postgres cannot read',
  async (at) => {
    await using world = await createWorld()
    const { people, send } = await setUpDoor(world)
    const [one, other, board] = Array.from({ length: 3 }, () => crypto.randomUUID())
    const { results } = await send(
      { kind: 'in', id: one, registration: people[0]?.id, at },
      { kind: 'walk_in', id: other, name: '张三', phone: '13800001234', at },
      { kind: 'lend', id: crypto.randomUUID(), board, registration: people[0]?.id, at },
      { kind: 'return', id: crypto.randomUUID(), board, at },
      { kind: 'undo', id: crypto.randomUUID(), checkIn: one, at },
    )
    expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      ...['in', 'in', 'not_found', 'not_found', 'undone'],
    ])
    expect(await findViolations(world.deps)).toEqual([])
  },
)

test('POST /door/entries returns 415 for content types that cross-site forms can send', async () => {
  await using world = await createWorld()
  const { people, post, at } = await setUpDoor(world)
  const body = JSON.stringify({ entries: [{ kind: 'in', id: crypto.randomUUID(), registration: people[0]?.id, at }] })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', '']) {
    for (const from of [{}, { Origin: 'http://localhost' }, { 'Sec-Fetch-Site': 'same-origin' }] as HeadersInit[]) {
      const { status } = await post(body, { ...(from as Record<string, string>), 'Content-Type': type })
      expect([type, from, status]).toEqual([type, from, 415])
    }
  }
  expect(await world.db.select().from(checkIns)).toEqual([])
})

test('POST /door/entries accepts the same origins as forms, also behind a proxy with an alias', async () => {
  await using world = await createWorld({ env: { BASE_URL: 'https://workshops.example.com' } })
  const { people, post, at, Cookie } = await setUpDoor(world)
  const body = JSON.stringify({ entries: [{ kind: 'in', id: crypto.randomUUID(), registration: people[0]?.id, at }] })
  const alias = { Origin: 'https://www.workshops.example.com' }
  const cases: [Record<string, string>, number][] = [
    [{}, 200],
    [{ Origin: 'http://localhost' }, 200],
    [{ Origin: 'https://workshops.example.com' }, 200],
    [{ ...alias, 'Sec-Fetch-Site': 'same-origin' }, 200],
    [alias, 403],
    [{ ...alias, 'Sec-Fetch-Site': 'same-site' }, 403],
    [{ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'none' }, 403],
    [{ Origin: 'null' }, 403],
  ]
  for (const [headers, status] of cases) {
    expect([headers, (await post(body, headers)).status]).toEqual([headers, status])
    const form = { Cookie, 'Content-Type': 'application/x-www-form-urlencoded', ...headers }
    const response = await world.request('/door/leave', { method: 'POST', headers: form })
    expect([headers, response.status === 403]).toEqual([headers, status === 403])
  }
})

test('POST /door/entries stores special characters in names unchanged and handles a NUL', async () => {
  await using world = await createWorld()
  const { send, at, post } = await setUpDoor(world, 0)
  const name = `O'Brien "<b>" \\ 😀`
  await send({ kind: 'walk_in', id: crypto.randomUUID(), name, phone: '', at })
  expect((await world.db.select({ name: registrations.name }).from(registrations))[0]).toEqual({ name })
  const nul = await post(
    JSON.stringify({ entries: [{ kind: 'walk_in', id: crypto.randomUUID(), name: '张\u0000三', phone: '', at }] }),
  )
  expect(nul.status).toBe(200)
})

test('door requests are rate limited per session', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const [busy, other] = [await openDoorSession(world, workshop, '东门'), await openDoorSession(world, workshop, '西门')]
  const fetchStatus = async ({ Cookie }: { Cookie: string }) =>
    (await world.request('/door/list.json', { headers: { Cookie } })).status
  for (let n = 1; n < rateLimits.door.points; n++) await world.deps.rateLimit('door', busy.id)
  expect(await fetchStatus(busy)).toBe(200)
  expect(await fetchStatus(busy)).toBe(429)
  expect(await fetchStatus(other)).toBe(200)
})
