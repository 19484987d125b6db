import { asc, eq, isNotNull, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import type { Role } from '../../../src/db/schema.ts'
import { auditEntries, broadcasts, mails } from '../../../src/db/schema.ts'
import { cancelRegistration, eraseRegistrations } from '../../../src/domain/registrations/seats.ts'
import { deliverDueMails } from '../../../src/email/delivery.ts'
import { createPooledTransport, type Transport } from '../../../src/email/transport.ts'
import { paths } from '../../../src/http/links.ts'
import { collectMetrics } from '../../../src/server/metrics.ts'
import { confirmField, formValues, visibleText } from '../../support/http/forms.ts'
import { type MailServer, type ReceivedMail, startMailServer } from '../../support/mail/smtp-server.ts'
import { createWorld, type World } from '../../support/world.ts'

test('a broadcast can be previewed, tested, sent exactly once and followed until delivered', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const workshop = await world.workshop({ capacity: 2 })
  const first = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
  await world.register(workshop, { name: 'Ann Lee', email: 'ann@example.com', locale: 'en' })
  await world.register(workshop, { name: '候补的人', email: 'waits@example.com' })
  const organiser = await signInToConsole(world)
  await harness.deliver()
  const form = `${paths.newWorkshopBroadcast(workshop.slug)}?status=confirmed`
  const opened = await organiser.read(form)
  expect(visibleText(opened)).toMatch(/上海 2026-12-11中符合条件的人：状态是“有名额” 现在是 2 人/)
  expect(opened).toContain('{{ticket}}')
  const { id = '' } = formValues(opened)
  const subject = '{{city}}见：记得带 <b>电脑</b>'
  const body =
    '{{name}}，{{date}}请带电脑。\r\n说明：https://www.rt-thread.org/a?b=1&c=2。\r\n\r\n<script>alert(1)</script> {{ticket}}'

  const preview = await organiser.post(form, { id, subject, body })
  expect(preview.status).toBe(200)
  const previewed = await preview.text()
  expect(visibleText(previewed)).toContain('上海见：记得带 &lt;b&gt;电脑&lt;/b&gt;')
  expect(visibleText(previewed)).toContain('王小明，2026年12月11日 周五请带电脑。')
  expect(visibleText(previewed)).toContain('发给 2 人')
  expect(previewed).not.toContain('<script>alert')
  // The ticket link is masked: it is for the attendee only.
  expect(previewed).not.toContain(first.ticket)
  expect(previewed).toContain(paths.ticket('******'))
  expect(await listBroadcastMails(world)).toEqual([])

  const { test: testId = '' } = formValues(previewed)
  const tested = await organiser.post(form, { id, test: testId, subject, body, do: 'test' })
  expect(visibleText(await tested.text())).toContain(`测试邮件马上发到 ${organiser.email}`)
  await organiser.post(form, { id, test: testId, subject, body, do: 'test' })
  await harness.deliver()
  const testMails = harness.to(organiser.email).filter(({ mail }) => mail.subject?.startsWith('【测试】'))
  expect(testMails).toHaveLength(1)
  expect(testMails[0]?.mail.subject).toBe('【测试】上海见：记得带 <b>电脑</b>')
  expect(testMails[0]?.mail.text).toContain('林老师，2026年12月11日 周五请带电脑。')
  expect(testMails[0]?.mail.text).toContain(`http://localhost:3000${paths.workshop(workshop.slug)}`)
  expect(testMails[0]?.mail.text).not.toContain('/t/')
  expect(testMails[0]?.mail.attachments).toEqual([])
  for (const address of ['wang@example.com', 'ann@example.com']) expect(harness.to(address)).toHaveLength(1)

  const send = () => organiser.post(form, { id, subject, body, do: 'send' })
  const [sent, repeated] = [await send(), await send()]
  for (const response of [sent, repeated]) {
    expect([response.status, response.headers.get('location')]).toEqual([303, paths.broadcast(id)])
  }
  const pendingPage = await organiser.read(paths.broadcast(id))
  expect(visibleText(pendingPage)).toMatch(/2 人 0 已发出 2 等待发送 0 没有发成/)
  expect(pendingPage).toContain('data-waiting="2"')
  harness.server.injectFault = (step, address) =>
    step === 'recipient' && address === 'ann@example.com' ? [550, '5.1.1 No such user'] : undefined
  await harness.deliver()
  const sentPage = await organiser.read(paths.broadcast(id))
  expect(visibleText(sentPage)).toMatch(/2 人 1 已发出 0 等待发送 1 没有发成 已全部处理完/)
  expect(sentPage).not.toContain('data-waiting')

  const [, mail, ...more] = harness.to('wang@example.com').map((received) => received.mail)
  expect(more).toEqual([])
  expect(mail?.subject).toBe('上海见：记得带 <b>电脑</b>')
  expect(mail?.to).toMatchObject({ value: [{ name: '王小明', address: 'wang@example.com' }] })
  expect(mail?.text).toContain(
    `王小明，2026年12月11日 周五请带电脑。\n说明：https://www.rt-thread.org/a?b=1&c=2。\n\n<script>alert(1)</script> http://localhost:3000${paths.ticket(first.ticket)}`,
  )
  const html = String(mail?.html)
  expect(html).toContain(
    '<a href="https://www.rt-thread.org/a?b=1&amp;c=2">https://www.rt-thread.org/a?b=1&amp;c=2</a>。',
  )
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(html).not.toMatch(/<script|<b>/)
  expect(html).toContain(`<a href="http://localhost:3000${paths.ticket(first.ticket)}">`)

  const list = visibleText(await organiser.read(paths.workshopBroadcasts(workshop.slug)))
  expect(list).toMatch(/\{\{city\}\}见：记得带 &lt;b&gt;电脑&lt;\/b&gt; .*发信人 林老师 2 人 没有发成 1/)
  const audited = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'message.sent'))
  expect(audited).toMatchObject([
    { actor: '林老师', workshopId: workshop.id, payload: { count: 2, status: 'confirmed' }, pii: { subject } },
  ])
})

test('{{ticket}} becomes a link whatever follows it, and typed URLs are linked without trailing punctuation', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const workshop = await world.workshop()
  const { ticket } = await world.register(workshop, { email: 'wang@example.com' })
  const organiser = await signInToConsole(world)
  await harness.deliver()
  const followers = [
    ...'、：！？」』】》”’…—｜（请，。；）',
    ...'A1)].,;!?\'":/#&=%-_~(<> ',
    ...['））', '{{city}}', '{{ticket}}'],
  ]
  const typedUrl = 'https://a.example/x?a=1'
  const typedLines = [
    ...[...'、：！？」』】》”’…—｜（请，。； ', '{{name}}'].map((follower) => `资料（${typedUrl}${follower}x`),
    ...[...')].,;!?\'":', '！”', '。)'].map((follower) => `资料（${typedUrl}${follower}`),
  ]
  const body = [
    ...followers.map((follower) => `你的票：{{ticket}}${follower}x`),
    ...typedLines,
    '维基 https://a.example/wiki_(x) 和 (https://a.example/wiki_(x)).',
  ].join('\n')
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const { id = '' } = formValues(await organiser.read(form))
  const fields = { id, subject: '{{ticket}}！', body }
  const preview = await (await organiser.post(form, fields)).text()
  const { test: testId = '' } = formValues(preview)
  await organiser.post(form, { ...fields, test: testId, do: 'test' })
  await organiser.post(form, { ...fields, do: 'send' })
  await harness.deliver()

  for (const [mail, path] of [
    [harness.to('wang@example.com').at(-1)?.mail, paths.ticket(ticket)],
    [harness.to(organiser.email).at(-1)?.mail, paths.workshop(workshop.slug)],
  ] as const) {
    const address = `http://localhost:3000${path}`
    expect(findTextLinks(mail?.html as string)).toEqual([
      ...followers.flatMap((follower) => (follower === '{{ticket}}' ? [address, address] : [address])),
      ...typedLines.map(() => typedUrl),
      ...Array(2).fill('https://a.example/wiki_(x)'),
    ])
    // Mail programs detect URLs in the plain text.
    const lines = mail?.text?.split('\n').filter((line) => line.startsWith('你的票：')) ?? []
    expect(lines).toHaveLength(followers.length)
    for (const line of lines) expect(line.slice('你的票：'.length).split(/\s/)[0]).toBe(address)
    expect(mail?.subject).toContain(`${address} ！`)
    // The preview has the same lines with the ticket masked.
    const previewed = lines.map((line) => line.replaceAll(address, `http://localhost:3000${paths.ticket('******')}`))
    for (const line of previewed) expect(unescapeHtml(preview)).toContain(line)
  }
})

test('placeholders are filled in in the recipient’s language', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const campaign = await world.campaign()
  const workshop = await world.workshop({ campaignId: campaign.id })
  await world.register(workshop, { name: 'Ann Lee', email: 'ann@example.com', locale: 'en' })
  const organiser = await signInToConsole(world)
  const form = paths.newCampaignBroadcast(campaign.slug)
  const { id = '' } = formValues(await organiser.read(form))
  const body = '{{name}}: {{workshop}}, {{city}}, {{date}}, {{time}}, {{place}}'
  expect((await organiser.post(form, { id, subject: 'News', body, do: 'send' })).status).toBe(303)
  await harness.deliver()
  const [, mail] = harness.to('ann@example.com')
  expect(mail?.mail.text).toContain(
    'Ann Lee: RT-Thread beginner workshop, Shanghai, Fri 11 December 2026, 10:00 – 17:00, Shanghai · Zhangjiang Science Hall, 1393 Haike Road',
  )
  expect(visibleText(await organiser.read(paths.broadcast(id)))).toContain('RT-Thread 入门培训')
  expect(visibleText(await organiser.read(paths.campaignBroadcasts(campaign.slug)))).toContain('News')
})

test('a broadcast to cancelled attendees or after the workshop contains no ticket link and no checklist', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const item = { kind: 'bring', text: { zh: '插线板' } } as const
  const workshop = await world.workshop({ items: [{ ...item, mustConfirm: false }] })
  await world.register(workshop, { email: 'came@example.com' })
  const cancelled = await world.register(workshop, { email: 'gone@example.com' })
  await cancelRegistration(world.deps, cancelled.id, 'attendee')
  const organiser = await signInToConsole(world)
  await harness.deliver()
  const sendBroadcast = async (query = '') => {
    const draft = { id: world.deps.newId(), subject: '资料在这里', body: '谢谢！', do: 'send' }
    const response = await organiser.post(`${paths.newWorkshopBroadcast(workshop.slug)}${query}`, draft)
    expect(response.status).toBe(303)
    await harness.deliver()
    return harness.server.mails.at(-1)
  }
  const before = await sendBroadcast()
  expect([before?.to, before?.mail.text]).toEqual([['came@example.com'], expect.stringMatching(/插线板.*\/t\//s)])
  expect(before?.mail.attachments).not.toEqual([])
  const toCancelled = await sendBroadcast('?status=cancelled')
  world.clock.set(workshop.endsAt)
  const afterwards = await sendBroadcast()
  expect([toCancelled?.to, afterwards?.to]).toEqual([['gone@example.com'], ['came@example.com']])
  for (const received of [toCancelled, afterwards]) {
    expect(received?.mail.text).toContain('谢谢！')
    expect(received?.mail.text).toContain('你用这个邮箱报名过')
    expect(received?.mail.text).not.toMatch(/\/t\/|插线板|来不了|日历/)
    expect(received?.mail.attachments).toEqual([])
  }
})

test('an invalid broadcast is rejected with messages next to the fields and the input kept', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop)
  const organiser = await signInToConsole(world)
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const id = world.deps.newId()
  for (const action of ['', 'send', 'test']) {
    const response = await organiser.post(form, {
      id,
      test: id,
      subject: '',
      body: '{{姓名}}"><i>你好 {{name}',
      do: action,
    })
    const page = await response.text()
    expect([action, response.status]).toEqual([action, 422])
    expect(visibleText(page)).toContain('请填写标题。')
    expect(visibleText(page)).toContain('正文里有不认识的占位符：{{姓名}}、{{name。')
    expect(page).toContain('{{姓名}}&quot;&gt;&lt;i&gt;你好 {{name}</textarea>')
    expect(page).toMatch(/<input[^>]* id="subject"[^>]* aria-invalid="true"/)
  }
  const long = await organiser.post(form, { id, subject: '长'.repeat(201), body: '长'.repeat(10_001) })
  expect(visibleText(await long.text())).toMatch(/标题太长了，最多 200 字。.*正文太长了，最多 10000 字。/)
  // The longest allowed body exceeds the size limit of public forms.
  const longest = { id, subject: '长'.repeat(200), body: '长'.repeat(10_000) }
  expect((await organiser.post(form, longest)).status).toBe(200)
  const back = await organiser.post(form, { ...longest, body: '再想想', do: 'edit' })
  expect([back.status, await back.text()]).toEqual([200, expect.stringContaining('>再想想</textarea>')])
  expect(await world.db.select().from(broadcasts)).toEqual([])
  // Without a valid id, which makes sending idempotent, the broadcast is only previewed.
  for (const invalid of ['', 'x', "' or 1=1"]) {
    const response = await organiser.post(form, { id: invalid, subject: '你好', body: '你好', do: 'send' })
    expect([invalid, response.status]).toEqual([invalid, 200])
  }
  expect(await world.db.select().from(broadcasts)).toEqual([])
})

test('sending a broadcast returns 409 when nobody matches or the form was already used', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const organiser = await signInToConsole(world)
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const draft = { id: world.deps.newId(), subject: '你好', body: '你好', do: 'send' }
  expect(visibleText(await organiser.read(form))).toContain('现在没有人符合条件')
  const withoutRecipients = await organiser.post(form, draft)
  expect([withoutRecipients.status, visibleText(await withoutRecipients.text())]).toEqual([
    409,
    expect.stringContaining('所以没有发送'),
  ])
  await world.register(workshop)
  expect((await organiser.post(form, draft)).status).toBe(303)
  const other = await organiser.post(form, { ...draft, body: '别的' })
  const page = await other.text()
  expect([other.status, visibleText(page)]).toEqual([409, expect.stringContaining('已经发过另一条消息')])
  const { id = '' } = formValues(page)
  expect(id).not.toBe(draft.id)
  expect((await organiser.post(form, { ...draft, id, body: '别的' })).headers.get('location')).toBe(paths.broadcast(id))
  for (const path of [
    paths.broadcast(world.deps.newId()),
    paths.broadcast('x'),
    paths.newWorkshopBroadcast('nothing'),
    paths.campaignBroadcasts('nothing'),
  ])
    expect([path, (await organiser.get(path)).status]).toEqual([path, 404])
})

test('the filter of the people list carries over to the broadcast', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop, { name: '王小明' })
  await world.register(workshop, { name: '李安' })
  const organiser = await signInToConsole(world)
  const list = await organiser.read(`${paths.workshopPeople(workshop.slug)}?q=wxm&sort=-name`)
  const [, href = ''] = /href="([^"]*\/messages\/new[^"]*)"/.exec(list) ?? []
  const form = href.replaceAll('&amp;', '&')
  expect(visibleText(await organiser.read(form))).toContain('查找“wxm” 现在是 1 人')
  const id = world.deps.newId()
  await organiser.post(form, { id, subject: '你好', body: '你好', do: 'send' })
  const queued = await listBroadcastMails(world)
  expect(queued).toHaveLength(1)
})

test('the mail list shows recipients and delivery states, and failed mails can be resent', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const workshop = await world.workshop({ capacity: 9 })
  const organiser = await signInToConsole(world)
  const { id } = await world.register(workshop, { name: '<i>王</i>', email: 'wang@example.com' })
  await world.register(workshop, { name: '李安', email: 'li@example.com' })
  const { id: erased } = await world.register(workshop, { name: '要删除的人' })
  await eraseRegistrations(world.deps, [erased], 'organiser')
  harness.server.injectFault = (step, address) =>
    step === 'recipient' && address === 'wang@example.com' ? [550, '5.1.1 <b>No</b> such user'] : undefined
  await harness.deliver()
  const page = await organiser.read(paths.consoleMails())
  expect(visibleText(page)).toMatch(/全部（6） 已发出（3） 没有发成（3）/)
  expect(page).toContain(`<a href="${paths.person(id)}">&lt;i&gt;王&lt;/i&gt;</a>`)
  expect(page).toContain('&lt;b&gt;No&lt;/b&gt; such user')
  expect(page).not.toMatch(/<i>王|<b>No|要删除的人/)
  expect(visibleText(page)).toContain('资料已删除，不再发送')
  expect(visibleText(page)).toContain('登录 localhost')
  // An obsolete mail cannot be resent.
  expect(page.match(/\/send-again/g)).toHaveLength(1)
  const failedPage = await organiser.read(`${paths.consoleMails()}?state=dead`)
  expect(failedPage).toContain(paths.person(id))
  expect(failedPage).not.toContain('李安')
  expect(visibleText(await organiser.read(`${paths.consoleMails()}?state=held`))).toContain('没有这样的邮件')

  harness.server.injectFault = () => undefined
  const [, action = ''] = /action="([^"]*\/send-again[^"]*)"/.exec(failedPage) ?? []
  const repeated = await organiser.post(action, confirmField)
  expect(repeated.headers.get('location')).toBe(`${paths.consoleMails()}?state=dead&done=owed`)
  expect(visibleText(await organiser.read(repeated.headers.get('location') ?? ''))).toContain('邮件马上再发一次')
  await harness.deliver()
  expect(harness.to('wang@example.com')).toHaveLength(1)
  expect((await organiser.post(action, confirmField)).headers.get('location')).toContain('done=not_dead')
  for (const invalid of ['0', 'x', '999999999999999', '9'.repeat(30)])
    expect([invalid, (await organiser.post(`/console/mails/${invalid}/send-again`, confirmField)).status]).toEqual([
      invalid,
      404,
    ])
  for (const invalid of ['state=x', 'before=x', 'message=x', `before=${'9'.repeat(30)}`, `message=${id}`])
    expect([invalid, (await organiser.get(`${paths.consoleMails()}?${invalid}`)).status]).toEqual([invalid, 200])
  const audited = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'mail.sent_again'))
  expect(audited).toMatchObject([
    { actor: '林老师', registrationId: id, workshopId: workshop.id, payload: { kind: 'confirmed' } },
  ])
})

test('the mail list has 50 mails per page and links to older ones', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 99 })
  for (let n = 1; n <= 51; n++) await world.register(workshop, { name: `学员${n}号` })
  const organiser = await signInToConsole(world)
  const page = await organiser.read(`${paths.consoleMails()}?state=held`)
  expect(visibleText(page)).toContain('没有设置邮件服务器（SMTP_URL）')
  expect(page).not.toContain('学员3号')
  const [, older = ''] = /href="([^"]*before=[^"]*)"/.exec(page) ?? []
  const next = await organiser.read(older.replaceAll('&amp;', '&'))
  expect(next).toContain('学员3号')
  expect(next).toContain('学员1号')
  expect(next).not.toContain('学员4号')
})

test('the mail page warns when mails have been queued for more than half an hour', async () => {
  await using world = await createWorld({ env: { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'workshops@example.org' } })
  const workshop = await world.workshop()
  await world.register(workshop)
  const organiser = await signInToConsole(world)
  expect(visibleText(await organiser.read(paths.consoleMails()))).not.toContain('一直没有发出去')
  world.clock.advance({ minutes: 31 })
  expect(visibleText(await organiser.read(paths.consoleMails()))).toContain('有 3 封邮件一直没有发出去')
})

test('a broadcast rejected by the mail server is shown as paused and can be resent to the remaining recipients', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const workshop = await world.workshop({ capacity: 8 })
  for (let n = 1; n <= 8; n++) await world.register(workshop, { email: `to-${n}@example.com` })
  const organiser = await signInToConsole(world)
  await harness.deliver()
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const id = world.deps.newId()
  await organiser.post(form, { id, subject: '记得带电脑', body: '你好', do: 'send' })
  expect(await organiser.read(paths.broadcast(id))).not.toContain('send-again')
  // Nothing was rejected yet, so there is nothing to resend.
  expect((await organiser.post(paths.resendBroadcast(id), confirmField)).headers.get('location')).toBe(
    `${paths.broadcast(id)}?done=nothing`,
  )
  harness.server.injectFault = (step) => (step === 'message' ? [554, 'DT:SPM <b>to-1@example.com</b> 126'] : undefined)
  await harness.deliver()

  const page = await organiser.read(paths.broadcast(id))
  expect(visibleText(page)).toContain('已经暂停发送：发出了 0 封，还有 8 封等着')
  expect(visibleText(page)).toMatch(/它的回答： DATA: 554 DT:SPM &lt;b&gt;…&lt;\/b&gt; 126/)
  const [failed] = await query<{ id: number | string }>(
    world.db,
    sql`update mails set state = 'dead' where id = (select max(id) from mails where broadcast_id is not null) returning id`,
  )
  const refused =
    (await organiser.post(`/console/mails/${failed?.id}/send-again`, confirmField)).headers.get('location') ?? ''
  expect(visibleText(await organiser.read(refused))).toContain('它所属的消息已暂停。请先再发一次这条消息')
  await world.db.execute(sql`update mails set state = 'pending' where id = ${failed?.id}`)
  expect(page).not.toContain('data-waiting')
  expect(visibleText(await organiser.read(paths.workshopBroadcasts(workshop.slug)))).toContain('8 人 已暂停 等待发送 8')
  const overview = await organiser.read(paths.console())
  expect(visibleText(overview)).toContain('群发消息“记得带电脑”被邮件服务器拒收，已暂停，8 封等着发')
  expect(overview).toContain(`href="${paths.broadcast(id)}"`)
  // Rejected content of one broadcast is not a mail outage.
  world.clock.advance({ hours: 1 })
  expect(visibleText(await organiser.read(paths.consoleMails()))).not.toMatch(/一直没有发出去|起暂停/)
  const english = await organiser.read(`${paths.broadcast(id)}?lang=en`)
  expect(visibleText(english)).toContain('it is paused: 0 sent, 8 waiting')

  expect(page).toContain(`href="${paths.resendBroadcast(id)}"`)
  const confirmPage = await organiser.read(paths.resendBroadcast(id))
  expect(visibleText(confirmPage)).toContain('发给还没有收到的 8 人')
  expect(confirmPage).toContain(`action="${paths.resendBroadcast(id)}"`)
  harness.server.injectFault = () => undefined
  for (const done of ['sent', 'nothing']) {
    const response = await organiser.post(paths.resendBroadcast(id), confirmField)
    expect([response.status, response.headers.get('location')]).toEqual([303, `${paths.broadcast(id)}?done=${done}`])
  }
  expect(visibleText(await organiser.read(`${paths.broadcast(id)}?done=sent`))).toContain('马上再发一次')
  await harness.deliver()
  const sent = harness.server.mails.filter(({ mail }) => mail.subject === '记得带电脑').map(({ to }) => to[0])
  expect(sent.sort()).toEqual(Array.from({ length: 8 }, (_, n) => `to-${n + 1}@example.com`))
  expect(visibleText(await organiser.read(paths.broadcast(id)))).toMatch(
    /8 人 8 已发出 0 等待发送 0 没有发成 已全部处理完/,
  )
  expect((await organiser.get(paths.resendBroadcast(id))).headers.get('location')).toBe(
    `${paths.broadcast(id)}?done=nothing`,
  )
  const audited = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'message.sent_again'))
  expect(audited).toMatchObject([
    { actor: '林老师', workshopId: workshop.id, payload: { count: 8 }, pii: { subject: '记得带电脑' } },
  ])
  for (const invalid of ['x', world.deps.newId()]) {
    expect((await organiser.get(paths.resendBroadcast(invalid))).status).toBe(404)
    expect((await organiser.post(paths.resendBroadcast(invalid), confirmField)).status).toBe(404)
  }
  const viewer = await signInToConsole(world, 'viewer')
  expect((await viewer.get(paths.resendBroadcast(id))).status).toBe(403)
  expect((await viewer.post(paths.resendBroadcast(id), confirmField)).status).toBe(403)
})

test('the mail page and the dashboard report an outage while the mail server rejects all content', async () => {
  await using harness = await createMailHarness()
  const { world } = harness
  const workshop = await world.workshop({ capacity: 8 })
  const organiser = await signInToConsole(world)
  await harness.deliver()
  for (let n = 1; n <= 8; n++) await world.register(workshop, { email: `to-${n}@example.com` })
  harness.server.injectFault = (step) => (step === 'message' ? [550, 'Mail content denied <i>'] : undefined)
  await harness.deliver()
  const page = await organiser.read(paths.consoleMails())
  expect(visibleText(page)).toMatch(/发信从 .*10:00 起暂停：邮件服务器接连拒收了邮件的内容。有 8 封邮件等着发/)
  expect(visibleText(page)).toContain('它的回答： DATA: 550 Mail content denied &lt;i&gt;')
  expect(visibleText(page)).toContain('SPF、DKIM')
  expect(visibleText(await organiser.read(`${paths.consoleMails()}?lang=en`))).toContain(
    '8 mails are waiting; each is kept, and tried for at least 24 hours',
  )
  collectMetrics(world.deps)
  expect(await world.deps.renderMetrics?.()).toContain('baoming_mail_delivery_paused 1\n')
  expect(visibleText(await organiser.read(paths.console()))).toMatch(
    /邮件服务器拒收邮件内容，.*10:00 起暂停发信，8 封邮件等着发/,
  )
  harness.server.injectFault = () => undefined
  world.clock.advance({ seconds: 30 })
  await harness.deliver()
  expect(visibleText(await organiser.read(paths.consoleMails()))).not.toContain('起暂停')
  expect(await world.deps.renderMetrics?.()).toContain('baoming_mail_delivery_paused 0\n')
})

test.each<[Role]>([['viewer']])('a %s sees no mails and cannot send broadcasts', async (role) => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop)
  const viewer = await signInToConsole(world, role)
  for (const path of [
    paths.consoleMails(),
    paths.workshopBroadcasts(workshop.slug),
    paths.newWorkshopBroadcast(workshop.slug),
  ])
    expect([path, (await viewer.get(path)).status]).toEqual([path, 403])
  const fields = { id: world.deps.newId(), subject: '你好', body: '你好', do: 'send' }
  expect((await viewer.post(paths.newWorkshopBroadcast(workshop.slug), fields)).status).toBe(403)
  expect(await listBroadcastMails(world)).toEqual([])
  expect(await viewer.read(paths.consoleWorkshop(workshop.slug))).not.toContain('/messages')
})

/** Creates a world with a mail server. `deliver` sends the due mails. */
async function createMailHarness(): Promise<
  AsyncDisposable & {
    world: World
    server: MailServer
    deliver(): Promise<unknown>
    to(address: string): ReceivedMail[]
  }
> {
  const server = await startMailServer()
  const world = await createWorld({ env: { SMTP_URL: server.url, MAIL_FROM: 'workshops@example.org' } })
  const transport = createPooledTransport(world.deps.config) as Transport
  return {
    world,
    server,
    deliver: () => deliverDueMails(world.deps, transport),
    to: (address) => server.mails.filter(({ to }) => to[0] === address),
    async [Symbol.asyncDispose]() {
      transport.close()
      await world.close()
      await server.stop()
    },
  }
}

/** Links whose text is their URL: those typed by the organiser. The mail's own links have labels. */
function findTextLinks(html: string): string[] {
  const links = [...html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)]
  return links.flatMap(([, href = '', text = '']) => (text === href ? [unescapeHtml(href)] : []))
}

function unescapeHtml(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

function listBroadcastMails(world: World) {
  return world.db.select().from(mails).where(isNotNull(mails.broadcastId)).orderBy(asc(mails.id))
}

async function signInToConsole(world: World, role: Role = 'organiser') {
  const { id, Cookie } = await world.signIn(role, '林老师')
  const stored = await world.db.query.organisers.findFirst({ where: (organiser) => eq(organiser.id, id) })
  const request = (path: string, init: RequestInit = {}) =>
    world.request(path, { ...init, headers: { ...(init.headers as Record<string, string>), Cookie } })
  return {
    id,
    email: stored?.email ?? '',
    get: (path: string) => request(path),
    async read(path: string): Promise<string> {
      const response = await request(path)
      expect([path, response.status]).toEqual([path, 200])
      return response.text()
    },
    post: (path: string, fields: Record<string, string>) =>
      request(path, {
        method: 'POST',
        headers: { Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}
