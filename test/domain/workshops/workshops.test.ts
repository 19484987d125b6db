import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { mails } from '../../../src/db/schema.ts'
import { changeCampaign } from '../../../src/domain/campaigns/campaigns.ts'
import {
  changeWorkshop,
  type ItemDraft,
  listWorkshops,
  type WorkshopChanges,
} from '../../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../../support/world.ts'

const createItem = (zh: string): ItemDraft => ({ kind: 'bring', text: { zh }, mustConfirm: false })
const createChecklist = (name: string) => [1, 2, 3].map((n) => createItem(`${name} ${n}`))

test('concurrent checklist updates of a workshop or campaign leave exactly one of the lists', async () => {
  await using world = await createWorld({ postgres: true })
  const workshop = await world.workshop()
  const campaign = await world.campaign()
  for (const round of [1, 2, 3]) {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => name + round)
    const answers = await Promise.all(
      names.flatMap((name) => [
        changeWorkshop(world.deps, workshop.slug, { items: createChecklist(name) }),
        changeCampaign(world.deps, campaign.slug, { items: createChecklist(name) }),
      ]),
    )
    expect(answers.every(({ kind }) => kind === 'changed')).toBe(true)
    const workshopNow = await changeWorkshop(world.deps, workshop.slug, {})
    const campaignNow = await changeCampaign(world.deps, campaign.slug, {})
    for (const now of [
      workshopNow.kind === 'changed' && workshopNow.workshop,
      campaignNow.kind === 'changed' && campaignNow.campaign,
    ]) {
      const texts = now ? now.items.map(({ text }) => text.zh) : []
      expect(names.map((name) => createChecklist(name).map(({ text }) => text.zh))).toContainEqual(texts)
    }
  }
})

test('changeWorkshop keeps the id of an item from the same checklist only, also when it is moved', async () => {
  await using world = await createWorld()
  const other = await world.workshop({ items: [createItem('theirs')] })
  const { slug, items } = await world.workshop({ items: createChecklist('ours') })
  const [first, second] = items
  const changed = await changeWorkshop(world.deps, slug, {
    items: [
      { ...createItem('new'), id: other.items[0]?.id },
      { ...createItem('second'), id: second?.id },
      { ...createItem('first'), id: first?.id },
    ],
  })
  const now = changed.kind === 'changed' ? changed.workshop.items : []
  expect(now.map(({ text }) => text.zh)).toEqual(['new', 'second', 'first'])
  expect(now.slice(1).map(({ id }) => id)).toEqual([second?.id, first?.id])
  expect([...items, ...other.items].map(({ id }) => id)).not.toContain(now[0]?.id)
})

test.each<[keyof WorkshopChanges, WorkshopChanges]>([
  ['title', { title: { zh: '进阶培训' } }],
  ['city', { city: { zh: '浦东', en: 'Pudong' } }],
  ['venue', { venue: { zh: '图书馆' } }],
  ['address', { address: { zh: '浦滨路 150 号' } }],
  ['startsAt', { startsAt: new Date('2026-12-11T03:00:00Z') }],
  ['endsAt', { endsAt: new Date('2026-12-11T08:00:00Z') }],
])('changing %s raises the calendar SEQUENCE, repeating the change does not', async (_, changes) => {
  await using world = await createWorld()
  const { slug, calendarSequence } = await world.workshop()
  const sequence = sequenceAfterChange(world, slug)
  expect(await sequence(changes)).toBe(calendarSequence + 1)
  expect(await sequence(changes)).toBe(calendarSequence + 1)
})

test('SEQUENCE does not change when only fields outside the calendar entry change', async () => {
  await using world = await createWorld()
  const { slug, calendarSequence } = await world.workshop()
  const sequence = sequenceAfterChange(world, slug)
  for (const changes of [{ capacity: 5 }, { boards: 3, waitlist: false }, { items: createChecklist('a') }, {}]) {
    expect(await sequence(changes)).toBe(calendarSequence)
  }
})

test.each([
  ['an invalid day', '2026-99-99T00:00:00.000Z 00000000-0000-7000-8000-000000000001'],
  ['an invalid year', '0000-01-01T00:00:00.000Z 00000000-0000-7000-8000-000000000001'],
  ['dashes instead of an id', `2026-12-01T00:00:00.000Z ${'-'.repeat(36)}`],
  ['unknown content', 'hello'],
])('listWorkshops starts from the beginning for a cursor with %s', async (_, cursor) => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  const { items } = await listWorkshops(world.deps, { cursor: Buffer.from(cursor).toString('base64url') })
  expect(items).toMatchObject([{ slug }])
})

function sequenceAfterChange(world: World, slug: string) {
  return async (changes: WorkshopChanges) => {
    const changed = await changeWorkshop(world.deps, slug, changes)
    return changed.kind === 'changed' && changed.workshop.calendarSequence
  }
}

test('a change mail lists the values before all changes its recipient has not been mailed about', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ venue: { zh: '旧楼' } })
  const early = await world.register(workshop)
  const move = (zh: string) => changeWorkshop(world.deps, workshop.slug, { venue: { zh } }, { notify: true })
  await move('新楼')
  await world.db.update(mails).set({ state: 'sent' }).where(eq(mails.kind, 'changed'))
  const late = await world.register(workshop)
  await move('礼堂')
  await move('操场')
  const queued = await world.db.select().from(mails).where(eq(mails.kind, 'changed')).orderBy(mails.id)
  const beforeOf = (id: string) =>
    queued.filter(({ registrationId }) => registrationId === id).map(({ payload }) => payload.before?.venue.zh)
  expect(beforeOf(early.id)).toEqual(['旧楼', '新楼', '新楼'])
  expect(beforeOf(late.id)).toEqual(['新楼', '新楼'])
})
