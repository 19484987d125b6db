import { expect, test } from 'vitest'
import { access } from '../src/access.ts'
import { app } from '../src/app.tsx'
import type { Role } from '../src/db/schema.ts'
import { createWorld } from './support/world.ts'

const routes = [
  ...new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)),
]

test('every route is on the access list, and the list names no other', () => {
  expect(routes.toSorted()).toEqual(Object.keys(access).toSorted())
})

const ranks: (Role | 'nobody')[] = ['nobody', 'viewer', 'organiser', 'owner']

test.each(Object.entries(access))('%s lets in %s and nobody below', async (route, needed) => {
  await using world = await createWorld()
  const [method = '', pattern = ''] = route.split(' ')
  const path = pattern.replace(/\{.*?\}$/, '').replace(/:\w+/g, 'nothing')
  for (const rank of ranks) {
    const headers = new Headers(rank === 'nobody' ? {} : { Authorization: `Bearer ${await world.token(rank)}` })
    if (method !== 'GET')
      headers.set('Content-Type', path.startsWith('/api/') ? 'application/json' : 'application/x-www-form-urlencoded')
    const init = { method, headers, ...(method === 'GET' ? {} : { body: path.startsWith('/api/') ? '{}' : '' }) }
    const { status } = await world.request(path, init)
    const allowed = !ranks.includes(needed as Role) || ranks.indexOf(rank) >= ranks.indexOf(needed as Role)
    if (allowed) expect([rank, status]).not.toEqual([rank, expect.toBeOneOf([401, 403, 500])])
    else expect([rank, status]).toEqual([rank, rank === 'nobody' ? 401 : 403])
    if (needed === 'this machine') {
      expect((await world.request(path, init, '192.168.1.9')).status).toBe(404)
    }
  }
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
