import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { databaseError, query } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { allocateBoards, releaseBoards } from '../../src/domain/boards/allocation.ts'
import { addBoards, setBoardState } from '../../src/domain/boards/inventory.ts'
import { lendBoard, requestReturns, returnBoard } from '../../src/domain/boards/loans.ts'
import type { Deps } from '../../src/domain/deps.ts'
import { claimDueMails, recordOutcomes } from '../../src/domain/mails/outbox.ts'
import { enqueueReminders } from '../../src/domain/mails/reminders.ts'
import { addScans, createLink } from '../../src/domain/promotion/registration-links.ts'
import { confirmAttendance } from '../../src/domain/registrations/attendance-confirmation.ts'
import { createRegistrationBatcher, type Registered, register } from '../../src/domain/registrations/batcher.ts'
import { createPendingSignUp } from '../../src/domain/registrations/pending-sign-ups.ts'
import { purge } from '../../src/domain/registrations/privacy.ts'
import { updateReadiness } from '../../src/domain/registrations/readiness.ts'
import {
  consentVersion,
  correctEmail,
  enqueueTicketsMail,
  findRegistrationById,
} from '../../src/domain/registrations/registrations.ts'
import {
  acceptOffer,
  cancelRegistration,
  cancelWorkshop,
  eraseRegistration,
  expireOffers,
  moveRegistration,
} from '../../src/domain/registrations/seats.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import { changeWorkshop, createWorkshop, replaceItems, type Workshop } from '../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../support/world.ts'

const operationCount = 3_000

/**
 * Runs everything that locks rows, in four processes with four connections each, on few workshops, so that they contend. Two
 * operations that lock in different orders deadlock: Postgres then fails one of them after a second, and counts it.
 */
test('concurrent attendees, organisers and mail senders never deadlock', async () => {
  await using world = await createWorld({ postgres: true, env: { MAIL_RATE: '1000000' } })
  const actions = await createActions(world)
  const failures: Record<string, number> = {}
  let done = 0

  async function process(parts: ((deps: Deps) => Promise<unknown>)[]) {
    const { db, close } = openPostgres(world.databaseUrl ?? '', { max: 4 })
    const deps: Deps = { ...world.deps, db, registrationBatcher: createRegistrationBatcher(db, world.clock.now) }
    await Promise.all(
      parts.map(async (part) => {
        while (done < operationCount) {
          await part(deps).catch((error: unknown) => {
            const { code = String(error) } = databaseError(error) ?? {}
            failures[code] = (failures[code] ?? 0) + 1
          })
          done++
        }
      }),
    )
    await close()
  }
  const {
    signUps,
    cancel,
    move,
    correctAddress,
    erase,
    editWorkshops,
    cancelNewWorkshop,
    deliver,
    purgePastWorkshop,
    scan,
    requestTickets,
    accept,
    expire,
    createPending,
    remind,
    confirm,
    lend,
    returnBoards,
  } = actions
  await Promise.all([
    process([signUps, cancel, deliver, editWorkshops, accept, remind, confirm, lend]),
    process([signUps, move, deliver, purgePastWorkshop, scan, expire, remind, returnBoards]),
    process([signUps, move, correctAddress, cancelNewWorkshop, purgePastWorkshop, createPending, lend]),
    process([signUps, cancel, erase, editWorkshops, scan, requestTickets, expire, returnBoards]),
  ])

  expect(failures).toEqual({})
  // Includes deadlocks that were retried.
  const [statistics] = await query<{ deadlocks: string | number }>(
    world.db,
    sql`select deadlocks from pg_stat_database where datname = current_database()`,
  )
  expect(Number(statistics?.deadlocks)).toBe(0)
  expect(await findViolations(world.deps)).toEqual([])
}, 120_000)

test('servers counting scans of the same links at once never deadlock', async () => {
  await using world = await createWorld({ postgres: true })
  const { id } = await world.workshop()
  // So many links that each is looked up on its own, in the given order.
  await world.db.execute(sql`
    insert into registration_links (code, workshop_id, channel, created_at)
    select 'x' || n, ${id}::uuid, 'poster', now() from generate_series(1, 20000) n`)
  await world.db.execute(sql`analyze registration_links`)
  const codes = Array.from({ length: 60 }, (_, i) => `x${i + 1}`)
  const shuffled = () => codes.toSorted(() => Math.random() - 0.5)
  await Promise.all(
    [1, 2, 3, 4].map(async () => {
      for (let i = 0; i < 50; i++) await addScans(world.deps, new Map(shuffled().map((code) => [code, 2] as const)))
    }),
  )
  const counted = await query<{ n: number }>(
    world.db,
    sql`select distinct scans::int as n from registration_links where scans > 0`,
  )
  expect(counted).toEqual([{ n: 400 }])
})

/** Two campaigns with three workshops each, one of them running, and the actions on them. */
async function createActions(world: World) {
  const { clock } = world
  const campaigns = await Promise.all([world.campaign(), world.campaign()])
  const draft = { capacity: 15, boards: 15, title: { zh: '培训' }, city: { zh: '上海' } }
  const workshops: Workshop[] = []
  for (const { id: campaignId } of campaigns)
    for (let i = 0; i < 3; i++)
      workshops.push(
        await world.workshop({ ...draft, campaignId, slug: `w${workshops.length}`, ...(i > 0 && { confirmHours: 1 }) }),
      )
  const links = await Promise.all(
    workshops.map(({ slug }) => createLink(world.deps, { workshop: slug }, { channel: 'poster' })),
  )
  const codes = links.flatMap((link) => link?.code ?? [])
  const long = { days: 200 }
  const before = new Date(clock.now().getTime() - long.days * 24 * 3600_000)
  let signUpCount = 0

  const pick = <T>(list: T[]) => list[Math.floor(Math.random() * list.length)] as T
  const registeredIds: string[] = []
  const pickRegistration = () => pick(registeredIds)

  async function signUp(deps: Deps, workshop: Workshop, email = `p${Math.floor(Math.random() * 400)}@example.com`) {
    const result = await register(
      deps,
      workshop,
      { name: '学员', email, locale: 'zh-CN', via: pick(codes), ready: {}, consentVersion },
      `key-${++signUpCount}`,
      'web',
    )
    if (result.kind === 'registered') registeredIds.push((result as Registered).id)
    return result
  }

  for (const workshop of workshops) await signUp(world.deps, workshop)
  const serials = ['1', '2', '3', '4', '5', '6']
  const added = await addBoards(world.deps, { name: '' }, { kind: 'K', serials })
  const boards = added.kind === 'added' ? added.ids : []
  return {
    signUps: (deps: Deps) => Promise.all(Array.from({ length: 8 }, () => signUp(deps, pick(workshops)))),
    cancel: (deps: Deps) => cancelRegistration(deps, pickRegistration(), pick(['attendee', 'organiser'])),
    move: (deps: Deps) => moveRegistration(deps, pickRegistration(), pick(workshops).slug),
    correctAddress: (deps: Deps) => correctEmail(deps, pickRegistration(), `c${++signUpCount}@example.com`),
    erase: (deps: Deps) => eraseRegistration(deps, pickRegistration(), 'attendee'),
    async lend(deps: Deps) {
      const registrationId = pickRegistration()
      for (const { id: workshopId } of workshops) {
        const loan = { id: randomUUID(), boardId: pick(boards), registrationId, workshopId, at: deps.now() }
        await lendBoard(deps, { name: '前门' }, loan)
      }
    },
    async returnBoards(deps: Deps) {
      const taken = { id: randomUUID(), boardId: pick(boards), at: deps.now() }
      await returnBoard(deps, { name: '前门' }, { ...taken, broken: Math.random() < 0.2 })
      const state = pick(['usable', 'usable', 'broken'] as const)
      await setBoardState(deps, { name: '' }, { id: pick(boards), kind: '', serial: '' }, { state, note: '' })
      await allocateBoards(deps, { name: '' }, pick(workshops), { kind: 'K', count: 2 })
      await releaseBoards(deps, { name: '' }, pick(workshops))
      await requestReturns(deps, { name: '' }, pick(workshops))
    },
    async editWorkshops(deps: Deps) {
      const { slug, id, campaignId } = pick(workshops)
      const changes = [{ capacity: 15 + Math.floor(Math.random() * 100) }, { state: 'closed' as const }]
      await changeWorkshop(
        deps,
        slug,
        pick([...changes, { startsAt: new Date(clock.now().getTime() + 8 * 24 * 3600_000) }]),
      )
      await changeWorkshop(deps, slug, { state: 'published' })
      const items = [{ kind: 'bring' as const, text: { zh: '电脑' }, mustConfirm: false }]
      await replaceItems(deps, pick([{ workshopId: id }, { campaignId: campaignId as string }]), items)
    },
    async cancelNewWorkshop(deps: Deps) {
      const created = await createWorkshop(deps, {
        ...draft,
        campaignId: pick(campaigns).id,
        slug: `off-${++signUpCount}`,
        venue: { zh: '张江' },
        address: { zh: '海科路' },
        startsAt: new Date(clock.now().getTime() + 24 * 3600_000),
        endsAt: new Date(clock.now().getTime() + 30 * 3600_000),
        publish: true,
      })
      if (created.kind === 'refused') throw new Error(created.refusal)
      await Promise.all(Array.from({ length: 20 }, () => signUp(deps, created.workshop)))
      await cancelWorkshop(deps, created.workshop.slug)
    },
    async deliver(deps: Deps) {
      const rate = pick([undefined, 1_000_000])
      const { mails } = await claimDueMails({ ...deps, config: { ...deps.config, mailRate: rate } }, 20, 120)
      await recordOutcomes(
        deps,
        mails
          .toSorted(() => Math.random() - 0.5)
          .map((mail) => ({
            mail,
            outcome: pick([
              { kind: 'sent' },
              { kind: 'again', reason: 'x' },
              { kind: 'again', reason: '554', contentRefused: true },
            ]),
          })),
      )
    },
    /** Signs people up for a workshop long ago and purges it twice at once, as two servers may do. */
    async purgePastWorkshop(deps: Deps) {
      const past: Deps = {
        ...deps,
        now: () => before,
        registrationBatcher: createRegistrationBatcher(deps.db, () => before),
      }
      const created = await createWorkshop(past, {
        ...draft,
        slug: `past-${++signUpCount}`,
        venue: { zh: '张江' },
        address: { zh: '海科路' },
        startsAt: new Date(before.getTime() + 24 * 3600_000),
        endsAt: new Date(before.getTime() + 30 * 3600_000),
        publish: true,
      })
      if (created.kind === 'refused') throw new Error(created.refusal)
      await Promise.all(Array.from({ length: 20 }, () => signUp(past, created.workshop)))
      await Promise.all([purge(deps), purge(deps)])
    },
    scan: (deps: Deps) =>
      addScans(deps, new Map(codes.toSorted(() => Math.random() - 0.5).map((code) => [code, 1] as const))),
    accept: (deps: Deps) => acceptOffer(deps, pickRegistration()),
    /** An hour ahead, when all offers made until now have expired. */
    expire: (deps: Deps) => expireOffers({ ...deps, now: () => new Date(clock.now().getTime() + 3600_000) }),
    /** A week ahead, when confirmation requests or day-before reminders of all workshops are due. */
    remind: (deps: Deps) =>
      enqueueReminders({ ...deps, now: () => new Date(clock.now().getTime() + 7 * 24 * 3600_000 + 60_000) }),
    async confirm(deps: Deps) {
      const registration = await findRegistrationById(deps, pickRegistration())
      if (!registration) return
      await updateReadiness(deps, registration, pick([[], registration.workshop.items.map((item) => item.id)]))
      await confirmAttendance(deps, registration)
    },
    createPending: (deps: Deps) =>
      createPendingSignUp(
        deps,
        pick(workshops),
        {
          name: '学员',
          email: `p${Math.floor(Math.random() * 400)}@example.com`,
          locale: 'en',
          ready: {},
          consentVersion,
        },
        `key-${++signUpCount}`,
      ),
    requestTickets: (deps: Deps) => enqueueTicketsMail(deps, `p${Math.floor(Math.random() * 400)}@example.com`),
  }
}
