import { fileURLToPath } from 'node:url'
import { requireNode } from './node-version.js'

// `npm run build`, which `npm ci` runs too. With --if-changed a build of the same sources is left as it is.
requireNode()
const { build, isCurrent } = await import('./build.js')
const out = fileURLToPath(new URL('../../../dist', import.meta.url))
if (!process.argv.includes('--if-changed') || !(await isCurrent(out))) await build(out)
