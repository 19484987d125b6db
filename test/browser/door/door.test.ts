import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { checkIns, registrations } from '../../../src/db/schema.ts'
import { addBoards, listBoards } from '../../../src/domain/boards/inventory.ts'
import { endDoorSession, listDoorSessions } from '../../../src/domain/door/sessions.ts'
import { createCheckInCode } from '../../../src/domain/tickets/signed-tokens.ts'
import { paths } from '../../../src/http/links.ts'
import { qrPng } from '../../../src/lib/qr.ts'
import { openCrashablePhone, remoteHost } from '../../support/browser/browser.ts'
import { writeCameraVideo } from '../../support/browser/camera.ts'
import {
  checkInCode,
  checkInUrl,
  personCard,
  personRow,
  serviceWorkerStates,
  setUpDoorDay,
  storedCheckIns,
  surnames,
  waitUntilOfflineReady,
} from '../../support/browser/door-phone.ts'

/** Everything the site stores in this browser, as text: IndexedDB byte by byte, and the caches. */
async function dumpBrowserStorage(page: Page) {
  return page.evaluate(async () => {
    const databases: string[] = []
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(name as string)
        opening.onsuccess = () => resolve(opening.result)
        opening.onerror = reject
      })
      for (const store of db.objectStoreNames) {
        const all = await new Promise<unknown[]>((resolve) => {
          const request = db.transaction(store).objectStore(store).getAll()
          request.onsuccess = () => resolve(request.result)
        })
        const text = (value: unknown): string =>
          value instanceof CryptoKey
            ? `key, extractable: ${value.extractable}`
            : value instanceof ArrayBuffer || ArrayBuffer.isView(value)
              ? new TextDecoder('utf-8').decode(value)
              : value && typeof value === 'object'
                ? Object.entries(value)
                    .map(([key, part]) => `${key}=${text(part)}`)
                    .join(' ')
                : String(value)
        databases.push(...all.map((value) => `${store}: ${text(value)}`))
      }
      db.close()
    }
    const cached: { url: string; body: string }[] = []
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys()) {
        const cachedResponse = await cache.match(request)
        cached.push({ url: new URL(request.url).pathname, body: (await cachedResponse?.text()) ?? '' })
      }
    }
    return { databases, cached, local: Object.values(localStorage), session: Object.values(sessionStorage) }
  })
}

test('the camera recognises a ticket, one of another workshop, a forged one and a foreign code', async () => {
  await using day = await setUpDoorDay()
  const { world } = day
  const other = await world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
  const guest = await world.register(other, { name: '外来客' })
  const code = checkInCode(world, day.ids[0] as string)
  const folder = await mkdtemp(join(tmpdir(), 'baoming-camera-'))
  try {
    const video = join(folder, 'film.y4m')
    const codes = [
      checkInUrl(world, code),
      checkInUrl(world, checkInCode(world, guest.id)),
      checkInUrl(world, createCheckInCode('another secret', { id: day.ids[1] as string, version: 1 })),
      'https://weixin.qq.com/r/something',
    ]
    writeCameraVideo(
      video,
      codes.map((text) => qrPng(text, { scale: 8 })),
    )
    await using page = await day.phone('东门', { camera: video })
    const problems: string[] = []
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    page.on('pageerror', (error) => problems.push(error.message))
    await waitUntilOfflineReady(page)
    await page.click('#door-scan')
    const messages = new Map<string, string>()
    await expect
      .poll(
        async () => {
          const [title, ...lines] = await personCard(page)
            .locator('h2, p')
            .evaluateAll((parts) => parts.map((part) => part.textContent ?? ''))
            .then(([, ...rest]) => rest)
          if (title) messages.set(title, lines.join(' '))
          return [...messages.keys()].toSorted()
        },
        { timeout: 30_000, interval: 100 },
      )
      // The green card becomes red when the camera sees the same ticket again seconds later.
      .toEqual(expect.arrayContaining(['签到成功', '不是这一场的票', '这张票不对', '不是我们的二维码', '已经签过到了']))
    expect(messages.get('签到成功')).toContain('王小0')
    expect(messages.get('不是这一场的票')).toContain('南京')
    expect(messages.get('已经签过到了')).toContain('东门')
    expect(problems).toEqual([])
    expect((await storedCheckIns(world)).map(({ registrationId }) => registrationId)).toEqual([day.ids[0]])
    await page.click('#door-scan')
    expect(await page.isVisible('#door-video')).toBe(false)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)

test('fifty check-ins made offline are all stored once when the network is back', async () => {
  await using day = await setUpDoorDay({ people: 50 })
  const { world } = day
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  // A page that was just opened is online for a moment, until the browser has noticed that there is no network.
  const rejectWhileAway = () => {
    const originalFetch = window.fetch
    window.fetch = (...request) =>
      sessionStorage.getItem('away') ? Promise.reject(new TypeError('no network')) : originalFetch(...request)
  }
  await page.addInitScript(rejectWhileAway)
  await page.evaluate(rejectWhileAway)
  await page.evaluate(() => sessionStorage.setItem('away', 'yes'))
  await page.context().setOffline(true)
  for (const [n, id] of day.ids.entries()) {
    // Half are tapped in the list, half are opened as ticket links, as another camera app does.
    if (n % 2 === 0) {
      await page.fill('#door-search', `小${n}`)
      await personRow(page, `${surnames[n % 10]}小${n}`).click()
    } else {
      await page.goto(paths.checkIn(checkInCode(world, id)))
    }
    await expect.poll(() => personCard(page).locator('.door-who').textContent()).toContain(`小${n} ·`)
    expect(await personCard(page).getAttribute('class')).toContain('green')
    expect(await personCard(page).locator('.door-saved').textContent()).toBe('已存在这部手机上，还没发送')
  }
  expect(await page.locator('#door-net').textContent()).toContain('50 次已存在手机上')
  expect(await storedCheckIns(world)).toEqual([])

  await page.evaluate(() => sessionStorage.removeItem('away'))
  await page.context().setOffline(false)
  await expect.poll(() => page.locator('#door-net').textContent(), { timeout: 60_000 }).toBe('已连接 · 全部已发送')
  const stored = await storedCheckIns(world)
  expect(stored.map(({ registrationId }) => registrationId).toSorted()).toEqual(day.ids.toSorted())
  expect(await world.db.$count(checkIns)).toBe(50)
  // Each has the time of the scan, not of its arrival.
  expect(new Set(stored.map(({ at }) => at.getTime())).size).toBe(50)
}, 180_000)

test('a phone that crashes keeps all entries shown as saved', async () => {
  await using day = await setUpDoorDay({ people: 8 })
  const folder = await mkdtemp(join(tmpdir(), 'baoming-phone-'))
  try {
    {
      await using phone = await openCrashablePhone(folder, { baseURL: day.url })
      const { page } = phone
      await day.join(page, '东门')
      await waitUntilOfflineReady(page)
      await page.context().setOffline(true)
      for (let n = 0; n < 5; n++) {
        await personRow(page, `${surnames[n]}小${n}`).click()
        await expect.poll(() => personCard(page).locator('.door-who').textContent()).toContain(`小${n} ·`)
      }
      await phone.die()
    }
    await using phone = await openCrashablePhone(folder, { baseURL: day.url })
    const { page } = phone
    await page.context().setOffline(true)
    await page.goto(paths.doorPage())
    await expect.poll(() => page.locator('.door-state.saved').count()).toBe(5)
    expect(await page.locator('#door-counts b').textContent()).toBe('5')
    // Check-in continues offline.
    await personRow(page, '杨小5').click()
    await expect.poll(() => page.locator('.door-state.saved').count()).toBe(6)
    expect(await storedCheckIns(day.world)).toEqual([])
    // Browsers write cookies up to half a minute late, so a new session may be lost in a crash.
    await page.context().clearCookies()
    await page.context().setOffline(false)
    await expect
      .poll(() => page.locator('#door-over').textContent(), { timeout: 40_000 })
      .toContain('6 次操作没有保存到服务器')
    await day.join(page, '东门')
    await expect.poll(() => storedCheckIns(day.world).then(({ length }) => length), { timeout: 20_000 }).toBe(6)
    await expect.poll(() => page.locator('.door-state.saved').count()).toBe(0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)

test('the earlier of two offline scans counts, whichever is sent first, and the other phone is notified', async () => {
  await using day = await setUpDoorDay({ people: 3 })
  const { world } = day
  await using east = await day.phone('东门')
  await using west = await day.phone('西门')
  await Promise.all([waitUntilOfflineReady(east), waitUntilOfflineReady(west)])
  await east.context().setOffline(true)
  await west.context().setOffline(true)
  const scan = async (page: Page, n: number) => {
    await personRow(page, `${surnames[n]}小${n}`).click()
    await expect.poll(() => personCard(page).locator('.door-who').textContent()).toContain(`小${n} ·`)
  }
  await scan(east, 0)
  await scan(west, 0)
  await scan(west, 1)
  await scan(east, 1)
  await scan(east, 2)

  // West syncs first, so both of its scans count until east syncs.
  await west.context().setOffline(false)
  await expect
    .poll(() => storedCheckIns(world).then((all) => all.map(({ by }) => by)), { timeout: 40_000 })
    .toEqual(['西门', '西门'])
  expect(await west.locator('#door-conflicts').isVisible()).toBe(false)
  await east.context().setOffline(false)
  const checkedInBy = async () => {
    const stored = await storedCheckIns(world)
    return day.ids.map((id) => stored.filter(({ registrationId }) => registrationId === id).map(({ by }) => by))
  }
  await expect.poll(checkedInBy, { timeout: 40_000 }).toEqual([['东门'], ['西门'], ['东门']])
  expect(await storedCheckIns(world, 'again')).toHaveLength(2)

  // East learns of it from the response, west from the next list.
  await expect
    .poll(() => east.locator('#door-conflicts li').allTextContents())
    .toEqual([expect.stringMatching(/^李小1 已由 西门 在 .+ 签到/)])
  await expect
    .poll(() => west.locator('#door-conflicts li').allTextContents(), { timeout: 20_000 })
    .toEqual([expect.stringMatching(/^王小0 已由 东门 在 .+ 签到/)])
  await west.locator('#door-conflicts button').click()
  await expect.poll(() => west.isVisible('#door-conflicts')).toBe(false)
  await west.reload()
  await expect.poll(() => west.isVisible('#door-app')).toBe(true)
  expect(await west.locator('#door-conflicts').isVisible()).toBe(false)
}, 120_000)

test('boards lent and returned offline reach the inventory when the network is back', async () => {
  await using day = await setUpDoorDay({ people: 2 })
  const { world } = day
  await addBoards(world.deps, { name: '' }, { kind: '星火一号', serials: ['S1', 'S2'] })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  const title = () => personCard(page).locator('h2').textContent()
  for (const [n, serial] of ['S1', 'S2'].entries()) {
    await personRow(page, `${surnames[n]}小${n}`).click()
    await personCard(page)
      .getByRole('button', { name: `借出 星火一号 ${serial}` })
      .click()
    await expect.poll(title).toBe('已借出')
  }
  await page.fill('#door-search', 's1')
  await page.locator('#door-people button').click()
  await personCard(page).getByRole('button', { name: '星火一号 S1 的归还' }).click()
  await personCard(page).locator('summary').click()
  await personCard(page).locator('input').fill('USB 口松了')
  await personCard(page).getByRole('button', { name: '归还，标记为坏' }).click()
  await expect.poll(title).toBe('已归还，标记为坏')
  await page.context().setOffline(false)
  await expect.poll(() => page.locator('#door-net').textContent(), { timeout: 40_000 }).toBe('已连接 · 全部已发送')
  const { boards } = await listBoards(world.deps)
  expect(boards.map(({ serial, state, note, holder }) => [serial, state, note, holder?.name])).toEqual([
    ['S1', 'broken', 'USB 口松了', undefined],
    ['S2', 'usable', null, '李小1'],
  ])
  expect(await page.isVisible('#door-conflicts')).toBe(false)
}, 90_000)

test('a phone stores no name, number or code in readable form', async () => {
  await using day = await setUpDoorDay({ people: 3 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  await personRow(page, '王小0').click()
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('签到成功')
  await page.click('.door-walk-in summary')
  await page.fill('#door-name', '路过的人')
  await page.fill('#door-phone', '13900139000')
  await page.click('#door-walk-in button')
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('已记下')
  const { databases, cached, local, session } = await dumpBrowserStorage(page)
  expect(databases.filter((entry) => entry.startsWith('scans:'))).toHaveLength(2)
  expect(databases).toContain('keys: key, extractable: false')
  expect(cached.filter(({ url }) => url === '/door/shell')).toHaveLength(2)
  expect(cached.every(({ url }) => url === '/door/shell' || url.startsWith('/assets/'))).toBe(true)
  expect([...local, ...session]).toEqual([])
  const storedText = [...databases, ...cached.map(({ body }) => body)].join('\n')
  const codes = day.ids.map((id) => checkInCode(day.world, id))
  for (const personal of [
    '王小0',
    '李小1',
    '0001',
    '路过的人',
    '13900139000',
    '东门',
    day.workshop.slug,
    ...day.ids,
    ...codes,
  ]) {
    expect([personal, storedText.includes(personal)]).toEqual([personal, false])
  }
}, 60_000)

test('a session ended while the phone is offline is reported, and its unsent entries are kept for a new session', async () => {
  await using day = await setUpDoorDay({ people: 3 })
  const { world, workshop } = day
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await page.context().setOffline(true)
  await personRow(page, '王小0').click()
  await personRow(page, '李小1').click()
  await expect.poll(() => page.locator('.door-state.saved').count()).toBe(2)
  const [door] = await listDoorSessions(world.deps, workshop)
  await endDoorSession(world.deps, workshop, door?.id ?? '')

  await page.context().setOffline(false)
  await expect.poll(() => page.locator('#door-over').textContent(), { timeout: 40_000 }).toContain('这个签到台已经关闭')
  expect(await page.locator('#door-over').textContent()).toContain('2 次操作没有保存到服务器')
  expect(await page.locator('body').textContent()).not.toContain('王小0')
  await expect.poll(() => serviceWorkerStates(page)).toEqual([])
  await expect
    .poll(() => dumpBrowserStorage(page).then(({ cached, databases }) => [cached, databases.length]))
    .toEqual([[], 3])
  expect(await storedCheckIns(world)).toEqual([])

  await day.join(page, '东门')
  await expect.poll(() => storedCheckIns(world).then(({ length }) => length), { timeout: 20_000 }).toBe(2)
  // After the sync the helper ends the session: nothing stays stored.
  await expect.poll(() => page.locator('#door-net').textContent()).toBe('已连接 · 全部已发送')
  await page.click('#door-leave button')
  await expect.poll(() => page.locator('#door-over').textContent()).toContain('已结束这部手机的签到')
  await expect.poll(() => serviceWorkerStates(page)).toEqual([])
  await expect.poll(() => dumpBrowserStorage(page)).toEqual({ databases: [], cached: [], local: [], session: [] })
  expect((await listDoorSessions(world.deps, workshop)).map(({ open }) => open)).toEqual([false, false])
}, 90_000)

test('an offline phone ends its session at midnight by its own clock and deletes its data', async () => {
  await using day = await setUpDoorDay({ people: 3 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  await personRow(page, '王小0').click()
  await expect.poll(() => personCard(page).locator('.door-saved').textContent()).toBe('已发送')
  await page.context().setOffline(true)
  await page.clock.setFixedTime(new Date(Date.now() + 15 * 3600_000))
  await expect.poll(() => page.locator('#door-over').textContent()).toContain('签到台的时间到了')
  expect(await page.locator('#door-over').textContent()).not.toContain('没有保存')
  expect(await page.locator('body').textContent()).not.toContain('王小0')
  await expect.poll(() => dumpBrowserStorage(page)).toEqual({ databases: [], cached: [], local: [], session: [] })
}, 60_000)

test('a phone switched off at midnight shows nothing the next morning, even offline', async () => {
  await using day = await setUpDoorDay({ people: 3 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const context = page.context()
  await context.setOffline(true)
  await page.close()
  const next = await context.newPage()
  await next.clock.setFixedTime(new Date(Date.now() + 15 * 3600_000))
  await next.goto(`${day.url}/door`)
  await expect.poll(() => next.locator('#door-over').textContent()).toContain('签到台的时间到了')
  expect(await next.locator('body').textContent()).not.toContain('王小0')
  await expect.poll(() => dumpBrowserStorage(next)).toEqual({ databases: [], cached: [], local: [], session: [] })
}, 60_000)

test('over plain HTTP the page names its limits, and search and check-in still work', async () => {
  await using day = await setUpDoorDay({ people: 3 })
  await using page = await day.phone('东门', { baseURL: day.url.replace('127.0.0.1', remoteHost) })
  await expect.poll(() => page.locator('#door-note').textContent()).toContain('需要 HTTPS')
  expect(await page.isVisible('#door-app')).toBe(false)
  await page.fill('#q', 'lx1')
  await page.keyboard.press('Enter')
  await page.waitForURL(/q=lx1/)
  await page.locator('#people form button', { hasText: '签到' }).first().click()
  await page.waitForURL(/person=/)
  const [stored] = await storedCheckIns(day.world)
  const [person] = await day.world.db
    .select()
    .from(registrations)
    .where(eq(registrations.id, stored?.registrationId ?? ''))
  expect(person?.name).toBe('李小1')
}, 60_000)

test.each(['zh-CN', 'en'] as const)(
  'the door page fits a 360 px screen in %s',
  async (locale) => {
    await using day = await setUpDoorDay({ people: 12 })
    await using page = await day.phone('Helper with a name of forty characters !', { locale })
    await waitUntilOfflineReady(page)
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    expect(await width()).toBe(360)
    await page.locator('#door-people button').first().click()
    await personCard(page).locator('h2').waitFor()
    expect(await width()).toBe(360)
    // A second tap shows the check-in again and stores nothing.
    await page.locator('#door-people button').first().click()
    expect(await width()).toBe(360)
    await page.click('.door-walk-in summary')
    expect(await width()).toBe(360)
    for (const target of await page.locator('#door-app button:visible, #door-app input:visible').all()) {
      expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    }
  },
  60_000,
)
