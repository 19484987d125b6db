import { fileURLToPath } from 'node:url'
import { requireNode } from './node-version.js'

// `npm run build`; `npm ci` runs it too. With --if-changed it does nothing if the build is current.
requireNode()
const { build, isCurrent } = await import('./build.js')
const out = fileURLToPath(new URL('../../../dist', import.meta.url))
if (!process.argv.includes('--if-changed') || !(await isCurrent(out))) await build(out)
