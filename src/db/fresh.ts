import type { Fresh } from '../deps.ts'

/**
 * A cache for what many visitors read at once: a value is loaded once and handed to everyone who asks within
 * `milliseconds`. Failures are not kept.
 * @param shareWork lets visitors wait for a load that another one started; Workers forbid that between requests
 */
export function openFresh(milliseconds: number, { shareWork = true, entries = 1000 } = {}): Fresh {
  type Kept = { until: number; value?: unknown; loading?: Promise<unknown> | undefined }
  const all = new Map<string, Kept>()

  async function fresh<T>(key: string, load: () => Promise<T>): Promise<T> {
    const there = whatIsFresh(key)
    if (there) return (there.loading ?? there.value) as T
    const loading = load()
    const kept: Kept = shareWork ? { until: later(), loading } : { until: later(), value: await loading }
    keep(key, kept)
    try {
      kept.value = await loading
      kept.loading = undefined
      return kept.value as T
    } catch (error) {
      all.delete(key)
      throw error
    }
  }

  return Object.assign(fresh, {
    atHand<T>(key: string) {
      return whatIsFresh(key)?.value as T | undefined
    },
  })

  function whatIsFresh(key: string): Kept | undefined {
    const there = all.get(key)
    return there && performance.now() < there.until ? there : undefined
  }

  function later() {
    return performance.now() + milliseconds
  }

  function keep(key: string, kept: Kept) {
    all.delete(key)
    all.set(key, kept)
    const oldest = all.keys().next().value
    if (all.size > entries && oldest !== undefined) all.delete(oldest)
  }
}
