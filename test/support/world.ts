import { desc } from 'drizzle-orm'
import { parseConfig } from '../../src/config.ts'
import type { Database, OpenDatabase } from '../../src/db/database.ts'
import { openDesk } from '../../src/db/desk.ts'
import { mails, type Role, type SignUp } from '../../src/db/schema.ts'
import type { Deps, Log } from '../../src/deps.ts'
import { type Campaign, type CampaignDraft, createCampaign } from '../../src/domain/campaigns.ts'
import { createToken, inviteOrganiser } from '../../src/domain/organisers.ts'
import { addScans } from '../../src/domain/registration-links.ts'
import { consentVersion } from '../../src/domain/registrations.ts'
import { type Registered, register } from '../../src/domain/seats.ts'
import { signInCodeOf } from '../../src/domain/tickets.ts'
import { createWorkshop, type Workshop, type WorkshopDraft } from '../../src/domain/workshops.ts'
import { openInstallation } from '../../src/installation.ts'
import { paths } from '../../src/links.ts'
import { openEmbedded, openOnServer } from './databases.ts'

/** A service of one's own inside the test: its database, its clock, its ids. */
export type World = AsyncDisposable & {
  db: Database
  /** Where the database is, for a second client; only on a real Postgres. */
  databaseUrl: string | undefined
  deps: Deps
  clock: Clock
  /** What was logged, in order. */
  logged: { level: keyof Log; facts: Record<string, unknown>; message: string }[]
  /** How often somebody said that mails may be owed. */
  mailsOwed(): number
  /** Makes a published campaign, of which any part may be given. */
  campaign(draft?: Partial<CampaignDraft>): Promise<Campaign>
  /** Makes a published workshop of two seats in ten days, of which any part may be given. */
  workshop(draft?: Partial<WorkshopDraft>): Promise<Workshop>
  /** Signs somebody up, each time somebody else unless an e-mail is given. */
  register(workshop: Workshop, signUp?: Partial<SignUp> & { idempotencyKey?: string }): Promise<Registered>
  /** Makes an API token. */
  token(role: Role): Promise<string>
  /** Makes an account and signs it in, by the link that is mailed to it. Gives the cookie of its session. */
  signIn(role: Role, name?: string): Promise<{ id: string; Cookie: string }>
  /** Waits until the scans so far are counted. */
  scansCounted(): Promise<unknown>
  /** Asks the whole service, as if from `peer`. */
  request(path: string, init?: RequestInit, peer?: string): Promise<Response>
  close(): Promise<void>
}

export type Clock = {
  now(): Date
  set(moment: Date | string): void
  advance(by: { days?: number; hours?: number; minutes?: number; seconds?: number }): void
}

/**
 * Makes a world: an empty, migrated database, a clock that stands at Tuesday, 2026-12-01, 10:00 in Shanghai until it is
 * told otherwise, and ids that count. `await using` closes it.
 * @param postgres on a real Postgres instead of PGlite
 * @param env environment variables over the world's own
 */
export async function createWorld({
  postgres = false,
  env = {},
}: {
  postgres?: boolean
  env?: Record<string, string>
} = {}): Promise<World> {
  const database: OpenDatabase & { url?: string } = postgres ? await openOnServer() : await openEmbedded()
  const clock = createClock('2026-12-01T10:00:00+08:00')
  const logged: World['logged'] = []
  const scans: Promise<void>[] = []
  let owed = 0
  let ids = 0
  const config = parseConfig({ SECRET: 'a secret of the tests, known to everyone', ...env })
  const installation = openInstallation(
    config,
    { ...database, secret: config.secret as string, embedded: !postgres },
    config.baseUrl ?? 'http://localhost:3000',
    collect(logged),
    () => void owed++,
  )
  const { db } = database
  const deps: Deps = {
    ...installation.deps,
    now: clock.now,
    newId: () => countedId(++ids),
    desk: openDesk(db, clock.now),
    fresh: Object.assign(<T>(_key: string, load: () => Promise<T>) => load(), { atHand: () => undefined }),
    countScan: (code) => void scans.push(addScans({ db }, new Map([[code, 1]]))),
  }
  let closing: Promise<void> | undefined
  const close = () => (closing ??= Promise.all(scans).then(installation.close))

  let people = 0
  return {
    db,
    databaseUrl: database.url,
    deps,
    clock,
    logged,
    mailsOwed: () => owed,
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
      const n = ++people
      const answer = await register(
        deps,
        workshop,
        { name: `学员 ${n}`, email: `person-${n}@example.com`, locale: 'zh-CN', ready: {}, consentVersion, ...signUp },
        idempotencyKey ?? `key-${n}`,
      )
      if (answer.kind === 'refused') throw new Error(`the sign-up was refused: ${answer.refusal}`)
      return answer
    },
    token: (role) => createToken(deps, `${role} of the test`, role),
    async signIn(role, name = `${role} of the test`) {
      const { createApp } = await import('../../src/app.tsx')
      const { mailSignInLink } = await import('../../src/sign-in.ts')
      const email = `${role}-${++people}@example.com`
      const invited = await inviteOrganiser(deps, { name, email, role })
      if (invited.kind === 'refused') throw new Error(`the invitation was refused: ${invited.refusal}`)
      await mailSignInLink(deps, email)
      const [mail] = await db.select({ uid: mails.uid }).from(mails).orderBy(desc(mails.id)).limit(1)
      const code = signInCodeOf(deps.config.secret, (mail as { uid: string }).uid)
      const answer = await createApp(deps).request(paths.signInWith(code), { method: 'POST' })
      const [cookie = ''] = answer.headers.getSetCookie()
      return { id: invited.organiser.id, Cookie: cookie.split(';')[0] as string }
    },
    scansCounted: () => Promise.all(scans),
    async request(path, init, peer) {
      // Only here, so that tests of the domain do not load every page.
      const { createApp } = await import('../../src/app.tsx')
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
  let moment = new Date(start)
  return {
    now: () => new Date(moment),
    set(to) {
      moment = new Date(to)
    },
    advance({ days = 0, hours = 0, minutes = 0, seconds = 0 }) {
      moment = new Date(moment.getTime() + days * day + hours * hour + minutes * minute + seconds * second)
    },
  }
}

/** A valid UUID of version 7, greater than those before it. */
function countedId(n: number): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
}

function collect(logged: World['logged']): Log {
  const at =
    (level: keyof Log): Log[keyof Log] =>
    (facts, message) =>
      void logged.push({ level, facts, message })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
