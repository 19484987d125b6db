import { createJoinCode } from '../../src/domain/tickets/signed-tokens.ts'
import { paths } from '../../src/http/links.ts'
import { formValues } from '../support/http/forms.ts'
import { type Booking, type Campaign, certainValue, createBooking, type Person, type Workshop } from './bookings.ts'
import { sendSignUp } from './operations/attendee-requests.ts'
import { sendToConsole } from './operations/console.ts'
import { sendToApi } from './operations/organisers.ts'
import type { Random } from './random.ts'
import { type Run, sendRequest } from './run.ts'

/*
 * Workshops on their day, with doors open during the run, and workshops whose reminders become due in it. Their
 * attendees are separate from attendees who move between campaigns, because here a seat can be lost without a request.
 */

export type Day = {
  doors: DoorWorkshop[]
  reminderWorkshops: ReminderWorkshop[]
  people: Person[]
  boards: string[]
  phones: Phone[]
  /** All entries that phones recorded, by id. */
  entries: Map<string, Entry>
  /** Registrations for which reverting a check-in was requested. */
  undoRequested: Set<string>
  /** Registrations in a door queue, or possibly in one. */
  queuedAtDoor: Set<string>
  attendance: Map<string, Attendance>
  /** Date.now() of the first request to cancel or to answer a reminder, and of the response to it. */
  requestTimes: Map<Booking, { cancel?: number; cancelled?: number; answer?: number; answered?: number }>
}

export type DoorWorkshop = Workshop & { id: string; startsAt: number; grace: number | null }

/**
 * `dueAt`: when its reminder becomes due, as Date.now(). `seatedBefore`: its recipients, who had a seat before the run.
 */
export type ReminderWorkshop = Workshop & { id: string; kind: ReminderKind; dueAt: number; seatedBefore: Set<Booking> }

export type ReminderKind = 'get_ready' | 'coming' | 'day_before'

/** `thanked`: ids that were certainly checked in when thank-you mails were sent. */
type Attendance = { closed: boolean; certain: boolean; thanked: Set<string> }

/** A helper's phone. Entries stay in its queue until they have a response. */
export type Phone = {
  name: string
  workshop: DoorWorkshop
  cookie: string
  queue: Entry[]
  /** Another operation is sending its queue. */
  busy: boolean
}

/** An entry recorded on a phone, with the time of the phone's clock. */
export type Entry = {
  kind: 'in' | 'undo' | 'walk_in' | 'lend' | 'return'
  id: string
  at: number
  phone: Phone
  /** Registration of the entry; for a walk-in set by the response. */
  registration?: string
  board?: string
  checkIn?: string
  name?: string
  /** Submitted by a form, so the service's time counts. */
  viaForm?: boolean
  /** How often it may have reached the service without a response. */
  lostResponses: number
  firstSentAt?: number
  /** Results in order of arrival; times as Date.now(). */
  results: Result[]
  firstResponseAt?: number
}

export type Result = {
  id: string
  outcome: string
  checkedIn?: { id: string; at: string; by: string } | null
  person?: { id: string } | null
}

const hour = 3_600_000

/** Hours before the start at which each reminder is due. */
const reminderHours: Record<ReminderKind, number> = { get_ready: 168, coming: 72, day_before: 24 }

/** Publishes and fills the workshops, adds boards and starts door sessions, before any fault. */
export async function setUpDay(run: Run, random: Random, quick: boolean): Promise<void> {
  const { day } = run
  const now = Math.floor(Date.now() / 1000) * 1000
  const delay = (quick ? 20 : 120) * 1000
  for (const { slug, startsAt, grace, capacity, people } of [
    { slug: 'day-1', startsAt: now + delay, grace: 0, capacity: 60, people: 75 },
    { slug: 'day-2', startsAt: now + delay / 2, grace: null, capacity: 40, people: 38 },
    { slug: 'day-3', startsAt: now + 5 * hour, grace: 0, capacity: 40, people: 50 },
  ]) {
    const workshop = await createWorkshop(run, random, 'the-day', { slug, startsAt, capacity })
    if (grace !== null) await setGraceMinutes(run, random, { slug, startsAt, grace })
    const door = { ...workshop, startsAt, grace }
    day.doors.push(door)
    await fillWorkshop(run, random, door, people)
  }
  for (const [n, kind] of (['get_ready', 'coming', 'day_before'] as const).entries()) {
    const [slug, dueAt] = [`reminded-${n + 1}`, now + delay]
    const at = { slug, startsAt: dueAt + reminderHours[kind] * hour, capacity: 50 }
    const workshop = await createWorkshop(run, random, 'reminded', at)
    const seatedBefore = new Set(await fillWorkshop(run, random, workshop, 50))
    day.reminderWorkshops.push({ ...workshop, kind, dueAt, seatedBefore })
  }
  // Recent registrations get no reminder, so their times are moved back.
  await run.cluster.sql`
    update registrations r set placed_at = placed_at - interval '8 days', seated_at = seated_at - interval '8 days'
    from workshops w where w.id = r.workshop_id and w.slug like 'reminded-%'`

  const form = { kind: 'STM32F407', serials: 'B-001..B-040' }
  await expectStatus(sendToConsole(run, random, { kind: 'add boards', path: paths.addBoards(), form }), 303)
  day.boards.push(...(await run.cluster.sql<{ id: string }[]>`select id from boards`).map(({ id }) => id))
  for (const workshop of day.doors) {
    for (const name of ['东门', '西门']) day.phones.push(await joinDoor(run, random, workshop, name))
  }
}

export const createDay = (): Day => ({
  ...{ doors: [], reminderWorkshops: [], people: [], boards: [], phones: [] },
  ...{
    entries: new Map(),
    undoRequested: new Set(),
    queuedAtDoor: new Set(),
    attendance: new Map(),
    requestTimes: new Map(),
  },
})

async function createWorkshop(
  run: Run,
  random: Random,
  campaign: string,
  { slug, startsAt, capacity }: { slug: string; startsAt: number; capacity: number },
): Promise<Workshop & { id: string }> {
  const title = { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' }
  const existing = [...run.day.doors, ...run.day.reminderWorkshops].find(
    (workshop) => workshop.campaign.slug === campaign,
  )
  const parentCampaign: Campaign = existing?.campaign ?? { slug: campaign, workshops: [] }
  if (!existing) {
    const item = { kind: 'prerequisite', text: { zh: '安装 RT-Thread Studio' }, mustConfirm: true }
    const json = { slug: campaign, title, summary: { zh: '免费参加。' }, items: [item], publish: true }
    await expectStatus(sendToApi(run, random, { kind: 'create', method: 'POST', path: '/api/v1/campaigns', json }), 201)
  }
  const venue = '张江科学会堂'
  const json = {
    ...{ slug, campaign, title, venue, capacity, publish: true, address: '海科路 1393 号' },
    city: { zh: '上海', en: 'Shanghai' },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(startsAt + 7 * hour).toISOString(),
  }
  await expectStatus(sendToApi(run, random, { kind: 'create', method: 'POST', path: '/api/v1/workshops', json }), 201)
  const [{ id }] = (await run.cluster.sql`select id from workshops where slug = ${slug}`) as unknown as [{ id: string }]
  const workshop: Workshop = {
    ...{
      slug,
      campaign: parentCampaign,
      capacity: certainValue(capacity),
      venue: certainValue(venue),
      revision: 0,
      busy: false,
    },
    // Registration closes by itself at the start.
    state: { acknowledged: 'published', possible: new Set(['closed' as const]) },
  }
  parentCampaign.workshops.push(workshop)
  return { ...workshop, id }
}

/** Uses the workshop form, which has no seconds; so the start is set again afterwards. */
async function setGraceMinutes(
  run: Run,
  random: Random,
  { slug, startsAt, grace }: { slug: string; startsAt: number; grace: number },
) {
  const path = paths.editWorkshop(slug)
  const page = await expectStatus(sendToConsole(run, random, { kind: 'set grace period', path, method: 'GET' }), 200)
  const form = { ...formValues(page.body), graceMinutes: String(grace), tell: 'no' }
  await expectStatus(sendToConsole(run, random, { kind: 'set grace period', path, form }), 303)
  await expectStatus(
    sendToApi(run, random, {
      ...{ kind: 'set the start', method: 'PATCH', path: `/api/v1/workshops/${slug}` },
      json: { startsAt: new Date(startsAt).toISOString() },
    }),
    200,
  )
}

async function fillWorkshop(run: Run, random: Random, workshop: Workshop, count: number): Promise<Booking[]> {
  const bookings = Array.from({ length: count }, () => createDayBooking(run, workshop))
  for (let from = 0; from < count; from += 20) {
    await Promise.all(
      bookings.slice(from, from + 20).map((booking) => sendSignUp(run, random, booking, workshop, { atOnce: true })),
    )
  }
  if (bookings.some(({ stored }) => stored !== 'yes')) throw new Error(`${workshop.slug} could not be filled`)
  return bookings
}

/** A new person with a booking for a workshop of the day. */
export function createDayBooking({ day }: Run, workshop: Workshop): Booking {
  const n = day.people.length + 1
  const email = `guest-${n}@example.com`
  const person: Person = { name: `来宾 ${n}`, email, campaign: workshop.campaign, bookings: [], busy: false }
  day.people.push(person)
  return createBooking(person, workshop, crypto.randomUUID())
}

async function joinDoor(run: Run, random: Random, workshop: DoorWorkshop, name: string): Promise<Phone> {
  const path = paths.doorJoin(createJoinCode(run.cluster.secret, { id: workshop.id, version: 1 }))
  const form = { name }
  const response = await expectStatus(sendRequest(run, random, { kind: 'join door', method: 'POST', path, form }), 303)
  const [cookie = ''] = response.headers['set-cookie'] ?? []
  return { name, workshop, cookie: cookie.split(';')[0] as string, queue: [], busy: false }
}

async function expectStatus(request: ReturnType<typeof sendRequest>, status: number) {
  const response = await request
  if (response.status !== status) throw new Error(`setting up the day failed: ${response.status} ${response.body}`)
  return response
}
