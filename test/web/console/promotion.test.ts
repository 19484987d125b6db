import { describe, expect, test } from 'vitest'
import { decodeQr, decodeSvgQr } from '../../support/browser/qr.ts'
import { confirmField, formValues } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

async function signInToConsole(world: World) {
  const { Cookie } = await world.signIn('organiser')
  const headers = { Cookie, Origin: 'http://localhost' }
  return {
    ask: (path: string) => world.request(path, { headers }),
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

describe('a registration link', () => {
  test('is made for a channel, counts, is re-aimed to another city, and is switched off after it was printed', async () => {
    await using world = await createWorld()
    const campaign = await world.campaign()
    const shanghai = await world.workshop({ campaignId: campaign.id })
    const nanjing = await world.workshop({ campaignId: campaign.id, city: { zh: '南京' } })
    const { send, get } = await signInToConsole(world)
    const spread = `/console/campaigns/${campaign.slug}/spread`
    expect((await send(`/console/campaigns/${campaign.slug}/links`, { channel: ' ' })).status).toBe(422)
    const made = await send(`/console/campaigns/${campaign.slug}/links`, { channel: '群 3' })
    const code = new URL(made.headers.get('location') ?? '', 'http://localhost').searchParams.get('link') ?? ''

    const scan = async () => (await world.request(`/q/${code}`)).headers.get('location')
    expect(await scan()).toBe(`/c/${campaign.slug}?via=${code}`)
    await world.register(shanghai, { via: code })
    await world.flushScans()
    expect(await get(spread)).toContain('扫码 1 → 报名 1')

    const change = (fields: Record<string, string>) => send(`/console/links/${code}`, { channel: '群 3', ...fields })
    expect((await change({ target: `workshop ${nanjing.slug}`, active: 'yes' })).status).toBe(303)
    expect(await scan()).toBe(`/w/${nanjing.slug}?via=${code}`)
    expect((await change({ target: 'workshop nowhere', active: 'yes' })).status).toBe(422)
    expect(
      (await change({ target: `workshop ${nanjing.slug}`, active: 'yes', expires: '2026-02-30T10:00' })).status,
    ).toBe(422)
    expect((await change({ target: `campaign ${campaign.slug}` })).status).toBe(303)
    expect((await world.request(`/q/${code}`)).status).toBe(410)
    expect(await get(spread)).toContain('已停用')
  })

  test('has a channel of at most 80 characters, and a longer one comes back as it was typed', async () => {
    await using world = await createWorld()
    const { slug } = await world.campaign()
    const { send } = await signInToConsole(world)
    const made = await send(`/console/campaigns/${slug}/links`, { channel: `${'群'.repeat(78)}😀` })
    expect([made.status, made.headers.get('location')]).toEqual([303, expect.stringContaining('done=made')])
    const channel = `${'群'.repeat(79)}😀`
    const refused = await send(`/console/campaigns/${slug}/links`, { channel })
    expect([refused.status, formValues(await refused.text())]).toEqual([422, expect.objectContaining({ channel })])
  })

  test('comes back as it was typed where something of it is wrong', async () => {
    await using world = await createWorld()
    const { id, slug } = await world.campaign()
    const shanghai = await world.workshop({ campaignId: id })
    const { send } = await signInToConsole(world)
    const made = await send(`/console/campaigns/${slug}/links`, { channel: '群' })
    const code = /link=(\w+)/.exec(made.headers.get('location') ?? '')?.[1]
    const typed = { channel: '', expires: '2027-01-01T10:00', target: `workshop ${shanghai.slug}` }
    const again = await send(`/console/links/${code}`, typed)
    const page = await again.text()
    expect([again.status, formValues(page)]).toEqual([422, { expires: typed.expires }])
    expect(page).toContain(`<option value="${typed.target}" selected=""`)
  })

  test('stands in the poster and the pictures, and without one they lead to the page itself', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { send, ask, get } = await signInToConsole(world)
    const poster = async () => decodeSvgQr(await get(`/console/workshops/${workshop.slug}/poster/phone.svg`))
    expect(await poster()).toBe(`http://localhost:3000/w/${workshop.slug}`)
    const made = await send(`/console/workshops/${workshop.slug}/links`, { channel: '海报' })
    const code = new URL(made.headers.get('location') ?? '', 'http://localhost').searchParams.get('link') ?? ''
    const url = `http://localhost:3000/q/${code}`
    expect(await poster()).toBe(url)
    expect(decodeQr(Buffer.from(await (await ask(`/console/links/${code}/qr-article-900.png`)).arrayBuffer()))).toBe(
      url,
    )
    for (const wrong of ['qr-wall-900.png', 'qr-article-900.gif', 'x']) {
      expect((await ask(`/console/links/${code}/${wrong}`)).status).toBe(404)
    }
    expect((await ask(`/console/workshops/${workshop.slug}/poster/cinema.svg`)).status).toBe(404)
  })

  test('is not made of what somebody types as HTML', async () => {
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

  test('is what the ticket leads to, until its picture expires and another one comes', async () => {
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

  test('comes back as it was typed where something of it is wrong, which is named', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop()
    const { upload } = await signInToConsole(world)
    const group = `/console/workshops/${slug}/group`
    const typed = { expires: '2027-01-01T10:00', 'note.zh': '改备注' }
    const missing = await (await upload(group, typed)).text()
    expect(missing).toContain('请选一张')
    expect(formValues(missing)).toMatchObject(typed)
    const long = await (await upload(group, { ...typed, 'note.zh': '长'.repeat(301) }, png)).text()
    expect(long).toContain('太长了')
    expect(long).not.toContain('有效的日期')
    expect(formValues(long)).toMatchObject({ expires: typed.expires, 'note.zh': '长'.repeat(301) })
  })

  test.each([
    ['no picture', undefined, '请选一张'],
    ['a page that says it is a picture', new Uint8Array(Buffer.from('<html><script>alert(1)</script>')), '不是 PNG'],
    [
      'a drawing, which could hold scripts',
      new Uint8Array(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
      '不是 PNG',
    ],
    ['a picture that is too large', new Uint8Array(Buffer.concat([png, Buffer.alloc(950_000)])), '太大'],
  ])('is not %s', async (_name, picture, sentence) => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { upload } = await signInToConsole(world)
    const answer = await upload(`/console/workshops/${workshop.slug}/group`, { expires: '' }, picture)
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining(sentence)])
  })

  test('is for nobody whose registration is cancelled', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop()
    const { ticket } = await world.register(workshop)
    const { upload } = await signInToConsole(world)
    await upload(`/console/workshops/${workshop.slug}/group`, {}, png)
    await world.request(`/t/${ticket}/cancel`, { method: 'POST', headers: { Origin: 'http://localhost' } })
    expect(await (await world.request(`/t/${ticket}/group`)).text()).not.toContain('data:image')
  })
})
