import { expect, test } from 'vitest'
import { crowd, publish, roster, rush } from '../support/crowd.ts'
import { openOnServer } from '../support/databases.ts'
import { type Server, startServer } from '../support/server.ts'

test('on PGlite, kill -9 in the middle of 200 sign-ups loses none that was acknowledged', async () => {
  await using server = await startServer({ RATE_LIMIT: 'off' })
  await killInTheMiddle(server)
}, 60_000)

test('on Postgres, kill -9 in the middle of 200 sign-ups loses none that was acknowledged', async () => {
  const database = await openOnServer()
  {
    await using server = await startServer({
      DATABASE_URL: database.url,
      SECRET: 'a secret that outlives the process that is killed',
      RATE_LIMIT: 'off',
    })
    await killInTheMiddle(server)
  }
  await database.close()
}, 60_000)

async function killInTheMiddle(server: Server) {
  const token = (await server.cli('token', 'create', '--name', 'kill', '--role', 'organiser')).stdout.trim()
  await publish(server, token, { slug: 'kill', capacity: 120 })
  const people = crowd(200)

  let answered = 0
  let killing: Promise<void> | undefined
  const watched: Pick<Server, 'request'> = {
    async request(path, init) {
      const answer = await server.request(path, init)
      if (++answered === 90) killing = server.kill()
      return answer
    },
  }
  const acknowledged = (await rush([watched], 'kill', people, 16)).filter(({ status }) => status === 201)
  await killing
  expect(acknowledged.length).toBeGreaterThanOrEqual(90)
  expect(acknowledged.length).toBeLessThan(200)

  await server.start()
  const before = new Map((await roster(server, 'kill', token)).map((line) => [line.id, line]))
  for (const { body } of acknowledged) expect(before.get(body.id)).toMatchObject({ status: body.status })

  // Everyone tries again with the same key: who was in stays in once, who was not gets in.
  const again = await rush([server], 'kill', people, 16)
  expect(again.map(({ status }) => status)).toEqual(Array(200).fill(201))
  const after = await roster(server, 'kill', token)
  expect(after).toHaveLength(200)
  expect(new Set(after.map(({ email }) => email)).size).toBe(200)
  for (const { body, person } of acknowledged) {
    expect(again.find((reply) => reply.person.key === person.key)?.body.id).toBe(body.id)
  }
  // Doctor also looks for the mail that each of them is owed.
  expect(await server.cli('doctor')).toMatchObject({ code: 0 })
}
