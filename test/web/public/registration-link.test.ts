import { describe, expect, test } from 'vitest'
import { changeLink, createLink, linkStats } from '../../../src/domain/promotion/registration-links.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

async function createRegistrationLink(world: World, channel = 'AI newsletter') {
  const campaign = await world.campaign()
  const workshop = await world.workshop({ campaignId: campaign.id })
  const link = await createLink(world.deps, { campaign: campaign.slug }, { channel })
  if (!link) throw new Error('campaign not found')
  const scans = async () => {
    await world.flushScans()
    return (await linkStats(world.deps, link.code))?.scans
  }
  return { code: link.code, path: `/q/${link.code}`, campaign, workshop, scans }
}

describe('GET /q/:code', () => {
  test('counts the scan and redirects with its code, without a cookie', async () => {
    await using world = await createWorld()
    const { code, path, campaign, scans } = await createRegistrationLink(world)
    const response = await world.request(path)
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe(`/c/${campaign.slug}?via=${code}`)
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await scans()).toBe(1)
  })

  test('does not count HEAD requests and prefetches', async () => {
    await using world = await createWorld()
    const { path, scans } = await createRegistrationLink(world)
    const prefetches: RequestInit[] = [
      { method: 'HEAD' },
      { headers: { 'Sec-Purpose': 'prefetch' } },
      { headers: { 'Sec-Purpose': 'prefetch;prerender' } },
      { headers: { Purpose: 'prefetch' } },
    ]
    for (const init of prefetches) expect((await world.request(path, init)).status).toBe(302)
    expect(await scans()).toBe(0)
    await world.request(path)
    expect(await scans()).toBe(1)
  })

  test('redirects to the new target after retargeting', async () => {
    await using world = await createWorld()
    const { code, path, workshop } = await createRegistrationLink(world)
    await changeLink(world.deps, code, { target: { workshop: workshop.slug } })
    expect((await world.request(path)).headers.get('location')).toBe(`/w/${workshop.slug}?via=${code}`)
  })

  test('returns 410 for an expired or deactivated link and does not count it', async () => {
    await using world = await createWorld()
    const expired = await createRegistrationLink(world)
    await changeLink(world.deps, expired.code, { expiresAt: world.clock.now() })
    const deactivated = await createRegistrationLink(world)
    await changeLink(world.deps, deactivated.code, { active: false })
    for (const { path, scans } of [expired, deactivated]) {
      const response = await world.request(path)
      expect(response.status).toBe(410)
      const html = await response.text()
      expect(visibleText(html)).toContain('这个二维码已经失效')
      expect(html).toContain('<a class="button" href="/">')
      expect(await scans()).toBe(0)
    }
  })

  test('returns 404 for an unknown code', async () => {
    await using world = await createWorld()
    for (const path of ['/q/unknown', '/q/unknown/qr.svg', '/q/unknown/qr.png']) {
      const response = await world.request(path)
      expect(response.status).toBe(404)
      expect(visibleText(await response.text())).toContain('这里什么也没有')
    }
  })
})

describe('GET /q/:code/qr', () => {
  test('returns a readable PNG in the requested scale', async () => {
    await using world = await createWorld({ env: { BASE_URL: 'https://baoming.example.com' } })
    const { code, path } = await createRegistrationLink(world)
    const pngWidth = (png: Uint8Array) => new DataView(png.buffer).getUint32(16)
    const fetchPng = async (query: string) =>
      new Uint8Array(await (await world.request(`${path}/qr.png${query}`)).arrayBuffer())
    const standard = await fetchPng('')
    expect(decodeQr(standard)).toBe(`https://baoming.example.com/q/${code}`)
    const modules = pngWidth(standard) / 8
    expect(pngWidth(await fetchPng('?scale=3'))).toBe(3 * modules)
    expect(decodeQr(await fetchPng('?scale=40'))).toBe(`https://baoming.example.com/q/${code}`)
    for (const invalid of ['?scale=0', '?scale=41', '?scale=2.5', '?scale=x', '?scale=-1']) {
      expect(pngWidth(await fetchPng(invalid))).toBe(8 * modules)
    }
  })

  test('may be embedded and cached', async () => {
    await using world = await createWorld()
    const { path } = await createRegistrationLink(world)
    for (const [file, type] of [
      ['qr.svg', 'image/svg+xml'],
      ['qr.png', 'image/png'],
    ]) {
      const { headers } = await world.request(`${path}/${file}`)
      expect(headers.get('content-type')).toContain(type)
      expect(headers.get('cache-control')).toBe('public, max-age=3600')
      expect(headers.get('cross-origin-resource-policy')).not.toBe('same-origin')
    }
  })
})
