import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findAssets } from '../asset-files.js'

/*
 * Copies the assets into the folder that wrangler.toml names; wrangler bundles the Worker itself. Files are replaced by
 * renaming, because another `wrangler dev` may be reading them.
 */
const outputFolder = fileURLToPath(new URL('../../../worker-assets', import.meta.url))
const assets = findAssets()
await mkdir(outputFolder, { recursive: true })
for (const [name, file] of assets) {
  const temporary = join(outputFolder, `${name}.${process.pid}`)
  await copyFile(file, temporary)
  await rename(temporary, join(outputFolder, name))
}
for (const name of await readdir(outputFolder)) {
  if (!assets.has(name) && !/\.\d+$/.test(name)) await rm(join(outputFolder, name), { force: true })
}
