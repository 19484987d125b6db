import { defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.ts'

/** What takes minutes: thousands of random scripts where the slow tests play two hundred, and controls that find errors. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['test/model/model.test.ts', 'test/**/*.long.test.ts'],
    env: { MODEL_SEQUENCES: process.env.MODEL_SEQUENCES ?? '1250' },
  },
})
