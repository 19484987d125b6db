import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build as bundle } from 'esbuild'
import { findAssets } from '../asset-files.js'
import { bundleScripts } from './scripts.js'
import { fingerprint } from './sources.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Builds the service for Node: `build-<time>/` with the bundle and every file the server reads, and the launchers
 * `node.js` and `cli.js`, which start it.
 *
 * A build becomes current when the launchers are replaced, by renaming. The previous build is kept, because a server
 * running from it still reads lazily loaded chunks, assets and migrations.
 * @param {string} out folder of all builds: `dist`
 * @returns {Promise<void>}
 */
export async function build(out) {
  await mkdir(out, { recursive: true })
  const [previous] = /build-[^/]+/.exec(await readLauncher(out)) ?? []
  // Before bundling, so that a build whose sources change meanwhile counts as outdated.
  const sources = fingerprint(root)
  const name = `build-${new Date().toISOString().replace(/[:.]/g, '-')}`
  const unfinished = join(out, 'unfinished')
  await rm(unfinished, { recursive: true, force: true })
  await bundleServer(unfinished)
  await mkdir(join(unfinished, 'assets'))
  for (const [asset, file] of findAssets()) await copyFile(file, join(unfinished, 'assets', asset))
  for (const [script, text] of await bundleScripts()) await writeFile(join(unfinished, 'assets', script), text)
  await cp(join(root, 'drizzle'), join(unfinished, 'drizzle'), { recursive: true })
  await rename(unfinished, join(out, name))

  await promisify(execFile)(process.execPath, [join(out, name, 'prepare.js')], { cwd: root })

  for (const entry of ['node', 'cli']) {
    await writeFile(join(out, `${entry}.js.unfinished`), launcherSource(name, entry, sources))
    await rename(join(out, `${entry}.js.unfinished`), join(out, `${entry}.js`))
  }
  // Includes what failed builds left behind.
  for (const stale of await readdir(out)) {
    if (stale.startsWith('build-') && stale !== name && stale !== previous)
      await rm(join(out, stale), { recursive: true, force: true })
  }
}

/**
 * True if the current build was made from the present sources.
 * @param {string} out folder of all builds
 * @returns {Promise<boolean>}
 */
export async function isCurrent(out) {
  return (await readLauncher(out)).includes(`'${fingerprint(root)}'`)
}

/**
 * @param {string} folder
 */
async function bundleServer(folder) {
  await bundle({
    absWorkingDir: root,
    entryPoints: {
      node: 'src/node.ts',
      cli: 'src/cli.ts',
      start: 'src/server/build/start.js',
      prepare: 'src/server/build/prepare.ts',
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node22.12',
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    // PGlite loads its WebAssembly relative to its own file.
    external: ['@electric-sql/pglite'],
    define: { BUILT: 'true' },
    // Identifiers are not minified, for readable stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [dropZodLocales],
    logLevel: 'warning',
    banner: { js: commonJsShim },
  })
}

/**
 * Drops zod's messages in 50 languages, half of the package: our messages are codes that the pages translate.
 * @type {import('esbuild').Plugin}
 */
const dropZodLocales = {
  name: 'without the locales of zod',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export { default as en } from "./en.js"' }))
  },
}

/** The globals that bundled CommonJS packages expect. */
const commonJsShim = `
import { createRequire as createRequire__ } from 'node:module'
import { dirname as dirname__ } from 'node:path'
import { fileURLToPath as fileURLToPath__ } from 'node:url'
const require = createRequire__(import.meta.url), __filename = fileURLToPath__(import.meta.url), __dirname = dirname__(__filename)
`
  .trim()
  .replaceAll('\n', ';')

/**
 * Source of `dist/node.js` or `dist/cli.js`.
 * @param {string} build name of the build's folder
 * @param {string} entry
 * @param {string | undefined} sources fingerprint of the sources
 */
function launcherSource(build, entry, sources) {
  return `import { start } from './${build}/start.js'\nawait start('${sources}', () => import('./${build}/${entry}.js'))\n`
}

/**
 * @param {string} out
 * @returns {Promise<string>} source of `dist/node.js`, empty if there is none
 */
function readLauncher(out) {
  return readFile(join(out, 'node.js'), 'utf8').catch(() => '')
}
