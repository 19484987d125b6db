export type Cache = {
  /** Returns the cached value, or loads and caches it. */
  <T>(key: string, load: () => Promise<T>): Promise<T>
  /** Returns the cached value, or undefined. Never loads. */
  peek<T>(key: string): T | undefined
}

/**
 * A cache for what many visitors read at once: a value is loaded once and handed to everyone who asks within
 * `milliseconds`. Failures are not kept.
 * @param shareWork lets visitors wait for a load that another one started; Workers forbid that between requests
 */
export function createCache(ttlMs: number, { shareWork = true, entries = 1000 } = {}): Cache {
  type Kept = { until: number; value?: unknown; loading?: Promise<unknown> | undefined }
  const store = new Map<string, Kept>()

  async function getOrLoad<T>(key: string, load: () => Promise<T>): Promise<T> {
    const cached = findUnexpired(key)
    if (cached) return (cached.loading ?? cached.value) as T
    const loading = load()
    const entry: Kept = shareWork ? { until: expiry(), loading } : { until: expiry(), value: await loading }
    insert(key, entry)
    try {
      entry.value = await loading
      entry.loading = undefined
      return entry.value as T
    } catch (error) {
      store.delete(key)
      throw error
    }
  }

  return Object.assign(getOrLoad, {
    peek<T>(key: string) {
      return findUnexpired(key)?.value as T | undefined
    },
  })

  function findUnexpired(key: string): Kept | undefined {
    const cached = store.get(key)
    return cached && performance.now() < cached.until ? cached : undefined
  }

  function expiry() {
    return performance.now() + ttlMs
  }

  function insert(key: string, entry: Kept) {
    store.delete(key)
    store.set(key, entry)
    const oldest = store.keys().next().value
    if (store.size > entries && oldest !== undefined) store.delete(oldest)
  }
}
