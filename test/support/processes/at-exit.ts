/** Cleanups to run if this process ends before its tests do. */
const pendingCleanups = new Set<() => void>()

process.once('exit', () => {
  for (const clean of pendingCleanups) clean()
})

/** Runs a cleanup when this process ends, except by kill -9. Returns a function that removes it. */
export function atExit(cleanup: () => void): () => void {
  pendingCleanups.add(cleanup)
  return () => void pendingCleanups.delete(cleanup)
}
