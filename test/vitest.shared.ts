import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'
import { CountReporter } from './support/vitest/count-reporter.ts'

/**
 * The folders of tests that take long: they start servers, browsers and workerd, race against each other or fill
 * databases. `npm run test:slow` runs them, `npm test` all others.
 */
export const slow = 'test/{browser,model,race,servers,volume,workers}/**'

/** What all runs of tests have in common. */
export const shared: ViteUserConfig = {
  root: fileURLToPath(new URL('..', import.meta.url)),
  // What the browser's scripts and pages need is served by the service itself.
  publicDir: false,
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    globalSetup: ['test/support/vitest/global-setup.ts'],
    reporters: ['default', new CountReporter()],
    // A process each: servers, browsers and databases of one file cannot disturb those of another.
    pool: 'forks',
    maxWorkers: 2,
    // Two cores that others use too: what is waited for is waited for long, and asserts nothing about speed.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
}
