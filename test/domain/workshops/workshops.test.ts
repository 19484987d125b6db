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

test('of many checklists set at once one stays whole, for a workshop and for a campaign', async () => {
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

test('an item keeps its id where the checklist had it, also in another place, and takes no id of another one', async () => {
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
])('a new %s raises the SEQUENCE of the calendar, the same one again does not', async (_, changes) => {
  await using world = await createWorld()
  const { slug, calendarSequence } = await world.workshop()
  const sequence = sequenceAfterChange(world, slug)
  expect(await sequence(changes)).toBe(calendarSequence + 1)
  expect(await sequence(changes)).toBe(calendarSequence + 1)
})

test('what no calendar shows leaves its SEQUENCE alone', async () => {
  await using world = await createWorld()
  const { slug, calendarSequence } = await world.workshop()
  const sequence = sequenceAfterChange(world, slug)
  for (const changes of [{ capacity: 5 }, { boards: 3, waitlist: false }, { items: createChecklist('a') }, {}]) {
    expect(await sequence(changes)).toBe(calendarSequence)
  }
})

test.each([
  ['a day that is none', '2026-99-99T00:00:00.000Z 00000000-0000-7000-8000-000000000001'],
  ['a year that is none', '0000-01-01T00:00:00.000Z 00000000-0000-7000-8000-000000000001'],
  ['dashes for an id', `2026-12-01T00:00:00.000Z ${'-'.repeat(36)}`],
  ['nothing of ours', 'hello'],
])('a cursor with %s starts from the beginning', async (_, cursor) => {
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

test('who was not told of one change yet hears with the next what was before both', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ venue: { zh: '旧楼' } })
  const told = await world.register(workshop)
  const move = (zh: string) => changeWorkshop(world.deps, workshop.slug, { venue: { zh } }, { notify: true })
  await move('新楼')
  await world.db.update(mails).set({ state: 'sent' }).where(eq(mails.kind, 'changed'))
  const late = await world.register(workshop)
  await move('礼堂')
  await move('操场')
  const owed = await world.db.select().from(mails).where(eq(mails.kind, 'changed')).orderBy(mails.id)
  const beforeOf = (id: string) =>
    owed.filter(({ registrationId }) => registrationId === id).map(({ payload }) => payload.before?.venue.zh)
  expect(beforeOf(told.id)).toEqual(['旧楼', '新楼', '新楼'])
  expect(beforeOf(late.id)).toEqual(['新楼', '新楼'])
})
