import { v7 as uuidv7 } from 'uuid'
import journal from '../drizzle/meta/_journal.json' with { type: 'json' }
import { redactError } from './db/database.ts'
import { openPostgres } from './db/postgres.ts'
import type { Deps, Log, RateLimitName } from './domain/deps.ts'
import { enqueueReminders } from './domain/mails/reminders.ts'
import { addScans } from './domain/promotion/registration-links.ts'
import { createUnbatchedRegistrar } from './domain/registrations/batcher.ts'
import { purge } from './domain/registrations/privacy.ts'
import { expireOffers } from './domain/registrations/seats.ts'
import { deliverDueMails } from './email/delivery.ts'
import { createSingleTransport } from './email/transport.ts'
import { createApp } from './http/app.ts'
import { createCache } from './lib/cache.ts'
import { ConfigError, parseConfig } from './lib/config.ts'

/** Bindings of wrangler.toml; strings are the same settings as on Node. */
type Env = {
  HYPERDRIVE: { connectionString: string }
  ASSETS: { fetch(url: string): Promise<Response> }
  LIMIT_REGISTER?: RateLimit
  LIMIT_CHALLENGE?: RateLimit
  LIMIT_FIND?: RateLimit
  LIMIT_TICKET?: RateLimit
  LIMIT_ERASE?: RateLimit
  LIMIT_SIGN_IN?: RateLimit
  LIMIT_TOKEN?: RateLimit
  LIMIT_JOIN?: RateLimit
  LIMIT_DOOR?: RateLimit
  LIMIT_CERTIFICATE?: RateLimit
} & Record<string, unknown>

type RateLimit = { limit(options: { key: string }): Promise<{ success: boolean }> }
type RequestScope = { waitUntil(promise: Promise<unknown>): void }

export default {
  async fetch(request: Request, env: Env, scope: RequestScope): Promise<Response> {
    const deps = createDeps(env, scope)
    return createApp(deps).fetch(request, request.headers.get('cf-connecting-ip') ?? undefined)
  },

  /** Expires offers, enqueues reminders and delivers due mails every minute; purges once a night. */
  async scheduled(event: { cron: string }, env: Env, scope: RequestScope): Promise<void> {
    const deps = createDeps(env, scope)
    await logErrors('the cron trigger failed', async () => {
      if (event.cron === nightlyCron) {
        deps.log.info({ people: await purge(deps) }, 'purged')
        return
      }
      const results = await Promise.allSettled([expireOffers(deps), enqueueReminders(deps)])
      await deliverMail(deps)
      for (const result of results) if (result.status === 'rejected') throw result.reason
    })
  },
}

/** As in wrangler.toml. */
const nightlyCron = '17 19 * * *'

/** Workers may share plain values between requests, but no connections or promises. */
const cache = createCache(1000, { coalesce: false })

function createDeps(env: Env, scope: RequestScope): Deps {
  const settings = Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const config = parseConfig({ ...Object.fromEntries(settings), DATABASE_URL: env.HYPERDRIVE.connectionString })
  const { baseUrl, secret } = config
  if (!baseUrl) throw new ConfigError('missing setting, BASE_URL: the address under which visitors reach this Worker')
  const { db } = openPostgres(env.HYPERDRIVE.connectionString, { max: 5 })
  const now = () => new Date()
  let delivering = false
  const deps: Deps = {
    db,
    embedded: false,
    config: { ...config, baseUrl, secret: secret as string },
    now,
    newId: uuidv7,
    log,
    registrationBatcher: createUnbatchedRegistrar(db, now),
    cache,
    notifyMailQueue() {
      if (delivering) return
      delivering = true
      scope.waitUntil(logErrors('could not deliver mails', () => deliverMail(deps)))
    },
    recordScan: (code) =>
      scope.waitUntil(logErrors('could not store a link scan', () => addScans({ db }, new Map([[code, 1]])))),
    rateLimit: config.rateLimit ? createRateLimiter(env) : async () => ({ ok: true, retryAfter: 0 }),
    async readAsset(name) {
      const file = await env.ASSETS.fetch(`https://assets.invalid/${name}`)
      return file.ok ? new Response(file.body, file) : undefined
    },
    compressResponses: false,
    expectedMigrations: journal.entries.length,
  }
  return deps
}

async function deliverMail(deps: Deps): Promise<void> {
  const transport = createSingleTransport(deps.config)
  if (!transport) return
  const { outage } = await deliverDueMails(deps, transport)
  if (outage) deps.log.error({ reason: outage }, 'mail outage: sending paused')
}

/**
 * Runs work in the background and logs its failure. Throws a new error, because the platform logs it and it must not
 * hold personal data.
 */
async function logErrors(failure: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.error(redactError(error), failure)
    throw new Error(failure)
  }
}

function createRateLimiter(env: Env): Deps['rateLimit'] {
  const bindings: Record<RateLimitName, RateLimit | undefined> = {
    register: env.LIMIT_REGISTER,
    challenge: env.LIMIT_CHALLENGE,
    find: env.LIMIT_FIND,
    ticket: env.LIMIT_TICKET,
    email_change: env.LIMIT_ERASE,
    sign_in: env.LIMIT_SIGN_IN,
    token: env.LIMIT_TOKEN,
    join: env.LIMIT_JOIN,
    door: env.LIMIT_DOOR,
    certificate: env.LIMIT_CERTIFICATE,
  }
  return async (name, key) => {
    const result = await bindings[name]?.limit({ key })
    return { ok: result?.success ?? true, retryAfter: 60 }
  }
}

const log: Log = {
  debug: () => {},
  info: (facts, message) => console.log(JSON.stringify({ level: 'info', message, ...facts })),
  warn: (facts, message) => console.warn(JSON.stringify({ level: 'warn', message, ...facts })),
  error: (facts, message) => console.error(JSON.stringify({ level: 'error', message, ...facts })),
}
