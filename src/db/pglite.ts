import { existsSync, renameSync, rmSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import type { OpenDatabase } from './database.ts'
import * as schema from './schema.ts'

/** Opens the embedded database in a folder, which is made if it is not there. One process at a time: see db/lock.ts. */
export async function openPglite(folder: string): Promise<OpenDatabase & { analyse(): Promise<unknown> }> {
  if (!existsSync(folder)) await makeFolder(folder)
  const client = await PGlite.create(folder)
  return { ...overPglite(client), analyse: () => client.query('analyze') }
}

/** Whoever is killed while the files are made leaves no half a database where the next start looks for one. */
async function makeFolder(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  await (await PGlite.create(unfinished)).close()
  renameSync(unfinished, folder)
}

/** Wraps a PGlite that is open already. */
export function overPglite(client: PGlite): OpenDatabase {
  return { db: drizzle({ client, schema }), close: () => client.close() }
}
