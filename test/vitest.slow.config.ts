import { defineConfig } from 'vitest/config'
import { shared, slow } from './vitest.shared.ts'

/** `npm run test:slow`: what starts the built service, browsers and workerd, and what takes long by itself. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: [`${slow}/*.test.{ts,tsx}`],
    exclude: ['test/**/*.long.test.ts'],
    globalSetup: ['test/support/vitest/build-service.ts', 'test/support/vitest/global-setup.ts'],
  },
})
