import { defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.ts'

/** `npm run test:long`: thousands of random scenarios, where the slow tests run two hundred, and controls. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['test/model/model.test.ts', 'test/**/*.long.test.ts'],
    env: { MODEL_SEQUENCES: process.env.MODEL_SEQUENCES ?? '1250' },
  },
})
