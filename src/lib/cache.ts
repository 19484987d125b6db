export type Cache = {
  /** Returns the cached value, or loads and caches it. */
  <T>(key: string, load: () => Promise<T>): Promise<T>
  /** Returns the cached value, or undefined. Never loads. */
  peek<T>(key: string): T | undefined
}

/**
 * TTL cache with request coalescing. Errors are not cached.
 * @param coalesce lets callers wait for a load that another request started; Workers forbid sharing I/O between requests
 */
export function createCache(ttlMs: number, { coalesce = true, maxEntries = 1000 } = {}): Cache {
  type Entry = { until: number; value?: unknown; loading?: Promise<unknown> | undefined }
  const store = new Map<string, Entry>()

  async function getOrLoad<T>(key: string, load: () => Promise<T>): Promise<T> {
    const cached = findUnexpired(key)
    if (cached) return (cached.loading ?? cached.value) as T
    const loading = load()
    const entry: Entry = coalesce ? { until: expiry(), loading } : { until: expiry(), value: await loading }
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

  function findUnexpired(key: string): Entry | undefined {
    const cached = store.get(key)
    return cached && performance.now() < cached.until ? cached : undefined
  }

  function expiry() {
    return performance.now() + ttlMs
  }

  function insert(key: string, entry: Entry) {
    store.delete(key)
    store.set(key, entry)
    const oldest = store.keys().next().value
    if (store.size > maxEntries && oldest !== undefined) store.delete(oldest)
  }
}
