import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findAssets } from './asset-files.js'

/** Set by the build: see build/build.js. */
declare const BUILT: boolean | undefined
const isBuilt = typeof BUILT !== 'undefined'

/** The folder of this build, or of the sources. */
export const folder = fileURLToPath(new URL('.', import.meta.url))

/** Where the files are that the server reads while it runs: beside the bundle, or in the repository. */
export const files = isBuilt
  ? {
      migrations: join(folder, 'drizzle'),
      /** A migrated, empty database, to be copied. */
      database: join(folder, 'database'),
      assets: () => new Map(readdirSync(join(folder, 'assets')).map((name) => [name, join(folder, 'assets', name)])),
    }
  : {
      migrations: join(folder, '../../drizzle'),
      database: undefined,
      assets: findAssets,
    }
