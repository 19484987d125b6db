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
  const own = fileURLToPath(new URL('assets', import.meta.url))
  return new Map([
    ...readdirSync(own).map((name) => /** @type {const} */ ([name, join(own, name)])),
    ...packaged('swagger-ui-dist', ['swagger-ui.css', 'swagger-ui-bundle.js']),
    ...packaged('qr-scanner', ['qr-scanner.min.js', 'qr-scanner-worker.min.js']),
  ])
}

/**
 * @param {string} name of a package
 * @param {string[]} files
 */
function packaged(name, files) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  return files.map((file) => /** @type {const} */ ([file, join(folder, file)]))
}
