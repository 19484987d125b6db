import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFirstOwnerCode } from '../../src/domain/tickets/signed-tokens.ts'
import { access } from '../../src/http/access.ts'
import { paths } from '../../src/http/links.ts'
import { isApiRoute, type SeededPages, seedEveryPage } from '../support/seeds/every-page.ts'
import { createWorld, type World } from '../support/world.ts'

/*
 * Every text field of every form accepts texts up to its limit. Longer texts are rejected as too long, whatever they
 * contain, and the form is rendered again with the input. hostile-text.test.ts measures the time.
 */

let world: World
let seededPages: SeededPages

beforeAll(async () => {
  world = await createWorld({ env: { RATE_LIMIT: 'off' } })
  seededPages = await seedEveryPage(world)
}, 60_000)

afterAll(() => world.close())

const person = { name: '孙小圣', email: 'sun@example.com', phone: '13800138000', company: '', consent: 'yes' }
const workshop = {
  ...{ 'title.zh': '入门培训', 'city.zh': '上海', date: '2026-12-11', from: '09:30', to: '18:00', capacity: '40' },
  ...{ boards: '4', timeZone: 'Asia/Shanghai', phone: 'optional' },
}
const campaign = {
  ...{
    'title.zh': '三月',
    'city.0.zh': '杭州',
    'city.0.date': '2027-03-31',
    'city.0.from': '09:30',
    'city.0.to': '17:00',
  },
  'city.0.capacity': '40',
}
const board = { kind: '星火一号', serial: 'RTB-003' }

/** Path of the first submission to a route in the page tests. */
const formPath = (route: string) => seededPages.submissions[route]?.[0]?.path ?? ''

type FormCase = [fields: Record<string, number>, others?: Record<string, string>, path?: () => string]

/** Text fields of each form with their limits, other fields that the form needs to be valid, and the path. */
const formCases: Record<string, FormCase> = {
  'POST /w/:workshop': [{ name: 80, email: 254, phone: 40, company: 120 }, person],
  'POST /t/:ticket/email': [{ email: 254 }],
  'POST /t/:ticket/certificate': [{ name: 80 }],
  'POST /t/:ticket/feedback': [{ 'answer.better': 2000 }],
  'POST /find': [{ email: 254 }],
  'POST /door/join/:code': [{ name: 40 }],
  'POST /door/walk-in': [
    { name: 80, phone: 40 },
    { name: '路人', phone: '' },
  ],
  'POST /door/return': [{ note: 500 }, { board: '00000000-0000-7000-8000-000000000001', broken: 'yes' }],
  'POST /console/sign-in': [{ email: 254 }],
  'POST /console/account': [{ name: 80 }],
  'POST /console/draft': [{ text: 50_000 }],
  'POST /console/campaigns/new': [
    {
      ...{ 'title.zh': 200, 'title.en': 200, 'summary.zh': 1000, 'city.0.zh': 80, 'city.0.venue.zh': 200 },
      ...{ 'city.0.address.en': 300, 'item.0.zh': 300, 'item.0.url': 2000 },
    },
    { ...campaign, 'item.0.en': 'Laptop' },
  ],
  'POST /console/campaigns/:slug/edit': [
    { 'title.zh': 200, 'summary.en': 1000, 'item.0.en': 300, 'item.0.url': 2000 },
    { 'title.zh': '新', 'item.0.zh': '电脑' },
  ],
  'POST /console/campaigns/:slug/workshops': [{ 'venue.zh': 200 }, workshop],
  'POST /console/workshops/:slug/edit': [
    {
      ...{ 'title.zh': 200, 'city.zh': 80, 'venue.zh': 200, 'address.zh': 300, 'entry.zh': 500, lead: 80 },
      ...{ 'item.0.zh': 300, 'item.0.url': 2000 },
    },
    { ...workshop, 'item.0.en': 'Laptop' },
  ],
  'POST /console/campaigns/:slug/links': [{ channel: 80 }],
  'POST /console/workshops/:slug/links': [{ channel: 80 }],
  'POST /console/links/:code': [{ channel: 80 }],
  'POST /console/workshops/:slug/group': [{ 'note.zh': 300, 'note.en': 300 }],
  'POST /console/workshops/:slug/materials': [
    { 'material.0.title.zh': 200, 'material.0.url': 2000, 'material.0.note.en': 300 },
    { 'material.0.title.en': 'Slides', 'material.0.url': 'https://example.com' },
  ],
  'POST /console/workshops/:slug/feedback': [{ 'question.0.zh': 200, 'question.0.en': 200 }],
  'POST /console/organisers': [
    { name: 80, email: 254 },
    { name: '吴', email: 'wu@example.com', role: 'viewer' },
  ],
  'POST /console/tokens': [{ name: 80 }],
  'POST /console/workshops/:slug/people/add': [{ name: 80, email: 254, phone: 40, company: 120 }, person],
  'POST /console/people/chosen': [{ reason: 500 }, { action: 'promote', sure: 'yes' }],
  'POST /console/people/:id/edit': [{ name: 80, email: 254, phone: 40, company: 120 }, person],
  'POST /console/people/:id/promote': [{ reason: 500 }],
  'POST /console/boards/add': [
    { kind: 60, serials: 40 },
    { kind: 'K', serials: '1' },
  ],
  'POST /console/boards/:id/edit': [{ kind: 60, serial: 40 }, board],
  'POST /console/boards/:id/state': [{ note: 500 }, { state: 'broken' }],
  'POST /console/boards/:id/return': [
    { damage: 500 },
    { as: 'broken' },
    // This board is lent.
    () => formPath('POST /console/boards/:id/state').replace('state', 'return'),
  ],
  'POST /console/workshops/:slug/boards/pack': [{ serials: 40 }, { kind: '星火一号' }],
  'POST /console/workshops/:slug/messages/new': [
    { subject: 200, body: 10_000 },
    { subject: 'x', body: 'x' },
  ],
  'POST /console/campaigns/:slug/messages/new': [
    { subject: 200, body: 10_000 },
    { subject: 'x', body: 'x' },
  ],
  // Needs a world without an owner: see the last test.
  'POST /console/first/:code': [{}],
}

/** Routes whose forms contain no text fields, only buttons, options, dates and numbers. */
const routesWithoutText = [
  ...['/w/:workshop/confirm/:code', '/t/:ticket/confirm', '/t/:ticket/ready', '/t/:ticket/coming', '/t/:ticket/cancel'],
  ...['/t/:ticket/move', '/t/:ticket/erase', '/door/entries', '/door/check-in', '/door/undo', '/door/stand'],
  ...['/door/leave', '/door/lend', '/door/seat', '/door/end', '/console/sign-in/:code', '/console/sign-out'],
  ...['/console/auth/passkey/verify-authentication', '/console/auth/passkey/verify-registration'],
  '/console/messages/:id/send-again',
  ...['/console/account/sessions/:id/end', '/console/account/passkeys/:id/remove'],
  ...['/console/campaigns/:slug/publish', '/console/campaigns/:slug/unpublish', '/console/workshops/:slug/state'],
  ...[
    '/console/workshops/:slug/cancel',
    '/console/workshops/:slug/group/remove',
    '/console/workshops/:slug/door/renew',
  ],
  ...['/console/workshops/:slug/door/open', '/console/workshops/:slug/door/seat'],
  ...['/console/workshops/:slug/door/sessions/:id/end', '/console/workshops/:slug/attendance/close'],
  ...['/console/workshops/:slug/attendance/reopen', '/console/organisers/:id', '/console/organisers/:id/remove'],
  ...['/console/tokens/:id/revoke', '/console/people/apart', '/console/people/:id/cancel', '/console/people/:id/move'],
  ...['/console/people/:id/confirm', '/console/people/:id/check-in', '/console/people/:id/undo'],
  ...['/console/people/:id/erase', '/console/people/:id/mails/:mail/send-again', '/console/boards/:id/remove'],
  ...['/console/workshops/:slug/boards/unpack', '/console/workshops/:slug/boards/lend'],
  ...['/console/workshops/:slug/boards/return', '/console/workshops/:slug/boards/ask', '/console/mails/:id/send-again'],
].map((path) => `POST ${path}`)

test('every form is in one of the lists', () => {
  const posts = Object.keys(access).filter((route) => route.startsWith('POST ') && !isApiRoute(route))
  expect([...Object.keys(formCases), ...routesWithoutText].toSorted()).toEqual(posts.toSorted())
})

const cases = Object.entries(formCases).flatMap(([route, [fields, others = {}, path = () => formPath(route)]]) =>
  Object.entries(fields).map(([field, longest]) => ({ route, field, longest, others, path })),
)

test.each(cases)('$route rejects a $field of more than $longest characters', async ({ field, longest, ...form }) => {
  const { route, others, path } = form
  const promoted = seededPages.submissions[route]?.find(({ fields }) => fields.action === 'promote')
  const isSignIn = route.includes('/console/sign-in')
  const send = async (text: string) => {
    const response = await world.request(promoted?.path ?? path(), {
      method: 'POST',
      headers: {
        Cookie: isSignIn ? '' : route.includes('/door/') ? seededPages.doorCookie : seededPages.Cookie,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ sure: 'yes', ...promoted?.fields, ...others, [field]: text }).toString(),
    })
    return { status: response.status, html: await response.text() }
  }
  const character = field === 'phone' ? '1' : 'x'
  // Just too long, far too long, and combining marks, which take six bytes each when encoded.
  const length = isSignIn ? 1_200 : Math.max(5 * longest, 10_000)
  for (const text of [
    character.repeat(longest + 1),
    character.repeat(Math.min(length, 99_000)),
    `e${'\u0301\u0323'.repeat(Math.min(length, 99_000) / 2)}`,
  ]) {
    const { status, html } = await send(text)
    expect([status, /太长|最多写/.test(html), html.includes(text)]).toEqual([422, true, true])
  }
})

test('the first-owner form and the slug of a draft have limits too', async () => {
  await using empty = await createWorld()
  const { Cookie } = await world.signIn('organiser')
  const draft = await world.workshop({ publish: false })
  const send = async (target: World, path: string, fields: Record<string, string>) => {
    const headers = { Cookie, 'Content-Type': 'application/x-www-form-urlencoded' }
    const response = await target.request(path, {
      method: 'POST',
      headers,
      body: new URLSearchParams(fields).toString(),
    })
    return [response.status, await response.text()]
  }
  const first = paths.firstOwner(createFirstOwnerCode(empty.deps.config.secret))
  for (const [field, limit] of [['name', 80] as const, ['email', 254] as const]) {
    const text = 'x'.repeat(limit + 1)
    const response = await send(empty, first, { name: '王工', email: 'me@example.com', [field]: text })
    expect(response).toEqual([422, expect.stringMatching(new RegExp(`太长.*value="${text}"`, 's'))])
  }
  const slug = 'x'.repeat(81)
  expect(await send(world, paths.editWorkshop(draft.slug), { ...workshop, slug })).toEqual([
    422,
    expect.stringMatching(new RegExp(`太长.*value="${slug}"`, 's')),
  ])
})
