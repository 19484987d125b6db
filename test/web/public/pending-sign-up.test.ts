import { describe, expect, test } from 'vitest'
import { mails, pendingSignUps, registrations } from '../../../src/db/schema.ts'
import { replaceItems } from '../../../src/domain/workshops/workshops.ts'
import { formValues, openForm, postForm, submitForm, visibleText } from '../../support/http/forms.ts'
import { createSolution, fetchChallenge } from '../../support/http/proof-of-work.ts'
import { requestMailPreview } from '../../support/mail/mail-preview.ts'
import { createWorld, type World } from '../../support/world.ts'

const person = { name: '王小明', email: 'wang@example.com', phone: '13800138000', company: '睿赛德', consent: 'yes' }

/** Confirmation link in the newest mail. */
async function latestConfirmLink(world: World): Promise<string> {
  const listed = await world.request('/api/v1/mails', {
    headers: { Authorization: `Bearer ${await world.token('organiser')}` },
  })
  const { items } = (await listed.json()) as { items: { id: number }[] }
  const preview = await (await requestMailPreview(world, `/mailbox/${items[0]?.id}`)).text()
  const [, link = ''] = /http:\/\/localhost:3000(\/w\/[\w-]+\/confirm\/[\w-]+)/.exec(preview) ?? []
  return link
}

describe('POST /w/:workshop with proof of work', () => {
  test('redirects to the ticket when the proof is valid', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const form = await openForm(world, `/w/${slug}`)
    const proof = await createSolution(await fetchChallenge(world, slug, form.key ?? ''))
    const response = await postForm(world, `/w/${slug}`, { ...form, ...person, proof })
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toMatch(/^\/t\//)
    expect(await world.db.$count(pendingSignUps)).toBe(0)
  })

  test('creates a pending sign-up without a proof: no seat, a mailed link and a page that names the address', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const html = await (await world.request(`/w/${slug}`)).text()
    expect(visibleText(html)).toContain('提交后请打开我们发到你邮箱的链接，报名才算完成')
    expect(html).toContain('src="/assets/proof.js"')
    const response = await submitForm(world, `/w/${slug}`, person)
    expect(response.status).toBe(202)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.getSetCookie()).toEqual([`key=; Max-Age=0; Path=/w/${slug}`])
    const text = visibleText(await response.text())
    expect(text).toContain('还差一步 我们给 wang@example.com 发了一封邮件')
    expect(text).toContain('在那之前没有为你占名额')
    expect(await world.db.$count(registrations)).toBe(0)
    expect(await world.db.select().from(mails)).toMatchObject([{ kind: 'held', registrationId: null }])
    expect(visibleText(await (await world.request(`/w/${slug}`)).text())).toContain('2 个名额剩余')
  })

  test('rejects invalid, honeypot and too fast submissions without a pending sign-up', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    expect((await submitForm(world, `/w/${slug}`, { ...person, email: 'wang@' })).status).toBe(422)
    expect((await submitForm(world, `/w/${slug}`, { ...person, message: 'Buy' })).status).toBe(422)
    const fast = formValues(await (await world.request(`/w/${slug}`)).text())
    expect((await postForm(world, `/w/${slug}`, { ...fast, ...person })).status).toBe(422)
    expect(await world.db.$count(pendingSignUps)).toBe(0)
  })

  test('creates a pending sign-up when the proof is forged or expired', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const form = await openForm(world, `/w/${slug}`)
    const proof = await createSolution(await fetchChallenge(world, slug, form.key ?? ''))
    world.clock.advance({ minutes: 20 })
    expect((await postForm(world, `/w/${slug}`, { ...form, ...person, proof })).status).toBe(202)
    expect((await submitForm(world, `/w/${slug}`, { ...person, email: 'li@example.com', proof: 'x' })).status).toBe(202)
  })

  test('returns 409 for a registered address and when an address has reached its mail limit', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ proofOfWork: true, capacity: 30 })
    await world.register(workshop, { email: person.email })
    const registered = await submitForm(world, `/w/${workshop.slug}`, person)
    expect([registered.status, visibleText(await registered.text())]).toEqual([
      409,
      expect.stringContaining('已经报过名了'),
    ])
    const li = { ...person, email: 'li@example.com' }
    for (let n = 0; n < 10; n++) expect((await submitForm(world, `/w/${workshop.slug}`, li)).status).toBe(202)
    const eleventh = await submitForm(world, `/w/${workshop.slug}`, li)
    expect(eleventh.status).toBe(409)
    expect(visibleText(await eleventh.text())).toContain('今天发到这个邮箱的邮件已经太多了')
    expect(await world.db.$count(pendingSignUps)).toBe(10)
  })
})

test('the page of a workshop with proof of work weighs less than 30 KB with all assets', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop({ proofOfWork: true })
  const weigh = async (path: string) => {
    const response = await world.request(path, { headers: { 'Accept-Encoding': 'gzip' } })
    expect([path, response.headers.get('content-encoding')]).toEqual([path, 'gzip'])
    return (await response.arrayBuffer()).byteLength
  }
  const html = await (await world.request(`/w/${slug}`)).text()
  const files = [...html.matchAll(/(?:src|rel="stylesheet" href)="(\/assets\/[^"]+)"/g)].map(
    ([, path]) => path as string,
  )
  expect(files.toSorted()).toEqual(['/assets/proof.js', '/assets/seats.js', '/assets/site.css'])
  const weights = await Promise.all([`/w/${slug}`, ...files].map(weigh))
  expect(weights.reduce((sum, weight) => sum + weight)).toBeLessThan(30 * 1024)
})

describe('/w/:workshop/confirm/:code', () => {
  test('shows the registration on GET and registers once on POST', async () => {
    await using world = await createWorld()
    const items = ['C 语言', 'RT-Thread Studio'].map((zh) => ({
      kind: 'prerequisite' as const,
      text: { zh },
      mustConfirm: true,
    }))
    const workshop = await world.workshop({ proofOfWork: true, items })
    // Reversed, so that the order of the answers in the form differs from that in the database.
    await replaceItems(world.deps, { workshopId: workshop.id }, workshop.items.toReversed())
    const [c, studio] = workshop.items.map(({ id }) => `ready.${id}`)
    const form = await openForm(world, `/w/${workshop.slug}`)
    const input = { ...form, ...person, [studio as string]: 'no', [c as string]: 'yes' }
    await postForm(world, `/w/${workshop.slug}`, input)
    const link = await latestConfirmLink(world)
    const before = [await world.db.select().from(registrations), await world.db.select().from(mails)]
    for (let n = 0; n < 2; n++) {
      const response = await world.request(link)
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('x-robots-tag')).toBe('noindex')
      const text = visibleText(await response.text())
      for (const phrase of [
        ...['确认报名', '姓名 王小明', '邮箱 wang@example.com', '手机 +8613800138000', '公司或学校 睿赛德'],
        ...['准备好了 C 语言', '还没有 RT-Thread Studio', '报名，占一个名额'],
      ]) {
        expect(text).toContain(phrase)
      }
    }
    expect([await world.db.select().from(registrations), await world.db.select().from(mails)]).toEqual(before)

    const first = await postForm(world, link, {})
    expect(first.status).toBe(303)
    const ticket = first.headers.get('location') as string
    expect(visibleText(await (await world.request(ticket)).text())).toContain('王小明，到时见')
    expect((await postForm(world, link, {})).headers.get('location')).toBe(ticket)
    // Submitting the original form again is the same sign-up too.
    expect((await postForm(world, `/w/${workshop.slug}`, input)).headers.get('location')).toBe(ticket)
    expect(await world.db.select().from(registrations)).toMatchObject([
      { name: '王小明', phone: '+8613800138000', company: '睿赛德', status: 'confirmed', idempotencyKey: form.key },
    ])
  })

  test('returns 409 when the workshop has filled up or the address is registered', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ proofOfWork: true, capacity: 1, waitlist: false })
    await submitForm(world, `/w/${workshop.slug}`, person)
    const link = await latestConfirmLink(world)
    await world.register(workshop)
    const full = await postForm(world, link, {})
    expect(full.status).toBe(409)
    expect(visibleText(await full.text())).toContain('名额已经报满，这场培训不设候补。')
    const other = await world.workshop({ proofOfWork: true })
    await submitForm(world, `/w/${other.slug}`, { ...person, email: 'li@example.com' })
    const otherLink = await latestConfirmLink(world)
    await world.register(other, { email: 'li@example.com' })
    const repeated = await postForm(world, otherLink, {})
    expect([repeated.status, visibleText(await repeated.text())]).toEqual([
      409,
      expect.stringContaining('已经报过名了'),
    ])
    expect(await world.db.$count(registrations)).toBe(2)
  })

  test('returns 410 for an expired, forged or other workshop’s link, with a link to the form', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const other = await world.workshop()
    await submitForm(world, `/w/${slug}`, person)
    const link = await latestConfirmLink(world)
    const code = link.split('/').at(-1)
    for (const wrong of [`/w/${slug}/confirm/x${code?.slice(1)}`, `/w/${other.slug}/confirm/${code}`]) {
      expect([wrong, (await world.request(wrong)).status]).toEqual([wrong, 410])
      expect([wrong, (await postForm(world, wrong, {})).status]).toEqual([wrong, 410])
    }
    expect((await world.request(`/w/nowhere/confirm/${code}`)).status).toBe(404)
    world.clock.advance({ hours: 24 })
    const expired = await world.request(`${link}?lang=en`)
    expect(expired.status).toBe(410)
    const html = await expired.text()
    expect(visibleText(html)).toContain('This link no longer works')
    expect(html).toContain(`<a class="button" href="/w/${slug}">`)
    expect((await postForm(world, link, {})).status).toBe(410)
    expect(await world.db.$count(registrations)).toBe(0)
  })
})

test('the mailbox and the API list mails without a registration, also after the pending sign-up expired', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop({ proofOfWork: true })
  await submitForm(world, `/w/${slug}?lang=en`, person)
  const headers = { Authorization: `Bearer ${await world.token('organiser')}` }
  const listed = async () => {
    const response = await world.request('/api/v1/mails', { headers })
    return ((await response.json()) as { items: object[] }).items
  }
  const mailboxText = async () => visibleText(await (await requestMailPreview(world, '/mailbox')).text())
  expect(await listed()).toMatchObject([
    { kind: 'held', state: 'held', registration: null, workshop: slug, name: '王小明', email: person.email },
  ])
  expect(await mailboxText()).toContain('One more step, please confirm: RT-Thread')
  world.clock.advance({ days: 2 })
  expect(await listed()).toMatchObject([{ kind: 'held', registration: null, workshop: null, name: null, email: null }])
  expect(await mailboxText()).not.toContain('王小明')
})
