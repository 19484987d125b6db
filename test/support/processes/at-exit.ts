/** What is still to be cleaned away if this process is told to end before its tests do. */
const pendingCleanups = new Set<() => void>()

process.once('exit', () => {
  for (const clean of pendingCleanups) clean()
})

/** Has something done when this process ends, however it ends save by kill -9. Returns how to take that back. */
export function atExit(cleanup: () => void): () => void {
  pendingCleanups.add(cleanup)
  return () => void pendingCleanups.delete(cleanup)
}
