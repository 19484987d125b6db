import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { Tally } from './support/tally.ts'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  // What the browser's scripts and pages need is served by the service itself.
  publicDir: false,
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/**/*.long.test.ts'],
    globalSetup: 'test/support/prepare.ts',
    reporters: ['default', new Tally()],
    // A process each: servers, browsers and databases of one file cannot disturb those of another.
    pool: 'forks',
    maxWorkers: 2,
    // Two cores that others use too: what is waited for is waited for long, and asserts nothing about speed.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
})
