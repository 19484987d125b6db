import { spawn } from 'node:child_process'
import { once } from 'node:events'

/*
 * `npm run test:all`: `npm test`, then the slow tests, also when the first failed. The last line is the sum of both.
 */
const runs = ['test', 'test:slow']
const sum = { passed: 0, failed: 0, skipped: 0 }

for (const run of runs) {
  const child = spawn('npm', ['run', run], { stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  let tally
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    process.stdout.write(chunk)
    rest += chunk
    for (const [, passed, failed, skipped] of rest.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm))
      tally = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) }
    rest = rest.slice(rest.lastIndexOf('\n') + 1)
  }
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  // A run that ended without its tally, or with a failure that no test stands for, has failed too.
  tally ??= { passed: 0, failed: 1, skipped: 0 }
  if (code !== 0 && tally.failed === 0) tally.failed = 1
  sum.passed += tally.passed
  sum.failed += tally.failed
  sum.skipped += tally.skipped
}

console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
process.exitCode = sum.failed > 0 ? 1 : 0
