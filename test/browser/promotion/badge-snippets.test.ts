import { expect, test } from 'vitest'
import { renderBadgeSnippets } from '../../../src/promotion/badge-snippets.tsx'
import { openPage } from '../../support/browser/browser.ts'
import { createAnnouncedCampaign } from '../../support/seeds/campaigns.ts'
import { createWorld } from '../../support/world.ts'

const baseUrl = 'https://baoming.example.com'

test('badge snippets show every workshop and link to its page', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 2)
  const { html, markdown } = renderBadgeSnippets(campaign, { baseUrl, locale: 'zh-CN', via: 'w7kd3fp' })
  await using page = await openPage()
  await page.route('**/*', (route) => route.abort())
  await page.setContent(html)
  const links = await page.evaluate(() =>
    [...document.links].map(({ href, firstElementChild }) => ({
      href,
      src: (firstElementChild as HTMLImageElement).src,
      alt: (firstElementChild as HTMLImageElement).alt,
    })),
  )
  expect(links.map(({ alt }) => alt)).toEqual(['上海，RT-Thread 入门培训，报名', '南京，RT-Thread 入门培训，报名'])
  for (const [n, { href, src, alt }] of links.entries()) {
    expect(href).toMatch(/^https:\/\/baoming\.example\.com\/w\/[^?]+\?via=w7kd3fp$/)
    expect(markdown.split('\n')[n]).toBe(`[![${alt}](${src})](${href})`)
    for (const url of [href, src]) expect((await world.request(url.slice(baseUrl.length))).status).toBe(200)
  }
}, 60_000)

test('badge snippets escape what organisers write', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({
    city: { zh: `"><script>alert(1)</script>` },
    title: { zh: `](https://elsewhere) *a* \\` },
  })
  const { html, markdown } = renderBadgeSnippets(workshop, { baseUrl, locale: 'zh-CN' })
  await using page = await openPage()
  await page.route('**/*', (route) => route.abort())
  await page.setContent(html)
  expect(await page.locator('script').count()).toBe(0)
  expect(await page.getAttribute('img', 'alt')).toBe(`"><script>alert(1)</script>，](https://elsewhere) *a* \\，报名`)
  expect(markdown).toContain('\\]\\(https'.replace('\\(', '('))
  expect(markdown).not.toMatch(/[^\\]\]\(https:\/\/elsewhere/)
})
