import { writeSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the output with `N passed, N failed`, and `, N skipped` if there are any. A file that did not load, a failed
 * hook and an error outside of tests each count as one failure.
 */
export class CountReporter implements Reporter {
  private passed = 0
  private failed = 0
  private skipped = 0

  onInit() {
    // At exit, so that errors after the last test, such as in a teardown, are counted.
    process.once('exit', (code) => writeSync(1, `${this.formatCounts(code)}\n`))
  }

  onTestRunEnd(modules: readonly TestModule[], errorsOutsideTests: readonly unknown[]) {
    this.passed = 0
    this.skipped = 0
    this.failed = errorsOutsideTests.length
    for (const module of modules) this.countModule(module)
  }

  private countModule(module: TestModule) {
    this.failed += module.errors().length
    for (const suite of module.children.allSuites()) this.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') this.passed++
      else if (state === 'skipped') this.skipped++
      // A pending test was interrupted.
      else this.failed++
    }
  }

  private formatCounts(exitCode: number): string {
    const failed = exitCode !== 0 && this.failed === 0 ? 1 : this.failed
    return `${this.passed} passed, ${failed} failed${this.skipped > 0 ? `, ${this.skipped} skipped` : ''}`
  }
}
