import { describe, expect, test } from 'vitest'
import { decodeQr, decodeSvgQr } from '../../support/browser/qr.ts'
import { confirmField, formValues } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

async function signInToConsole(world: World) {
  const { Cookie } = await world.signIn('organiser')
  const headers = { Cookie, Origin: 'http://localhost' }
  return {
    request: (path: string) => world.request(path, { headers }),
    get: async (path: string) => (await world.request(path, { headers })).text(),
    send: (path: string, fields: Record<string, string>) =>
      world.request(path, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    upload: (path: string, fields: Record<string, string>, picture?: Uint8Array<ArrayBuffer>) => {
      const body = new FormData()
      for (const [name, value] of Object.entries({ ...confirmField, ...fields })) body.set(name, value)
      if (picture) body.set('picture', new Blob([picture]), 'group.png')
      return world.request(path, { method: 'POST', headers, body })
    },
  }
}

describe('registration links', () => {
  test('are created per channel, count scans, and can be retargeted and deactivated', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const shanghai = await world.workshop({ campaignId: campaign.id })
    const nanjing = await world.workshop({ campaignId: campaign.id, city: { zh: '南京' } })
    const { send, get } = await signInToConsole(world)
    const promotionPage = `/console/campaigns/${campaign.slug}/spread`
    expect((await send(`/console/campaigns/${campaign.slug}/links`, { channel: ' ' })).status).toBe(422)
    const created = await send(`/console/campaigns/${campaign.slug}/links`, { channel: '群 3' })
    const code = new URL(created.headers.get('location') ?? '', 'http://localhost').searchParams.get('link') ?? ''

    const scan = async () => (await world.request(`/q/${code}`)).headers.get('location')
    expect(await scan()).toBe(`/c/${campaign.slug}?via=${code}`)
    await world.register(shanghai, { via: code })
    await world.flushScans()
    expect(await get(promotionPage)).toContain('扫码 1 → 报名 1')

    const change = (fields: Record<string, string>) => send(`/console/links/${code}`, { channel: '群 3', ...fields })
    expect((await change({ target: `workshop ${nanjing.slug}`, active: 'yes' })).status).toBe(303)
    expect(await scan()).toBe(`/w/${nanjing.slug}?via=${code}`)
    expect((await change({ target: 'workshop nowhere', active: 'yes' })).status).toBe(422)
    expect(
      (await change({ target: `workshop ${nanjing.slug}`, active: 'yes', expires: '2026-02-30T10:00' })).status,
    ).toBe(422)
    expect((await change({ target: `campaign ${campaign.slug}` })).status).toBe(303)
    expect((await world.request(`/q/${code}`)).status).toBe(410)
    expect(await get(promotionPage)).toContain('已停用')
  })

  test('accept channels of up to 80 characters and keep a longer one in the form', async () => {
    await using world = await createWorld()
    const { slug } = await world.campaign()
    const { send } = await signInToConsole(world)
    const created = await send(`/console/campaigns/${slug}/links`, { channel: `${'群'.repeat(78)}😀` })
    expect([created.status, created.headers.get('location')]).toEqual([303, expect.stringContaining('done=made')])
    const channel = `${'群'.repeat(79)}😀`
    const refused = await send(`/console/campaigns/${slug}/links`, { channel })
    expect([refused.status, formValues(await refused.text())]).toEqual([422, expect.objectContaining({ channel })])
  })

  test('keep the input when a field is invalid', async () => {
    await using world = await createWorld()
    const { id, slug } = await world.campaign()
    const shanghai = await world.workshop({ campaignId: id })
    const { send } = await signInToConsole(world)
    const created = await send(`/console/campaigns/${slug}/links`, { channel: '群' })
    const code = /link=(\w+)/.exec(created.headers.get('location') ?? '')?.[1]
    const input = { channel: '', expires: '2027-01-01T10:00', target: `workshop ${shanghai.slug}` }
    const rejected = await send(`/console/links/${code}`, input)
    const page = await rejected.text()
    expect([rejected.status, formValues(page)]).toEqual([422, { expires: input.expires }])
    expect(page).toContain(`<option value="${input.target}" selected=""`)
  })

  test('are encoded in posters and pictures, which otherwise contain the workshop URL', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { send, request, get } = await signInToConsole(world)
    const poster = async () => decodeSvgQr(await get(`/console/workshops/${workshop.slug}/poster/phone.svg`))
    expect(await poster()).toBe(`http://localhost:3000/w/${workshop.slug}`)
    const created = await send(`/console/workshops/${workshop.slug}/links`, { channel: '海报' })
    const code = new URL(created.headers.get('location') ?? '', 'http://localhost').searchParams.get('link') ?? ''
    const url = `http://localhost:3000/q/${code}`
    expect(await poster()).toBe(url)
    expect(
      decodeQr(Buffer.from(await (await request(`/console/links/${code}/qr-article-900.png`)).arrayBuffer())),
    ).toBe(url)
    for (const wrong of ['qr-wall-900.png', 'qr-article-900.gif', 'x']) {
      expect((await request(`/console/links/${code}/${wrong}`)).status).toBe(404)
    }
    expect((await request(`/console/workshops/${workshop.slug}/poster/cinema.svg`)).status).toBe(404)
  })

  test('are escaped in pages and posters', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ title: { zh: '<script>alert(1)</script>' } })
    const { send, get } = await signInToConsole(world)
    await send(`/console/workshops/${workshop.slug}/links`, { channel: '"><img src=x onerror=alert(1)>' })
    const html = await get(`/console/workshops/${workshop.slug}/spread`)
    expect(html).not.toMatch(/<script>alert|<img src=x/)
    expect(await get(`/console/workshops/${workshop.slug}/poster/a4.svg`)).not.toContain('<script')
  })
})

describe('the chat group of a workshop', () => {
  const png = new Uint8Array(
    Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    ),
  )

  test('is shown on the ticket until its picture expires, and again once replaced', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { ticket } = await world.register(workshop)
    const { upload, get, send } = await signInToConsole(world)
    const group = `/console/workshops/${workshop.slug}/group`
    const asAttendee = async (path = '/group') => (await world.request(`/t/${ticket}${path}`)).text()
    expect(await asAttendee('')).not.toContain('/group')
    expect(await asAttendee()).not.toContain('data:image')

    expect((await upload(group, { expires: '2026-12-08T10:00', 'note.zh': '进群请改备注' }, png)).status).toBe(303)
    expect(await asAttendee('')).toContain(`/t/${ticket}/group`)
    expect(await asAttendee()).toMatch(/data:image\/png;base64,iVBOR/)
    expect(await asAttendee()).toContain('进群请改备注')

    world.clock.set('2026-12-08T11:00:00+08:00')
    expect(await asAttendee()).not.toContain('data:image')
    expect(await get(group)).toContain('已过期')
    expect((await upload(group, { expires: '2026-12-10T10:00' }, png)).status).toBe(303)
    expect(await asAttendee()).toContain('data:image')
    expect((await send(`${group}/remove`, confirmField)).status).toBe(303)
    expect(await asAttendee('')).not.toContain('/group')
    expect((await send(`${group}/remove`, confirmField)).status).toBe(404)
  })

  test('keeps the input and names the invalid field', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const { upload } = await signInToConsole(world)
    const group = `/console/workshops/${slug}/group`
    const input = { expires: '2027-01-01T10:00', 'note.zh': '改备注' }
    const missing = await (await upload(group, input)).text()
    expect(missing).toContain('请选一张')
    expect(formValues(missing)).toMatchObject(input)
    const long = await (await upload(group, { ...input, 'note.zh': '长'.repeat(301) }, png)).text()
    expect(long).toContain('太长了')
    expect(long).not.toContain('有效的日期')
    expect(formValues(long)).toMatchObject({ expires: input.expires, 'note.zh': '长'.repeat(301) })
  })

  test.each([
    ['no picture', undefined, '请选一张'],
    ['an HTML page declared as a picture', new Uint8Array(Buffer.from('<html><script>alert(1)</script>')), '不是 PNG'],
    [
      'an SVG, which could contain scripts',
      new Uint8Array(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
      '不是 PNG',
    ],
    ['a picture over the size limit', new Uint8Array(Buffer.concat([png, Buffer.alloc(950_000)])), '太大'],
  ])('rejects %s', async (_name, picture, sentence) => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { upload } = await signInToConsole(world)
    const response = await upload(`/console/workshops/${workshop.slug}/group`, { expires: '' }, picture)
    expect([response.status, await response.text()]).toEqual([422, expect.stringContaining(sentence)])
  })

  test('is not shown to cancelled attendees', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { ticket } = await world.register(workshop)
    const { upload } = await signInToConsole(world)
    await upload(`/console/workshops/${workshop.slug}/group`, {}, png)
    await world.request(`/t/${ticket}/cancel`, { method: 'POST', headers: { Origin: 'http://localhost' } })
    expect(await (await world.request(`/t/${ticket}/group`)).text()).not.toContain('data:image')
  })
})
