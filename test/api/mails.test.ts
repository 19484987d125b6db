import { describe, expect, test } from 'vitest'
import { claimDueMails } from '../../src/domain/mails/outbox.ts'
import { cancelRegistration, eraseRegistrations } from '../../src/domain/registrations/seats.ts'
import { createApiClient, expectFieldErrors, expectProblem } from '../support/http/api-client.ts'
import { recordOutcome } from '../support/mail/outcomes.ts'
import { createWorld, type World } from '../support/world.ts'

const smtpEnvironment = { env: { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'workshops@example.org' } }

/** Claims the mail that is due first and records its outcome. */
async function recordNextOutcome(world: World, outcome: Parameters<typeof recordOutcome>[2]) {
  const [mail] = (await claimDueMails(world.deps, 1, 120)).mails
  if (!mail) throw new Error('no mail is due')
  await recordOutcome(world.deps, mail, outcome)
}

describe('GET /mails', () => {
  test('lists mails newest first with their registration and outcome', async () => {
    await using world = await createWorld(smtpEnvironment)
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ slug: 'shanghai' })
    const first = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    const second = await world.register(workshop)
    await recordNextOutcome(world, { kind: 'dead', reason: 'RCPT TO: 550 No such user' })
    world.clock.advance({ minutes: 5 })
    await recordNextOutcome(world, { kind: 'sent' })
    const { status, body } = await organiser.get('/mails')
    expect(status).toBe(200)
    expect(body).toEqual({
      items: [
        expect.objectContaining({
          registration: second.id,
          state: 'sent',
          reason: null,
          sentAt: '2026-12-01T10:05:00+08:00',
        }),
        {
          id: expect.any(Number),
          kind: 'confirmed',
          state: 'dead',
          workshop: 'shanghai',
          registration: first.id,
          name: '王小明',
          email: 'wang@example.com',
          attempts: 1,
          reason: 'RCPT TO: 550 No such user',
          reasonCode: null,
          createdAt: '2026-12-01T10:00:00+08:00',
          sentAt: null,
        },
      ],
    })
  })

  test('filters by state; a queued mail is held while SMTP is not configured', async () => {
    for (const { env, queued, other } of [
      { ...smtpEnvironment, queued: 'pending', other: 'held' },
      { env: {}, queued: 'held', other: 'pending' },
    ]) {
      await using world = await createWorld({ env })
      const organiser = await createApiClient(world, 'organiser')
      const workshop = await world.workshop()
      await world.register(workshop)
      await world.register(workshop)
      await recordNextOutcome(world, { kind: 'dead', reason: 'refused' })
      const states = async (state: string) =>
        (await organiser.get(`/mails?state=${state}`)).body.items.map((mail: { state: string }) => mail.state)
      expect(await states('dead')).toEqual(['dead'])
      expect(await states(queued)).toEqual([queued])
      expect(await states(other)).toEqual([])
      expect(await states('sent')).toEqual([])
    }
  })

  test('continues with a cursor within a state', async () => {
    await using world = await createWorld(smtpEnvironment)
    const organiser = await createApiClient(world, 'organiser')
    const workshop = await world.workshop({ capacity: 200 })
    for (let n = 0; n < 101; n++) await world.register(workshop)
    await recordNextOutcome(world, { kind: 'sent' })
    const ids: number[] = []
    let next: string | undefined
    let pages = 0
    do {
      const { body } = await organiser.get(`/mails?state=pending${next ? `&cursor=${next}` : ''}`)
      ids.push(...body.items.map((mail: { id: number }) => mail.id))
      next = body.next
      pages++
    } while (next)
    expect(pages).toBe(2)
    expect(new Set(ids).size).toBe(100)
    expect(ids).toEqual(ids.toSorted((a, b) => b - a))
  })

  test('contains no name or address of an erased person', async () => {
    await using world = await createWorld(smtpEnvironment)
    const { id } = await world.register(await world.workshop(), { name: '王小明', email: 'wang@example.com' })
    await eraseRegistrations(world.deps, [id], 'attendee')
    const { body } = await (await createApiClient(world, 'organiser')).get('/mails')
    expect(body.items.length).toBeGreaterThan(0)
    for (const mail of body.items) {
      expect(mail).toMatchObject({ registration: id, state: 'dead', workshop: null, name: null, email: null })
    }
  })

  test('rejects an unknown state or cursor and requires an organiser', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    expectFieldErrors(await organiser.get('/mails?state=lost&cursor=x'), { state: 'invalid', cursor: 'invalid' })
    expectProblem(await (await createApiClient(world)).get('/mails'), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).get('/mails'), 403, 'forbidden')
  })
})

describe('POST /mails/:id/send-again', () => {
  test('queues a failed mail again and notifies delivery', async () => {
    await using world = await createWorld(smtpEnvironment)
    const organiser = await createApiClient(world, 'organiser')
    await world.register(await world.workshop())
    await recordNextOutcome(world, { kind: 'dead', reason: 'RCPT TO: 550 No such user' })
    const [dead] = (await organiser.get('/mails?state=dead')).body.items
    const notifications = world.mailQueueNotifications()
    const { status, body } = await organiser.post(`/mails/${dead.id}/send-again`)
    expect(status).toBe(200)
    expect(body).toEqual({ ...dead, state: 'pending', reason: null })
    expect(world.mailQueueNotifications()).toBe(notifications + 1)
    await recordNextOutcome(world, { kind: 'sent' })
    expect((await organiser.get('/mails')).body.items).toMatchObject([{ id: dead.id, state: 'sent', attempts: 2 }])
  })

  test('rejects a queued, sent or unknown mail and requires an organiser', async () => {
    await using world = await createWorld(smtpEnvironment)
    const organiser = await createApiClient(world, 'organiser')
    await world.register(await world.workshop())
    const [mail] = (await organiser.get('/mails')).body.items
    const path = `/mails/${mail.id}/send-again`
    expectProblem(await organiser.post(path), 409, 'not_dead')
    await recordNextOutcome(world, { kind: 'sent' })
    expectProblem(await organiser.post(path), 409, 'not_dead')
    for (const id of ['4711', 'x', '9'.repeat(20)]) {
      expectProblem(await organiser.post(`/mails/${id}/send-again`), 404, 'not_found')
    }
    expectProblem(await (await createApiClient(world)).post(path), 401, 'unauthorized')
    expectProblem(await (await createApiClient(world, 'viewer')).post(path), 403, 'forbidden')
  })

  test('discards the mail again when it has become obsolete', async () => {
    await using world = await createWorld(smtpEnvironment)
    const organiser = await createApiClient(world, 'organiser')
    const { id } = await world.register(await world.workshop())
    await recordNextOutcome(world, { kind: 'dead', reason: 'refused' })
    const [dead] = (await organiser.get('/mails?state=dead')).body.items
    await cancelRegistration(world.deps, id, 'attendee')
    expect((await organiser.post(`/mails/${dead.id}/send-again`)).status).toBe(200)
    await claimDueMails(world.deps, 10, 120)
    const { items } = (await organiser.get('/mails?state=dead')).body
    expect(items).toMatchObject([
      { id: dead.id, reason: 'the registration was cancelled since', reasonCode: 'registration_cancelled' },
    ])
  })
})
