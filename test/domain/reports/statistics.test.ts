import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { discardReasons, registrationLinks } from '../../../src/db/schema.ts'
import { findCampaign } from '../../../src/domain/campaigns/campaigns.ts'
import { addScans, createLink } from '../../../src/domain/promotion/registration-links.ts'
import {
  cancelRegistration,
  cancelWorkshop,
  eraseRegistrations,
  moveRegistration,
} from '../../../src/domain/registrations/seats.ts'
import { type Alert, listAlerts } from '../../../src/domain/reports/alerts.ts'
import {
  computeStatistics,
  type Statistics,
  type StatsScope,
  splitIntoBuckets,
} from '../../../src/domain/reports/statistics.ts'
import { computeYearlyStatistics } from '../../../src/domain/reports/yearly-statistics.ts'
import { changeWorkshop, findWorkshop, type ItemDraft, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { root } from '../../support/processes/processes.ts'
import { createWorld, type World } from '../../support/world.ts'

const requiredItem: ItemDraft = { kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true }

test('computeStatistics counts seats, statuses, days, channels, answers and mails of a workshop', async () => {
  await using world = await createWorld()
  const { slug, id, items } = await world.workshop({ capacity: 2, boards: 1, items: [requiredItem] })
  const item = items[0]?.id as string
  const workshop = (await findWorkshop(world.deps, slug)) as Workshop
  const poster = await createLink(world.deps, { workshop: slug }, { channel: '海报' })
  const unused = await createLink(world.deps, { workshop: slug }, { channel: '群' })
  await addScans(world.deps, new Map([[poster?.code as string, 7]]))
  await world.register(workshop, { via: poster?.code, ready: { [item]: true } })
  const leaving = await world.register(workshop, { via: poster?.code, ready: { [item]: true } })
  world.clock.advance({ days: 2 })
  await world.register(workshop, { ready: { [item]: false } })
  await world.register(workshop, {})
  // A promotion takes the freed seat, and answers of the cancelled registration no longer count.
  await cancelRegistration(world.deps, leaving.id, 'attendee')
  const figures = await computeStatistics(world.deps, await loadStatsScope(world, slug))
  expect(figures).toEqual({
    seats: { workshops: 1, capacity: 2, taken: 2, waitlisted: 1, boards: 1 },
    registrations: { all: 4, confirmed: 2, waitlisted: 1, offered: 0, cancelled: 1 },
    overTime: {
      unit: 'day',
      points: [
        { from: '2026-12-01', registrations: 2, cancelled: 1 },
        { from: '2026-12-02', registrations: 0, cancelled: 0 },
        { from: '2026-12-03', registrations: 2, cancelled: 0 },
      ],
    },
    channels: [
      {
        link: { code: poster?.code as string, channel: '海报', active: true, expiresAt: null },
        scans: 7,
        registrations: 2,
        seated: 1,
      },
      { link: null, scans: null, registrations: 2, seated: 1 },
      {
        link: { code: unused?.code as string, channel: '群', active: true, expiresAt: null },
        scans: 0,
        registrations: 0,
        seated: 0,
      },
    ],
    funnel: { scans: 7, registrations: 2, seated: 1 },
    readiness: [{ item: expect.objectContaining({ id: item }), ready: 1, notYet: 1, noAnswer: 1 }],
    mails: [
      { kind: 'cancelled', sent: 0, queued: 1, failed: 0, obsolete: 0 },
      { kind: 'confirmed', sent: 0, queued: 2, failed: 0, obsolete: 0 },
      { kind: 'promoted', sent: 0, queued: 1, failed: 0, obsolete: 0 },
      { kind: 'waitlisted', sent: 0, queued: 2, failed: 0, obsolete: 0 },
    ],
  } satisfies Statistics)
  await world.db.execute(sql`update mails set state = 'dead', reason = case id when 3 then 'promoted' end,
      last_error = case id when 1 then '550 no such user' end
    where id in (1, 3)`)
  const { mails } = await computeStatistics(world.deps, await loadStatsScope(world, slug))
  expect(mails).toContainEqual({ kind: 'confirmed', sent: 0, queued: 1, failed: 1, obsolete: 0 })
  expect(mails).toContainEqual({ kind: 'waitlisted', sent: 0, queued: 1, failed: 0, obsolete: 1 })
  // Viewers read statistics, so they contain no personal data.
  expect(JSON.stringify(figures)).not.toMatch(/学员|example\.com/)
  expect(id).toBe(workshop.id)
})

test('computeStatistics counts scans of a campaign link for the campaign, not for one of its workshops', async () => {
  await using world = await createWorld()
  const campaign = await world.campaign({ items: [requiredItem] })
  const [one, other] = [
    await world.workshop({ campaignId: campaign.id }),
    await world.workshop({ campaignId: campaign.id, items: [{ ...requiredItem, text: { zh: '别的' } }] }),
  ]
  const link = await createLink(world.deps, { campaign: campaign.slug }, { channel: '公众号' })
  await addScans(world.deps, new Map([[link?.code as string, 9]]))
  await world.register(one, { via: link?.code })
  await world.register(other, { via: link?.code, ready: { [one.items[0]?.id as string]: true } })
  const ofWorkshop = await computeStatistics(world.deps, await loadStatsScope(world, one.slug))
  expect(ofWorkshop.channels).toMatchObject([{ link: { code: link?.code }, scans: null, registrations: 1 }])
  expect(ofWorkshop.funnel).toBeUndefined()
  const found = await findCampaign(world.deps, campaign.slug)
  const ofCampaign = await computeStatistics(world.deps, {
    workshops: found?.workshops ?? [],
    campaignId: campaign.id,
    timeZone: 'Asia/Shanghai',
  })
  expect(ofCampaign.funnel).toEqual({ scans: 9, registrations: 2, seated: 2 })
  // An answer to an item of another workshop, as after a move, does not count.
  expect(ofCampaign.readiness.map(({ item, ready, noAnswer }) => [item.text.zh, ready, noAnswer])).toEqual([
    ['C 语言', 0, 1],
    ['别的', 0, 1],
  ])
})

test('computeStatistics splits days at midnight of the time zone, across a daylight saving change', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({
    capacity: 9,
    startsAt: new Date('2027-04-10T08:00:00Z'),
    timeZone: 'Europe/Berlin',
  })
  // The clocks go forward on 2027-03-28 at 2:00.
  const moments = ['2027-03-27T22:59:59Z', '2027-03-27T23:00:00Z', '2027-03-28T21:59:59Z', '2027-03-28T22:00:00Z']
  for (const moment of moments) {
    world.clock.set(moment)
    await world.register(workshop)
  }
  const { overTime } = await computeStatistics(world.deps, { workshops: [workshop], timeZone: 'Europe/Berlin' })
  expect(overTime.points.map(({ from, registrations }) => [from, registrations])).toEqual([
    ['2027-03-27', 1],
    ['2027-03-28', 2],
    ['2027-03-29', 1],
  ])
})

test.each([
  ['2026-12-01', '2026-12-01', 'day', ['2026-12-01']],
  ['2026-12-30', '2027-01-02', 'day', ['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02']],
  ['2026-12-02', '2026-12-01', 'day', ['2026-12-02']],
  ['2026-12-02', '2027-02-03', 'week', expect.arrayContaining(['2026-11-30', '2026-12-07', '2027-02-01'])],
  ['2024-01-31', '2026-02-01', 'month', expect.arrayContaining(['2024-01-01', '2024-02-01', '2026-02-01'])],
])('splitIntoBuckets divides %s to %s by %s', async (first, last, unit, starts) => {
  expect(splitIntoBuckets(first, last)).toEqual({ unit, starts })
})

test('computeStatistics equals a row-by-row count after any sequence of changes', async () => {
  await using world = await createWorld()
  const campaign = await world.campaign({ items: [requiredItem], oneSeatPerPerson: false })
  const open = { campaignId: campaign.id, capacity: 3, startsAt: new Date('2027-06-01T01:00:00Z') }
  const workshops = [await world.workshop(open), await world.workshop(open)]
  const item = workshops[0]?.items[0]?.id as string
  const codes: (string | undefined)[] = [undefined]
  for (const target of [{ campaign: campaign.slug }, { workshop: workshops[0]?.slug as string }]) {
    codes.push((await createLink(world.deps, target, { channel: 'x' }))?.code)
  }
  const people: string[] = []
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('register' as const),
        where: fc.nat(1),
        via: fc.nat(2),
        ready: fc.option(fc.boolean()),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('cancel' as const, 'move' as const, 'erase' as const),
        who: fc.nat(99),
        where: fc.nat(1),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.nat(90) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      for (const change of steps) {
        if (change.do === 'wait') world.clock.advance({ hours: change.hours % 12 })
        else if (change.do === 'register') {
          const ready = change.ready === null ? {} : { [item]: change.ready }
          const registered = await world.register(workshops[change.where] as Workshop, {
            via: codes[change.via],
            ready,
          })
          people.push(registered.id)
        } else {
          const registrationId = people[change.who % Math.max(1, people.length)]
          const to = workshops[change.where] as Workshop
          if (!registrationId) continue
          if (change.do === 'cancel') await cancelRegistration(world.deps, registrationId, 'attendee')
          else if (change.do === 'erase') await eraseRegistrations(world.deps, [registrationId], 'attendee')
          else await moveRegistration(world.deps, registrationId, to.slug)
        }
      }
      const found = await findCampaign(world.deps, campaign.slug)
      const scope = { workshops: found?.workshops ?? [], campaignId: campaign.id, timeZone: 'Asia/Shanghai' }
      const figures = await computeStatistics(world.deps, scope)
      expect(figures).toMatchObject(await countFromRows(world, item, figures))
    }),
    { numRuns: 25 },
  )
}, 60_000)

/** Computes the same numbers from all rows. */
async function countFromRows(world: World, item: string, { overTime, channels }: Statistics) {
  type Line = {
    status: string
    link_code: string | null
    ready: Record<string, boolean>
    created_at: string | Date
    erased_at: unknown
  }
  const all = await query<Line>(
    world.db,
    sql`select status, link_code, ready, created_at, erased_at from registrations`,
  )
  const links = await world.db.select().from(registrationLinks)
  const countStatus = (status: string) => all.filter((line) => line.status === status).length
  const dayInShanghai = ({ created_at }: Line) =>
    new Date(new Date(created_at).getTime() + 8 * 3600_000).toISOString().slice(0, 10)
  const seated = (lines: Line[]) => lines.filter(({ status }) => status === 'confirmed' || status === 'offered').length
  const eligible = all.filter(({ status, erased_at }) => status !== 'cancelled' && erased_at === null)
  const viaLink = all.filter(({ link_code }) => link_code !== null)
  return {
    seats: { taken: countStatus('confirmed') + countStatus('offered'), waitlisted: countStatus('waitlisted') },
    registrations: {
      all: all.length,
      confirmed: countStatus('confirmed'),
      waitlisted: countStatus('waitlisted'),
      offered: countStatus('offered'),
      cancelled: countStatus('cancelled'),
    },
    overTime: {
      unit: 'day',
      points: overTime.points.map(({ from }) => {
        const made = all.filter((line) => dayInShanghai(line) === from)
        return {
          from,
          registrations: made.length,
          cancelled: made.filter(({ status }) => status === 'cancelled').length,
        }
      }),
    },
    channels: channels.map(({ link }) => {
      const ownLink = all.filter(({ link_code }) => link_code === (link?.code ?? null))
      return { registrations: ownLink.length, seated: seated(ownLink) }
    }),
    funnel: {
      scans: links.reduce((sum, { scans }) => sum + scans, 0),
      registrations: viaLink.length,
      seated: seated(viaLink),
    },
    readiness: [
      {
        ready: eligible.filter(({ ready }) => ready[item] === true).length,
        notYet: eligible.filter(({ ready }) => ready[item] === false).length,
        noAnswer: eligible.filter(({ ready }) => ready[item] === undefined).length,
      },
    ],
  }
}

test('computeYearlyStatistics assigns workshops to years and cities by their local start date', async () => {
  await using world = await createWorld()
  const shanghai = { zh: '上海', en: 'Shanghai' }
  const newYear = {
    capacity: 3,
    startsAt: new Date('2026-12-31T20:00:00Z'),
    endsAt: new Date('2027-01-01T04:00:00Z'),
  }
  const first = await world.workshop({ city: shanghai, capacity: 3, startsAt: new Date('2026-12-20T01:00:00Z') })
  const second = await world.workshop({ ...newYear, city: { zh: '上海' } })
  const inLondon = await world.workshop({ ...newYear, city: { en: 'London' }, timeZone: 'Europe/London' })
  const cancelled = await world.workshop({ city: { zh: '南京' } })
  await world.workshop({ city: { zh: '成都' }, publish: false })
  await world.register(first, { email: 'A@example.com' })
  await world.register(first, { email: 'b@example.com' })
  await world.register(second, { email: 'a@example.com' })
  const cancelledRegistration = await world.register(second, { email: 'b@example.com' })
  await world.register(inLondon, { email: 'c@example.com' })
  await world.register(cancelled)
  await cancelRegistration(world.deps, cancelledRegistration.id, 'attendee')
  await cancelWorkshop(world.deps, cancelled.slug)
  const months = (month: number, taken: number) => Array.from({ length: 12 }, (_, m) => (m + 1 === month ? taken : 0))
  const nothingClosed = { expected: 0, noShows: 0, asked: 0, ready: 0 }
  const year2026 = {
    year: 2026,
    workshops: 2,
    cancelledWorkshops: 1,
    cities: 2,
    capacity: 6,
    taken: 3,
    registrations: 3,
    ...nothingClosed,
  }
  const year2027 = {
    year: 2027,
    workshops: 1,
    cancelledWorkshops: 0,
    cities: 1,
    capacity: 3,
    taken: 1,
    registrations: 2,
    ...nothingClosed,
  }
  expect(await computeYearlyStatistics(world.deps)).toEqual({
    years: [
      { ...year2027, months: months(1, 1), known: 1, returning: 1 },
      { ...year2026, months: months(12, 3), known: 3, returning: 0 },
    ],
    cities: [
      { city: shanghai, workshops: 2, capacity: 6, taken: 3, registrations: 4 },
      { city: { en: 'London' }, workshops: 1, capacity: 3, taken: 1, registrations: 1 },
    ],
  })
  // A purged person keeps the seat count but is no longer known.
  world.clock.set('2027-02-01T00:00:00Z')
  const [person] = await query<{ id: string }>(
    world.db,
    sql`select id from registrations where email_key = 'a@example.com' and workshop_id = ${first.id}`,
  )
  await eraseRegistrations(world.deps, [person?.id as string], 'purge')
  const { years } = await computeYearlyStatistics(world.deps)
  expect(years.map(({ taken, known, returning }) => [taken, known, returning])).toEqual([
    [1, 1, 0],
    [3, 2, 0],
  ])
})

test('listAlerts is empty when nothing is wrong', async () => {
  await using world = await createWorld({ env: { SMTP_URL: 'smtp://localhost', MAIL_FROM: 'a@example.com' } })
  const workshop = await world.workshop({ boards: 2 })
  await world.register(workshop)
  await world.workshop({ publish: false, startsAt: new Date('2027-06-01T01:00:00Z') })
  expect(await listAlerts(world.deps)).toEqual([])
})

test('listAlerts returns every kind of alert, most urgent first', async () => {
  await using world = await createWorld()
  const draft = await world.campaign({ publish: false })
  const [bare, led] = [
    await world.workshop({
      address: {},
      capacity: 3,
      boards: 2,
      campaignId: draft.id,
      startsAt: new Date('2026-12-10T01:00:00Z'),
    }),
    await world.workshop({ capacity: 1, startsAt: new Date('2026-12-11T01:00:00Z') }),
  ]
  const other = await world.workshop({ startsAt: new Date('2026-12-11T05:00:00Z') })
  const soon = await world.workshop({ publish: false, startsAt: new Date('2026-12-12T01:00:00Z') })
  const past = await world.workshop({ publish: false, startsAt: new Date('2026-11-12T01:00:00Z') })
  await world.workshop({ publish: false, startsAt: new Date('2026-01-12T01:00:00Z') })
  for (const { id } of [led, other]) await world.db.execute(sql`update workshops set lead = ' 王老师' where id = ${id}`)
  await world.register(led)
  await world.register(led)
  await changeWorkshop(world.deps, led.slug, { state: 'closed' })
  await world.db.execute(sql`update mails set state = 'dead', last_error = '550 no such user' where id = 1`)
  await world.db.execute(sql`update mails set state = 'dead', reason = 'reopened' where id = 2`)
  const link = await createLink(world.deps, { workshop: bare.slug }, { channel: '海报', expiresAt: world.clock.now() })
  await createLink(world.deps, { workshop: bare.slug }, { channel: '没人扫过', expiresAt: world.clock.now() })
  await addScans(world.deps, new Map([[link?.code as string, 1]]))
  await world.db.execute(sql`insert into chat_groups (workshop_id, picture, media_type, expires_at, updated_at)
    values (${bare.id}, '', 'image/png', '2026-12-01T12:00:00+08:00', now()), (${other.id}, '', 'image/png', '2026-12-09', now())`)
  const found = await listAlerts(world.deps)
  const pending = await query<{ n: number }>(
    world.db,
    sql`select count(*)::int as n from mails where state = 'pending'`,
  )
  expect(found.map(describeAlert)).toEqual([
    `mails_failed 1 ${led.slug}`,
    `mails_held ${pending[0]?.n}`,
    `group_expired ${bare.slug}`,
    `link_expired 海报 ${bare.slug}`,
    `no_address ${bare.slug}`,
    `same_lead ${led.slug}`,
    `waiting_while_closed ${led.slug}`,
    `too_few_boards ${bare.slug}`,
    `campaign_unpublished ${bare.slug}`,
    `draft_soon ${soon.slug}`,
    `draft_past ${past.slug}`,
  ])
  expect(found.find(({ kind }) => kind === 'group_expired')).toMatchObject({ isExpired: false })
  // For a single workshop, without alerts about the installation.
  expect((await listAlerts(world.deps, await loadStatsScope(world, led.slug))).map(describeAlert)).toEqual([
    `mails_failed 1 ${led.slug}`,
    `waiting_while_closed ${led.slug}`,
  ])
  // Workshops that are over need no alerts.
  world.clock.set('2027-06-01T00:00:00Z')
  expect((await listAlerts(world.deps)).map(({ kind }) => kind)).toEqual(['mails_held'])
})

test('listAlerts reports undelivered mails after half an hour, but not a mail queued again', async () => {
  await using world = await createWorld({ env: { SMTP_URL: 'smtp://localhost', MAIL_FROM: 'a@example.com' } })
  await world.register(await world.workshop())
  const enqueuedAt = world.clock.now()
  expect(await listAlerts(world.deps)).toEqual([])
  world.clock.advance({ minutes: 31 })
  expect(await listAlerts(world.deps)).toEqual([{ kind: 'mails_waiting', count: 1, since: enqueuedAt }])
  await world.db.execute(sql`update mails set due_at = ${world.clock.now().toISOString()}`)
  expect(await listAlerts(world.deps)).toEqual([])
  await world.db.execute(sql`update mails set last_error = 'the server is away', due_at = due_at + interval '1 hour'`)
  expect(await listAlerts(world.deps)).toEqual([{ kind: 'mails_waiting', count: 1, since: enqueuedAt }])
})

test('discardReasons lists every reason for which SQL discards a mail', () => {
  const folder = join(root, 'drizzle/functions')
  const given = readdirSync(folder).flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    const thought = name === 'claim_mails.sql' ? (/ case$(.*)^ +end as discard_reason$/ms.exec(text)?.[1] ?? '') : ''
    const lines = [...text.matchAll(/^.*\breason = .*$/gm)].map(([line]) => line)
    return [thought, ...lines].flatMap((part) => [...part.matchAll(/(?:then|else|reason =) '([a-z_]{5,})'/g)])
  })
  expect([...new Set(given.map(([, reason]) => reason))].sort()).toEqual([...discardReasons].sort())
})

async function loadStatsScope(world: World, slug: string): Promise<StatsScope> {
  return { workshops: [(await findWorkshop(world.deps, slug)) as Workshop], timeZone: 'Asia/Shanghai' }
}

function describeAlert(alert: Alert): string {
  const subject = 'workshop' in alert ? alert.workshop.slug : 'about' in alert ? alert.about.slug : ''
  return [alert.kind, 'count' in alert && alert.count, 'channel' in alert && alert.channel, subject]
    .filter(Boolean)
    .join(' ')
}
