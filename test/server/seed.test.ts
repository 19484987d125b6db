import { expect, test } from 'vitest'
import { listCampaigns } from '../../src/domain/campaigns/campaigns.ts'
import { seed } from '../../src/server/seed.ts'
import { createWorld } from '../support/world.ts'

test('seed creates two cities on Saturdays of next month, and a link to the campaign', async () => {
  await using world = await createWorld()
  const link = await seed(world.deps)
  const [campaign] = await listCampaigns(world.deps)
  expect(link.target).toEqual({ campaign: campaign?.slug })
  // The world's clock is fixed at 2026-12-01.
  expect(campaign?.workshops.map(({ city, startsAt }) => [city.en, startsAt.toISOString()])).toEqual([
    ['Shanghai', '2027-01-09T01:30:00.000Z'],
    ['Nanjing', '2027-01-16T01:30:00.000Z'],
  ])
})

test('seed leaves an empty database when it fails half-way', async () => {
  await using world = await createWorld()
  let ids = 0
  const newId = () => {
    if (++ids === 8) throw new Error('cut off')
    return world.deps.newId()
  }
  await expect(seed({ ...world.deps, newId })).rejects.toThrow('cut off')
  expect(await listCampaigns(world.deps, { drafts: true })).toEqual([])
  await seed(world.deps)
})
