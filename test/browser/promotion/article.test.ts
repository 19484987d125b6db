import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { renderArticleHtml, renderArticleText } from '../../../src/promotion/article.tsx'
import { openPage, remoteHost } from '../../support/browser/browser.ts'
import { serveHtml } from '../../support/browser/serve-html.ts'
import { createAnnouncedCampaign, longTexts } from '../../support/seeds/campaigns.ts'
import { createWorld } from '../../support/world.ts'

const locales = ['zh-CN', 'en'] as const

/**
 * What WeChat's editor keeps of pasted HTML, as far as its rules are known: some elements with inline styles, images
 * from WeChat's servers and links to its articles; no scripts, no classes or ids, and no styles that position elements
 * or load resources.
 */
function pasteIntoWeChatEditor(page: Page, html: string): Promise<{ pasted: string; kept: string }> {
  return page.evaluate((source) => {
    const file = new DOMParser().parseFromString(source, 'text/html')
    const pasted = file.body.innerHTML
    const elements = ['SECTION', 'P', 'SPAN', 'STRONG', 'IMG', 'BR', 'A']
    const allowedUrl = /^https:\/\/(mp\.weixin\.qq\.com|mmbiz\.qpic\.cn)\//
    for (const element of [...file.body.querySelectorAll('*')]) {
      if (['SCRIPT', 'STYLE', 'LINK', 'IFRAME', 'FORM', 'INPUT', 'BUTTON', 'OBJECT'].includes(element.nodeName)) {
        element.remove()
        continue
      }
      for (const { name, value } of [...element.attributes]) {
        const allowed = name === 'style' || ((name === 'src' || name === 'href') && allowedUrl.test(value))
        if (!allowed) element.removeAttribute(name)
      }
      const style = element.getAttribute('style')
      if (style !== null) {
        const dropped = /^\s*(position|top|left|right|bottom|z-index|transform|float|animation|transition|-)/
        const keptStyles = style
          .split(';')
          .filter((rule) => !dropped.test(rule) && !/url\(|var\(|expression|javascript:/i.test(rule))
        element.setAttribute('style', keptStyles.join(';'))
      }
      if (!elements.includes(element.nodeName)) element.replaceWith(...element.childNodes)
    }
    return { pasted, kept: file.body.innerHTML }
  }, html)
}

test("the article block survives WeChat's editor unchanged", async () => {
  await using world = await createWorld()
  await using page = await openPage()
  for (const cities of [0, 1, 2, 8]) {
    const campaign = await createAnnouncedCampaign(world, cities)
    for (const subject of [campaign, ...campaign.workshops.slice(0, 1)]) {
      for (const locale of locales) {
        const block = renderArticleHtml(subject, { locale })
        const { pasted, kept } = await pasteIntoWeChatEditor(page, block)
        expect(pasted).toBe(block.replaceAll('&#39;', "'"))
        expect(kept).toBe(pasted)
        expect(block).not.toMatch(/https?:|data:|<img|<a /)
      }
    }
  }
}, 60_000)

test('the editor rules in this test remove what they should', async () => {
  await using page = await openPage()
  const { kept } = await pasteIntoWeChatEditor(
    page,
    `<section id="a" class="b" style="color:red;position:fixed;background:url(x)" onclick="x()"><script>1</script><style>p{}</style>` +
      `<p>text</p><a href="https://elsewhere.example.com">link</a><img src="data:image/png;base64,AA"><div>kept</div></section>`,
  )
  expect(kept).toBe('<section style="color:red"><p>text</p><a>link</a><img>kept</section>')
})

test('the article block and its text contain all details', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 2)
  await using page = await openPage()
  await page.setContent(renderArticleHtml(campaign, { locale: 'zh-CN' }))
  for (const text of [await page.innerText('body'), renderArticleText(campaign, { locale: 'zh-CN' })]) {
    for (const fact of [
      'RT-Thread 线下入门培训',
      '动手实验 + 理论',
      '上海',
      '12月19日 周六',
      '09:30 – 17:00',
      '东南大学四牌楼校区',
      '现场提供',
      '笔记本电脑；插线板',
      '下载和安装说明在报名页面上',
      '长按识别二维码报名',
    ]) {
      expect(text).toContain(fact)
    }
  }
  expect(await page.innerText('body')).toContain('请上传 qr-article-900.png')
  expect(renderArticleText(campaign, { locale: 'en' })).toContain(
    'Nanjing Sat 26 Dec 09:30 – 17:00\nSoutheast University',
  )
}, 60_000)

test('the article block fits a phone, however long its texts are', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 3, longTexts)
  await using page = await openPage({ width: 360 })
  for (const locale of locales) {
    await page.setContent(
      `<meta name="viewport" content="width=device-width">${renderArticleHtml(campaign, { locale })}`,
    )
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
  }
}, 60_000)

test('the article block escapes what organisers write', async () => {
  await using world = await createWorld()
  const zh = `<script>alert(1)</script><img src=x onerror=alert(1)> & "two" 'one'`
  const item = { kind: 'bring' as const, text: { zh }, mustConfirm: false }
  const campaign = await createAnnouncedCampaign(world, 1, {
    title: { zh },
    summary: { zh },
    items: [item],
    workshop: { city: { zh }, venue: { zh } },
  })
  await using page = await openPage()
  const block = renderArticleHtml(campaign, { locale: 'zh-CN' })
  const { pasted, kept } = await pasteIntoWeChatEditor(page, block)
  expect(kept).toBe(pasted)
  await page.setContent(block)
  expect(await page.locator('script, img').count()).toBe(0)
  expect(await page.innerText('strong >> nth=0')).toBe(zh)
}, 60_000)

test.each([
  { how: 'on HTTPS or localhost', host: '127.0.0.1' },
  { how: 'over plain HTTP, where scripts cannot use the clipboard', host: remoteHost },
])(
  'the article block is copied as HTML and as text $how',
  async ({ host }) => {
    await using world = await createWorld()
    const campaign = await createAnnouncedCampaign(world, 2)
    const block = renderArticleHtml(campaign, { locale: 'zh-CN' })
    const text = renderArticleText(campaign, { locale: 'zh-CN' })
    await using server = await serveHtml(
      `<textarea id="html" readonly>${extractSource(block)}</textarea><textarea id="text" readonly>${extractSource(text)}</textarea>
     <button hidden data-copy-html="html" data-plain="text" data-copied="已复制">复制</button>
     <div contenteditable></div><script type="module" src="/assets/copy-html.js"></script>`,
    )
    await using page = await openPage({ width: 1280 })
    await page.goto(server.url.replace('127.0.0.1', host))
    await page.evaluate(() => {
      document.querySelector('div')?.addEventListener('paste', ({ clipboardData }) => {
        Object.assign(window, { pasted: ['text/html', 'text/plain'].map((type) => clipboardData?.getData(type)) })
      })
    })
    await page.click('button')
    await expect.poll(() => page.textContent('button')).toBe('已复制')
    await page.click('div', { force: true })
    await page.keyboard.press('Control+V')
    const [html, plain] = await page.evaluate(() => (window as unknown as { pasted: string[] }).pasted)
    expect(html).toContain(block)
    expect(plain).toBe(text)
  },
  60_000,
)

function extractSource(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
