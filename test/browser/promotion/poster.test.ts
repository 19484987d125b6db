import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { findCampaign } from '../../../src/domain/campaigns/campaigns.ts'
import { cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import { renderPoster } from '../../../src/promotion/poster.tsx'
import { openPage } from '../../support/browser/browser.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { checklist, createAnnouncedCampaign, longTexts } from '../../support/seeds/campaigns.ts'
import { createWorld } from '../../support/world.ts'

const url = 'https://baoming.example.com/q/w7kd3fp'
const locales = ['zh-CN', 'en'] as const
const formats = ['phone', 'a4'] as const

/** Screenshot of the poster, 1080 pixels wide. */
async function screenshotSvg(svg: string): Promise<Buffer> {
  await using page = await openPage({ width: 1080, height: 1528 })
  await page.setContent(
    `<body style="margin:0"><img width="1080" src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}">`,
  )
  await page.waitForFunction(() => document.images[0]?.complete)
  return await page.locator('img').screenshot()
}

test.each(formats)(
  'the QR code on a %s poster is readable in both languages with any number of cities',
  async (format) => {
    await using world = await createWorld()
    for (const cities of [0, 1, 8]) {
      const campaign = await createAnnouncedCampaign(world, cities)
      for (const locale of locales) {
        expect(decodeQr(await screenshotSvg(renderPoster(campaign, { url, format, locale })))).toBe(url)
      }
    }
  },
  120_000,
)

test('the QR code of a long URL is readable', async () => {
  await using world = await createWorld()
  const long = `https://workshops.baoming.example.com/w/shanghai-2026-12-19?via=${'Aa0_-'.repeat(20)}`
  const campaign = await createAnnouncedCampaign(world, 2)
  expect(decodeQr(await screenshotSvg(renderPoster(campaign, { url: long, format: 'phone', locale: 'zh-CN' })))).toBe(
    long,
  )
}, 60_000)

test('phone posters are 1080 × 1440 pixels, print posters 210 × 297 mm', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 2)
  const phone = renderPoster(campaign, { url, format: 'phone', locale: 'zh-CN' })
  expect(phone).toMatch(/^<svg [^>]*width="1080" height="1440" viewBox="0 0 1080 1440"/)
  const { width, height } = PNG.sync.read(await screenshotSvg(phone))
  expect([width, height]).toEqual([1080, 1440])
  expect(renderPoster(campaign, { url, format: 'a4', locale: 'zh-CN' })).toMatch(
    /^<svg [^>]*width="210mm" height="297mm" viewBox="0 0 210 297"/,
  )
}, 60_000)

/** Boxes of every text and of the QR code, in units of 1/1080 of the sheet's width. */
async function measureLayout(svg: string) {
  await using page = await openPage({ width: 1080, height: 1528 })
  await page.setContent(`<body style="margin:0"><style>svg{width:1080px;height:auto;display:block}</style>${svg}`)
  return await page.evaluate(() => {
    const boxOf = (element: Element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect()
      return { text: element.textContent, left, right, top, bottom }
    }
    const sheet = boxOf(document.querySelector('svg') as Element)
    const texts = [...document.querySelectorAll('text')].map((element) => {
      // A font's box is taller than its letters, which reach from 0.8 above the baseline to 0.16 below it.
      const { a, f } = element.getScreenCTM() as DOMMatrix
      const [y, size] = [Number(element.getAttribute('y')), Number(element.getAttribute('font-size'))]
      return { ...boxOf(element), top: f + a * (y - 0.8 * size), bottom: f + a * (y + 0.16 * size), size: a * size }
    })
    return { sheet, texts, qr: boxOf(document.querySelector('path[shape-rendering]') as Element) }
  })
}

type Layout = Awaited<ReturnType<typeof measureLayout>>

/** Elements over the margin or on top of another. */
function findOverlaps({ sheet, texts, qr }: Layout): string[] {
  const margin = 84
  const boxes = [...texts, { ...qr, text: 'the QR' }]
  const isSeparate = (a: (typeof boxes)[number], b: (typeof boxes)[number]) =>
    a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top
  return [
    ...boxes
      .filter(
        ({ left, right, top, bottom }) =>
          left < margin - 1 ||
          right > sheet.right - margin + 1 ||
          top < margin - 1 ||
          bottom > sheet.bottom - margin + 1,
      )
      .map(({ text }) => `over the margin: ${text}`),
    ...boxes.flatMap((box, n) =>
      boxes
        .slice(n + 1)
        .filter((other) => !isSeparate(box, other))
        .map((other) => `${box.text} on ${other.text}`),
    ),
  ]
}

const drafts = [{}, { items: [], summary: {} }, longTexts, { ...longTexts, items: checklist }]

test.each([0, 1, 2, 3, 4, 5, 8, 10])(
  'no text overlaps on a poster of %i cities, on phone and print, in both languages',
  async (cities) => {
    await using world = await createWorld()
    for (const draft of drafts) {
      const campaign = await createAnnouncedCampaign(world, cities, draft)
      for (const locale of locales) {
        for (const format of formats) {
          const layout = await measureLayout(renderPoster(campaign, { url, format, locale }))
          expect(findOverlaps(layout), `${format}, ${locale}, ${JSON.stringify(draft).slice(0, 60)}`).toEqual([])
          // Legible on a phone at a third of its size, or on a wall.
          expect(Math.min(...layout.texts.map(({ size }) => size))).toBeGreaterThan(10)
        }
      }
    }
  },
  120_000,
)

test('words wider than the sheet, wide letters and emoji stay inside the poster', async () => {
  await using world = await createWorld()
  for (const zh of [
    'W'.repeat(200),
    'Ｗ'.repeat(90),
    '👩‍👩‍👧‍👦🇨🇳'.repeat(30),
    '——……“”·'.repeat(20),
    'ЖЩЮ '.repeat(40),
    'm'.repeat(33),
    '@%&'.repeat(21),
  ]) {
    const campaign = await createAnnouncedCampaign(world, 2, {
      title: { zh },
      workshop: { venue: { zh }, city: { zh } },
    })
    const layout = await measureLayout(renderPoster(campaign, { url, format: 'phone', locale: 'zh-CN' }))
    expect(findOverlaps(layout), zh).toEqual([])
  }
}, 120_000)

test('a poster of eight cities contains all details', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 8)
  const content = (await measureLayout(renderPoster(campaign, { url, format: 'a4', locale: 'zh-CN' }))).texts
    .map(({ text }) => text)
    .join(' ')
  for (const text of [
    '上海',
    '12月19日 周六',
    '西安',
    '2月6日 周六',
    '西安电子科技大学北校区',
    '各场都是 09:30 – 17:00',
    '现场提供',
    '请自带',
    '笔记本电脑 · 插线板',
    'baoming.example.com',
    '扫码报名',
  ]) {
    expect(content).toContain(text)
  }
}, 60_000)

test('differing hours are shown per workshop', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 4)
  const startsAt = new Date('2027-03-06T13:00:00+08:00')
  const endsAt = new Date('2027-03-07T18:30:00+08:00')
  await world.workshop({ campaignId: campaign.id, startsAt, endsAt, ...longTexts.workshop })
  const current = await findCampaign(world.deps, campaign.slug)
  if (!current) throw new Error('campaign not found')
  for (const locale of locales) {
    const layout = await measureLayout(renderPoster(current, { url, format: 'phone', locale }))
    expect(findOverlaps(layout)).toEqual([])
    expect(layout.texts.filter(({ text }) => text === '09:30 – 17:00').length).toBe(4)
  }
}, 60_000)

test('more than eight workshops are summarised by a number', async () => {
  await using world = await createWorld()
  const poster = renderPoster(await createAnnouncedCampaign(world, 10), { url, format: 'phone', locale: 'zh-CN' })
  expect(poster).toContain('还有\u00a03\u00a0场')
  expect(poster).toContain('武汉')
  expect(poster).not.toContain('西安')
})

test('a poster omits cancelled workshops, and drafts once something is published', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 2)
  await world.workshop({ campaignId: campaign.id, city: { zh: '天津' }, publish: false })
  const [first] = campaign.workshops
  const render = async () => {
    const current = await findCampaign(world.deps, campaign.slug)
    return current && renderPoster(current, { url, format: 'phone', locale: 'zh-CN' })
  }
  expect(await render()).toContain('上海')
  expect(await render()).not.toContain('天津')
  await cancelWorkshop(world.deps, first?.slug as string)
  expect(await render()).not.toContain('上海')
  expect(await render()).toContain('南京')
})

test('what organisers write is escaped, and the file is valid XML', async () => {
  await using world = await createWorld()
  const zh = `<script>alert(1)</script> & "two" 'one' ]]> \u0007\ufffe`
  const item = { kind: 'bring' as const, text: { zh }, mustConfirm: false }
  const campaign = await createAnnouncedCampaign(world, 2, {
    title: { zh },
    summary: { zh },
    items: [item],
    workshop: { title: { zh }, city: { zh }, venue: { zh } },
  })
  await using page = await openPage()
  for (const subject of [campaign, campaign.workshops[0]]) {
    if (!subject) throw new Error('workshop not found')
    const svg = renderPoster(subject, { url, format: 'phone', locale: 'zh-CN' })
    const parsed = await page.evaluate((source) => {
      const file = new DOMParser().parseFromString(source, 'image/svg+xml')
      return {
        names: [...new Set([...file.querySelectorAll('*')].map(({ nodeName }) => nodeName))],
        title: file.querySelector('title')?.textContent,
      }
    }, svg)
    expect(parsed.names.sort()).toEqual(['g', 'path', 'rect', 'svg', 'text', 'title'])
    expect(parsed.title).toContain(`<script>alert(1)</script> & "two" 'one' ]]>`)
  }
}, 60_000)
