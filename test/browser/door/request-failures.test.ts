import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page, Route } from 'playwright-core'
import { expect, test } from 'vitest'
import { listDoorSessions } from '../../../src/domain/door/sessions.ts'
import { paths } from '../../../src/http/links.ts'
import {
  checkInCode,
  personCard,
  personRow,
  setUpDoorDay,
  storedCheckIns,
  surnames,
  waitUntilOfflineReady,
} from '../../support/browser/door-phone.ts'

/** A proxy that changes the Host header, so that the service knows neither the URL in the browser nor its scheme. */
async function startProxy(target: string): Promise<AsyncDisposable & { url: string }> {
  const proxy = createServer((incoming, result) => {
    const { method, headers } = incoming
    const outgoing = request(target + incoming.url, { method, headers: { ...headers, host: 'backend.internal' } })
    outgoing.on('response', (response) => {
      result.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(result)
    })
    outgoing.on('error', () => result.destroy())
    incoming.pipe(outgoing)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.close()
      proxy.closeAllConnections()
    },
  }
}

/** Responds to a path with `status` while it is set, as a proxy or the service would. */
async function interceptPath(page: Page, path: string) {
  const intercept: { status: number | undefined } = { status: undefined }
  await page.route(`**${path}`, (route: Route) =>
    intercept.status === undefined
      ? route.continue()
      : route.fulfill({ status: intercept.status, contentType: 'text/html', body: '<h1>no</h1>' }),
  )
  return intercept
}

const networkStatus = (page: Page) => page.locator('#door-net').textContent()

test('a door behind a proxy sends its check-ins from an origin other than BASE_URL', async () => {
  await using day = await setUpDoorDay()
  await using proxy = await startProxy(day.url)
  await using page = await day.phone('东门', { baseURL: proxy.url })
  await waitUntilOfflineReady(page)
  await personRow(page, '王小0').click()
  await expect.poll(() => personCard(page).locator('.door-saved').textContent()).toBe('已发送')
  expect(await storedCheckIns(day.world)).toHaveLength(1)
  expect(await networkStatus(page)).toBe('已连接 · 全部已发送')
})

test('rejected entries are kept with the status shown and sent again on request', async () => {
  const statuses = [429, 500, 502, 503, 400, 404, 413, 415, 403]
  await using day = await setUpDoorDay({ people: statuses.length })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const intercept = await interceptPath(page, paths.doorEntries())
  const refused = page.locator('#door-refused')
  for (const [n, status] of statuses.entries()) {
    intercept.status = status
    await personRow(page, `${surnames[n % 10]}小${n}`).click()
    await expect.poll(() => personCard(page).locator('.door-who').textContent()).toContain(`小${n} ·`)
    expect(await personCard(page).locator('.door-saved').textContent()).toBe('已存在这部手机上，还没发送')
    const isBusy = status === 429 || status >= 500
    const message = isBusy ? '服务器正忙，会自动再试，可以继续签到' : `服务器拒绝了请求（${status}），可以继续签到`
    await expect.poll(() => networkStatus(page)).toBe(`${message} · ${n + 1} 次已存在手机上，还没发送`)
    expect([status, await refused.isVisible()]).toEqual([status, !isBusy])
  }
  expect(await refused.textContent()).toContain('9 次操作都还在这部手机上')
  expect(await page.locator('body').textContent()).not.toContain('没有网络')
  // The entries survive a reload.
  await page.reload()
  await expect.poll(() => refused.textContent()).toContain('错误 403')
  expect(await storedCheckIns(day.world)).toEqual([])

  // The phone also retries on its own, so requests are let through only once the button is pressed.
  await page.exposeFunction('letThrough', () => {
    intercept.status = undefined
  })
  await page.evaluate(() => {
    const { letThrough } = window as unknown as { letThrough(): void }
    document.getElementById('door-send-again')?.addEventListener('click', letThrough, { capture: true })
  })
  await refused.getByRole('button', { name: '再发一次' }).click()
  await expect.poll(() => networkStatus(page)).toBe('已连接 · 全部已发送')
  expect(await refused.isVisible()).toBe(false)
  expect(await storedCheckIns(day.world)).toHaveLength(statuses.length)
})

test('rejected entries are retried automatically', async () => {
  await using day = await setUpDoorDay()
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const intercept = await interceptPath(page, paths.doorEntries())
  intercept.status = 403
  await personRow(page, '王小0').click()
  await expect.poll(() => networkStatus(page)).toContain('（403）')
  intercept.status = undefined
  await expect.poll(() => networkStatus(page)).toBe('已连接 · 全部已发送')
  expect(await storedCheckIns(day.world)).toHaveLength(1)
})

test('a phone honours Retry-After', async () => {
  await using day = await setUpDoorDay()
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  let requestCount = 0
  await page.route('**/door/entries', (route) => {
    requestCount++
    return route.fulfill({ status: 429, headers: { 'Retry-After': '4' }, body: '' })
  })
  await personRow(page, '王小0').click()
  await expect.poll(() => networkStatus(page)).toContain('服务器正忙')
  const first = Date.now()
  await expect.poll(() => requestCount, { interval: 50 }).toBe(2)
  // Without the header it would retry after one second.
  expect(Date.now() - first).toBeGreaterThan(2_500)
})

test('a phone that cannot load the list says why', async () => {
  await using day = await setUpDoorDay()
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const intercept = await interceptPath(page, paths.doorList())
  // Each time: an event is ignored while a request that was sent before is still in flight.
  const statusAfterReload = async () => {
    await page.evaluate(() => dispatchEvent(new Event('online')))
    return networkStatus(page)
  }
  intercept.status = 503
  await expect.poll(statusAfterReload).toContain('服务器正忙')
  intercept.status = 403
  await expect.poll(statusAfterReload).toContain('服务器拒绝了请求（403）')
  intercept.status = undefined
  await expect.poll(statusAfterReload).toBe('已连接 · 全部已发送')

  await page.click('#door-leave button')
  await expect.poll(() => page.locator('#door-over').textContent()).toContain('已结束')
  intercept.status = 403
  await day.join(page, '东门')
  await expect.poll(() => page.locator('#door-note').textContent()).toContain('服务器拒绝了请求（403）')
  expect(await page.locator('#door-note').textContent()).not.toContain('网络')
  intercept.status = undefined
  await expect.poll(() => page.isVisible('#door-app'), { timeout: 20_000 }).toBe(true)
})

test('actions that need the server report its status instead of a network error', async () => {
  await using day = await setUpDoorDay({ people: 2, capacity: 1 })
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const title = () => personCard(page).locator('h2').textContent()
  const text = () => personCard(page).textContent()
  const queueIntercept = await interceptPath(page, '/door/stand')
  for (const [status, message] of [
    [403, '服务器拒绝了请求（403）'],
    [503, '服务器正忙'],
    [404, '名单上已经没有这个人'],
  ] as const) {
    queueIntercept.status = status
    await personRow(page, '李小1').click()
    await personCard(page).getByRole('button', { name: '人在门口，排队等位' }).click()
    await expect.poll(title).toBe('这一步没有做成')
    expect(await text()).toContain(message)
    expect(await text()).not.toContain('网络')
  }

  // A ticket of another workshop, which only the server can look up.
  const other = await day.world.workshop({ city: { zh: '南京', en: 'Nanjing' } })
  const guest = await day.world.register(other)
  const entries = await interceptPath(page, paths.doorEntries())
  entries.status = 403
  await page.goto(paths.checkIn(checkInCode(day.world, guest.id)))
  await expect.poll(title).toBe('这张票不在名单上')
  expect(await text()).toContain('服务器拒绝了请求（403），查不到别的场次')
})

test('a rejected end of session is not reported as ended', async () => {
  await using day = await setUpDoorDay()
  await using page = await day.phone('东门')
  await waitUntilOfflineReady(page)
  const intercept = await interceptPath(page, '/door/end')
  intercept.status = 403
  await page.click('#door-leave button')
  await expect.poll(() => page.locator('#door-over h2').textContent()).toBe('名单已从这部手机删除')
  expect((await listDoorSessions(day.world.deps, day.workshop)).map(({ open }) => open)).toEqual([true])
})
