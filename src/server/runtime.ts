import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { getMimeType } from 'hono/utils/mime'
import pino from 'pino'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { v7 as uuidv7 } from 'uuid'
import journal from '../../drizzle/meta/_journal.json' with { type: 'json' }
import { loadOrCreateSecret } from '../db/data-dir.ts'
import { acquireDataDirLock, type DataDirLock } from '../db/data-dir-lock.ts'
import { isDatabaseUnavailable, type OpenDatabase, redactError } from '../db/database.ts'
import { isUpToDate, migrate } from '../db/migrate.ts'
import { openPglite } from '../db/pglite.ts'
import { createResilientPool } from '../db/pool.ts'
import type { Deps, Log, RateLimitName } from '../domain/deps.ts'
import { addScans } from '../domain/promotion/registration-links.ts'
import { createRegistrationBatcher } from '../domain/registrations/batcher.ts'
import { createCache } from '../lib/cache.ts'
import { closeOnError } from '../lib/close-on-error.ts'
import type { Config } from '../lib/config.ts'
import { files } from './files.ts'

export type Runtime = { deps: Deps; close(): Promise<void> }

/** A migrated database and its secret. `close` also releases the lock on the folder of an embedded one. */
export type RuntimeDatabase = OpenDatabase & { secret: string; embedded: boolean; analyse?: () => Promise<unknown> }

/**
 * Opens and migrates the database. Waits up to 30 s for an unavailable Postgres.
 * @param onRequest handles requests to the socket of the embedded database's lock
 * @param longRunning for commands: statements may take ten minutes. For the service 3.5 s, after which no visitor waits
 *   any longer.
 * @throws {DataDirLockedError | DatabaseTooNewError} or the database's error; everything is closed again
 */
export async function openDatabase(
  config: Config,
  log: Log,
  onRequest: RequestListener,
  { longRunning = false } = {},
): Promise<RuntimeDatabase> {
  const { databaseUrl, dataDir } = config
  if (databaseUrl) {
    const secret = config.secret as string
    const pool = createResilientPool(databaseUrl, longRunning ? 600 : 3.5)
    await closeOnError(pool.close, async () => {
      if (!(await waitForDatabase(() => isUpToDate(pool.db, files.migrations), log)))
        await migrateOnOwnPool(databaseUrl, log)
    })
    return { ...pool, secret, embedded: false }
  }
  const lock: DataDirLock = await acquireDataDirLock(dataDir, onRequest)
  return closeOnError(lock.release, async () => {
    const opened = await openPglite(join(dataDir, 'pgdata'), files.database)
    return closeOnError(opened.close, async () => {
      const secret = config.secret ?? loadOrCreateSecret(dataDir)
      await migrate(opened.db, files.migrations, { exclusive: true })
      return {
        db: opened.db,
        secret,
        embedded: true,
        analyse: opened.analyse,
        close: () => opened.close().finally(lock.release),
      }
    })
  })
}

/** Migrates Postgres through separate connections, on which a statement may take ten minutes. */
async function migrateOnOwnPool(databaseUrl: string, log: Log): Promise<void> {
  const { db, close } = createResilientPool(databaseUrl, 600)
  await waitForDatabase(() => migrate(db, files.migrations), log).finally(close)
}

/** Creates the dependencies for Node. Link scans are counted in memory and stored every second. */
export function createRuntime(
  config: Config,
  opened: RuntimeDatabase,
  baseUrl: string,
  log: Log,
  notifyMailQueue: () => void,
): Runtime {
  const { db, secret, embedded } = opened
  const now = () => new Date()
  const scans = createScanCounter(db, log)
  return {
    deps: {
      db,
      embedded,
      config: { ...config, baseUrl, secret },
      now,
      newId: () => uuidv7({ random: nextRandomBytes() }),
      log,
      registrationBatcher: createRegistrationBatcher(db, now),
      cache: createCache(1000),
      notifyMailQueue,
      recordScan: scans.count,
      rateLimit: config.rateLimit ? createRateLimiter() : async () => ({ ok: true, retryAfter: 0 }),
      readAsset: createAssetReader(),
      compressResponses: true,
      expectedMigrations: journal.entries.length,
    },
    async close() {
      await scans.close()
      await opened.close()
    },
  }
}

export function createLogger(config: Pick<Config, 'logLevel'>): Log {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime })
  const write =
    (level: keyof Log): Log['info'] =>
    (facts, message) =>
      log[level](facts, message)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const randomBuffer = new Uint8Array(4096)
let randomOffset = randomBuffer.length

/**
 * Sixteen random bytes from a 4 kB buffer, because a call of getRandomValues for each id takes half of the time of
 * creating one.
 */
function nextRandomBytes(): Uint8Array {
  if (randomOffset === randomBuffer.length) {
    crypto.getRandomValues(randomBuffer)
    randomOffset = 0
  }
  randomOffset += 16
  return randomBuffer.subarray(randomOffset - 16, randomOffset)
}

/** Retries for 30 s while the database is unavailable. */
async function waitForDatabase<Result>(work: () => Promise<Result>, log: Log): Promise<Result> {
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isDatabaseUnavailable(error) || performance.now() > deadline) throw error
      log.warn({ reason: redactError(error).reason }, 'waiting for the database')
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}

function createScanCounter(db: OpenDatabase['db'], log: Log) {
  let pendingScans = new Map<string, number>()
  async function store() {
    if (pendingScans.size === 0) return
    const batch = pendingScans
    pendingScans = new Map()
    try {
      await addScans({ db }, batch)
    } catch (error) {
      log.warn({ reason: redactError(error).reason }, 'could not store link scans, will retry')
      for (const [code, n] of batch) pendingScans.set(code, (pendingScans.get(code) ?? 0) + n)
    }
  }
  const timer = setInterval(store, 1000)
  return {
    count: (code: string) => void pendingScans.set(code, (pendingScans.get(code) ?? 0) + 1),
    async close() {
      clearInterval(timer)
      await store()
    },
  }
}

/**
 * Points per `duration` in seconds, by IP prefix unless noted. Generous, because an office or a carrier's customers
 * share one.
 */
export const rateLimits: Record<RateLimitName, { points: number; duration: number }> = {
  register: { points: 1000, duration: 600 },
  challenge: { points: 2000, duration: 600 },
  find: { points: 30, duration: 600 },
  ticket: { points: 300, duration: 600 },
  // By e-mail address, because erasing or correcting an address also removes the mails that its mail limit counts.
  email_change: { points: 3, duration: 24 * 3600 },
  // By e-mail address, so that nobody floods an organiser's mailbox.
  sign_in: { points: 10, duration: 3600 },
  token: { points: 30, duration: 60 },
  join: { points: 60, duration: 600 },
  // By door session: one check-in per second, and a page that polls every few seconds.
  door: { points: 3000, duration: 600 },
  certificate: { points: 120, duration: 600 },
}

function createRateLimiter(): Deps['rateLimit'] {
  const limiters = new Map(Object.entries(rateLimits).map(([name, limit]) => [name, new RateLimiterMemory(limit)]))
  return async (name, key) => {
    try {
      await limiters.get(name)?.consume(key)
      return { ok: true, retryAfter: 0 }
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection
      return { ok: false, retryAfter: Math.ceil(rejection.msBeforeNext / 1000) }
    }
  }
}

/** Serves the files under /assets from memory, once they have been read. */
function createAssetReader(): Deps['readAsset'] {
  const readAsset = files.createAssetReader()
  const cache = new Map<string, { body: Uint8Array<ArrayBuffer>; etag: string }>()

  return async (name) => {
    const file = cache.get(name) ?? (await read(name))
    if (!file) return undefined
    cache.set(name, file)
    return new Response(file.body, {
      headers: {
        'Content-Type': getMimeType(name) ?? 'application/octet-stream',
        'Cache-Control': 'public, max-age=600',
        ETag: file.etag,
      },
    })
  }

  async function read(name: string) {
    const body = await readAsset(name)
    if (!body) return undefined
    return { body: new Uint8Array(body), etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"` }
  }
}
