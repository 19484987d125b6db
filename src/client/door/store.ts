// What the phone keeps in IndexedDB: the list and the entries, encrypted (AES-GCM) with a non-extractable key that is kept
// with them. A copy of a lost phone's files contains no names; all of it is deleted when the session ends.
// The names of the database, its stores and keys never change: phones have them.
import type { EntryRecord, StoredList } from './entries.ts'

type Encrypted = { iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer }

export type Store = {
  list(): Promise<StoredList | undefined>
  saveList(list: StoredList): Promise<void>
  /** Deletes everything but the entries and the key. */
  deleteList(): Promise<void>
  /** In the order in which they were made. */
  entries(): Promise<EntryRecord[]>
  /** Stores an entry durably and returns its number `n`. Only then may the screen say that it is saved. */
  addEntry(record: Omit<EntryRecord, 'n'>): Promise<number>
  updateEntries(records: readonly EntryRecord[]): Promise<void>
  deleteEntries(records: readonly EntryRecord[]): Promise<void>
  /** Deletes everything, the key included. */
  destroy(): Promise<void>
}

/** Opens the database or creates it. @throws where the browser stores nothing, as in some private windows */
export async function createStore(): Promise<Store> {
  const opening = indexedDB.open('door', 1)
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('keys')
    opening.result.createObjectStore('kept')
    opening.result.createObjectStore('scans', { autoIncrement: true })
  }
  const db = await requestResult(opening)
  // So that another tab that ends the session can delete the database.
  db.onversionchange = () => db.close()
  const key = await loadOrCreateKey(db)

  async function encrypt(value: unknown): Promise<Encrypted> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const data = new TextEncoder().encode(JSON.stringify(value))
    return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, data) }
  }

  async function decrypt<T>({ iv, data }: Encrypted): Promise<T> {
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, data)))
  }

  return {
    async list() {
      const encrypted = await requestResult<Encrypted | undefined>(
        db.transaction('kept').objectStore('kept').get('list'),
      )
      return encrypted && decrypt<StoredList>(encrypted)
    },
    async saveList(list) {
      const encrypted = await encrypt(list)
      await writeDurably(db, 'kept', (kept) => kept.put(encrypted, 'list'))
    },
    async deleteList() {
      await writeDurably(db, 'kept', (kept) => kept.clear())
    },
    async entries() {
      const scans = db.transaction('scans').objectStore('scans')
      const [numbers, encrypted] = await Promise.all([
        requestResult(scans.getAllKeys()),
        requestResult<Encrypted[]>(scans.getAll()),
      ])
      return Promise.all(
        encrypted.map(async (entry, i) => ({ ...(await decrypt<EntryRecord>(entry)), n: numbers[i] as number })),
      )
    },
    async addEntry(record) {
      const encrypted = await encrypt(record)
      const request = await writeDurably(db, 'scans', (scans) => scans.add(encrypted))
      return request.result as number
    },
    async updateEntries(records) {
      const encrypted = await Promise.all(
        records.map(async ({ n, ...record }) => ({ n, record: await encrypt(record) })),
      )
      await writeDurably(db, 'scans', (scans) => {
        for (const { n, record } of encrypted) scans.put(record, n)
      })
    },
    async deleteEntries(records) {
      await writeDurably(db, 'scans', (scans) => {
        for (const { n } of records) scans.delete(n)
      })
    },
    async destroy() {
      db.close()
      await requestResult(indexedDB.deleteDatabase('door'))
    },
  }
}

/** The key of this phone. If two tabs create one at the same time, the first is kept. */
async function loadOrCreateKey(db: IDBDatabase): Promise<CryptoKey> {
  const created = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  await writeDurably(db, 'keys', (keys) => {
    const existing = keys.get('key')
    existing.onsuccess = () => existing.result ?? keys.put(created, 'key')
  })
  return requestResult<CryptoKey>(db.transaction('keys').objectStore('keys').get('key'))
}

/** Writes, and resolves to what `write` returned once the data is on disk, so that a phone that loses power has it. */
async function writeDurably<T>(
  db: IDBDatabase,
  store: 'keys' | 'kept' | 'scans',
  write: (store: IDBObjectStore) => T,
): Promise<T> {
  const transaction = db.transaction(store, 'readwrite', { durability: 'strict' })
  const written = write(transaction.objectStore(store))
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })
  return written
}

function requestResult<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
