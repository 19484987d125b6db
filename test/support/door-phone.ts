import { eq } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { checkIns } from '../../src/db/schema.ts'
import { joinCode } from '../../src/domain/door-sessions.ts'
import { doorCodeOf } from '../../src/domain/tickets.ts'
import type { Workshop } from '../../src/domain/workshops.ts'
import { paths, urlOf } from '../../src/links.ts'
import { openPage, type PageOptions, serve } from './browser.ts'
import { createWorld, type World } from './world.ts'

export const surnames = '王李张刘陈杨赵黄周吴'

/** A workshop that begins in half an hour, with people who are to come, and a clock that goes. */
export async function openDay({ people = 3, capacity = 100, graceMinutes = null as number | null } = {}) {
  const stack = new AsyncDisposableStack()
  const world = stack.use(await createWorld())
  const server = stack.use(await serve(world))
  const [start, begun] = [world.clock.now().getTime(), Date.now()]
  let passed = 0
  const going = setInterval(() => world.clock.set(new Date(start + passed + Date.now() - begun)), 5)
  stack.defer(() => clearInterval(going))
  const campaignId = (await world.campaign()).id
  const workshop = await world.workshop({ campaignId, capacity, graceMinutes, startsAt: new Date(start + 30 * 60_000) })
  const ids: string[] = []
  for (let n = 0; n < people; n++) {
    const name = `${surnames[n % 10]}小${n}`
    ids.push((await world.register(workshop, { name, phone: `+86138001${String(n).padStart(5, '0')}` })).id)
  }
  return {
    world,
    workshop,
    url: server.url,
    ids,
    /** It is later all of a sudden. */
    pass(minutes: number) {
      passed += minutes * 60_000
    },
    /** A phone that has scanned the organiser's QR. */
    async phone(name: string, options: PageOptions = {}) {
      const page = await openPage({ width: 360, height: 740, baseURL: server.url, ...options })
      await this.join(page, name)
      return page
    },
    /** Scans the organiser's QR, or that of another workshop. */
    async join(page: Page, name: string, which: Workshop = workshop) {
      await page.goto(paths.joinDoor(joinCode(world.deps, which)))
      await page.fill('#name', name)
      await page.click('main button[type=submit]')
      await page.waitForURL('**/door')
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Until the phone would do without a network. */
export async function ready(page: Page): Promise<void> {
  await expect.poll(() => page.isVisible('#door-app')).toBe(true)
  await expect.poll(() => workersOf(page), { timeout: 15_000 }).toEqual(['activated', 'activated'])
}

export function workersOf(page: Page): Promise<(string | undefined)[]> {
  return page.evaluate(async () => {
    const registered = await navigator.serviceWorker.getRegistrations()
    return registered.map(({ active }) => active?.state)
  })
}

export const card = (page: Page) => page.locator('#door-card')
export const row = (page: Page, name: string) =>
  page.locator('#door-people button', { hasText: new RegExp(`^${name}(?!\\d)`) })

export async function inDatabase(world: World, outcome: 'in' | 'again' | 'undone' = 'in') {
  return world.db.select().from(checkIns).where(eq(checkIns.outcome, outcome))
}

export const urlIn = (world: World, code: string) =>
  urlOf(world.deps.config.baseUrl ?? 'http://localhost:3000', paths.door(code))
export const codeFor = (world: World, id: string) => doorCodeOf(world.deps.config.secret, { id, version: 1 })
