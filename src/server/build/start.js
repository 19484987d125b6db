import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireNode } from './node-version.js'
import { fingerprint } from './sources.js'

/**
 * Runs a program of this build, unless the sources beside it are others: an old bundle migrates the database with newer
 * files and then fails on its tables. Ends the process with one sentence then.
 * @param {string} built the fingerprint of the sources that it was built from
 * @param {() => Promise<unknown>} run
 */
export async function start(built, run) {
  requireNode()
  const folder = dirname(fileURLToPath(import.meta.url))
  const sources = fingerprint(join(folder, '..', '..'))
  if (sources !== undefined && sources !== built) {
    console.error('dist/ was built from other sources: run npm ci')
    process.exit(1)
  }
  // 110 ms of 410 until the first answer, on Postgres.
  module.enableCompileCache(join(folder, 'cache'))
  await run()
}
