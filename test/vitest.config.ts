import { defineConfig } from 'vitest/config'
import { shared, slow } from './vitest.shared.ts'

/** `npm test`: the quick tests, to run after every change. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    exclude: ['test/**/*.long.test.ts', slow],
    // Test files of a worker share its modules and emptied databases, which takes a third of the time.
    isolate: false,
  },
})
