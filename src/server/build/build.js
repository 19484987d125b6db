import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build as bundle } from 'esbuild'
import { findAssets } from '../asset-files.js'
import { fingerprint } from './sources.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Builds the service for Node: a folder with the bundle and all that the server reads, and two small files beside it,
 * `node.js` and `cli.js`, that start what is in it.
 *
 * Each build has a folder of its own and is switched to at the end, by renaming. The folder of the build before stays,
 * because a server that runs from it still reads files from it: chunks that are loaded late, assets, migrations.
 * @param {string} out the folder for all builds: `dist`
 * @returns {Promise<void>}
 */
export async function build(out) {
  await mkdir(out, { recursive: true })
  const [previous] = /build-[^/]+/.exec(await readLauncher(out)) ?? []
  // Taken first: sources that change meanwhile make the build an old one.
  const sources = fingerprint(root)
  const name = `build-${new Date().toISOString().replace(/[:.]/g, '-')}`
  const unfinished = join(out, 'unfinished')
  await rm(unfinished, { recursive: true, force: true })
  await bundleServer(unfinished)
  await mkdir(join(unfinished, 'assets'))
  for (const [asset, file] of findAssets()) await copyFile(file, join(unfinished, 'assets', asset))
  await cp(join(root, 'drizzle'), join(unfinished, 'drizzle'), { recursive: true })
  await rename(unfinished, join(out, name))

  await promisify(execFile)(process.execPath, [join(out, name, 'prepare.js')], { cwd: root })

  for (const entry of ['node', 'cli']) {
    await writeFile(join(out, `${entry}.js.unfinished`), launcherSource(name, entry, sources))
    await rename(join(out, `${entry}.js.unfinished`), join(out, `${entry}.js`))
  }
  // Also what builds that failed have left.
  for (const stale of await readdir(out)) {
    if (stale.startsWith('build-') && stale !== name && stale !== previous)
      await rm(join(out, stale), { recursive: true, force: true })
  }
}

/**
 * Tells whether the newest build is of the sources as they are.
 * @param {string} out the folder for all builds
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
    // PGlite finds its WebAssembly beside its own file.
    external: ['@electric-sql/pglite'],
    define: { BUILT: 'true' },
    // Names stay as they are in stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [dropZodLocales],
    logLevel: 'warning',
    banner: { js: commonJsShim },
  })
}

/**
 * Leaves out zod's messages in 50 languages, half of it: ours are codes that the pages translate.
 * @type {import('esbuild').Plugin}
 */
const dropZodLocales = {
  name: 'without the locales of zod',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export { default as en } from "./en.js"' }))
  },
}

/** What packages that are written as CommonJS find there. */
const commonJsShim = `
import { createRequire as createRequire__ } from 'node:module'
import { dirname as dirname__ } from 'node:path'
import { fileURLToPath as fileURLToPath__ } from 'node:url'
const require = createRequire__(import.meta.url), __filename = fileURLToPath__(import.meta.url), __dirname = dirname__(__filename)
`
  .trim()
  .replaceAll('\n', ';')

/**
 * The text of `dist/node.js` or `dist/cli.js`.
 * @param {string} build the name of the folder
 * @param {string} entry
 * @param {string | undefined} sources what it was built from
 */
function launcherSource(build, entry, sources) {
  return `import { start } from './${build}/start.js'\nawait start('${sources}', () => import('./${build}/${entry}.js'))\n`
}

/**
 * @param {string} out
 * @returns {Promise<string>} the text of `dist/node.js`, empty where there is none
 */
function readLauncher(out) {
  return readFile(join(out, 'node.js'), 'utf8').catch(() => '')
}
