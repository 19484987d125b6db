/** The median. */
export function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
}

/** The percentile, as a fraction such as 0.99. */
export function percentile(list: readonly number[], fraction: number): number {
  const sorted = list.toSorted((a, b) => a - b)
  return sorted[Math.max(Math.ceil(fraction * sorted.length), 1) - 1] ?? Number.NaN
}

/**
 * Measures several things alternately in a number of rounds, so that other load affects all of them. Every other round
 * is in reverse order.
 */
export async function measureAlternately<Name extends string>(
  rounds: number,
  measures: Record<Name, (round: number) => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measures) as Name[]
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? names.toReversed() : names) measured[name].push(await measures[name](round))
  }
  return measured
}
