import { desc, eq, inArray } from 'drizzle-orm'
import { access } from '../../src/access.ts'
import { heldSignUps, mails, organisers } from '../../src/db/schema.ts'
import { setGroup } from '../../src/domain/chat-groups.ts'
import { holdSignUp } from '../../src/domain/held-sign-ups.ts'
import { sendMessage } from '../../src/domain/messages.ts'
import { createToken, inviteOrganiser, listTokens } from '../../src/domain/organisers.ts'
import { cancelPerson, erasePerson, findPerson, movePerson, type Person } from '../../src/domain/person.ts'
import { changeLink, createLink } from '../../src/domain/registration-links.ts'
import { consentVersion } from '../../src/domain/registrations.ts'
import { cancelRegistration, cancelWorkshop } from '../../src/domain/seats.ts'
import { doorCodeOf, firstOwnerCodeOf, heldCodeOf, signInCodeOf } from '../../src/domain/tickets.ts'
import { changeWorkshop, type ItemDraft, type Workshop } from '../../src/domain/workshops.ts'
import { paths, withQuery } from '../../src/links.ts'
import { qrPng } from '../../src/qr.ts'
import { mailSignInLink } from '../../src/sign-in.ts'
import type { World } from './world.ts'

/** A form with what is typed into it. */
export type Sent = { path: string; fields: Record<string, string> }

/** A service with something of everything, and where all of it is seen. */
export type Furnished = {
  /** The cookie of an owner's session. */
  Cookie: string
  /** The addresses of each route that is opened, by its name on the access list, in the states that look different. */
  opened: Record<string, string[]>
  /** What is sent to each route that takes a form: nothing, and what brings it into another state. */
  sent: Record<string, Sent[]>
}

/** Whether a route is asked by programs alone, with a token, and answers with no page. */
export const isForPrograms = (route: string) => / \/(api\/v1\/|metrics$)/.test(route)

/** Whether a route is opened by an owner. Everything else is opened by nobody in particular. */
export const isForOwners = (route: string) => ['viewer', 'organiser', 'owner'].includes(access[route] ?? '')

/**
 * Fills an empty, embedded world: a campaign, workshops and registrations in all states, people who may be one, links,
 * messages, mails, accounts, tokens, a chat group and an audit log, and a year before.
 */
export async function furnish(world: World): Promise<Furnished> {
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
  for (const code of [article, article, poster]) deps.countScan(code)
  await world.scansCounted()
  await changeLink(deps, expired, { expiresAt: world.clock.now() })

  const within = { campaignId: campaign.id, boards: 4, lead: '林老师' }
  const open = await world.workshop({ ...within, capacity: 40, items: items.slice(0, 3) })
  const full = await world.workshop({ ...within, ...cities.nanjing, capacity: 2 })
  const offering = await world.workshop({ ...within, ...cities.shenzhen, capacity: 1, confirmHours: 24 })
  const closed = await world.workshop({ ...cities.beijing, waitlist: false, phone: 'required' })
  const called = await world.workshop({ ...within, ...cities.wuhan, capacity: 3 })
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
  await signUp(called, '白报名的人')
  await signUp(closed, '已截止的人', { phone: '+8613900139000' })
  const of = (name: string) => people.get(name) as { id: string; ticket: string }
  const person = async (name: string) => (await findPerson(deps, of(name).id)) as Person
  await cancelPerson(deps, actor, await person('取消的人'))
  await movePerson(deps, actor, await person('搬走的人'), full.slug)
  await erasePerson(deps, actor, await person('抹去的人'))
  await cancelRegistration(deps, of('让出名额的人').id, 'attendee')
  await cancelWorkshop(deps, called.slug)
  await changeWorkshop(deps, closed.slug, { state: 'closed' })
  const moved = new Date(open.startsAt.getTime() + 3600_000)
  await changeWorkshop(deps, open.slug, { startsAt: moved }, { tell: true })
  const dead = await db
    .select({ id: mails.id })
    .from(mails)
    .where(eq(mails.registrationId, of('王小明').id))
  await db
    .update(mails)
    .set({ state: 'dead', reason: '550 5.1.1 No such user' })
    .where(
      inArray(
        mails.id,
        dead.map(({ id }) => id),
      ),
    )

  const picture = new Uint8Array(qrPng('https://example.com/group', { scale: 4 }))
  await setGroup(deps, open, {
    picture,
    note: { zh: '群满了就加第 2 群' },
    expiresAt: new Date('2026-12-09T10:00:00Z'),
  })
  const [message, news] = [deps.newId(), deps.newId()]
  const written = { subject: '{{city}}见', body: '{{name}}，{{date}}请带电脑。\n\n{{ticket}}' }
  await sendMessage(deps, actor, {
    ...{ id: message, ...written },
    audience: { about: { workshopId: open.id }, workshops: [open], filter: { status: 'confirmed' } },
  })
  await sendMessage(deps, actor, {
    ...{ id: news, subject: 'News', body: 'See you, {{name}}.' },
    audience: { about: { campaignId: campaign.id }, workshops: [open, full], filter: {} },
  })
  const holding = { name: '没算完的人', email: 'held@example.com', ready: {}, locale: 'zh-CN', consentVersion }
  await holdSignUp(deps, proof, holding, 'a-sign-up-that-is-held')
  const [held] = await db.select({ id: heldSignUps.id }).from(heldSignUps)

  const { Cookie } = await world.signIn('owner', '王工')
  const { Cookie: theirs } = await world.signIn('organiser', '林老师')
  await inviteOrganiser(deps, { name: '看数的人', email: 'viewer@example.com', role: 'viewer' })
  await createToken(deps, 'the web page', 'viewer')
  const [token] = await listTokens(deps)
  const [viewer] = await db.select().from(organisers).where(eq(organisers.email, 'viewer@example.com'))
  await mailSignInLink(deps, 'viewer@example.com')
  const [invitation] = await db.select({ uid: mails.uid }).from(mails).orderBy(desc(mails.id)).limit(1)
  // A few lines of the audit log, as they come about: somebody looked and took a list along.
  await world.request(paths.workshopPeople(open.slug), { headers: { Cookie: theirs } })
  await world.request(`${paths.workshopPeople(open.slug)}.csv?q=wxm`, { headers: { Cookie: theirs } })
  await world.request(paths.person(of('王小明').id), { headers: { Cookie: theirs } })

  const tickets = ['王小明', '取消的人', '排队的人', '等确认的人', '白报名的人', '已截止的人'].map(
    (name) => of(name).ticket,
  )
  const [ticket = ''] = tickets
  const offered = of('等确认的人').ticket
  const workshops = [open, full, offering, closed, called, draft].map(({ slug }) => slug)
  const campaigns = [campaign, unpublished, lastYear].map(({ slug }) => slug)
  const persons = ['王小明', '取消的人', '排队的人', '等确认的人', '搬走的人'].map((name) => of(name).id)
  const listed = await db.select().from(mails).orderBy(mails.id)
  const kinds = new Map(listed.map((mail) => [mail.kind, mail.id]))
  const mail = (dead[0] as { id: number }).id
  const code = signInCodeOf(secret, (invitation as { uid: string }).uid)
  const first = firstOwnerCodeOf(secret)
  const heldCode = heldCodeOf(secret, (held as { id: string }).id)
  const door = doorCodeOf(secret, { id: of('王小明').id, version: 1 })

  const opened: Record<string, string[]> = {
    'GET /': [paths.home()],
    'GET /c/:campaign': [paths.campaign(campaign.slug), paths.campaign(lastYear.slug)],
    'GET /w/:workshop': [open, full, closed, called, past, proof].map(({ slug }) => paths.workshop(slug)),
    'GET /w/:workshop/badge.svg': [paths.badge(open.slug)],
    'GET /w/:workshop/embed': [paths.embed(open.slug), paths.embed(called.slug)],
    'GET /w/:workshop/confirm/:code': [paths.confirm(proof.slug, heldCode), paths.confirm(proof.slug, 'nothing')],
    'GET /t/:ticket': tickets.map(paths.ticket),
    'GET /t/:ticket/qr.png': [paths.ticketQr(ticket)],
    'GET /t/:ticket/calendar.ics': [paths.ticketCalendar(ticket)],
    'GET /t/:ticket/data.json': [paths.ticketData(ticket)],
    'GET /t/:ticket/confirm': [paths.ticketConfirm(offered)],
    'GET /t/:ticket/cancel': [paths.ticketCancel(ticket)],
    'GET /t/:ticket/move': [paths.ticketMove(ticket)],
    'GET /t/:ticket/group': [paths.ticketGroup(ticket)],
    'GET /t/:ticket/erase': [paths.ticketErase(ticket)],
    'GET /in/:code': [paths.door(door)],
    'GET /find': [paths.find()],
    'GET /q/:code': [paths.link(article), paths.link(expired), paths.link('nothing')],
    'GET /q/:code/qr.svg': [paths.linkQrSvg(article)],
    'GET /q/:code/qr.png': [paths.linkQrPng(article)],
    'GET /calendar.ics': [paths.calendar()],
    'GET /privacy': [paths.privacy()],
    'GET /assets/:name': [paths.asset('site.css')],
    'GET /favicon.ico': ['/favicon.ico'],
    'GET /api/docs': [paths.apiDocs()],
    'GET /healthz': ['/healthz'],
    'GET /readyz': ['/readyz'],
    'GET /console/sign-in': [paths.signIn(), withQuery(paths.signIn(), { done: 'mailed' })],
    'GET /console/sign-in/:code': [paths.signInWith(code)],
    'GET /console/first/:code': [paths.firstOwner(first)],
    'GET /console/auth/passkey/generate-authenticate-options': [
      `${paths.auth()}/passkey/generate-authenticate-options`,
    ],
    'GET /console/auth/passkey/generate-register-options': [`${paths.auth()}/passkey/generate-register-options`],
    'GET /console/account': [paths.account()],
    'GET /console/draft': [paths.draft()],
    'GET /console/campaigns': [paths.consoleCampaigns()],
    'GET /console/campaigns/new': [paths.newCampaign()],
    'GET /console/campaigns/:slug': campaigns.map(paths.consoleCampaign),
    'GET /console/campaigns/:slug/edit': [paths.editCampaign(campaign.slug)],
    'GET /console/campaigns/:slug/next': [paths.nextCampaign(campaign.slug)],
    'GET /console/campaigns/:slug/workshops': [paths.addWorkshop(campaign.slug)],
    'GET /console/workshops/:slug': workshops.map(paths.consoleWorkshop),
    'GET /console/workshops/:slug/edit': [paths.editWorkshop(open.slug)],
    'GET /console/workshops/:slug/cancel': [paths.cancelWorkshop(open.slug)],
    'GET /console/workshops/:slug/preview': [paths.previewWorkshop(draft.slug)],
    'GET /console/workshops/:slug/preview/page': [paths.previewPage(draft.slug)],
    'GET /console/campaigns/:slug/spread': [paths.spreadCampaign(campaign.slug)],
    'GET /console/workshops/:slug/spread': [paths.spreadWorkshop(open.slug)],
    'GET /console/campaigns/:slug/poster/:file': [paths.campaignPoster(campaign.slug, 'phone')],
    'GET /console/workshops/:slug/poster/:file': [paths.workshopPoster(open.slug, 'a4')],
    'GET /console/links/:code': [paths.consoleLink(article), paths.consoleLink(expired)],
    'GET /console/links/:code/:file': [paths.linkPicture(article, 'qr-article-900.svg')],
    'GET /console/workshops/:slug/group': [paths.group(open.slug), paths.group(full.slug)],
    'GET /console': [paths.console()],
    'GET /console/campaigns/:slug/figures': [paths.campaignFigures(campaign.slug)],
    'GET /console/workshops/:slug/figures': [paths.workshopFigures(open.slug), paths.workshopFigures(draft.slug)],
    'GET /console/years': [paths.years()],
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
    'GET /console/people/:id/cancel': [paths.personCancel(of('王小明').id)],
    'GET /console/people/:id/move': [paths.personMove(of('王小明').id)],
    'GET /console/people/:id/promote': [paths.personPromote(of('排队的人').id)],
    'GET /console/people/:id/erase': [paths.personErase(of('王小明').id)],
    'GET /console/workshops/:slug/messages': [paths.workshopMessages(open.slug)],
    'GET /console/workshops/:slug/messages/new': [paths.newWorkshopMessage(open.slug)],
    'GET /console/campaigns/:slug/messages': [paths.campaignMessages(campaign.slug)],
    'GET /console/campaigns/:slug/messages/new': [paths.newCampaignMessage(campaign.slug)],
    'GET /console/messages/:id': [paths.message(message), paths.message(news)],
    'GET /console/mails': [paths.consoleMails(), withQuery(paths.consoleMails(), { state: 'dead' })],
    'GET /mailbox': [paths.mailbox()],
    'GET /mailbox/:id': [paths.mailboxMail(mail)],
    'GET /mailbox/:id/html': [...kinds.values()].map(paths.mailboxHtml),
    'GET /mailbox/:id/files/:n': [paths.mailboxFile(mail, 1)],
  }

  const { id: one } = of('王小明')
  const to = (path: string, ...typed: Record<string, string>[]): Sent[] =>
    [{}, ...typed].map((fields) => ({ path, fields }))
  const chosen = (action: string, names: string[]) => ({
    action,
    ...Object.fromEntries(names.map((name) => ['id', of(name).id])),
  })
  const sent: Record<string, Sent[]> = {
    'POST /w/:workshop': [
      ...to(paths.workshop(open.slug), { name: '李雷', email: 'li@example', phone: '12345' }),
      ...to(paths.workshop(full.slug)),
      ...to(paths.workshop(closed.slug)),
    ],
    'POST /w/:workshop/confirm/:code': to(paths.confirm(proof.slug, 'nothing')),
    'POST /t/:ticket/email': to(paths.ticketEmail(ticket), { email: 'wang@' }),
    'POST /t/:ticket/confirm': to(paths.ticketConfirm(ticket)),
    'POST /t/:ticket/cancel': to(paths.ticketCancel(of('已截止的人').ticket)),
    'POST /t/:ticket/move': to(paths.ticketMove(ticket), { to: 'nowhere' }),
    'POST /t/:ticket/erase': to(paths.ticketErase(of('白报名的人').ticket)),
    'POST /find': to(paths.find(), { email: 'wang@' }, { email: 'wang@example.com' }),
    'POST /console/sign-in': to(paths.signIn(), { email: 'wang@' }),
    'POST /console/sign-in/:code': to(paths.signInWith('nothing')),
    'POST /console/first/:code': to(paths.firstOwner(first)),
    'POST /console/sign-out': [],
    'POST /console/auth/passkey/verify-authentication': [],
    'POST /console/auth/passkey/verify-registration': [],
    'POST /console/account': to(paths.account()),
    'POST /console/account/sessions/:id/end': to(paths.endSession('nothing')),
    'POST /console/account/passkeys/:id/remove': to(paths.removePasskey('nothing')),
    'POST /console/draft': to(paths.draft(), { text: announcement }),
    'POST /console/campaigns/new': to(paths.newCampaign(), {
      ...{ 'title.zh': '三月', 'city.0.zh': '杭州', 'city.0.date': '2027-03-31', 'city.0.from': '17:00' },
      ...{ 'city.0.to': '09:00', 'city.0.capacity': 'many', 'item.0.kind': 'bring', 'item.0.en': 'Laptop' },
      ...{ 'item.0.url': 'nowhere', source: announcement },
    }),
    'POST /console/campaigns/:slug/edit': to(paths.editCampaign(campaign.slug)),
    'POST /console/campaigns/:slug/publish': to(paths.publishCampaign(campaign.slug)),
    'POST /console/campaigns/:slug/unpublish': to(paths.unpublishCampaign(campaign.slug)),
    'POST /console/campaigns/:slug/workshops': to(paths.addWorkshop(campaign.slug)),
    'POST /console/workshops/:slug/edit': to(paths.editWorkshop(open.slug), {
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
      ...to(paths.setWorkshopState(open.slug), { state: 'draft' }),
      ...to(paths.setWorkshopState(called.slug), { state: 'published' }),
    ],
    'POST /console/workshops/:slug/cancel': to(paths.cancelWorkshop(called.slug)),
    'POST /console/campaigns/:slug/links': to(paths.addCampaignLink(campaign.slug)),
    'POST /console/workshops/:slug/links': to(paths.addWorkshopLink(open.slug)),
    'POST /console/links/:code': to(paths.consoleLink(article)),
    'POST /console/workshops/:slug/group': to(paths.group(full.slug)),
    'POST /console/workshops/:slug/group/remove': to(paths.removeGroup(full.slug)),
    'POST /console/organisers': to(paths.organisers(), { name: '又一位', email: 'viewer@example.com', role: 'viewer' }),
    'POST /console/organisers/:id': to(paths.organiser(viewer?.id ?? ''), { role: 'viewer' }),
    'POST /console/organisers/:id/remove': to(paths.removeOrganiser('nothing')),
    'POST /console/tokens': to(paths.tokens(), { name: 'a bot', role: 'viewer' }),
    'POST /console/tokens/:id/revoke': to(paths.revokeToken(token?.id ?? '')),
    'POST /console/workshops/:slug/people/add': to(paths.addPerson(open.slug), {
      name: 'x',
      email: 'returns-1@example.com',
      consent: 'yes',
    }),
    'POST /console/people/chosen': to(
      paths.chosenPeople(),
      ...['cancel', 'move'].map((action) => chosen(action, ['王小明'])),
      chosen('promote', ['排队的人']),
      { ...chosen('merge', ['王小明（第二次）']), kept: one },
      { ...chosen('cancel', ['取消的人']), sure: 'yes' },
    ),
    'POST /console/people/apart': to(paths.apartPeople()),
    'POST /console/people/:id/edit': to(paths.personEdit(one)),
    'POST /console/people/:id/cancel': to(paths.personCancel(of('取消的人').id)),
    'POST /console/people/:id/move': to(paths.personMove(one)),
    'POST /console/people/:id/promote': to(paths.personPromote(of('排队的人').id), { reason: '讲师' }),
    'POST /console/people/:id/confirm': to(paths.personConfirm(one)),
    'POST /console/people/:id/erase': to(paths.personErase('nothing')),
    'POST /console/people/:id/mails/:mail/send-again': to(paths.personMail(one, 0)),
    'POST /console/workshops/:slug/messages/new': to(
      paths.newWorkshopMessage(open.slug),
      { subject: '{{town}}见', body: '{{name' },
      { subject: '{{city}}见', body: '{{date}} {{time}} {{place}} {{ticket}}' },
    ),
    'POST /console/campaigns/:slug/messages/new': to(paths.newCampaignMessage(campaign.slug)),
    'POST /console/mails/:id/send-again': to(paths.sendMailAgain(0)),
  }
  return { Cookie, opened, sent }
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
  beijing: { city: { zh: '北京', en: 'Beijing' }, venue: { zh: '中关村', en: 'Zhongguancun' } },
  wuhan: { city: { zh: '武汉', en: 'Wuhan' }, venue: { zh: '光谷', en: 'Optics Valley' } },
}

/** The announcement of July 2023, with a line that stands for nothing. */
const announcement =
  'RT-Thread线下入门培训7月 - 上海,南京1.免费2.动手实验+理论3.主办方免费提供开发板4.自行携带电脑,及插线板5.参与者需要有C语言基础,请提前安装好RT-Thread Studio 开发环境\n天气热，注意防暑。'
