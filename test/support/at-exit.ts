/** What is still to be cleaned away if this process is told to end before its tests do. */
const left = new Set<() => void>()

process.once('exit', () => {
  for (const clean of left) clean()
})

/** Has something done when this process ends, however it ends save by kill -9. Returns how to take that back. */
export function atExit(clean: () => void): () => void {
  left.add(clean)
  return () => void left.delete(clean)
}
