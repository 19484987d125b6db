import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The files that are served under /assets, by name, and where each lies in the sources: our own, those of the API's
 * documentation and those that read QR codes.
 * @returns {Map<string, string>}
 */
export function findAssets() {
  return new Map([
    ...['client', 'client/door', 'styles'].flatMap(sourceAssets),
    ...packageAssets('swagger-ui-dist', ['swagger-ui.css', 'swagger-ui-bundle.js']),
    ...packageAssets('qr-scanner', ['qr-scanner.min.js', 'qr-scanner-worker.min.js']),
  ])
}

/**
 * @param {string} name of a folder in src
 */
function sourceAssets(name) {
  const folder = fileURLToPath(new URL(`../${name}`, import.meta.url))
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => /** @type {const} */ ([entry.name, join(folder, entry.name)]))
}

/**
 * @param {string} name of a package
 * @param {string[]} files
 */
function packageAssets(name, files) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  return files.map((file) => /** @type {const} */ ([file, join(folder, file)]))
}
