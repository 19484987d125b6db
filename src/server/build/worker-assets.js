import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findAssets } from '../asset-files.js'
import { bundleScripts } from './scripts.js'

/*
 * Collects what wrangler.toml serves as assets; wrangler bundles the Worker itself. Each file is written under another
 * name and renamed, because another `wrangler dev` may be reading it.
 */
const outputFolder = fileURLToPath(new URL('../../../worker-assets', import.meta.url))
const [assets, scripts] = [findAssets(), await bundleScripts()]
await mkdir(outputFolder, { recursive: true })
for (const [name, file] of assets) await replace(name, (temporary) => copyFile(file, temporary))
for (const [name, text] of scripts) await replace(name, (temporary) => writeFile(temporary, text))
for (const name of await readdir(outputFolder)) {
  if (!assets.has(name) && !scripts.has(name) && !/\.\d+$/.test(name))
    await rm(join(outputFolder, name), { force: true })
}

/**
 * @param {string} name
 * @param {(temporary: string) => Promise<void>} write
 */
async function replace(name, write) {
  const temporary = join(outputFolder, `${name}.${process.pid}`)
  await write(temporary)
  await rename(temporary, join(outputFolder, name))
}
