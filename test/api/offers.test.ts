import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { expireOffers } from '../../src/domain/registrations/seats.ts'
import { type ApiClient, createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { createWorld, type World } from '../support/world.ts'

/** A one-seat workshop whose freed seat is offered to the first on the waitlist; the second still waits. */
async function offerFreedSeat(world: World, organiser: ApiClient) {
  const workshop = await world.workshop({ slug: 'shanghai', capacity: 1, confirmHours: 24 })
  const [seated, first, second] = [
    await world.register(workshop),
    await world.register(workshop),
    await world.register(workshop),
  ]
  await organiser.post(`/registrations/${seated.id}/cancel`)
  return { workshop, seated, first, second }
}

describe('confirmHours', () => {
  test('is null by default and can be changed and removed', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const draft = { title: '培训', city: '南京', venue: '图书馆', address: '浦滨路', capacity: 3 }
    const times = { startsAt: '2026-12-20T09:30', endsAt: '2026-12-20T17:00' }
    const body = { ...draft, ...times, slug: 'nanjing' }
    expect((await organiser.post('/workshops', { body })).body).toMatchObject({ confirmHours: null })
    for (const confirmHours of [24, 1, 336, null]) {
      const { status, body } = await organiser.patch('/workshops/nanjing', { body: { confirmHours } })
      expect([status, body.confirmHours]).toEqual([200, confirmHours])
    }
    const given = await organiser.post('/workshops', { body: { ...body, slug: 'wuxi', confirmHours: 48 } })
    expect([given.status, given.body.confirmHours]).toEqual([201, 48])
  })

  test.each([
    [0, 'out_of_range'],
    [337, 'out_of_range'],
    [1.5, 'invalid'],
    ['24', 'invalid'],
  ])('rejects %j', async (confirmHours, code) => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    await world.workshop({ slug: 'shanghai' })
    const refused = await organiser.patch('/workshops/shanghai', { body: { confirmHours } })
    expectFieldErrors(refused, { confirmHours: code })
  })
})

test('GET /workshops/:slug/registrations contains offer deadlines and expired offers', async () => {
  await using world = await createWorld()
  const organiser = await createApiClient(world, 'organiser')
  await offerFreedSeat(world, organiser)
  const list = async () => (await organiser.get('/workshops/shanghai/registrations')).body.items
  expect(await list()).toMatchObject([
    { status: 'cancelled', offeredUntil: null, cancelledBy: 'organiser' },
    { status: 'offered', offeredUntil: '2026-12-02T10:00:00+08:00', seatedAt: null, position: null },
    { status: 'waitlisted', offeredUntil: null, position: 1 },
  ])
  expect((await organiser.get('/workshops/shanghai/registrations?status=offered')).body.items).toHaveLength(1)
  world.clock.advance({ hours: 24 })
  await expireOffers(world.deps)
  expect((await list())[1]).toMatchObject({ status: 'cancelled', offeredUntil: null, cancelledBy: 'deadline' })
})

test('GET /workshops/:slug/registrations.csv contains the status and deadline of an offer', async () => {
  await using world = await createWorld()
  const organiser = await createApiClient(world, 'organiser')
  await offerFreedSeat(world, organiser)
  const lines = async (query: string) =>
    parse((await organiser.get(`/workshops/shanghai/registrations.csv${query}`)).body, { bom: true, columns: true })
  expect((await lines(''))[1]).toMatchObject({ 状态: '为你留了名额', 名额保留到: '2026-12-02 10:00', 得到名额时间: '' })
  world.clock.advance({ hours: 24 })
  await expireOffers(world.deps)
  expect((await lines('?lang=en'))[1]).toMatchObject({ 'Seat held until': '', 'Cancelled by': 'not confirmed in time' })
})

describe('POST /registrations/:id/confirm', () => {
  test('accepts the offered seat and can be repeated', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { first } = await offerFreedSeat(world, organiser)
    for (let times = 0; times < 2; times++) {
      const { status, body } = await organiser.post(`/registrations/${first.id}/confirm`)
      expect([status, body]).toEqual([200, { id: first.id, status: 'confirmed' }])
    }
    expect((await organiser.get('/mails')).body.items[0]).toMatchObject({ kind: 'promoted', registration: first.id })
  })

  test('rejects registrations that are waitlisted, cancelled, expired or unknown', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const { seated, first, second } = await offerFreedSeat(world, organiser)
    const confirm = (id: string) => organiser.post(`/registrations/${id}/confirm`)
    expectProblem(await confirm(second.id), 409, 'not_offered')
    expectProblem(await confirm(seated.id), 409, 'already_cancelled')
    expectProblem(await confirm('00000000-0000-7000-8000-00000000ffff'), 404, 'not_found')
    world.clock.advance({ hours: 24 })
    expectProblem(await confirm(first.id), 409, 'lapsed')
  })

  test('requires an organiser', async () => {
    await using world = await createWorld()
    const { first } = await offerFreedSeat(world, await createApiClient(world, 'organiser'))
    const confirm = async (client: ApiClient) => client.post(`/registrations/${first.id}/confirm`)
    expectProblem(await confirm(await createApiClient(world)), 401, 'unauthorized')
    expectProblem(await confirm(await createApiClient(world, 'viewer')), 403, 'forbidden')
  })
})
