import { expect, test } from 'vitest'
import { joinCode } from '../../src/domain/door-sessions.ts'
import { createWorld } from '../support/world.ts'
test('smoke', async () => {
  await using world = await createWorld()
  const w = await world.workshop({ capacity: 3 })
  const a = await world.register(w, { name: '王小明', phone: '+8613800001234' })
  await world.register(w)
  world.clock.set(w.startsAt)
  const code = joinCode(world.deps, w)
  expect((await world.request(`/door/join/${code}`)).status).toBe(200)
  const joined = await world.request(`/door/join/${code}`, { method: 'POST', body: new URLSearchParams({ name: '东门' }) })
  expect(joined.status).toBe(303)
  const Cookie = joined.headers.getSetCookie()[0]!.split(';')[0]!
  console.log(joined.headers.getSetCookie())
  const page = await world.request('/door', { headers: { Cookie } })
  console.log(await page.text())
  const send = (entries: unknown[]) => world.request('/door/entries', { method: 'POST', headers: { Cookie, 'Content-Type': 'application/json' }, body: JSON.stringify({ entries }) })
  const id = crypto.randomUUID(), u = crypto.randomUUID(), n = crypto.randomUUID()
  const at = world.clock.now().toISOString()
  const r1 = await send([{ kind: 'in', id, registration: a.id, at }]); if (r1.status !== 200) console.log(r1.status, await r1.text(), world.logged);
  console.log(JSON.stringify(await (await send([{ kind: 'in', id, registration: a.id, at }, { kind: 'walk_in', id: n, name: 'Neu', phone: '', at }, { kind: 'walk_in', id: u, name: 'Neu2', phone: 'x', at }])).json(), null, 1))
  console.log(JSON.stringify(await (await world.request('/door/list.json', { headers: { Cookie } })).json(), null, 1))
  console.log(JSON.stringify(await (await send([{ kind: 'undo', id: u, checkIn: id, at }, { kind: 'undo', id: u, checkIn: n, at }])).json(), null, 1))
  expect((await world.request('/door/list.json')).status).toBe(401)
})
