import { expect, test } from 'vitest'
import { changeWorkshop } from '../../../src/domain/workshops/workshops.ts'
import { postForm } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

async function createTwoCityCampaign(world: World) {
  const { id: campaignId } = await world.campaign()
  const shanghai = await world.workshop({ campaignId, capacity: 1 })
  const nanjing = await world.workshop({ campaignId, capacity: 1, city: { zh: '南京', en: 'Nanjing' } })
  return { shanghai, nanjing, ...(await world.register(shanghai)) }
}

const postMove = (world: World, ticket: string, to: string) => postForm(world, `/t/${ticket}/move`, { to })

test('GET /t/:ticket/move lists the other cities with their seats and changes nothing', async () => {
  await using world = await createWorld()
  const { ticket } = await createTwoCityCampaign(world)
  expect(await (await world.request(`/t/${ticket}`)).text()).toContain(`href="/t/${ticket}/move"`)
  const page = await (await world.request(`/t/${ticket}/move?lang=en`)).text()
  expect(page).toContain('Move to Nanjing')
  expect(page).toContain('Seats left: 1')
  expect(page).not.toContain('Move to Shanghai')
  expect(await (await world.request(`/t/${ticket}?lang=en`)).text()).toContain('Shanghai')
})

test('POST /t/:ticket/move moves the registration and keeps the ticket', async () => {
  await using world = await createWorld()
  const { ticket, nanjing } = await createTwoCityCampaign(world)
  const moved = await postMove(world, ticket, nanjing.slug)
  expect([moved.status, moved.headers.get('location')]).toEqual([303, `/t/${ticket}?done=moved`])
  const page = await (await world.request(`/t/${ticket}?done=moved&lang=en`)).text()
  expect(page).toContain('Nanjing')
  expect(page).toContain('You have moved to this workshop')
})

test('POST /t/:ticket/move returns 409 with the reason when the target is closed', async () => {
  await using world = await createWorld()
  const { ticket, nanjing } = await createTwoCityCampaign(world)
  await changeWorkshop(world.deps, nanjing.slug, { state: 'closed' })
  const refused = await postMove(world, ticket, nanjing.slug)
  expect(refused.status).toBe(409)
  expect(await refused.text()).toContain('那一场已经截止报名')
  expect((await postMove(world, ticket, 'nowhere')).status).toBe(409)
  expect((await postMove(world, `${ticket}x`, nanjing.slug)).status).toBe(404)
  expect(await (await world.request(`/t/${ticket}?lang=en`)).text()).toContain('Shanghai')
})

test('GET /t/:ticket has no move link without another city', async () => {
  await using world = await createWorld()
  const { ticket } = await world.register(await world.workshop())
  expect(await (await world.request(`/t/${ticket}`)).text()).not.toContain('/move')
  expect(await (await world.request(`/t/${ticket}/move?lang=en`)).text()).toContain('no other workshop to move to')
})
