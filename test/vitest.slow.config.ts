import { defineConfig } from 'vitest/config'
import { shared, slow } from './vitest.shared.ts'

/** `npm run test:slow`: tests that start the built service, browsers or workerd, or take long themselves. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: [`${slow}/*.test.{ts,tsx}`],
    exclude: ['test/**/*.long.test.ts'],
    globalSetup: ['test/support/vitest/build-service.ts', 'test/support/vitest/global-setup.ts'],
  },
})
