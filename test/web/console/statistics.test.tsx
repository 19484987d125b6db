import { parse } from 'csv-parse/sync'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { recordAudit } from '../../../src/domain/audit/log.ts'
import { addScans, createLink } from '../../../src/domain/promotion/registration-links.ts'
import { cancelRegistration } from '../../../src/domain/registrations/seats.ts'
import { BarChart, ColumnChart } from '../../../src/web/console/ui/charts.tsx'
import { createWorld, type World } from '../../support/world.ts'

describe('charts', () => {
  const bar = (name: string, ...values: number[]) => ({
    name,
    label: name,
    parts: values.map((value, n) => ({ tone: (['accent', 'grey', 'pale'] as const)[n] ?? 'pale', value })),
  })

  test('ColumnChart stacks the parts of a bar and scales it to the highest', () => {
    const svg = String(<ColumnChart id="x" title="t" description="d" bars={[bar('a', 3, 1), bar('b', 2)]} />)
    // Of 160 px, 22 are below and 20 above the bars: 118 px for a value of 4.
    expect(rects(svg).map(({ tone, y, height }) => [tone, y, height])).toEqual([
      ['accent', 138 - 88.5, 88.5],
      ['grey', 20, 29.5],
      ['accent', 79, 59],
    ])
  })

  test('ColumnChart keeps a value of 1 visible next to thousands', () => {
    const svg = String(
      <ColumnChart id="x" title="t" description="d" bars={[bar('a', 5000), bar('b', 1), bar('c', 0)]} />,
    )
    expect(rects(svg).map(({ height }) => height)).toEqual([118, 2])
  })

  test('BarChart places parts side by side, scaled to the longest row, and centres a funnel', () => {
    const row = (label: string, ...values: number[]) => ({ ...bar(label, ...values), label, valueText: '' })
    const svg = String(<BarChart id="x" title="t" description="d" rows={[row('a', 6, 2), row('b', 2)]} />)
    expect(
      rects(svg)
        .filter(({ tone }) => tone !== 'track')
        .map(({ x, width }) => [x, width]),
    ).toEqual([
      [0, 75],
      [75, 25],
      [0, 25],
    ])
    const funnel = String(<BarChart id="x" title="t" description="d" centred rows={[row('a', 8), row('b', 2)]} />)
    expect(rects(funnel).map(({ x, width }) => [x, width])).toEqual([
      [0, 100],
      [37.5, 25],
    ])
  })

  test('BarChart has an accessible name and description and escapes labels', () => {
    const name = '<b>"海报"</b>'
    const svg = String(
      <BarChart id="x" title="渠道" description="多" rows={[{ label: name, parts: [], valueText: '' }]} />,
    )
    expect(svg).toMatch(/role="img" aria-labelledby="x-t x-d"><title id="x-t">渠道<\/title><desc id="x-d">多<\/desc>/)
    expect(svg).not.toMatch(/style=|<b>/)
  })

  test('BarChart shortens labels that are too long for a phone', () => {
    const svg = String(
      <BarChart id="x" title="t" description="d" rows={[{ label: '公众号'.repeat(20), parts: [], valueText: '' }]} />,
    )
    expect(svg).toContain(`>${'公众号'.repeat(5)}公众…</text>`)
  })

  function rects(svg: string) {
    return [...svg.matchAll(/<rect([^>]*)>/g)].map(([, attributes = '']) => {
      const all = Object.fromEntries(
        [...attributes.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
      )
      const size = (name: string) => Number.parseFloat(all[name] ?? '')
      return { tone: all.class, x: size('x'), y: size('y'), width: size('width'), height: size('height') }
    })
  }
})

describe('pages', () => {
  test('GET /console links to creating a campaign when there is none', async () => {
    await using world = await createWorld()
    const html = await (await getPage(world, '/console', (await world.signIn('organiser')).Cookie)).text()
    expect(html).toContain('href="/console/draft"')
    expect(html).toContain('href="/console/campaigns/new"')
    const seenByViewer = await (await getPage(world, '/console', (await world.signIn('viewer')).Cookie)).text()
    expect(seenByViewer).not.toContain('href="/console/draft"')
  })

  test('GET /console shows alerts, upcoming workshops and seats taken', async () => {
    await using world = await createWorld()
    const { workshop } = await seedStatistics(world)
    await world.workshop({ city: { zh: '成都' }, publish: false, startsAt: new Date('2026-12-05T01:00:00Z') })
    const html = await (await getPage(world, '/console', (await world.signIn('organiser')).Cookie)).text()
    expect(html).toContain('上海 · 12月11日：2 个名额，只有 1 块开发板')
    expect(html).toContain('成都 · 12月5日：两周内开始，还是草稿')
    expect(html).toContain(`href="/console/workshops/${workshop.slug}/figures"`)
    expect(html).toContain('aria-label="已占\u00a02，共\u00a02"')
    expect(html).toMatch(/<b>2<\/b><small>已占<\/small>/)
    expect(html).not.toMatch(/style=/)
  })

  test.each(['zh-CN', 'en'])(
    'the statistics of a campaign and a workshop have charts with tables, in %s',
    async (lang) => {
      await using world = await createWorld()
      const { campaign, workshop } = await seedStatistics(world)
      const cookie = (await world.signIn('viewer')).Cookie
      for (const path of [
        `/console/campaigns/${campaign.slug}/figures?lang=${lang}`,
        `/console/workshops/${workshop.slug}/figures?lang=${lang}`,
        `/console/years?lang=${lang}`,
      ]) {
        const response = await getPage(world, path, cookie)
        const html = await response.text()
        expect(response.status).toBe(200)
        // Every chart has a table with its numbers, and ids are unique.
        const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(html.match(/<figure/g)?.length).toBe(html.match(/<details class="behind">/g)?.length)
        expect(html).not.toMatch(/style=|undefined|NaN|\[object/)
        // Viewers see counts, but no names.
        expect(html).not.toMatch(/学员 \d|person-\d/)
        if (lang === 'en') expect(html.match(/<main.*<\/main>/s)?.[0]).not.toMatch(/[，。：]/)
      }
      const html = await (
        await getPage(world, `/console/workshops/${workshop.slug}/figures?lang=${lang}`, cookie)
      ).text()
      const cells = (name: string) =>
        new RegExp(`<th scope="row">${name}[^<]*</th>((?:<td class="number">[^<]*</td>)+)`)
          .exec(html)?.[1]
          ?.match(/(?<=>)[^<]+/g)
      expect(cells('海报')).toEqual(['7', '2', '1'])
      expect(cells('C')).toEqual(['1', '1', '1'])
    },
  )

  test('pages of unknown campaigns, workshops and people return 404', async () => {
    await using world = await createWorld()
    const cookie = (await world.signIn('owner')).Cookie
    for (const path of ['/console/campaigns/x/figures', '/console/workshops/x/figures', '/console/audit?workshop=x']) {
      expect((await getPage(world, path, cookie)).status).toBe(404)
    }
    expect((await getPage(world, '/console/audit?person=%27', cookie)).status).toBe(404)
    expect(await (await getPage(world, '/console/years', cookie)).text()).toContain('还没有发布过培训')
  })

  async function seedStatistics(world: World) {
    const campaign = await world.campaign({
      items: [{ kind: 'prerequisite', text: { zh: 'C 语言', en: 'C language' }, mustConfirm: true }],
    })
    const workshop = await world.workshop({ campaignId: campaign.id, boards: 1 })
    const item = workshop.items[0]?.id as string
    const link = await createLink(world.deps, { workshop: workshop.slug }, { channel: '海报' })
    await addScans(world.deps, new Map([[link?.code as string, 7]]))
    await world.register(workshop, { via: link?.code, ready: { [item]: true } })
    const cancelled = await world.register(workshop, { via: link?.code })
    world.clock.advance({ days: 1 })
    await world.register(workshop, { ready: { [item]: false } })
    await world.register(workshop)
    await cancelRegistration(world.deps, cancelled.id, 'attendee')
    return { campaign, workshop }
  }
})

describe('the audit log', () => {
  test('GET /console/audit lists entries with filters and pagination', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const person = await world.register(workshop, { name: '李小明' })
    await recordAudit(
      world.deps,
      { name: '王老师' },
      {
        action: 'person.changed',
        workshopId: workshop.id,
        registrationId: person.id,
        payload: { changed: ['email', 'phone'] },
        pii: { before: 'li@example.com' },
      },
    )
    for (let n = 0; n < 51; n++)
      await recordAudit(world.deps, { name: 'bot' }, { action: 'link.created', payload: { code: `x${n}` } })
    const cookie = (await world.signIn('organiser')).Cookie
    const first = await (await getPage(world, '/console/audit', cookie)).text()
    expect(first).toContain('短码：x50')
    expect(first).not.toContain('李小明')
    const older = /href="([^"]*before=\d+)"/.exec(first)?.[1] as string
    expect(await (await getPage(world, older, cookie)).text()).toContain('李小明 (第\u00a01\u00a0号)')
    const matches = await (
      await getPage(world, '/console/audit?actor=%E7%8E%8B&action=person.changed&from=2026-12-01&to=2026-12-01', cookie)
    ).text()
    expect(matches).toContain('改动：邮箱、手机；之前：li@example.com')
    expect(matches).not.toContain('短码')
    expect(matches).toContain('value="2026-12-01"')
    expect(await (await getPage(world, '/console/audit?to=2026-11-30', cookie)).text()).toContain('没有记录')
  })

  test('GET /console/audit rejects an invalid date and keeps it in the field', async () => {
    await using world = await createWorld()
    const cookie = (await world.signIn('organiser')).Cookie
    for (const query of ['from=2026-02-30', 'to=yesterday', 'from=2026-12-02&to=2026-12-01', 'from=9999-99-99']) {
      const response = await getPage(world, `/console/audit?${query}`, cookie)
      expect(response.status).toBe(422)
      expect(await response.text()).toContain('role="alert"')
      expect((await getPage(world, `/console/audit.csv?${query}`, cookie)).status).toBe(404)
    }
    for (const query of ['before=x', 'before=99999999999999999999', 'action=x', 'to=2999-12-31', 'actor=%25%27']) {
      expect((await getPage(world, `/console/audit?${query}`, cookie)).status).toBe(200)
    }
  })

  test('GET /console/audit.csv exports the filtered entries with formulas escaped and is audited', async () => {
    await using world = await createWorld()
    await recordAudit(world.deps, { name: '=1+1' }, { action: 'list.exported', payload: { format: 'xlsx' } })
    await recordAudit(world.deps, { name: 'bot' }, { action: 'list.exported', pii: { q: '李' } })
    const cookie = (await world.signIn('organiser', '王老师')).Cookie
    const response = await getPage(world, '/console/audit.csv', cookie)
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="audit\.csv"/)
    const lines = parse(await response.text(), { bom: true }) as string[][]
    expect(lines).toEqual([
      ['时间', '谁', '做了什么', '关于', '细节'],
      ['2026-12-01 10:00:00', '王老师', '导出操作记录', '', '格式：csv'],
      ['2026-12-01 10:00:00', 'bot', '导出名单', '', '搜索：李'],
      ['2026-12-01 10:00:00', "'=1+1", '导出名单', '', '格式：xlsx'],
    ])
    const filtered = await getPage(world, '/console/audit.csv?actor=bot&action=list.exported', cookie)
    expect(parse(await filtered.text(), { bom: true })).toHaveLength(2)
    const [entry] = await query<{ payload: unknown }>(
      world.db,
      sql`select payload from audit_entries order by id desc limit 1`,
    )
    expect(entry?.payload).toEqual({ format: 'csv', filter: 'action=list.exported' })
  })

  test('viewers get 403, and anonymous users are redirected to sign in', async () => {
    await using world = await createWorld()
    const viewer = (await world.signIn('viewer')).Cookie
    for (const path of ['/console/audit', '/console/audit.csv']) {
      expect((await getPage(world, path, viewer)).status).toBe(403)
    }
    for (const path of ['/console', '/console/years', '/console/audit', '/console/audit.csv']) {
      expect((await getPage(world, path)).status).toBe(302)
    }
  })
})

function getPage(world: World, path: string, cookie?: string): Promise<Response> {
  return world.request(path, cookie ? { headers: { cookie } } : {})
}
