import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('../../client', import.meta.url))

/**
 * Bundles the scripts of our pages. Each file directly in src/client becomes one script under /assets; its folders hold
 * modules. Without imports or exports a bundle runs as a classic script too, which the service worker has to be.
 * @returns {Promise<Map<string, Uint8Array>>} contents by file name
 */
export async function bundleScripts() {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: readdirSync(folder).filter((name) => /\.[jt]s$/.test(name)),
    outdir: folder,
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    minify: true,
    plugins: [servedQrScanner],
    logLevel: 'warning',
  })
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]))
}

/**
 * Imports qr-scanner from beside the script: it loads its worker from a file beside its own.
 * @type {import('esbuild').Plugin}
 */
const servedQrScanner = {
  name: 'qr-scanner as an asset',
  setup({ onResolve }) {
    onResolve({ filter: /^qr-scanner$/ }, () => ({ path: './qr-scanner.min.js', external: true }))
    onResolve({ filter: /^qr-scanner\// }, ({ path }) => ({ path: `./${basename(path)}`, external: true }))
  },
}
