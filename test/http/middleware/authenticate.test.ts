import { expect, test } from 'vitest'
import { bearerAuth, doorSession, organiserSession } from '../../../src/http/middleware/authenticate.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { openDoorSession } from '../../support/seeds/door.ts'
import { createWorld } from '../../support/world.ts'

test('bearerAuth sets the role of a token, everywhere but in the console', async () => {
  await using world = await createWorld()
  const Authorization = `Bearer ${await world.token('viewer')}`
  const roles: (string | undefined)[] = []
  const app = createMiddlewareApp(world, [bearerAuth()], (c) => roles.push(c.get('role')))
  for (const path of ['/api/v1/workshops', '/', '/console']) await app.request(path, { headers: { Authorization } })
  expect(roles).toEqual(['viewer', 'viewer', undefined])
})

test('bearerAuth answers 401 to an unknown token and ignores other schemes', async () => {
  await using world = await createWorld()
  const app = createMiddlewareApp(world, [bearerAuth()])
  const status = async (Authorization: string) => (await app.request('/', { headers: { Authorization } })).status
  expect(await status('Bearer abcdefghijklmnopqrstuvwxyz')).toBe(401)
  expect(await status('Bearer short')).toBe(401)
  expect(await status('Basic dXNlcjpwYXNz')).toBe(200)
})

test('organiserSession loads the organiser in the console only', async () => {
  await using world = await createWorld()
  const headers = await world.signIn('organiser')
  const roles: (string | undefined)[] = []
  const app = createMiddlewareApp(world, [organiserSession()], (c) => roles.push(c.get('role')))
  for (const path of ['/console/boards', '/']) await app.request(path, { headers: { Cookie: headers.Cookie } })
  expect(roles).toEqual(['organiser', undefined])
})

test('doorSession loads the session of a helper on door paths only', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const { Cookie } = await openDoorSession(world, workshop)
  const workshops: (string | undefined)[] = []
  const app = createMiddlewareApp(world, [doorSession()], (c) => workshops.push(c.get('door')?.workshopId))
  for (const path of ['/door', '/in/x', '/']) await app.request(path, { headers: { Cookie } })
  expect(workshops).toEqual([workshop.id, workshop.id, undefined])
})
