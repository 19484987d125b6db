/** Exits with a message if Node is older than `engines` in package.json requires. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12)) return
  console.error(`Node ${process.versions.node} is too old for baoming: install Node 22.12 or newer`)
  process.exit(1)
}
