import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, rmSync } from 'node:fs'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { closeOnError } from '../lib/close-on-error.ts'
import { StartupError } from '../lib/config.ts'
import { prepareDataDir } from './data-dir.ts'

/** Another process holds the lock of the folder. */
export class DataDirLockedError extends StartupError {
  constructor(folder: string) {
    super(`another server has ${folder} open: stop it first, or choose another DATA_DIR`)
  }
}

export type DataDirLock = { release(): Promise<void> }

/**
 * Locks a data folder for this process: two processes would silently lose rows. The lock is a Unix socket in the folder
 * that this process listens on. It ends with the process in every case, and works in containers, where every process has
 * the same PID. CLI commands reach the running server through it.
 *
 * Each process opens its own socket, then probes the others. If two start together, at least one detects the other, so both
 * can never continue.
 * @param handler handles requests sent through the socket
 * @throws {DataDirLockedError}
 * @throws {ConfigError} if the folder stays accessible to other users
 */
export async function acquireDataDirLock(folder: string, handler: RequestListener): Promise<DataDirLock> {
  prepareDataDir(folder)
  const ownSocket = `${socketPrefix}${randomBytes(4).toString('hex')}.sock`
  const server = createServer(handler)
  await listen(server, socketPath(folder, ownSocket))
  const release = () =>
    new Promise<void>((done) => {
      rmSync(join(folder, ownSocket), { force: true })
      server.close(() => done())
      server.closeAllConnections()
    })
  return closeOnError(release, async () => {
    chmodSync(join(folder, ownSocket), 0o600)
    for (const name of listSockets(folder).filter((name) => name !== ownSocket)) {
      if (await isAlive(socketPath(folder, name))) throw new DataDirLockedError(folder)
      rmSync(join(folder, name), { force: true })
    }
    return { release }
  })
}

/** Sends a request to the process that holds the lock. Undefined if there is none. */
export async function sendToLockOwner(folder: string, body: string): Promise<IncomingMessage | undefined> {
  for (const name of listSockets(folder)) {
    const socket = socketPath(folder, name)
    if (!(await isAlive(socket))) continue
    return new Promise((resolve, reject) => {
      const request = httpRequest({ socketPath: socket, method: 'POST', path: '/' }, resolve)
      request.on('error', reject)
      request.end(body)
    })
  }
  return undefined
}

const socketPrefix = 'server-'

function listSockets(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith(socketPrefix) && name.endsWith('.sock'))
  } catch {
    return []
  }
}

/** A socket path may have 104 bytes on macOS and 108 on Linux; the relative path is often shorter. */
function socketPath(folder: string, name: string): string {
  const absolute = resolve(folder, name)
  const relativePath = relative(process.cwd(), absolute)
  const path = relativePath.length < absolute.length ? relativePath : absolute
  if (Buffer.byteLength(path) > 103)
    throw new StartupError(`the path of DATA_DIR is too long for a socket in it: ${folder}`)
  return path
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, reject) => {
    server.once('error', reject)
    server.listen(path, done)
  })
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
