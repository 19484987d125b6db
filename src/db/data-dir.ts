import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { ConfigError, minSecretLength, StartupError } from '../lib/config.ts'

/**
 * Creates DATA_DIR with mode 0700, or changes the mode of an existing one: PGlite creates its files with mode 0666 whatever
 * the umask is, so only the mode of the folder protects them. Windows has no modes; there nothing is changed.
 * @throws {ConfigError} if the folder stays accessible to other users
 */
export function prepareDataDir(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (process.platform === 'win32' || !isAccessibleToOthers(folder)) return
  const reason = `wrong setting, DATA_DIR: ${folder} is open to other users of this machine`
  if (isShared(folder))
    throw new ConfigError(
      `${reason} and holds other files: choose a folder of its own, such as ${join(folder, 'baoming')}`,
    )
  try {
    chmodSync(folder, 0o700)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `${reason} and its mode cannot be changed to 700 (${code}): choose a folder that belongs to the user of this process, or move its contents to a new one in it, such as ${join(folder, 'baoming')}`,
    )
  }
  if (isAccessibleToOthers(folder))
    throw new ConfigError(`${reason} and its file system ignores modes: choose a folder on another file system`)
}

function isAccessibleToOthers(folder: string): boolean {
  return (statSync(folder).mode & 0o077) !== 0
}

/** True if other programs use the folder too, such as /tmp, a home folder or a source tree: its mode must not be changed. */
function isShared(folder: string): boolean {
  if ((statSync(folder).mode & stickyBit) !== 0) return true
  const names = readdirSync(folder)
  return !names.includes('pgdata') && names.some((name) => !ownFilePattern.test(name))
}

const stickyBit = 0o1000
/** Includes hidden files and the lost+found of a new volume. */
const ownFilePattern = /^(pgdata|secret|server-|lost\+found$|\.)/

/**
 * Reads the secret that belongs to the embedded database, or creates it at the first start. Tickets are derived from it.
 * The caller must hold the lock of the folder.
 * @throws {StartupError} if the file is too short, for example truncated
 */
export function loadOrCreateSecret(folder: string): string {
  const file = join(folder, 'secret')
  if (!existsSync(file)) writeFileDurably(file, randomBytes(32).toString('base64'))
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length >= minSecretLength) return secret
  throw new StartupError(
    `${file} has fewer than ${minSecretLength} characters: restore it from a backup; or delete it, and no ticket that was sent so far opens any more`,
  )
}

/** Writes a file that is either complete or absent, even after a power failure. */
function writeFileDurably(file: string, content: string): void {
  const temporaryFile = `${file}.unfinished`
  rmSync(temporaryFile, { force: true })
  writeFileSync(temporaryFile, content, { mode: 0o600, flush: true })
  renameSync(temporaryFile, file)
  if (process.platform === 'win32') return
  const folder = openSync(join(file, '..'), 'r')
  try {
    fsyncSync(folder)
  } catch {
    // Some network file systems cannot flush a folder. The file itself is complete.
  } finally {
    closeSync(folder)
  }
}
