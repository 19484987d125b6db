import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createDataDir } from '../support/databases/databases.ts'
import { cliCommand, root, runProgram } from '../support/processes/processes.ts'
import { startServer } from '../support/processes/server.ts'

const runCli = (folder: string, ...args: string[]) => runProgram([...cliCommand, ...args], { DATA_DIR: folder })

async function createFolder(mode: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-data-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, mode)
  return folder
}

const fileMode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

test('the server and commands set the mode of a DATA_DIR open to other users to 0700', async () => {
  const folder = await createFolder(0o755)
  {
    await using server = await startServer({ DATA_DIR: folder })
    expect(await fileMode(server.dataDir)).toBe('700')
    expect(await fileMode(join(folder, 'secret'))).toBe('600')
    expect(await readFile(join(folder, 'secret'), 'utf8')).toMatch(/^.{32,}$/)
  }
  await chmod(folder, 0o777)
  expect(await runCli(folder, 'doctor')).toMatchObject({ code: 0 })
  expect(await fileMode(folder)).toBe('700')
  expect((await readdir(folder)).filter((name) => !name.startsWith('server-'))).toEqual(['pgdata', 'secret'])
})

test('a DATA_DIR that is a symbolic link has the mode of its target changed', async () => {
  const target = await createDataDir()
  await chmod(target, 0o755)
  const link = join(await createFolder(0o700), 'link')
  await symlink(target, link)
  expect(await runCli(link, 'doctor')).toMatchObject({ code: 0 })
  expect(await fileMode(target)).toBe('700')
})

test('a DATA_DIR with files of others keeps its mode and aborts the start', async () => {
  const folder = await createFolder(0o755)
  await writeFile(join(folder, 'report.txt'), 'by another user')
  for (const mode of [0o755, 0o1777]) {
    await chmod(folder, mode)
    const result = await runCli(folder, 'doctor')
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/^wrong setting, DATA_DIR: .* is open to other users[^\n]*\n$/)
    expect(await fileMode(folder)).toBe((mode & 0o777).toString(8))
    expect(await readdir(folder)).toEqual(['report.txt'])
  }
})

// Only root can create a folder that belongs to another user. The modules are imported before the switch, because
// that user may not be allowed to read them.
test.skipIf(process.getuid?.() !== 0)('a DATA_DIR whose mode cannot be changed aborts the start', async () => {
  const folder = await createFolder(0o777)
  const script = `
    import { openDatabase, createLogger } from '${join(root, 'src/server/runtime.ts')}'
    import { parseConfig } from '${join(root, 'src/lib/config.ts')}'
    process.setgid(65534)
    process.setuid(65534)
    const config = parseConfig({ DATA_DIR: '${folder}' })
    await openDatabase(config, createLogger(config), () => {}).catch((error) => console.log(error.message))
  `
  const result = await runProgram([process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script], {})
  expect(result.stdout).toMatch(/^wrong setting, DATA_DIR: .*\(EPERM\)[^\n]*\n$/)
  expect(await readdir(folder)).toEqual([])
})

test.each(['', 'too short\n'])(
  'a secret file of %j aborts the start with one line',
  async (content) => {
    const folder = await createFolder(0o700)
    await writeFile(join(folder, 'secret'), content)
    const result = await runCli(folder, 'doctor')
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toContain(`${join(folder, 'secret')} `)
    expect(result.stderr.trim().split('\n')).toHaveLength(1)
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe(content)
  },
  60_000,
)
