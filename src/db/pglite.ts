import { cpSync, existsSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { StartupError } from '../lib/config.ts'
import type { OpenDatabase } from './database.ts'
import * as schema from './schema.ts'

/**
 * Opens the embedded database in a folder, which is made if it is not there. One process at a time: see db/lock.ts.
 * @param template the folder of a closed database that a new one is a copy of; without it a new one is empty
 * @throws {StartupError} if the folder holds something else or its database does not open
 */
export async function openPglite(
  folder: string,
  template?: string,
): Promise<OpenDatabase & { analyse(): Promise<unknown> }> {
  if (!existsSync(folder)) await createDatabaseFolder(folder, template)
  checkFolder(folder)
  // Postgres refuses to start over an empty one, which a power cut can leave.
  const pidFile = join(folder, 'postmaster.pid')
  if (existsSync(pidFile) && statSync(pidFile).size === 0) rmSync(pidFile)
  const client = await createPglite(folder)
  return { ...wrapPglite(client), analyse: () => client.query('analyze') }
}

/** Postgres' own 128 MB of buffers are touched as a whole at the start: 318 MB of the process, against 203. */
const memorySettings = ['-c', 'shared_buffers=32MB']

/** Whoever is killed while the files are made leaves no half a database where the next start looks for one. */
async function createDatabaseFolder(folder: string, template: string | undefined): Promise<void> {
  const temporaryFolder = `${folder}.unfinished`
  rmSync(temporaryFolder, { recursive: true, force: true })
  // A copy takes 0.1 s, a new one five seconds and 150 MB that the process keeps.
  if (template) copyTemplate(template, temporaryFolder)
  else await (await createPglite(temporaryFolder)).close()
  renameSync(temporaryFolder, folder)
}

/** PGlite makes a new database wherever PG_VERSION is missing, over whatever files are there. */
function checkFolder(folder: string): void {
  if (!statSync(folder).isDirectory()) throw new StartupError(`${folder} is not a folder`)
  const names = readdirSync(folder)
  if (names.length > 0 && !names.includes('PG_VERSION'))
    throw new StartupError(
      `${folder} has files but no PG_VERSION, so the database in it is damaged: restore it from a backup, or move it away for a new one to be made`,
    )
}

function copyTemplate(template: string, folder: string): void {
  try {
    cpSync(template, folder, { recursive: true })
  } catch (error) {
    throw openError(folder, error)
  }
}

async function createPglite(folder: string): Promise<PGlite> {
  try {
    return await PGlite.create(folder, { startParams: [...PGlite.defaultStartParams, ...memorySettings] })
  } catch (error) {
    throw openError(folder, error)
  }
}

function openError(folder: string, error: unknown): StartupError {
  // The file system of PGlite throws objects that are no errors.
  const reason = error instanceof Error ? error.message : 'a file cannot be read or written'
  const advice = 'restore it from a backup, or start the release that it was made by'
  return new StartupError(`the database in ${folder} does not open (${reason}): ${diskFullAdvice(folder) ?? advice}`)
}

/** What to do where the disk is full; undefined where it is not. A new database takes 40 MB. */
function diskFullAdvice(folder: string): string | undefined {
  const { bavail, bsize } = statfsSync(dirname(folder))
  const megabytes = Math.floor((bavail * bsize) / 1e6)
  return megabytes < 50 ? `its disk has ${megabytes} MB left, make room and start again` : undefined
}

/** Wraps a PGlite that is open already. */
export function wrapPglite(client: PGlite): OpenDatabase {
  return { db: drizzle({ client, schema }), close: () => client.close() }
}
