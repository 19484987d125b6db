import { desc, eq, sql } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { mails, organisers, registrations } from '../../../src/db/schema.ts'
import { consentVersion } from '../../../src/domain/registrations/registrations.ts'
import { createSignInCode } from '../../../src/domain/tickets/signed-tokens.ts'
import type { Workshop } from '../../../src/domain/workshops/workshops.ts'
import { paths } from '../../../src/http/links.ts'
import { mailSignInLink } from '../../../src/http/sign-in.ts'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { createWorld, type World } from '../../support/world.ts'

test('a list of 5,000 people can be searched and cancelled in bulk, with sticky table heads', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  const workshop = await world.workshop({ capacity: 4000 })
  await createPeople(world, workshop, 5000)
  await using page = await openPage({ width: 1280, height: 800, baseURL: server.url })
  await signIn(world, page)

  await page.goto(paths.workshopPeople(workshop.slug))
  await expect.poll(() => page.locator('.count').textContent()).toBe('5000\u00a0人')
  const top = async () => (await page.locator('thead').boundingBox())?.y
  await page.locator('.people-frame').evaluate((frame) => frame.scrollIntoView())
  const before = await top()
  await page.locator('.people-frame').evaluate((frame) => frame.scrollTo(0, 2000))
  expect((await page.locator('thead th').nth(2).boundingBox())?.y).toBeCloseTo(before ?? Number.NaN, 0)

  await page.fill('#q', 'oyxf')
  await page.keyboard.press('Enter')
  await page.waitForURL(/q=oyxf/)
  expect(await page.locator('tbody tr').count()).toBe(10)
  expect(await page.locator('button[value="cancel"]').isDisabled()).toBe(true)
  await page.check('[data-choose-all]')
  await page.uncheck('tbody tr:first-child input')
  expect(await page.locator('button[value="cancel"]').textContent()).toBe('取消报名 (9)')
  await page.click('button[value="cancel"]')
  await expect.poll(() => page.locator('h1').textContent()).toBe('取消\u00a09\u00a0人的报名？')
  await page.click('main button')
  await expect.poll(() => page.locator('h1').textContent()).toBe('9\u00a0人中\u00a09\u00a0人已完成')
  expect(await world.db.$count(registrations, eq(registrations.status, 'cancelled'))).toBe(9)

  await page.click('main .button')
  await page.waitForURL(/q=oyxf/)
  expect(await page.locator('tr.gone').count()).toBe(9)
})

test('people are shown as cards on a phone, and no page is wider than the screen', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  const workshop = await world.workshop({ capacity: 100 })
  await createPeople(world, workshop, 60)
  await using page = await openPage({ width: 360, locale: 'en', javaScriptEnabled: false, baseURL: server.url })
  await signIn(world, page)
  const list = paths.workshopPeople(workshop.slug)
  await page.goto(list)
  const card = await page.locator('tbody tr').first().boundingBox()
  expect(card?.width).toBeLessThanOrEqual(360)
  expect(card?.height).toBeGreaterThan(100)
  await page.locator('tbody tr a').first().click()
  await page.waitForURL(/console\/people/)
  const person = new URL(page.url()).pathname
  for (const path of [list, person, `${person}/cancel`, `${list}/add`, `${list}/duplicates`]) {
    await page.goto(path)
    const { content } = await page.evaluate(() => ({ content: document.querySelector('main')?.scrollWidth ?? 0 }))
    expect([path, content <= 360]).toEqual([path, true])
  }
})

test('the sign-in sheet repeats its heads on every page, and ten badges are printed per page', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  const workshop = await world.workshop({ capacity: 100 })
  await createPeople(world, workshop, 60)
  await using page = await openPage({ width: 1280, baseURL: server.url })
  await signIn(world, page)
  const printPdf = async (path: string) => {
    await page.goto(path)
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1')
    return { pages: pdf.match(/\/Type\s*\/Page\b/g)?.length, size: /\/MediaBox\s*\[([^\]]*)\]/.exec(pdf)?.[1] }
  }
  const a4 = expect.stringMatching(/^0 0 59[45](\.\d+)? 84[12](\.\d+)?$/)
  expect(await printPdf(paths.nameBadges(workshop.slug))).toEqual({ pages: 6, size: a4 })
  // A row takes at least 9 of 277 mm.
  expect(await printPdf(paths.signInSheet(workshop.slug))).toEqual({ pages: 3, size: a4 })
  expect(await page.locator('thead').evaluate((head) => getComputedStyle(head).display)).toBe('table-header-group')
})

/** Registers people with 500 different names. */
async function createPeople(world: World, workshop: Workshop, count: number): Promise<void> {
  const surnames = '王李张刘陈杨赵黄周吴'
  const names = Array.from({ length: 500 }, (_, n) =>
    n === 7
      ? '欧阳雪飞'
      : `${surnames[n % 10]}小${'明红伟芳娜敏静丽强磊'[Math.floor(n / 10) % 10]}${Math.floor(n / 100)}`,
  )
  for (let from = 0; from < count; from += 1000) {
    const entries = Array.from({ length: Math.min(1000, count - from) }, (_, n) => ({
      n,
      id: world.deps.newId(),
      workshop_id: workshop.id,
      name: names[(from + n) % 500],
      email: `p${from + n}@example.com`,
      email_key: `p${from + n}@example.com`,
      locale: 'zh-CN',
      ready: {},
      consent_version: consentVersion,
      source: 'web',
      idempotency_key: `fill-${from + n}`,
      fingerprint: '',
    }))
    const now = world.clock.now().toISOString()
    await query(world.db, sql`select from register(${JSON.stringify(entries)}::jsonb, ${now}::timestamptz)`)
  }
}

/** Signs an organiser in through the mailed link. */
async function signIn(world: World, page: Page): Promise<void> {
  const moment = world.clock.now()
  const email = 'lin@example.com'
  await world.db.insert(organisers).values({
    ...{ id: world.deps.newId(), name: '林老师', email, role: 'organiser', emailVerified: true },
    ...{ createdAt: moment, updatedAt: moment },
  })
  await mailSignInLink(world.deps, email)
  const [mail] = await world.db.select().from(mails).where(eq(mails.kind, 'sign_in')).orderBy(desc(mails.id))
  await page.goto(paths.magicLink(createSignInCode(world.deps.config.secret, mail?.uid ?? '')))
  await page.click('main button')
  await page.waitForURL(/\/console$/)
}
