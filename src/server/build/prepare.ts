import { cp, mkdtemp, rm } from 'node:fs/promises'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { files, folder } from '../files.ts'

/*
 * Runs once in a new build, in a separate process.
 *
 * Creates the migrated, empty database that a first start copies, because creating one takes some seconds. Then starts
 * the service on a copy and renders its first page, to fill the compile cache that start.js uses.
 */
module.enableCompileCache(join(folder, 'cache'))
const { parseConfig } = await import('../../lib/config.ts')
const { migrate } = await import('../../db/migrate.ts')
const { openPglite } = await import('../../db/pglite.ts')
const { openDatabase, createRuntime, createLogger } = await import('../runtime.ts')
await import('../serve.ts')

const { db, close } = await openPglite(files.database as string)
await migrate(db, files.migrations, { exclusive: true })
await close()

const dataDir = await mkdtemp(join(tmpdir(), 'baoming-build-'))
try {
  await cp(files.database as string, join(dataDir, 'pgdata'), { recursive: true })
  const config = parseConfig({ DATA_DIR: dataDir, LOG_LEVEL: 'silent' })
  const log = createLogger(config)
  const opened = await openDatabase(config, log, (_request, response) => response.end())
  const { deps, close } = createRuntime(config, opened, 'http://localhost:3000', log, () => {})
  const { seed } = await import('../seed.ts')
  const { createApp } = await import('../../http/app.ts')
  await seed(deps)
  const page = await createApp(deps).request('/')
  if (!page.ok) throw new Error(`the first page has status ${page.status}`)
  await close()
} finally {
  await rm(dataDir, { recursive: true, force: true })
}
