import { join } from 'node:path'
import { build, isCurrent } from '../../../src/server/build/build.js'
import { root } from '../processes/processes.ts'

/** Global set-up for tests that start the built service: builds it, unless the build is current. */
export default async function buildService(): Promise<void> {
  const dist = join(root, 'dist')
  if (!(await isCurrent(dist))) await build(dist)
}
