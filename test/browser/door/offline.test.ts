import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { checkIns, registrations } from '../../../src/db/schema.ts'
import { addBoards, listBoards } from '../../../src/domain/boards/inventory.ts'
import { lendBoard } from '../../../src/domain/boards/loans.ts'
import { checkIn } from '../../../src/domain/door/check-ins.ts'
import { moveRegistration } from '../../../src/domain/registrations/seats.ts'
import { qrPng } from '../../../src/lib/qr.ts'
import { writeCameraVideo } from '../../support/browser/camera.ts'
import {
  checkInCode,
  checkInUrl,
  personCard,
  personRow,
  setUpDoorDay,
  storedCheckIns,
  waitUntilOfflineReady,
} from '../../support/browser/door-phone.ts'
import { openDoorSession } from '../../support/seeds/door.ts'

test('a phone that joins another workshop keeps its unsent entries of the previous one', async () => {
  await using day = await setUpDoorDay({ people: 2 })
  const { world, workshop } = day
  const next = await world.workshop({ city: { zh: '南京', en: 'Nanjing' }, startsAt: workshop.startsAt })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  for (const [n, name] of ['王小0', '李小1'].entries()) {
    await personRow(page, name).click()
    await expect.poll(() => page.locator('.door-state.saved').count()).toBe(n + 1)
  }
  // The door page is closed when the network returns.
  await page.goto('about:blank')
  await page.context().setOffline(false)
  await day.join(page, '东门', next)
  await expect.poll(() => page.locator('#door-title').textContent()).toContain('南京')
  await expect.poll(() => page.locator('#door-net').textContent()).toContain('2 次属于另一场')
  expect(await storedCheckIns(world)).toEqual([])
  await day.join(page, '东门')
  await expect.poll(() => storedCheckIns(world).then(({ length }) => length), { timeout: 20_000 }).toBe(2)
}, 150_000)

test('a second tap before the response is ignored', async () => {
  await using day = await setUpDoorDay({ people: 1 })
  const { world } = day
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['S1', 'S2'] })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.route('**/door/entries', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 700))
    await route.continue()
  })
  await page.click('.door-walk-in summary')
  await page.fill('#door-name', '路过的人')
  await page.locator('#door-walk-in button').dblclick()
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('签到成功')
  await personCard(page).getByRole('button', { name: '借出 星火一号 S1' }).dblclick()
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已借出')
  await page.fill('#door-search', 's1')
  await page.locator('#door-people button').click()
  await personCard(page).getByRole('button', { name: '星火一号 S1 的归还' }).click()
  await personCard(page).getByRole('button', { name: '已归还' }).dblclick()
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已归还')
  await expect.poll(() => page.locator('#door-net').textContent()).toBe('已连接 · 全部已发送')
  expect(await page.isVisible('#door-conflicts')).toBe(false)
  expect(await world.db.select().from(registrations).where(eq(registrations.name, '路过的人'))).toHaveLength(1)
}, 60_000)

test('a truncated list response is requested again', async () => {
  await using day = await setUpDoorDay({ people: 2 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  let cut = 0
  await page.route('**/door/list.json', (route) =>
    cut++ === 0
      ? route.fulfill({ status: 200, contentType: 'application/json', body: '{"session":{' })
      : route.continue(),
  )
  await expect.poll(() => cut, { timeout: 15_000 }).toBe(1)
  await expect.poll(() => cut, { timeout: 25_000 }).toBeGreaterThan(1)
  await expect.poll(() => page.locator('#door-net').textContent()).toBe('已连接 · 全部已发送')
}, 90_000)

test('a truncated list at start is not reported as missing browser storage', async () => {
  await using day = await setUpDoorDay({ people: 2 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.click('#door-leave button')
  await expect.poll(() => page.locator('#door-over').textContent()).toContain('已结束')
  let cut = 0
  await page.route('**/door/list.json', (route) =>
    cut++ === 0
      ? route.fulfill({ status: 200, contentType: 'application/json', body: '{"session":{' })
      : route.continue(),
  )
  await day.join(page, '东门')
  await expect.poll(() => page.locator('#door-note').textContent()).toContain('还没有名单')
  await expect.poll(() => page.isVisible('#door-app'), { timeout: 20_000 }).toBe(true)
}, 60_000)

test('a walk-in made offline can borrow a board, and both are stored when the network is back', async () => {
  await using day = await setUpDoorDay({ people: 1 })
  const { world } = day
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['S1'] })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  await page.click('.door-walk-in summary')
  await page.fill('#door-name', '路过的人')
  await page.click('#door-walk-in button')
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已记下')
  await personRow(page, '路过的人').click()
  await personCard(page).getByRole('button', { name: '借出 星火一号 S1' }).click()
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已借出')
  await page.context().setOffline(false)
  await expect.poll(() => page.locator('#door-net').textContent(), { timeout: 40_000 }).toBe('已连接 · 全部已发送')
  expect(await page.isVisible('#door-conflicts')).toBe(false)
  const { boards } = await listBoards(world.deps)
  expect(boards.map(({ serial, holder }) => [serial, holder?.name])).toEqual([['S1', '路过的人']])
}, 90_000)

test('a walk-in made and reverted offline takes no place in the queue and no seat', async () => {
  await using day = await setUpDoorDay({ people: 1, capacity: 1, graceMinutes: 15 })
  const { world } = day
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  await page.click('.door-walk-in summary')
  await page.fill('#door-name', '路过的人')
  await page.click('#door-walk-in button')
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已记下')
  await personRow(page, '路过的人').click()
  await personCard(page).getByRole('button', { name: '撤销' }).click()
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已撤销')
  await expect.poll(() => personRow(page, '路过的人').textContent()).toContain('报名已经取消')
  await page.context().setOffline(false)
  await expect.poll(() => page.locator('#door-net').textContent(), { timeout: 40_000 }).toBe('已连接 · 全部已发送')
  const stored = await world.db.select().from(registrations).where(eq(registrations.name, '路过的人'))
  expect(stored.map(({ status }) => status)).toEqual(['cancelled'])
  expect(await world.db.select().from(checkIns)).toEqual([])
  expect(await page.isVisible('#door-conflicts')).toBe(false)
}, 90_000)

test('a ticket shown while the previous one is still being checked is read afterwards', async () => {
  await using day = await setUpDoorDay({ people: 1 })
  const { world, ids } = day
  const guest = await world.register(await world.workshop({ city: { zh: '南京', en: 'Nanjing' } }))
  const folder = await mkdtemp(join(tmpdir(), 'baoming-camera-'))
  try {
    const video = join(folder, 'film.y4m')
    writeCameraVideo(
      video,
      [guest.id, ids[0] as string].map((id) => qrPng(checkInUrl(world, checkInCode(world, id)), { scale: 8 })),
    )
    await using page = await day.phone('东门', { camera: video })
    await waitUntilOfflineReady(page)
    // Looking up an unknown ticket takes until well after the next ticket is first seen.
    await page.route('**/door/list.json', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 2400))
      await route.continue()
    })
    await page.click('#door-scan')
    await expect
      .poll(() => storedCheckIns(world).then(({ length }) => length), { timeout: 40_000, interval: 100 })
      .toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)

test('a waitlisted attendee joins and leaves the door queue and gets the seat of a late attendee', async () => {
  await using day = await setUpDoorDay({ people: 2, capacity: 1, graceMinutes: 15 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const title = () => personCard(page).locator('h2').textContent()
  const clickButton = (name: string) => personCard(page).getByRole('button', { name }).click()
  expect(await page.locator('#door-counts').textContent()).toBe('0 / 1 已到')
  await personRow(page, '李小1').click()
  await expect.poll(title).toBe('在候补，没有名额')
  await clickButton('人在门口，排队等位')
  await expect.poll(title).toBe('在门口等位')
  await expect.poll(() => page.locator('#door-counts').textContent()).toContain('门口等位 1 人')
  await clickButton('走了，不等了')
  await expect.poll(title).toBe('已离开，不再等位')
  await expect.poll(() => page.locator('#door-counts').textContent()).not.toContain('门口等位')
  day.advanceClock(50)
  await personRow(page, '李小1').click()
  await clickButton('人在门口，排队等位')
  await expect.poll(title).toBe('签到成功')
  await personRow(page, '王小0').click()
  await expect.poll(title).toBe('来晚了，名额已经让出')
}, 60_000)

test('a walk-in is reverted on its card, and a check-in also made at another door stays', async () => {
  await using day = await setUpDoorDay({ people: 1 })
  const { world, workshop, ids } = day
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const title = () => personCard(page).locator('h2').textContent()
  await page.click('.door-walk-in summary')
  await page.fill('#door-name', '路过的人')
  await page.click('#door-walk-in button')
  await expect.poll(title).toBe('签到成功')
  await personCard(page).getByRole('button', { name: '撤销' }).click()
  await expect.poll(title).toBe('已撤销')
  const [walkIn] = await world.db.select().from(registrations).where(eq(registrations.name, '路过的人'))
  expect(walkIn?.status).toBe('cancelled')

  await personRow(page, '王小0').click()
  await expect.poll(title).toBe('签到成功')
  const scan = { id: crypto.randomUUID(), registration: ids[0] as string, at: world.clock.now() }
  const { actor } = await openDoorSession(world, workshop, '西门')
  expect(await checkIn(world.deps, actor, [scan])).toMatchObject([{ outcome: 'again' }])
  await personCard(page).getByRole('button', { name: '撤销' }).click()
  await expect.poll(title).toBe('已撤销')
  await expect
    .poll(() => personCard(page).textContent())
    .toMatch(/不过 西门 在 \d\d:\d\d 也给这个人签过到，所以仍算已到/)
}, 60_000)

test('conflicts name the person and the board, even for people no longer on the list', async () => {
  await using day = await setUpDoorDay({ people: 2 })
  const { world, ids } = day
  const [moved = '', remaining = ''] = ids
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['S1'] })
  const campaignId = day.workshop.campaignId ?? ''
  const next = await world.workshop({ campaignId, city: { zh: '南京', en: 'Nanjing' }, capacity: 5 })
  const borrower = await world.register(next)
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  const title = () => personCard(page).locator('h2').textContent()
  await personRow(page, '王小0').click()
  await expect.poll(title).toBe('签到成功')
  await personRow(page, '李小1').click()
  await expect.poll(() => personCard(page).locator('.door-who').textContent()).toContain('李小1')
  await personCard(page).getByRole('button', { name: '借出 星火一号 S1' }).click()
  await expect.poll(title).toBe('已借出')
  expect(await moveRegistration(world.deps, moved, next.slug)).toMatchObject({ kind: 'moved' })
  const [board] = (await listBoards(world.deps)).boards
  const loan = { id: crypto.randomUUID(), boardId: board?.id ?? '', registrationId: borrower.id, workshopId: next.id }
  expect(await lendBoard(world.deps, { name: '北门' }, { ...loan, at: world.clock.now() })).toMatchObject({
    outcome: 'lent',
  })

  await page.context().setOffline(false)
  await expect.poll(() => page.locator('#door-net').textContent(), { timeout: 40_000 }).toBe('已连接 · 全部已发送')
  await expect
    .poll(() => page.locator('#door-conflicts li').allTextContents(), { timeout: 20_000 })
    .toEqual([
      expect.stringMatching(/^王小0 不是这一场的票/),
      expect.stringMatching(/^李小1 星火一号 S1 没有借给这个人：它在 别的场次的人 手里/),
    ])
  expect((await storedCheckIns(world)).map(({ registrationId }) => registrationId)).toEqual([remaining])
}, 90_000)

test('people are found by given name and by input with apostrophes or accents', async () => {
  await using day = await setUpDoorDay({ people: 0 })
  const { world, workshop } = day
  for (const name of ['单国藩', 'O’Brien', 'Zoë Müller', '阿卜杜拉·买买提']) await world.register(workshop, { name })
  await using page = await day.phone('东门')
  await expect.poll(() => page.isVisible('#door-app')).toBe(true)
  const search = async (input: string) => {
    await page.fill('#door-search', input)
    return page
      .locator('#door-people .door-name')
      .evaluateAll((names) => names.map((name) => name.firstChild?.textContent))
  }
  for (const input of ['shan', 'sgf', 'guofan', 'gf', 'Guo Fan'])
    expect([input, await search(input)]).toEqual([input, ['单国藩']])
  for (const input of ["o'b", 'ob', 'o’brien']) expect([input, await search(input)]).toEqual([input, ['O’Brien']])
  for (const input of ['zoë', 'zoe', 'muller']) expect([input, await search(input)]).toEqual([input, ['Zoë Müller']])
  for (const input of ['买买提', 'mmt', 'abudu'])
    expect([input, await search(input)]).toEqual([input, ['阿卜杜拉·买买提']])
}, 60_000)
