import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findAssets } from '../asset-files.js'

/*
 * Collects what wrangler.toml serves as assets; wrangler bundles the Worker itself. Each file is written beside and
 * renamed, because another `wrangler dev` may be reading it.
 */
const outputFolder = fileURLToPath(new URL('../../../worker-assets', import.meta.url))
const assets = findAssets()
await mkdir(outputFolder, { recursive: true })
for (const [name, file] of assets) {
  const beside = join(outputFolder, `${name}.${process.pid}`)
  await copyFile(file, beside)
  await rename(beside, join(outputFolder, name))
}
for (const name of await readdir(outputFolder)) {
  if (!assets.has(name) && !/\.\d+$/.test(name)) await rm(join(outputFolder, name), { force: true })
}
