import { expect, test } from 'vitest'
import { startDoorSession } from '../../../src/domain/door/sessions.ts'
import { createWorld, type World } from '../../support/world.ts'

/** Starts a door session for a workshop with one registration. */
async function joinDoor(world: World) {
  const startsAt = new Date(world.clock.now().getTime() + 30 * 60_000)
  const workshop = await world.workshop({ startsAt })
  await world.register(workshop, { name: '王小明' })
  const session = await startDoorSession(world.deps, workshop, '东门', undefined)
  if (session.kind === 'refused') throw new Error(session.refusal)
  return { workshop, headers: { Cookie: `door=${session.token}` } }
}

test('GET /door/shell is the same for everybody and contains no personal data', async () => {
  await using world = await createWorld()
  const { headers, workshop } = await joinDoor(world)
  const asHelper = await (await world.request('/door/shell', { headers })).text()
  expect(asHelper).toBe(await (await world.request('/door/shell')).text())
  expect(asHelper).toContain('id="door-app"')
  for (const personal of ['王小明', '东门', '上海', workshop.slug]) expect(asHelper).not.toContain(personal)
})

test('the service worker caches the shell with all its files, and its scope covers ticket pages', async () => {
  await using world = await createWorld()
  const response = await world.request('/door/worker.js')
  expect(response.headers.get('content-type')).toContain('text/javascript')
  expect(response.headers.get('service-worker-allowed')).toBe('/')
  expect(response.headers.get('cache-control')).toBe('no-cache')
  const script = await response.text()
  const files = JSON.parse(/^const files = (.+)$/m.exec(script)?.[1] ?? '[]') as string[]
  const page = await (await world.request('/door/shell')).text()
  const used = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path)
  for (const path of files) {
    const body = await (await world.request(path)).text()
    used.push(
      ...[...body.matchAll(/from ?['"]\.\/([^'"]+)['"]|import\(['"]\.\/([^'"]+)['"]\)/g)].map(
        ([, a, b]) => `/assets/${a ?? b}`,
      ),
    )
  }
  expect([...new Set(used)].toSorted()).toEqual(files.toSorted())
})

test('the service worker differs by language and is otherwise deterministic', async () => {
  await using world = await createWorld()
  const fetchWorker = async (lang: string) => (await world.request(`/door/worker.js?lang=${lang}`)).text()
  expect(await fetchWorker('en')).toBe(await fetchWorker('en'))
  expect(await fetchWorker('en')).not.toBe(await fetchWorker('zh-CN'))
})

test('only door pages may use the camera and start workers', async () => {
  await using world = await createWorld()
  const { headers, workshop } = await joinDoor(world)
  for (const path of ['/door', '/door/shell']) {
    const response = await world.request(path, { headers })
    expect(response.headers.get('permissions-policy')).toBe('camera=(self)')
    expect(response.headers.get('content-security-policy')).toMatch(/script-src 'self';.*; worker-src 'self' blob:$/)
  }
  const other = await world.request(`/w/${workshop.slug}`)
  expect(other.headers.get('permissions-policy')).toBe('camera=()')
  expect(other.headers.get('content-security-policy')).not.toContain('worker-src')
})

test('POST /door/end ends only the session of this phone', async () => {
  await using world = await createWorld()
  const { headers, workshop } = await joinDoor(world)
  const other = await startDoorSession(world.deps, workshop, '西门', undefined)
  const ended = await world.request('/door/end', {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  expect(ended.status).toBe(303)
  expect(ended.headers.get('set-cookie')).toMatch(/^door=; Max-Age=0/)
  expect((await world.request('/door/list.json', { headers })).status).toBe(401)
  const token = other.kind === 'opened' ? other.token : ''
  expect((await world.request('/door/list.json', { headers: { Cookie: `door=${token}` } })).status).toBe(200)
})
