// What the phone keeps of the door, in IndexedDB: the list and the scans, each encrypted (AES-GCM) with a key that no script
// can read out, kept beside them. Whoever copies the files of a lost phone finds no name; when the session ends all of it goes.

/** Opens what is kept, or makes it. Throws where the browser keeps nothing, as some private windows do. */
export async function createStore() {
  const opening = indexedDB.open('door', 1)
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('keys')
    opening.result.createObjectStore('kept')
    opening.result.createObjectStore('scans', { autoIncrement: true })
  }
  const db = await requestResult(opening)
  // Another tab ends the session: it may not have to wait for this one.
  db.onversionchange = () => db.close()
  const key = await loadOrCreateKey(db)

  async function encrypt(value) {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const data = new TextEncoder().encode(JSON.stringify(value))
    return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, data) }
  }

  async function decrypt({ iv, data }) {
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, data)))
  }

  return {
    /** The list that was put down last, or undefined. */
    async list() {
      const sealed = await requestResult(db.transaction('kept').objectStore('kept').get('list'))
      return sealed && decrypt(sealed)
    },
    async putList(list) {
      const sealed = await encrypt(list)
      await writeDurably(db, 'kept', (kept) => kept.put(sealed, 'list'))
    },
    /** All scans in the order in which they were made, each with its number `n`. */
    async scans() {
      const scans = db.transaction('scans').objectStore('scans')
      const [numbers, sealed] = await Promise.all([requestResult(scans.getAllKeys()), requestResult(scans.getAll())])
      return Promise.all(sealed.map(async (scan, i) => ({ n: numbers[i], ...(await decrypt(scan)) })))
    },
    /** Puts a scan down for good and gives its number: only then may the screen say that it is saved. */
    async addScan(scan) {
      const sealed = await encrypt(scan)
      return writeDurably(db, 'scans', (scans) => scans.add(sealed))
    },
    async putScans(changed) {
      const sealed = await Promise.all(changed.map(async ({ n, ...scan }) => [n, await encrypt(scan)]))
      await writeDurably(db, 'scans', (scans) => {
        for (const [n, scan] of sealed) scans.put(scan, n)
      })
    },
    async dropScans(numbers) {
      await writeDurably(db, 'scans', (scans) => {
        for (const n of numbers) scans.delete(n)
      })
    },
    /** Everything but the scans. */
    dropList: () => writeDurably(db, 'kept', (kept) => kept.clear()),
    /** Everything, the key included. */
    async destroy() {
      db.close()
      await requestResult(indexedDB.deleteDatabase('door'))
    },
  }
}

/** The key of this phone. Of two tabs that make one at once the first is right. */
async function loadOrCreateKey(db) {
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  await writeDurably(db, 'keys', (keys) => {
    const existing = keys.get('key')
    existing.onsuccess = () => existing.result ?? keys.put(made, 'key')
  })
  return requestResult(db.transaction('keys').objectStore('keys').get('key'))
}

/** Writes, and waits until it is on the disk: a phone whose battery falls out has it all the same. */
async function writeDurably(db, store, change) {
  const transaction = db.transaction(store, 'readwrite', { durability: 'strict' })
  const request = change(transaction.objectStore(store))
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })
  return request?.result
}

function requestResult(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
