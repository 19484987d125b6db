import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { findBroadcastProgress, resendBroadcast, sendBroadcast } from '../../src/domain/mails/broadcasts.ts'
import {
  claimDueMails,
  countMails,
  findDeliveryPause,
  recordOutcomes,
  retryMail,
} from '../../src/domain/mails/outbox.ts'
import type { Workshop } from '../../src/domain/workshops/workshops.ts'
import { deliverDueMails, startDeliveryWorker } from '../../src/email/delivery.ts'
import { createPooledTransport } from '../../src/email/transport.ts'
import { createMailHarness, type MailHarness } from '../support/mail/mail-harness.ts'
import type { SmtpFault } from '../support/mail/smtp-server.ts'

const actor = { name: '林老师' }
const spamRefusal: SmtpFault = [554, 'DT:SPM 126 smtp2,x']

// Counting and pausing are SQL, which must behave the same on PGlite and on Postgres.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const createHarness = (env: Record<string, string> = {}) =>
    createMailHarness(createPooledTransport, undefined, { postgres, env })

  test.each<[number, string]>([
    [554, 'DT:SPM 126 smtp2,x see http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.1&hostid=smtp2'],
    [550, 'Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&no=1000726'],
    [550, "5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy"],
    [554, 'DT:SUM'],
  ])(
    '20 mails rejected with %s %s pause delivery, and arrive once each when the server accepts',
    async (code, text) => {
      await using o = await createHarness()
      await o.enqueueConfirmations(20)
      const rejected: string[] = []
      rejectMessages(o, (to) => {
        rejected.push(to)
        // Real servers never repeat a reply verbatim.
        return [code, `${text} ${rejected.length}-${to.length}`]
      })
      expect(await o.deliver()).toMatchObject({ sent: 0, outage: undefined })
      expect(rejected.length).toBeLessThanOrEqual(10)
      expect(await countByState(o)).toEqual({ pending: 20 })
      expect(pauseLogs(o)).toEqual([
        { level: 'error', message: 'mail delivery paused', facts: { reason: expect.stringContaining(text) } },
      ])
      expect(JSON.stringify(o.world.logEntries)).not.toContain('person-')

      // Probes with one mail at a time, each time another one, after 30 s, 1, 2, 4 and 5 minutes.
      const probes: string[][] = []
      for (const seconds of [30, 60, 120, 240, 300, 300]) {
        const before = rejected.length
        o.world.clock.advance({ seconds: seconds - 1 })
        await o.deliver()
        expect(rejected).toHaveLength(before)
        o.world.clock.advance({ seconds: 1 })
        await o.deliver()
        await o.deliver()
        probes.push(rejected.slice(before))
      }
      expect(probes.map((probe) => probe.length)).toEqual([1, 1, 1, 1, 1, 1])
      expect(new Set(probes.flat()).size).toBe(6)
      expect(await countByState(o)).toEqual({ pending: 20 })
      expect(pauseLogs(o)).toHaveLength(1)
      // As if delivery had been paused for weeks.
      await o.world.db.execute(sql`update content_refusals set probes = 5000`)
      o.world.clock.advance({ minutes: 5 })
      expect(await o.deliver()).toMatchObject({ postponed: 1 })

      acceptMessages(o)
      o.world.clock.advance({ minutes: 5 })
      expect(await o.deliver()).toMatchObject({ sent: 20 })
      expect(recipients(o)).toEqual(addressRange(1, 20))
      expect(await countByState(o)).toEqual({ sent: 20 })
      expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
      expect(pauseLogs(o).map(({ message }) => message)).toEqual(['mail delivery paused', 'mail delivery resumed'])
    },
  )

  test.each<['recipient' | 'message', SmtpFault]>([
    ['recipient', [550, '5.1.1 No such user']],
    ['recipient', [554, 'Refused']],
    ['message', [550, '5.1.1 User unknown']],
  ])('20 recipients rejected after the %s with %j fail, and delivery continues', async (step, fault) => {
    await using o = await createHarness()
    await o.enqueueConfirmations(20)
    o.server.injectFault = (reached) => (reached === step ? fault : undefined)
    expect(await o.deliver()).toMatchObject({ dead: 20 })
    expect(await countByState(o)).toEqual({ dead: 20 })
    expect(pauseLogs(o)).toEqual([])
    expect(o.world.logEntries).toHaveLength(20)
    expect(o.world.logEntries[0]).toMatchObject({
      level: 'warn',
      message: 'mail refused',
      facts: { mail: 1, kind: 'confirmed', refused: 'recipient' },
    })
    acceptMessages(o)
    await o.enqueueConfirmations(1)
    expect(await o.deliver()).toMatchObject({ sent: 1 })
  })

  test('unknown recipients between content refusals neither count nor reset the count', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(9)
    rejectMessages(o, (to) => (/-[357]@/.test(to) ? [550, '5.1.1 No such user'] : spamRefusal))
    await deliverSequentially(o)
    expect(await statesInOrder(o)).toEqual('pending pending dead pending dead pending dead pending pending'.split(' '))
    expect(o.server.stepCounts.message).toBe(8)
    expect(pauseLogs(o)).toHaveLength(1)
  })

  test('an accepted mail resets the count: refused mails are retried for 24 hours and logged without personal data', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(9)
    rejectMessages(o, (to) => (to.startsWith('person-5@') ? undefined : [554, '5.7.1 Spam, dear 学员']))
    await deliverSequentially(o)
    expect(await statesInOrder(o)).toEqual(
      'pending pending pending pending sent pending pending pending pending'.split(' '),
    )
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(o.world.logEntries).toEqual(
      [1, 2, 3, 4, 6, 7, 8, 9].map((mail) => ({
        level: 'warn',
        message: 'mail refused',
        facts: { mail, kind: 'confirmed', refused: 'message', code: '554 5.7.1' },
      })),
    )
  })

  test.each([4, 6, 11])('no mail is lost with a server that accepts one attempt in %i', async (nth) => {
    await using o = await createHarness()
    await o.enqueueConfirmations(30)
    let attempts = 0
    rejectMessages(o, () => (++attempts % nth === 0 ? undefined : spamRefusal))
    for (let minutes = 0; minutes < 23 * 60; minutes++) {
      await o.deliver()
      o.world.clock.advance({ minutes: 1 })
    }
    const { sent, pending = 0, ...others } = await countByState(o)
    expect({ ...others, all: (sent ?? 0) + pending }).toEqual({ all: 30 })
    expect(new Set(recipients(o)).size).toBe(sent)
    expect(o.server.mails).toHaveLength(sent ?? 0)
    acceptMessages(o)
    for (let minutes = 0; minutes < 65; minutes++) {
      await o.deliver()
      o.world.clock.advance({ minutes: 1 })
    }
    expect(await countByState(o)).toEqual({ sent: 30 })
  })

  test('a paused delivery tries one mail at a time and resumes after five accepted in a row', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(20)
    rejectMessages(o, () => spamRefusal)
    await o.deliver()
    let accepts = 4
    rejectMessages(o, () => (accepts-- > 0 ? undefined : spamRefusal))
    o.world.clock.advance({ seconds: 30 })
    expect(await o.deliver()).toMatchObject({ sent: 4, postponed: 1, dead: 0 })
    expect(await findDeliveryPause(o.world.deps)).toBeDefined()
    acceptMessages(o)
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    // Four are not enough, whatever was accepted before the refusal.
    o.world.clock.advance({ seconds: 60 })
    const { mails } = await claimDueMails(o.world.deps, 10, 120)
    expect(mails).toHaveLength(1)
    expect((await claimDueMails(o.world.deps, 10, 120)).mails).toHaveLength(0)
    o.world.clock.advance({ seconds: 120 })
    expect(await o.deliver()).toMatchObject({ sent: 16 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(pauseLogs(o).map(({ message }) => message)).toEqual(['mail delivery paused', 'mail delivery resumed'])
  })

  test('a refused mail is not sent once it is superseded', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(6)
    const { db } = o.world
    await db.execute(sql`update mails set kind = 'cancelled', payload = '{"by": "absence"}' where id = 1`)
    await db.execute(sql`
      update registrations set status = 'cancelled', cancelled_at = created_at + interval '1 hour', cancelled_by = 'absence'
      where id = (select registration_id from mails where id = 1)`)
    rejectMessages(o, () => spamRefusal)
    const refusal = { kind: 'again', reason: 'DATA: 554', contentRefused: true } as const
    const { mails } = await claimDueMails(o.world.deps, 1, 120)
    await recordOutcomes(
      o.world.deps,
      mails.map((mail) => ({ mail, outcome: refusal })),
    )
    const [restorable] = await query<{ back: boolean }>(
      db,
      sql`select restore_no_show_seat(r, w, r.cancelled_at - interval '1 minute', r.cancelled_at) as back
          from registrations r join workshops w on w.id = r.workshop_id
          where r.id = (select registration_id from mails where id = 1)`,
    )
    expect(restorable?.back).toBe(true)
    await o.deliver()
    expect(pauseLogs(o)).toHaveLength(1)
    expect((await o.storedMails())[0]).toMatchObject({ state: 'dead', reason: 'came after all' })
  })

  test('two processes share the count of refusals', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(6)
    const { deps } = o.world
    const first = (await claimDueMails(deps, 3, 120)).mails
    const second = (await claimDueMails(deps, 2, 120)).mails
    const refusal = { kind: 'again', reason: 'DATA: 554 DT:SPM', contentRefused: true } as const
    const recorded = await Promise.all(
      [first, second].map((mails) =>
        recordOutcomes(
          deps,
          mails.map((mail) => ({ mail, outcome: refusal })),
        ),
      ),
    )
    expect(recorded.flat().filter((one) => one?.pause === 'paused')).toHaveLength(1)
    expect(await countByState(o)).toEqual({ pending: 6 })
    expect(await findDeliveryPause(deps)).toMatchObject({ reason: 'DATA: 554 DT:SPM' })
    // While delivery is paused, only one of them tries a mail.
    o.world.clock.advance({ seconds: 30 })
    const claims = await Promise.all([claimDueMails(deps, 20, 120), claimDueMails(deps, 20, 120)])
    expect(claims.flatMap(({ mails }) => mails)).toHaveLength(1)
  })

  test('two senders at once pause once, lose nothing and send nothing twice', async () => {
    await using o = await createHarness()
    await using other = await createMailHarness(createPooledTransport, undefined, { server: o.server, world: o.world })
    await o.enqueueConfirmations(40)
    rejectMessages(o, () => spamRefusal)
    await Promise.all([o.deliver(), other.deliver()])
    expect(await countByState(o)).toEqual({ pending: 40 })
    expect(pauseLogs(o)).toHaveLength(1)
    o.world.clock.advance({ seconds: 30 })
    const before = o.server.stepCounts.message
    await Promise.all([o.deliver(), other.deliver()])
    expect(o.server.stepCounts.message - before).toBe(1)
    acceptMessages(o)
    o.world.clock.advance({ minutes: 1 })
    await Promise.all([o.deliver(), other.deliver()])
    await o.deliver()
    expect(recipients(o)).toEqual(addressRange(1, 40))
  })

  test('a mail that is always refused does not delay others and expires after 24 hours', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(12)
    rejectMessages(o, () => spamRefusal)
    await o.deliver()
    rejectMessages(o, (to) => (to.startsWith('person-1@') ? spamRefusal : undefined))
    o.world.clock.advance({ seconds: 30 })
    await o.deliver()
    o.world.clock.advance({ seconds: 30 })
    await o.deliver()
    expect(recipients(o)).toEqual(addressRange(2, 12))
    for (let hour = 0; hour < 26; hour++) {
      o.world.clock.advance({ hours: 1 })
      await o.deliver()
    }
    expect(await countByState(o)).toEqual({ sent: 11, dead: 1 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
  })

  test('five mails that are always refused do not delay a new one and expire after 24 hours', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(5)
    rejectMessages(o, (to) => (/-[1-5]@/.test(to) ? spamRefusal : undefined))
    await o.deliver()
    for (let hour = 0; hour < 26; hour++) {
      o.world.clock.advance({ hours: 1 })
      await o.enqueueConfirmations(1)
      expect(await o.deliver()).toMatchObject({ sent: 1 })
    }
    for (let minutes = 0; minutes < 240; minutes += 5) {
      o.world.clock.advance({ minutes: 5 })
      await o.deliver()
    }
    expect(await countByState(o)).toEqual({ sent: 26, dead: 5 })
    await o.enqueueConfirmations(1)
    expect(await o.deliver()).toMatchObject({ sent: 1 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(pauseLogs(o).filter(({ message }) => message === 'mail delivery paused')).toHaveLength(1)
  })

  test('a paused delivery tries the next mail at once when a reply is not about the content', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(8)
    rejectMessages(o, () => spamRefusal)
    await deliverSequentially(o)
    // The three mails that were not refused come first.
    rejectMessages(o, (to) => {
      if (to.startsWith('person-6@')) return [550, '5.1.1 No such user']
      return to.startsWith('person-7@') ? [451, 'Try again later'] : undefined
    })
    o.world.clock.advance({ seconds: 30 })
    expect(await o.deliver()).toMatchObject({ dead: 1, again: 1, sent: 6 })
  })

  test('a sender that crashes while probing blocks the pause until its lease expires', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(6)
    rejectMessages(o, () => spamRefusal)
    await o.deliver()
    acceptMessages(o)
    o.world.clock.advance({ seconds: 30 })
    const [lost] = (await claimDueMails(o.world.deps, 1, 120)).mails
    o.world.clock.advance({ seconds: 119 })
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    o.world.clock.advance({ seconds: 1 })
    expect(await o.deliver()).toMatchObject({ sent: 6 })
    expect(recipients(o)).toEqual(addressRange(1, 6))
    // The crashed sender reports too late.
    const refusal = { kind: 'again', reason: 'DATA: 554', contentRefused: true } as const
    expect(await recordOutcomes(o.world.deps, [{ mail: lost as never, outcome: refusal }])).toEqual([undefined])
    expect(await countByState(o)).toEqual({ sent: 6 })
  })

  test('the time of a pause does not count towards the 24 hours', async () => {
    await using o = await createHarness()
    await o.enqueueConfirmations(1)
    o.server.injectFault = (step) => (step === 'recipient' ? 451 : undefined)
    await o.deliver()
    await o.enqueueConfirmations(5)
    rejectMessages(o, () => spamRefusal)
    await o.deliver()
    expect(pauseLogs(o)).toHaveLength(1)
    o.world.clock.advance({ hours: 30 })
    acceptMessages(o)
    o.server.injectFault = (step, to) => (step === 'recipient' && to?.startsWith('person-1@') ? 451 : undefined)
    expect(await o.deliver()).toMatchObject({ sent: 5, again: 1, dead: 0 })
  })

  test('a refused broadcast is paused on its own: tickets are sent at once, and resending reaches the rest', async () => {
    await using o = await createHarness()
    const workshop = await createWorkshopWithMailedTickets(o, 20)
    const id = await sendBroadcastTo(o, workshop)
    rejectMessages(o, (to) => (to.startsWith('person-') ? spamRefusal : undefined))
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    expect(o.server.stepCounts.message).toBeLessThanOrEqual(20 + 10)
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({
      states: { pending: 20, sending: 0, sent: 0, dead: 0 },
      paused: { since: o.world.clock.now(), reason: expect.stringContaining('DT:SPM') },
    })
    expect(o.world.logEntries.filter(({ message }) => message === 'message paused')).toEqual([
      { level: 'warn', message: 'message paused', facts: { message: id, reason: expect.stringContaining('DT:SPM') } },
    ])

    const ticket = await o.world.register(await o.world.workshop(), { email: 'ticket@example.com' })
    expect(ticket.status).toBe('confirmed')
    expect(await o.deliver()).toMatchObject({ sent: 1 })
    const tried = o.server.stepCounts.message
    o.world.clock.advance({ days: 1 })
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    expect(o.server.stepCounts.message).toBe(tried)

    // The server accepts for a while: nobody gets the broadcast twice.
    let accepts = 7
    rejectMessages(o, () => (accepts-- > 0 ? undefined : spamRefusal))
    expect(await resendBroadcast(o.world.deps, actor, id)).toBe(20)
    await deliverSequentially(o)
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({
      states: { pending: 13, sent: 7, dead: 0 },
      paused: { reason: expect.stringContaining('DT:SPM') },
    })
    acceptMessages(o)
    expect(await resendBroadcast(o.world.deps, actor, id)).toBe(13)
    expect(await resendBroadcast(o.world.deps, actor, id)).toBeUndefined()
    expect(await o.deliver()).toMatchObject({ sent: 13 })
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({ states: { sent: 20 }, paused: null })
    expect(
      o.server.mails
        .filter(({ mail }) => mail.subject === '通知')
        .map(({ to }) => to[0])
        .sort(),
    ).toEqual(addressRange(1, 20))
  })

  test('retryMail rejects a failed mail of a paused broadcast, and oldestDueSeconds excludes the broadcast', async () => {
    await using o = await createHarness()
    const workshop = await createWorkshopWithMailedTickets(o, 9)
    const id = await sendBroadcastTo(o, workshop)
    rejectMessages(o, (to) => (to.startsWith('person-1@') ? [550, '5.1.1 No such user'] : spamRefusal))
    await o.deliver()
    expect((await findBroadcastProgress(o.world.deps, id))?.paused).not.toBeNull()
    const [dead] = await query<{ id: number | string }>(o.world.db, sql`select id from mails where state = 'dead'`)
    expect(await retryMail(o.world.deps, Number(dead?.id))).toBe('message_paused')
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({ states: { dead: 1 } })
    o.world.clock.advance({ hours: 1 })
    expect((await countMails(o.world.deps)).oldestDueSeconds).toBe(0)
    expect(await resendBroadcast(o.world.deps, actor, id)).toBe(8)
    expect(await retryMail(o.world.deps, Number(dead?.id))).toBe('queued')
  })

  test('resendBroadcast skips the refused mail of a person who moved to another workshop', async () => {
    await using o = await createHarness()
    const campaign = await o.world.campaign()
    const [from, to] = [
      await o.world.workshop({ campaignId: campaign.id }),
      await o.world.workshop({ campaignId: campaign.id }),
    ]
    const { id: person } = await o.world.register(from)
    await o.deliver()
    const id = await sendBroadcastTo(o, from)
    rejectMessages(o, () => spamRefusal)
    await o.deliver()
    const moved = await query<{ outcome: string }>(
      o.world.db,
      sql`select outcome from move_registration(${person}::uuid, ${to.id}::uuid, ${o.world.clock.now().toISOString()}::timestamptz)`,
    )
    expect(moved).toEqual([{ outcome: 'confirmed' }])
    expect(await resendBroadcast(o.world.deps, actor, id)).toBeUndefined()
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({ states: { dead: 1 }, refused: 0 })
  })

  test('resendBroadcast retries refused and expired mails but not those to unknown recipients', async () => {
    await using o = await createHarness()
    const workshop = await createWorkshopWithMailedTickets(o, 4)
    const id = await sendBroadcastTo(o, workshop)
    rejectMessages(o, (to) => (to.startsWith('person-1@') ? [550, '5.1.1 No such user'] : spamRefusal))
    for (let hour = 0; hour < 26; hour++) {
      await o.deliver()
      o.world.clock.advance({ hours: 1 })
    }
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({
      states: { dead: 4 },
      refused: 3,
      paused: null,
    })
    acceptMessages(o)
    expect(await resendBroadcast(o.world.deps, actor, id)).toBe(3)
    expect(await o.deliver()).toMatchObject({ sent: 3 })
    expect(await findBroadcastProgress(o.world.deps, id)).toMatchObject({ states: { sent: 3, dead: 1 }, refused: 0 })
  })

  test('accepted broadcast mails do not reset the count of refused tickets', async () => {
    await using o = await createHarness()
    const workshop = await createWorkshopWithMailedTickets(o, 9)
    const id = await sendBroadcastTo(o, workshop)
    await o.enqueueConfirmations(9)
    // Tickets and broadcast mails alternate.
    await o.world.db.execute(sql`
      update mails set due_at = due_at + interval '1 ms' * case when broadcast_id is null then 2 * (id - 9) else 2 * id + 1 end
      where state = 'pending'`)
    o.world.clock.advance({ seconds: 1 })
    rejectMessages(o, (to) => (/-1\d@/.test(to) ? spamRefusal : undefined))
    await deliverSequentially(o)
    const sent = (await findBroadcastProgress(o.world.deps, id))?.states.sent ?? 0
    expect(sent).toBeGreaterThan(1)
    expect(sent).toBeLessThan(9)
    expect(await findDeliveryPause(o.world.deps)).toBeDefined()
    // While delivery is paused, tickets are tried, not the broadcast, which would be accepted and end the pause.
    o.world.clock.advance({ seconds: 30 })
    expect(await o.deliver()).toMatchObject({ sent: 0, postponed: 1 })
    expect(await findDeliveryPause(o.world.deps)).toBeDefined()
    acceptMessages(o)
    o.world.clock.advance({ minutes: 1 })
    expect(await o.deliver()).toMatchObject({ sent: 9 + 9 - sent })
  })

  test('with MAIL_RATE a resent broadcast leaves every other slot to tickets', async () => {
    await using o = await createHarness({ MAIL_RATE: '60' })
    const workshop = await createWorkshopWithMailedTickets(o, 6)
    o.world.clock.advance({ minutes: 1 })
    const id = await sendBroadcastTo(o, workshop)
    o.world.clock.advance({ hours: 1 })
    rejectMessages(o, () => spamRefusal)
    await o.deliver()
    o.world.clock.advance({ hours: 1 })
    acceptMessages(o)
    expect(await resendBroadcast(o.world.deps, actor, id)).toBe(6)
    const due = (await o.storedMails()).flatMap(({ state, minutes }) => (state === 'pending' ? [minutes] : []))
    expect(due.map((minutes) => (minutes as number) * 60)).toEqual([0, 2, 4, 6, 8, 10])
  })
})

test('the delivery worker waits for the next probe while delivery is paused, and resumes by itself', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(8)
  rejectMessages(o, () => spamRefusal)
  const delivery = startDeliveryWorker(o.world.deps, o.transport)
  onTestFinished(() => delivery.stop())
  await waitUntil(async () => pauseLogs(o).length > 0 && !(await countByState(o)).sending)
  const tried = o.server.stepCounts.message
  for (let wakes = 0; wakes < 20; wakes++) {
    delivery.wake()
    await new Promise(setImmediate)
  }
  expect(o.server.stepCounts.message).toBe(tried)
  acceptMessages(o)
  o.world.clock.advance({ seconds: 30 })
  delivery.wake()
  await o.server.waitForMails(8)
  await waitUntil(async () => pauseLogs(o).length > 1)
  expect(pauseLogs(o).map(({ message }) => message)).toEqual(['mail delivery paused', 'mail delivery resumed'])
})

test('the delivery worker logs no end of an outage that turns into a pause', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(8)
  o.server.injectFault = (step) => (step === 'sender' ? [553, 'Mail from must equal authorized user'] : undefined)
  const delivery = startDeliveryWorker(o.world.deps, o.transport, { pauses: { first: 0.01, max: 0.01 } })
  onTestFinished(() => delivery.stop())
  await waitUntil(async () => pauseLogs(o).length > 0)
  rejectMessages(o, () => spamRefusal)
  await waitUntil(async () => {
    o.world.clock.advance({ seconds: 1 })
    return pauseLogs(o).length > 1
  })
  acceptMessages(o)
  await waitUntil(async () => {
    o.world.clock.advance({ seconds: 30 })
    delivery.wake()
    return (await countByState(o)).sent === 8
  })
  await waitUntil(async () => pauseLogs(o).length > 2)
  expect(pauseLogs(o).map(({ message }) => message)).toEqual([
    'mail outage: sending paused',
    'mail delivery paused',
    'mail delivery resumed',
  ])
})

test('a mail that could not be delivered for 24 hours is logged', async () => {
  await using o = await createMailHarness()
  await o.enqueueConfirmations(1)
  o.server.injectFault = (step) => (step === 'recipient' ? [451, '4.7.1 Greylisted'] : undefined)
  for (let hour = 0; hour < 30; hour++) {
    await o.deliver()
    o.world.clock.advance({ hours: 1 })
  }
  expect(o.world.logEntries).toEqual([
    {
      level: 'warn',
      message: 'mail expired',
      facts: { mail: 1, kind: 'confirmed', code: '451 4.7.1' },
    },
  ])
})

/** Answers the end of DATA with the given reply for the recipient. */
function rejectMessages({ server }: MailHarness, reply: (to: string) => SmtpFault | undefined) {
  server.injectFault = (step, to = '') => (step === 'message' ? reply(to) : undefined)
}

/** Delivers due mails over one connection, so that their order is fixed. */
function deliverSequentially({ world, transport }: MailHarness) {
  return deliverDueMails(world.deps, { ...transport, concurrency: 1 })
}

function acceptMessages({ server }: MailHarness) {
  server.injectFault = () => undefined
}

/** A workshop whose attendees have received their tickets. */
async function createWorkshopWithMailedTickets(harness: MailHarness, count: number): Promise<Workshop> {
  const workshop = await harness.world.workshop({ capacity: count })
  for (let n = 0; n < count; n++) await harness.world.register(workshop)
  expect(await harness.deliver()).toMatchObject({ sent: count })
  return workshop
}

/** Sends a broadcast to everyone of a workshop and returns its id. */
async function sendBroadcastTo(harness: MailHarness, workshop: Workshop): Promise<string> {
  const id = harness.world.deps.newId()
  const audience = { about: { workshopId: workshop.id }, workshops: [workshop], filter: {} }
  const outcome = await sendBroadcast(harness.world.deps, actor, { id, audience, subject: '通知', body: '你好' })
  expect(outcome).toMatchObject({ kind: 'sent' })
  return id
}

async function countByState(harness: MailHarness): Promise<Record<string, number>> {
  const counted = await query<{ state: string; n: number }>(
    harness.world.db,
    sql`select state, count(*)::int as n from mails group by state`,
  )
  return Object.fromEntries(counted.map(({ state, n }) => [state, n]))
}

async function statesInOrder(harness: MailHarness): Promise<string[]> {
  return (await harness.storedMails()).map(({ state }) => state)
}

/** Log entries about pauses, not about single mails. */
function pauseLogs(harness: MailHarness) {
  return harness.world.logEntries.filter(({ message }) => message !== 'mail refused')
}

function recipients(harness: MailHarness): string[] {
  return harness.server.mails.map(({ to }) => to[0] as string).sort()
}

function addressRange(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, n) => `person-${first + n}@example.com`).sort()
}

async function waitUntil(condition: () => Promise<boolean>) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
