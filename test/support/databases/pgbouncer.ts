import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atExit } from '../processes/at-exit.ts'
import { findFreePort } from '../processes/free-port.ts'

/** Where systems with PgBouncer install it; it is not on npm. */
const searchPath = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

/** Version of the installed PgBouncer, such as [1, 18], or undefined. */
export function pgbouncerVersion(): [number, number] | undefined {
  const { stdout } = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8', env: { PATH: searchPath } })
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  return major ? [Number(major), Number(minor)] : undefined
}

/**
 * Starts PgBouncer in transaction mode with three connections to each database of a server, so that many clients share
 * one. Prepared statements are off, as in versions before 1.21.
 * @param server the URL of any database of the server
 */
export async function startPgbouncer(server: string): Promise<AsyncDisposable & { url(database: string): string }> {
  const { hostname, port, username, password } = new URL(server)
  const folder = await mkdtemp(join(tmpdir(), 'baoming-pgbouncer-'))
  const listenPort = await findFreePort()
  const secret = decodeURIComponent(password).replaceAll('"', '""')
  await writeFile(join(folder, 'users'), `"${decodeURIComponent(username)}" "${secret}"\n`)
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: listenPort,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users'),
    pool_mode: 'transaction',
    default_pool_size: 3,
    max_client_conn: 300,
    ...(isVersionAtLeast(1, 21) && { max_prepared_statements: 0 }),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    `[databases]\n* = host=${hostname} port=${port || 5432}\n[pgbouncer]\n${lines.join('\n')}\n`,
  )
  await chmod(folder, 0o755)

  const program = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], {
    // It refuses to run as root, as Postgres does.
    ...(process.getuid?.() === 0 && { uid: 65534, gid: 65534 }),
    env: { PATH: searchPath },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(program, 'exit')
  const removeExitHook = atExit(() => {
    program.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  await new Promise<void>((resolve, reject) => {
    let log = ''
    program.stderr.on('data', (text) => {
      log += text
      if (log.includes('process up')) resolve()
    })
    exited.then(([code]) => reject(new Error(`PgBouncer ended with ${code}: ${log}`)), reject)
  })
  return {
    url: (database) => `postgres://${username}:${password}@127.0.0.1:${listenPort}/${database}`,
    async [Symbol.asyncDispose]() {
      program.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
      removeExitHook()
    },
  }
}

function isVersionAtLeast(major: number, minor: number): boolean {
  const [installedMajor = 0, installedMinor = 0] = pgbouncerVersion() ?? []
  return installedMajor > major || (installedMajor === major && installedMinor >= minor)
}
