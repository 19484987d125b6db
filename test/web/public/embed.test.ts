import { expect, test } from 'vitest'
import { visibleText } from '../../support/http/forms.ts'
import { createWorld } from '../../support/world.ts'

test('GET /w/:workshop/embed shows date, place and seats and links to the page with its channel', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop()
  const html = await (await world.request(`/w/${slug}/embed?via=abc`)).text()
  expect(visibleText(html)).toMatch(/RT-Thread 入门培训.*上海 · 张江科学会堂.*2/)
  expect(html).toContain(`href="/w/${slug}?via=abc" target="_blank"`)
  const draft = await world.workshop({ publish: false })
  expect((await world.request(`/w/${draft.slug}/embed`)).status).toBe(404)
})
