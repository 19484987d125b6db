import { asc, eq } from 'drizzle-orm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openPostgres } from '../../../src/db/postgres.ts'
import { auditEntries, broadcasts, mails, registrations } from '../../../src/db/schema.ts'
import {
  type Audience,
  fillPlaceholders,
  findAudience,
  findBroadcastProgress,
  findUnknownPlaceholders,
  listBroadcasts,
  parseBroadcast,
  sendBroadcast,
  sendTestBroadcast,
} from '../../../src/domain/mails/broadcasts.ts'
import { createLink } from '../../../src/domain/promotion/registration-links.ts'
import { cancelRegistration, eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import type { Workshop } from '../../../src/domain/workshops/workshops.ts'
import { linkUrls, renderPlainText } from '../../../src/lib/urls.ts'
import { createWorld, type World } from '../../support/world.ts'

const actor = { name: '林老师' }
const draft = { subject: '记得带电脑', body: '{{name}}，{{date}}见。' }
const broadcastId = '00000000-0000-7000-8000-0000000000aa'

test('findUnknownPlaceholders names unknown placeholders and unclosed braces', () => {
  expect(findUnknownPlaceholders('{{name}} {{ ticket }} {name} } {')).toEqual([])
  expect(findUnknownPlaceholders('{{姓名}}，{{ Name }}，{{}}，{{姓名}}')).toEqual(['姓名', 'Name', ''])
  expect(findUnknownPlaceholders('{{constructor}} {{__proto__}}')).toEqual(['constructor', '__proto__'])
  expect(findUnknownPlaceholders('{{name} and {{name}} and name}}')).toEqual(['{{name', 'name}}'])
  expect(findUnknownPlaceholders(`{{${'长'.repeat(41)}}}`)).toEqual([`{{${'长'.repeat(20)}`, `${'长'.repeat(20)}}}`])
})

const placeholderValues = {
  name: '王',
  workshop: '',
  city: '',
  date: '',
  time: '',
  place: '',
  ticket: 'https://t.example/t/1',
}

test('fillPlaceholders neither fills in nor links a name that looks like a placeholder or URL', () => {
  const fill = (name: string) => fillPlaceholders('{{name}} {{constructor}}', { ...placeholderValues, name })
  expect(fill('{{ticket}}')).toEqual(['{{ticket}} {{constructor}}'])
  expect(fill('https://a.example')).toEqual(['https://a.example {{constructor}}'])
})

test('fillPlaceholders keeps a URL intact in any context and separates it with spaces in plain text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
      fc.pre(!/[{}]/.test(before + after))
      const filled = fillPlaceholders(`${before}{{ticket}}${after}`, placeholderValues)
      expect(filled).toContainEqual({ url: placeholderValues.ticket, separate: true })
      expect(filled.map((part) => (typeof part === 'string' ? part : part.url)).join('')).toBe(
        before + placeholderValues.ticket + after,
      )
      const rest = renderPlainText(filled)
        .slice(renderPlainText(linkUrls(before)).length)
        .trimStart()
      expect(rest.slice(0, placeholderValues.ticket.length)).toBe(placeholderValues.ticket)
      expect(rest.slice(placeholderValues.ticket.length)).toMatch(/^(\s|$)/)
    }),
  )
  const place = '线上 https://meet.example/x'
  expect(renderPlainText(fillPlaceholders('{{place}}，{{ place }}', { ...placeholderValues, place }))).toBe(
    `${place} ，${place}`,
  )
})

test('parseBroadcast normalizes plain text and reports problems per field', () => {
  expect(parseBroadcast({ subject: ' 你\n好 ', body: '一\r\n\r\n\r\n二\u0000 \ud800' })).toEqual({
    draft: { subject: '你 好', body: '一\n\n\n二 \ufffd' },
    problems: [],
  })
  expect(parseBroadcast({ subject: ' ', body: '长'.repeat(10_001) }).problems).toEqual([
    { field: 'subject', code: 'missing' },
    { field: 'body', code: 'too_long' },
  ])
  expect(parseBroadcast({ subject: '长'.repeat(200), body: '长'.repeat(10_000) }).problems).toEqual([])
  expect(parseBroadcast({ subject: '{{nmae}}', body: 'x' }).problems).toEqual([
    { field: 'subject', code: 'unknown_placeholder', names: ['nmae'] },
  ])
})

// The SQL must behave the same on PGlite and on Postgres.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const newWorld = (env = {}) => createWorld({ postgres, env })

  test('sendBroadcast mails exactly the people the filter matches, never erased ones', async () => {
    await using world = await newWorld()
    const item = { kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true } as const
    const workshop = await world.workshop({ capacity: 3, items: [item] })
    const other = await world.workshop({ capacity: 3 })
    const [c = ''] = workshop.items.map((item) => item.id)
    const link = await createLink(world.deps, { workshop: workshop.slug }, { channel: '海报' })
    await world.register(workshop, { name: '甲 wxm', via: link?.code, ready: { [c]: true } })
    await world.register(workshop, { name: '王小明', ready: { [c]: false } })
    const gone = await world.register(workshop, { name: '丙' })
    await world.register(workshop, { name: '丁' })
    const erased = await world.register(workshop, { name: '戊', via: link?.code })
    await world.register(other, { name: '己' })
    await cancelRegistration(world.deps, gone.id, 'organiser')
    await eraseRegistrations(world.deps, [erased.id], 'organiser')
    const sendTo = async (filter: Audience['filter'] = {}) => {
      const audience = workshopAudience(workshop, filter)
      const counted = await findAudience(world.deps, audience)
      const outcome = await sendBroadcast(world.deps, actor, { id: world.deps.newId(), audience, ...draft })
      expect(outcome).toEqual(
        counted.people > 0 ? { kind: 'sent', people: counted.people } : { kind: 'refused', refusal: 'nobody' },
      )
      return counted.people > 0 ? latestRecipients(world) : []
    }
    expect(await sendTo()).toEqual(['甲 wxm', '王小明', '丁'])
    expect(await sendTo({ status: 'confirmed' })).toEqual(['甲 wxm', '王小明', '丁'])
    expect(await sendTo({ status: 'cancelled' })).toEqual(['丙'])
    expect(await sendTo({ status: 'waitlisted' })).toEqual([])
    expect(await sendTo({ link: link?.code })).toEqual(['甲 wxm'])
    expect(await sendTo({ link: 'none' })).toEqual(['王小明', '丁'])
    expect(await sendTo({ readiness: 'not_ready' })).toEqual(['王小明'])
    expect(await sendTo({ readiness: 'unanswered' })).toEqual(['丁'])
    // Matches pinyin initials that had not been computed yet.
    expect(await sendTo({ search: 'wxm' })).toEqual(['甲 wxm', '王小明'])
    expect(await sendTo({ search: '没有这个人' })).toEqual([])
    const sent = await world.db.select().from(auditEntries).orderBy(asc(auditEntries.id))
    expect(sent).toHaveLength(8)
    expect(sent.at(-1)).toMatchObject({
      action: 'message.sent',
      actor: '林老师',
      workshopId: workshop.id,
      payload: { count: 2 },
      pii: { search: 'wxm' },
    })
  })

  test('a campaign broadcast sends one mail per address, about the workshop where they have a seat', async () => {
    await using world = await newWorld()
    const campaign = await world.campaign({ oneSeatPerPerson: false })
    const [near, far] = [
      await world.workshop({ campaignId: campaign.id, capacity: 1 }),
      await world.workshop({ campaignId: campaign.id, city: { zh: '南京' } }),
    ]
    await world.register(near, { name: '甲' })
    await world.register(near, { name: '乙在候补', email: 'Both@example.com' })
    await world.register(far, { name: '乙有名额', email: 'both@example.com' })
    const audience: Audience = { about: { campaignId: campaign.id }, workshops: [near, far], filter: {} }
    expect(await findAudience(world.deps, audience)).toMatchObject({ people: 2 })
    expect(await sendBroadcast(world.deps, actor, { id: broadcastId, audience, ...draft })).toEqual({
      kind: 'sent',
      people: 2,
    })
    expect(await latestRecipients(world)).toEqual(['甲', '乙有名额'])
    // A campaign broadcast is listed for each of its workshops, and a workshop's broadcast for its campaign.
    const own = await sendBroadcast(world.deps, actor, {
      id: world.deps.newId(),
      audience: workshopAudience(near),
      ...draft,
    })
    expect(own.kind).toBe('sent')
    expect(await listBroadcasts(world.deps, { campaignId: campaign.id })).toHaveLength(2)
    expect(await listBroadcasts(world.deps, { workshopId: near.id })).toHaveLength(2)
    expect(await listBroadcasts(world.deps, { workshopId: far.id })).toMatchObject([{ id: broadcastId, people: 2 }])
  })

  test('sendBroadcast returns the first result when repeated and refuses other content under the same id', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    await world.register(workshop)
    const audience = workshopAudience(workshop)
    const send = (changes = {}) => sendBroadcast(world.deps, actor, { id: broadcastId, audience, ...draft, ...changes })
    const notifications = world.mailQueueNotifications()
    expect(await send()).toEqual({ kind: 'sent', people: 1 })
    await world.register(workshop)
    expect(await send()).toEqual({ kind: 'sent', people: 1 })
    expect(await send({ body: '别的' })).toEqual({ kind: 'refused', refusal: 'sent_already' })
    expect(await send({ audience: workshopAudience(await world.workshop()) })).toEqual({
      kind: 'refused',
      refusal: 'sent_already',
    })
    expect(await latestRecipients(world)).toHaveLength(1)
    expect(world.mailQueueNotifications()).toBe(notifications + 2)
    expect(await world.db.select().from(auditEntries)).toHaveLength(1)
  })

  test('sendBroadcast stores nothing when there are no recipients or the text is invalid', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    const audience = workshopAudience(workshop)
    expect(await sendBroadcast(world.deps, actor, { id: broadcastId, audience, ...draft })).toEqual({
      kind: 'refused',
      refusal: 'nobody',
    })
    await world.register(workshop)
    expect(
      await sendBroadcast(world.deps, actor, { id: broadcastId, audience, ...draft, body: '{{姓名}}' }),
    ).toMatchObject({
      kind: 'refused',
      refusal: 'invalid',
    })
    expect(await world.db.select().from(broadcasts)).toEqual([])
    expect(await sendBroadcast(world.deps, actor, { id: broadcastId, audience, ...draft })).toEqual({
      kind: 'sent',
      people: 1,
    })
  })

  test('sendTestBroadcast mails only its author, once, and is not listed as a broadcast', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop()
    await world.register(workshop)
    const me = { name: '林老师', organiserId: (await world.signIn('organiser')).id }
    const send = (changes = {}) =>
      sendTestBroadcast(world.deps, me, { id: broadcastId, workshop, ...draft, ...changes })
    expect(await send()).toBe('sent')
    expect(await send()).toBe('sent')
    expect(await send({ subject: '' })).toEqual([{ field: 'subject', code: 'missing' }])
    const queued = await world.db.select().from(mails).where(eq(mails.broadcastId, broadcastId))
    expect(queued).toMatchObject([{ organiserId: me.organiserId, registrationId: null }])
    expect(await findBroadcastProgress(world.deps, broadcastId)).toBeUndefined()
    expect(await listBroadcasts(world.deps, { workshopId: workshop.id })).toEqual([])
  })

  test('with MAIL_RATE broadcast mails take every other slot', async () => {
    await using world = await newWorld({ MAIL_RATE: '60' })
    const workshop = await world.workshop({ capacity: 3 })
    for (let n = 0; n < 3; n++) await world.register(workshop)
    await sendBroadcast(world.deps, actor, { id: broadcastId, audience: workshopAudience(workshop), ...draft })
    const queued = await world.db.select().from(mails).where(eq(mails.broadcastId, broadcastId)).orderBy(asc(mails.id))
    const now = world.clock.now().getTime()
    expect(queued.map(({ dueAt }) => dueAt.getTime() - now)).toEqual([0, 2000, 4000])
  })

  test('findBroadcastProgress counts mails by state', async () => {
    await using world = await newWorld()
    const workshop = await world.workshop({ capacity: 4 })
    for (let n = 0; n < 4; n++) await world.register(workshop)
    await sendBroadcast(world.deps, actor, { id: broadcastId, audience: workshopAudience(workshop), ...draft })
    const [first, second] = await world.db.select().from(mails).where(eq(mails.broadcastId, broadcastId))
    await world.db
      .update(mails)
      .set({ state: 'sent' })
      .where(eq(mails.id, first?.id ?? 0))
    await world.db
      .update(mails)
      .set({ state: 'dead' })
      .where(eq(mails.id, second?.id ?? 0))
    expect(await findBroadcastProgress(world.deps, broadcastId)).toMatchObject({
      ...draft,
      workshop: { slug: workshop.slug },
      campaign: null,
      states: { pending: 2, sending: 0, sent: 1, dead: 1 },
      people: 4,
      createdAt: world.clock.now(),
    })
    expect(await findBroadcastProgress(world.deps, workshop.id)).toBeUndefined()
  })
})

test('sendBroadcast sends once when submitted to two servers at once, and both return the same result', async () => {
  await using world = await createWorld({ postgres: true })
  const workshop = await world.workshop({ capacity: 300 })
  for (let n = 0; n < 40; n++) await world.register(workshop)
  const second = openPostgres(world.databaseUrl as string)
  try {
    const deps = { ...world.deps, db: second.db }
    for (let round = 0; round < 10; round++) {
      const id = world.deps.newId()
      const message = { id, audience: workshopAudience(workshop), ...draft }
      const outcomes = await Promise.all([
        sendBroadcast(world.deps, actor, message),
        sendBroadcast(deps, actor, message),
        sendBroadcast(world.deps, actor, message),
        sendBroadcast(deps, actor, message),
      ])
      expect(outcomes).toEqual(Array(4).fill({ kind: 'sent', people: 40 }))
      expect(await world.db.select().from(mails).where(eq(mails.broadcastId, id))).toHaveLength(40)
    }
    expect(await world.db.select().from(auditEntries)).toHaveLength(10)
  } finally {
    await second.close()
  }
})

function workshopAudience(workshop: Workshop, filter: Audience['filter'] = {}): Audience {
  return { about: { workshopId: workshop.id }, workshops: [workshop], filter }
}

/** The names of the recipients of the latest broadcast, in the order of their mails. */
async function latestRecipients(world: World): Promise<string[]> {
  const broadcastRows = await world.db.select().from(broadcasts).orderBy(asc(broadcasts.createdAt), asc(broadcasts.id))
  const queuedMails = await world.db
    .select({ name: registrations.name, kind: mails.kind })
    .from(mails)
    .innerJoin(registrations, eq(registrations.id, mails.registrationId))
    .where(eq(mails.broadcastId, broadcastRows.at(-1)?.id ?? ''))
    .orderBy(asc(mails.id))
  expect(new Set(queuedMails.map(({ kind }) => kind))).toEqual(new Set(['message']))
  return queuedMails.map(({ name }) => name)
}
