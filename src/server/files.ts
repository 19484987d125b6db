import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findAssets } from './asset-files.js'

/** Defined by build/build.js. */
declare const BUILT: boolean | undefined
const isBuilt = typeof BUILT !== 'undefined'

/** Folder of the bundle, or of this file when run from the sources. */
export const folder = fileURLToPath(new URL('.', import.meta.url))

/** Paths of the files that the server reads at run time: next to the bundle, or in the repository. */
export const files = isBuilt
  ? {
      migrations: join(folder, 'drizzle'),
      /** A migrated, empty PGlite database, copied at the first start. */
      database: join(folder, 'database'),
      assets: () => new Map(readdirSync(join(folder, 'assets')).map((name) => [name, join(folder, 'assets', name)])),
    }
  : {
      migrations: join(folder, '../../drizzle'),
      database: undefined,
      assets: findAssets,
    }
