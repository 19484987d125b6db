import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/db/database.ts'
import { openPostgres } from '../../../src/db/postgres.ts'
import { mails, organisers, sessions, verifications } from '../../../src/db/schema.ts'
import {
  changeRole,
  createFirstOwner,
  inviteOrganiser,
  removeOrganiser,
} from '../../../src/domain/organisers/organisers.ts'
import {
  createFirstOwnerCode,
  createPendingSignUpCode,
  createSignInCode,
} from '../../../src/domain/tickets/signed-tokens.ts'
import { mailSignInLink } from '../../../src/http/sign-in.ts'
import { confirmField } from '../../support/http/forms.ts'
import { createWorld, type World } from '../../support/world.ts'

const formHeaders = { 'Content-Type': 'application/x-www-form-urlencoded' }
const postForm = (world: World, path: string, fields: Record<string, string>, headers = {}) =>
  world.request(path, {
    method: 'POST',
    headers: { ...formHeaders, ...headers },
    body: new URLSearchParams(fields).toString(),
  })
const firstOwnerPath = (world: World) => `/console/first/${createFirstOwnerCode(world.deps.config.secret)}`
const sessionCookie = (response: Response) => response.headers.getSetCookie()[0]?.split(';')[0] ?? ''

/** Path of the most recently mailed sign-in link. */
async function latestMagicLink(world: World): Promise<string> {
  const [mail] = await query<{ uid: string }>(world.db, sql`select uid from mails order by id desc limit 1`)
  return `/console/sign-in/${createSignInCode(world.deps.config.secret, mail?.uid ?? '')}`
}

describe('the first owner', () => {
  test('is created and signed in by the printed link, once', async () => {
    await using world = await createWorld()
    expect((await world.request('/console/first/wrong')).status).toBe(404)
    const blank = await postForm(world, firstOwnerPath(world), { name: ' ', email: 'me@example.com' })
    expect([blank.status, await blank.text()]).toEqual([422, expect.stringContaining('value="me@example.com"')])
    const created = await postForm(world, firstOwnerPath(world), { name: '王工', email: 'Me@Example.com' })
    expect([created.status, created.headers.get('location')]).toEqual([303, '/console'])
    expect((await world.request('/console/organisers', { headers: { Cookie: sessionCookie(created) } })).status).toBe(
      200,
    )
    expect((await world.request(firstOwnerPath(world))).status).toBe(410)
    expect((await postForm(world, firstOwnerPath(world), { name: 'b', email: 'b@example.com' })).status).toBe(410)
    expect(await world.db.select({ email: organisers.email, role: organisers.role }).from(organisers)).toEqual([
      { email: 'me@example.com', role: 'owner' },
    ])
  })

  test('is created once by concurrent requests', async () => {
    await using world = await createWorld({ postgres: true })
    const created = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => createFirstOwner(world.deps, { name, email: `${name}@example.com` })),
    )
    expect(created.filter(({ kind }) => kind === 'changed')).toHaveLength(1)
    expect(await world.db.select().from(organisers)).toHaveLength(1)
  })
})

describe('a sign-in link', () => {
  test('signs in once, after its button is pressed, and is not stored', async () => {
    await using world = await createWorld()
    await inviteOrganiser(world.deps, { name: '李', email: 'li@example.com', role: 'organiser' })
    const requested = await postForm(world, '/console/sign-in', { email: 'LI@example.com' })
    expect(requested.headers.get('location')).toBe('/console/sign-in?done=mailed')
    const link = await latestMagicLink(world)
    const code = link.split('/').at(-1) ?? ''
    const stored = JSON.stringify([await world.db.select().from(verifications), await world.db.select().from(mails)])
    expect(stored).not.toContain(code)

    // Mail scanners that open the link do not use it up.
    for (let times = 0; times < 3; times++) expect((await world.request(link)).status).toBe(200)
    const signedIn = await world.request(link, { method: 'POST' })
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/console'])
    expect(signedIn.headers.getSetCookie()[0]).toMatch(/Path=\/console; HttpOnly; SameSite=Lax/)
    expect((await world.request('/console/account', { headers: { Cookie: sessionCookie(signedIn) } })).status).toBe(200)
    expect((await world.request(link, { method: 'POST' })).status).toBe(410)
    const tampered = `${sessionCookie(signedIn).slice(0, -6)}AAAAAA`
    expect((await world.request('/console/account', { headers: { Cookie: tampered } })).status).toBe(302)
  })

  test('expires after 15 minutes and is not sent to unknown addresses', async () => {
    await using world = await createWorld()
    await inviteOrganiser(world.deps, { name: '李', email: 'li@example.com', role: 'organiser' })
    await mailSignInLink(world.deps, 'li@example.com')
    await world.db.update(verifications).set({ expiresAt: new Date(Date.now() - 1000) })
    expect((await world.request(await latestMagicLink(world), { method: 'POST' })).status).toBe(410)
    const before = (await world.db.select().from(mails)).length
    const unknown = await postForm(world, '/console/sign-in', { email: 'nobody@example.com' })
    expect(unknown.headers.get('location')).toBe('/console/sign-in?done=mailed')
    expect(await world.db.select().from(mails)).toHaveLength(before)
    expect(await world.db.select().from(verifications)).toEqual([])
    expect((await postForm(world, '/console/sign-in', { email: 'no address' })).status).toBe(422)
  })

  test.each<[string, (world: World) => string]>([
    ['contains a path', () => '..%2Fworkshops%2Fshanghai%2Fcancel'],
    ['is too short', () => 'nothing'],
    ['is signed with another secret', () => createSignInCode('another secret', '0193a000-0000-7000-8000-000000000001')],
    [
      'was issued for another purpose',
      ({ deps }) => createPendingSignUpCode(deps.config.secret, '0193a000-0000-7000-8000-000000000001'),
    ],
  ])('shows no button for a code that %s', async (_, createCode) => {
    await using world = await createWorld()
    const response = await world.request(`/console/sign-in/${createCode(world)}`)
    const page = await response.text()
    expect([response.status, page.includes('这个链接用不了了'), page.includes('<form')]).toEqual([410, true, false])
  })

  test.each([
    ['zh-CN', '没有设置邮件服务器'],
    ['en', 'No mail server is configured'],
  ])('without SMTP_URL is printed by a command that the pages name in %s for every address', async (lang, message) => {
    await using world = await createWorld()
    await inviteOrganiser(world.deps, { name: '李', email: 'li@example.com', role: 'organiser' })
    const pages = []
    for (const email of ['li@example.com', 'nobody@example.com']) {
      const requested = await postForm(world, '/console/sign-in', { email })
      const response = await world.request(`${requested.headers.get('location')}&lang=${lang}`)
      pages.push(await response.text())
    }
    expect(pages[0]).toBe(pages[1])
    for (const page of [pages[0], await (await world.request(`/console/sign-in?lang=${lang}`)).text()]) {
      expect(page).toContain(message)
      expect(page).toContain('npm run cli -- organiser link EMAIL')
    }
  })

  test.each<[string, Parameters<typeof createWorld>[0], boolean]>([
    ['with SMTP_URL', { env: { SMTP_URL: 'smtp://localhost:2525', MAIL_FROM: 'a@example.com' } }, false],
    ['without SMTP_URL, on a database server', { postgres: true }, true],
  ])('%s the pages name the command only when no mail server is configured', async (_, options, isNamed) => {
    await using world = await createWorld(options)
    for (const query of ['', '?done=mailed']) {
      const page = await (await world.request(`/console/sign-in${query}`)).text()
      expect(page.includes('npm run cli -- organiser link EMAIL')).toBe(isNamed)
    }
  })

  test('leads to the requested console page, same origin only', async () => {
    await using world = await createWorld()
    const page = async (back: string) =>
      (await world.request(`/console/sign-in?back=${encodeURIComponent(back)}`)).text()
    expect(await page('/console/campaigns')).toContain('name="back" value="/console/campaigns"')
    for (const back of ['https://evil.example.com', '//evil.example.com', '/console/../t/x', '/consoles']) {
      expect(await page(back)).toContain('name="back" value="/console"')
    }
  })

  test('is rate limited', async () => {
    await using world = await createWorld()
    await inviteOrganiser(world.deps, { name: '李', email: 'li@example.com', role: 'organiser' })
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => postForm(world, '/console/sign-in', { email: 'li@example.com' })),
    )
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(10)
  })
})

describe('sessions', () => {
  test('can be listed and ended by their owner only', async () => {
    await using world = await createWorld()
    const own = await world.signIn('organiser')
    const other = await world.signIn('organiser')
    const [session] = await world.db.select().from(sessions).where(sql`organiser_id = ${other.id}::uuid`)
    const end = `/console/account/sessions/${session?.id}/end`
    expect((await postForm(world, end, confirmField, { Cookie: own.Cookie })).status).toBe(404)
    expect(
      (await postForm(world, '/console/account/sessions/nothing/end', confirmField, { Cookie: own.Cookie })).status,
    ).toBe(404)
    expect((await postForm(world, end, confirmField, { Cookie: other.Cookie })).status).toBe(303)
    expect((await world.request('/console/account', { headers: { Cookie: other.Cookie } })).status).toBe(302)
    expect((await postForm(world, '/console/sign-out', confirmField, { Cookie: own.Cookie })).status).toBe(303)
    expect((await world.request('/console/account', { headers: { Cookie: own.Cookie } })).status).toBe(302)
  })

  test('end with the account and follow role changes at once', async () => {
    await using world = await createWorld()
    await world.signIn('owner')
    const { id, Cookie } = await world.signIn('owner')
    expect((await world.request('/console/tokens', { headers: { Cookie } })).status).toBe(200)
    await changeRole(world.deps, id, 'viewer')
    expect((await world.request('/console/tokens', { headers: { Cookie } })).status).toBe(403)
    await removeOrganiser(world.deps, id)
    expect((await world.request('/console/account', { headers: { Cookie } })).status).toBe(302)
  })
})

describe('the last owner', () => {
  test('can neither be removed nor lose the role', async () => {
    await using world = await createWorld()
    const { id, Cookie } = await world.signIn('owner')
    expect(await changeRole(world.deps, id, 'organiser')).toEqual({ kind: 'refused', refusal: 'last_owner' })
    expect(await removeOrganiser(world.deps, id)).toEqual({ kind: 'refused', refusal: 'last_owner' })
    const response = await postForm(world, `/console/organisers/${id}`, { role: 'viewer' }, { Cookie })
    expect([response.status, await response.text()]).toEqual([409, expect.stringContaining('最后一个所有者')])
    expect((await world.request(`/console/organisers/${'-'.repeat(36)}/remove`, { headers: { Cookie } })).status).toBe(
      404,
    )
    await world.signIn('owner')
    expect((await postForm(world, `/console/organisers/${id}/remove`, confirmField, { Cookie })).status).toBe(303)
  })

  test('remains when two owners demote each other concurrently', async () => {
    await using world = await createWorld({ postgres: true })
    const other = openPostgres(world.databaseUrl as string)
    for (let round = 0; round < 10; round++) {
      await world.db.delete(organisers)
      const [a, b] = await Promise.all(
        ['a', 'b'].map((name) => inviteOrganiser(world.deps, { name, email: `${name}@example.com`, role: 'owner' })),
      )
      if (a?.kind !== 'changed' || b?.kind !== 'changed') throw new Error('refused')
      await Promise.all([
        changeRole(world.deps, a.organiser.id, 'viewer'),
        removeOrganiser({ ...world.deps, db: other.db }, b.organiser.id),
      ])
      expect(await world.db.select().from(organisers).where(sql`role = 'owner'`)).toHaveLength(1)
    }
    await other.close()
  })
})

describe('API tokens', () => {
  test('are shown once, have their role and can be revoked', async () => {
    await using world = await createWorld()
    const { Cookie } = await world.signIn('owner')
    const created = await postForm(world, '/console/tokens', { name: 'newsletter bot', role: 'viewer' }, { Cookie })
    const [token = ''] = /bm_[\w-]{43}/.exec(await created.text()) ?? []
    const metrics = () => world.request('/metrics', { headers: { Authorization: `Bearer ${token}` } })
    expect((await metrics()).status).not.toBe(401)
    const list = await (await world.request('/console/tokens', { headers: { Cookie } })).text()
    expect(list).toContain('newsletter bot')
    expect(list).not.toContain(token)
    const revoke = /\/console\/tokens\/[0-9a-f-]+\/revoke/.exec(list)?.[0] ?? ''
    expect((await postForm(world, revoke, confirmField, { Cookie })).status).toBe(303)
    expect((await metrics()).status).toBe(401)
    expect((await postForm(world, '/console/tokens', { name: ' ' }, { Cookie })).status).toBe(422)
  })
})
