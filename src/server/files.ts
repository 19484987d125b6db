import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findAssets } from './asset-files.js'

/** Defined by build/build.js. */
declare const BUILT: boolean | undefined

/** Folder of the bundle, or of this file when run from the sources. */
export const folder = fileURLToPath(new URL('.', import.meta.url))

/** The files that the server reads while it runs: beside the bundle, or in the repository. */
export const files =
  typeof BUILT !== 'undefined'
    ? {
        migrations: join(folder, 'drizzle'),
        /** A migrated, empty database, to be copied. */
        database: join(folder, 'database'),
        createAssetReader: createBuiltAssetReader,
      }
    : {
        migrations: join(folder, '../../drizzle'),
        database: undefined,
        createAssetReader: () => createSourceAssetReader(() => import('./build/scripts.js')),
      }

/** Reads a file that is served under /assets; undefined if there is none of that name. */
type AssetReader = (name: string) => Promise<Uint8Array | undefined>

function createBuiltAssetReader(): AssetReader {
  const names = new Set(readdirSync(join(folder, 'assets')))
  return async (name) => (names.has(name) ? readFile(join(folder, 'assets', name)) : undefined)
}

/** @param importBundler an argument, so that a build, which has no use for it, leaves esbuild out */
function createSourceAssetReader(importBundler: () => Promise<typeof import('./build/scripts.js')>): AssetReader {
  const assets = findAssets()
  return async (name) => {
    const path = assets.get(name)
    if (path) return readFile(path)
    if (!name.endsWith('.js')) return undefined
    scripts ??= importBundler().then(({ bundleScripts }) => bundleScripts())
    return (await scripts).get(name)
  }
}

/** Bundled once in a process: it takes a tenth of a second. */
let scripts: Promise<Map<string, Uint8Array>> | undefined
