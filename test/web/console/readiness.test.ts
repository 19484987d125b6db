import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { enqueueReminders } from '../../../src/domain/mails/reminders.ts'
import { findWorkshop } from '../../../src/domain/workshops/workshops.ts'
import { formValues, postForm, visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

async function signInToConsole(world: World, role: 'organiser' | 'viewer' = 'organiser') {
  const { Cookie } = await world.signIn(role)
  return {
    get: async (path: string, more = '') => (await world.request(path, { headers: { Cookie: Cookie + more } })).text(),
    send: (path: string, fields: Record<string, string>) =>
      world.request(path, {
        method: 'POST',
        headers: { Cookie, Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}

/** A workshop with two required items and four confirmed attendees: one ready, one not ready, two without an answer. */
async function createWorkshopWithAnswers(world: World) {
  const workshop = await world.workshop({
    capacity: 4,
    items: [
      { kind: 'prerequisite', text: { zh: '装好 RT-Thread Studio' }, mustConfirm: true },
      { kind: 'prerequisite', text: { zh: '会 C 语言' }, mustConfirm: true },
      { kind: 'bring', text: { zh: '插线板' }, mustConfirm: false },
    ],
  })
  const [studio, c] = workshop.items.map(({ id }) => id) as [string, string]
  const people = [
    await world.register(workshop, { name: '甲', ready: { [studio]: true, [c]: true } }),
    await world.register(workshop, { name: '乙', ready: { [studio]: false, [c]: true } }),
    await world.register(workshop, { name: '丙' }),
    await world.register(workshop, { name: '丁' }),
  ]
  const waitlisted = await world.register(workshop, { name: '候补' })
  const base = `/console/workshops/${workshop.slug}`
  return { workshop, studio, c, people, waitlisted, base }
}

/** Names in a list of people, in page order. */
const listNames = (page: string) =>
  [...page.matchAll(/<a href="\/console\/people\/[^"]+">([^<]+)<\/a>/g)].map(([, n]) => n)
/** The href of the link with this text. */
const findLink = (page: string, text: string) =>
  new RegExp(`<a href="([^"]+)">${text.replace(/[()]/g, '\\$&')}</a>`).exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''

test('readiness is counted per item, links to the people and includes answers from tickets at once', async () => {
  await using world = await createWorld()
  const { base, people, studio, c } = await createWorkshopWithAnswers(world)
  const { get } = await signInToConsole(world)
  const page = await get(`${base}/readiness`)
  expect(visibleText(page)).toContain('有名额的 4 人自己勾选的')
  expect(visibleText(page)).toContain('装好 RT-Thread Studio 3 人没有准备好 1 人准备好了')
  expect(visibleText(page)).toContain('会 C 语言 2 人没有准备好 2 人准备好了')
  expect(visibleText(page)).not.toContain('插线板')
  expect(listNames(await get(findLink(page, '3\u00a0人没有准备好')))).toEqual(['乙', '丙', '丁'])
  expect(listNames(await get(findLink(page, '2\u00a0人准备好了')))).toEqual(['甲', '乙'])

  await postForm(world, `/t/${people[2]?.ticket}/ready`, { [`ready.${studio}`]: 'yes', [`ready.${c}`]: 'yes' })
  expect(visibleText(await get(`${base}/readiness`))).toContain('装好 RT-Thread Studio 2 人没有准备好 2 人准备好了')
  expect(await get(base)).toContain(`href="${base}/readiness"`)
})

test('attendance confirmations are counted and link to the people, and those without an answer can be mailed', async () => {
  await using world = await createWorld()
  const { base, people } = await createWorkshopWithAnswers(world)
  const { get, send } = await signInToConsole(world)
  expect(visibleText(await get(`${base}/readiness`))).toContain('还没有问（4）')
  world.clock.set('2026-12-08T10:00:00+08:00')
  await enqueueReminders(world.deps)
  await postForm(world, `/t/${people[1]?.ticket}/coming`, {})
  const page = await get(`${base}/readiness`)
  expect(visibleText(page)).toContain('说了会来（1） 问过，没有回答（3） 还没有问（0）')
  expect(listNames(await get(findLink(page, '说了会来（1）')))).toEqual(['乙'])
  const unanswered = findLink(page, '问过，没有回答（3）')
  expect(unanswered).toBe(`${base}/people?coming=asked`)
  expect(listNames(await get(unanswered))).toEqual(['甲', '丙', '丁'])
  expect(await get(unanswered)).toContain(`href="${base}/messages/new?coming=asked"`)
  const write = await get(`${base}/messages/new?coming=asked`)
  expect(visibleText(write)).toContain('会来吗：“问过，没有回答”')
  const draft = { ...formValues(write), subject: '你会来吗', body: '请回答' }
  expect((await send(`${base}/messages/new?coming=asked`, { ...draft, do: 'send' })).status).toBe(303)
  const queued = await query(world.db, sql`select 1 from mails where kind = 'message'`)
  expect(queued).toHaveLength(3)
  const csv = await get(`${base}/people.csv?coming=yes`)
  expect(csv).toContain('乙')
  expect(csv).not.toMatch(/甲|丙|丁/)
  // Shown on the people list and on the person page.
  expect(await get(`${base}/people?q=乙`, '; people-columns=coming')).toMatch(/data-head="会来吗">说了会来</)
  const id = people[1]?.id as string
  expect(visibleText(await get(`/console/people/${id}`))).toContain('会来吗 说了会来')
})

test('the people list ignores filters with unknown items or answers', async () => {
  await using world = await createWorld()
  const { base, studio } = await createWorkshopWithAnswers(world)
  const { get } = await signInToConsole(world)
  for (const query of ['ready=x', `ready=${studio}`, `ready=${studio}.maybe`, "ready='.ready", 'coming=perhaps']) {
    expect([query, listNames(await get(`${base}/people?${query}`)).length]).toEqual([query, 5])
  }
  const unknown = '00000000-0000-7000-8000-00000000ffff'
  expect(listNames(await get(`${base}/people?ready=${unknown}.not`))).toEqual([])
})

test('the readiness page lists the reminders with local times and delivery counts', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({
    timeZone: 'Europe/Berlin',
    startsAt: new Date('2027-03-29T09:30:00+02:00'),
    endsAt: new Date('2027-03-29T17:00:00+02:00'),
    reminders: { coming: 72, day_before: 24 },
  })
  await world.register(workshop)
  const { get } = await signInToConsole(world, 'viewer')
  world.clock.set('2027-03-26T09:30:00+01:00')
  await enqueueReminders(world.deps)
  const page = visibleText(await get(`/console/workshops/${workshop.slug}/readiness`))
  expect(page).toContain('有名额、还没有都准备好的人 不发 0 0 0 0')
  expect(page).toContain('3月26日周五 09:30 最晚 3月27日周六 09:30 0 1 0 0')
  expect(page).toContain('3月28日周日 09:30 最晚 3月29日周一 06:30 0 0 0 0')
  // Viewers see no names.
  expect(page).not.toContain('学员 1')
  expect(await get(`/console/workshops/${workshop.slug}/readiness`)).not.toContain('/people?')
})

test('the workshop form sets entry instructions and reminder times', async () => {
  await using world = await createWorld()
  const { workshop, base } = await createWorkshopWithAnswers(world)
  const { get, send } = await signInToConsole(world)
  const form = formValues(await get(`${base}/edit`))
  expect([form.get_ready, form.coming, form.day_before]).toEqual(['7', '3', '24'])
  const changes = { 'entry.zh': '三号楼南门\r\n带身份证', get_ready: '', coming: '5', day_before: '12' }
  expect((await send(`${base}/edit`, { ...form, ...changes })).status).toBe(303)
  const stored = await findWorkshop(world.deps, workshop.slug)
  expect(stored?.reminders).toEqual({ coming: 120, day_before: 12 })
  expect(stored?.entry).toEqual({ zh: '三号楼南门\n带身份证' })
  const saved = await get(`${base}/edit`)
  expect(formValues(saved)).toMatchObject({ coming: '5', day_before: '12' })
  expect(saved).toContain('三号楼南门\n带身份证</textarea>')
  expect(formValues(saved).get_ready).toBeUndefined()

  for (const [field, value] of [
    ['get_ready', '61'],
    ['coming', '0'],
    ['coming', '1.5'],
    ['day_before', '3'],
    ['day_before', '-1'],
    ['day_before', '73'],
    ['entry.zh', 'x'.repeat(501)],
  ] as const) {
    const refused = await send(`${base}/edit`, { ...form, ...changes, [field]: value })
    expect([field, value, refused.status]).toEqual([field, value, 422])
    const page = await refused.text()
    expect(page).toContain(`href="#${field}"`)
    expect(page).toContain(value)
  }
  expect(await findWorkshop(world.deps, workshop.slug)).toMatchObject({ reminders: { coming: 120, day_before: 12 } })
})
