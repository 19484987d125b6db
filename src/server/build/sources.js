import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a build is made of, besides the packages that the lockfile names. */
const sourcePaths = ['package-lock.json', 'drizzle', 'src']

/**
 * A hash of the sources in a repository's folder, by names and contents: times differ from one checkout to the next.
 * Takes 10 ms for the 350 files of this repository.
 * @param {string} folder
 * @returns {string | undefined} undefined where there are no sources, as in an image that holds the build alone
 */
export function fingerprint(folder) {
  if (!sourcePaths.every((name) => existsSync(join(folder, name)))) return undefined
  const hash = createHash('sha256')
  for (const file of sourcePaths.flatMap((name) => listFiles(folder, name))) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(folder, file)))
      .update('\0')
  }
  return hash.digest('hex').slice(0, 16)
}

/**
 * @param {string} folder
 * @param {string} name of a file or a folder in it
 * @returns {string[]} in the same order on every machine
 */
function listFiles(folder, name) {
  if (name === 'package-lock.json') return [name]
  return readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/').replace(/^\//, ''))
    .sort()
}
