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

/** Another process has the folder. */
export class DataDirLockedError extends StartupError {
  constructor(folder: string) {
    super(`another server has ${folder} open: stop it first, or choose another DATA_DIR`)
  }
}

export type DataDirLock = { release(): Promise<void> }

/**
 * Makes this process the only one on a data folder: two would silently lose rows. The lock is a socket in the folder
 * that this process listens on, so that it ends with the process, however that ends, and means the same in containers
 * where every process has the same number. Through it, commands reach the running server.
 *
 * Each process first listens on a socket of its own, then looks for others that answer. Of two that start at once, at
 * least one sees the other, so they never both go on.
 * @handler handler what is asked through the socket
 * @throws {DataDirLockedError}
 * @throws {ConfigError} if the folder cannot be closed to other users
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

/** Sends a request to the process that holds the folder, or undefined if there is none. */
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

/** A socket's address may have 104 bytes on macOS and 108 on Linux; seen from here the folder is often nearer. */
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
