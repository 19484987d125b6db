import { expect, test } from 'vitest'
import { openTestPostgres } from '../support/databases/databases.ts'
import {
  createPeople,
  fetchAttendees,
  publishWorkshop,
  registerConcurrently,
} from '../support/http/concurrent-sign-ups.ts'
import { type Server, startServer } from '../support/processes/server.ts'

test('on PGlite, kill -9 during 200 sign-ups loses no acknowledged one', async () => {
  await using server = await startServer({ RATE_LIMIT: 'off' })
  await killDuringSignUps(server)
}, 60_000)

test('on Postgres, kill -9 during 200 sign-ups loses no acknowledged one', async () => {
  const database = await openTestPostgres()
  {
    await using server = await startServer({
      DATABASE_URL: database.url,
      SECRET: 'a secret that survives the killed process',
      RATE_LIMIT: 'off',
    })
    await killDuringSignUps(server)
  }
  await database.close()
}, 60_000)

async function killDuringSignUps(server: Server) {
  const token = (await server.cli('token', 'create', '--name', 'kill', '--role', 'organiser')).stdout.trim()
  await publishWorkshop(server, token, { slug: 'kill', capacity: 120 })
  const people = createPeople(200)

  let responseCount = 0
  let killing: Promise<void> | undefined
  const countingServer: Pick<Server, 'request'> = {
    async request(path, init) {
      const response = await server.request(path, init)
      if (++responseCount === 90) killing = server.kill()
      return response
    },
  }
  const acknowledged = (await registerConcurrently([countingServer], 'kill', people, 16)).filter(
    ({ status }) => status === 201,
  )
  await killing
  expect(acknowledged.length).toBeGreaterThanOrEqual(90)
  expect(acknowledged.length).toBeLessThan(200)

  await server.start()
  const before = new Map((await fetchAttendees(server, 'kill', token)).map((line) => [line.id, line]))
  for (const { body } of acknowledged) expect(before.get(body.id)).toMatchObject({ status: body.status })

  // Everyone retries with the same key: stored sign-ups are stored once, the others are registered.
  const retries = await registerConcurrently([server], 'kill', people, 16)
  expect(retries.map(({ status }) => status)).toEqual(Array(200).fill(201))
  const after = await fetchAttendees(server, 'kill', token)
  expect(after).toHaveLength(200)
  expect(new Set(after.map(({ email }) => email)).size).toBe(200)
  for (const { body, person } of acknowledged) {
    expect(retries.find((reply) => reply.person.key === person.key)?.body.id).toBe(body.id)
  }
  // doctor also checks the mail of each registration.
  expect(await server.cli('doctor')).toMatchObject({ code: 0 })
}
