import { v7 as uuidv7 } from 'uuid'
import journal from '../drizzle/meta/_journal.json' with { type: 'json' }
import { createApp } from './app.tsx'
import { ConfigError, parseConfig } from './config.ts'
import { saidOf } from './db/database.ts'
import { openLonelyDesk } from './db/desk.ts'
import { openFresh } from './db/fresh.ts'
import { openPostgres } from './db/postgres.ts'
import type { Bucket, Deps, Log } from './deps.ts'
import { purge } from './domain/privacy.ts'
import { addScans } from './domain/registration-links.ts'
import { oweReminders } from './domain/reminders.ts'
import { passOnOffers } from './domain/seats.ts'
import { deliverDue } from './mail/delivery.ts'
import { openSingleTransport } from './mail/transport.ts'

/** The bindings of wrangler.toml; the rest are settings, as on Node. */
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
type Lifetime = { waitUntil(promise: Promise<unknown>): void }

export default {
  async fetch(request: Request, env: Env, lifetime: Lifetime): Promise<Response> {
    const deps = openDeps(env, lifetime)
    return createApp(deps).fetch(request, request.headers.get('cf-connecting-ip') ?? undefined)
  },

  /**
   * Every minute the offers that were not taken, the reminders whose time it is and the mails that are due; once a night
   * the people whose time is over.
   */
  async scheduled(event: { cron: string }, env: Env, lifetime: Lifetime): Promise<void> {
    const deps = openDeps(env, lifetime)
    await orSay('the cron trigger failed', async () => {
      if (event.cron === nightly) {
        deps.log.info({ forgotten: await purge(deps) }, 'purged')
        return
      }
      const done = await Promise.allSettled([passOnOffers(deps), oweReminders(deps)])
      await deliver(deps)
      for (const chore of done) if (chore.status === 'rejected') throw chore.reason
    })
  },
}

/** As in wrangler.toml. */
const nightly = '17 19 * * *'

/** Plain values may outlive a request here, connections and promises may not. */
const fresh = openFresh(1000, { shareWork: false })

function openDeps(env: Env, lifetime: Lifetime): Deps {
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
    desk: openLonelyDesk(db, now),
    fresh,
    mailOwed() {
      if (delivering) return
      delivering = true
      lifetime.waitUntil(orSay('delivering mails failed', () => deliver(deps)))
    },
    countScan: (code) =>
      lifetime.waitUntil(orSay('a scan could not be counted', () => addScans({ db }, new Map([[code, 1]])))),
    limit: config.rateLimit ? limitBy(env) : async () => ({ ok: true, retryAfter: 0 }),
    async asset(name) {
      const file = await env.ASSETS.fetch(`https://assets.invalid/${name}`)
      return file.ok ? new Response(file.body, file) : undefined
    },
    compresses: false,
    migrations: journal.entries.length,
  }
  return deps
}

async function deliver(deps: Deps): Promise<void> {
  const transport = openSingleTransport(deps.config)
  if (!transport) return
  const { standstill } = await deliverDue(deps, transport)
  if (standstill) deps.log.error({ reason: standstill }, 'mail stands still: nothing can be sent')
}

/** Does what no visitor waits for. The platform logs whatever is thrown, so that must not name anybody. */
async function orSay(failure: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.error(saidOf(error), failure)
    throw new Error(failure)
  }
}

function limitBy(env: Env): Deps['limit'] {
  const bindings: Record<Bucket, RateLimit | undefined> = {
    register: env.LIMIT_REGISTER,
    challenge: env.LIMIT_CHALLENGE,
    find: env.LIMIT_FIND,
    ticket: env.LIMIT_TICKET,
    erase: env.LIMIT_ERASE,
    sign_in: env.LIMIT_SIGN_IN,
    token: env.LIMIT_TOKEN,
    join: env.LIMIT_JOIN,
    door: env.LIMIT_DOOR,
    certificate: env.LIMIT_CERTIFICATE,
  }
  return async (bucket, key) => {
    const answer = await bindings[bucket]?.limit({ key })
    return { ok: answer?.success ?? true, retryAfter: 60 }
  }
}

const log: Log = {
  debug: () => {},
  info: (facts, message) => console.log(JSON.stringify({ level: 'info', message, ...facts })),
  warn: (facts, message) => console.warn(JSON.stringify({ level: 'warn', message, ...facts })),
  error: (facts, message) => console.error(JSON.stringify({ level: 'error', message, ...facts })),
}
