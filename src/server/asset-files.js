import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The files served under /assets unchanged, by name, with their paths: our styles, the API's documentation and the QR
 * scanner. Our own scripts are bundled: see build/scripts.js.
 * @returns {Map<string, string>}
 */
export function findAssets() {
  return new Map([
    ...styles(),
    ...packageAssets('swagger-ui-dist', ['swagger-ui.css', 'swagger-ui-bundle.js']),
    ...packageAssets('qr-scanner', ['qr-scanner.min.js', 'qr-scanner-worker.min.js']),
  ])
}

function styles() {
  const folder = fileURLToPath(new URL('../styles', import.meta.url))
  return readdirSync(folder).map((name) => /** @type {const} */ ([name, join(folder, name)]))
}

/**
 * @param {string} name of a package
 * @param {string[]} files
 */
function packageAssets(name, files) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  return files.map((file) => /** @type {const} */ ([file, join(folder, file)]))
}
