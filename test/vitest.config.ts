import { defineConfig } from 'vitest/config'
import { shared, slow } from './vitest.shared.ts'

/** `npm test`: what is to be run after every change. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    exclude: ['test/**/*.long.test.ts', slow],
    // The files of a worker share its modules and its empty databases: a third of the time.
    isolate: false,
  },
})
