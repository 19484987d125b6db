import { expect, test } from 'vitest'
import { findRegistrationById, type Registration } from '../../../src/domain/registrations/registrations.ts'
import { openPage, serveWorld } from '../../support/browser/browser.ts'
import { createWorld } from '../../support/world.ts'

test('each tick is saved at once with JavaScript, and failures are reported', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({
    items: [
      { kind: 'prerequisite', text: { zh: '装好 RT-Thread Studio' }, mustConfirm: true },
      { kind: 'prerequisite', text: { zh: '会 C 语言' }, mustConfirm: true },
    ],
  })
  const { id, ticket } = await world.register(workshop)
  const path = `/t/${ticket}`
  const [studio, c] = workshop.items.map((item) => item.id) as [string, string]
  const stored = async () => (await findRegistrationById(world.deps, id)) as Registration
  await using server = await serveWorld(world)
  await using page = await openPage()
  await page.goto(`${server.url}${path}`)
  const button = page.locator('form.ready button')
  await expect.poll(() => button.isVisible()).toBe(false)
  await page.check(`[name="ready.${studio}"]`)
  await expect.poll(() => page.textContent('form.ready [role=status]')).toBe('已保存。')
  expect((await stored()).ready).toEqual({ [studio]: true })

  await page.context().setOffline(true)
  await page.check(`[name="ready.${c}"]`)
  await expect.poll(() => page.textContent('form.ready [role=status]')).toBe('没有保存上，请再按一下按钮。')
  expect(await button.isVisible()).toBe(true)
  await page.context().setOffline(false)
  await button.click()
  await page.waitForURL(/done=ready/)
  expect((await stored()).ready).toEqual({ [studio]: true, [c]: true })
}, 60_000)
