/** Numbers that come the same again with the same seed. */
export type Random = {
  /** From 0 up to, not including, 1. */
  next(): number
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  shuffle<T>(list: readonly T[]): T[]
  /** Another stream of numbers, for somebody who draws at moments of their own. */
  fork(): Random
}

/** Mulberry32: thirty-two bits of state are plenty to choose who does what next. */
export function createRandom(seed: number): Random {
  let state = seed | 0
  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    between: (least, most) => least + Math.floor(random.next() * (most - least + 1)),
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
