import { desc } from 'drizzle-orm'
import type { Database, OpenDatabase } from '../../src/db/database.ts'
import { mails, type Role, type SignUp } from '../../src/db/schema.ts'
import { type Campaign, type CampaignDraft, createCampaign } from '../../src/domain/campaigns/campaigns.ts'
import type { Deps, Log } from '../../src/domain/deps.ts'
import { createToken, inviteOrganiser } from '../../src/domain/organisers/organisers.ts'
import { addScans } from '../../src/domain/promotion/registration-links.ts'
import { createRegistrationBatcher, type Registered, register } from '../../src/domain/registrations/batcher.ts'
import { consentVersion } from '../../src/domain/registrations/registrations.ts'
import { createSignInCode } from '../../src/domain/tickets/signed-tokens.ts'
import { createWorkshop, type Workshop, type WorkshopDraft } from '../../src/domain/workshops/workshops.ts'
import { paths } from '../../src/http/links.ts'
import { parseConfig } from '../../src/lib/config.ts'
import { createRuntime } from '../../src/server/runtime.ts'
import { openTestPglite, openTestPostgres } from './databases/databases.ts'

/** An isolated instance of the service: its database, clock and ids. */
export type World = AsyncDisposable & {
  db: Database
  /** Database URL for a second client. Only on a real Postgres. */
  databaseUrl: string | undefined
  deps: Deps
  clock: Clock
  /** Log entries in order. */
  logEntries: { level: keyof Log; facts: Record<string, unknown>; message: string }[]
  /** Number of calls of notifyMailQueue. */
  mailQueueNotifications(): number
  /** Creates a published campaign; any part can be overridden. */
  campaign(draft?: Partial<CampaignDraft>): Promise<Campaign>
  /** Creates a published workshop with two seats in ten days; any part can be overridden. */
  workshop(draft?: Partial<WorkshopDraft>): Promise<Workshop>
  /** Registers a new person, unless an e-mail is given. */
  register(workshop: Workshop, signUp?: Partial<SignUp> & { idempotencyKey?: string }): Promise<Registered>
  /** Creates an API token. */
  token(role: Role): Promise<string>
  /** Creates an account and signs it in through the mailed link. Returns its session cookie. */
  signIn(role: Role, name?: string): Promise<{ id: string; Cookie: string }>
  /** Waits until all scans so far are counted. */
  flushScans(): Promise<unknown>
  /** Sends a request to the whole service, as if from `peer`. */
  request(path: string, init?: RequestInit, peer?: string): Promise<Response>
  close(): Promise<void>
}

export type Clock = {
  now(): Date
  set(moment: Date | string): void
  advance(by: { days?: number; hours?: number; minutes?: number; seconds?: number }): void
}

/**
 * Creates an isolated test environment: empty migrated database, clock frozen at 2026-12-01 10:00 Asia/Shanghai,
 * sequential ids. Dispose with `await using`.
 * @param postgres uses a real Postgres instead of PGlite
 * @param env environment variables that override the defaults
 * @param database instead of an empty one
 */
export async function createWorld({
  postgres = false,
  env = {},
  database: given,
}: {
  postgres?: boolean
  database?: OpenDatabase
  env?: Record<string, string>
} = {}): Promise<World> {
  const database: OpenDatabase & { url?: string } =
    given ?? (postgres ? await openTestPostgres() : await openTestPglite())
  const clock = createClock('2026-12-01T10:00:00+08:00')
  const logEntries: World['logEntries'] = []
  const scans: Promise<void>[] = []
  let notificationCount = 0
  let idCount = 0
  const config = parseConfig({ SECRET: 'a secret of the tests, known to everyone', ...env })
  const runtime = createRuntime(
    config,
    { ...database, secret: config.secret as string, embedded: !postgres },
    config.baseUrl ?? 'http://localhost:3000',
    createTestLogger(logEntries),
    () => void notificationCount++,
  )
  const { db } = database
  const deps: Deps = {
    ...runtime.deps,
    now: clock.now,
    newId: () => sequentialId(++idCount),
    registrationBatcher: createRegistrationBatcher(db, clock.now),
    cache: Object.assign(<T>(_key: string, load: () => Promise<T>) => load(), { peek: () => undefined }),
    recordScan: (code) => void scans.push(addScans({ db }, new Map([[code, 1]]))),
  }
  let closing: Promise<void> | undefined
  const close = () => (closing ??= Promise.all(scans).then(runtime.close))

  let personCount = 0
  return {
    db,
    databaseUrl: database.url,
    deps,
    clock,
    logEntries,
    mailQueueNotifications: () => notificationCount,
    async campaign(draft) {
      const created = await createCampaign(deps, {
        title: { zh: 'RT-Thread 入门培训', en: 'RT-Thread beginner workshop' },
        summary: { zh: '动手实验与理论', en: 'Hands-on labs and theory' },
        publish: true,
        ...draft,
      })
      if (created.kind === 'refused') throw new Error(`the campaign was refused: ${created.refusal}`)
      return created.campaign
    },
    async workshop(draft) {
      const startsAt = draft?.startsAt ?? new Date(clock.now().getTime() + 10 * day)
      const created = await createWorkshop(deps, {
        title: { zh: 'RT-Thread 入门培训', en: 'RT-Thread beginner workshop' },
        city: { zh: '上海', en: 'Shanghai' },
        venue: { zh: '张江科学会堂', en: 'Zhangjiang Science Hall' },
        address: { zh: '海科路 1393 号', en: '1393 Haike Road' },
        startsAt,
        endsAt: new Date(startsAt.getTime() + 7 * hour),
        capacity: 2,
        publish: true,
        ...draft,
      })
      if (created.kind === 'refused') throw new Error(`the workshop was refused: ${created.refusal}`)
      return created.workshop
    },
    async register(workshop, { idempotencyKey, ...signUp } = {}) {
      const n = ++personCount
      const result = await register(
        deps,
        workshop,
        { name: `学员 ${n}`, email: `person-${n}@example.com`, locale: 'zh-CN', ready: {}, consentVersion, ...signUp },
        idempotencyKey ?? `key-${n}`,
        'web',
      )
      if (result.kind === 'refused') throw new Error(`the sign-up was refused: ${result.refusal}`)
      return result
    },
    token: (role) => createToken(deps, `${role} of the test`, role),
    async signIn(role, name = `${role} of the test`) {
      const { createApp } = await import('../../src/http/app.ts')
      const { mailSignInLink } = await import('../../src/http/sign-in.ts')
      const email = `${role}-${++personCount}@example.com`
      const invited = await inviteOrganiser(deps, { name, email, role })
      if (invited.kind === 'refused') throw new Error(`the invitation was refused: ${invited.refusal}`)
      await mailSignInLink(deps, email)
      const [mail] = await db.select({ uid: mails.uid }).from(mails).orderBy(desc(mails.id)).limit(1)
      const code = createSignInCode(deps.config.secret, (mail as { uid: string }).uid)
      const response = await createApp(deps).request(paths.magicLink(code), { method: 'POST' })
      const [cookie = ''] = response.headers.getSetCookie()
      return { id: invited.organiser.id, Cookie: cookie.split(';')[0] as string }
    },
    flushScans: () => Promise.all(scans),
    async request(path, init, peer) {
      // Imported here, so that tests of the domain do not load every page.
      const { createApp } = await import('../../src/http/app.ts')
      return createApp(deps).request(path, init, peer)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

function createClock(start: string): Clock {
  let current = new Date(start)
  return {
    now: () => new Date(current),
    set(moment) {
      current = new Date(moment)
    },
    advance({ days = 0, hours = 0, minutes = 0, seconds = 0 }) {
      current = new Date(current.getTime() + days * day + hours * hour + minutes * minute + seconds * second)
    },
  }
}

/** A valid UUID of version 7, greater than the previous ones. */
function sequentialId(n: number): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
}

function createTestLogger(logEntries: World['logEntries']): Log {
  const logAt =
    (level: keyof Log): Log[keyof Log] =>
    (facts, message) =>
      void logEntries.push({ level, facts, message })
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') }
}
