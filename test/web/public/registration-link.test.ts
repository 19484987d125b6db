import { describe, expect, test } from 'vitest'
import { changeLink, createLink, linkStats } from '../../../src/domain/promotion/registration-links.ts'
import { decodeQr } from '../../support/browser/qr.ts'
import { visibleText } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

async function createRegistrationLink(world: World, channel = 'AI newsletter') {
  const campaign = await world.campaign()
  const workshop = await world.workshop({ campaignId: campaign.id })
  const link = await createLink(world.deps, { campaign: campaign.slug }, { channel })
  if (!link) throw new Error('the campaign is not there')
  const scans = async () => {
    await world.flushScans()
    return (await linkStats(world.deps, link.code))?.scans
  }
  return { code: link.code, path: `/q/${link.code}`, campaign, workshop, scans }
}

describe('GET /q/:code', () => {
  test('counts the scan and leads on with its code, without a cookie', async () => {
    await using world = await createWorld()
    const { code, path, campaign, scans } = await createRegistrationLink(world)
    const answer = await world.request(path)
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe(`/c/${campaign.slug}?via=${code}`)
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await scans()).toBe(1)
  })

  test('does not count programs that look ahead', async () => {
    await using world = await createWorld()
    const { path, scans } = await createRegistrationLink(world)
    const lookAhead: RequestInit[] = [
      { method: 'HEAD' },
      { headers: { 'Sec-Purpose': 'prefetch' } },
      { headers: { 'Sec-Purpose': 'prefetch;prerender' } },
      { headers: { Purpose: 'prefetch' } },
    ]
    for (const init of lookAhead) expect((await world.request(path, init)).status).toBe(302)
    expect(await scans()).toBe(0)
    await world.request(path)
    expect(await scans()).toBe(1)
  })

  test('leads to where it was re-aimed after it was printed', async () => {
    await using world = await createWorld()
    const { code, path, workshop } = await createRegistrationLink(world)
    await changeLink(world.deps, code, { target: { workshop: workshop.slug } })
    expect((await world.request(path)).headers.get('location')).toBe(`/w/${workshop.slug}?via=${code}`)
  })

  test('that expired or was switched off says so, counts nothing and shows the way on', async () => {
    await using world = await createWorld()
    const expired = await createRegistrationLink(world)
    await changeLink(world.deps, expired.code, { expiresAt: world.clock.now() })
    const off = await createRegistrationLink(world)
    await changeLink(world.deps, off.code, { active: false })
    for (const { path, scans } of [expired, off]) {
      const answer = await world.request(path)
      expect(answer.status).toBe(410)
      const html = await answer.text()
      expect(visibleText(html)).toContain('这个二维码已经失效')
      expect(html).toContain('<a class="button" href="/">')
      expect(await scans()).toBe(0)
    }
  })

  test('that is unknown is a friendly 404', async () => {
    await using world = await createWorld()
    for (const path of ['/q/unknown', '/q/unknown/qr.svg', '/q/unknown/qr.png']) {
      const answer = await world.request(path)
      expect(answer.status).toBe(404)
      expect(visibleText(await answer.text())).toContain('这里什么也没有')
    }
  })
})

describe('the QR of a registration link', () => {
  test('as PNG is read back, in the size that was asked for', async () => {
    await using world = await createWorld({ env: { BASE_URL: 'https://baoming.example.com' } })
    const { code, path } = await createRegistrationLink(world)
    const sideOf = (png: Uint8Array) => new DataView(png.buffer).getUint32(16)
    const draw = async (query: string) =>
      new Uint8Array(await (await world.request(`${path}/qr.png${query}`)).arrayBuffer())
    const usual = await draw('')
    expect(decodeQr(usual)).toBe(`https://baoming.example.com/q/${code}`)
    const modules = sideOf(usual) / 8
    expect(sideOf(await draw('?scale=3'))).toBe(3 * modules)
    expect(decodeQr(await draw('?scale=40'))).toBe(`https://baoming.example.com/q/${code}`)
    for (const nonsense of ['?scale=0', '?scale=41', '?scale=2.5', '?scale=x', '?scale=-1']) {
      expect(sideOf(await draw(nonsense))).toBe(8 * modules)
    }
  })

  test('may be shown on other sites and kept', async () => {
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
