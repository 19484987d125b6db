// The scans of this phone: written down first, then sent in the order in which they were made, as often as it takes. Each
// carries its nonce, so that one that arrived but whose answer was lost counts once.
import { offlineFailure, sendRequest } from './requests.js'

/** Few enough for the server's limit on a body, with the longest names. */
const batchSize = 100
const maxBackoff = 30_000
/** A network that takes longer is as good as none. */
const requestTimeout = 8_000

/**
 * @param store what openStore gives
 * @param changed called whenever a scan was added or answered, with the records that were answered
 * @param over called when the server says that the session is over
 * @param another called when the server says that the session is another workshop's by now
 */
export async function createSyncQueue({ store, changed, over, another }) {
  let records = await store.scans()
  let workshop
  let sending
  /** How many attempts in a row did not succeed, and why the last one did not: see door-server.js. */
  let failures = 0
  let failure
  let timer
  let stopped = false
  let added = false
  const waiting = new Map()

  const unsent = () => records.filter(({ sentAt }) => sentAt === undefined)
  const sendableEntries = () => unsent().filter((record) => record.workshop === workshop)

  /**
   * Writes a scan down and begins to send it. Rejects where it could not be written, and nothing was saved then.
   * @param about { person, board? }: the names on the screen, for what is on the list no more when the answer comes
   */
  async function add(entry, about) {
    const record = { entry, about, workshop, savedAt: Date.now() }
    record.n = await store.addScan(record)
    records.push(record)
    changed([])
    send()
    return record
  }

  /** Waits for the server's answer, but no longer than so many milliseconds. Gives the result or undefined. */
  function answer(record, milliseconds) {
    if (record.result || failures > 0) return record.result
    return new Promise((resolve) => {
      waiting.set(record, resolve)
      setTimeout(resolve, milliseconds)
    })
  }

  /** Sends what is there, one batch after the other; what is added while a request runs is sent right after it. */
  function send() {
    added = sending !== undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
      if (!stopped && (failures === 0 || added) && sendableEntries().length > 0) send()
    })
    return sending
  }

  async function sendAll() {
    clearTimeout(timer)
    while (!stopped && sendableEntries().length > 0) {
      const sent = sendableEntries().slice(0, batchSize)
      const { results, ...failed } = await post(sent.map(({ entry }) => entry))
      if (stopped) return
      failure = failed.failure
      if (!results) {
        const pause = Math.max(failure?.retryAfter ?? 0, 1000 * 2 ** failures++)
        timer = setTimeout(send, Math.min(maxBackoff, pause))
        for (const give of waiting.values()) give()
        waiting.clear()
        changed([])
        return
      }
      failures = 0
      const now = Date.now()
      for (const [i, record] of sent.entries()) Object.assign(record, { sentAt: now, result: results[i] })
      await store.putScans(sent)
      for (const record of sent) {
        waiting.get(record)?.(record.result)
        waiting.delete(record)
      }
      changed(sent)
    }
  }

  /** Gives { results } or { failure }; neither where the session is another workshop's, which is no failure to tell of. */
  async function post(entries) {
    const { response, body, failure } = await sendRequest('/door/entries', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ workshop, entries }),
      limit: requestTimeout,
    })
    if (response?.status === 401) over()
    if (response?.status === 409) {
      another()
      return {}
    }
    if (failure) return { failure }
    // Some networks answer with a page of their own.
    return body?.results?.length === entries.length ? { results: body.results } : { failure: offlineFailure }
  }

  return {
    add,
    answer,
    send,
    /** Sends nothing, for the server to do what is due. */
    ask: () => post([]),
    records: () => records,
    unsent,
    /** Scans that wait for a session of another workshop. */
    foreign: () => unsent().filter((record) => record.workshop !== workshop),
    /** Why the last attempt was not carried out, or undefined. */
    failure: () => failure,
    /** Names the workshop of the session: its scans are sent, those of others wait. */
    setWorkshop(slug) {
      // The server has just said so: it is reached.
      if (slug !== workshop) [failures, failure] = [0, undefined]
      workshop = slug
    },
    /** Takes an outcome for seen: it is no conflict that somebody has yet to be told of. */
    async tell(record, outcome) {
      record.told = outcome
      await store.putScans([record])
      changed([])
    },
    async drop(which) {
      records = records.filter((record) => !which.includes(record))
      await store.dropScans(which.map(({ n }) => n))
    },
    /** Reads again what another tab has written. */
    async reload() {
      records = await store.scans()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
