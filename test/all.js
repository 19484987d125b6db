import { spawn } from 'node:child_process'
import { once } from 'node:events'

/*
 * `npm run test:all`: runs `npm test`, then the slow tests even if the first failed. The last line is the total.
 */
const runs = ['test', 'test:slow']
const total = { passed: 0, failed: 0, skipped: 0 }

for (const run of runs) {
  const child = spawn('npm', ['run', run], { stdio: ['ignore', 'pipe', 'inherit'] })
  let buffer = ''
  let counts
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    process.stdout.write(chunk)
    buffer += chunk
    for (const [, passed, failed, skipped] of buffer.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm))
      counts = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) }
    buffer = buffer.slice(buffer.lastIndexOf('\n') + 1)
  }
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  // A run that ended without its counts, or with an error outside of tests, counts as one failure.
  counts ??= { passed: 0, failed: 1, skipped: 0 }
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
}

console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`)
process.exitCode = total.failed > 0 ? 1 : 0
