import { desc, eq, inArray } from 'drizzle-orm'
import { contentRefusals, mails, organisers, pendingSignUps } from '../../../src/db/schema.ts'
import { closeAttendance } from '../../../src/domain/attendance/attendance.ts'
import { issueCertificate } from '../../../src/domain/attendance/certificates.ts'
import { saveFeedback } from '../../../src/domain/attendance/feedback.ts'
import type { Actor } from '../../../src/domain/audit/log.ts'
import { allocateBoards } from '../../../src/domain/boards/allocation.ts'
import { addBoards, listBoards, setBoardState } from '../../../src/domain/boards/inventory.ts'
import { lendBoard } from '../../../src/domain/boards/loans.ts'
import { checkIn } from '../../../src/domain/door/check-ins.ts'
import { workshopJoinCode } from '../../../src/domain/door/sessions.ts'
import { admitWalkIn, joinDoorQueue } from '../../../src/domain/door/walk-ins.ts'
import { sendBroadcast } from '../../../src/domain/mails/broadcasts.ts'
import { createToken, inviteOrganiser, listTokens } from '../../../src/domain/organisers/organisers.ts'
import { changeLink, createLink } from '../../../src/domain/promotion/registration-links.ts'
import {
  cancelPerson,
  erasePerson,
  findPerson,
  movePerson,
  type Person,
} from '../../../src/domain/registrations/admin.ts'
import { confirmAttendance } from '../../../src/domain/registrations/attendance-confirmation.ts'
import { createPendingSignUp } from '../../../src/domain/registrations/pending-sign-ups.ts'
import {
  consentVersion,
  findRegistrations,
  type Registration,
} from '../../../src/domain/registrations/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../../src/domain/registrations/seats.ts'
import {
  createCheckInCode,
  createFirstOwnerCode,
  createPendingSignUpCode,
  createSignInCode,
} from '../../../src/domain/tickets/signed-tokens.ts'
import { setChatGroup } from '../../../src/domain/workshops/chat-groups.ts'
import { replaceMaterials } from '../../../src/domain/workshops/materials.ts'
import { changeWorkshop, findWorkshop, type ItemDraft, type Workshop } from '../../../src/domain/workshops/workshops.ts'
import { access } from '../../../src/http/access.ts'
import { paths, withQuery } from '../../../src/http/links.ts'
import { mailSignInLink } from '../../../src/http/sign-in.ts'
import { qrPng } from '../../../src/lib/qr.ts'
import { confirmField } from '../http/forms.ts'
import type { World } from '../world.ts'
import * as attendance from './attendance.ts'
import { openDoorSession } from './door.ts'

/** A form submission. */
export type FormSubmission = { path: string; fields: Record<string, string> }

/** A world with data for every page, and the pages that show it. */
export type SeededPages = {
  /** Session cookie of an owner. */
  Cookie: string
  /** Cookie of a helper's phone. */
  doorCookie: string
  /** Paths of each GET route, by its entry in the access list, in the states that look different. */
  pages: Record<string, string[]>
  /** Paths opened on a helper's phone, where most look different. */
  doorPages: Record<string, string[]>
  /** Submissions for each route that accepts a form: an empty one, and some that lead to other states. */
  submissions: Record<string, FormSubmission[]>
}

/** Whether a route is for programs with a token and returns no page. */
export const isApiRoute = (route: string) => / \/(api\/v1\/|metrics$)/.test(route)

/** Whether a route needs an organiser. Tests open these as an owner, and all others anonymously. */
export const isOrganiserRoute = (route: string) => ['viewer', 'organiser', 'owner'].includes(access[route] ?? '')

/** Whether a form is submitted by a helper's phone. */
export const isDoorRoute = (route: string) => access[route] === 'door'

/**
 * Seeds an empty, embedded world: a campaign, workshops and registrations in all states, possible duplicates, links,
 * broadcasts, mails, accounts, tokens, a chat group and an audit log, a previous year, and three workshop days:
 * yesterday, today and tomorrow, with door sessions, boards, certificates, materials and feedback.
 */
export async function seedEveryPage(world: World): Promise<SeededPages> {
  const { deps, db } = world
  const actor = { name: '林老师' }
  const { secret } = deps.config

  world.clock.set('2025-11-01T10:00:00+08:00')
  const lastYear = await world.campaign({ title: { zh: '去年的入门培训', en: 'Last year' } })
  const past = await world.workshop({ campaignId: lastYear.id, capacity: 5 })
  for (const n of [1, 2, 3]) await world.register(past, { name: `老学员 ${n}`, email: `returns-${n}@example.com` })
  world.clock.set('2026-12-01T10:00:00+08:00')

  const campaign = await world.campaign({ items })
  const unpublished = await world.campaign({ title: { zh: '一月的入门培训' }, summary: {}, publish: false })
  const newLink = async (channel: string) =>
    (await createLink(deps, { campaign: campaign.slug }, { channel }))?.code ?? ''
  const [article, poster, expired] = [await newLink('公众号 12月'), await newLink('poster'), await newLink('第 3 群')]
  for (const code of [article, article, poster]) deps.recordScan(code)
  await world.flushScans()
  await changeLink(deps, expired, { expiresAt: world.clock.now() })

  const campaignFields = { campaignId: campaign.id, boards: 4, lead: '林老师' }
  const open = await world.workshop({ ...campaignFields, capacity: 40, items: items.slice(0, 3) })
  const full = await world.workshop({ ...campaignFields, ...cities.nanjing, capacity: 2 })
  const offering = await world.workshop({ ...campaignFields, ...cities.shenzhen, capacity: 1, confirmHours: 24 })
  const closed = await world.workshop({ ...cities.beijing, waitlist: false, phone: 'required' })
  const cancelledWorkshop = await world.workshop({ ...campaignFields, ...cities.wuhan, capacity: 3 })
  const proof = await world.workshop({ proofOfWork: true, title: { zh: '只有中文的培训' }, venue: {}, address: {} })
  const draft = await world.workshop({
    campaignId: unpublished.id,
    publish: false,
    capacity: 60,
    boards: 10,
    address: {},
  })

  const people = new Map<string, { id: string; ticket: string }>()
  const signUp = async (workshop: Workshop, name: string, more: Parameters<World['register']>[1] = {}) => {
    world.clock.advance({ hours: 1 })
    const n = people.size
    const ready = Object.fromEntries(workshop.items.map(({ id }, i) => [id, (n + i) % 3 > 0]))
    const via = [article, poster, undefined][n % 3]
    people.set(name, await world.register(workshop, { name, ready, via, ...more }))
  }
  await signUp(open, '王小明', { phone: '+8613800138000', company: '睿赛德电子科技' })
  await signUp(open, '王小明（第二次）', { phone: '+8613800138000' })
  await signUp(open, 'Ann Lee', { locale: 'en', email: 'returns-1@example.com' })
  await signUp(open, '取消的人')
  await signUp(open, '搬走的人')
  await signUp(open, '抹去的人')
  for (const name of ['李雷', '韩梅梅', '排队的人', '也在排队的人']) await signUp(full, name)
  for (const name of ['让出名额的人', '等确认的人']) await signUp(offering, name)
  await signUp(cancelledWorkshop, '白报名的人')
  await signUp(closed, '已截止的人', { phone: '+8613900139000' })
  const personNamed = (name: string) => people.get(name) as { id: string; ticket: string }
  const person = async (name: string) => (await findPerson(deps, personNamed(name).id)) as Person
  await cancelPerson(deps, actor, await person('取消的人'))
  await movePerson(deps, actor, await person('搬走的人'), full.slug)
  await erasePerson(deps, actor, await person('抹去的人'))
  await cancelRegistration(deps, personNamed('让出名额的人').id, 'attendee')
  await cancelWorkshop(deps, cancelledWorkshop.slug)
  await changeWorkshop(deps, closed.slug, { state: 'closed' })
  const moved = new Date(open.startsAt.getTime() + 3600_000)
  await changeWorkshop(deps, open.slug, { startsAt: moved }, { notify: true })
  const failedMails = await db
    .select({ id: mails.id })
    .from(mails)
    .where(eq(mails.registrationId, personNamed('王小明').id))
  await db
    .update(mails)
    .set({ state: 'dead', lastError: '550 5.1.1 No such user' })
    .where(
      inArray(
        mails.id,
        failedMails.map(({ id }) => id),
      ),
    )

  const picture = new Uint8Array(qrPng('https://example.com/group', { scale: 4 }))
  await setChatGroup(deps, open, {
    picture,
    note: { zh: '群满了就加第 2 群' },
    expiresAt: new Date('2026-12-09T10:00:00Z'),
  })
  const [message, news] = [deps.newId(), deps.newId()]
  const messageText = { subject: '{{city}}见', body: '{{name}}，{{date}}请带电脑。\n\n{{ticket}}' }
  await sendBroadcast(deps, actor, {
    ...{ id: message, ...messageText },
    audience: { about: { workshopId: open.id }, workshops: [open], filter: { status: 'confirmed' } },
  })
  await sendBroadcast(deps, actor, {
    ...{ id: news, subject: 'News', body: 'See you, {{name}}.' },
    audience: { about: { campaignId: campaign.id }, workshops: [open, full], filter: {} },
  })
  await db
    .insert(contentRefusals)
    .values({ broadcastId: news, pausedAt: deps.now(), lastError: 'DATA: 554 DT:SPM 126 smtp2' })
  const signUpData = { name: '没算完的人', email: 'held@example.com', ready: {}, locale: 'zh-CN', consentVersion }
  await createPendingSignUp(deps, proof, signUpData, 'a-sign-up-that-is-held')
  const [pendingSignUp] = await db.select({ id: pendingSignUps.id }).from(pendingSignUps)

  const { Cookie } = await world.signIn('owner', '王工')
  const { Cookie: organiserCookie } = await world.signIn('organiser', '林老师')
  await inviteOrganiser(deps, { name: '看数的人', email: 'viewer@example.com', role: 'viewer' })
  await createToken(deps, 'the web page', 'viewer')
  const [token] = await listTokens(deps)
  const [viewer] = await db.select().from(organisers).where(eq(organisers.email, 'viewer@example.com'))
  await mailSignInLink(deps, 'viewer@example.com')
  const [invitation] = await db.select({ uid: mails.uid }).from(mails).orderBy(desc(mails.id)).limit(1)
  // Audit entries of views and exports.
  await world.request(paths.workshopPeople(open.slug), { headers: { Cookie: organiserCookie } })
  await world.request(`${paths.workshopPeople(open.slug)}.csv?q=wxm`, { headers: { Cookie: organiserCookie } })
  await world.request(paths.person(personNamed('王小明').id), { headers: { Cookie: organiserCookie } })

  const tickets = ['王小明', '取消的人', '排队的人', '等确认的人', '白报名的人', '已截止的人'].map(
    (name) => personNamed(name).ticket,
  )
  const [ticket = ''] = tickets
  const offered = personNamed('等确认的人').ticket
  const day = await seedWorkshopDays(world, actor)
  const workshops = [open, full, offering, closed, cancelledWorkshop, draft].map(({ slug }) => slug)
  const campaigns = [campaign, unpublished, lastYear].map(({ slug }) => slug)
  const persons = ['王小明', '取消的人', '排队的人', '等确认的人', '搬走的人'].map((name) => personNamed(name).id)
  const mailRows = await db.select().from(mails).orderBy(mails.id)
  const kinds = new Map(mailRows.map((mail) => [mail.kind, mail.id]))
  const mail = (failedMails[0] as { id: number }).id
  const code = createSignInCode(secret, (invitation as { uid: string }).uid)
  const firstOwnerCode = createFirstOwnerCode(secret)
  const pendingCode = createPendingSignUpCode(secret, (pendingSignUp as { id: string }).id)
  const checkInCode = createCheckInCode(secret, { id: personNamed('王小明').id, version: 1 })

  const pages: Record<string, string[]> = {
    'GET /': [paths.home()],
    'GET /c/:campaign': [paths.campaign(campaign.slug), paths.campaign(lastYear.slug)],
    'GET /w/:workshop': [open, full, closed, cancelledWorkshop, past, proof].map(({ slug }) => paths.workshop(slug)),
    'GET /w/:workshop/badge.svg': [paths.badge(open.slug)],
    'GET /w/:workshop/embed': [paths.embed(open.slug), paths.embed(cancelledWorkshop.slug)],
    'GET /w/:workshop/confirm/:code': [
      paths.confirmSignUp(proof.slug, pendingCode),
      paths.confirmSignUp(proof.slug, 'nothing'),
    ],
    'GET /t/:ticket': tickets.map(paths.ticket),
    'GET /t/:ticket/qr.png': [paths.ticketQr(ticket)],
    'GET /t/:ticket/calendar.ics': [paths.ticketCalendar(ticket)],
    'GET /t/:ticket/data.json': [paths.ticketData(ticket)],
    'GET /t/:ticket/confirm': [paths.ticketConfirm(offered)],
    'GET /t/:ticket/cancel': [paths.ticketCancel(ticket)],
    'GET /t/:ticket/move': [paths.ticketMove(ticket)],
    'GET /t/:ticket/group': [paths.ticketGroup(ticket)],
    'GET /t/:ticket/erase': [paths.ticketErase(ticket)],
    'GET /in/:code': [paths.checkIn(checkInCode)],
    'GET /find': [paths.findTickets()],
    'GET /q/:code': [
      paths.registrationLink(article),
      paths.registrationLink(expired),
      paths.registrationLink('nothing'),
    ],
    'GET /q/:code/qr.svg': [paths.registrationLinkQrSvg(article)],
    'GET /q/:code/qr.png': [paths.registrationLinkQrPng(article)],
    'GET /calendar.ics': [paths.calendar()],
    'GET /privacy': [paths.privacy()],
    'GET /assets/:name': [paths.asset('site.css')],
    'GET /favicon.ico': ['/favicon.ico'],
    'GET /api/docs': [paths.apiDocs()],
    'GET /healthz': ['/healthz'],
    'GET /readyz': ['/readyz'],
    'GET /console/sign-in': [paths.signIn(), withQuery(paths.signIn(), { done: 'mailed' })],
    'GET /console/sign-in/:code': [paths.magicLink(code)],
    'GET /console/first/:code': [paths.firstOwner(firstOwnerCode)],
    'GET /console/auth/passkey/generate-authenticate-options': [
      `${paths.auth()}/passkey/generate-authenticate-options`,
    ],
    'GET /console/auth/passkey/generate-register-options': [`${paths.auth()}/passkey/generate-register-options`],
    'GET /console/account': [paths.account()],
    'GET /console/draft': [paths.importAnnouncement()],
    'GET /console/campaigns': [paths.consoleCampaigns()],
    'GET /console/campaigns/new': [paths.newCampaign()],
    'GET /console/campaigns/:slug': campaigns.map(paths.consoleCampaign),
    'GET /console/campaigns/:slug/edit': [paths.editCampaign(campaign.slug)],
    'GET /console/campaigns/:slug/next': [paths.copyCampaign(campaign.slug)],
    'GET /console/campaigns/:slug/workshops': [paths.addWorkshop(campaign.slug)],
    'GET /console/workshops/:slug': workshops.map(paths.consoleWorkshop),
    'GET /console/workshops/:slug/edit': [paths.editWorkshop(open.slug)],
    'GET /console/workshops/:slug/cancel': [paths.cancelWorkshop(open.slug)],
    'GET /console/workshops/:slug/preview': [paths.previewWorkshop(draft.slug)],
    'GET /console/workshops/:slug/preview/page': [paths.previewPage(draft.slug)],
    'GET /console/campaigns/:slug/spread': [paths.campaignPromotion(campaign.slug)],
    'GET /console/workshops/:slug/spread': [paths.workshopPromotion(open.slug)],
    'GET /console/campaigns/:slug/poster/:file': [paths.campaignPoster(campaign.slug, 'phone')],
    'GET /console/workshops/:slug/poster/:file': [paths.workshopPoster(open.slug, 'a4')],
    'GET /console/links/:code': [paths.consoleLink(article), paths.consoleLink(expired)],
    'GET /console/links/:code/:file': [paths.linkQrImage(article, 'qr-article-900.svg')],
    'GET /console/workshops/:slug/group': [paths.chatGroup(open.slug), paths.chatGroup(full.slug)],
    'GET /console': [paths.console()],
    'GET /console/campaigns/:slug/figures': [paths.campaignStats(campaign.slug)],
    'GET /console/workshops/:slug/figures': [paths.workshopStats(open.slug), paths.workshopStats(draft.slug)],
    'GET /console/years': [paths.yearlyStats()],
    'GET /console/audit': [paths.audit(), withQuery(paths.audit(), { from: 'soon', actor: 'nobody' })],
    'GET /console/audit.csv': [paths.auditCsv()],
    'GET /console/organisers': [paths.organisers()],
    'GET /console/organisers/:id/remove': [paths.removeOrganiser(viewer?.id ?? '')],
    'GET /console/tokens': [paths.tokens()],
    'GET /console/workshops/:slug/people': [
      ...[open, full, draft].map(({ slug }) => paths.workshopPeople(slug)),
      withQuery(paths.workshopPeople(open.slug), { q: 'nobody', status: 'waitlisted' }),
    ],
    'GET /console/workshops/:slug/people.csv': [`${paths.workshopPeople(open.slug)}.csv`],
    'GET /console/workshops/:slug/people.xlsx': [`${paths.workshopPeople(open.slug)}.xlsx`],
    'GET /console/workshops/:slug/people/sign-in-sheet': [paths.signInSheet(open.slug)],
    'GET /console/workshops/:slug/people/name-badges': [paths.nameBadges(open.slug)],
    'GET /console/workshops/:slug/people/duplicates': [`${paths.workshopPeople(open.slug)}/duplicates`],
    'GET /console/workshops/:slug/people/add': [paths.addPerson(open.slug), paths.addPerson(full.slug)],
    'GET /console/campaigns/:slug/people': [paths.campaignPeople(campaign.slug)],
    'GET /console/campaigns/:slug/people.csv': [`${paths.campaignPeople(campaign.slug)}.csv`],
    'GET /console/campaigns/:slug/people.xlsx': [`${paths.campaignPeople(campaign.slug)}.xlsx`],
    'GET /console/campaigns/:slug/people/duplicates': [`${paths.campaignPeople(campaign.slug)}/duplicates`],
    'GET /console/people/:id': persons.map(paths.person),
    'GET /console/people/:id/cancel': [paths.personCancel(personNamed('王小明').id)],
    'GET /console/people/:id/move': [paths.personMove(personNamed('王小明').id)],
    'GET /console/people/:id/promote': [paths.personPromote(personNamed('排队的人').id)],
    'GET /console/people/:id/erase': [paths.personErase(personNamed('王小明').id)],
    'GET /console/workshops/:slug/messages': [paths.workshopBroadcasts(open.slug)],
    'GET /console/workshops/:slug/messages/new': [paths.newWorkshopBroadcast(open.slug)],
    'GET /console/campaigns/:slug/messages': [paths.campaignBroadcasts(campaign.slug)],
    'GET /console/campaigns/:slug/messages/new': [paths.newCampaignBroadcast(campaign.slug)],
    'GET /console/messages/:id': [paths.broadcast(message), paths.broadcast(news)],
    'GET /console/messages/:id/send-again': [paths.resendBroadcast(news)],
    'GET /console/mails': [paths.consoleMails(), withQuery(paths.consoleMails(), { state: 'dead' })],
    'GET /mailbox': [paths.mailbox()],
    'GET /mailbox/:id': [paths.mailboxMail(mail)],
    'GET /mailbox/:id/html': [...kinds.values()].map(paths.mailboxHtml),
    'GET /mailbox/:id/files/:n': [paths.mailboxFile(mail, 1)],
  }

  const { id: wangId } = personNamed('王小明')
  const forms = (path: string, ...filled: Record<string, string>[]): FormSubmission[] =>
    [{}, ...filled].map((fields) => ({ path, fields }))
  const selection = (action: string, names: string[]) => ({
    action,
    ...Object.fromEntries(names.map((name) => ['id', personNamed(name).id])),
  })
  const submissions: Record<string, FormSubmission[]> = {
    'POST /w/:workshop': [
      ...forms(paths.workshop(open.slug), { name: '李雷', email: 'li@example', phone: '12345' }),
      ...forms(paths.workshop(full.slug)),
      ...forms(paths.workshop(closed.slug)),
    ],
    'POST /w/:workshop/confirm/:code': forms(paths.confirmSignUp(proof.slug, 'nothing')),
    'POST /t/:ticket/email': forms(paths.ticketEmail(ticket), { email: 'wang@' }),
    'POST /t/:ticket/confirm': forms(paths.ticketConfirm(ticket)),
    'POST /t/:ticket/cancel': forms(paths.ticketCancel(personNamed('已截止的人').ticket)),
    'POST /t/:ticket/move': forms(paths.ticketMove(ticket), { to: 'nowhere' }),
    'POST /t/:ticket/erase': forms(paths.ticketErase(personNamed('白报名的人').ticket)),
    'POST /find': forms(paths.findTickets(), { email: 'wang@' }, { email: 'wang@example.com' }),
    'POST /console/sign-in': forms(paths.signIn(), { email: 'wang@' }),
    'POST /console/sign-in/:code': forms(paths.magicLink('nothing')),
    'POST /console/first/:code': forms(paths.firstOwner(firstOwnerCode)),
    // Without confirmation, because the owner's session is still needed.
    'POST /console/sign-out': [{ path: paths.signOut(), fields: {} }],
    'POST /console/auth/passkey/verify-authentication': [],
    'POST /console/auth/passkey/verify-registration': [],
    'POST /console/account': forms(paths.account()),
    'POST /console/account/sessions/:id/end': forms(paths.endSession('nothing'), confirmField),
    'POST /console/account/passkeys/:id/remove': forms(paths.removePasskey('nothing'), confirmField),
    'POST /console/draft': forms(paths.importAnnouncement(), { text: announcement }),
    'POST /console/campaigns/new': forms(paths.newCampaign(), {
      ...{ 'title.zh': '三月', 'city.0.zh': '杭州', 'city.0.date': '2027-03-31', 'city.0.from': '17:00' },
      ...{ 'city.0.to': '09:00', 'city.0.capacity': 'many', 'item.0.kind': 'bring', 'item.0.en': 'Laptop' },
      ...{ 'item.0.url': 'nowhere', source: announcement },
    }),
    'POST /console/campaigns/:slug/edit': forms(paths.editCampaign(campaign.slug)),
    'POST /console/campaigns/:slug/publish': forms(paths.publishCampaign(campaign.slug), confirmField),
    'POST /console/campaigns/:slug/unpublish': forms(paths.unpublishCampaign(campaign.slug), confirmField),
    'POST /console/campaigns/:slug/workshops': forms(paths.addWorkshop(campaign.slug)),
    'POST /console/workshops/:slug/edit': forms(paths.editWorkshop(open.slug), {
      ...{
        'title.zh': '入门培训',
        'city.zh': '上海',
        'venue.zh': '别处',
        from: '11:45',
        date: '2026-12-11',
        to: '18:00',
      },
      ...{
        capacity: '40',
        boards: '4',
        timeZone: 'Asia/Shanghai',
        phone: 'optional',
        slug: open.slug,
        waitlist: 'yes',
      },
    }),
    'POST /console/workshops/:slug/state': [
      ...forms(paths.setWorkshopState(open.slug), { state: 'draft' }),
      ...forms(paths.setWorkshopState(cancelledWorkshop.slug), { state: 'published' }),
    ],
    'POST /console/workshops/:slug/cancel': forms(paths.cancelWorkshop(cancelledWorkshop.slug), confirmField),
    'POST /console/campaigns/:slug/links': forms(paths.addCampaignLink(campaign.slug)),
    'POST /console/workshops/:slug/links': forms(paths.addWorkshopLink(open.slug)),
    'POST /console/links/:code': forms(paths.consoleLink(article)),
    'POST /console/workshops/:slug/group': forms(paths.chatGroup(full.slug), confirmField),
    'POST /console/workshops/:slug/group/remove': forms(paths.removeChatGroup(full.slug), confirmField),
    'POST /console/organisers': forms(paths.organisers(), {
      name: '又一位',
      email: 'viewer@example.com',
      role: 'viewer',
    }),
    'POST /console/organisers/:id': forms(paths.organiser(viewer?.id ?? ''), { role: 'viewer' }),
    'POST /console/organisers/:id/remove': forms(paths.removeOrganiser('nothing'), confirmField),
    'POST /console/tokens': forms(paths.tokens(), { name: 'a bot', role: 'viewer' }),
    'POST /console/tokens/:id/revoke': forms(paths.revokeToken(token?.id ?? ''), confirmField),
    'POST /console/workshops/:slug/people/add': forms(paths.addPerson(open.slug), {
      name: 'x',
      email: 'returns-1@example.com',
      consent: 'yes',
    }),
    'POST /console/people/chosen': forms(
      paths.bulkActions(),
      ...['cancel', 'move'].map((action) => selection(action, ['王小明'])),
      selection('promote', ['排队的人']),
      { ...selection('merge', ['王小明（第二次）']), kept: wangId },
      { ...selection('cancel', ['取消的人']), sure: 'yes' },
    ),
    'POST /console/people/apart': forms(paths.markNotDuplicates()),
    'POST /console/people/:id/edit': forms(paths.personEdit(wangId)),
    'POST /console/people/:id/cancel': forms(paths.personCancel(personNamed('取消的人').id), confirmField),
    'POST /console/people/:id/move': forms(paths.personMove(wangId)),
    'POST /console/people/:id/promote': forms(paths.personPromote(personNamed('排队的人').id), { reason: '讲师' }),
    'POST /console/people/:id/confirm': forms(paths.personConfirm(wangId), confirmField),
    'POST /console/people/:id/erase': forms(paths.personErase('nothing'), confirmField),
    'POST /console/people/:id/mails/:mail/send-again': forms(paths.resendPersonMail(wangId, 0), confirmField),
    'POST /console/workshops/:slug/messages/new': forms(
      paths.newWorkshopBroadcast(open.slug),
      { subject: '{{town}}见', body: '{{name' },
      { subject: '{{city}}见', body: '{{date}} {{time}} {{place}} {{ticket}}' },
    ),
    'POST /console/campaigns/:slug/messages/new': forms(paths.newCampaignBroadcast(campaign.slug)),
    'POST /console/messages/:id/send-again': forms(paths.resendBroadcast(message), confirmField),
    'POST /console/mails/:id/send-again': forms(paths.resendMail(0), confirmField),
  }
  return {
    ...{
      Cookie,
      doorCookie: day.doorCookie,
      doorPages: day.doorPages,
      submissions: { ...submissions, ...day.submissions },
    },
    pages: Object.fromEntries(
      [...Object.keys(pages), ...Object.keys(day.pages)].map((route) => [
        route,
        [...(pages[route] ?? []), ...(day.pages[route] ?? [])],
      ]),
    ),
  }
}

/** Yesterday evening, this morning until 09:50, and tomorrow. Leaves the clock at 09:50. */
async function seedWorkshopDays(world: World, actor: Actor): Promise<Omit<SeededPages, 'Cookie'>> {
  const { deps, clock } = world
  const { secret } = deps.config
  const people = new Map<string, { id: string; ticket: string }>()
  const signUp = async (workshop: Workshop, names: string[]) => {
    for (const [n, name] of names.entries()) {
      const ready = Object.fromEntries(workshop.items.map(({ id }, i) => [id, (n + i) % 3 > 0]))
      const phone = `+86139${String(10_002_317 * (people.size + 1)).slice(0, 8)}`
      people.set(name, await world.register(workshop, { name, phone, ready: n % 4 === 3 ? {} : ready }))
    }
  }
  const personNamed = (name: string) => people.get(name) as { id: string; ticket: string }
  const registration = async (name: string) =>
    (await findRegistrations(deps, [personNamed(name).id]))[0] as Registration
  const reloadWorkshop = async ({ slug }: Workshop) => (await findWorkshop(deps, slug)) as Workshop
  const dayDraft = { reminders: { get_ready: 168, coming: 72, day_before: 24 }, items, graceMinutes: 30 }
  const at = (startsAt: string, endsAt: string) => ({ startsAt: new Date(startsAt), endsAt: new Date(endsAt) })

  // Past no-show rates, from which the overbooking suggestion is computed.
  for (const month of ['08', '09', '10']) {
    clock.set(`2026-${month}-10T08:00:00+08:00`)
    const pastWorkshop = await world.workshop({
      ...{ ...cities.hangzhou, capacity: 12 },
      ...at(`2026-${month}-15T09:30:00+08:00`, `2026-${month}-15T16:30:00+08:00`),
    })
    const registered: string[] = []
    for (let n = 0; n < 12; n++) registered.push((await world.register(pastWorkshop, { name: `老学员 ${n}` })).id)
    clock.set(pastWorkshop.startsAt)
    for (const id of registered.slice(2)) await attendance.checkIn(world, id)
    await closeAttendance(deps, actor, pastWorkshop, { thank: false })
  }

  clock.set('2026-11-28T10:00:00+08:00')
  const yesterday = await world.workshop({
    ...{ ...cities.hangzhou, ...dayDraft, capacity: 10, boards: 8 },
    ...at('2026-12-01T09:30:00+08:00', '2026-12-01T16:30:00+08:00'),
  })
  const today = await world.workshop({
    ...{ ...cities.chengdu, ...dayDraft, capacity: 9, boards: 6, lead: '林老师' },
    entry: { zh: '从 3 号门进，登记后坐电梯到 5 楼', en: 'Through gate 3, register, then to the 5th floor' },
    ...at('2026-12-02T09:30:00+08:00', '2026-12-02T16:30:00+08:00'),
  })
  const tomorrow = await world.workshop({
    ...{ ...cities.xian, ...dayDraft, capacity: 20, boards: 20 },
    entry: { zh: '从北门进，出示这张票', en: 'Through the north gate, with this ticket' },
    ...at('2026-12-03T09:30:00+08:00', '2026-12-03T16:30:00+08:00'),
  })
  const attendedNames = ['陈晨', '周到', '吴优', '郑重', '冯远']
  const checkedInNames = ['赵一鸣', '钱多多', '孙小美', '欧阳若兰']
  await signUp(yesterday, [...attendedNames, '许诺', '何方'])
  await signUp(today, [...checkedInNames, '李想', '周子涵', '吴桐', '先退掉的人', '还没到的人'])
  await signUp(tomorrow, ['要来的人', '没回答的人', '什么都没准备的人'])
  await cancelRegistration(deps, personNamed('先退掉的人').id, 'attendee')
  await confirmAttendance(deps, await registration('要来的人'))
  await confirmAttendance(deps, await registration('李想'))

  const kind = '星火一号'
  const added = await addBoards(deps, actor, { kind, serials: ['RTB-001', 'RTB-002', 'RTB-003', 'RTB-004', 'RTB-005'] })
  await addBoards(deps, actor, { kind, serials: ['RTB-006', 'RTB-007', 'RTB-008', 'RTB-009'] })
  await addBoards(deps, actor, { kind: '潘多拉 STM32L475', serials: ['P-1', 'P-2', 'P-3'] })
  const { boards } = await listBoards(deps)
  const board = (serial: string) => boards.find((board) => board.serial === serial) as (typeof boards)[number]
  if (added.kind !== 'added') throw new Error('the boards were refused')
  const unreturnedBoard = board('P-1')

  clock.set('2026-12-01T09:20:00+08:00')
  for (const name of attendedNames) await attendance.checkIn(world, personNamed(name).id)
  const mistakenCheckIn = await attendance.checkIn(world, personNamed('许诺').id)
  await lendBoard(deps, actor, {
    ...{
      id: deps.newId(),
      boardId: unreturnedBoard.id,
      registrationId: personNamed('陈晨').id,
      workshopId: yesterday.id,
      at: clock.now(),
    },
  })
  clock.set('2026-12-01T17:00:00+08:00')
  const certificateFor = async (name: string) => {
    const issued = await issueCertificate(deps, await registration(name), { name, keepName: true })
    if (issued.kind === 'refused') throw new Error(`the certificate was refused: ${issued.refusal}`)
    return issued.certificate
  }
  const certificate = await certificateFor('陈晨')
  const withdrawn = await certificateFor('许诺')
  await attendance.revertCheckIn(world, mistakenCheckIn)
  for (const [name, useful, better] of [
    ['陈晨', 5, '想多一点做实验的时间。\n线程那一节很好。'],
    ['周到', 4, '教室有点冷'],
    ['吴优', 4, ''],
  ] as const) {
    const texts: Record<string, string> = better ? { better } : {}
    await saveFeedback(deps, await registration(name), { ratings: { useful, hands_on: useful }, texts })
  }
  await replaceMaterials(deps, actor, yesterday, [
    { title: { zh: '讲义', en: 'Slides' }, url: 'https://example.com/slides', note: {}, afterwards: false },
    {
      ...{ title: { zh: '实验代码' }, url: 'https://pan.baidu.com/s/1abcdef', note: { zh: '提取码 rtt6' } },
      afterwards: true,
    },
  ])
  await closeAttendance(deps, actor, await reloadWorkshop(yesterday), { thank: true })

  clock.set('2026-12-02T09:05:00+08:00')
  await setBoardState(deps, actor, board('RTB-009'), { state: 'broken', note: 'USB 口松了' })
  await allocateBoards(deps, actor, today, { kind, count: 6 })
  const { actor: helper, Cookie: doorCookie } = await openDoorSession(world, today, '东门小李')
  const { actor: otherHelper, id: otherSession } = await openDoorSession(world, today, '西门小赵')
  for (const [n, name] of checkedInNames.entries()) {
    clock.advance({ minutes: 6 })
    const scan = { id: deps.newId(), registration: personNamed(name).id, at: clock.now() }
    await checkIn(deps, n % 2 === 0 ? helper : otherHelper, [scan])
  }
  for (const [n, name] of checkedInNames.slice(0, 2).entries()) {
    await lendBoard(deps, helper, {
      ...{ id: deps.newId(), boardId: added.ids[n] as string, registrationId: personNamed(name).id },
      ...{ workshopId: today.id, at: clock.now() },
    })
  }
  await admitWalkIn(deps, helper, { name: '路过的人', phone: '+8613700137000' }, deps.newId(), clock.now())
  await signUp(today, ['排队没到的人', '排队也来了的人'])
  await joinDoorQueue(deps, helper, personNamed('排队也来了的人').id)
  const queuedWalkIn = await admitWalkIn(deps, helper, { name: '站在门口的人' }, deps.newId(), clock.now())
  if (!('registration' in queuedWalkIn)) throw new Error(`the queued walk-in was refused: ${queuedWalkIn.outcome}`)
  clock.set('2026-12-02T09:50:00+08:00')
  // The most recent check-in.
  const scan = deps.newId()
  await checkIn(deps, helper, [{ id: scan, registration: personNamed('李想').id, at: clock.now() }])

  const code = (name: string) => paths.checkIn(createCheckInCode(secret, { id: personNamed(name).id, version: 1 }))
  const person = (name: string, more: Record<string, string> = {}) =>
    withQuery(paths.doorPage(), { person: personNamed(name).id, ...more })
  const join = paths.doorJoin(workshopJoinCode(deps, today))
  const label = (serial: string) => paths.boardLabel(board(serial).code)
  const ticket = (name: string) => personNamed(name).ticket
  const { number } = certificate
  const days = [yesterday, today, tomorrow].map(({ slug }) => slug)

  const pages: Record<string, string[]> = {
    'GET /certificate': [paths.verifyCertificate(), withQuery(paths.verifyCertificate(), { number: '00000-00000' })],
    'GET /certificate/:number': [number, withdrawn.number, 'nothing'].map(paths.certificate),
    'GET /certificate/:number/print': [number, withdrawn.number].map(paths.certificatePrint),
    'GET /t/:ticket': [
      ...['陈晨', '吴优', '何方', '李想', '还没到的人', '要来的人', '没回答的人'].map(ticket).map(paths.ticket),
      withQuery(paths.ticket(ticket('没回答的人')), { done: 'ready' }),
    ],
    'GET /t/:ticket/certificate': ['陈晨', '吴优', '何方', '李想'].map(ticket).map(paths.ticketCertificate),
    'GET /t/:ticket/feedback': ['陈晨', '郑重', '何方', '李想'].map(ticket).map(paths.ticketFeedback),
    'GET /t/:ticket/coming': ['没回答的人', '要来的人', '李想'].map(ticket).map(paths.ticketAttendance),
    'GET /b/:code': [label('RTB-001')],
    'GET /door': [paths.doorPage()],
    'GET /door/join/:code': [join, paths.doorJoin('nothing')],
    'GET /door/shell': [paths.doorShell()],
    'GET /door/worker.js': [paths.doorWorker()],
    'GET /console/workshops/:slug': days.map(paths.consoleWorkshop),
    'GET /console/workshops/:slug/edit': [paths.editWorkshop(tomorrow.slug)],
    'GET /console/workshops/:slug/people': [paths.workshopPeople(today.slug)],
    'GET /console/people/:id': [
      ...['赵一鸣', '还没到的人'].map((name) => personNamed(name).id),
      queuedWalkIn.registration,
    ].map(paths.person),
    'GET /console/workshops/:slug/door': days.map(paths.consoleDoor),
    'GET /console/workshops/:slug/door/qr': [paths.doorQr(today.slug), paths.doorQr(yesterday.slug)],
    'GET /console/workshops/:slug/readiness': days.map(paths.workshopReadiness),
    'GET /console/workshops/:slug/attendance': days.map(paths.attendance),
    'GET /console/workshops/:slug/materials': [yesterday, tomorrow].map(({ slug }) => paths.materials(slug)),
    'GET /console/workshops/:slug/feedback': [yesterday, tomorrow].map(({ slug }) => paths.feedbackQuestions(slug)),
    'GET /console/workshops/:slug/feedback.csv': [paths.feedbackCsv(yesterday.slug)],
    'GET /console/boards': [
      paths.boards(),
      ...[{ place: 'lent' }, { q: 'nothing' }].map((query) => withQuery(paths.boards(), query)),
    ],
    'GET /console/boards.csv': [paths.boardsCsv()],
    'GET /console/boards/add': [paths.addBoards()],
    'GET /console/boards/labels': [paths.boardLabels(), withQuery(paths.boardLabels(), { chosen: 'yes' })],
    'GET /console/boards/:id': ['RTB-001', 'RTB-003', 'RTB-009', 'P-1'].map((serial) => paths.board(board(serial).id)),
    'GET /console/workshops/:slug/boards': days.map(paths.workshopBoards),
    'GET /console/workshops/:slug/boards/ask': [
      paths.requestBoardReturns(yesterday.slug),
      paths.requestBoardReturns(tomorrow.slug),
    ],
  }

  const doorPages: Record<string, string[]> = {
    'GET /door': [
      paths.doorPage(),
      withQuery(paths.doorPage(), { q: 'zym' }),
      withQuery(paths.doorPage(), { q: 'nobody' }),
      person('李想', { scan }),
      ...['赵一鸣', '还没到的人', '排队没到的人', '排队也来了的人', '先退掉的人'].map((name) => person(name)),
      person('还没到的人', { done: 'undone' }),
      person('钱多多', { done: 'lent' }),
    ],
    'GET /in/:code': [code('还没到的人'), code('李想'), code('要来的人'), paths.checkIn('nothing')],
    'GET /b/:code': ['RTB-001', 'RTB-003', 'RTB-009', 'P-1'].map(label),
    'GET /door/join/:code': [join],
    'GET /door/list.json': [paths.doorList()],
  }

  const forms = (path: string, ...filled: Record<string, string>[]): FormSubmission[] =>
    [{}, ...filled].map((fields) => ({ path, fields }))
  const submissions: Record<string, FormSubmission[]> = {
    'POST /t/:ticket/certificate': forms(paths.ticketCertificate(ticket('吴优'))),
    'POST /t/:ticket/feedback': forms(paths.ticketFeedback(ticket('郑重')), { 'answer.better': '长'.repeat(2001) }),
    'POST /t/:ticket/ready': forms(paths.ticketReadiness(ticket('陈晨'))),
    'POST /t/:ticket/coming': forms(paths.ticketAttendance(ticket('李想'))),
    'POST /door/join/:code': forms(join),
    // Sent by the door script.
    'POST /door/entries': [],
    'POST /door/check-in': forms(paths.doorCheckIn(), { registration: personNamed('要来的人').id }),
    'POST /door/undo': forms(paths.doorUndo()),
    'POST /door/walk-in': forms(paths.doorWalkIn(), { name: 'x'.repeat(90), phone: '123' }),
    'POST /door/stand': forms(paths.doorQueueJoin()),
    'POST /door/leave': forms(paths.doorQueueLeave()),
    'POST /door/lend': forms(paths.doorLend(), { board: board('RTB-001').id, registration: personNamed('孙小美').id }),
    'POST /door/return': forms(paths.doorReturn(), { board: board('RTB-003').id }),
    'POST /door/seat': forms(paths.doorSeat()),
    // The second submission has no door session.
    'POST /door/end': forms(paths.doorEnd(), {}),
    'POST /console/workshops/:slug/door/renew': forms(paths.rotateJoinCode(tomorrow.slug), confirmField),
    'POST /console/workshops/:slug/door/open': forms(paths.startDoorSession(yesterday.slug), confirmField),
    'POST /console/workshops/:slug/door/seat': forms(paths.seatDoorQueue(tomorrow.slug), confirmField),
    'POST /console/workshops/:slug/door/sessions/:id/end': forms(
      paths.endDoorSession(today.slug, otherSession),
      confirmField,
    ),
    'POST /console/workshops/:slug/attendance/close': forms(paths.closeAttendance(tomorrow.slug), confirmField),
    'POST /console/workshops/:slug/attendance/reopen': forms(paths.reopenAttendance(today.slug), confirmField),
    'POST /console/workshops/:slug/materials': forms(
      paths.materials(tomorrow.slug),
      { ...confirmField, do: 'add-material' },
      { ...confirmField, 'material.0.title.en': 'Slides', 'material.0.url': 'nowhere' },
    ),
    'POST /console/workshops/:slug/feedback': forms(paths.feedbackQuestions(yesterday.slug), {
      ...{ ...confirmField, 'question.0.zh': '还来吗？', 'question.0.kind': 'rating' },
    }),
    'POST /console/people/:id/check-in': forms(paths.personCheckIn('nothing'), confirmField),
    'POST /console/people/:id/undo': forms(paths.personUndo('nothing'), confirmField),
    'POST /console/boards/add': forms(
      paths.addBoards(),
      { kind, serials: 'RTB-9..RTB-1' },
      { kind, serials: 'RTB-001' },
    ),
    'POST /console/boards/:id/edit': forms(paths.boardEdit(board('RTB-003').id), { kind, serial: 'RTB-004' }),
    'POST /console/boards/:id/state': forms(paths.boardState(board('RTB-001').id), {
      ...confirmField,
      state: 'retired',
    }),
    'POST /console/boards/:id/return': forms(paths.boardReturn(board('RTB-003').id), confirmField),
    'POST /console/boards/:id/remove': forms(paths.boardRemove(board('RTB-001').id), confirmField),
    'POST /console/workshops/:slug/boards/pack': forms(
      paths.allocateBoards(tomorrow.slug),
      { kind, count: '0' },
      { kind, serials: 'RTB-999' },
    ),
    'POST /console/workshops/:slug/boards/unpack': forms(paths.deallocateBoards(tomorrow.slug)),
    'POST /console/workshops/:slug/boards/lend': forms(paths.lendBoard(today.slug)),
    'POST /console/workshops/:slug/boards/return': forms(paths.returnBoard(today.slug)),
    'POST /console/workshops/:slug/boards/ask': forms(paths.requestBoardReturns(tomorrow.slug), confirmField),
  }
  return { doorCookie, pages, doorPages, submissions }
}

const items: ItemDraft[] = [
  { kind: 'provided', text: { zh: '开发板', en: 'Board' }, mustConfirm: false },
  { kind: 'bring', text: { zh: '笔记本电脑和插线板', en: 'Laptop and power strip' }, mustConfirm: true },
  {
    ...{ kind: 'prerequisite', text: { zh: '安装好 RT-Thread Studio', en: 'RT-Thread Studio installed' } },
    ...{ url: 'https://www.rt-thread.org/studio.html', mustConfirm: true },
  },
  { kind: 'prerequisite', text: { zh: 'C 语言基础', en: 'C basics' }, mustConfirm: false },
]

const cities = {
  nanjing: { city: { zh: '南京', en: 'Nanjing' }, venue: { zh: '软件谷', en: 'Software Valley' } },
  shenzhen: { city: { zh: '深圳', en: 'Shenzhen' }, venue: { zh: '科技园', en: 'Science Park' } },
  hangzhou: { city: { zh: '杭州', en: 'Hangzhou' }, venue: { zh: '梦想小镇', en: 'Dream Town' } },
  chengdu: { city: { zh: '成都', en: 'Chengdu' }, venue: { zh: '天府软件园', en: 'Tianfu Software Park' } },
  xian: { city: { zh: '西安', en: 'Xi’an' }, venue: { zh: '软件新城', en: 'Software New Town' } },
  beijing: { city: { zh: '北京', en: 'Beijing' }, venue: { zh: '中关村', en: 'Zhongguancun' } },
  wuhan: { city: { zh: '武汉', en: 'Wuhan' }, venue: { zh: '光谷', en: 'Optics Valley' } },
}

/** The announcement of July 2023, with a line that the parser cannot interpret. */
const announcement =
  'RT-Thread线下入门培训7月 - 上海,南京1.免费2.动手实验+理论3.主办方免费提供开发板4.自行携带电脑,及插线板5.参与者需要有C语言基础,请提前安装好RT-Thread Studio 开发环境\n天气热，注意防暑。'
