import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import type { Deps } from '../../src/domain/deps.ts'
import { claimDueMails, countMails, retryMail } from '../../src/domain/mails/outbox.ts'
import { correctEmail, enqueueTicketsMail } from '../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop, eraseRegistrations } from '../../src/domain/registrations/seats.ts'
import { deliverDueMails, startDeliveryWorker } from '../../src/email/delivery.ts'
import { createPooledTransport, createSingleTransport, type Transport } from '../../src/email/transport.ts'
import { startDatabaseProxy } from '../support/databases/proxy.ts'
import { createMailHarness, shortTimeouts } from '../support/mail/mail-harness.ts'
import { recordOutcome } from '../support/mail/outcomes.ts'
import { type SmtpFault, type SmtpStep, startMailServer } from '../support/mail/smtp-server.ts'
import { createWorld, type World } from '../support/world.ts'

describe.each([
  { kind: 'pooled connections', open: createPooledTransport },
  { kind: 'a connection per message', open: createSingleTransport },
])('over $kind', ({ open }) => {
  const createHarness = (fault?: SmtpFault | 'stop') =>
    createMailHarness(
      open,
      { user: 'baoming', password: 'secret' },
      fault === 'hang' ? { timeouts: shortTimeouts } : {},
    )

  test('a mail is sent once and recorded as sent', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(3)
    expect(await o.deliver()).toMatchObject({ sent: 3, outage: undefined })
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    expect(o.server.mails.map(({ to }) => to[0]).sort()).toEqual(expectedAddresses(3))
    expect(await o.storedMails()).toEqual(Array(3).fill({ state: 'sent', attempt: 1, minutes: null, reason: null }))
  })

  test.each<[SmtpStep, SmtpFault, RegExp]>([
    ['recipient', [451, '4.7.1 Greylisted'], /^RCPT TO: 451 4.7.1 Greylisted$/],
    ['data', 451, /^DATA: 451 refused by the test$/],
    ['message', 452, /^DATA: 452 refused by the test$/],
    ['data', 'drop', /connection (was )?closed/i],
    ['message', 'drop', /connection (was )?closed/i],
    ['message', 'hang', /^Timeout$/],
    ['recipient', 'hang', /^Timeout$/],
  ])('a server that answers the %s with %j gets the mail again after a minute', async (step, fault, reason) => {
    await using o = await createHarness(fault)
    await o.enqueueConfirmations(1)
    o.server.injectFault = (reached) => (reached === step ? fault : undefined)
    expect(await o.deliver()).toMatchObject({ again: 1, outage: undefined })
    expect(await o.storedMails()).toMatchObject([{ state: 'pending', attempt: 1, minutes: 1 }])
    expect((await o.storedMails())[0]?.reason).toMatch(reason)

    o.server.injectFault = () => undefined
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    o.world.clock.advance({ minutes: 1 })
    expect(await o.reopenTransport().deliver()).toMatchObject({ sent: 1 })
    // A mail that the server took before the connection broke is repeated as the same message.
    const copies = step === 'message' && fault === 'drop' ? 2 : 1
    expect(o.server.mails).toHaveLength(copies)
    const heads = o.server.mails.map(({ mail }) => [mail.messageId, mail.date?.toISOString(), mail.subject])
    expect(new Set(heads.map(String)).size).toBe(1)
  })

  test.each<[SmtpStep, SmtpFault, string]>([
    ['recipient', [550, '5.1.1 No such user'], 'RCPT TO: 550 5.1.1 No such user'],
    ['message', [554, '5.1.1 No such user'], 'DATA: 554 5.1.1 No such user'],
  ])(
    'a mail whose recipient is rejected after the %s with %j fails, and the others are sent',
    async (step, fault, reason) => {
      await using o = await createHarness()
      await o.enqueueConfirmations(3)
      let refused = 0
      o.server.injectFault = (reached) => (reached === step && refused++ === 0 ? fault : undefined)
      expect(await o.deliver()).toMatchObject({ dead: 1, sent: 2 })
      expect(await o.storedMails()).toMatchObject([
        { state: 'dead', attempt: 1, reason },
        { state: 'sent' },
        { state: 'sent' },
      ])
    },
  )

  test.each<[string, SmtpStep, SmtpFault | 'stop']>([
    ['cannot be reached', 'greeting', 'stop'],
    ['rejects at the greeting', 'greeting', [554, 'No service']],
    ['shuts down at the greeting', 'greeting', [421, '4.3.2 Service shutting down']],
    ['hangs up at the greeting', 'greeting', 'drop'],
    ['does not respond at the greeting', 'greeting', 'hang'],
    ['rejects the password', 'auth', [535, '5.7.8 Authentication failed']],
    ['rejects the sender', 'sender', [553, 'Mail from must equal authorized user']],
    ['reports a quota at RCPT', 'recipient', [550, '5.4.5 Daily sending quota exceeded']],
    ['reports a quota after DATA', 'message', [554, 'Too many messages this hour']],
  ])('while the server %s, all mails are kept and only one is attempted', async (_, step, fault) => {
    await using o = await createHarness(fault)
    await o.enqueueConfirmations(4)
    if (fault === 'stop') await o.server.stop()
    else o.server.injectFault = (reached) => (reached === step ? fault : undefined)
    expect(await o.deliver({ pause: 300 })).toMatchObject({ sent: 0, again: 0, dead: 0, postponed: 1 })
    const untouched = { state: 'pending', attempt: 0, minutes: 0, reason: null }
    expect(await o.storedMails()).toMatchObject([{ state: 'pending', minutes: 5 }, untouched, untouched, untouched])
    expect(await firstAttempts(o.world)).toEqual([null, null, null, null])

    if (fault === 'stop') await o.server.start()
    o.server.injectFault = () => undefined
    o.world.clock.advance({ minutes: 5 })
    expect(await o.reopenTransport().deliver()).toMatchObject({ sent: 4 })
  })
})

test('a mail that always gets 451 is retried after 1, 5, 15, 30 and 60 minutes, then hourly for 24 hours', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(1)
  o.server.injectFault = (step) => (step === 'recipient' ? 451 : undefined)
  const pauses: number[] = []
  for (;;) {
    await o.deliver()
    const [mail] = await o.storedMails()
    if (mail?.state !== 'pending') break
    pauses.push(mail.minutes as number)
    o.world.clock.advance({ minutes: mail.minutes as number })
  }
  expect(pauses.slice(0, 6)).toEqual([1, 5, 15, 30, 60, 60])
  expect(pauses.reduce((sum, minutes) => sum + minutes)).toBe(24 * 60)
  expect(Math.max(...pauses)).toBe(60)
  expect(await o.storedMails()).toMatchObject([
    { state: 'dead', reason: 'given up after 24 hours: RCPT TO: 451 refused by the test' },
  ])
})

test('the time of an outage does not count towards the 24 hours', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(1)
  o.server.injectFault = (step) => (step === 'recipient' ? 451 : undefined)
  await o.deliver()
  o.world.clock.advance({ minutes: 1 })
  await o.server.stop()
  for (let hour = 0; hour < 30; hour++) {
    expect(await o.deliver({ pause: 3600 })).toMatchObject({ postponed: 1 })
    o.world.clock.advance({ hours: 1 })
  }
  await o.server.start()
  // The second real attempt, so the third follows after five minutes.
  expect(await o.deliver()).toMatchObject({ again: 1, dead: 0 })
  expect(await o.storedMails()).toMatchObject([{ state: 'pending', minutes: 5 }])
})

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  test('two senders at once never send a mail twice', async () => {
    await using o = await createMailHarness(createPooledTransport, undefined, { postgres })
    await using other = await createMailHarness(createPooledTransport, undefined, { server: o.server, world: o.world })
    await o.enqueueConfirmations(60)
    const rounds = await Promise.all([o.deliver(), other.deliver()])
    expect(rounds[0].sent + rounds[1].sent).toBe(60)
    expect(o.server.mails.map(({ to }) => to[0]).sort()).toEqual(expectedAddresses(60))
    expect(Math.max(...(await o.storedMails()).map(({ attempt }) => attempt))).toBe(1)
  })

  test('a claimed mail belongs to its sender until the lease expires, then to the next, as the same message', async () => {
    await using o = await createMailHarness(createPooledTransport, undefined, { postgres })
    await o.enqueueConfirmations(1)
    const { deps, clock } = o.world
    const [first] = (await claimDueMails(deps, 10, 120)).mails
    clock.advance({ seconds: 119 })
    expect((await claimDueMails(deps, 10, 120)).mails).toEqual([])
    clock.advance({ seconds: 1 })
    const [second] = (await claimDueMails(deps, 10, 120)).mails
    expect(second).toMatchObject({ messageId: first?.messageId, firstTriedAt: first?.firstTriedAt, attempt: 2 })
    // The first sender reports after its lease expired and is ignored.
    expect(await recordOutcome(deps, first as never, { kind: 'dead', reason: 'late' })).toBeUndefined()
    expect(await o.storedMails()).toMatchObject([{ state: 'sending', reason: null }])
    expect(await recordOutcome(deps, second as never, { kind: 'sent' })).toBe('sent')
    expect(await recordOutcome(deps, second as never, { kind: 'again', reason: 'once more' })).toBeUndefined()
    expect(await o.storedMails()).toMatchObject([{ state: 'sent' }])
  })

  test('MAIL_RATE limits mails per minute across senders', async () => {
    await using o = await createMailHarness(createPooledTransport, undefined, { postgres, env: { MAIL_RATE: '3' } })
    await using other = await createMailHarness(createPooledTransport, undefined, { server: o.server, world: o.world })
    await o.enqueueConfirmations(8)
    const sent = [await o.deliver(), await other.deliver(), await o.deliver()].map((round) => round.sent)
    expect(sent).toEqual([3, 0, 0])
    o.world.clock.advance({ seconds: 59 })
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    o.world.clock.advance({ seconds: 1 })
    expect(await other.deliver()).toMatchObject({ sent: 3 })
    o.world.clock.advance({ seconds: 60 })
    expect(await o.deliver()).toMatchObject({ sent: 2 })
  })

  test('MAIL_RATE holds for concurrent claims and counts failed attempts', async () => {
    await using o = await createMailHarness(createPooledTransport, undefined, { postgres, env: { MAIL_RATE: '10' } })
    await o.enqueueConfirmations(100)
    const { deps, clock } = o.world
    const claimByTen = async () =>
      (await Promise.all(Array.from({ length: 10 }, () => claimDueMails(deps, 7, 120)))).flatMap(({ mails }) => mails)
    const claimed = await claimByTen()
    expect(claimed).toHaveLength(10)
    for (const mail of claimed) await recordOutcome(deps, mail, { kind: 'again', reason: 'busy' })
    expect(await claimByTen()).toHaveLength(0)
    clock.advance({ minutes: 1 })
    expect(await claimByTen()).toHaveLength(10)
  })

  test('discarded mails do not count towards MAIL_RATE', async () => {
    await using o = await createMailHarness(createPooledTransport, undefined, { postgres, env: { MAIL_RATE: '3' } })
    const workshop = await o.world.workshop()
    for (const person of [await o.world.register(workshop), await o.world.register(workshop)])
      await cancelRegistration(o.world.deps, person.id, 'attendee')
    await o.enqueueConfirmations(2)
    expect(await o.deliver()).toMatchObject({ sent: 3, dead: 2 })
  })
})

test('a repeated attempt is the same message, also after an outage in between', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(1)
  await o.server.stop()
  expect(await o.deliver({ pause: 60 })).toMatchObject({ postponed: 1 })
  o.world.clock.advance({ minutes: 1 })
  await o.server.start()
  const firstAttempt = o.world.clock.now()
  // The server takes the message, and the connection breaks before its reply.
  o.server.injectFault = (step) => (step === 'message' ? 'drop' : undefined)
  expect(await o.deliver()).toMatchObject({ again: 1 })
  o.world.clock.advance({ minutes: 1 })
  await o.server.stop()
  expect(await o.deliver({ pause: 3600 })).toMatchObject({ postponed: 1 })
  o.world.clock.advance({ hours: 1 })
  await o.server.start()
  o.server.injectFault = () => undefined
  expect(await o.reopenTransport().deliver()).toMatchObject({ sent: 1 })
  const [first, second] = o.server.mails.map(({ mail }) => [mail.messageId, mail.date])
  expect(first?.[1]).toEqual(firstAttempt)
  expect(second).toEqual(first)
})

test('an attempt is not started with too little of the lease left; the mail is claimed again', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(12)
  o.server.injectFault = (step) => {
    // The first mail is sent alone. While the next ones are being sent, 90 seconds pass.
    if (step === 'message' && o.server.stepCounts.message === 2) o.world.clock.advance({ seconds: 90 })
    return undefined
  }
  expect(await o.deliver({ until: new Date('2027-01-01') })).toMatchObject({ sent: 12 })
  expect(o.server.mails.map(({ to }) => to[0]).sort()).toEqual(expectedAddresses(12))
  expect((await o.storedMails()).map(({ attempt }) => attempt)).toContain(2)
})

test('no attempt is started after the deadline', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(3)
  o.server.injectFault = (step) => {
    if (step === 'message') o.world.clock.advance({ seconds: 30 })
    return undefined
  }
  expect(await o.deliver()).toMatchObject({ sent: 1, postponed: 0 })
  expect((await o.storedMails()).map(({ state }) => state)).toEqual(['sent', 'pending', 'pending'])
})

test('mails are kept without SMTP, and once it is configured the still relevant ones are sent', async () => {
  await using server = await startMailServer()
  await using world = await createWorld()
  const soon = await world.workshop({ startsAt: new Date('2026-12-03T09:30:00+08:00'), capacity: 1 })
  const later = await world.workshop({ startsAt: new Date('2026-12-19T09:30:00+08:00'), capacity: 1 })
  await world.register(soon)
  const seated = await world.register(later, { email: 'seated@example.com' })
  await world.register(later, { email: 'waiting@example.com' })
  await cancelRegistration(world.deps, seated.id, 'attendee')
  expect(await countMails(world.deps)).toEqual({
    states: { pending: 0, held: 5, sending: 0, sent: 0, dead: 0 },
    oldestDueSeconds: 0,
  })

  world.clock.advance({ days: 3 })
  expect(await countMails(world.deps)).toMatchObject({ oldestDueSeconds: 3 * 24 * 3600 })
  const deps: Deps = { ...world.deps, config: { ...world.deps.config, smtpUrl: server.url } }
  const transport = createPooledTransport(deps.config) as Transport
  onTestFinished(() => transport.close())
  expect(await deliverDueMails(deps, transport)).toMatchObject({ sent: 2, dead: 3 })
  expect(await mailOutcomes(world)).toEqual([
    'confirmed: workshop_over',
    'confirmed: registration_cancelled',
    'waitlisted: promoted',
    'cancelled: sent',
    'promoted: sent',
  ])
  expect((await countMails(deps)).states).toEqual({ pending: 0, held: 0, sending: 0, sent: 2, dead: 3 })
})

test('an obsolete mail is discarded with its reason', async () => {
  await using o = await createMailHarness()
  const { world } = o
  const { deps } = world
  const soon = await world.workshop({ startsAt: new Date('2026-12-03T09:30:00+08:00') })
  const later = await world.workshop()

  const gone = await world.register(later)
  await enqueueTicketsMail(deps, 'person-1@example.com')
  await cancelRegistration(deps, gone.id, 'organiser')
  expect(await o.deliver()).toMatchObject({ sent: 1, dead: 2 })
  expect(await mailOutcomes(world)).toEqual([
    'confirmed: registration_cancelled',
    'found: no_ticket',
    'cancelled: sent',
  ])

  // Claimed when the address is corrected, and not delivered: the newer mail replaced it.
  const typo = await world.register(later)
  const [claimed] = (await claimDueMails(deps, 1, 120)).mails
  await correctEmail(deps, typo.id, 'right@example.com')
  await recordOutcome(deps, claimed as never, { kind: 'again', reason: 'busy' })
  world.clock.advance({ minutes: 1 })
  expect(await o.deliver()).toMatchObject({ sent: 1, dead: 1 })
  expect((await mailOutcomes(world)).slice(-2)).toEqual(['confirmed: address_corrected', 'confirmed: sent'])

  await world.register(soon, { email: 'late@example.com' })
  await enqueueTicketsMail(deps, 'late@example.com')
  await cancelWorkshop(deps, later.slug)
  world.clock.set('2026-12-03T20:00:00+08:00')
  await o.deliver()
  expect((await mailOutcomes(world)).slice(-3)).toEqual([
    'confirmed: workshop_over',
    'found: no_ticket',
    'cancelled: sent',
  ])

  const erased = await world.register(await world.workshop())
  await eraseRegistrations(deps, [erased.id], 'attendee')
  expect(await o.deliver()).toMatchObject({ sent: 0 })
  expect((await mailOutcomes(world)).slice(-2)).toEqual(['confirmed: person_erased', 'cancelled: person_erased'])
  expect((await countMails(deps)).states).toMatchObject({ pending: 0, sending: 0 })
})

test('a mail of a person erased while it is being sent is not retried', async () => {
  await using o = await createMailHarness()
  const { id } = await o.world.register(await o.world.workshop())
  const [claimed] = (await claimDueMails(o.world.deps, 1, 120)).mails
  await eraseRegistrations(o.world.deps, [id], 'attendee')
  expect(await recordOutcome(o.world.deps, claimed as never, { kind: 'again', reason: 'busy' })).toBeUndefined()
  o.world.clock.advance({ days: 1 })
  expect(await o.deliver()).toMatchObject({ sent: 0 })
  expect(o.server.mails).toEqual([])
})

test('retryMail sends a failed mail again for 24 hours as the same message', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(1)
  const [id] = (await query<{ id: number }>(o.world.db, sql`select id from mails`)).map((row) => Number(row.id))
  o.server.injectFault = (step) => (step === 'recipient' ? [550, '5.1.1 No such user'] : undefined)
  expect(await retryMail(o.world.deps, id as number)).toBe('not_dead')
  expect(await retryMail(o.world.deps, 4711)).toBe('not_found')
  await o.deliver()
  const [{ message_id: fixed } = { message_id: '' }] = await query<{ message_id: string }>(
    o.world.db,
    sql`select message_id from mails`,
  )
  o.world.clock.advance({ days: 2 })
  o.server.injectFault = () => undefined
  const notifications = o.world.mailQueueNotifications()
  expect(await retryMail(o.world.deps, id as number)).toBe('queued')
  expect(o.world.mailQueueNotifications()).toBe(notifications + 1)
  expect(await o.deliver()).toMatchObject({ sent: 1 })
  expect(o.server.mails[0]?.mail.messageId).toBe(`<${fixed}>`)
  expect(await retryMail(o.world.deps, id as number)).toBe('not_dead')
})

test('the delivery worker sends queued mails at the start and later ones when woken', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(2)
  const delivery = startDeliveryWorker(o.world.deps, o.transport)
  await o.server.waitForMails(2)
  await o.enqueueConfirmations(2)
  delivery.wake()
  await o.server.waitForMails(4)
  await delivery.stop()
  expect((await countMails(o.world.deps)).states).toMatchObject({ sent: 4, pending: 0, sending: 0 })
})

test('during an outage of the server the delivery worker logs once, waits and resumes', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(3)
  await o.server.stop()
  const delivery = startDeliveryWorker(o.world.deps, o.transport, { pauses: { first: 0.02, max: 0.05 } })
  // The clock is fixed, so advance it until each mail is due again.
  const passing = setInterval(() => o.world.clock.advance({ seconds: 1 }), 10)
  onTestFinished(() => clearInterval(passing))
  await waitUntil(async () => (await o.storedMails()).some(({ attempt }) => attempt > 3))
  await o.server.start()
  await o.server.waitForMails(3)
  await waitUntil(async () => o.world.logEntries.length > 1)
  await delivery.stop()
  expect(o.world.logEntries).toEqual([
    {
      level: 'error',
      message: 'mail outage: sending paused',
      facts: { reason: expect.stringContaining('ECONNREFUSED') },
    },
    { level: 'info', message: 'mail outage over', facts: {} },
  ])
  expect(o.server.mails).toHaveLength(3)
})

test('waking the delivery worker does not shorten the pause of an outage', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(5)
  o.server.injectFault = (step) => (step === 'greeting' ? 554 : undefined)
  const delivery = startDeliveryWorker(o.world.deps, o.transport, { pauses: { first: 60, max: 60 } })
  await waitUntil(async () => o.world.logEntries.length > 0)
  const tries = o.server.stepCounts.greeting
  for (let i = 0; i < 20; i++) {
    delivery.wake()
    await new Promise(setImmediate)
  }
  await delivery.stop()
  expect(o.server.stepCounts.greeting).toBe(tries)
})

test('stopping waits for mails being sent and releases claimed ones', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(30)
  let stopping: Promise<void> | undefined
  const delivery = startDeliveryWorker(o.world.deps, o.transport)
  o.server.injectFault = (step) => {
    // In the second batch: some are being sent, the others are claimed.
    if (step === 'data' && o.server.stepCounts.data === 4) stopping = delivery.stop()
    return undefined
  }
  await waitUntil(async () => stopping !== undefined)
  await stopping
  const states = (await o.storedMails()).map(({ state }) => state)
  expect(states.filter((state) => state === 'sent')).toHaveLength(o.server.mails.length)
  expect(states.filter((state) => state === 'pending').length).toBeGreaterThan(20)
  expect(states).not.toContain('sending')
  const left = 30 - o.server.mails.length
  expect(await o.reopenTransport().deliver()).toMatchObject({ sent: left })
  expect(o.server.mails.map(({ to }) => to[0]).sort()).toEqual(expectedAddresses(30))
})

test('stopping does not wait indefinitely for a server that hangs', async () => {
  await using o = await createMailHarness(createPooledTransport, undefined, {
    timeouts: { connect: 5000, socket: 60_000 },
  })
  await o.enqueueConfirmations(1)
  let hanging = false
  o.server.injectFault = (step) => {
    if (step !== 'message') return undefined
    hanging = true
    return 'hang'
  }
  const delivery = startDeliveryWorker(o.world.deps, o.transport, { shutdownTimeout: 0.1 })
  await waitUntil(async () => hanging)
  await delivery.stop()
  // It is unknown whether the server took it, so it is sent again.
  expect(await o.storedMails()).toMatchObject([{ state: 'pending', minutes: 1 }])
})

test('during an outage of the database the delivery worker logs once and resumes', async () => {
  await using o = await createMailHarness(createPooledTransport, undefined, { postgres: true })
  await using wire = await startDatabaseProxy(o.world.databaseUrl as string)
  const { db, close } = openPostgres(wire.url, { max: 2, connect_timeout: 1 })
  onTestFinished(close)
  wire.refuseConnections()
  await o.enqueueConfirmations(2)
  const delivery = startDeliveryWorker({ ...o.world.deps, db }, o.transport, {
    databasePauses: { first: 0.05, max: 0.05 },
  })
  await waitUntil(async () => o.world.logEntries.length > 0)
  await wire.acceptConnections()
  await o.server.waitForMails(2)
  await waitUntil(async () => o.world.logEntries.length > 1)
  await delivery.stop()
  expect(o.world.logEntries.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'mail delivery paused: database unavailable'],
    ['info', 'mail outage over'],
  ])
})

const expectedAddresses = (count: number) =>
  Array.from({ length: count }, (_, n) => `person-${n + 1}@example.com`).sort()

async function firstAttempts(world: World) {
  const found = await query<{ first_tried_at: unknown }>(world.db, sql`select first_tried_at from mails order by id`)
  return found.map((row) => row.first_tried_at)
}

/** Each mail with its discard reason, or else its state. */
async function mailOutcomes(world: World): Promise<string[]> {
  const found = await query<{ said: string }>(
    world.db,
    sql`select kind || ': ' || case when state = 'dead' then coalesce(reason, last_error) else state end as said from mails order by id`,
  )
  return found.map(({ said }) => said)
}

/** Polls until the condition is true. */
async function waitUntil(condition: () => Promise<boolean>) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
