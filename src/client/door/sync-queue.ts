// The entries of this phone: stored first, then sent in the order in which they were made, with retries. Each has an id made
// here, so that an entry whose response was lost counts once.
import type { DoorEntryResults } from '../../web/door/sync.ts'
import type { Entry, EntryKind, EntryRecord } from './entries.ts'
import { type Failure, offlineFailure, sendRequest } from './requests.ts'
import type { Store } from './store.ts'

/** Few enough for the server's body limit, with the longest names. */
const batchSize = 100
/** In milliseconds. */
const maxBackoff = 30_000
/** Milliseconds after which a network counts as none. */
const requestTimeout = 8_000

type Result = DoorEntryResults[EntryKind]

export type SyncQueue = Awaited<ReturnType<typeof createSyncQueue>>

/**
 * Loads the stored entries. Nothing is sent before `setWorkshop`.
 * @param onChange called after an entry was added or sent, with the records that got a result
 * @param onSessionEnded called when the server rejects the session
 * @param onWorkshopChanged called when the session is of another workshop than the entries
 */
export async function createSyncQueue({
  store,
  onChange,
  onSessionEnded,
  onWorkshopChanged,
}: {
  store: Store
  onChange(answered: readonly EntryRecord[]): void
  onSessionEnded(): void
  onWorkshopChanged(): void
}) {
  let records = await store.entries()
  let workshop: string | undefined
  let sending: Promise<void> | undefined
  /** Failed attempts in a row, and the reason of the last one. */
  let failures = 0
  let failure: Failure | undefined
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  let addedMeanwhile = false
  const waiting = new Map<EntryRecord, (result?: Result) => void>()

  const pendingEntries = () => records.filter(({ sentAt }) => sentAt === undefined)
  const sendableEntries = () => pendingEntries().filter((record) => record.workshop === workshop)

  /**
   * Stores an entry and starts to send it.
   * @param about the names on the screen
   * @throws if it could not be stored
   */
  async function add<Kind extends EntryKind>(
    entry: Entry<Kind>,
    about: EntryRecord['about'],
  ): Promise<EntryRecord<Kind>> {
    const unstored = { entry, about, workshop, savedAt: Date.now() } as Omit<EntryRecord, 'n'>
    const record = { ...unstored, n: await store.addEntry(unstored) } as EntryRecord
    records.push(record)
    onChange([])
    send()
    return record as EntryRecord<Kind>
  }

  /** Waits for the result of an entry, up to a number of milliseconds, or not at all while the server is unreachable. */
  async function waitForResult(record: EntryRecord, milliseconds: number): Promise<Result | undefined> {
    if (record.result || failures > 0) return record.result
    return new Promise((resolve) => {
      waiting.set(record, resolve)
      setTimeout(resolve, milliseconds)
    })
  }

  /** Sends what is pending, one batch after the other; what is added meanwhile follows immediately. */
  function send(): Promise<void> {
    addedMeanwhile = sending !== undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
      if (!stopped && (failures === 0 || addedMeanwhile) && sendableEntries().length > 0) send()
    })
    return sending
  }

  async function sendAll(): Promise<void> {
    clearTimeout(retryTimer)
    while (!stopped && sendableEntries().length > 0) {
      const batch = sendableEntries().slice(0, batchSize)
      const { results, ...failed } = await post(batch.map(({ entry }) => entry))
      if (stopped) return
      failure = failed.failure
      if (!results) {
        const retryAfter = failure?.kind === 'busy' ? failure.retryAfter : 0
        const backoff = Math.max(retryAfter, 1000 * 2 ** failures++)
        retryTimer = setTimeout(send, Math.min(maxBackoff, backoff))
        for (const resolve of waiting.values()) resolve()
        waiting.clear()
        onChange([])
        return
      }
      failures = 0
      const sentAt = Date.now()
      for (const [i, record] of batch.entries()) Object.assign(record, { sentAt, result: results[i] })
      await store.updateEntries(batch)
      for (const record of batch) {
        waiting.get(record)?.(record.result)
        waiting.delete(record)
      }
      onChange(batch)
    }
  }

  /** Neither results nor a failure if the session is of another workshop: the entries wait, and no error is shown. */
  async function post(entries: Entry<EntryKind>[]): Promise<{ results?: Result[]; failure?: Failure | undefined }> {
    const { response, body, failure } = await sendRequest<{ results?: Result[] }>('/door/entries', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ workshop, entries }),
      timeout: requestTimeout,
    })
    if (response?.status === 401) onSessionEnded()
    if (response?.status === 409) {
      onWorkshopChanged()
      return {}
    }
    if (failure) return { failure }
    // Captive portals respond with a page of their own.
    return body?.results?.length === entries.length ? { results: body.results } : { failure: offlineFailure }
  }

  return {
    add,
    waitForResult,
    send,
    /** Posts no entries: the server then seats the door queue. */
    ping: () => post([]),
    records: () => records,
    pendingEntries,
    /** Entries that wait for a session of another workshop. */
    otherWorkshopEntries: () => pendingEntries().filter((record) => record.workshop !== workshop),
    /** Why the last attempt failed, or undefined. */
    failure: () => failure,
    /** Sets the workshop of the session. Its entries are sent; those of other workshops wait. */
    setWorkshop(slug: string) {
      // The slug comes from a response, so the server is reachable.
      if (slug !== workshop) {
        failures = 0
        failure = undefined
      }
      workshop = slug
    },
    /** Marks an outcome as seen, so that it is not listed as a conflict. */
    async markSeen(record: EntryRecord, outcome: string): Promise<void> {
      record.told = outcome
      await store.updateEntries([record])
      onChange([])
    },
    async discard(discarded: readonly EntryRecord[]): Promise<void> {
      records = records.filter((record) => !discarded.includes(record))
      await store.deleteEntries(discarded)
    },
    /** Reads what another tab has stored. */
    async reload(): Promise<void> {
      records = await store.entries()
    },
    stop() {
      stopped = true
      clearTimeout(retryTimer)
    },
  }
}
