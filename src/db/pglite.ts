import { cpSync, existsSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { StartupError } from '../lib/config.ts'
import type { OpenDatabase } from './database.ts'
import * as schema from './schema.ts'

/**
 * Opens the embedded database in a folder, or creates it there. One process at a time: see data-dir-lock.ts.
 * @param template the folder of a closed database to copy; without it a new database is empty
 * @throws {StartupError} if the folder contains other files or its database does not open
 */
export async function openPglite(
  folder: string,
  template?: string,
): Promise<OpenDatabase & { analyse(): Promise<unknown> }> {
  if (!existsSync(folder)) await createDatabaseFolder(folder, template)
  checkFolder(folder)
  // Postgres refuses to start with an empty PID file, which a power failure can leave behind.
  const pidFile = join(folder, 'postmaster.pid')
  if (existsSync(pidFile) && statSync(pidFile).size === 0) rmSync(pidFile)
  const client = await createPglite(folder)
  return { ...wrapPglite(client), analyse: () => client.query('analyze') }
}

/** Postgres touches all its buffers at the start: the process takes 318 MB with the default of 128 MB, 203 with 32 MB. */
const memorySettings = ['-c', 'shared_buffers=32MB']

/** Creates the files in a temporary folder, so that a killed process leaves no partial database for the next start. */
async function createDatabaseFolder(folder: string, template: string | undefined): Promise<void> {
  const temporaryFolder = `${folder}.unfinished`
  rmSync(temporaryFolder, { recursive: true, force: true })
  // A copy takes 0.1 s; a new database takes 5 s, and 150 MB that the process does not release.
  if (template) copyTemplate(template, temporaryFolder)
  else await (await createPglite(temporaryFolder)).close()
  renameSync(temporaryFolder, folder)
}

/** Needed because PGlite creates a new database wherever PG_VERSION is missing, over any existing files. */
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
  // The file system of PGlite throws objects that are not Errors.
  const reason = error instanceof Error ? error.message : 'a file cannot be read or written'
  const advice = 'restore it from a backup, or start the release that it was made by'
  return new StartupError(`the database in ${folder} does not open (${reason}): ${diskFullAdvice(folder) ?? advice}`)
}

/** Undefined if the disk is not full. A new database takes 40 MB. */
function diskFullAdvice(folder: string): string | undefined {
  const { bavail, bsize } = statfsSync(dirname(folder))
  const megabytes = Math.floor((bavail * bsize) / 1e6)
  return megabytes < 50 ? `its disk has ${megabytes} MB left, make room and start again` : undefined
}

/** Wraps an open PGlite. */
export function wrapPglite(client: PGlite): OpenDatabase {
  return { db: drizzle({ client, schema }), close: () => client.close() }
}
