import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { rows } from '../../src/db/database.ts'
import { claimDueMails, countMails, findDeliveryPause, recordOutcomes, sendAgain } from '../../src/domain/mails.ts'
import { messageProgress, resendMessage, sendMessage } from '../../src/domain/messages.ts'
import type { Workshop } from '../../src/domain/workshops.ts'
import { deliverDue, startDelivery } from '../../src/mail/delivery.ts'
import { openTransport } from '../../src/mail/transport.ts'
import { type Office, openOffice } from '../support/office.ts'
import type { Mishap } from '../support/smtp.ts'

const actor = { name: '林老师' }
const spam: Mishap = [554, 'DT:SPM 126 smtp2,x']

// Counting and pausing are SQL, and must not depend on which Postgres runs it.
describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('on $where', ({ postgres }) => {
  const office = (env: Record<string, string> = {}) => openOffice(openTransport, undefined, { postgres, env })

  test.each<[number, string]>([
    [554, 'DT:SPM 126 smtp2,x see http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.1&hostid=smtp2'],
    [550, 'Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&no=1000726'],
    [550, "5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy"],
    [554, 'DT:SUM'],
  ])('20 mails refused with %s %s pause delivery, and arrive once each when the server accepts', async (code, text) => {
    await using o = await office()
    await o.owe(20)
    const refused: string[] = []
    refuse(o, (to) => {
      refused.push(to)
      // As with real servers no two replies are alike.
      return [code, `${text} ${refused.length}-${to.length}`]
    })
    expect(await o.deliver()).toMatchObject({ sent: 0, standstill: undefined })
    expect(refused.length).toBeLessThanOrEqual(10)
    expect(await states(o)).toEqual({ pending: 20 })
    expect(pauses(o)).toEqual([
      { level: 'error', message: 'mail delivery paused', facts: { reason: expect.stringContaining(text) } },
    ])
    expect(JSON.stringify(o.world.logged)).not.toContain('person-')

    // One mail at a time, each time another one, after 30 s, 1, 2, 4 and 5 minutes.
    const probes: string[][] = []
    for (const seconds of [30, 60, 120, 240, 300, 300]) {
      const before = refused.length
      o.world.clock.advance({ seconds: seconds - 1 })
      await o.deliver()
      expect(refused).toHaveLength(before)
      o.world.clock.advance({ seconds: 1 })
      await o.deliver()
      await o.deliver()
      probes.push(refused.slice(before))
    }
    expect(probes.map((tried) => tried.length)).toEqual([1, 1, 1, 1, 1, 1])
    expect(new Set(probes.flat()).size).toBe(6)
    expect(await states(o)).toEqual({ pending: 20 })
    expect(pauses(o)).toHaveLength(1)
    // As if it had been paused for weeks.
    await o.world.db.execute(sql`update content_refusals set probes = 5000`)
    o.world.clock.advance({ minutes: 5 })
    expect(await o.deliver()).toMatchObject({ postponed: 1 })

    accept(o)
    o.world.clock.advance({ minutes: 5 })
    expect(await o.deliver()).toMatchObject({ sent: 20 })
    expect(arrived(o)).toEqual(people(1, 20))
    expect(await states(o)).toEqual({ sent: 20 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(pauses(o).map(({ message }) => message)).toEqual(['mail delivery paused', 'mail delivery resumed'])
  })

  test.each<['recipient' | 'message', Mishap]>([
    ['recipient', [550, '5.1.1 No such user']],
    ['recipient', [554, 'Refused']],
    ['message', [550, '5.1.1 User unknown']],
  ])('20 addresses that the server refuses after the %s with %j fail, and delivery goes on', async (step, mishap) => {
    await using o = await office()
    await o.owe(20)
    o.server.mishap = (reached) => (reached === step ? mishap : undefined)
    expect(await o.deliver()).toMatchObject({ dead: 20 })
    expect(await states(o)).toEqual({ dead: 20 })
    expect(pauses(o)).toEqual([])
    expect(o.world.logged).toHaveLength(20)
    expect(o.world.logged[0]).toMatchObject({
      level: 'warn',
      message: 'mail refused',
      facts: { mail: 1, kind: 'confirmed', refused: 'recipient' },
    })
    accept(o)
    await o.owe(1)
    expect(await o.deliver()).toMatchObject({ sent: 1 })
  })

  test('unknown users between refusals of content neither count nor end the row', async () => {
    await using o = await office()
    await o.owe(9)
    refuse(o, (to) => (/-[357]@/.test(to) ? [550, '5.1.1 No such user'] : spam))
    await deliverOneByOne(o)
    expect(await inStates(o)).toEqual('pending pending dead pending dead pending dead pending pending'.split(' '))
    expect(o.server.reached.message).toBe(8)
    expect(pauses(o)).toHaveLength(1)
  })

  test('an accepted mail ends the row: what was refused is tried again for 24 hours, and logged without personal data', async () => {
    await using o = await office()
    await o.owe(9)
    refuse(o, (to) => (to.startsWith('person-5@') ? undefined : [554, '5.7.1 Spam, dear 学员']))
    await deliverOneByOne(o)
    expect(await inStates(o)).toEqual('pending pending pending pending sent pending pending pending pending'.split(' '))
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(o.world.logged).toEqual(
      [1, 2, 3, 4, 6, 7, 8, 9].map((mail) => ({
        level: 'warn',
        message: 'mail refused',
        facts: { mail, kind: 'confirmed', refused: 'message', code: '554 5.7.1' },
      })),
    )
  })

  test.each([4, 6, 11])('no mail is lost with a server that accepts one attempt in %i', async (nth) => {
    await using o = await office()
    await o.owe(30)
    let attempts = 0
    refuse(o, () => (++attempts % nth === 0 ? undefined : spam))
    for (let minutes = 0; minutes < 23 * 60; minutes++) {
      await o.deliver()
      o.world.clock.advance({ minutes: 1 })
    }
    const { sent, pending = 0, ...others } = await states(o)
    expect({ ...others, all: (sent ?? 0) + pending }).toEqual({ all: 30 })
    expect(new Set(arrived(o)).size).toBe(sent)
    expect(o.server.mails).toHaveLength(sent ?? 0)
    accept(o)
    for (let minutes = 0; minutes < 65; minutes++) {
      await o.deliver()
      o.world.clock.advance({ minutes: 1 })
    }
    expect(await states(o)).toEqual({ sent: 30 })
  })

  test('after the first accepted mail one is tried at a time, and five accepted in a row end the pause', async () => {
    await using o = await office()
    await o.owe(20)
    refuse(o, () => spam)
    await o.deliver()
    let accepts = 4
    refuse(o, () => (accepts-- > 0 ? undefined : spam))
    o.world.clock.advance({ seconds: 30 })
    expect(await o.deliver()).toMatchObject({ sent: 4, postponed: 1, dead: 0 })
    expect(await findDeliveryPause(o.world.deps)).toBeDefined()
    accept(o)
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    // Four do not end it, whatever was accepted before the refusal.
    o.world.clock.advance({ seconds: 60 })
    const { mails } = await claimDueMails(o.world.deps, 10, 120)
    expect(mails).toHaveLength(1)
    expect((await claimDueMails(o.world.deps, 10, 120)).mails).toHaveLength(0)
    o.world.clock.advance({ seconds: 120 })
    expect(await o.deliver()).toMatchObject({ sent: 16 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(pauses(o).map(({ message }) => message)).toEqual(['mail delivery paused', 'mail delivery resumed'])
  })

  test('a mail that was refused is not sent once it is superseded', async () => {
    await using o = await office()
    await o.owe(6)
    const { db } = o.world
    await db.execute(sql`update mails set kind = 'cancelled', facts = '{"by": "absence"}' where id = 1`)
    await db.execute(sql`
      update registrations set status = 'cancelled', cancelled_at = created_at + interval '1 hour', cancelled_by = 'absence'
      where id = (select registration_id from mails where id = 1)`)
    refuse(o, () => spam)
    const refusal = { kind: 'again', reason: 'DATA: 554', contentRefused: true } as const
    const { mails } = await claimDueMails(o.world.deps, 1, 120)
    await recordOutcomes(
      o.world.deps,
      mails.map((mail) => ({ mail, outcome: refusal })),
    )
    const [back] = await rows<{ back: boolean }>(
      db,
      sql`select came_in_time(r, w, r.cancelled_at - interval '1 minute', r.cancelled_at) as back
          from registrations r join workshops w on w.id = r.workshop_id
          where r.id = (select registration_id from mails where id = 1)`,
    )
    expect(back?.back).toBe(true)
    await o.deliver()
    expect(pauses(o)).toHaveLength(1)
    expect((await o.stored())[0]).toMatchObject({ state: 'dead', reason: 'came after all' })
  })

  test('two processes count together', async () => {
    await using o = await office()
    await o.owe(6)
    const { deps } = o.world
    const mine = (await claimDueMails(deps, 3, 120)).mails
    const theirs = (await claimDueMails(deps, 2, 120)).mails
    const refusal = { kind: 'again', reason: 'DATA: 554 DT:SPM', contentRefused: true } as const
    const recorded = await Promise.all(
      [mine, theirs].map((mails) =>
        recordOutcomes(
          deps,
          mails.map((mail) => ({ mail, outcome: refusal })),
        ),
      ),
    )
    expect(recorded.flat().filter((one) => one?.pause === 'paused')).toHaveLength(1)
    expect(await states(o)).toEqual({ pending: 6 })
    expect(await findDeliveryPause(deps)).toMatchObject({ reason: 'DATA: 554 DT:SPM' })
    // While it is paused only one of them tries a mail.
    o.world.clock.advance({ seconds: 30 })
    const claims = await Promise.all([claimDueMails(deps, 20, 120), claimDueMails(deps, 20, 120)])
    expect(claims.flatMap(({ mails }) => mails)).toHaveLength(1)
  })

  test('two senders at once pause once, lose nothing and send nothing twice', async () => {
    await using o = await office()
    await using other = await openOffice(openTransport, undefined, { server: o.server, world: o.world })
    await o.owe(40)
    refuse(o, () => spam)
    await Promise.all([o.deliver(), other.deliver()])
    expect(await states(o)).toEqual({ pending: 40 })
    expect(pauses(o)).toHaveLength(1)
    o.world.clock.advance({ seconds: 30 })
    const before = o.server.reached.message
    await Promise.all([o.deliver(), other.deliver()])
    expect(o.server.reached.message - before).toBe(1)
    accept(o)
    o.world.clock.advance({ minutes: 1 })
    await Promise.all([o.deliver(), other.deliver()])
    await o.deliver()
    expect(arrived(o)).toEqual(people(1, 40))
  })

  test('a mail that is refused in any case does not delay others, and expires after 24 hours', async () => {
    await using o = await office()
    await o.owe(12)
    refuse(o, () => spam)
    await o.deliver()
    refuse(o, (to) => (to.startsWith('person-1@') ? spam : undefined))
    o.world.clock.advance({ seconds: 30 })
    await o.deliver()
    o.world.clock.advance({ seconds: 30 })
    await o.deliver()
    expect(arrived(o)).toEqual(people(2, 12))
    for (let hour = 0; hour < 26; hour++) {
      o.world.clock.advance({ hours: 1 })
      await o.deliver()
    }
    expect(await states(o)).toEqual({ sent: 11, dead: 1 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
  })

  test('five mails that are refused in any case do not delay a new one, and expire after 24 hours', async () => {
    await using o = await office()
    await o.owe(5)
    refuse(o, (to) => (/-[1-5]@/.test(to) ? spam : undefined))
    await o.deliver()
    for (let hour = 0; hour < 26; hour++) {
      o.world.clock.advance({ hours: 1 })
      await o.owe(1)
      expect(await o.deliver()).toMatchObject({ sent: 1 })
    }
    for (let minutes = 0; minutes < 240; minutes += 5) {
      o.world.clock.advance({ minutes: 5 })
      await o.deliver()
    }
    expect(await states(o)).toEqual({ sent: 26, dead: 5 })
    await o.owe(1)
    expect(await o.deliver()).toMatchObject({ sent: 1 })
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(pauses(o).filter(({ message }) => message === 'mail delivery paused')).toHaveLength(1)
  })

  test('delivery tries the next mail at once while it is paused, when a reply is not about the content', async () => {
    await using o = await office()
    await o.owe(8)
    refuse(o, () => spam)
    await deliverOneByOne(o)
    // The three that were not refused come first.
    refuse(o, (to) => {
      if (to.startsWith('person-6@')) return [550, '5.1.1 No such user']
      return to.startsWith('person-7@') ? [451, 'Try again later'] : undefined
    })
    o.world.clock.advance({ seconds: 30 })
    expect(await o.deliver()).toMatchObject({ dead: 1, again: 1, sent: 6 })
  })

  test('a sender that dies while it tries a mail holds the pause until its lease runs out', async () => {
    await using o = await office()
    await o.owe(6)
    refuse(o, () => spam)
    await o.deliver()
    accept(o)
    o.world.clock.advance({ seconds: 30 })
    const [lost] = (await claimDueMails(o.world.deps, 1, 120)).mails
    o.world.clock.advance({ seconds: 119 })
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    o.world.clock.advance({ seconds: 1 })
    expect(await o.deliver()).toMatchObject({ sent: 6 })
    expect(arrived(o)).toEqual(people(1, 6))
    // What the dead one would have said comes too late.
    const refusal = { kind: 'again', reason: 'DATA: 554', contentRefused: true } as const
    expect(await recordOutcomes(o.world.deps, [{ mail: lost as never, outcome: refusal }])).toEqual([undefined])
    expect(await states(o)).toEqual({ sent: 6 })
  })

  test('time in which delivery is paused does not count as time in which a mail was tried', async () => {
    await using o = await office()
    await o.owe(1)
    o.server.mishap = (step) => (step === 'recipient' ? 451 : undefined)
    await o.deliver()
    await o.owe(5)
    refuse(o, () => spam)
    await o.deliver()
    expect(pauses(o)).toHaveLength(1)
    o.world.clock.advance({ hours: 30 })
    accept(o)
    o.server.mishap = (step, to) => (step === 'recipient' && to?.startsWith('person-1@') ? 451 : undefined)
    expect(await o.deliver()).toMatchObject({ sent: 5, again: 1, dead: 0 })
  })

  test('a message that is refused is paused alone: tickets go out at once, and sending it again reaches the rest', async () => {
    await using o = await office()
    const workshop = await filled(o, 20)
    const id = await broadcast(o, workshop)
    refuse(o, (to) => (to.startsWith('person-') ? spam : undefined))
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    expect(o.server.reached.message).toBeLessThanOrEqual(20 + 10)
    expect(await findDeliveryPause(o.world.deps)).toBeUndefined()
    expect(await messageProgress(o.world.deps, id)).toMatchObject({
      states: { pending: 20, sending: 0, sent: 0, dead: 0 },
      paused: { since: o.world.clock.now(), reason: expect.stringContaining('DT:SPM') },
    })
    expect(o.world.logged.filter(({ message }) => message === 'message paused')).toEqual([
      { level: 'warn', message: 'message paused', facts: { message: id, reason: expect.stringContaining('DT:SPM') } },
    ])

    const ticket = await o.world.register(await o.world.workshop(), { email: 'ticket@example.com' })
    expect(ticket.status).toBe('confirmed')
    expect(await o.deliver()).toMatchObject({ sent: 1 })
    const tried = o.server.reached.message
    o.world.clock.advance({ days: 1 })
    expect(await o.deliver()).toMatchObject({ sent: 0 })
    expect(o.server.reached.message).toBe(tried)

    // The server accepts it for a while: nobody gets it twice.
    let accepts = 7
    refuse(o, () => (accepts-- > 0 ? undefined : spam))
    expect(await resendMessage(o.world.deps, actor, id)).toBe(20)
    await deliverOneByOne(o)
    expect(await messageProgress(o.world.deps, id)).toMatchObject({
      states: { pending: 13, sent: 7, dead: 0 },
      paused: { reason: expect.stringContaining('DT:SPM') },
    })
    accept(o)
    expect(await resendMessage(o.world.deps, actor, id)).toBe(13)
    expect(await resendMessage(o.world.deps, actor, id)).toBeUndefined()
    expect(await o.deliver()).toMatchObject({ sent: 13 })
    expect(await messageProgress(o.world.deps, id)).toMatchObject({ states: { sent: 20 }, paused: null })
    expect(
      o.server.mails
        .filter(({ mail }) => mail.subject === '通知')
        .map(({ to }) => to[0])
        .sort(),
    ).toEqual(people(1, 20))
  })

  test('sendAgain rejects a failed mail of a message that is paused, and oldestDueSeconds leaves the message out', async () => {
    await using o = await office()
    const workshop = await filled(o, 9)
    const id = await broadcast(o, workshop)
    refuse(o, (to) => (to.startsWith('person-1@') ? [550, '5.1.1 No such user'] : spam))
    await o.deliver()
    expect((await messageProgress(o.world.deps, id))?.paused).not.toBeNull()
    const [dead] = await rows<{ id: number | string }>(o.world.db, sql`select id from mails where state = 'dead'`)
    expect(await sendAgain(o.world.deps, Number(dead?.id))).toBe('message_paused')
    expect(await messageProgress(o.world.deps, id)).toMatchObject({ states: { dead: 1 } })
    o.world.clock.advance({ hours: 1 })
    expect((await countMails(o.world.deps)).oldestDueSeconds).toBe(0)
    expect(await resendMessage(o.world.deps, actor, id)).toBe(8)
    expect(await sendAgain(o.world.deps, Number(dead?.id))).toBe('owed')
  })

  test('a refused mail of a message is not sent again with it after the person moved to another workshop', async () => {
    await using o = await office()
    const campaign = await o.world.campaign()
    const [here, there] = [
      await o.world.workshop({ campaignId: campaign.id }),
      await o.world.workshop({ campaignId: campaign.id }),
    ]
    const { id: person } = await o.world.register(here)
    await o.deliver()
    const id = await broadcast(o, here)
    refuse(o, () => spam)
    await o.deliver()
    const moved = await rows<{ outcome: string }>(
      o.world.db,
      sql`select outcome from move_registration(${person}::uuid, ${there.id}::uuid, ${o.world.clock.now().toISOString()}::timestamptz)`,
    )
    expect(moved).toEqual([{ outcome: 'confirmed' }])
    expect(await resendMessage(o.world.deps, actor, id)).toBeUndefined()
    expect(await messageProgress(o.world.deps, id)).toMatchObject({ states: { dead: 1 }, refused: 0 })
  })

  test('mails of a message that were refused and failed are sent again with it, unknown addresses are not', async () => {
    await using o = await office()
    const workshop = await filled(o, 4)
    const id = await broadcast(o, workshop)
    refuse(o, (to) => (to.startsWith('person-1@') ? [550, '5.1.1 No such user'] : spam))
    for (let hour = 0; hour < 26; hour++) {
      await o.deliver()
      o.world.clock.advance({ hours: 1 })
    }
    expect(await messageProgress(o.world.deps, id)).toMatchObject({ states: { dead: 4 }, refused: 3, paused: null })
    accept(o)
    expect(await resendMessage(o.world.deps, actor, id)).toBe(3)
    expect(await o.deliver()).toMatchObject({ sent: 3 })
    expect(await messageProgress(o.world.deps, id)).toMatchObject({ states: { sent: 3, dead: 1 }, refused: 0 })
  })

  test('accepted mails of a message do not end the row of refused tickets', async () => {
    await using o = await office()
    const workshop = await filled(o, 9)
    const id = await broadcast(o, workshop)
    await o.owe(9)
    // A ticket and a mail of the message by turns.
    await o.world.db.execute(sql`
      update mails set due_at = due_at + interval '1 ms' * case when written_id is null then 2 * (id - 9) else 2 * id + 1 end
      where state = 'pending'`)
    o.world.clock.advance({ seconds: 1 })
    refuse(o, (to) => (/-1\d@/.test(to) ? spam : undefined))
    await deliverOneByOne(o)
    const sent = (await messageProgress(o.world.deps, id))?.states.sent ?? 0
    expect(sent).toBeGreaterThan(1)
    expect(sent).toBeLessThan(9)
    expect(await findDeliveryPause(o.world.deps)).toBeDefined()
    // While delivery is paused, tickets are tried and not the message, which would be accepted and end the pause.
    o.world.clock.advance({ seconds: 30 })
    expect(await o.deliver()).toMatchObject({ sent: 0, postponed: 1 })
    expect(await findDeliveryPause(o.world.deps)).toBeDefined()
    accept(o)
    o.world.clock.advance({ minutes: 1 })
    expect(await o.deliver()).toMatchObject({ sent: 9 + 9 - sent })
  })

  test('a message that is sent again leaves tickets their turn where MAIL_RATE is set', async () => {
    await using o = await office({ MAIL_RATE: '60' })
    const workshop = await filled(o, 6)
    o.world.clock.advance({ minutes: 1 })
    const id = await broadcast(o, workshop)
    o.world.clock.advance({ hours: 1 })
    refuse(o, () => spam)
    await o.deliver()
    o.world.clock.advance({ hours: 1 })
    accept(o)
    expect(await resendMessage(o.world.deps, actor, id)).toBe(6)
    const due = (await o.stored()).flatMap(({ state, minutes }) => (state === 'pending' ? [minutes] : []))
    expect(due.map((minutes) => (minutes as number) * 60)).toEqual([0, 2, 4, 6, 8, 10])
  })
})

test('delivery waits for the next try while it is paused, and goes on by itself', async () => {
  await using o = await openOffice()
  await o.owe(8)
  refuse(o, () => spam)
  const delivery = startDelivery(o.world.deps, o.transport)
  onTestFinished(() => delivery.stop())
  await until(async () => pauses(o).length > 0 && !(await states(o)).sending)
  const tried = o.server.reached.message
  for (let wakes = 0; wakes < 20; wakes++) {
    delivery.wake()
    await new Promise(setImmediate)
  }
  expect(o.server.reached.message).toBe(tried)
  accept(o)
  o.world.clock.advance({ seconds: 30 })
  delivery.wake()
  await o.server.received(8)
  await until(async () => pauses(o).length > 1)
  expect(pauses(o).map(({ message }) => message)).toEqual(['mail delivery paused', 'mail delivery resumed'])
})

test('delivery does not log that mail flows again when an outage ends in a pause', async () => {
  await using o = await openOffice()
  await o.owe(8)
  o.server.mishap = (step) => (step === 'sender' ? [553, 'Mail from must equal authorized user'] : undefined)
  const delivery = startDelivery(o.world.deps, o.transport, { pauses: { first: 0.01, most: 0.01 } })
  onTestFinished(() => delivery.stop())
  await until(async () => pauses(o).length > 0)
  refuse(o, () => spam)
  await until(async () => {
    o.world.clock.advance({ seconds: 1 })
    return pauses(o).length > 1
  })
  accept(o)
  await until(async () => {
    o.world.clock.advance({ seconds: 30 })
    delivery.wake()
    return (await states(o)).sent === 8
  })
  await until(async () => pauses(o).length > 2)
  expect(pauses(o).map(({ message }) => message)).toEqual([
    'mail stands still: nothing can be sent',
    'mail delivery paused',
    'mail delivery resumed',
  ])
})

test('a mail that could not be delivered for 24 hours is logged', async () => {
  await using o = await openOffice()
  await o.owe(1)
  o.server.mishap = (step) => (step === 'recipient' ? [451, '4.7.1 Greylisted'] : undefined)
  for (let hour = 0; hour < 30; hour++) {
    await o.deliver()
    o.world.clock.advance({ hours: 1 })
  }
  expect(o.world.logged).toEqual([
    {
      level: 'warn',
      message: 'mail expired',
      facts: { mail: 1, kind: 'confirmed', code: '451 4.7.1' },
    },
  ])
})

/** After the text of a message the server answers what this says for the recipient. */
function refuse({ server }: Office, reply: (to: string) => Mishap | undefined) {
  server.mishap = (step, to = '') => (step === 'message' ? reply(to) : undefined)
}

/** Delivers what is due over one connection, so that the order of the mails is known. */
function deliverOneByOne({ world, transport }: Office) {
  return deliverDue(world.deps, { ...transport, concurrency: 1 })
}

function accept({ server }: Office) {
  server.mishap = () => undefined
}

/** A workshop whose people have their tickets. */
async function filled(o: Office, count: number): Promise<Workshop> {
  const workshop = await o.world.workshop({ capacity: count })
  for (let n = 0; n < count; n++) await o.world.register(workshop)
  expect(await o.deliver()).toMatchObject({ sent: count })
  return workshop
}

/** Sends a message to everyone of a workshop; gives its id. */
async function broadcast(o: Office, workshop: Workshop): Promise<string> {
  const id = o.world.deps.newId()
  const audience = { about: { workshopId: workshop.id }, workshops: [workshop], filter: {} }
  const outcome = await sendMessage(o.world.deps, actor, { id, audience, subject: '通知', body: '你好' })
  expect(outcome).toMatchObject({ kind: 'sent' })
  return id
}

async function states(o: Office): Promise<Record<string, number>> {
  const counted = await rows<{ state: string; n: number }>(
    o.world.db,
    sql`select state, count(*)::int as n from mails group by state`,
  )
  return Object.fromEntries(counted.map(({ state, n }) => [state, n]))
}

async function inStates(o: Office): Promise<string[]> {
  return (await o.stored()).map(({ state }) => state)
}

/** What was logged of pauses, not of single mails. */
function pauses(o: Office) {
  return o.world.logged.filter(({ message }) => message !== 'mail refused')
}

function arrived(o: Office): string[] {
  return o.server.mails.map(({ to }) => to[0] as string).sort()
}

function people(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, n) => `person-${first + n}@example.com`).sort()
}

async function until(holds: () => Promise<boolean>) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}
