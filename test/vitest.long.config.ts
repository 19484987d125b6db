import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** What `npm test` plays a few hundred scripts of, a few thousand times. */
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['test/model/**/*.test.ts'],
    env: { MODEL_SEQUENCES: process.env.MODEL_SEQUENCES ?? '1250' },
  },
})
