import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Lists the files served under /assets: scripts and styles, Swagger UI and qr-scanner.
 * @returns {Map<string, string>} path by file name
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
