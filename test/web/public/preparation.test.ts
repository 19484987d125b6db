import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { enqueueReminders } from '../../../src/domain/mails/reminders.ts'
import { findRegistrationById, type Registration } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { changeWorkshop } from '../../../src/domain/workshops/workshops.ts'
import { formValues, postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

/** A confirmed attendee of a workshop in ten days with two required items. */
async function createAttendee(world: World, capacity = 2) {
  const workshop = await world.workshop({
    capacity,
    entry: { zh: '三号楼南门\n带身份证' },
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
  const { id, ticket } = await world.register(workshop)
  const [studio, c] = workshop.items.map((item) => item.id) as [string, string]
  const stored = async () => (await findRegistrationById(world.deps, id)) as Registration
  return { workshop, id, path: `/t/${ticket}`, studio, c, stored }
}

describe('POST /t/:ticket/ready', () => {
  test('saves and clears checklist answers', async () => {
    await using world = await createWorld()
    const { path, studio, c, stored } = await createAttendee(world)
    const page = await (await world.request(path)).text()
    expect(page).toContain('href="https://www.rt-thread.io/studio"')
    expect(page).not.toContain('你说')
    expect(formValues(page)[`ready.${studio}`]).toBeUndefined()

    const response = await postForm(world, `${path}/ready`, { [`ready.${studio}`]: 'yes' })
    expect([response.status, response.headers.get('location')]).toEqual([303, `${path}?done=ready#prepare`])
    // An item that was never ticked has no answer.
    expect((await stored()).ready).toEqual({ [studio]: true })
    const saved = await (await world.request(`${path}?done=ready`)).text()
    expect(visibleText(saved)).toContain('已保存。')
    expect(formValues(saved)[`ready.${studio}`]).toBe('yes')

    await postForm(world, `${path}/ready`, { [`ready.${c}`]: 'yes' })
    expect((await stored()).ready).toEqual({ [studio]: false, [c]: true })
  })

  test('accepts only the required items of the workshop', async () => {
    await using world = await createWorld()
    const { path, workshop, stored } = await createAttendee(world)
    const bring = workshop.items[2]?.id as string
    const fields = { [`ready.${bring}`]: 'yes', 'ready.x': 'yes', 'ready.__proto__': 'yes', [`ready.${path}`]: 'yes' }
    expect((await postForm(world, `${path}/ready`, fields)).status).toBe(303)
    expect((await stored()).ready).toEqual({})
  })

  test('returns 409 after the workshop and for a cancelled registration', async () => {
    await using world = await createWorld()
    const { path, id, workshop, studio, stored } = await createAttendee(world)
    const tick = () => postForm(world, `${path}/ready`, { [`ready.${studio}`]: 'yes' })
    world.clock.set(new Date(workshop.endsAt.getTime() - 1000))
    expect((await tick()).status).toBe(303)
    world.clock.set(workshop.endsAt)
    const late = await postForm(world, `${path}/ready`, {})
    expect(late.status).toBe(409)
    expect(visibleText(await late.text())).toContain('不能再勾选')
    expect((await stored()).ready).toEqual({ [studio]: true })

    world.clock.set('2026-12-02T10:00:00+08:00')
    await cancelRegistration(world.deps, id, 'attendee')
    expect((await postForm(world, `${path}/ready`, {})).status).toBe(409)
    expect((await stored()).ready).toEqual({ [studio]: true })
    expect(await (await world.request(path)).text()).not.toContain('/ready"')
  })
})

describe('attendance confirmation', () => {
  test('is requested on the ticket from the reminder time on and given with one button', async () => {
    await using world = await createWorld()
    const { path, stored } = await createAttendee(world)
    const pageText = async () => visibleText(await (await world.request(path)).text())
    world.clock.set('2026-12-08T09:59:00+08:00')
    expect(await pageText()).not.toContain('你会来吗')
    world.clock.set('2026-12-08T10:00:00+08:00')
    expect(await pageText()).toContain('你会来吗？')
    const response = await postForm(world, `${path}/coming`, {})
    expect([response.status, response.headers.get('location')]).toEqual([303, `${path}?done=coming`])
    expect((await stored()).attendanceConfirmedFor).toBe('2026-12-11')
    expect(await pageText()).toContain('你说了会来，到时见。')
    expect(await pageText()).not.toContain('你会来吗？')
  })

  test('is not requested from attendees who got their seat less than a day before the reminder or later', async () => {
    await using world = await createWorld()
    const { path, workshop } = await createAttendee(world, 4)
    const pageText = async (at: string) => visibleText(await (await world.request(at)).text())
    world.clock.set('2026-12-07T10:00:01+08:00')
    const late = await world.register(workshop)
    world.clock.set('2026-12-08T10:00:00+08:00')
    const later = await world.register(workshop)
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect(await pageText(path)).toContain('你会来吗？')
    for (const { ticket } of [late, later]) expect(await pageText(`/t/${ticket}`)).not.toContain('你会来吗？')
  })

  test('is requested again when the workshop moves to another day, and never when disabled', async () => {
    await using world = await createWorld()
    const { path, workshop } = await createAttendee(world)
    const pageText = async () => visibleText(await (await world.request(path)).text())
    await postForm(world, `${path}/coming`, {})
    const later = (moment: Date) => new Date(moment.getTime() + 24 * 3_600_000)
    const moved = { startsAt: later(workshop.startsAt), endsAt: later(workshop.endsAt) }
    await changeWorkshop(world.deps, workshop.slug, moved)
    world.clock.set('2026-12-11T10:00:00+08:00')
    expect(await pageText()).toContain('你会来吗？')
    await changeWorkshop(world.deps, workshop.slug, { reminders: {} })
    expect(await pageText()).not.toContain('你会来吗？')
  })

  test('GET /t/:ticket/coming offers both answers and changes nothing; cancelling is one step', async () => {
    await using world = await createWorld()
    const { path, workshop, stored } = await createAttendee(world, 1)
    const next = await world.register(workshop)
    expect(next.status).toBe('waitlisted')
    const page = await (await world.request(`${path}/coming`)).text()
    expect(page).toContain(`<form method="post" action="${path}/coming">`)
    expect(page).toContain(`<form method="post" action="${path}/cancel">`)
    expect(await stored()).toMatchObject({ status: 'confirmed', attendanceConfirmedFor: null })

    expect((await postForm(world, `${path}/cancel`, {})).status).toBe(303)
    expect(await stored()).toMatchObject({ status: 'cancelled', cancelledBy: 'attendee' })
    expect((await findRegistrationById(world.deps, next.id))?.status).toBe('confirmed')
    // The link in the mail now leads to the ticket, which shows the cancellation.
    expect(visibleText(await (await world.request(`${path}/coming`)).text())).toContain('你取消了报名')
    const repeated = await postForm(world, `${path}/coming`, {})
    expect(repeated.status).toBe(409)
    expect(visibleText(await repeated.text())).toContain('没有确认的名额')
  })

  test('is rejected without a confirmed seat and after the start', async () => {
    await using world = await createWorld()
    const { path, id, workshop, stored } = await createAttendee(world)
    await world.db.execute(sql`update registrations set status = 'offered', seated_at = null,
      offered_until = ${workshop.startsAt.toISOString()}::timestamptz where id = ${id}::uuid`)
    expect((await postForm(world, `${path}/coming`, {})).status).toBe(409)
    await world.db.execute(sql`update registrations set status = 'confirmed', offered_until = null`)
    world.clock.set(workshop.startsAt)
    const late = await postForm(world, `${path}/coming`, {})
    expect(late.status).toBe(409)
    expect(visibleText(await late.text())).toContain('培训已经开始')
    expect((await stored()).attendanceConfirmedFor).toBeNull()
    expect(
      (await query(world.db, sql`select 1 from registrations where attendance_confirmed_for is not null`)).length,
    ).toBe(0)
  })

  test('is not requested for a cancelled workshop', async () => {
    await using world = await createWorld()
    const { path, workshop } = await createAttendee(world)
    await cancelWorkshop(world.deps, workshop.slug)
    world.clock.set('2026-12-09T10:00:00+08:00')
    expect(visibleText(await (await world.request(path)).text())).not.toContain('你会来吗')
  })
})

test('entry instructions are shown only to attendees with a seat', async () => {
  await using world = await createWorld()
  const { path, workshop } = await createAttendee(world, 1)
  const waitlisted = await world.register(workshop)
  const pageText = async (path: string) => visibleText(await (await world.request(path)).text())
  expect(await pageText(path)).toContain('怎么进门 三号楼南门 带身份证')
  expect(await pageText(`/t/${waitlisted.ticket}`)).not.toContain('三号楼')
  expect(await pageText(`/w/${workshop.slug}`)).not.toContain('三号楼')
  const json = await (await world.request(`/api/v1/workshops/${workshop.slug}`)).text()
  expect(json).not.toContain('三号楼')
})
