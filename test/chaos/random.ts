/** Random numbers that depend only on the seed. */
export type Random = {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number
  /** An integer from `min` to `max`, both included. */
  between(min: number, max: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  shuffle<T>(list: readonly T[]): T[]
  /** An independent stream, for concurrent users. */
  fork(): Random
}

/** Mulberry32: 32 bits of state are enough to choose operations. */
export function createRandom(seed: number): Random {
  let state = seed | 0
  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    between: (min, max) => min + Math.floor(random.next() * (max - min + 1)),
    chance: (probability) => random.next() < probability,
    pick: (list) => list[random.between(0, list.length - 1)] as never,
    shuffle: (list) =>
      list
        .map((item) => ({ item, rank: random.next() }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ item }) => item),
    fork: () => createRandom(random.between(0, 2 ** 32 - 1)),
  }
  return random
}
