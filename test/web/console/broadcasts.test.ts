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

test('a message is written, previewed, tried, sent once and followed until it is out', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const workshop = await world.workshop({ capacity: 2 })
  const first = await world.register(workshop, { name: '王小明', email: 'wang@example.com' })
  await world.register(workshop, { name: 'Ann Lee', email: 'ann@example.com', locale: 'en' })
  await world.register(workshop, { name: '候补的人', email: 'waits@example.com' })
  const me = await signInToConsole(world)
  await office.deliver()
  const form = `${paths.newWorkshopBroadcast(workshop.slug)}?status=confirmed`
  const opened = await me.read(form)
  expect(visibleText(opened)).toMatch(/上海 2026-12-11中符合条件的人：状态是“有名额” 现在是 2 人/)
  expect(opened).toContain('{{ticket}}')
  const { id = '' } = formValues(opened)
  const subject = '{{city}}见：记得带 <b>电脑</b>'
  const body =
    '{{name}}，{{date}}请带电脑。\r\n说明：https://www.rt-thread.org/a?b=1&c=2。\r\n\r\n<script>alert(1)</script> {{ticket}}'

  const preview = await me.post(form, { id, subject, body })
  expect(preview.status).toBe(200)
  const previewed = await preview.text()
  expect(visibleText(previewed)).toContain('上海见：记得带 &lt;b&gt;电脑&lt;/b&gt;')
  expect(visibleText(previewed)).toContain('王小明，2026年12月11日 周五请带电脑。')
  expect(visibleText(previewed)).toContain('发给 2 人')
  expect(previewed).not.toContain('<script>alert')
  // The ticket is the attendee's alone.
  expect(previewed).not.toContain(first.ticket)
  expect(previewed).toContain(paths.ticket('******'))
  expect(await listBroadcastMails(world)).toEqual([])

  const { test: trial = '' } = formValues(previewed)
  const tried = await me.post(form, { id, test: trial, subject, body, do: 'test' })
  expect(visibleText(await tried.text())).toContain(`测试邮件马上发到 ${me.email}`)
  await me.post(form, { id, test: trial, subject, body, do: 'test' })
  await office.deliver()
  const toMe = office.to(me.email).filter(({ mail }) => mail.subject?.startsWith('【测试】'))
  expect(toMe).toHaveLength(1)
  expect(toMe[0]?.mail.subject).toBe('【测试】上海见：记得带 <b>电脑</b>')
  expect(toMe[0]?.mail.text).toContain('林老师，2026年12月11日 周五请带电脑。')
  expect(toMe[0]?.mail.text).toContain(`http://localhost:3000${paths.workshop(workshop.slug)}`)
  expect(toMe[0]?.mail.text).not.toContain('/t/')
  expect(toMe[0]?.mail.attachments).toEqual([])
  for (const address of ['wang@example.com', 'ann@example.com']) expect(office.to(address)).toHaveLength(1)

  const send = () => me.post(form, { id, subject, body, do: 'send' })
  const [sent, again] = [await send(), await send()]
  for (const answer of [sent, again]) {
    expect([answer.status, answer.headers.get('location')]).toEqual([303, paths.broadcast(id)])
  }
  const waiting = await me.read(paths.broadcast(id))
  expect(visibleText(waiting)).toMatch(/2 人 0 已发出 2 等待发送 0 没有发成/)
  expect(waiting).toContain('data-waiting="2"')
  office.server.injectFault = (step, address) =>
    step === 'recipient' && address === 'ann@example.com' ? [550, '5.1.1 No such user'] : undefined
  await office.deliver()
  const out = await me.read(paths.broadcast(id))
  expect(visibleText(out)).toMatch(/2 人 1 已发出 0 等待发送 1 没有发成 已全部处理完/)
  expect(out).not.toContain('data-waiting')

  const [, mail, ...more] = office.to('wang@example.com').map((received) => received.mail)
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

  const listed = visibleText(await me.read(paths.workshopBroadcasts(workshop.slug)))
  expect(listed).toMatch(/\{\{city\}\}见：记得带 &lt;b&gt;电脑&lt;\/b&gt; .*发信人 林老师 2 人 没有发成 1/)
  const audited = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'message.sent'))
  expect(audited).toMatchObject([
    { actor: '林老师', workshopId: workshop.id, payload: { count: 2, status: 'confirmed' }, pii: { subject } },
  ])
})

test('{{ticket}} is a link of its own whatever follows it, and a typed address ends where its words do', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const workshop = await world.workshop()
  const { ticket } = await world.register(workshop, { email: 'wang@example.com' })
  const me = await signInToConsole(world)
  await office.deliver()
  const followers = [
    ...'、：！？」』】》”’…—｜（请，。；）',
    ...'A1)].,;!?\'":/#&=%-_~(<> ',
    ...['））', '{{city}}', '{{ticket}}'],
  ]
  const typed = 'https://a.example/x?a=1'
  const typedLines = [
    ...[...'、：！？」』】》”’…—｜（请，。； ', '{{name}}'].map((follower) => `资料（${typed}${follower}x`),
    ...[...')].,;!?\'":', '！”', '。)'].map((follower) => `资料（${typed}${follower}`),
  ]
  const body = [
    ...followers.map((follower) => `你的票：{{ticket}}${follower}x`),
    ...typedLines,
    '维基 https://a.example/wiki_(x) 和 (https://a.example/wiki_(x)).',
  ].join('\n')
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const { id = '' } = formValues(await me.read(form))
  const fields = { id, subject: '{{ticket}}！', body }
  const preview = await (await me.post(form, fields)).text()
  const { test: trial = '' } = formValues(preview)
  await me.post(form, { ...fields, test: trial, do: 'test' })
  await me.post(form, { ...fields, do: 'send' })
  await office.deliver()

  for (const [mail, path] of [
    [office.to('wang@example.com').at(-1)?.mail, paths.ticket(ticket)],
    [office.to(me.email).at(-1)?.mail, paths.workshop(workshop.slug)],
  ] as const) {
    const address = `http://localhost:3000${path}`
    expect(findTextLinks(mail?.html as string)).toEqual([
      ...followers.flatMap((follower) => (follower === '{{ticket}}' ? [address, address] : [address])),
      ...typedLines.map(() => typed),
      ...Array(2).fill('https://a.example/wiki_(x)'),
    ])
    // In the plain text a mail program looks for the addresses.
    const lines = mail?.text?.split('\n').filter((line) => line.startsWith('你的票：')) ?? []
    expect(lines).toHaveLength(followers.length)
    for (const line of lines) expect(line.slice('你的票：'.length).split(/\s/)[0]).toBe(address)
    expect(mail?.subject).toContain(`${address} ！`)
    // The preview says the same, without the ticket.
    const previewed = lines.map((line) => line.replaceAll(address, `http://localhost:3000${paths.ticket('******')}`))
    for (const line of previewed) expect(unescapeHtml(preview)).toContain(line)
  }
})

test('a mail in English is filled in in English', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const campaign = await world.campaign()
  const workshop = await world.workshop({ campaignId: campaign.id })
  await world.register(workshop, { name: 'Ann Lee', email: 'ann@example.com', locale: 'en' })
  const me = await signInToConsole(world)
  const form = paths.newCampaignBroadcast(campaign.slug)
  const { id = '' } = formValues(await me.read(form))
  const body = '{{name}}: {{workshop}}, {{city}}, {{date}}, {{time}}, {{place}}'
  expect((await me.post(form, { id, subject: 'News', body, do: 'send' })).status).toBe(303)
  await office.deliver()
  const [, mail] = office.to('ann@example.com')
  expect(mail?.mail.text).toContain(
    'Ann Lee: RT-Thread beginner workshop, Shanghai, Fri 11 December 2026, 10:00 – 17:00, Shanghai · Zhangjiang Science Hall, 1393 Haike Road',
  )
  expect(visibleText(await me.read(paths.broadcast(id)))).toContain('RT-Thread 入门培训')
  expect(visibleText(await me.read(paths.campaignBroadcasts(campaign.slug)))).toContain('News')
})

test('to those who cancelled, and after the workshop, a message tells of no ticket and nothing to bring', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const item = { kind: 'bring', text: { zh: '插线板' } } as const
  const workshop = await world.workshop({ items: [{ ...item, mustConfirm: false }] })
  await world.register(workshop, { email: 'came@example.com' })
  const gone = await world.register(workshop, { email: 'gone@example.com' })
  await cancelRegistration(world.deps, gone.id, 'attendee')
  const me = await signInToConsole(world)
  await office.deliver()
  const write = async (query = '') => {
    const draft = { id: world.deps.newId(), subject: '资料在这里', body: '谢谢！', do: 'send' }
    const answer = await me.post(`${paths.newWorkshopBroadcast(workshop.slug)}${query}`, draft)
    expect(answer.status).toBe(303)
    await office.deliver()
    return office.server.mails.at(-1)
  }
  const before = await write()
  expect([before?.to, before?.mail.text]).toEqual([['came@example.com'], expect.stringMatching(/插线板.*\/t\//s)])
  expect(before?.mail.attachments).not.toEqual([])
  const toGone = await write('?status=cancelled')
  world.clock.set(workshop.endsAt)
  const thanks = await write()
  expect([toGone?.to, thanks?.to]).toEqual([['gone@example.com'], ['came@example.com']])
  for (const received of [toGone, thanks]) {
    expect(received?.mail.text).toContain('谢谢！')
    expect(received?.mail.text).toContain('你用这个邮箱报名过')
    expect(received?.mail.text).not.toMatch(/\/t\/|插线板|来不了|日历/)
    expect(received?.mail.attachments).toEqual([])
  }
})

test('what is wrong is told beside the fields, which keep what was typed, and nothing is stored', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop)
  const me = await signInToConsole(world)
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const id = world.deps.newId()
  for (const action of ['', 'send', 'test']) {
    const answer = await me.post(form, { id, test: id, subject: '', body: '{{姓名}}"><i>你好 {{name}', do: action })
    const page = await answer.text()
    expect([action, answer.status]).toEqual([action, 422])
    expect(visibleText(page)).toContain('请填写标题。')
    expect(visibleText(page)).toContain('正文里有不认识的占位符：{{姓名}}、{{name。')
    expect(page).toContain('{{姓名}}&quot;&gt;&lt;i&gt;你好 {{name}</textarea>')
    expect(page).toMatch(/<input[^>]* id="subject"[^>]* aria-invalid="true"/)
  }
  const long = await me.post(form, { id, subject: '长'.repeat(201), body: '长'.repeat(10_001) })
  expect(visibleText(await long.text())).toMatch(/标题太长了，最多 200 字。.*正文太长了，最多 10000 字。/)
  // The longest is longer than the body of a form of strangers may be.
  const longest = { id, subject: '长'.repeat(200), body: '长'.repeat(10_000) }
  expect((await me.post(form, longest)).status).toBe(200)
  const back = await me.post(form, { ...longest, body: '再想想', do: 'edit' })
  expect([back.status, await back.text()]).toEqual([200, expect.stringContaining('>再想想</textarea>')])
  expect(await world.db.select().from(broadcasts)).toEqual([])
  // Without the id that makes it go out once it is only shown.
  for (const odd of ['', 'x', "' or 1=1"]) {
    const answer = await me.post(form, { id: odd, subject: '你好', body: '你好', do: 'send' })
    expect([odd, answer.status]).toEqual([odd, 200])
  }
  expect(await world.db.select().from(broadcasts)).toEqual([])
})

test('a message that nobody would get is not sent, and one form sends no two messages', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  const me = await signInToConsole(world)
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const draft = { id: world.deps.newId(), subject: '你好', body: '你好', do: 'send' }
  expect(visibleText(await me.read(form))).toContain('现在没有人符合条件')
  const nobody = await me.post(form, draft)
  expect([nobody.status, visibleText(await nobody.text())]).toEqual([409, expect.stringContaining('所以没有发送')])
  await world.register(workshop)
  expect((await me.post(form, draft)).status).toBe(303)
  const other = await me.post(form, { ...draft, body: '别的' })
  const page = await other.text()
  expect([other.status, visibleText(page)]).toEqual([409, expect.stringContaining('已经发过另一条消息')])
  const { id = '' } = formValues(page)
  expect(id).not.toBe(draft.id)
  expect((await me.post(form, { ...draft, id, body: '别的' })).headers.get('location')).toBe(paths.broadcast(id))
  for (const path of [
    paths.broadcast(world.deps.newId()),
    paths.broadcast('x'),
    paths.newWorkshopBroadcast('nothing'),
    paths.campaignBroadcasts('nothing'),
  ])
    expect([path, (await me.get(path)).status]).toEqual([path, 404])
})

test('the filter of the list goes along to the message', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop()
  await world.register(workshop, { name: '王小明' })
  await world.register(workshop, { name: '李安' })
  const me = await signInToConsole(world)
  const list = await me.read(`${paths.workshopPeople(workshop.slug)}?q=wxm&sort=-name`)
  const [, href = ''] = /href="([^"]*\/messages\/new[^"]*)"/.exec(list) ?? []
  const form = href.replaceAll('&amp;', '&')
  expect(visibleText(await me.read(form))).toContain('查找“wxm” 现在是 1 人')
  const id = world.deps.newId()
  await me.post(form, { id, subject: '你好', body: '你好', do: 'send' })
  const owed = await listBroadcastMails(world)
  expect(owed).toHaveLength(1)
})

test('all mails are shown with whom they are for and what became of them, and dead ones are sent again', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const workshop = await world.workshop({ capacity: 9 })
  const me = await signInToConsole(world)
  const { id } = await world.register(workshop, { name: '<i>王</i>', email: 'wang@example.com' })
  await world.register(workshop, { name: '李安', email: 'li@example.com' })
  const { id: erased } = await world.register(workshop, { name: '要删除的人' })
  await eraseRegistrations(world.deps, [erased], 'organiser')
  office.server.injectFault = (step, address) =>
    step === 'recipient' && address === 'wang@example.com' ? [550, '5.1.1 <b>No</b> such user'] : undefined
  await office.deliver()
  const page = await me.read(paths.consoleMails())
  expect(visibleText(page)).toMatch(/全部（6） 已发出（3） 没有发成（3）/)
  expect(page).toContain(`<a href="${paths.person(id)}">&lt;i&gt;王&lt;/i&gt;</a>`)
  expect(page).toContain('&lt;b&gt;No&lt;/b&gt; such user')
  expect(page).not.toMatch(/<i>王|<b>No|要删除的人/)
  expect(visibleText(page)).toContain('资料已删除，不再发送')
  expect(visibleText(page)).toContain('登录 localhost')
  // What nobody should get any more is not sent again.
  expect(page.match(/\/send-again/g)).toHaveLength(1)
  const dead = await me.read(`${paths.consoleMails()}?state=dead`)
  expect(dead).toContain(paths.person(id))
  expect(dead).not.toContain('李安')
  expect(visibleText(await me.read(`${paths.consoleMails()}?state=held`))).toContain('没有这样的邮件')

  office.server.injectFault = () => undefined
  const [, action = ''] = /action="([^"]*\/send-again[^"]*)"/.exec(dead) ?? []
  const again = await me.post(action, confirmField)
  expect(again.headers.get('location')).toBe(`${paths.consoleMails()}?state=dead&done=owed`)
  expect(visibleText(await me.read(again.headers.get('location') ?? ''))).toContain('邮件马上再发一次')
  await office.deliver()
  expect(office.to('wang@example.com')).toHaveLength(1)
  expect((await me.post(action, confirmField)).headers.get('location')).toContain('done=not_dead')
  for (const odd of ['0', 'x', '999999999999999', '9'.repeat(30)])
    expect([odd, (await me.post(`/console/mails/${odd}/send-again`, confirmField)).status]).toEqual([odd, 404])
  for (const odd of ['state=x', 'before=x', 'message=x', `before=${'9'.repeat(30)}`, `message=${id}`])
    expect([odd, (await me.get(`${paths.consoleMails()}?${odd}`)).status]).toEqual([odd, 200])
  const audited = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'mail.sent_again'))
  expect(audited).toMatchObject([
    { actor: '林老师', registrationId: id, workshopId: workshop.id, payload: { kind: 'confirmed' } },
  ])
})

test('fifty mails a page lead to the older ones', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ capacity: 99 })
  for (let n = 1; n <= 51; n++) await world.register(workshop, { name: `学员${n}号` })
  const me = await signInToConsole(world)
  const page = await me.read(`${paths.consoleMails()}?state=held`)
  expect(visibleText(page)).toContain('没有设置邮件服务器（SMTP_URL）')
  expect(page).not.toContain('学员3号')
  const [, older = ''] = /href="([^"]*before=[^"]*)"/.exec(page) ?? []
  const next = await me.read(older.replaceAll('&amp;', '&'))
  expect(next).toContain('学员3号')
  expect(next).toContain('学员1号')
  expect(next).not.toContain('学员4号')
})

test('mails that do not go out for half an hour are said to stand still', async () => {
  await using world = await createWorld({ env: { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'workshops@example.org' } })
  const workshop = await world.workshop()
  await world.register(workshop)
  const me = await signInToConsole(world)
  expect(visibleText(await me.read(paths.consoleMails()))).not.toContain('一直没有发出去')
  world.clock.advance({ minutes: 31 })
  expect(visibleText(await me.read(paths.consoleMails()))).toContain('有 3 封邮件一直没有发出去')
})

test('a message that the mail server refuses is shown as paused, and is sent again to those who did not get it', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const workshop = await world.workshop({ capacity: 8 })
  for (let n = 1; n <= 8; n++) await world.register(workshop, { email: `to-${n}@example.com` })
  const me = await signInToConsole(world)
  await office.deliver()
  const form = paths.newWorkshopBroadcast(workshop.slug)
  const id = world.deps.newId()
  await me.post(form, { id, subject: '记得带电脑', body: '你好', do: 'send' })
  expect(await me.read(paths.broadcast(id))).not.toContain('send-again')
  // Nothing was refused yet, so nothing is sent again.
  expect((await me.post(paths.resendBroadcast(id), confirmField)).headers.get('location')).toBe(
    `${paths.broadcast(id)}?done=nothing`,
  )
  office.server.injectFault = (step) => (step === 'message' ? [554, 'DT:SPM <b>to-1@example.com</b> 126'] : undefined)
  await office.deliver()

  const page = await me.read(paths.broadcast(id))
  expect(visibleText(page)).toContain('已经暂停发送：发出了 0 封，还有 8 封等着')
  expect(visibleText(page)).toMatch(/它的回答： DATA: 554 DT:SPM &lt;b&gt;…&lt;\/b&gt; 126/)
  const [failed] = await query<{ id: number | string }>(
    world.db,
    sql`update mails set state = 'dead' where id = (select max(id) from mails where broadcast_id is not null) returning id`,
  )
  const refused = (await me.post(`/console/mails/${failed?.id}/send-again`, confirmField)).headers.get('location') ?? ''
  expect(visibleText(await me.read(refused))).toContain('它所属的消息已暂停。请先再发一次这条消息')
  await world.db.execute(sql`update mails set state = 'pending' where id = ${failed?.id}`)
  expect(page).not.toContain('data-waiting')
  expect(visibleText(await me.read(paths.workshopBroadcasts(workshop.slug)))).toContain('8 人 已暂停 等待发送 8')
  const overview = await me.read(paths.console())
  expect(visibleText(overview)).toContain('群发消息“记得带电脑”被邮件服务器拒收，已暂停，8 封等着发')
  expect(overview).toContain(`href="${paths.broadcast(id)}"`)
  // It is not a fault of the mail server as a whole.
  world.clock.advance({ hours: 1 })
  expect(visibleText(await me.read(paths.consoleMails()))).not.toMatch(/一直没有发出去|起暂停/)
  const english = await me.read(`${paths.broadcast(id)}?lang=en`)
  expect(visibleText(english)).toContain('it is paused: 0 sent, 8 waiting')

  expect(page).toContain(`href="${paths.resendBroadcast(id)}"`)
  const asked = await me.read(paths.resendBroadcast(id))
  expect(visibleText(asked)).toContain('发给还没有收到的 8 人')
  expect(asked).toContain(`action="${paths.resendBroadcast(id)}"`)
  office.server.injectFault = () => undefined
  for (const done of ['sent', 'nothing']) {
    const answer = await me.post(paths.resendBroadcast(id), confirmField)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${paths.broadcast(id)}?done=${done}`])
  }
  expect(visibleText(await me.read(`${paths.broadcast(id)}?done=sent`))).toContain('马上再发一次')
  await office.deliver()
  const sent = office.server.mails.filter(({ mail }) => mail.subject === '记得带电脑').map(({ to }) => to[0])
  expect(sent.sort()).toEqual(Array.from({ length: 8 }, (_, n) => `to-${n + 1}@example.com`))
  expect(visibleText(await me.read(paths.broadcast(id)))).toMatch(/8 人 8 已发出 0 等待发送 0 没有发成 已全部处理完/)
  expect((await me.get(paths.resendBroadcast(id))).headers.get('location')).toBe(`${paths.broadcast(id)}?done=nothing`)
  const audited = await world.db.select().from(auditEntries).where(eq(auditEntries.action, 'message.sent_again'))
  expect(audited).toMatchObject([
    { actor: '林老师', workshopId: workshop.id, payload: { count: 8 }, pii: { subject: '记得带电脑' } },
  ])
  for (const odd of ['x', world.deps.newId()]) {
    expect((await me.get(paths.resendBroadcast(odd))).status).toBe(404)
    expect((await me.post(paths.resendBroadcast(odd), confirmField)).status).toBe(404)
  }
  const viewer = await signInToConsole(world, 'viewer')
  expect((await viewer.get(paths.resendBroadcast(id))).status).toBe(403)
  expect((await viewer.post(paths.resendBroadcast(id), confirmField)).status).toBe(403)
})

test('while the mail server refuses the content of all mails, the mail page and the overview say so', async () => {
  await using office = await createMailHarness()
  const { world } = office
  const workshop = await world.workshop({ capacity: 8 })
  const me = await signInToConsole(world)
  await office.deliver()
  for (let n = 1; n <= 8; n++) await world.register(workshop, { email: `to-${n}@example.com` })
  office.server.injectFault = (step) => (step === 'message' ? [550, 'Mail content denied <i>'] : undefined)
  await office.deliver()
  const page = await me.read(paths.consoleMails())
  expect(visibleText(page)).toMatch(/发信从 .*10:00 起暂停：邮件服务器接连拒收了邮件的内容。有 8 封邮件等着发/)
  expect(visibleText(page)).toContain('它的回答： DATA: 550 Mail content denied &lt;i&gt;')
  expect(visibleText(page)).toContain('SPF、DKIM')
  expect(visibleText(await me.read(`${paths.consoleMails()}?lang=en`))).toContain(
    '8 mails are waiting; each is kept, and tried for at least 24 hours',
  )
  collectMetrics(world.deps)
  expect(await world.deps.renderMetrics?.()).toContain('baoming_mail_delivery_paused 1\n')
  expect(visibleText(await me.read(paths.console()))).toMatch(
    /邮件服务器拒收邮件内容，.*10:00 起暂停发信，8 封邮件等着发/,
  )
  office.server.injectFault = () => undefined
  world.clock.advance({ seconds: 30 })
  await office.deliver()
  expect(visibleText(await me.read(paths.consoleMails()))).not.toContain('起暂停')
  expect(await world.deps.renderMetrics?.()).toContain('baoming_mail_delivery_paused 0\n')
})

test.each<[Role]>([['viewer']])('a %s sees no mail and writes to nobody', async (role) => {
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

/** A world with a mail server, to which it delivers when told to. */
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

/** The addresses that are shown as they are typed, and so were found in a text, where the links of the mail have words. */
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
  const found = await world.db.query.organisers.findFirst({ where: (organiser) => eq(organiser.id, id) })
  const ask = (path: string, init: RequestInit = {}) =>
    world.request(path, { ...init, headers: { ...(init.headers as Record<string, string>), Cookie } })
  return {
    id,
    email: found?.email ?? '',
    get: (path: string) => ask(path),
    async read(path: string): Promise<string> {
      const response = await ask(path)
      expect([path, response.status]).toEqual([path, 200])
      return response.text()
    },
    post: (path: string, fields: Record<string, string>) =>
      ask(path, {
        method: 'POST',
        headers: { Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}
