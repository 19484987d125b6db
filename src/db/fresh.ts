import type { Fresh } from '../deps.ts'

/**
 * A cache for what many visitors read at once: a value is loaded once and handed to everyone who asks within
 * `milliseconds`. Failures are not kept.
 * @param shareWork lets visitors wait for a load that another one started; Workers forbid that between requests
 */
export function openFresh(milliseconds: number, { shareWork = true, entries = 1000 } = {}): Fresh {
  const kept = new Map<string, { until: number; value: unknown }>()

  return async <T>(key: string, load: () => Promise<T>) => {
    const there = kept.get(key)
    if (there && performance.now() < there.until) return there.value as T
    const loading = load()
    keep(key, shareWork ? loading : await loading)
    try {
      return await loading
    } catch (error) {
      kept.delete(key)
      throw error
    }
  }

  function keep(key: string, value: unknown) {
    kept.delete(key)
    kept.set(key, { until: performance.now() + milliseconds, value })
    const oldest = kept.keys().next().value
    if (kept.size > entries && oldest !== undefined) kept.delete(oldest)
  }
}
