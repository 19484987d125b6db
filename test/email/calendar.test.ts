import ical from 'node-ical'
import { describe, expect, test } from 'vitest'
import { findRegistrationById, type Registration } from '../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../src/domain/registrations/seats.ts'
import { changeWorkshop } from '../../src/domain/workshops/workshops.ts'
import { registrationCalendar } from '../../src/email/calendar.ts'
import { createWorld, type World } from '../support/world.ts'

const ticketUrl = 'https://baoming.example.com/t/secret'

async function renderCalendar(world: World, id: string, locale: 'zh-CN' | 'en' = 'zh-CN'): Promise<string> {
  const registration = (await findRegistrationById(world.deps, id)) as Registration
  return registrationCalendar([{ registration, ticketUrl }], locale, world.clock.now())
}

function parseEvent(text: string) {
  const event = Object.values(ical.sync.parseICS(text)).find((part) => part?.type === 'VEVENT')
  if (event?.type !== 'VEVENT') throw new Error('no event found')
  return event
}

const parseMethod = (text: string) => /^METHOD:(.*)$/m.exec(text)?.[1]?.trim()

describe('registrationCalendar', () => {
  test('contains time in UTC, place, ticket, what to prepare and an alarm a day before', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({
      items: [{ kind: 'bring', text: { zh: '笔记本电脑与插线板', en: 'A laptop' }, mustConfirm: false }],
    })
    const { id } = await world.register(workshop)
    const text = await renderCalendar(world, id)
    expect(parseMethod(text)).toBe('PUBLISH')
    expect(text).toContain('DTSTART:20261211T020000Z')
    expect(text).toContain('DTEND:20261211T090000Z')
    expect(text).toContain('TRIGGER:-P1D')
    expect(parseEvent(text)).toMatchObject({
      uid: `${id}@baoming`,
      sequence: 0,
      status: 'CONFIRMED',
      location: '上海, 张江科学会堂, 海科路 1393 号',
      description: `报名成功\n我的票：${ticketUrl}\n请自带：笔记本电脑与插线板`,
    })
    expect(parseEvent(await renderCalendar(world, id, 'en'))).toMatchObject({
      summary: 'RT-Thread beginner workshop · Shanghai',
    })
  })

  test('keeps the UID and raises SEQUENCE when time or place change and on cancellation', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { id } = await world.register(workshop)
    const first = parseEvent(await renderCalendar(world, id))
    await changeWorkshop(world.deps, workshop.slug, { venue: { zh: '另一处' } })
    const moved = parseEvent(await renderCalendar(world, id))
    await cancelRegistration(world.deps, id, 'attendee')
    const text = await renderCalendar(world, id)
    const cancelled = parseEvent(text)
    expect(parseMethod(text)).toBe('CANCEL')
    expect(cancelled.status).toBe('CANCELLED')
    expect(text).not.toContain('VALARM')
    expect([moved.uid, cancelled.uid]).toEqual([first.uid, first.uid])
    expect(Number(moved.sequence)).toBeGreaterThan(Number(first.sequence))
    expect(Number(cancelled.sequence)).toBeGreaterThan(Number(moved.sequence))
  })

  test('is a cancellation when the workshop is cancelled', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { id } = await world.register(workshop)
    await cancelWorkshop(world.deps, workshop.slug)
    const text = await renderCalendar(world, id)
    expect(parseMethod(text)).toBe('CANCEL')
    expect(Number(parseEvent(text).sequence)).toBeGreaterThan(0)
  })

  test('mentions that registration closed, with a higher SEQUENCE and the same UID', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { id } = await world.register(workshop)
    await changeWorkshop(world.deps, workshop.slug, { state: 'closed' })
    const text = await renderCalendar(world, id)
    expect(parseMethod(text)).toBe('PUBLISH')
    expect(parseEvent(text)).toMatchObject({
      uid: `${id}@baoming`,
      sequence: 1,
      status: 'CONFIRMED',
      description: `报名成功\n报名已截止\n我的票：${ticketUrl}`,
    })
    const subscribed = await (await world.request('/calendar.ics?lang=en')).text()
    expect(parseEvent(subscribed)).toMatchObject({
      sequence: 1,
      description: expect.stringMatching(/^Registration closed/),
    })
  })

  test('is tentative for a waitlisted registration', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ capacity: 1 })
    await world.register(workshop)
    const { id } = await world.register(workshop)
    expect(parseEvent(await renderCalendar(world, id)).status).toBe('TENTATIVE')
  })

  test('folds lines at 75 octets without splitting a character (RFC 5545, 3.1)', async () => {
    await using world = await createWorld()
    const title = `实时操作系统RT-Thread线下入门培训,动手实验与理论;${'从点灯到文件系统'.repeat(12)}`
    const { id } = await world.register(await world.workshop({ title: { zh: title } }))
    const text = await renderCalendar(world, id)
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
    expect(text).not.toContain('\ufffd')
    expect(parseEvent(text).summary).toBe(`${title} · 上海`)
  })
})

test('registrationCalendar with an active and a cancelled registration has METHOD PUBLISH', async () => {
  await using world = await createWorld()
  const active = await world.register(await world.workshop())
  const other = await world.register(await world.workshop())
  await cancelRegistration(world.deps, other.id, 'attendee')
  const entries = await Promise.all(
    [active, other].map(async ({ id }) => ({
      registration: (await findRegistrationById(world.deps, id)) as Registration,
      ticketUrl,
    })),
  )
  const text = registrationCalendar(entries, 'zh-CN', world.clock.now())
  expect(parseMethod(text)).toBe('PUBLISH')
  expect(text.match(/^STATUS:.*$/gm)?.map((line) => line.trim())).toEqual(['STATUS:CONFIRMED', 'STATUS:CANCELLED'])
})
