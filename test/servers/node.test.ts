import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { afterAll, describe, expect, test } from 'vitest'
import { defaultBaseUrl } from '../../src/server/startup-banner.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { startPostgres } from '../support/databases/postgres.ts'
import { createPeople, publishWorkshop, signUp } from '../support/http/concurrent-sign-ups.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { cliCommand, runProgram, serverCommand } from '../support/processes/processes.ts'
import { startServer } from '../support/processes/server.ts'

const secret = 'a secret of this test that is long enough'
const runServer = (env: Record<string, string>) => runProgram(serverCommand, env)
const runCli = (env: Record<string, string>, ...args: string[]) => runProgram([...cliCommand, ...args], env)

describe('without settings', async () => {
  const server = await startServer()
  afterAll(() => server[Symbol.asyncDispose]())

  test('the first start seeds a campaign in two cities next month and prints the links to start with', async () => {
    const output = server.output()
    expect(output).toContain(`baoming is at http://localhost:${new URL(server.url).port}`)
    expect(output).toMatch(/http:\/\/localhost:\d+\/q\/\w{7} {2}\(AI newsletter\)/)
    expect(output).toMatch(/http:\/\/localhost:\d+\/mailbox\?key=[\w-]{22} /)
    expect(output).toContain('npm run --silent cli -- token create --name me --role organiser')
    const { items } = (await (await server.request('/api/v1/workshops?lang=en')).json()) as {
      items: {
        city: string
        startsAt: string
        timeZone: string
        prerequisites: string[]
        provided: string[]
        bring: string[]
      }[]
    }
    expect(items.map(({ city }) => city)).toEqual(['Shanghai', 'Nanjing'])
    const nextMonth = new Date(Date.now() + 8 * 3600_000)
    nextMonth.setUTCMonth(nextMonth.getUTCMonth() + 1, 1)
    for (const { startsAt } of items) expect(startsAt.slice(0, 7)).toBe(nextMonth.toISOString().slice(0, 7))
    expect(items[0]).toMatchObject({ provided: [expect.any(String)], bring: [expect.any(String), expect.any(String)] })
    expect(items[0]?.prerequisites.join()).toContain('RT-Thread Studio')
  })

  test('a second server on the same folder fails with one line', async () => {
    const second = await runServer({ DATA_DIR: server.dataDir, PORT: `${await findFreePort()}` })
    expect(second.code).toBe(1)
    expect(second.stdout + second.stderr).toBe(
      `another server has ${server.dataDir} open: stop it first, or choose another DATA_DIR\n`,
    )
  })

  test('every command works while the server runs', async () => {
    expect(await server.cli('doctor')).toMatchObject({ code: 0, stdout: 'all invariants hold\n' })
    expect((await server.cli('token', 'create', '--name', 'me', '--role', 'viewer')).stdout).toMatch(/^bm_[\w-]{43}\n$/)
    expect((await server.cli('token', 'list')).stdout).toMatch(/^[0-9a-f-]{36} {2}viewer {5}valid {4}me\n$/)
    expect(await server.cli('seed')).toMatchObject({ code: 1 })
    expect(await server.cli('migrate')).toMatchObject({ code: 0 })
    expect(await server.cli('purge')).toMatchObject({ code: 0, stdout: '0 people forgotten\n' })
    const { items } = (await (await server.request('/api/v1/workshops')).json()) as { items: { slug: string }[] }
    const csv = await server.cli('export', items[0]?.slug ?? '', '--format', 'csv')
    expect(csv).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\uFEFF/) })
  })

  test('an invalid command prints its usage and exits with 2', async () => {
    expect(await server.cli('sed')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown command sed'),
    })
    expect(await server.cli('token', 'create', '--role', 'king')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--role (owner, organiser, viewer)'),
    })
    expect(await server.cli('export', '--format', 'pdf')).toMatchObject({ code: 2 })
    const long = 'x'.repeat(81)
    for (const [sentence, ...args] of [
      ['the name is too long: at most 80 characters', 'token', 'create', '--role', 'viewer', '--name', long],
      ['the name is too long', 'organiser', 'invite', 'a@example.com', '--role', 'viewer', '--name', long],
      [
        'the address is too long: at most 254',
        'organiser',
        'invite',
        `${long.repeat(4)}@example.com`,
        '--role',
        'viewer',
      ],
      ['argument 2 is too long: at most 500 characters', 'export', 'e\u0301\u0323'.repeat(10_000)],
      ['a command takes at most 20 arguments', ...Array<string>(21).fill('x')],
    ] as const) {
      expect(await server.cli(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(sentence) })
    }
    expect(await server.cli('export', 'nowhere')).toMatchObject({ code: 1, stderr: 'there is no workshop nowhere\n' })
  })

  test('the mailbox opens with the printed link on localhost only, not through a proxy or with another Host', async () => {
    const printedPath = /http:\/\/localhost:\d+(\/mailbox\?key=\S+)/.exec(server.output())?.[1] ?? ''
    expect((await server.request('/mailbox')).status).toBe(404)
    const response = await server.request(printedPath)
    const Cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    expect([response.status, response.headers.get('location')]).toEqual([302, '/mailbox'])
    expect((await server.request('/mailbox', { headers: { Cookie } })).status).toBe(200)
    expect((await server.request(printedPath, { headers: { 'X-Forwarded-For': '127.0.0.1' } })).status).toBe(404)
    expect(await fetchStatus(server.url, printedPath, { host: 'rebound.example.com' })).toBe(404)
    const command = await server.cli('mailbox')
    expect(command).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^http:\/\/localhost:\d+\/mailbox\?key=\S+\n$/),
    })
    expect(command.stdout).toContain(printedPath)
  })
})

test('organiser link prints a one-time sign-in link, with the server running or stopped', async () => {
  await using server = await startServer()
  const email = 'wang@example.com'
  expect(await server.cli('organiser', 'link', email)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: `there is no account for ${email}: see organiser list\n`,
  })
  expect(await server.cli('organiser', 'link')).toMatchObject({ code: 2, stdout: '' })
  expect(await server.cli('organiser', 'invite', email, '--role', 'owner')).toMatchObject({ code: 0 })

  const running = await server.cli('organiser', 'link', 'Wang@Example.com')
  await server.stop()
  const stopped = await server.cli('organiser', 'link', email)
  await server.start()
  for (const { code, stdout } of [running, stopped]) {
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^http:\/\/localhost:\d+\/console\/sign-in\/[\w-]{44}\n$/),
    ])
    const path = new URL(stdout.trim()).pathname
    const signedIn = await server.request(path, { method: 'POST' })
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/console'])
    const Cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    expect((await server.request('/console/organisers', { headers: { Cookie } })).status).toBe(200)
    expect((await server.request(path, { method: 'POST' })).status).toBe(410)
  }
}, 60_000)

test('SIGTERM lets running requests finish', async () => {
  await using server = await startServer({ RATE_LIMIT: 'off' })
  const token = (await server.cli('token', 'create', '--name', 't', '--role', 'organiser')).stdout.trim()
  await publishWorkshop(server, token, { slug: 'stop', capacity: 30 })
  const replies = createPeople(30).map((person) => signUp(server, 'stop', person))
  await Promise.race(replies)
  expect(await server.stop()).toBe(0)
  // Requests in progress get a response; later ones may be refused a connection, but none is cut off.
  const registered = (await Promise.all(replies)).filter((reply) => reply?.status === 201)
  expect(registered.length).toBeGreaterThan(0)
  await server.start()
  expect(await server.cli('doctor')).toMatchObject({ code: 0 })
  const seats = (await (await server.request('/api/v1/workshops/stop/availability')).json()) as { taken: number }
  expect(seats.taken).toBeGreaterThanOrEqual(registered.length)
}, 60_000)

test.each([
  [{ PORT: 'eighty' }, /^wrong setting, PORT: /],
  [{ BASE_URL: 'example.com' }, /^wrong setting, BASE_URL: /],
  [{ DATABASE_URL: 'postgres://127.0.0.1/x' }, /^missing setting, SECRET: /],
])('%j aborts the start with one line', async (env, line) => {
  const result = await runServer(env)
  expect(result).toMatchObject({ code: 1, stdout: '' })
  expect(result.stderr).toMatch(line)
  expect(result.stderr.trim().split('\n')).toHaveLength(1)
})

test('with DATABASE_URL the database starts empty, and seed fills it on request', async () => {
  const database = await openTestPostgres()
  await using server = await startServer({ DATABASE_URL: database.url, SECRET: secret })
  expect(await (await server.request('/api/v1/campaigns')).json()).toEqual({ items: [] })
  expect(server.output()).not.toContain('/mailbox')
  expect((await server.request('/mailbox')).status).toBe(404)
  const seeded = await runCli(
    { DATABASE_URL: database.url, SECRET: secret, BASE_URL: 'https://workshops.example.com' },
    'seed',
  )
  expect(seeded).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^https:\/\/workshops\.example\.com\/q\/\w{7}\n$/),
  })
  await expect
    .poll(
      async () => ((await (await server.request('/api/v1/campaigns')).json()) as { items: unknown[] }).items.length,
      { timeout: 5000 },
    )
    .toBe(1)
  await server.stop()
  await database.close()
}, 60_000)

test('a command on a database of a newer release fails', async () => {
  const database = await openTestPostgres()
  await database.db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', 0)`)
  const result = await runCli({ DATABASE_URL: database.url, SECRET: secret }, 'doctor')
  expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/start the newer release\n$/) })
  await database.close()
})

test('while the database is unavailable every page and call returns 503 within five seconds, and recovers by itself', async () => {
  await using postgres = await startPostgres()
  await using server = await startServer({ DATABASE_URL: postgres.url(), SECRET: secret })
  const token = (await server.cli('token', 'create', '--name', 't', '--role', 'organiser')).stdout.trim()
  await publishWorkshop(server, token, { slug: 'away', capacity: 3 })
  expect(await signUp(server, 'away', { name: '甲', email: 'a@example.com', key: 'key-of-a' })).toMatchObject({
    status: 201,
  })

  await postgres.stop()
  await sleep(1100) // cached for a second
  for (const path of ['/w/away', '/api/v1/workshops/away/availability', '/readyz', '/']) {
    const startedAt = performance.now()
    const answer = await server.request(path)
    expect([path, answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([path, 503, true])
    expect(performance.now() - startedAt).toBeLessThan(5000)
  }
  const refused = await signUp(server, 'away', { name: '乙', email: 'b@example.com', key: 'key-of-b' })
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } })
  expect((await server.request('/healthz')).status).toBe(200)

  await postgres.start()
  await expect.poll(async () => (await server.request('/readyz')).status, { timeout: 10_000 }).toBe(200)
  expect(await signUp(server, 'away', { name: '乙', email: 'b@example.com', key: 'key-of-b' })).toMatchObject({
    status: 201,
  })
  expect(await server.cli('doctor')).toMatchObject({ code: 0 })
}, 90_000)

test('a server listening on all interfaces prints an address that a phone can open', () => {
  const net = (address: string, internal: boolean) => ({
    address,
    internal,
    family: 'IPv4' as const,
    netmask: '',
    mac: '',
    cidr: null,
  })
  const interfaces = { lo: [net('127.0.0.1', true)], wlan0: [net('192.168.1.20', false)] }
  expect(defaultBaseUrl('0.0.0.0', 3000, interfaces)).toBe('http://192.168.1.20:3000')
  expect(defaultBaseUrl('127.0.0.1', 3000, interfaces)).toBe('http://localhost:3000')
  expect(defaultBaseUrl('192.168.1.20', 80, interfaces)).toBe('http://192.168.1.20:80')
  expect(defaultBaseUrl('0.0.0.0', 3000, { lo: [net('127.0.0.1', true)] })).toBe('http://localhost:3000')
})

/** fetch does not allow another Host header. */
function fetchStatus(url: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url + path, { headers }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
}
