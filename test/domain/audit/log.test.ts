import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import {
  type AuditFilter,
  type AuditInput,
  auditActions,
  listAudit,
  recordAudit,
  streamAudit,
} from '../../../src/domain/audit/log.ts'
import { purge } from '../../../src/domain/registrations/privacy.ts'
import { eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import { createWorld, type World } from '../../support/world.ts'

const wang = { name: '王老师' }

test('listAudit returns entries newest first with actor and subject', async () => {
  await using world = await createWorld()
  const campaign = await world.campaign()
  const workshop = await world.workshop({ campaignId: campaign.id })
  const person = await world.register(workshop, { name: '李小明' })
  await recordAudit(world.deps, wang, { action: 'campaign.published', campaignId: campaign.id })
  world.clock.advance({ minutes: 5 })
  await recordAudit(
    world.deps,
    { name: 'bot' },
    {
      action: 'person.changed',
      workshopId: workshop.id,
      registrationId: person.id,
      payload: { changed: ['email'] },
      pii: { before: 'li@example.com' },
    },
  )
  const { entries, next } = await listAudit(world.deps, {})
  expect(next).toBeUndefined()
  expect(entries).toMatchObject([
    {
      at: new Date('2026-12-01T02:05:00Z'),
      actor: 'bot',
      action: 'person.changed',
      campaign: null,
      workshop: { slug: workshop.slug, startsAt: workshop.startsAt },
      registration: { id: person.id, seq: 1, name: '李小明', erased: false },
      payload: { changed: ['email'] },
      pii: { before: 'li@example.com' },
    },
    {
      at: new Date('2026-12-01T02:00:00Z'),
      actor: '王老师',
      action: 'campaign.published',
      campaign: { slug: campaign.slug, title: campaign.title },
      workshop: null,
      registration: null,
      payload: {},
      pii: null,
    },
  ])
})

test('listAudit tells organisers from tokens and keeps the name after the account is deleted', async () => {
  await using world = await createWorld()
  await world.token('organiser')
  const id = '00000000-0000-7000-8000-00000000aaaa'
  await world.db.execute(sql`
    insert into organisers (id, name, email, created_at, updated_at)
    values (${id}, '王老师', 'wang@example.com', now(), now())`)
  const [token] = await query<{ id: string }>(world.db, sql`select id from tokens`)
  await recordAudit(world.deps, { name: '王老师', organiserId: id }, { action: 'list.exported' })
  await recordAudit(world.deps, { name: 'newsletter bot', tokenId: token?.id }, { action: 'list.exported' })
  const actors = async () => (await listAudit(world.deps, {})).entries.map(({ actor, by }) => [actor, by])
  expect(await actors()).toEqual([
    ['newsletter bot', 'token'],
    ['王老师', 'organiser'],
  ])
  await world.db.execute(sql`delete from organisers`)
  expect((await actors())[1]).toEqual(['王老师', 'gone'])
})

test('listAudit filters by actor, action, time and subject', async () => {
  await using world = await createWorld()
  const campaign = await world.campaign()
  const [inside, outside] = [await world.workshop({ campaignId: campaign.id }), await world.workshop()]
  const person = await world.register(inside)
  const drafts: (AuditInput & { actor: string })[] = [
    { actor: 'Wang', action: 'campaign.changed', campaignId: campaign.id },
    { actor: 'Wang', action: 'workshop.changed', workshopId: inside.id },
    { actor: 'Zhang', action: 'workshop.changed', workshopId: outside.id },
    { actor: 'Zhang', action: 'person.looked_up', workshopId: inside.id, registrationId: person.id },
  ]
  for (const { actor, ...draft } of drafts) {
    await recordAudit(world.deps, { name: actor }, draft)
    world.clock.advance({ hours: 1 })
  }
  // The entries were written at 10, 11, 12 and 13 o'clock in Shanghai.
  const at = (hour: number) => new Date(`2026-12-01T${hour}:00:00+08:00`)
  expect(await found({})).toEqual([4, 3, 2, 1])
  expect(await found({ actor: 'wan' })).toEqual([2, 1])
  expect(await found({ actor: '%' })).toEqual([])
  expect(await found({ action: 'workshop.changed' })).toEqual([3, 2])
  expect(await found({ from: at(11), to: at(13) })).toEqual([3, 2])
  expect(await found({ campaignId: campaign.id })).toEqual([4, 2, 1])
  expect(await found({ workshopId: inside.id })).toEqual([4, 2])
  expect(await found({ registrationId: person.id })).toEqual([4])
  expect(await found({ actor: 'zhang', workshopId: inside.id, from: at(10) })).toEqual([4])

  async function found(filter: AuditFilter): Promise<number[]> {
    return (await listAudit(world.deps, filter)).entries.map(({ id }) => id)
  }
})

test('listAudit pages contain each entry once, and streamAudit returns the same entries', async () => {
  await using world = await createWorld()
  for (let i = 0; i < 7; i++) await recordAudit(world.deps, wang, { action: auditActions[i] as 'campaign.created' })
  const ids = []
  for (let before: number | undefined, more = true; more; more = before !== undefined) {
    const page: Awaited<ReturnType<typeof listAudit>> = await listAudit(world.deps, { before, limit: 3 })
    ids.push(...page.entries.map(({ id }) => id))
    before = page.next
  }
  expect(ids).toEqual([7, 6, 5, 4, 3, 2, 1])
  const whole = []
  for await (const entries of streamAudit(world.deps, {})) whole.push(...entries.map(({ id }) => id))
  expect(whole).toEqual(ids)
})

test('eraseRegistrations removes the person from audit entries and past searches, and keeps facts', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 9 })
  const li = await world.register(workshop, { name: '李小明', email: 'Li@example.com', phone: '+8613800138000' })
  const zhao = await world.register(workshop, { name: '赵六', email: 'zhao@example.com' })
  const about = (id: string, pii: Record<string, unknown>) =>
    recordAudit(world.deps, wang, {
      action: 'person.looked_up',
      registrationId: id,
      workshopId: workshop.id,
      payload: { reason: 'called' },
      pii,
    })
  const search = (q: string) =>
    recordAudit(world.deps, wang, { action: 'list.looked_up', workshopId: workshop.id, pii: { q } })
  await about(li.id, { name: '李小明' })
  await about(zhao.id, { name: '赵六' })
  for (const q of ['李小明 昨天', 'li@EXAMPLE.com', '138 0013', '13800138000', '赵']) await search(q)
  await eraseRegistrations(world.deps, [li.id], 'attendee')
  expect(await personalEntries(world)).toEqual([
    null,
    { name: '赵六' },
    null,
    null,
    { q: '138 0013' },
    null,
    { q: '赵' },
  ])
  const { entries } = await listAudit(world.deps, { registrationId: li.id })
  expect(entries).toMatchObject([
    { payload: { reason: 'called' }, registration: { id: li.id, name: '', erased: true } },
  ])
})

test('recordAudit stores no personal data of a registration that is already erased', async () => {
  await using world = await createWorld()
  const person = await world.register(await world.workshop())
  await eraseRegistrations(world.deps, [person.id], 'organiser')
  await recordAudit(world.deps, wang, {
    action: 'person.erased',
    registrationId: person.id,
    pii: { name: '学员 1' },
  })
  expect(await personalEntries(world)).toEqual([null])
})

test('recordAudit waits for a concurrent erasure and then stores no personal data', async () => {
  await using world = await createWorld({ postgres: true })
  const { id } = await world.register(await world.workshop())
  let writing: Promise<void> | undefined
  await world.db.transaction(async (tx) => {
    await eraseRegistrations({ ...world.deps, db: tx }, [id], 'organiser')
    let written = false
    writing = recordAudit(world.deps, wang, {
      action: 'person.looked_up',
      registrationId: id,
      pii: { name: '学员' },
    })
    writing.finally(() => (written = true))
    while (!written && !(await hasBlockedQuery(world)));
  })
  await writing
  expect(await personalEntries(world)).toEqual([null])
})

async function hasBlockedQuery({ db }: World): Promise<boolean> {
  const [blocked] = await query<{ n: number }>(
    db,
    sql`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return (blocked?.n ?? 0) > 0
}

test('purge removes personal data of workshops past retention and of searches of the same age', async () => {
  await using world = await createWorld({ env: { RETENTION_DAYS: '30' } })
  const [old, coming] = [
    await world.workshop({ startsAt: new Date('2026-12-02T01:00:00Z'), endsAt: new Date('2026-12-02T09:00:00Z') }),
    await world.workshop({ startsAt: new Date('2027-03-02T01:00:00Z'), endsAt: new Date('2027-03-02T09:00:00Z') }),
  ]
  for (const workshop of [old, coming]) {
    const { id } = await world.register(workshop)
    await recordAudit(world.deps, wang, { action: 'person.changed', registrationId: id, pii: { name: 'x' } })
    await recordAudit(world.deps, wang, { action: 'list.looked_up', workshopId: workshop.id, pii: { q: 'x' } })
  }
  world.clock.advance({ days: 28 })
  await recordAudit(world.deps, wang, { action: 'list.looked_up', pii: { q: 'later' } })
  expect(await purge(world.deps)).toBe(0)
  expect(await personalEntries(world)).toEqual([{ name: 'x' }, { q: 'x' }, { name: 'x' }, { q: 'x' }, { q: 'later' }])
  world.clock.advance({ days: 4 })
  expect(await purge(world.deps)).toBe(1)
  expect(await personalEntries(world)).toEqual([null, null, { name: 'x' }, null, { q: 'later' }])
  const { entries } = await listAudit(world.deps, {})
  expect(entries.map(({ action }) => action)).toHaveLength(5)
})

/** The personal data of all audit entries, oldest first. */
async function personalEntries(world: World): Promise<unknown[]> {
  const found = await query<{ pii: unknown }>(world.db, sql`select pii from audit_entries order by id`)
  return found.map(({ pii }) => pii)
}
