import { joinCodeOf } from '../../src/domain/tickets.ts'
import { paths } from '../../src/links.ts'
import { valuesOf } from '../support/forms.ts'
import { sendSignUp } from './attendee-requests.ts'
import { type Booking, believe, type Campaign, newBooking, type Person, type Workshop } from './bookings.ts'
import { inConsole } from './console.ts'
import { asOrganiser } from './organisers.ts'
import type { Random } from './random.ts'
import { ask, type Run } from './run.ts'

/*
 * The day itself: workshops whose doors are open while the run lasts, and some whose reminders fall due in it. Their people
 * are none of those who move about between the campaigns, because here a seat can be lost without that anybody asked for it.
 */

export type Day = {
  doors: DoorWorkshop[]
  reminded: RemindedWorkshop[]
  people: Person[]
  boards: string[]
  phones: Phone[]
  /** Everything that phones were told to do, by the nonce. */
  entries: Map<string, Entry>
  /** The registrations of which somebody wanted a check-in taken back. */
  undone: Set<string>
  /** Those who stood at a door, or may have. */
  stood: Set<string>
  attendance: Map<string, Attendance>
  /** When something was first asked in the name of a booking, as of Date.now(), and when a cancellation was answered. */
  asked: Map<Booking, { cancel?: number; cancelled?: number; answer?: number; answered?: number }>
}

export type DoorWorkshop = Workshop & { id: string; startsAt: number; grace: number | null }

/** `dueAt`: when its reminder falls due, as of Date.now(); to those who had a seat before the run. */
export type RemindedWorkshop = Workshop & { id: string; kind: ReminderKind; dueAt: number; before: Set<Booking> }

export type ReminderKind = 'get_ready' | 'coming' | 'day_before'

/** `thanked`: who was certainly in when those who came were thanked. */
type Attendance = { closed: boolean; certain: boolean; thanked: Set<string> }

/** A helper's phone. What it was told to do stays in its queue until it has an answer. */
export type Phone = {
  name: string
  workshop: DoorWorkshop
  cookie: string
  queue: Entry[]
  /** Another phone does not send for it. */
  busy: boolean
}

/** What a phone is told to do, with the time by its own clock. */
export type Entry = {
  kind: 'in' | 'undo' | 'walk_in' | 'lend' | 'return'
  id: string
  at: number
  phone: Phone
  /** Whom it is about, as far as that is known: of a walk-in, from the answer on. */
  registration?: string
  board?: string
  checkIn?: string
  name?: string
  /** Sent by a form, of which the service takes the time. */
  byForm?: boolean
  /** How often it may have come to the service without that the answer came back. */
  unheard: number
  firstSentAt?: number
  /** What was answered, in the order in which that was heard; times as of Date.now(). */
  answers: Result[]
  firstHeardAt?: number
}

export type Result = {
  id: string
  outcome: string
  checkedIn?: { id: string; at: string; by: string } | null
  person?: { id: string } | null
}

const hour = 3_600_000

/** How long before the start each reminder is usual. */
const hoursBefore: Record<ReminderKind, number> = { get_ready: 168, coming: 72, day_before: 24 }

/** Publishes the workshops, fills them, packs boards and lets helpers in, before anything fails. */
export async function announceDay(run: Run, random: Random, quick: boolean): Promise<void> {
  const { day } = run
  const now = Math.floor(Date.now() / 1000) * 1000
  const soon = (quick ? 20 : 120) * 1000
  for (const { slug, startsAt, grace, capacity, people } of [
    { slug: 'day-1', startsAt: now + soon, grace: 0, capacity: 60, people: 75 },
    { slug: 'day-2', startsAt: now + soon / 2, grace: null, capacity: 40, people: 38 },
    { slug: 'day-3', startsAt: now + 5 * hour, grace: 0, capacity: 40, people: 50 },
  ]) {
    const workshop = await announce(run, random, 'the-day', { slug, startsAt, capacity })
    if (grace !== null) await setGrace(run, random, { slug, startsAt, grace })
    const door = { ...workshop, startsAt, grace }
    day.doors.push(door)
    await fill(run, random, door, people)
  }
  for (const [n, kind] of (['get_ready', 'coming', 'day_before'] as const).entries()) {
    const [slug, dueAt] = [`reminded-${n + 1}`, now + soon]
    const at = { slug, startsAt: dueAt + hoursBefore[kind] * hour, capacity: 50 }
    const workshop = await announce(run, random, 'reminded', at)
    const before = new Set(await fill(run, random, workshop, 50))
    day.reminded.push({ ...workshop, kind, dueAt, before })
  }
  // Who registered just now is not reminded. Only the time is changed.
  await run.stage.sql`
    update registrations r set placed_at = placed_at - interval '8 days', seated_at = seated_at - interval '8 days'
    from workshops w where w.id = r.workshop_id and w.slug like 'reminded-%'`

  const form = { kind: 'STM32F407', serials: 'B-001..B-040' }
  await certainly(inConsole(run, random, { kind: 'add boards', path: paths.addBoards(), form }), 303)
  day.boards.push(...(await run.stage.sql<{ id: string }[]>`select id from boards`).map(({ id }) => id))
  for (const workshop of day.doors) {
    for (const name of ['东门', '西门']) day.phones.push(await letIn(run, random, workshop, name))
  }
}

export const newDay = (): Day => ({
  ...{ doors: [], reminded: [], people: [], boards: [], phones: [] },
  ...{ entries: new Map(), undone: new Set(), stood: new Set(), attendance: new Map(), asked: new Map() },
})

async function announce(
  run: Run,
  random: Random,
  campaign: string,
  { slug, startsAt, capacity }: { slug: string; startsAt: number; capacity: number },
): Promise<Workshop & { id: string }> {
  const title = { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' }
  const known = [...run.day.doors, ...run.day.reminded].find((workshop) => workshop.campaign.slug === campaign)
  const its: Campaign = known?.campaign ?? { slug: campaign, workshops: [] }
  if (!known) {
    const item = { kind: 'prerequisite', text: { zh: '安装 RT-Thread Studio' }, mustConfirm: true }
    const json = { slug: campaign, title, summary: { zh: '免费参加。' }, items: [item], publish: true }
    await certainly(
      asOrganiser(run, random, { kind: 'announce', method: 'POST', path: '/api/v1/campaigns', json }),
      201,
    )
  }
  const venue = '张江科学会堂'
  const json = {
    ...{ slug, campaign, title, venue, capacity, publish: true, address: '海科路 1393 号' },
    city: { zh: '上海', en: 'Shanghai' },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(startsAt + 7 * hour).toISOString(),
  }
  await certainly(asOrganiser(run, random, { kind: 'announce', method: 'POST', path: '/api/v1/workshops', json }), 201)
  const [{ id }] = (await run.stage.sql`select id from workshops where slug = ${slug}`) as unknown as [{ id: string }]
  const workshop: Workshop = {
    ...{ slug, campaign: its, capacity: believe(capacity), venue: believe(venue), changes: 0, busy: false },
    // It takes nobody any more once it has started.
    state: { certain: 'published', perhaps: new Set(['closed' as const]) },
  }
  its.workshops.push(workshop)
  return { ...workshop, id }
}

/** As an organiser sets it in the form of the workshop, which knows no seconds: so the start is set once more. */
async function setGrace(
  run: Run,
  random: Random,
  { slug, startsAt, grace }: { slug: string; startsAt: number; grace: number },
) {
  const path = paths.editWorkshop(slug)
  const page = await certainly(inConsole(run, random, { kind: 'set a grace time', path, method: 'GET' }), 200)
  const form = { ...valuesOf(page.body), graceMinutes: String(grace), tell: 'no' }
  await certainly(inConsole(run, random, { kind: 'set a grace time', path, form }), 303)
  await certainly(
    asOrganiser(run, random, {
      ...{ kind: 'set the start', method: 'PATCH', path: `/api/v1/workshops/${slug}` },
      json: { startsAt: new Date(startsAt).toISOString() },
    }),
    200,
  )
}

async function fill(run: Run, random: Random, workshop: Workshop, count: number): Promise<Booking[]> {
  const bookings = Array.from({ length: count }, () => newDayBooking(run, workshop))
  for (let from = 0; from < count; from += 20) {
    await Promise.all(
      bookings.slice(from, from + 20).map((booking) => sendSignUp(run, random, booking, workshop, { atOnce: true })),
    )
  }
  if (bookings.some(({ stored }) => stored !== 'yes')) throw new Error(`${workshop.slug} could not be filled in time`)
  return bookings
}

/** Somebody new who is to come on the day. */
export function newDayBooking({ day }: Run, workshop: Workshop): Booking {
  const n = day.people.length + 1
  const email = `guest-${n}@example.com`
  const person: Person = { name: `来宾 ${n}`, email, campaign: workshop.campaign, bookings: [], busy: false }
  day.people.push(person)
  return newBooking(person, workshop, crypto.randomUUID())
}

async function letIn(run: Run, random: Random, workshop: DoorWorkshop, name: string): Promise<Phone> {
  const path = paths.joinDoor(joinCodeOf(run.stage.secret, { id: workshop.id, version: 1 }))
  const form = { name }
  const answer = await certainly(ask(run, random, { kind: 'join a door', method: 'POST', path, form }), 303)
  const [cookie = ''] = answer.headers['set-cookie'] ?? []
  return { name, workshop, cookie: cookie.split(';')[0] as string, queue: [], busy: false }
}

async function certainly(asking: ReturnType<typeof ask>, status: number) {
  const answer = await asking
  if (answer.status !== status) throw new Error(`the day could not be announced: ${answer.status} ${answer.body}`)
  return answer
}
