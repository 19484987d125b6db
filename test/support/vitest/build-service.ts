import { join } from 'node:path'
import { build, isCurrent } from '../../../src/server/build/build.js'
import { root } from '../processes/processes.ts'

/** Global set-up of tests that start the service as an operator does: builds it, unless `npm ci` just did. */
export default async function buildService(): Promise<void> {
  const dist = join(root, 'dist')
  if (!(await isCurrent(dist))) await build(dist)
}
