import type { ParsedMail } from 'mailparser'
import { expect, test } from 'vitest'
import { enqueueReminders } from '../../src/domain/mails/reminders.ts'
import { changeWorkshop } from '../../src/domain/workshops/workshops.ts'
import { deliverDueMails } from '../../src/email/delivery.ts'
import { createPooledTransport } from '../../src/email/transport.ts'
import { paths } from '../../src/http/links.ts'
import { startMailServer } from '../support/mail/smtp-server.ts'
import { createWorld } from '../support/world.ts'

/** Two attendees, one per language, and a mail server that records their mails. */
async function createMailHarness() {
  const server = await startMailServer()
  const world = await createWorld({
    env: { SMTP_URL: server.url, MAIL_FROM: 'post@learn.example', BASE_URL: 'https://learn.example' },
  })
  const transport = createPooledTransport(world.deps.config)
  if (!transport) throw new Error('no transport')
  const workshop = await world.workshop({
    entry: { zh: '三号楼南门\n带身份证', en: 'South gate of building 3\nBring your ID' },
    items: [
      {
        kind: 'prerequisite',
        text: { zh: '装好 RT-Thread Studio', en: 'RT-Thread Studio is installed' },
        url: 'https://www.rt-thread.io/studio',
        mustConfirm: true,
      },
      { kind: 'prerequisite', text: { zh: '会 C 语言', en: 'C' }, mustConfirm: true },
      { kind: 'bring', text: { zh: '插线板', en: 'A power strip' }, mustConfirm: false },
    ],
  })
  const cLanguageItem = workshop.items[1]?.id as string
  const wang = await world.register(workshop, {
    name: '王小明',
    email: 'wang@example.com',
    ready: { [cLanguageItem]: true },
  })
  const ann = await world.register(workshop, { name: 'Ann', email: 'ann@example.com', locale: 'en' })
  const send = async (): Promise<Record<string, ParsedMail>> => {
    await enqueueReminders(world.deps)
    server.mails.length = 0
    await deliverDueMails(world.deps, transport)
    return Object.fromEntries(server.mails.map(({ to, mail }) => [to[0]?.split('@')[0], mail] as [string, ParsedMail]))
  }
  await send()
  return {
    ...{ world, workshop, wang, ann, send },
    async [Symbol.asyncDispose]() {
      await transport.close()
      await world.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('the reminder seven days before lists missing items and links to the checklist', async () => {
  await using o = await createMailHarness()
  o.world.clock.set('2026-12-04T10:00:00+08:00')
  const { wang, ann } = await o.send()
  expect(wang?.subject).toBe('还差几样没准备好：RT-Thread 入门培训 · 上海 · 12月11日周五')
  expect(wang?.text).toContain('还没准备好的：\n- [请先安装] 装好 RT-Thread Studio\n  https://www.rt-thread.io/studio')
  // Items that are ready or not required are not listed.
  expect(wang?.text).not.toMatch(/C 语言|插线板/)
  expect(wang?.text).toContain(`https://learn.example/t/${o.wang.ticket}#prepare`)
  expect(ann?.subject).toBe('Not ready yet: RT-Thread beginner workshop · Shanghai · Fri 11 Dec')
  expect(ann?.text).toMatch(/Not ready yet:\n.*RT-Thread Studio is installed\n.*\n.*\] C\n/)
  expect(ann?.html).toContain(`href="https://learn.example/t/${o.ann.ticket}#prepare"`)
  expect(ann?.html).not.toContain('cid:')
})

test('the reminder three days before asks for confirmation and links to the page with both answers', async () => {
  await using o = await createMailHarness()
  o.world.clock.set('2026-12-08T10:00:00+08:00')
  const { wang, ann } = await o.send()
  expect(wang?.subject).toBe('你会来吗？RT-Thread 入门培训 · 上海 · 12月11日周五')
  const page = `https://learn.example/t/${o.wang.ticket}/coming`
  expect(wang?.text).toContain(`我会来，或者让出名额：\n${page}`)
  expect(wang?.text).toContain(`让出名额：\n${page}`)
  expect(wang?.text).toContain('装好 RT-Thread Studio')
  expect(wang?.text).not.toContain('/cancel')
  expect(ann?.text).toContain(`https://learn.example/t/${o.ann.ticket}/coming`)
  expect((await o.world.request(new URL(page).pathname)).status).toBe(200)
})

test('mails and pages of a closed workshop do not say that a seat goes to the waitlist', async () => {
  await using o = await createMailHarness()
  await changeWorkshop(o.world.deps, o.workshop.slug, { state: 'closed' })
  const sent = Object.values(await o.send())
  for (const moment of ['2026-12-04T10:00:00+08:00', '2026-12-08T10:00:00+08:00', '2026-12-10T10:00:00+08:00']) {
    o.world.clock.set(moment)
    sent.push(...Object.values(await o.send()))
  }
  expect(sent).toHaveLength(8)
  for (const { subject, text, html } of sent) expect([subject, text, html].join()).not.toMatch(/排队|in line/)
  for (const path of [paths.ticketAttendance(o.ann.ticket), paths.ticketCancel(o.ann.ticket)])
    for (const language of ['zh-CN', 'en']) {
      const page = await o.world.request(path, { headers: { 'Accept-Language': language } })
      expect(await page.text()).not.toMatch(/排队|in line/)
    }
})

test('the reminder the day before contains time, place, entry, what to bring and the check-in code', async () => {
  await using o = await createMailHarness()
  o.world.clock.set('2026-12-10T10:00:00+08:00')
  const { wang, ann } = await o.send()
  expect(wang?.subject).toBe('就在明天：RT-Thread 入门培训 · 上海 · 12月11日周五')
  for (const phrase of ['10:00 – 17:00', '张江科学会堂', '三号楼南门\n', '带身份证', '插线板', '取消报名']) {
    expect(wang?.text).toContain(phrase)
  }
  expect(wang?.attachments.map(({ contentType }) => contentType)).toEqual(['image/png', 'image/png', 'text/calendar'])
  expect(ann?.subject).toMatch(/^Tomorrow: /)
  expect(ann?.text).toMatch(/Entry +South gate of building 3\n +Bring your ID\n/)
})

test('the reminder the day before says today after midnight', async () => {
  await using o = await createMailHarness()
  o.world.clock.set('2026-12-11T00:30:00+08:00')
  const { wang } = await o.send()
  expect(wang?.subject).toMatch(/^就在今天：/)
})
