import { describe, expect, test } from 'vitest'
import { mails, pendingSignUps, registrations } from '../../../src/db/schema.ts'
import { replaceItems } from '../../../src/domain/workshops/workshops.ts'
import { formValues, openForm, postForm, submitForm, visibleText } from '../../support/http/forms.ts'
import { createSolution, fetchChallenge } from '../../support/http/proof-of-work.ts'
import { requestMailPreview } from '../../support/mail/mail-preview.ts'
import { createWorld, type World } from '../../support/world.ts'

const person = { name: '王小明', email: 'wang@example.com', phone: '13800138000', company: '睿赛德', consent: 'yes' }

/** The link of the newest mail, as its text has it. */
async function latestConfirmLink(world: World): Promise<string> {
  const listed = await world.request('/api/v1/mails', {
    headers: { Authorization: `Bearer ${await world.token('organiser')}` },
  })
  const { items } = (await listed.json()) as { items: { id: number }[] }
  const shown = await (await requestMailPreview(world, `/mailbox/${items[0]?.id}`)).text()
  const [, link = ''] = /http:\/\/localhost:3000(\/w\/[\w-]+\/confirm\/[\w-]+)/.exec(shown) ?? []
  return link
}

describe('POST /w/:workshop of a workshop that wants a proof of work', () => {
  test('with a proof leads to the ticket as ever', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const form = await openForm(world, `/w/${slug}`)
    const proof = await createSolution(await fetchChallenge(world, slug, form.key ?? ''))
    const answer = await postForm(world, `/w/${slug}`, { ...form, ...person, proof })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toMatch(/^\/t\//)
    expect(await world.db.$count(pendingSignUps)).toBe(0)
  })

  test('without one is held: no seat, a mail with a link, and a page that says so', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const html = await (await world.request(`/w/${slug}`)).text()
    expect(visibleText(html)).toContain('提交后请打开我们发到你邮箱的链接，报名才算完成')
    expect(html).toContain('src="/assets/proof.js"')
    const answer = await submitForm(world, `/w/${slug}`, person)
    expect(answer.status).toBe(202)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.getSetCookie()).toEqual([`key=; Max-Age=0; Path=/w/${slug}`])
    const text = visibleText(await answer.text())
    expect(text).toContain('还差一步 我们给 wang@example.com 发了一封邮件')
    expect(text).toContain('在那之前没有为你占名额')
    expect(await world.db.$count(registrations)).toBe(0)
    expect(await world.db.select().from(mails)).toMatchObject([{ kind: 'held', registrationId: null }])
    expect(visibleText(await (await world.request(`/w/${slug}`)).text())).toContain('2 个名额剩余')
  })

  test('with mistakes, caught by the trap or too fast comes back like any other and holds nothing', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    expect((await submitForm(world, `/w/${slug}`, { ...person, email: 'wang@' })).status).toBe(422)
    expect((await submitForm(world, `/w/${slug}`, { ...person, message: 'Buy' })).status).toBe(422)
    const fast = formValues(await (await world.request(`/w/${slug}`)).text())
    expect((await postForm(world, `/w/${slug}`, { ...fast, ...person })).status).toBe(422)
    expect(await world.db.$count(pendingSignUps)).toBe(0)
  })

  test('with a proof that is forged or too old is held as if there was none', async () => {
    await using world = await createWorld()
    const { slug } = await world.workshop({ proofOfWork: true })
    const form = await openForm(world, `/w/${slug}`)
    const proof = await createSolution(await fetchChallenge(world, slug, form.key ?? ''))
    world.clock.advance({ minutes: 20 })
    expect((await postForm(world, `/w/${slug}`, { ...form, ...person, proof })).status).toBe(202)
    expect((await submitForm(world, `/w/${slug}`, { ...person, email: 'li@example.com', proof: 'x' })).status).toBe(202)
  })

  test('is refused on the page where a sign-up would be, and where the mailbox had its share', async () => {
    await using world = await createWorld()
    const workshop = await world.workshop({ proofOfWork: true, capacity: 30 })
    await world.register(workshop, { email: person.email })
    const there = await submitForm(world, `/w/${workshop.slug}`, person)
    expect([there.status, visibleText(await there.text())]).toEqual([409, expect.stringContaining('已经报过名了')])
    const li = { ...person, email: 'li@example.com' }
    for (let n = 0; n < 10; n++) expect((await submitForm(world, `/w/${workshop.slug}`, li)).status).toBe(202)
    const eleventh = await submitForm(world, `/w/${workshop.slug}`, li)
    expect(eleventh.status).toBe(409)
    expect(visibleText(await eleventh.text())).toContain('今天发到这个邮箱的邮件已经太多了')
    expect(await world.db.$count(pendingSignUps)).toBe(10)
  })
})

test('the page of a workshop that wants a proof weighs less than 30 KB with all its files', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop({ proofOfWork: true })
  const weigh = async (path: string) => {
    const answer = await world.request(path, { headers: { 'Accept-Encoding': 'gzip' } })
    expect([path, answer.headers.get('content-encoding')]).toEqual([path, 'gzip'])
    return (await answer.arrayBuffer()).byteLength
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
  test('shows what will be registered and changes nothing; one press registers, a second leads to the same ticket', async () => {
    await using world = await createWorld()
    const items = ['C 语言', 'RT-Thread Studio'].map((zh) => ({
      kind: 'prerequisite' as const,
      text: { zh },
      mustConfirm: true,
    }))
    const workshop = await world.workshop({ proofOfWork: true, items })
    // Turned round, so that the form has the answers in another order than the database gives them back.
    await replaceItems(world.deps, { workshopId: workshop.id }, workshop.items.toReversed())
    const [c, studio] = workshop.items.map(({ id }) => `ready.${id}`)
    const form = await openForm(world, `/w/${workshop.slug}`)
    const typed = { ...form, ...person, [studio as string]: 'no', [c as string]: 'yes' }
    await postForm(world, `/w/${workshop.slug}`, typed)
    const link = await latestConfirmLink(world)
    const before = [await world.db.select().from(registrations), await world.db.select().from(mails)]
    for (let n = 0; n < 2; n++) {
      const shown = await world.request(link)
      expect(shown.status).toBe(200)
      expect(shown.headers.get('cache-control')).toBe('no-store')
      expect(shown.headers.get('x-robots-tag')).toBe('noindex')
      const text = visibleText(await shown.text())
      for (const said of [
        ...['确认报名', '姓名 王小明', '邮箱 wang@example.com', '手机 +8613800138000', '公司或学校 睿赛德'],
        ...['准备好了 C 语言', '还没有 RT-Thread Studio', '报名，占一个名额'],
      ]) {
        expect(text).toContain(said)
      }
    }
    expect([await world.db.select().from(registrations), await world.db.select().from(mails)]).toEqual(before)

    const first = await postForm(world, link, {})
    expect(first.status).toBe(303)
    const ticket = first.headers.get('location') as string
    expect(visibleText(await (await world.request(ticket)).text())).toContain('王小明，到时见')
    expect((await postForm(world, link, {})).headers.get('location')).toBe(ticket)
    // The form itself, sent once more, is the same sign-up too.
    expect((await postForm(world, `/w/${workshop.slug}`, typed)).headers.get('location')).toBe(ticket)
    expect(await world.db.select().from(registrations)).toMatchObject([
      { name: '王小明', phone: '+8613800138000', company: '睿赛德', status: 'confirmed', idempotencyKey: form.key },
    ])
  })

  test('of a workshop that filled up meanwhile says so, and lets nobody in twice', async () => {
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
    const late = await latestConfirmLink(world)
    await world.register(other, { email: 'li@example.com' })
    const again = await postForm(world, late, {})
    expect([again.status, visibleText(await again.text())]).toEqual([409, expect.stringContaining('已经报过名了')])
    expect(await world.db.$count(registrations)).toBe(2)
  })

  test('a day later, forged, or of another workshop is gone and leads back to the form, in the visitor’s language', async () => {
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
    const gone = await world.request(`${link}?lang=en`)
    expect(gone.status).toBe(410)
    const html = await gone.text()
    expect(visibleText(html)).toContain('This link no longer works')
    expect(html).toContain(`<a class="button" href="/w/${slug}">`)
    expect((await postForm(world, link, {})).status).toBe(410)
    expect(await world.db.$count(registrations)).toBe(0)
  })
})

test('the mailbox, the API and the pages live with a mail that has no registration, also once its link is gone', async () => {
  await using world = await createWorld()
  const { slug } = await world.workshop({ proofOfWork: true })
  await submitForm(world, `/w/${slug}?lang=en`, person)
  const headers = { Authorization: `Bearer ${await world.token('organiser')}` }
  const listed = async () => {
    const answer = await world.request('/api/v1/mails', { headers })
    return ((await answer.json()) as { items: object[] }).items
  }
  const box = async () => visibleText(await (await requestMailPreview(world, '/mailbox')).text())
  expect(await listed()).toMatchObject([
    { kind: 'held', state: 'held', registration: null, workshop: slug, name: '王小明', email: person.email },
  ])
  expect(await box()).toContain('One more step, please confirm: RT-Thread')
  world.clock.advance({ days: 2 })
  expect(await listed()).toMatchObject([{ kind: 'held', registration: null, workshop: null, name: null, email: null }])
  expect(await box()).not.toContain('王小明')
})
