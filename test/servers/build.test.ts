import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { paths } from '../../src/http/links.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { root, runProgram, startProgram } from '../support/processes/processes.ts'
import { startServer } from '../support/processes/server.ts'

/** Creates a folder with `dist/`, the packages and the named paths; removed after the test. */
async function createInstallation(...names: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-install-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['package.json', 'dist', ...names]) {
    await cp(join(root, name), join(folder, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

const sourcePaths = ['package-lock.json', 'drizzle', 'src']

const commandsIn = (folder: string) => ({
  server: [process.execPath, join(folder, 'dist/node.js')],
  cli: [process.execPath, join(folder, 'dist/cli.js')],
})

test('dist/ needs no sources: pages, assets, migrations and commands work', async () => {
  const folder = await createInstallation()
  await using server = await startServer({}, commandsIn(folder))
  for (const path of [
    '/',
    paths.asset('site.css'),
    paths.asset('swagger-ui-bundle.js'),
    paths.asset('qr-scanner.min.js'),
  ])
    expect([path, (await server.request(path)).status]).toEqual([path, 200])
  expect(await server.cli('doctor')).toMatchObject({ code: 0 })
  expect((await server.request(paths.signIn())).status).toBe(200)
}, 120_000)

test.each([
  ['a migration', 'drizzle/0099_newer.sql', 'select 1'],
  ['a source file', 'src/newer.ts', 'export {}'],
])('a build of other sources fails before it opens the database: %s was added', async (_, name, text) => {
  const folder = await createInstallation(...sourcePaths)
  await writeFile(join(folder, name), text)
  const data = join(folder, 'data')
  for (const program of Object.values(commandsIn(folder))) {
    expect(await runProgram([...program, 'doctor'], { DATA_DIR: data })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'dist/ was built from other sources: run npm ci\n',
    })
  }
  expect(await readdir(folder)).not.toContain('data')
})

test('a build of the same sources starts next to them', async () => {
  const folder = await createInstallation(...sourcePaths)
  expect(await runProgram([...commandsIn(folder).cli, 'help'], { DATA_DIR: join(folder, 'data') })).toMatchObject({
    code: 0,
  })
})

test('npm start and npm run cli report a missing dist/', async () => {
  const folder = await createInstallation()
  await rm(join(folder, 'dist'), { recursive: true })
  for (const command of [
    ['start', '--silent'],
    ['run', '--silent', 'cli', '--', 'doctor'],
  ]) {
    expect(await runProgram(['npm', ...command], {}, folder)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'dist/ is missing: run npm ci\n',
    })
  }
})

test('SIGTERM to npm start stops the server, which releases its lock', async () => {
  const folder = await createInstallation()
  const [data, port] = [join(folder, 'data'), await findFreePort()]
  const program = startProgram(['npm', 'start'], { DATA_DIR: data, PORT: String(port) }, folder)
  await program.waitForOutput('baoming is at')
  await program.stop()
  expect((await readdir(data)).filter((name) => name.endsWith('.sock'))).toEqual([])
}, 60_000)

test('a running server keeps serving its build while the next one is built', async () => {
  const folder = await createInstallation(...sourcePaths)
  await using server = await startServer({}, commandsIn(folder))
  const before = (await builds()).at(-1)
  // The folder of a failed build is newer than the one in use and must not be kept in its place.
  await mkdir(join(folder, 'dist/build-9999-failed'))
  const result = await runProgram([process.execPath, 'src/server/build/main.js'], {}, folder)
  expect(result).toMatchObject({ code: 0, stderr: '' })
  expect(await builds()).toEqual([before, expect.any(String)])
  // Signing in loads a chunk that was not loaded before, and no asset has been read yet.
  const answer = await server.request(paths.signIn(), {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'email=nobody%40example.com',
  })
  expect(answer.status).toBe(303)
  expect((await server.request('/console', { headers: { Cookie: 'baoming.session_token=x' } })).status).toBe(302)
  expect((await server.request(paths.asset('console.css'))).status).toBe(200)
  expect(await readFile(join(folder, 'dist/node.js'), 'utf8')).not.toContain(before)

  async function builds() {
    return (await readdir(join(folder, 'dist'))).filter((name) => name.startsWith('build-')).sort()
  }
}, 120_000)
