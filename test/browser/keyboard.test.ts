import { desc } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { mails, registrations } from '../../src/db/schema.ts'
import { createSignInCode } from '../../src/domain/tickets/signed-tokens.ts'
import { paths } from '../../src/http/links.ts'
import { openPage, serveWorld } from '../support/browser/browser.ts'
import { seedEveryPage } from '../support/seeds/every-page.ts'
import { createWorld, type World } from '../support/world.ts'

test('an organiser signs in, creates and publishes a campaign using only the keyboard', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage({ width: 1280, baseURL: server.url })
  await world.signIn('owner')
  await signInByKeyboard(world, page, 'owner-1@example.com')

  // Skip link over the navigation, which is the same on every page.
  await page.keyboard.press('Tab')
  expect(await describeFocus(page)).toMatchObject({ href: '#main', shown: true })
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.closest('main')?.id)).toBe('main')

  await tabToAndPress(page, 'a[href="/console/campaigns"]')
  await tabToAndPress(page, 'a[href="/console/campaigns/new"]')
  await tabToAndType(page, '[name="title.zh"]', '七月入门培训')
  await tabToAndType(page, '[name="city.0.zh"]', '上海')
  await tabTo(page, '[name="city.0.date"]')
  // Arrows change each part of a date, whatever order the browser has them in.
  for (const key of ['ArrowUp', 'ArrowRight', 'ArrowUp', 'ArrowRight', 'ArrowUp']) await page.keyboard.press(key)
  expect(await page.inputValue('[name="city.0.date"]')).toMatch(/^\d{4}-\d\d-\d\d$/)
  await tabToAndPress(page, 'button[value="add-city"]')
  // The browser sets the focus with the next frame, which may be after the load event.
  await expect.poll(() => describeFocus(page)).toMatchObject({ name: 'city.1.zh' })
  await tabToAndPress(page, 'button[value="drop-city.1"]')
  await expect.poll(() => describeFocus(page)).toMatchObject({ value: 'add-city' })

  await tabTo(page, '[name="item.0.kind"]')
  await page.keyboard.press('ArrowUp')
  await tabToAndType(page, '[name="item.0.zh"]', '开发板')
  await tabToAndPress(page, 'button[value="add-item"]')
  await expect.poll(() => describeFocus(page)).toMatchObject({ name: 'item.1.zh' })
  await page.keyboard.type('笔记本电脑')
  await tabToAndPress(page, 'button[value="add-item"]')
  await expect.poll(() => describeFocus(page)).toMatchObject({ name: 'item.2.zh' })
  await page.keyboard.type('插线板')
  await tabToAndPress(page, 'button[value="add-item"]')
  await expect.poll(() => describeFocus(page)).toMatchObject({ name: 'item.3.zh' })
  await tabTo(page, 'button[value="up.2"]', 'Shift+Tab')
  await pressAndWait(page, 'Space')
  // The focus stays on the same button of the moved item.
  await expect.poll(() => describeFocus(page)).toMatchObject({ value: 'up.1' })
  await pressAndWait(page, 'Space')
  await expect.poll(() => describeFocus(page)).toMatchObject({ value: 'down.0' })
  const items = await page
    .locator('[name^="item."][name$=".zh"]')
    .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))
  expect(items).toEqual(['插线板', '开发板', '笔记本电脑', ''])

  await tabToAndPress(page, 'main .actions button')
  expect(new URL(page.url()).pathname).toMatch(/^\/console\/campaigns\/[^/]+$/)
  await tabToAndPress(page, 'button[formaction$="/publish"]', 'Space')
  expect(await page.locator('.done').textContent()).toContain('已发布')
}, 60_000)

test('an organiser finds and cancels a person and selects several using only the keyboard', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage({ width: 1280, baseURL: server.url })
  const workshop = await world.workshop({ capacity: 9 })
  for (const name of ['王小明', '李雷', '韩梅梅', '张伟']) await world.register(workshop, { name })
  await world.signIn('organiser')
  await signInByKeyboard(world, page, 'organiser-5@example.com')

  await tabToAndPress(page, `a[href^="/console/workshops/${workshop.slug}"]`)
  await tabToAndPress(page, 'main a[href$="/people"]')
  await tabToAndType(page, '#q', 'wxm')
  await pressAndWait(page, 'Enter')
  expect(await page.locator('tbody tr').count()).toBe(1)
  await tabToAndPress(page, 'tbody a')
  await tabToAndPress(page, 'main a[href$="/cancel"]')
  await tabToAndPress(page, 'main form button', 'Space')
  expect(await page.locator('.done').textContent()).toContain('取消')
  await tabToAndPress(page, '.bar a')

  await tabTo(page, '#status')
  await page.keyboard.press('ArrowDown')
  await tabToAndPress(page, '.filter button')
  expect(new URL(page.url()).searchParams.get('status')).toBe('confirmed')
  await tabTo(page, '[data-choose-all]')
  await page.keyboard.press('Space')
  await tabTo(page, 'button[value="cancel"]', 'Shift+Tab')
  await pressAndWait(page, 'Enter')
  await tabToAndPress(page, 'main form button')
  const stored = await world.db.select({ status: registrations.status }).from(registrations)
  expect(stored).toEqual(Array(4).fill({ status: 'cancelled' }))
}, 60_000)

test('Tab reaches every control with a visible focus and is never trapped', async () => {
  await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
  await using server = await serveWorld(world)
  const { Cookie, pages } = await seedEveryPage(world)
  await using page = await openPage({ width: 1280, baseURL: server.url })
  const [name = '', value = ''] = Cookie.split(/=(.*)/)
  await page.context().addCookies([{ name, value, url: server.url }])
  const routes = [
    ...['GET /w/:workshop', 'GET /t/:ticket', 'GET /console', 'GET /console/campaigns/:slug/spread'],
    ...['GET /console/workshops/:slug/people', 'GET /console/workshops/:slug/figures', 'GET /console/account'],
    ...['GET /console/people/:id', 'GET /console/workshops/:slug/edit', 'GET /console/audit', 'GET /console/mails'],
    ...['GET /console/boards', 'GET /console/boards/:id', 'GET /console/boards/labels', 'GET /t/:ticket/coming'],
    ...['GET /console/workshops/:slug', 'GET /console/workshops/:slug/door', 'GET /console/workshops/:slug/boards'],
    ...['GET /console/workshops/:slug/attendance', 'GET /console/workshops/:slug/materials', 'GET /t/:ticket/feedback'],
  ]
  for (const path of routes.flatMap((route) => pages[route]?.slice(0, 1) ?? [])) {
    await page.goto(path)
    expect([path, await checkTabOrder(page)]).toEqual([path, { unreachable: [], withoutFocusRing: [] }])
  }
  expect(routes.filter((route) => !pages[route])).toEqual([])
}, 90_000)

/** Signs in by requesting a link and pressing the button on its page. */
async function signInByKeyboard(world: World, page: Page, email: string): Promise<void> {
  await page.goto(paths.signIn())
  await tabToAndType(page, '#email', email)
  await pressAndWait(page, 'Enter')
  expect(new URL(page.url()).searchParams.get('done')).toBe('mailed')
  const [mail] = await world.db.select({ uid: mails.uid }).from(mails).orderBy(desc(mails.id)).limit(1)
  await page.goto(paths.magicLink(createSignInCode(world.deps.config.secret, mail?.uid ?? '')))
  await tabToAndPress(page, 'main button', 'Space')
  expect(new URL(page.url()).pathname).toBe('/console')
}

/** Tabs to an element, presses it and waits for the next page. */
async function tabToAndPress(page: Page, selector: string, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await tabTo(page, selector)
  await pressAndWait(page, key)
}

async function pressAndWait(page: Page, key: 'Enter' | 'Space'): Promise<void> {
  const loaded = page.waitForEvent('load')
  await page.keyboard.press(key)
  await loaded
}

async function tabToAndType(page: Page, selector: string, text: string): Promise<void> {
  await tabTo(page, selector)
  await page.keyboard.type(text)
}

/** Tabs to the first matching element from the current focus. Fails if a focus on the way is not visible. */
async function tabTo(page: Page, selector: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let stops = 0; stops < 200; stops++) {
    const focus = await describeFocus(page, selector)
    if (focus.wanted) return
    if (stops > 0) expect(focus).toMatchObject({ shown: true })
    await page.keyboard.press(key)
  }
  throw new Error(`Tab does not lead to ${selector} on ${page.url()}`)
}

/** Describes the focused element: whether the focus is visible, and whether it is the wanted element. */
function describeFocus(page: Page, selector = 'nothing') {
  return page.evaluate((selector) => {
    const active = document.activeElement as HTMLElement
    const { outlineStyle, outlineWidth } = getComputedStyle(active)
    const isVisible = [...active.getClientRects()].some(({ left, top, right, bottom }) => {
      const [x, y] = [(left + right) / 2, (top + bottom) / 2]
      const hit = document.elementFromPoint(x, y)
      return hit !== null && (active.contains(hit) || hit.contains(active))
    })
    return {
      tag: active.localName,
      text: active.textContent?.trim().slice(0, 40),
      href: active.getAttribute('href'),
      name: active.getAttribute('name'),
      value: active.getAttribute('value'),
      shown: active === document.body || (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && isVisible),
      wanted: active === document.querySelector(selector),
    }
  }, selector)
}

/** Presses Tab until the focus is back at the start. Returns what was not reached and what had no visible focus. */
async function checkTabOrder(page: Page): Promise<{ unreachable: string[]; withoutFocusRing: string[] }> {
  const withoutFocusRing: string[] = []
  await page.evaluate(() => {
    addEventListener('focusin', ({ target }) => (target as HTMLElement).setAttribute('data-focused', ''), true)
    ;(document.activeElement as HTMLElement).blur()
  })
  for (let stops = 0; stops < 400; stops++) {
    await page.keyboard.press('Tab')
    const { tag, shown: hasFocusRing, ...focus } = await describeFocus(page)
    if (tag === 'body' || (stops > 0 && focus.href === '#main')) break
    if (!hasFocusRing) withoutFocusRing.push(JSON.stringify({ tag, ...focus }))
  }
  const unreachable = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0)
      .filter((one) => !one.matches(':disabled, [type="hidden"], [type="radio"], [data-focused]'))
      .map((one) => one.outerHTML.slice(0, 120)),
  )
  return { unreachable, withoutFocusRing }
}
