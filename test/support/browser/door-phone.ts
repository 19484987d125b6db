import { eq } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { checkIns } from '../../../src/db/schema.ts'
import { workshopJoinCode } from '../../../src/domain/door/sessions.ts'
import { createCheckInCode } from '../../../src/domain/tickets/signed-tokens.ts'
import type { Workshop } from '../../../src/domain/workshops/workshops.ts'
import { absoluteUrl, paths } from '../../../src/http/links.ts'
import { createWorld, type World } from '../world.ts'
import { openPage, type PageOptions, serveWorld } from './browser.ts'

export const surnames = '王李张刘陈杨赵黄周吴'

/** Sets up a workshop that starts in half an hour with registered people and a running clock. */
export async function setUpDoorDay({ people = 3, capacity = 100, graceMinutes = null as number | null } = {}) {
  const stack = new AsyncDisposableStack()
  const world = stack.use(await createWorld())
  const server = stack.use(await serveWorld(world))
  const [start, startedAt] = [world.clock.now().getTime(), Date.now()]
  let skippedMs = 0
  const ticking = setInterval(() => world.clock.set(new Date(start + skippedMs + Date.now() - startedAt)), 5)
  stack.defer(() => clearInterval(ticking))
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
    /** Moves the clock forward. */
    advanceClock(minutes: number) {
      skippedMs += minutes * 60_000
    },
    /** A phone that has joined with the organiser's QR code. */
    async phone(name: string, options: PageOptions = {}) {
      const page = await openPage({ width: 360, height: 740, baseURL: server.url, ...options })
      await this.join(page, name)
      return page
    },
    /** Joins with the QR code of the workshop, or of another one. */
    async join(page: Page, name: string, target: Workshop = workshop) {
      await page.goto(paths.doorJoin(workshopJoinCode(world.deps, target)))
      await page.fill('#name', name)
      await page.click('main button[type=submit]')
      await page.waitForURL('**/door')
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Waits until the phone works offline. */
export async function waitUntilOfflineReady(page: Page): Promise<void> {
  await expect.poll(() => page.isVisible('#door-app')).toBe(true)
  await expect.poll(() => serviceWorkerStates(page), { timeout: 15_000 }).toEqual(['activated', 'activated'])
}

export function serviceWorkerStates(page: Page): Promise<(string | undefined)[]> {
  return page.evaluate(async () => {
    const registrations = await navigator.serviceWorker.getRegistrations()
    return registrations.map(({ active }) => active?.state)
  })
}

export const personCard = (page: Page) => page.locator('#door-card')
export const personRow = (page: Page, name: string) =>
  page.locator('#door-people button', { hasText: new RegExp(`^${name}(?!\\d)`) })

export async function storedCheckIns(world: World, outcome: 'in' | 'again' | 'undone' = 'in') {
  return world.db.select().from(checkIns).where(eq(checkIns.outcome, outcome))
}

export const checkInUrl = (world: World, code: string) =>
  absoluteUrl(world.deps.config.baseUrl ?? 'http://localhost:3000', paths.checkIn(code))
export const checkInCode = (world: World, id: string) => createCheckInCode(world.deps.config.secret, { id, version: 1 })
