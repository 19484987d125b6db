import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'
import { CountReporter } from './support/vitest/count-reporter.ts'

/**
 * Folders of slow tests: they start servers, browsers or workerd, provoke races or fill databases. `npm run test:slow`
 * runs them, `npm test` all others.
 */
export const slow = 'test/{browser,model,race,servers,volume,workers}/**'

/** Configuration shared by all test runs. */
export const shared: ViteUserConfig = {
  root: fileURLToPath(new URL('..', import.meta.url)),
  // The service itself serves scripts and pages to the browser.
  publicDir: false,
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    globalSetup: ['test/support/vitest/global-setup.ts'],
    reporters: ['default', new CountReporter()],
    // Separate processes, so that servers, browsers and databases of one file cannot disturb those of another.
    pool: 'forks',
    maxWorkers: 2,
    // Generous, because the two cores have other load too. They assert nothing about speed.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
}
