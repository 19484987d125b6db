import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { createLink } from '../../../src/domain/promotion/registration-links.ts'
import { createFirstOwnerCode, createMailboxKey } from '../../../src/domain/tickets/signed-tokens.ts'
import { paths, withQuery } from '../../../src/http/links.ts'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { decodeQr, decodeSvgQr } from '../../support/browser/qr.ts'
import { createWorld, type World } from '../../support/world.ts'

/** The announcement from the newsletter of July 2023, with its lines run together. */
const announcement =
  'RT-Thread线下入门培训7月 - 上海,南京1.免费2.动手实验+理论3.主办方免费提供开发板4.自行携带电脑,及插线板用于笔记本电脑充电5.参与者需要有C语言、单片机(ARM Cortex-M核)基础,请提前安装好RT-Thread Studio 开发环境报名通道立即扫码报名(报名成功即可参加)'

const firstOwnerPath = (world: World) => `/console/first/${createFirstOwnerCode(world.deps.config.secret)}`

describe.each([
  [1280, true],
  [390, false],
])('at %i px, with JavaScript: %s', (width, javaScriptEnabled) => {
  test('an organiser creates and publishes a campaign with links and posters from a pasted announcement', async () => {
    await using world = await createWorld()
    await using server = await serveWorld(world)
    await using page = await openPage({ width, javaScriptEnabled, acceptDownloads: true })

    await page.goto(server.url + firstOwnerPath(world))
    await page.fill('#name', '王工')
    await page.fill('#email', 'wang@example.com')
    await page.click('main button')
    expect(new URL(page.url()).pathname).toBe('/console')

    await page.click('a[href="/console/draft"]')
    await page.fill('#text', announcement)
    await page.click('main form button[type=submit]')
    expect(await page.inputValue('[name="title.zh"]')).toBe('RT-Thread线下入门培训')
    expect([await page.inputValue('[name="city.0.zh"]'), await page.inputValue('[name="city.1.zh"]')]).toEqual([
      '上海',
      '南京',
    ])

    // The announcement contains no dates, so the form comes back without them.
    await page.click('.actions button[type=submit]')
    expect(await page.locator('.alert').count()).toBe(1)
    await page.fill('[name="city.0.date"]', '2027-07-10')
    await page.fill('[name="city.0.venue.zh"]', '张江科学会堂')
    await page.fill('[name="city.0.address.zh"]', '海科路 1393 号')
    await page.fill('[name="city.1.date"]', '2027-07-17')
    await page.click('.actions button[type=submit]')
    expect(new URL(page.url()).pathname).toMatch(/^\/console\/campaigns\//)

    // A missing address is a warning, not an error.
    expect(await page.locator('.alert').textContent()).toContain('南京')
    await page.click('.actions button')
    await page.click('.actions a.button')
    await page.fill('#channel', '公众号 7月')
    await page.click('form.inline button')
    const url = (await page.locator('.rows small').first().textContent()) ?? ''

    const poster = await page.locator('.materials img').first().getAttribute('src')
    const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const svg = await (await fetch(server.url + poster, { headers: { Cookie: cookies } })).text()
    expect(svg).toContain('上海')
    if (javaScriptEnabled) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[data-picture="1080x1440"]')])
      expect(download.suggestedFilename()).toMatch(/^poster-.*\.png$/)
      expect(decodeQr(await readFile(await download.path()))).toBe(url.trim())
    }
    const qr = await page.locator('a[href$=".svg"][href^="/console/links/"]').first().getAttribute('href')
    expect(await decodeSvgQr(await (await fetch(server.url + qr, { headers: { Cookie: cookies } })).text())).toBe(
      url.trim(),
    )

    // The public page behind the QR code.
    await page.goto(server.url + new URL(url.trim()).pathname)
    expect(new URL(page.url()).pathname).toMatch(/^\/c\//)
    expect(await page.locator('main').textContent()).toMatch(/上海[\s\S]*南京[\s\S]*开发板[\s\S]*插线板/)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  })
})

test('a long word does not make console pages wider than a phone', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  const word = 'a'.repeat(80)
  const { id, slug } = await world.campaign({ title: { en: word } })
  await world.workshop({ campaignId: id, city: { en: word } })
  await createLink(world.deps, { campaign: slug }, { channel: word })
  await using page = await openPage({ width: 360, locale: 'en', javaScriptEnabled: false })
  await page.goto(server.url + firstOwnerPath(world))
  await page.fill('#name', word.slice(0, 60))
  await page.fill('#email', 'wang@example.com')
  await page.click('main button')
  await page.goto(`${server.url}/console/tokens`)
  await page.fill('#name', word)
  await page.click('main form button[type=submit]')
  const campaign = `/console/campaigns/${slug}`
  for (const path of ['', '/tokens', '/organisers', '/campaigns', '/audit'].map((path) => `/console${path}`)) {
    expect(await widthOf(path)).toEqual([path, 360])
  }
  for (const path of ['', '/edit', '/spread', '/figures', '/people'].map((path) => campaign + path)) {
    expect(await widthOf(path)).toEqual([path, 360])
  }

  async function widthOf(path: string) {
    await page.goto(server.url + path)
    return [path, await page.evaluate(() => document.documentElement.scrollWidth)]
  }
})

test('a passkey can be added, used to sign in and removed', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage({ width: 1280 })
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  // Passkeys need a host name, not an IP address.
  const baseUrl = server.url.replace('127.0.0.1', 'localhost')
  await page.goto(baseUrl + firstOwnerPath(world))
  await page.fill('#name', '王工')
  await page.fill('#email', 'wang@example.com')
  await page.click('main button')
  await page.goto(`${baseUrl}/console/account`)
  await page.click('[data-passkey] button')
  await page.waitForURL('**/account?done=passkey')
  expect(await page.locator('main').textContent()).toContain('添加于')

  await page.click('.sections form button')
  expect(new URL(page.url()).pathname).toBe('/console/sign-in')
  await page.goto(`${baseUrl}/console/account`)
  expect(new URL(page.url()).pathname).toBe('/console/sign-in')
  await page.click('[data-passkey] button')
  await page.waitForURL('**/console/account')
  expect(await page.locator('main').textContent()).toContain('wang@example.com')

  await page.click('form[action*="/passkeys/"] button')
  expect(await page.locator('main').textContent()).toContain('还没有')
})

test('moving a workshop previews the mail, and the attendee sees the new time', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage({ width: 390 })
  const workshop = await world.workshop()
  const { ticket } = await world.register(workshop, { name: '王小明' })
  await page.goto(server.url + firstOwnerPath(world))
  await page.fill('#name', '王工')
  await page.fill('#email', 'wang@example.com')
  await page.click('main button')
  await page.goto(`${server.url}/console/workshops/${workshop.slug}`)
  await page.click('a[href$="/edit"]')
  await page.fill('#from', '11:45')
  await page.click('.actions button[type=submit]')
  expect(await page.locator('.panel').textContent()).toMatch(/时间或地点有变[\s\S]*王小明[\s\S]*11:45[\s\S]*原来/)
  await page.click('button[name=tell][value=yes]')
  expect(await page.locator('.done').textContent()).toContain('正在通知')

  await page.goto(server.url + withQuery(paths.mailbox(), { key: createMailboxKey(world.deps.config.secret) }))
  await page.click('text=时间或地点有变')
  expect(await page.locator('main').textContent()).toContain('11:45')
  await page.goto(`${server.url}/t/${ticket}`)
  expect(await page.locator('main').textContent()).toContain('11:45')
})
