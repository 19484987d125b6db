import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { enqueueReminders } from '../../../src/domain/mails/reminders.ts'
import { findRegistrationById, type Registration } from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { changeWorkshop } from '../../../src/domain/workshops/workshops.ts'
import { formValues, postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

/** Somebody with a seat ten days from now, of a workshop that asks for two things. */
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
  test('stores what is ticked, and takes a tick back', async () => {
    await using world = await createWorld()
    const { path, studio, c, stored } = await createAttendee(world)
    const page = await (await world.request(path)).text()
    expect(page).toContain('href="https://www.rt-thread.io/studio"')
    expect(page).not.toContain('你说')
    expect(formValues(page)[`ready.${studio}`]).toBeUndefined()

    const answer = await postForm(world, `${path}/ready`, { [`ready.${studio}`]: 'yes' })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${path}?done=ready#prepare`])
    // To what was never ticked they said nothing.
    expect((await stored()).ready).toEqual({ [studio]: true })
    const again = await (await world.request(`${path}?done=ready`)).text()
    expect(visibleText(again)).toContain('已保存。')
    expect(formValues(again)[`ready.${studio}`]).toBe('yes')

    await postForm(world, `${path}/ready`, { [`ready.${c}`]: 'yes' })
    expect((await stored()).ready).toEqual({ [studio]: false, [c]: true })
  })

  test('knows the items of the workshop and no others', async () => {
    await using world = await createWorld()
    const { path, workshop, stored } = await createAttendee(world)
    const bring = workshop.items[2]?.id as string
    const fields = { [`ready.${bring}`]: 'yes', 'ready.x': 'yes', 'ready.__proto__': 'yes', [`ready.${path}`]: 'yes' }
    expect((await postForm(world, `${path}/ready`, fields)).status).toBe(303)
    expect((await stored()).ready).toEqual({})
  })

  test('is refused once the workshop is over or the registration cancelled', async () => {
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

describe('whether they come', () => {
  test('the ticket asks from the time of the reminder on, and is answered by one press', async () => {
    await using world = await createWorld()
    const { path, stored } = await createAttendee(world)
    const seen = async () => visibleText(await (await world.request(path)).text())
    world.clock.set('2026-12-08T09:59:00+08:00')
    expect(await seen()).not.toContain('你会来吗')
    world.clock.set('2026-12-08T10:00:00+08:00')
    expect(await seen()).toContain('你会来吗？')
    const answer = await postForm(world, `${path}/coming`, {})
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${path}?done=coming`])
    expect((await stored()).attendanceConfirmedFor).toBe('2026-12-11')
    expect(await seen()).toContain('你说了会来，到时见。')
    expect(await seen()).not.toContain('你会来吗？')
  })

  test('who got the seat less than a day before the question, or since, is asked neither by mail nor by the ticket', async () => {
    await using world = await createWorld()
    const { path, workshop } = await createAttendee(world, 4)
    const seen = async (at: string) => visibleText(await (await world.request(at)).text())
    world.clock.set('2026-12-07T10:00:01+08:00')
    const late = await world.register(workshop)
    world.clock.set('2026-12-08T10:00:00+08:00')
    const later = await world.register(workshop)
    expect(await enqueueReminders(world.deps)).toBe(1)
    expect(await seen(path)).toContain('你会来吗？')
    for (const { ticket } of [late, later]) expect(await seen(`/t/${ticket}`)).not.toContain('你会来吗？')
  })

  test('a workshop that moved to another day asks again, and one that does not ask shows no question', async () => {
    await using world = await createWorld()
    const { path, workshop } = await createAttendee(world)
    const seen = async () => visibleText(await (await world.request(path)).text())
    await postForm(world, `${path}/coming`, {})
    const later = (moment: Date) => new Date(moment.getTime() + 24 * 3_600_000)
    const moved = { startsAt: later(workshop.startsAt), endsAt: later(workshop.endsAt) }
    await changeWorkshop(world.deps, workshop.slug, moved)
    world.clock.set('2026-12-11T10:00:00+08:00')
    expect(await seen()).toContain('你会来吗？')
    await changeWorkshop(world.deps, workshop.slug, { reminders: {} })
    expect(await seen()).not.toContain('你会来吗？')
  })

  test('GET /t/:ticket/coming has both answers and changes nothing; giving the seat back is one step', async () => {
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
    // The link in the mail is now the ticket, which says so.
    expect(visibleText(await (await world.request(`${path}/coming`)).text())).toContain('你取消了报名')
    const again = await postForm(world, `${path}/coming`, {})
    expect(again.status).toBe(409)
    expect(visibleText(await again.text())).toContain('没有确认的名额')
  })

  test('nobody without a seat of their own can say so, and nobody after the start', async () => {
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

  test('a cancelled workshop asks nobody', async () => {
    await using world = await createWorld()
    const { path, workshop } = await createAttendee(world)
    await cancelWorkshop(world.deps, workshop.slug)
    world.clock.set('2026-12-09T10:00:00+08:00')
    expect(visibleText(await (await world.request(path)).text())).not.toContain('你会来吗')
  })
})

test('how to get in is told to those who have a seat', async () => {
  await using world = await createWorld()
  const { path, workshop } = await createAttendee(world, 1)
  const waiting = await world.register(workshop)
  const seen = async (path: string) => visibleText(await (await world.request(path)).text())
  expect(await seen(path)).toContain('怎么进门 三号楼南门 带身份证')
  expect(await seen(`/t/${waiting.ticket}`)).not.toContain('三号楼')
  expect(await seen(`/w/${workshop.slug}`)).not.toContain('三号楼')
  const json = await (await world.request(`/api/v1/workshops/${workshop.slug}`)).text()
  expect(json).not.toContain('三号楼')
})
