import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import {
  chatGroups,
  contentRefusals,
  mails,
  passkeys,
  type Role,
  registrations,
  roles,
  sessions,
} from '../../src/db/schema.ts'
import { issueCertificate } from '../../src/domain/attendance/certificates.ts'
import { replaceQuestions } from '../../src/domain/attendance/feedback.ts'
import { allocateBoards } from '../../src/domain/boards/allocation.ts'
import { addBoards, type Board, findBoard, setBoardState } from '../../src/domain/boards/inventory.ts'
import { lendBoard } from '../../src/domain/boards/loans.ts'
import { workshopJoinCode } from '../../src/domain/door/sessions.ts'
import { joinDoorQueue } from '../../src/domain/door/walk-ins.ts'
import { sendBroadcast, sendTestBroadcast } from '../../src/domain/mails/broadcasts.ts'
import { createToken } from '../../src/domain/organisers/organisers.ts'
import { createLink } from '../../src/domain/promotion/registration-links.ts'
import { createPendingSignUp } from '../../src/domain/registrations/pending-sign-ups.ts'
import { consentVersion } from '../../src/domain/registrations/registrations.ts'
import {
  createCheckInCode,
  createFirstOwnerCode,
  createJoinCode,
  createPendingSignUpCode,
  createSignInCode,
} from '../../src/domain/tickets/signed-tokens.ts'
import { replaceMaterials } from '../../src/domain/workshops/materials.ts'
import { findWorkshop, type Workshop } from '../../src/domain/workshops/workshops.ts'
import { access } from '../../src/http/access.ts'
import { mailSignInLink } from '../../src/http/sign-in.ts'
import { openForm } from '../support/http/forms.ts'
import { mailPreviewCookie } from '../support/mail/mail-preview.ts'
import { checkIn, checkInYesterday } from '../support/seeds/attendance.ts'
import { openDoorSession } from '../support/seeds/door.ts'
import { createWorld, type World } from '../support/world.ts'

/*
 * Calls every route with path parameters as every kind of caller, with the caller's own object, another's or one of
 * another kind, and one that does not exist. Covers the access list: a new route without parameter values fails.
 */

const unknownId = '0193a000-0000-7000-8000-00000000dead'

/** Values of a route's path parameters, in path order, for each of the three cases. */
type RouteParams = {
  own: string[] | ((role: Role) => string[])
  other: Record<string, string[] | ((role: Role) => string[])>
  missing: string[]
  /** Exists only for callers with a token, on a public route. */
  draft?: string[]
}

/** Expected response for an existing object, and the request to send. */
type RouteExpectation = {
  /** Status where the caller is allowed: 200 for GET, 200 or 201 in the API, 303 for a form. */
  status?: number
  /** Status for a helper at the door, where it differs. */
  helper?: number
  /** Status for an object that does not exist or belongs to another. */
  missing?: number
  /** A form, or JSON below /api. */
  body?: Record<string, unknown> | (() => Promise<Record<string, string>>)
  headers?: Record<string, string>
  /** Parameter values that replace the shared ones, where the route needs an object in another state. */
  own?: string[]
  /** A POST without side effects. */
  changesNothing?: true
}

let world: World
let routeParams: Record<string, RouteParams>
let expectations: Record<string, RouteExpectation>
/** Credentials of each caller, and their roles in the console and elsewhere. */
let callers: { name: string; headers: Record<string, string>; console?: Role; api?: Role | 'unknown token' }[]

beforeAll(async () => {
  world = await createWorld({ env: { RATE_LIMIT: 'off' } })
  const { db, deps } = world
  const { secret } = deps.config

  const campaign = await world.campaign({ slug: 'december' })
  const draftCampaign = await world.campaign({ slug: 'january', publish: false })
  const otherCampaign = await world.campaign({ slug: 'november' })
  const workshop = await world.workshop({
    slug: 'shanghai',
    campaignId: campaign.id,
    items: [{ kind: 'prerequisite', text: { zh: 'C 语言' }, mustConfirm: true }],
  })
  await world.workshop({ slug: 'nanjing', campaignId: campaign.id })
  const otherWorkshop = await world.workshop({ slug: 'beijing', campaignId: otherCampaign.id })
  await world.workshop({ slug: 'suzhou', campaignId: draftCampaign.id, publish: false })

  await world.workshop({ slug: 'hangzhou', proofOfWork: true })

  const seated = await world.register(workshop)
  const offered = await world.register(workshop)
  const waitlisted = await world.register(workshop)
  await db
    .update(registrations)
    .set({ status: 'offered', seatedAt: null, offeredUntil: workshop.startsAt })
    .where(sql`id = ${offered.id}`)
  const createPending = async (at: Workshop) => {
    const signUp = { name: '钱', email: `held-${at.slug}@example.com`, locale: 'zh-CN', ready: {}, consentVersion }
    await createPendingSignUp(deps, at, signUp, `key-of-${at.slug}`)
    const rows = await query<{ id: string }>(db, sql`select id from pending_sign_ups where workshop_id = ${at.id}`)
    return createPendingSignUpCode(secret, rows[0]?.id ?? '')
  }
  const pendingCode = await createPending(workshop)
  const otherPendingCode = await createPending(otherWorkshop)
  const checkInCode = createCheckInCode(secret, { id: seated.id, version: 1 })
  const link = (await createLink(deps, { campaign: campaign.slug }, { channel: 'poster' }))?.code ?? ''
  const png = Buffer.from('iVBORw0KGgo=', 'base64').toString('base64')
  await db.insert(chatGroups).values({
    workshopId: workshop.id,
    picture: png,
    mediaType: 'image/png',
    note: { zh: '二群' },
    updatedAt: deps.now(),
  })

  const signedIn = { viewer: await world.signIn('viewer'), organiser: await world.signIn('organiser') }
  const all = { ...signedIn, owner: await world.signIn('owner') }
  const colleague = await world.signIn('organiser', 'colleague')
  const createSessionAndPasskey = async (organiserId: string) => {
    const session = deps.newId()
    const passkey = deps.newId()
    const moment = deps.now()
    await db.insert(sessions).values({
      ...{ id: session, userId: organiserId, token: session },
      ...{ createdAt: moment, updatedAt: moment, expiresAt: new Date('2999-01-01') },
    })
    await db.insert(passkeys).values({
      ...{ id: passkey, userId: organiserId, publicKey: 'key', credentialID: passkey },
      ...{ counter: 0, deviceType: 'singleDevice', backedUp: false },
    })
    return { session, passkey }
  }
  const ownIds = {
    viewer: await createSessionAndPasskey(all.viewer.id),
    organiser: await createSessionAndPasskey(all.organiser.id),
    owner: await createSessionAndPasskey(all.owner.id),
  }
  const colleagueIds = await createSessionAndPasskey(colleague.id)
  await createToken(deps, 'spare', 'viewer')
  const [{ id: tokenId } = { id: '' }] = await query<{ id: string }>(db, sql`select id from tokens`)

  const actor = { name: 'owner', organiserId: all.owner.id }
  const message = deps.newId()
  const draft = { subject: '通知', body: '请带电脑' }
  const audience = { about: { workshopId: workshop.id }, workshops: [workshop], filter: {} }
  await sendBroadcast(deps, actor, { id: message, ...draft, audience })
  await deps.db.insert(contentRefusals).values({ broadcastId: message, pausedAt: deps.now(), lastError: 'DATA: 554' })
  const testId = deps.newId()
  await sendTestBroadcast(deps, actor, { id: testId, ...draft, workshop })

  await mailSignInLink(deps, (await findOrganiserEmail(colleague.id)) ?? '')
  const [signInMail] = await query<{ id: number | string; uid: string }>(
    db,
    sql`select id, uid from mails order by id desc limit 1`,
  )
  const signInCode = createSignInCode(secret, signInMail?.uid ?? '')
  const mailTo = async (id: string) =>
    String((await query<{ id: number | string }>(db, sql`select id from mails where registration_id = ${id}`))[0]?.id)
  const mail = await mailTo(offered.id)
  await db.update(mails).set({ state: 'dead', lastError: '550 no such user' })

  // Workshops of yesterday: one with open attendance and an attendee, one with closed attendance.
  const chengdu = await world.workshop({ slug: 'chengdu' })
  const attendee = await world.register(chengdu)
  const certified = await world.register(chengdu)
  await checkInYesterday(world, attendee.id)
  await checkInYesterday(world, (await world.register(await world.workshop({ slug: 'xian' }))).id)
  await db.execute(sql`update workshops set attendance_closed_at = ends_at where slug = 'xian'`)
  await checkIn(world, certified.id)
  const result = await issueCertificate(
    deps,
    { id: certified.id, workshop: (await findWorkshop(deps, 'chengdu')) as Workshop },
    { name: '郑', keepName: false },
  )
  const number = result.kind === 'issued' ? result.certificate.number : ''

  const helper = await openDoorSession(world, workshop)
  const otherDoor = await openDoorSession(world, otherWorkshop)
  // Started an hour ago, with a no-show and one in the door queue.
  const guiyang = await world.workshop({ slug: 'guiyang', capacity: 1, graceMinutes: 15 })
  await world.register(guiyang)
  const queued = await world.register(guiyang)
  await joinDoorQueue(deps, { name: '东门', workshopId: guiyang.id }, queued.id)
  const hourAgo = new Date(deps.now().getTime() - 3600_000).toISOString()
  await db.execute(sql`update workshops set starts_at = ${hourAgo}::timestamptz where slug = 'guiyang'`)

  const added = await addBoards(deps, actor, { kind: 'STM32F407', serials: ['1', '2', '3'] })
  const [board = '', packed = '', lent = ''] = added.kind === 'added' ? added.ids : []
  await allocateBoards(deps, actor, workshop, { ids: [packed] })
  await setBoardState(deps, actor, (await findBoard(deps, board)) as Board, { state: 'usable', note: '贴纸掉了' })
  await replaceMaterials(deps, actor, workshop, [
    { title: { zh: '讲义' }, url: 'https://example.com/handout', note: {}, afterwards: false },
  ])
  await replaceQuestions(deps, actor, workshop, [{ kind: 'text', text: { zh: '哪里最难？' } }])
  await lendBoard(deps, actor, {
    ...{ id: deps.newId(), boardId: lent, registrationId: attendee.id, workshopId: chengdu.id, at: deps.now() },
  })

  const workshops: RouteParams = {
    own: [workshop.slug],
    other: { 'a campaign': [campaign.slug], 'a ticket': [seated.ticket] },
    missing: ['wuhan'],
  }
  const campaigns: RouteParams = {
    own: [campaign.slug],
    other: { 'a workshop': [workshop.slug], 'a ticket': [seated.ticket] },
    missing: ['october'],
  }
  const people: RouteParams = {
    own: [offered.id],
    other: { 'a workshop': [workshop.id], 'an organiser': [colleague.id], 'a ticket': [offered.ticket] },
    missing: [unknownId],
  }
  const links: RouteParams = {
    own: [link],
    other: { 'a ticket': [seated.ticket], 'a campaign': [campaign.slug] },
    missing: ['nothing'],
  }
  const failed: RouteParams = {
    own: [mail],
    other: { 'a person': [offered.id], 'a message': [message] },
    missing: ['999999'],
  }
  routeParams = {
    '/c/:campaign': { ...campaigns, other: { ...campaigns.other, 'a draft': [draftCampaign.slug] } },
    '/w/:workshop': { ...workshops, other: { ...workshops.other, 'a draft': ['suzhou'] } },
    '/w/:workshop/confirm/:code': {
      own: [workshop.slug, pendingCode],
      other: {
        "another workshop's": [workshop.slug, otherPendingCode],
        'a ticket': [workshop.slug, seated.ticket],
        'a code for nobody': [workshop.slug, createPendingSignUpCode(secret, seated.id)],
      },
      missing: [workshop.slug, 'nothing'],
    },
    '/t/:ticket': {
      own: [seated.ticket],
      other: { 'a check-in code': [checkInCode], 'the id alone': [seated.id], 'a held sign-up': [pendingCode] },
      missing: ['nothing'],
    },
    '/in/:code': {
      own: [checkInCode],
      other: { 'a ticket': [seated.ticket], 'the id alone': [seated.id] },
      missing: ['nothing'],
    },
    '/door/join/:code': {
      own: [workshopJoinCode(deps, workshop)],
      other: {
        'a ticket': [seated.ticket],
        'a check-in code': [checkInCode],
        'the id alone': [workshop.id],
        'a code for no workshop': [createJoinCode(secret, { id: seated.id, version: 1 })],
      },
      missing: ['nothing'],
    },
    '/b/:code': {
      own: [(await findBoard(deps, board))?.code ?? ''],
      other: { 'the id alone': [board], 'a serial number': ['1'], 'a registration link': [link] },
      missing: ['nothing'],
    },
    '/certificate/:number': {
      own: [number],
      other: { 'a ticket': [seated.ticket], 'a registration link': [link] },
      missing: ['00000-00000'],
    },
    '/q/:code': links,
    '/assets/:name': { own: ['copy.js'], other: { 'a file beside them': ['main.js'] }, missing: ['nothing.css'] },
    '/api/v1/campaigns/:slug': { ...campaigns, draft: [draftCampaign.slug] },
    '/api/v1/workshops/:slug': { ...workshops, draft: ['suzhou'] },
    '/api/v1/registrations/:id': people,
    '/api/v1/links/:code': links,
    '/api/v1/mails/:id': failed,
    '/console/sign-in/:code': {
      own: [signInCode],
      other: { 'a ticket': [seated.ticket], 'the code of the first owner': [createFirstOwnerCode(secret)] },
      missing: ['nothing'],
    },
    '/console/first/:code': {
      own: [createFirstOwnerCode(secret)],
      other: { 'a sign-in link': [signInCode], 'a ticket': [seated.ticket] },
      missing: ['nothing'],
    },
    '/console/account/sessions/:id': {
      own: (role) => [ownIds[role].session],
      other: { "a colleague's": [colleagueIds.session], 'a passkey': (role) => [ownIds[role].passkey] },
      missing: [unknownId],
    },
    '/console/account/passkeys/:id': {
      own: (role) => [ownIds[role].passkey],
      other: { "a colleague's": [colleagueIds.passkey], 'a session': (role) => [ownIds[role].session] },
      missing: [unknownId],
    },
    '/console/campaigns/:slug': campaigns,
    '/console/campaigns/:slug/poster/:file': {
      own: [campaign.slug, 'phone.svg'],
      other: { 'of a workshop': [workshop.slug, 'phone.svg'] },
      missing: [campaign.slug, 'nothing.svg'],
    },
    '/console/workshops/:slug': workshops,
    '/console/workshops/:slug/poster/:file': {
      own: [workshop.slug, 'phone.svg'],
      other: { 'of a campaign': [campaign.slug, 'phone.svg'] },
      missing: [workshop.slug, 'nothing.svg'],
    },
    '/console/workshops/:slug/door/sessions/:id': {
      own: [workshop.slug, helper.id],
      other: {
        "another workshop's": [workshop.slug, otherDoor.id],
        'theirs under another workshop': [otherWorkshop.slug, helper.id],
        "an organiser's session": [workshop.slug, ownIds.owner.session],
      },
      missing: [workshop.slug, unknownId],
    },
    '/console/boards/:id': {
      own: [board],
      other: { 'a person': [seated.id], 'a workshop': [workshop.id] },
      missing: [unknownId],
    },
    '/console/links/:code': links,
    '/console/links/:code/:file': {
      own: [link, 'qr-article-900.png'],
      other: { 'of no link': ['nothing', 'qr-article-900.png'] },
      missing: [link, 'nothing.png'],
    },
    '/console/organisers/:id': {
      own: [colleague.id],
      other: { 'an attendee': [seated.id], 'a token': [tokenId] },
      missing: [unknownId],
    },
    '/console/tokens/:id': { own: [tokenId], other: { 'an organiser': [colleague.id] }, missing: [unknownId] },
    '/console/people/:id': people,
    '/console/people/:id/mails/:mail': {
      own: [offered.id, mail],
      other: {
        "another person's": [seated.id, mail],
        'theirs under another person': [offered.id, await mailTo(seated.id)],
        'a sign-in link': [offered.id, String(signInMail?.id)],
      },
      missing: [offered.id, '999999'],
    },
    '/console/messages/:id': {
      own: [message],
      other: { 'a test': [testId], 'a person': [seated.id] },
      missing: [unknownId],
    },
    '/console/mails/:id': failed,
    '/mailbox/:id': failed,
    '/mailbox/:id/files/:n': {
      own: [await mailTo(seated.id), '1'],
      other: { "another mail's": [String(signInMail?.id), '1'] },
      missing: [mail, '99'],
    },
  }

  const facts = {
    ...{ 'title.zh': '新', 'city.zh': '无锡', date: '2026-12-20', from: '09:30', to: '17:00', capacity: '30' },
    waitlist: 'yes',
  }
  const person = { name: '孙小圣', email: 'sun@example.com', phone: '13800138000' }
  const promotion = { reason: '讲师的同事', addSeat: 'yes' }
  const key = (path: string) => async () => {
    const { key = '' } = await openForm(world, path, { headers: { Cookie: all.organiser.Cookie } })
    return { ...person, key, consent: 'yes', locale: 'zh-CN' }
  }
  const withNewId = (fields: Record<string, string>) => async () => ({ id: deps.newId(), ...fields })
  expectations = {
    'POST /w/:workshop': {
      body: async () => ({ ...(await openForm(world, '/w/shanghai')), ...person, consent: 'yes' }),
    },
    'GET /w/:workshop/confirm/:code': { missing: 410 },
    'POST /w/:workshop/confirm/:code': { missing: 410 },
    'POST /t/:ticket/email': { body: { email: 'new@example.com' } },
    'POST /t/:ticket/confirm': { own: [offered.ticket] },
    'POST /t/:ticket/ready': { body: { [`ready.${workshop.items[0]?.id}`]: 'yes' } },
    'POST /t/:ticket/move': { body: { to: 'nanjing' } },
    'POST /t/:ticket/certificate': { own: [attendee.ticket], body: { name: '郑小明' } },
    'POST /t/:ticket/feedback': { own: [attendee.ticket], body: { 'answer.useful': '5' } },
    'POST /console/workshops/:slug/attendance/close': { own: ['chengdu'] },
    'POST /console/workshops/:slug/attendance/reopen': { own: ['xian'] },
    'POST /console/workshops/:slug/materials': {
      body: { 'material.0.title.zh': '课件', 'material.0.url': 'https://example.com/slides' },
    },
    'POST /console/workshops/:slug/feedback': { body: { 'question.0.zh': '板子好用吗？' } },
    'GET /in/:code': { status: 302, helper: 200 },
    'POST /door/join/:code': { body: { name: '小李' } },
    'POST /console/workshops/:slug/door/seat': { own: ['guiyang'] },
    'POST /console/people/:id/undo': { own: [attendee.id] },
    'POST /console/boards/:id/edit': { body: { kind: 'STM32F407', serial: '9' } },
    'POST /console/boards/:id/state': { body: { state: 'broken', note: 'USB' } },
    'POST /console/boards/:id/return': { own: [lent] },
    'POST /console/workshops/:slug/boards/pack': { body: { kind: 'STM32F407', count: '1' } },
    'POST /console/workshops/:slug/boards/unpack': { body: { do: 'all' } },
    'POST /console/workshops/:slug/boards/lend': { body: { board, person: seated.id } },
    'POST /console/workshops/:slug/boards/return': { body: { board: lent } },
    'POST /console/workshops/:slug/boards/ask': { own: ['chengdu'] },
    'GET /q/:code': { status: 302 },
    'PATCH /api/v1/campaigns/:slug': { body: { title: '新' } },
    'POST /api/v1/campaigns/:slug/links': { status: 201, body: { channel: 'group 3' } },
    'PATCH /api/v1/workshops/:slug': { body: { capacity: 30 } },
    'POST /api/v1/workshops/:slug/links': { status: 201, body: { channel: 'group 3' } },
    'GET /api/v1/workshops/:slug/challenge': {
      own: ['hangzhou'],
      headers: { 'Idempotency-Key': 'a-key-of-the-matrix' },
    },
    'POST /api/v1/workshops/:slug/registrations': {
      status: 201,
      body: { ...person, consent: true },
      headers: { 'Idempotency-Key': 'a-key-of-the-matrix' },
    },
    'DELETE /api/v1/registrations/:id': { status: 204 },
    'PATCH /api/v1/links/:code': { body: { active: false } },
    'GET /console/sign-in/:code': { missing: 410 },
    'POST /console/sign-in/:code': { missing: 410 },
    'GET /console/first/:code': { status: 410 },
    'POST /console/first/:code': { status: 410, body: { name: '周', email: 'zhou@example.com' }, changesNothing: true },
    'POST /console/campaigns/:slug/edit': { body: { 'title.zh': '新' } },
    'POST /console/campaigns/:slug/publish': { own: [draftCampaign.slug] },
    'POST /console/campaigns/:slug/workshops': { body: facts },
    'POST /console/workshops/:slug/edit': { body: { ...facts, tell: 'no' } },
    'POST /console/workshops/:slug/state': { body: { state: 'closed' } },
    'POST /console/campaigns/:slug/links': { body: { channel: 'group 3' } },
    'POST /console/workshops/:slug/links': { body: { channel: 'group 3' } },
    'POST /console/links/:code': { body: { channel: 'slide', target: 'workshop nanjing', active: 'yes' } },
    'POST /console/workshops/:slug/group': { body: { 'note.zh': '进群请报姓名' } },
    'POST /console/organisers/:id': { body: { role: 'viewer' } },
    'POST /console/workshops/:slug/people/add': { body: key('/console/workshops/shanghai/people/add') },
    'POST /console/people/:id/edit': { body: person },
    'POST /console/people/:id/move': { body: { to: 'nanjing' } },
    'GET /console/people/:id/promote': { own: [waitlisted.id] },
    'POST /console/people/:id/promote': { own: [waitlisted.id], body: promotion },
    'POST /console/workshops/:slug/messages/new': { body: withNewId({ subject: '时间', body: '九点半', do: 'send' }) },
    'POST /console/campaigns/:slug/messages/new': { body: withNewId({ subject: '时间', body: '九点半', do: 'send' }) },
    'POST /console/campaigns/new': { body: { 'title.zh': '新', 'city.0.city.zh': '无锡' } },
    'POST /console/account': { body: { name: '新' } },
    'POST /console/organisers': { body: { name: '吴', email: 'wu@example.com', role: 'owner' } },
    'POST /console/tokens': { body: { name: 'new', role: 'owner' } },
    'POST /console/people/chosen': { body: { action: 'cancel', id: offered.id, sure: 'yes' } },
    'POST /console/people/apart': { body: { group: offered.id } },
    'POST /api/v1/campaigns': { body: { title: '新' } },
  }

  const bearer = async (role: Role) => ({ Authorization: `Bearer ${await world.token(role)}` })
  callers = [
    { name: 'anonymous', headers: {} },
    { name: 'a ticket holder', headers: { Authorization: `Bearer ${seated.ticket}` }, api: 'unknown token' },
    { name: 'a helper', headers: { Cookie: helper.Cookie } },
    ...roles.map((role) => ({
      name: `${role}, signed in`,
      headers: { Cookie: all[role as keyof typeof all].Cookie },
      console: role,
    })),
    ...(await Promise.all(
      roles.map(async (role) => ({ name: `${role}, by token`, headers: await bearer(role), api: role })),
    )),
  ]
  await saveTables()
  initialState = await snapshotTables()
})

/** Stored rows before the first request. */
let initialState: Record<string, unknown>

afterAll(() => world.close())

const isConsoleRoute = (route: string) => / \/console(?:\/|$)/.test(route)
const isHelper = (caller: { name: string }) => caller.name === 'a helper'
const isApiRoute = (route: string) => route.includes(' /api/')
const roleOrder: Role[] = ['viewer', 'organiser', 'owner']

test.each(Object.entries(access))(
  '%s (%s) returns existing objects to authorized callers only',
  async (route, needed) => {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(/\{.*?\}/g, '')
    const names = findRouteParams(path)
    const expectation = expectations[route] ?? {}
    onTestFailed(restore)
    // Unauthorized callers first: one comparison afterwards shows that they changed nothing.
    const ordered = callers.map((caller) => ({ caller, refusal: expectedRefusal(route, needed, caller) }))
    for (const { caller, refusal } of ordered.filter(({ refusal }) => refusal)) {
      const role = caller.console ?? 'owner'
      const responses = []
      for (const params of paramCases(names, expectation, role)) {
        const response = await callRoute(route, path, params, expectation, caller.headers)
        expect([caller.name, params, response.status, response.toSignIn]).toEqual([
          caller.name,
          params,
          ...(refusal ?? []),
        ])
        responses.push(response.content)
      }
      expect(new Set(responses).size).toBe(1)
    }
    expect(await snapshotTables()).toEqual(initialState)
    // Without path parameters there is no own object; access.test.ts covers who may call such routes.
    if (!names) return

    for (const { caller } of ordered.filter(({ refusal }) => !refusal)) {
      const role = caller.console ?? 'owner'
      const missing = expectation.missing ?? 404
      const missingResponse = await callRoute(route, path, names.missing, expectation, caller.headers)
      expect([caller.name, missingResponse.status]).toEqual([caller.name, missing])
      const hidden = names.draft && needed === 'anyone' && !caller.api ? { 'a draft': names.draft } : {}
      for (const [what, params] of Object.entries({ ...names.other, ...hidden })) {
        const other = await callRoute(route, path, resolveParams(params, role), expectation, caller.headers)
        expect([caller.name, what, other.status, other.content]).toEqual([
          caller.name,
          what,
          missing,
          missingResponse.content,
        ])
      }
      expect([caller.name, await snapshotTables()]).toEqual([caller.name, initialState])

      const own = await callRoute(
        route,
        path,
        expectation.own ?? resolveParams(names.own, role),
        expectation,
        caller.headers,
      )
      const expectedStatus =
        (isHelper(caller) && expectation.helper) ||
        (expectation.status ?? (method === 'GET' || isApiRoute(route) ? 200 : 303))
      expect([caller.name, own.status, own.toSignIn, own.status === expectedStatus || own.content]).toEqual([
        caller.name,
        expectedStatus,
        false,
        true,
      ])
      await world.flushScans()
      if (method === 'GET' || expectation.changesNothing)
        expect([caller.name, await snapshotTables()]).toEqual([caller.name, initialState])
      else {
        expect([caller.name, await snapshotTables()]).not.toEqual([caller.name, initialState])
        await restore()
      }
    }

    if (needed === 'localhost') {
      const over = async (params: string[]) => callRoute(route, path, params, expectation, {}, '192.168.1.9')
      const missingResponse = await over(names.missing)
      expect([missingResponse.status, await over(resolveParams(names.own, 'owner'))]).toEqual([404, missingResponse])
    }
  },
)

const formRoutes = Object.keys(access).filter((route) => route.startsWith('POST ') && !isApiRoute(route))

const foreignOrigins: Record<string, string>[] = [
  { Origin: 'https://elsewhere.example.com' },
  { Origin: 'null' },
  { Origin: 'https://elsewhere.example.com', 'Sec-Fetch-Site': 'cross-site' },
  { Origin: 'http://localhost:81', 'Sec-Fetch-Site': 'same-site' },
  { 'Sec-Fetch-Site': 'cross-site' },
  { 'Sec-Fetch-Site': 'none' },
]
const contentTypes = ['application/x-www-form-urlencoded', 'application/json', 'text/plain', 'x/unknown', '']
const combinations = foreignOrigins.flatMap((from) => contentTypes.map((type) => ({ from, type })))

// One middleware serves all routes: each route is tried with two combinations, each combination on several routes.
test.each(formRoutes.map((route, n) => ({ route, n })))(
  '$route rejects a cross-site form with any content type',
  async ({ route, n }) => {
    const path = route.slice('POST '.length)
    const names = findRouteParams(path)
    const expectation = expectations[route] ?? {}
    const params = expectation.own ?? (names ? resolveParams(names.own, 'owner') : [])
    const cookie = callers.find((caller) => caller.console === 'owner')?.headers
    onTestFailed(restore)
    for (const { from, type } of [combinations[0], combinations[n % combinations.length]] as typeof combinations) {
      const headers = { ...cookie, ...from, 'Content-Type': type }
      const response = await callRoute(route, path, params, { ...expectation, headers }, {})
      expect([type, from, response.status]).toEqual([type, from, 403])
    }
    expect(await snapshotTables()).toEqual(initialState)
  },
)

test('every combination of a foreign origin and a content type is tried on several routes', () => {
  expect(formRoutes.length).toBeGreaterThan(2 * combinations.length)
})

const routesWithParams = Object.keys(access).filter((route) => route.startsWith('GET ') && route.includes('/:'))

test.each(routesWithParams)('%s encodes path parameters in links', async (route) => {
  const path = route.slice('GET '.length)
  const own = resolveParams(findRouteParams(path)?.own ?? [], 'owner')
  for (const caller of callers) {
    for (const n of own.keys()) {
      const params = own.with(n, '..%2Fx')
      const remaining = [...params]
      const response = await world.request(
        path.replace(/:\w+/g, () => remaining.shift() ?? ''),
        { headers: { ...caller.headers, ...mailPreviewHeaders(route) } },
      )
      const location = response.headers.get('location') ?? ''
      const html = await response.text()
      expect([caller.name, params, location]).toEqual([caller.name, params, expect.not.stringContaining('../x')])
      expect([caller.name, params, html]).toEqual([caller.name, params, expect.not.stringContaining('../x')])
    }
  }
  expect(await snapshotTables()).toEqual(initialState)
})

// The code in a sign-in link is all that it needs.
const consoleFormRoutes = formRoutes.filter((route) => isConsoleRoute(route) && route !== 'POST /console/sign-in/:code')

test.each(consoleFormRoutes)('%s changes nothing when the form is empty', async (route) => {
  const path = route.slice('POST '.length)
  const names = findRouteParams(path)
  const params = expectations[route]?.own ?? (names ? resolveParams(names.own, 'owner') : [])
  const owner = callers.find((caller) => caller.console === 'owner')?.headers ?? {}
  onTestFailed(restore)
  const response = await callRoute(route, path, params, { body: { sure: '' } }, owner)
  expect(response.status).toBeOneOf([303, 400, 404, 409, 410, 415, 422])
  expect(await snapshotTables()).toEqual(initialState)
})

test('moving to another campaign’s workshop, to a draft and to an unknown one have the same response', async () => {
  const owner = callers.find((caller) => caller.console === 'owner')?.headers ?? {}
  for (const route of ['POST /t/:ticket/move', 'POST /console/people/:id/move']) {
    const path = route.slice('POST '.length)
    const params = resolveParams(findRouteParams(path)?.own ?? [], 'owner')
    const responses = []
    for (const to of ['beijing', 'suzhou', 'nowhere']) {
      responses.push(await callRoute(route, path, params, { body: { to } }, route.includes('/console/') ? owner : {}))
    }
    expect(responses).toEqual(Array(3).fill({ ...responses[0], status: 409 }))
  }
  expect(await snapshotTables()).toEqual(initialState)
})

/** Status that rejects a caller, and whether they are redirected to sign in. Undefined for authorized callers. */
function expectedRefusal(
  route: string,
  needed: string,
  caller: (typeof callers)[number],
): [number, boolean] | undefined {
  if (!isConsoleRoute(route) && caller.api === 'unknown token') return [401, false]
  if (needed === 'door') return isHelper(caller) ? undefined : [401, false]
  if (!roleOrder.includes(needed as Role)) return undefined
  const role = (isConsoleRoute(route) ? caller.console : caller.api) as Role | undefined
  if (!role) return isConsoleRoute(route) && route.startsWith('GET ') ? [302, true] : [401, false]
  return roleOrder.indexOf(role) < roleOrder.indexOf(needed as Role) ? [403, false] : undefined
}

/** Values for the longest prefix of the path that has some. Undefined for a path without parameters. */
function findRouteParams(path: string): RouteParams | undefined {
  if (!path.includes(':')) return undefined
  const countParams = (text: string) => text.match(/:\w+/g)?.length ?? 0
  const [, params] =
    Object.entries(routeParams)
      .filter(([base]) => `${path}/`.startsWith(`${base}/`) || path.startsWith(`${base}.`))
      .filter(([base]) => countParams(base) === countParams(path))
      .sort(([a], [b]) => b.length - a.length)[0] ?? []
  if (!params) throw new Error(`no parameter values for ${path}`)
  return params
}

/** The mailbox opens with its key, with or without a session. */
const mailPreviewHeaders = (route: string) => route.includes(' /mailbox') && { Cookie: mailPreviewCookie(world) }

const resolveParams = (params: string[] | ((role: Role) => string[]), role: Role) =>
  typeof params === 'function' ? params(role) : params

function paramCases(params: RouteParams | undefined, { own }: RouteExpectation, role: Role): string[][] {
  if (!params) return [[]]
  return [
    own ?? resolveParams(params.own, role),
    ...Object.values(params.other).map((params) => resolveParams(params, role)),
    params.missing,
  ]
}

async function callRoute(
  route: string,
  path: string,
  params: string[],
  { body, headers }: RouteExpectation,
  credentials: Record<string, string>,
  peer?: string,
) {
  const remainingParams = [...params]
  const filledPath = path.replace(/:\w+/g, () => remainingParams.shift() ?? '')
  const fields = typeof body === 'function' ? await body() : body
  const method = route.split(' ')[0] ?? ''
  // Forms that ask for confirmation send this.
  const form = () => new URLSearchParams({ sure: 'yes', ...(fields as Record<string, string>) }).toString()
  const response = await world.request(
    filledPath,
    {
      method,
      headers: {
        ...credentials,
        ...mailPreviewHeaders(route),
        ...(method !== 'GET' && {
          'Content-Type': isApiRoute(route) ? 'application/json' : 'application/x-www-form-urlencoded',
        }),
        ...headers,
      },
      ...(method !== 'GET' && { body: isApiRoute(route) ? JSON.stringify(fields ?? {}) : form() }),
    },
    peer,
  )
  const location = decodeURIComponent(response.headers.get('location') ?? '')
  // Pages contain their own path.
  const content = `${location} ${await response.text()}`.replaceAll(filledPath, '…')
  return { status: response.status, toSignIn: location.startsWith('/console/sign-in?back='), content: content }
}

/** All stored rows, except the audit log, scan counts and last-seen times. */
async function snapshotTables(): Promise<Record<string, unknown>> {
  const comparedTables = (await listTables()).filter((table) => table !== 'audit_entries')
  const ignoredColumns = sql`array['last_used_at', 'last_seen_at', 'scans', 'name_search']`
  const dumps = comparedTables.map(
    (table) => sql`
      select ${table} as name, coalesce(jsonb_agg(to_jsonb(t) - ${ignoredColumns} order by to_jsonb(t)::text), '[]')::text as rows
      from ${sql.identifier(table)} t`,
  )
  const dumped = await query<{ name: string; rows: string }>(world.db, sql.join(dumps, sql` union all `))
  return Object.fromEntries(dumped.map(({ name, rows }) => [name, rows]))
}

let tableNames: string[] | undefined
async function listTables(): Promise<string[]> {
  tableNames ??= (
    await query<{ name: string }>(
      world.db,
      sql`select tablename::text as name from pg_tables where schemaname = 'public' order by tablename`,
    )
  ).map(({ name }) => name)
  return tableNames
}

/** Copies all tables for `restore`. */
async function saveTables(): Promise<void> {
  for (const table of await listTables()) {
    await world.db.execute(sql`create temp table ${sql.identifier(`kept_${table}`)} as table ${sql.identifier(table)}`)
  }
}

async function restore(): Promise<void> {
  const names = await listTables()
  const listed = sql.join(
    names.map((table) => sql.identifier(table)),
    sql`, `,
  )
  await world.db.transaction(async (tx) => {
    // Triggers would count the seats twice.
    await tx.execute(sql`set local session_replication_role = replica`)
    await tx.execute(sql`truncate ${listed}`)
    for (const table of names) {
      await tx.execute(
        sql`insert into ${sql.identifier(table)} overriding system value table ${sql.identifier(`kept_${table}`)}`,
      )
    }
  })
}

async function findOrganiserEmail(organiserId: string): Promise<string | undefined> {
  const [organiser] = await query<{ email: string }>(
    world.db,
    sql`select email from organisers where id = ${organiserId}`,
  )
  return organiser?.email
}
