import { sql } from 'drizzle-orm'
import type { ParsedMail } from 'mailparser'
import ical, { type VEvent } from 'node-ical'
import { expect, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import type { Registered } from '../../src/domain/registrations/batcher.ts'
import { createPendingSignUp, findPendingSignUp } from '../../src/domain/registrations/pending-sign-ups.ts'
import {
  consentVersion,
  correctEmail,
  enqueueTicketsMail,
  findRegistrationById,
} from '../../src/domain/registrations/registrations.ts'
import { acceptOffer, cancelRegistration, cancelWorkshop, expireOffers } from '../../src/domain/registrations/seats.ts'
import { verifyCheckInCode, verifyTicketToken } from '../../src/domain/tickets/signed-tokens.ts'
import { changeWorkshop } from '../../src/domain/workshops/workshops.ts'
import { deliverDueMails } from '../../src/email/delivery.ts'
import { createPooledTransport, type Transport } from '../../src/email/transport.ts'
import { decodeQr } from '../support/browser/qr.ts'
import { type MailServer, startMailServer } from '../support/mail/smtp-server.ts'
import { createWorld, type World } from '../support/world.ts'

type MailHarness = { world: World; server: MailServer; deliver(): Promise<ParsedMail[]> }

/** Creates a world with a local mail server; `deliver` sends due mails and returns those received. */
async function withMailHarness(env: Record<string, string>, callback: (harness: MailHarness) => Promise<void>) {
  await using server = await startMailServer()
  await using world = await createWorld({
    env: { SMTP_URL: server.url, MAIL_FROM: 'Workshops, Shanghai <workshops@example.org>', ...env },
  })
  const transport = createPooledTransport(world.deps.config) as Transport
  try {
    await callback({
      world,
      server,
      async deliver() {
        const before = server.mails.length
        await deliverDueMails(world.deps, transport)
        return server.mails.slice(before).map(({ mail }) => mail)
      },
    })
  } finally {
    transport.close()
  }
}

const items = [
  { kind: 'provided' as const, text: { zh: '开发板', en: 'A board' }, mustConfirm: false },
  {
    kind: 'prerequisite' as const,
    text: { zh: '已安装 RT-Thread Studio', en: 'RT-Thread Studio is installed' },
    url: 'https://www.rt-thread.org/studio.html',
    mustConfirm: true,
  },
]

test('the confirmation request of a pending sign-up contains one link and nothing that looks like a seat', async () => {
  await withMailHarness({ FOOTER: '沪ICP备1号' }, async ({ world, server, deliver }) => {
    const workshop = await world.workshop({ items, startsAt: new Date('2026-12-19T09:30:00+08:00') })
    const signUp = { name: '王小明', email: 'Wang@example.com', locale: 'zh-CN', ready: {}, consentVersion }
    await createPendingSignUp(world.deps, workshop, signUp, 'held-1')
    await createPendingSignUp(
      world.deps,
      workshop,
      { ...signUp, name: 'Ada Lovelace', email: 'ada@example.com', locale: 'en' },
      'held-2',
    )
    const [zh, en] = (await deliver()) as [ParsedMail, ParsedMail]
    expect(server.mails.map(({ to }) => to)).toEqual([['Wang@example.com'], ['ada@example.com']])

    expect(zh.subject).toBe('还差一步，请确认报名：RT-Thread 入门培训 · 上海 · 12月19日周六')
    for (const body of [zh.text, htmlToText(zh.html)]) {
      for (const phrase of [
        '王小明，你好',
        '2026年12月19日 周六',
        '张江科学会堂',
        '没有为你占名额',
        '24\u00a0小时内有效',
        '沪ICP备1号',
      ]) {
        expect(body).toContain(phrase)
      }
    }
    const link = `http://localhost:3000/w/${workshop.slug}/confirm/`
    for (const body of [zh.text ?? '', zh.html as string]) {
      const [, code = ''] = new RegExp(`${link}([\\w-]+)`).exec(body) ?? []
      expect(await findPendingSignUp(world.deps, code)).toMatchObject({ signUp })
      expect(body).not.toContain('/t/')
    }
    expect(zh.attachments).toEqual([])
    expect(en.subject).toBe('One more step, please confirm: RT-Thread beginner workshop · Shanghai · Sat 19 Dec')
    expect(en.text).toContain(link)
  })
})

test("the confirmation mail contains everything in HTML and plain text, in the attendee's language", async () => {
  await withMailHarness({ PRIVACY_CONTACT: 'office@example.org', FOOTER: '沪ICP备1号' }, async ({ world, deliver }) => {
    const workshop = await world.workshop({ items, startsAt: new Date('2026-12-19T09:30:00+08:00') })
    const { ticket } = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
    await world.register(workshop, { name: 'Ada Lovelace', email: 'ada@example.com', locale: 'en' })
    const [zh, en] = (await deliver()) as [ParsedMail, ParsedMail]

    expect(zh.subject).toBe('报名成功：RT-Thread 入门培训 · 上海 · 12月19日周六')
    for (const body of [zh.text, htmlToText(zh.html)]) {
      for (const phrase of [
        ...['王小明，你好', '2026年12月19日 周六', '09:30 – 16:30', '北京时间', '张江科学会堂', '海科路 1393 号'],
        ...['现场提供', '开发板', '请先安装', '已安装 RT-Thread Studio', '取消报名', '因为有人用这个邮箱报名'],
        ...['office@example.org', '沪ICP备1号'],
      ]) {
        expect(body).toContain(phrase)
      }
    }
    for (const body of [zh.text, zh.html as string]) {
      expect(body).toContain(`http://localhost:3000/t/${ticket}`)
      expect(body).toContain(`http://localhost:3000/t/${ticket}/cancel`)
      expect(body).toContain('https://www.rt-thread.org/studio.html')
    }

    expect(en.subject).toBe('Your seat: RT-Thread beginner workshop · Shanghai · Sat 19 Dec')
    expect(en.text).toContain('Hello Ada Lovelace,')
    expect(en.text).toContain('Sat, 19 December 2026')
    expect(en.text).toContain('Zhangjiang Science Hall')
    expect(`${en.text}${en.html}`.replaceAll('沪ICP备1号', '')).not.toMatch(/\p{Script=Han}/u)
  })
})

test('a mail has one recipient, MAIL_FROM as sender and the headers of an automatic mail', async () => {
  await withMailHarness({ PRIVACY_CONTACT: 'office@example.org' }, async ({ world, server, deliver }) => {
    await world.register(await world.workshop(), { name: '"王", <x>; 明', email: 'wang@example.com' })
    const [mail] = await deliver()
    expect(server.mails[0]).toMatchObject({ from: 'workshops@example.org', to: ['wang@example.com'] })
    expect(mail?.to).toMatchObject({ value: [{ name: '"王", <x>; 明', address: 'wang@example.com' }] })
    expect(mail?.from?.value).toEqual([{ name: 'Workshops, Shanghai', address: 'workshops@example.org' }])
    expect(mail?.replyTo?.value).toMatchObject([{ address: 'office@example.org' }])
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated')
    expect(mail?.messageId).toMatch(/^<[0-9a-f-]{36}@example\.org>$/)
    expect(mail?.date).toEqual(world.clock.now())
  })
})

test('the confirmation shows and attaches the check-in QR, and its calendar file has the right time', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ startsAt: new Date('2026-12-19T09:30:00+08:00') })
    const { id, ticket } = await world.register(workshop)
    const [mail] = (await deliver()) as [ParsedMail]
    const [inline, attached] = mail.attachments.filter((file) => file.contentType === 'image/png')
    // mailparser replaces the CID with the image.
    expect(mail.html).toContain(`src="data:image/png;base64,${inline?.content.toString('base64')}"`)
    expect([inline?.related, attached?.contentDisposition]).toEqual([true, 'attachment'])
    for (const picture of [inline, attached]) {
      const [, code = ''] = /^http:\/\/localhost:3000\/in\/([\w-]+)$/.exec(decodeQr(picture?.content as Buffer)) ?? []
      expect(verifyCheckInCode(world.deps.config.secret, code)).toEqual({ id, version: 1 })
    }

    const [event] = parseCalendar(mail, 'PUBLISH') as [VEvent]
    expect(event.start.toISOString()).toBe('2026-12-19T01:30:00.000Z')
    expect(event.end?.toISOString()).toBe('2026-12-19T08:30:00.000Z')
    expect(event.location).toContain('张江科学会堂')
    expect(event.url).toMatchObject({ val: `http://localhost:3000/t/${ticket}` })
  })
})

test('the waitlist mail contains the position without QR or calendar file, and the promotion mail adds both', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 1 })
    const seated = await world.register(workshop)
    await world.register(workshop)
    await world.register(workshop)
    const [, , waiting] = await deliver()
    expect(waiting?.subject).toMatch(/^已进入候补/)
    expect(waiting?.text).toContain('排在第\u00a02\u00a0位')
    expect(waiting?.text).toContain('退出候补')
    expect(waiting?.attachments).toEqual([])

    await cancelRegistration(world.deps, seated.id, 'attendee')
    const [, promoted] = await deliver()
    expect(promoted?.subject).toMatch(/^候补成功，你有名额了/)
    expect(promoted?.attachments.map(({ contentType }) => contentType)).toEqual([
      'image/png',
      'image/png',
      'text/calendar',
    ])
  })
})

test('the offer mail contains its deadline and the ticket link, and the mail after acceptance adds QR and calendar file', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 1, confirmHours: 24, timeZone: 'Europe/Berlin' })
    const seated = await world.register(workshop)
    const first = await world.register(workshop, { locale: 'en' })
    const second = await world.register(workshop)
    const [, , waiting] = await deliver()
    expect(waiting?.text).toContain('轮到你时会再收到一封邮件，要在\u00a024\u00a0小时内确认')

    await cancelRegistration(world.deps, seated.id, 'attendee')
    const [, offer] = (await deliver()) as [ParsedMail, ParsedMail]
    expect(offer.subject).toMatch(/^A seat came free, please confirm: /)
    for (const body of [offer.text, htmlToText(offer.html)]) {
      // 10:00 in Shanghai, in the time zone of the workshop.
      expect(body).toContain('before Wed 2 Dec, 03:00 (Central European Standard Time)')
      expect(body).toContain('Open my ticket and confirm')
    }
    for (const body of [offer.text, offer.html as string]) {
      expect(body).toContain(`http://localhost:3000/t/${first.ticket}`)
      expect(body).toContain(`http://localhost:3000/t/${first.ticket}/cancel`)
    }
    expect(offer.attachments).toEqual([])
    expect(offer.text).not.toMatch(/calendar|code for the door|undefined|null/)

    await acceptOffer(world.deps, first.id)
    const [taken] = (await deliver()) as [ParsedMail]
    expect(taken.subject).toMatch(/^A seat came free for you/)
    const kinds = ['image/png', 'image/png', 'text/calendar']
    expect(taken.attachments.map(({ contentType }) => contentType)).toEqual(kinds)

    await cancelRegistration(world.deps, first.id, 'attendee')
    const [, chinese] = (await deliver()) as [ParsedMail, ParsedMail]
    expect(chinese.subject).toMatch(/^有名额了，请确认：/)
    expect(chinese.text).toContain('请在 12月2日周三 03:00（中欧标准时间）前打开票确认')
    world.clock.advance({ hours: 24 })
    await expireOffers(world.deps)
    const [expired, ...more] = (await deliver()) as [ParsedMail]
    expect(more).toEqual([])
    expect(expired.subject).toMatch(/^没有按时确认，名额已让出/)
    expect(expired.text).toContain(`http://localhost:3000/w/${workshop.slug}`)
    expect(expired.text).not.toContain(second.ticket)
    // There was no calendar entry to cancel.
    expect(expired.attachments).toEqual([])
  })
})

test('an offer mail not sent before acceptance, expiry or a correction is discarded, and the newer mail is sent', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 3, confirmHours: 24 })
    const people: Registered[] = []
    for (let i = 0; i < 6; i++) people.push(await world.register(workshop))
    const [, , , accepting, expiring, typo] = people as [
      Registered,
      Registered,
      Registered,
      Registered,
      Registered,
      Registered,
    ]
    await deliver()
    for (const { id } of people.slice(0, 3)) await cancelRegistration(world.deps, id, 'attendee')
    await acceptOffer(world.deps, accepting.id)
    await correctEmail(world.deps, typo.id, 'right@example.com')
    world.clock.advance({ hours: 24 })
    const subjects = async () => (await deliver()).map(({ subject }) => subject?.split('：')[0])
    // The deadline has passed, and the offers were not passed on yet.
    expect(await subjects()).toEqual(['已取消报名', '已取消报名', '已取消报名', '候补成功，你有名额了'])
    expect(await discardReasons(world)).toEqual([
      ['offered', 'offer_accepted'],
      ['offered', 'offer_expired'],
      ['offered', 'address_corrected'],
      ['offered', 'offer_expired'],
    ])
    await expireOffers(world.deps)
    expect(await subjects()).toEqual(['没有按时确认，名额已让出', '没有按时确认，名额已让出'])
    expect((await findRegistrationById(world.deps, expiring.id))?.cancelledBy).toBe('deadline')
  })
})

test("the offer's deadline is in the mail to a corrected address and in the mail with all tickets", async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
    const [seated, first] = [await world.register(workshop), await world.register(workshop)]
    await cancelRegistration(world.deps, seated.id, 'attendee')
    await deliver()
    await correctEmail(world.deps, first.id, 'right@example.com')
    await enqueueTicketsMail(world.deps, 'right@example.com')
    const [corrected, found] = (await deliver()) as [ParsedMail, ParsedMail]
    expect(corrected.subject).toMatch(/^邮箱已更正/)
    for (const mail of [corrected, found]) {
      expect(mail.text).toContain('期限  请在 12月2日周三 10:00（北京时间）前确认')
      expect(mail.attachments).toEqual([])
    }
    expect(found.text).toContain('为你留了名额')
  })
})

test('no mail about an expired offer is sent once the workshop is over', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 1, confirmHours: 24 })
    const [seated] = [await world.register(workshop), await world.register(workshop)]
    await cancelRegistration(world.deps, seated.id, 'attendee')
    await deliver()
    world.clock.advance({ days: 11 })
    await expireOffers(world.deps)
    expect(await deliver()).toEqual([])
    expect(await discardReasons(world)).toContainEqual(['cancelled', 'workshop_over'])
  })
})

test('the closing and reopening mails explain what happens to a seat, an offer and a waitlist place', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 2, confirmHours: 24 })
    const people: Registered[] = []
    for (let i = 0; i < 5; i++) people.push(await world.register(workshop, i > 3 ? { locale: 'en' } : {}))
    await cancelRegistration(world.deps, people[1]?.id as string, 'attendee')
    const [before] = (await deliver()) as [ParsedMail]
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    const closed = await deliver()
    expect(closed.map(({ subject }) => subject?.split(/[：:]/)[0])).toEqual([
      ...['报名已截止', '报名已截止', '报名已截止', 'Registration closed'],
    ])
    for (const [i, phrase] of [
      '你的名额不变',
      '为你保留的名额不变，请在 12月2日周三 10:00（北京时间）前',
      '候补暂停，你排在第\u00a01\u00a0位',
      'The waitlist is paused; you are no.\u00a02 in line',
    ].entries()) {
      for (const body of [closed[i]?.text, htmlToText(closed[i]?.html)]) expect(body).toContain(phrase)
    }
    await changeWorkshop(world.deps, workshop.slug, { state: 'published' })
    const reopened = await deliver()
    expect(reopened.map(({ subject }) => subject?.split(/[：:]/)[0])).toEqual([
      ...['报名重新开放', '报名重新开放', '报名重新开放', 'Registration is open again'],
    ])
    expect(reopened[2]?.text).toContain('候补继续，你现在排在第\u00a01\u00a0位')

    // Only the seat has a calendar entry, published again under the same UID.
    expect([...closed, ...reopened].map(({ attachments }) => attachments.length)).toEqual([3, 0, 0, 0, 3, 0, 0, 0])
    const entries = [before, closed[0], reopened[0]].map(
      (mail) => parseCalendar(mail as ParsedMail, 'PUBLISH')[0] as VEvent,
    )
    expect(new Set(entries.map(({ uid }) => uid)).size).toBe(1)
    expect(entries.map(({ sequence }) => Number(sequence))).toEqual([0, 1, 2])
    expect(entries.map(({ description }) => String(description).includes('报名已截止'))).toEqual([false, true, false])
  })
})

test('the cancellation mail says who cancelled and cancels the calendar entry', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const campaign = await world.campaign({ oneSeatPerPerson: false })
    const workshop = await world.workshop({ capacity: 3, campaignId: campaign.id })
    const [first, second] = [await world.register(workshop), await world.register(workshop)]
    await world.register(workshop, { locale: 'en' })
    await world.register(workshop, { locale: 'en' })
    await changeWorkshop(world.deps, workshop.slug, { venue: { zh: '别处' } })
    const [confirmation] = (await deliver()) as [ParsedMail]
    await cancelRegistration(world.deps, first.id, 'attendee')
    const [byAttendee] = (await deliver()) as [ParsedMail]
    await cancelRegistration(world.deps, second.id, 'organiser')
    const [byOrganiser] = (await deliver()) as [ParsedMail]
    await cancelWorkshop(world.deps, workshop.slug)
    const [byWorkshop] = (await deliver()) as [ParsedMail]

    expect(byAttendee.text).toContain('你取消了这次报名')
    expect(byAttendee.text).toContain(`http://localhost:3000/w/${workshop.slug}`)
    expect(byOrganiser.text).toContain('主办方取消了你的这次报名')
    expect(byWorkshop.text).toContain('this workshop will not take place')
    expect(byWorkshop.text).toContain(`http://localhost:3000/c/${campaign.slug}`)

    const [entered] = parseCalendar(confirmation, 'PUBLISH') as [VEvent]
    for (const mail of [byAttendee, byOrganiser, byWorkshop]) {
      expect(mail.attachments.map(({ contentType }) => contentType)).toEqual(['text/calendar'])
      expect(mail.text).not.toContain('/t/')
      const [event] = parseCalendar(mail, 'CANCEL') as [VEvent]
      expect(event.status).toBe('CANCELLED')
      expect(Number(event.sequence)).toBeGreaterThan(Number(entered.sequence))
      if (mail === byAttendee) expect(event.uid).toBe(entered.uid)
    }
  })
})

test('the cancellation mail of a waitlisted registration has no calendar file', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    const { id } = await world.register(workshop)
    await deliver()
    await cancelRegistration(world.deps, id, 'attendee')
    const [mail] = await deliver()
    expect(mail?.subject).toMatch(/^已取消报名/)
    expect(mail?.attachments).toEqual([])
    expect(mail?.text).not.toContain('日历')
  })
})

test('the mail with all tickets contains every active ticket of the address and no others', async () => {
  await withMailHarness({}, async ({ world, deliver }) => {
    const at = (moment: string) => world.workshop({ capacity: 1, startsAt: new Date(moment) })
    const over = await at('2026-12-03T09:30:00+08:00')
    const nanjing = await at('2026-12-20T09:30:00+08:00')
    const shanghai = await at('2026-12-19T09:30:00+08:00')
    const left = await at('2026-12-21T09:30:00+08:00')
    const email = 'Wang@example.com'
    await world.register(nanjing)
    await world.register(over, { email })
    const waiting = await world.register(nanjing, { email })
    const seated = await world.register(shanghai, { email: 'wang@EXAMPLE.com' })
    await cancelRegistration(world.deps, (await world.register(left, { email })).id, 'attendee')
    await world.register(left, { email: 'other@example.com' })
    await deliver()
    world.clock.set('2026-12-05T10:00:00+08:00')

    await enqueueTicketsMail(world.deps, 'wang@example.com')
    const [mail, ...more] = (await deliver()) as [ParsedMail]
    expect(more).toEqual([])
    expect(mail.subject).toBe('你的票')
    const tickets = [...(mail.text?.matchAll(/\/t\/([\w-]+)$/gm) ?? [])].map(([, ticket]) => ticket)
    expect(tickets).toEqual([seated.ticket, waiting.ticket])
    expect(mail.text).toContain('候补第\u00a01\u00a0位')
    // A QR and a calendar entry for the seat, none for the waitlist place.
    expect(mail.attachments.filter(({ contentType }) => contentType === 'image/png')).toHaveLength(2)
    expect(parseCalendar(mail, 'PUBLISH')).toHaveLength(1)
  })
})

test('the mail to a corrected address contains the new ticket, and the old one is invalid', async () => {
  await withMailHarness({}, async ({ world, server, deliver }) => {
    const { id, ticket } = await world.register(await world.workshop(), { email: 'wnag@example.com' })
    await deliver()
    await correctEmail(world.deps, id, 'wang@example.com')
    const [mail] = (await deliver()) as [ParsedMail]
    expect(server.mails[1]?.to).toEqual(['wang@example.com'])
    expect(mail.subject).toMatch(/^邮箱已更正/)
    expect(mail.text).not.toContain(ticket)
    const [, newTicket = ''] = /\/t\/([\w-]+)$/m.exec(mail.text ?? '') ?? []
    expect(verifyTicketToken(world.deps.config.secret, newTicket)).toEqual({ id, version: 2 })
    const [picture] = mail.attachments
    expect(decodeQr(picture?.content as Buffer)).toContain(
      (await findRegistrationById(world.deps, id))?.doorCode as string,
    )
  })
})

test('user input cannot become HTML, headers or another recipient', async () => {
  await withMailHarness({ FOOTER: '<b>footer</b>' }, async ({ world, server, deliver }) => {
    const text = '<img src=x onerror=alert(1)>&"\r\nBcc: all@example.com\r\n'
    const workshop = await world.workshop({
      title: { zh: text },
      venue: { zh: text },
      items: [{ kind: 'bring', text: { zh: text }, url: 'https://example.com/?a="><script>', mustConfirm: false }],
    })
    await world.register(workshop, { name: '<script>alert(1)</script>' })
    const [mail] = (await deliver()) as [ParsedMail]
    expect(mail.html).not.toMatch(/<script|<img src=x|<b>footer/)
    expect(mail.html).toContain('&lt;script&gt;alert(1)')
    expect(server.mails[0]?.to).toHaveLength(1)
    expect(mail.headers.has('bcc')).toBe(false)
    expect(mail.subject).not.toMatch(/[\r\n]/)
  })
})

test('stored mails contain no address and no secret in any state', async () => {
  await withMailHarness({}, async ({ world, server, deliver }) => {
    server.injectFault = (step, address) =>
      step === 'recipient' && address?.startsWith('gone')
        ? [550, `5.1.1 <${address}>: no mailbox gone.girl here`]
        : step === 'recipient' && address?.startsWith('li')
          ? [451, `${address} is busy`]
          : undefined
    const workshop = await world.workshop()
    const secrets = [
      await world.register(workshop, { email: 'gone.girl@example.com' }),
      await world.register(workshop, { email: 'wang@example.com' }),
      await world.register(workshop, { email: 'li@example.com' }),
    ]
    await deliver()
    const stored = await query<{ line: string; state: string }>(
      world.db,
      sql`select mails::text as line, state from mails order by id`,
    )
    expect(stored.map(({ state }) => state)).toEqual(['dead', 'sent', 'pending'])
    for (const { line } of stored) {
      expect(line.replace(/[0-9a-f-]{36}@example\.org/, '')).not.toMatch(/@|wang|gone|li@|example/)
      for (const { ticket } of secrets) expect(line).not.toContain(ticket)
    }
  })
})

/** Parses the events of the calendar file and checks METHOD in the file and in its content type. */
function parseCalendar(mail: ParsedMail, method: string): VEvent[] {
  const file = mail.attachments.find(({ contentType }) => contentType === 'text/calendar')
  const text = file?.content.toString() ?? ''
  expect(text).toContain(`\r\nMETHOD:${method}\r\n`)
  expect(file?.headers.get('content-type')).toMatchObject({ params: { method, charset: 'utf-8' } })
  return Object.values(ical.sync.parseICS(text)).filter((entry): entry is VEvent => entry?.type === 'VEVENT')
}

/** The discarded mails with their reason, oldest first. */
async function discardReasons(world: World): Promise<[string, string][]> {
  const dead = await query<{ kind: string; reason: string }>(
    world.db,
    sql`select kind, coalesce(reason, last_error) as reason from mails where state = 'dead' order by id`,
  )
  return dead.map(({ kind, reason }) => [kind, reason])
}

/** The text a reader of the HTML sees. */
function htmlToText(html: string | false | undefined): string {
  return (html || '')
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/<[^>]+>/g, '\n')
    .replaceAll('&amp;', '&')
}
