import { sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { type ReminderKind, type ReminderPlan, reminderKinds } from '../../db/schema.ts'
import { localDate, localDateTime, parseDateTime } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { bulkMailIntervalSeconds } from './pacing.ts'

/*
 * Mails on a schedule before a workshop: to those who are not ready, whether they come, and the day before. What falls due
 * and for how long is worked out here; drizzle/functions/enqueue_reminders.sql owes it to those whom it concerns, and
 * claim_mails.sql looks once more when it is sent.
 */

/** Hours before the start within which each reminder may be planned. */
export const reminderHours = {
  get_ready: { least: 24, most: 60 * 24 },
  coming: { least: 24, most: 30 * 24 },
  day_before: { least: 4, most: 72 },
} as const satisfies Record<ReminderKind, { least: number; most: number }>

/** A reminder of one workshop: from when until when it goes out. */
export type Reminder = { kind: ReminderKind; at: Date; until: Date }

type ScheduledWorkshop = Pick<Workshop, 'startsAt' | 'timeZone' | 'reminders'>

/**
 * The reminders of a workshop in the order of their kinds, without those that it does not send. Whole days are days on the
 * clocks of its time zone: seven days before half past nine is half past nine, also where clocks were changed between.
 *
 * None goes out late: each ends a day after its time, where the next begins, or at the start; that of the day before three
 * hours before the start, when people are on their way.
 */
export function planReminders(workshop: ScheduledWorkshop): Reminder[] {
  const times = reminderKinds.flatMap((kind) => {
    const hours = workshop.reminders[kind]
    return hours === undefined ? [] : [{ kind, at: hoursBefore(workshop, hours) }]
  })
  return times.map(({ kind, at }) => {
    const ends =
      kind === 'day_before'
        ? [addHours(workshop.startsAt, -3)]
        : [addHours(at, 24), workshop.startsAt, ...times.flatMap((next) => (next.at > at ? [next.at] : []))]
    return { kind, at, until: new Date(Math.min(...ends.map(Number))) }
  })
}

function hoursBefore({ startsAt, timeZone }: ScheduledWorkshop, hours: number): Date {
  const [date, time] = localDateTime(startsAt, timeZone).split(' ') as [string, string]
  const day = new Date(Date.parse(`${date}T00:00:00Z`) - Math.floor(hours / 24) * 24 * hourMs)
  const localMoment = parseDateTime(`${day.toISOString().slice(0, 'yyyy-mm-dd'.length)}T${time}`, timeZone)
  return addHours(localMoment ?? addHours(startsAt, -Math.floor(hours / 24) * 24), -(hours % 24))
}

/** The day on which a workshop starts, on the clocks of its time zone: 2026-12-19. */
export function localStartDate({ startsAt, timeZone }: Pick<Workshop, 'startsAt' | 'timeZone'>): string {
  return localDate(startsAt, timeZone)
}

/** How a mail says for which workshop on which day it is. */
export function reminderKey(workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>): string {
  return `${workshop.id} ${localStartDate(workshop)}`
}

/**
 * When somebody must have got their seat at the latest to be sent a reminder. Who signed up the day before they would be
 * asked has just read the list, and said that they come; who did so at the last minute gets two hours' peace.
 */
export function seatedAtCutoff({ kind, at }: Reminder, now: Date): Date {
  return kind === 'day_before' ? addHours(now, -2) : addHours(at, -24)
}

/**
 * Owes the reminders whose time it is. To be called once a minute, from as many processes as there are: each reminder is
 * owed once. Returns how many.
 */
export async function enqueueReminders(deps: Deps): Promise<number> {
  const now = deps.now()
  const due = (await listUpcomingWorkshops(deps, now)).flatMap((workshop) =>
    planReminders(workshop)
      .filter(({ at, until }) => at <= now && now < until)
      .map((reminder) => ({
        ...{ workshop: workshop.id, kind: reminder.kind, day: localStartDate(workshop) },
        ...{ startsAt: workshop.startsAt, until: reminder.until, seatedBy: seatedAtCutoff(reminder, now) },
      })),
  )
  if (due.length === 0) return 0
  const intervalSeconds = bulkMailIntervalSeconds(deps)
  let enqueued = 0
  for (;;) {
    const firstDueAt = new Date(now.getTime() + enqueued * intervalSeconds * 1000)
    const [result] = await query<{ owed: number }>(
      deps.db,
      sql`select enqueue_reminders(${JSON.stringify(due)}::jsonb, ${enqueueBatchSize}, ${timestamptz(firstDueAt)}, ${intervalSeconds}, ${timestamptz(now)}) as owed`,
    )
    if (result?.owed) deps.notifyMailQueue()
    enqueued += result?.owed ?? 0
    if ((result?.owed ?? 0) < enqueueBatchSize) return enqueued
  }
}

/** Mails that are owed in one statement, which takes half a second then. */
const enqueueBatchSize = 10_000

/** The workshops of which anybody may have to be reminded now. */
async function listUpcomingWorkshops(deps: Deps, now: Date): Promise<(ScheduledWorkshop & { id: string })[]> {
  // A day more, for clocks that were changed.
  const latest = addHours(now, Math.max(...Object.values(reminderHours).map(({ most }) => most)) + 24)
  const found = await query<{ id: string; starts_at: string | Date; time_zone: string; reminders: ReminderPlan }>(
    deps.db,
    sql`select id, starts_at, time_zone, reminders from workshops
        where starts_at > ${timestamptz(now)} and starts_at <= ${timestamptz(latest)} and state in ('published', 'closed')
        -- So that two who owe at once insert in one order.
        order by id`,
  )
  return found.map(({ id, starts_at, time_zone, reminders }) => ({
    ...{ id, startsAt: new Date(starts_at), timeZone: time_zone, reminders },
  }))
}

const hourMs = 3_600_000
const addHours = (date: Date, hours: number) => new Date(date.getTime() + hours * hourMs)
