import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** What takes minutes: thousands of random scripts where `npm test` plays two hundred, and controls that they find errors. */
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['test/model/model.test.ts', 'test/**/*.long.test.ts'],
    exclude: [],
    env: { MODEL_SEQUENCES: process.env.MODEL_SEQUENCES ?? '1250' },
  },
})
