import { sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { type ReminderKind, type ReminderPlan, reminderKinds } from '../../db/schema.ts'
import { localDate, localDateTime, parseDateTime } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { bulkMailIntervalSeconds } from './pacing.ts'

/*
 * Scheduled mails before a workshop: to attendees who are not ready, to ask for attendance confirmation, and the day before.
 * Their times are computed here; the SQL function below selects the recipients, and claim_mails.sql checks again whether a
 * mail is still wanted when it is sent.
 */

/** Allowed range of each reminder, in hours before the start. */
export const reminderHours = {
  get_ready: { least: 24, most: 60 * 24 },
  coming: { least: 24, most: 30 * 24 },
  day_before: { least: 4, most: 72 },
} as const satisfies Record<ReminderKind, { least: number; most: number }>

/** A reminder of one workshop, sent from `at` to `until`. */
export type Reminder = { kind: ReminderKind; at: Date; until: Date }

type ScheduledWorkshop = Pick<Workshop, 'startsAt' | 'timeZone' | 'reminders'>

/**
 * Schedules the reminders of a workshop, in the order of their kinds, without disabled ones. Whole days are calendar days in
 * its time zone: seven days before 9:30 is 9:30, also across a daylight-saving change.
 *
 * None is sent late: each ends 24 hours after its time, when the next one begins, or at the start. `day_before` ends three
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

/** Start date of a workshop in its time zone: 2026-12-19. */
export function localStartDate({ startsAt, timeZone }: Pick<Workshop, 'startsAt' | 'timeZone'>): string {
  return localDate(startsAt, timeZone)
}

/** Identifies the workshop and date that a reminder is for; stored with the mail. */
export function reminderKey(workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>): string {
  return `${workshop.id} ${localStartDate(workshop)}`
}

/**
 * Attendees seated after this time do not get the reminder: less than 24 hours before it they have just read the details.
 * `day_before` is only delayed, until two hours after they got the seat.
 */
export function seatedAtCutoff({ kind, at }: Reminder, now: Date): Date {
  return kind === 'day_before' ? addHours(now, -2) : addHours(at, -24)
}

/**
 * Enqueues the reminders that are due. Returns how many. Called once a minute; each is enqueued once, even by concurrent
 * processes.
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
    const [result] = await query<{ queued: number }>(
      deps.db,
      sql`select enqueue_reminders(${JSON.stringify(due)}::jsonb, ${enqueueBatchSize}, ${timestamptz(firstDueAt)}, ${intervalSeconds}, ${timestamptz(now)}) as queued`,
    )
    if (result?.queued) deps.notifyMailQueue()
    enqueued += result?.queued ?? 0
    if ((result?.queued ?? 0) < enqueueBatchSize) return enqueued
  }
}

/** Mails enqueued per statement, which then takes half a second. */
const enqueueBatchSize = 10_000

/** Lists the workshops that may have a reminder due now. */
async function listUpcomingWorkshops(deps: Deps, now: Date): Promise<(ScheduledWorkshop & { id: string })[]> {
  // Plus a day of margin for daylight-saving changes.
  const latest = addHours(now, Math.max(...Object.values(reminderHours).map(({ most }) => most)) + 24)
  const rows = await query<{ id: string; starts_at: string | Date; time_zone: string; reminders: ReminderPlan }>(
    deps.db,
    sql`select id, starts_at, time_zone, reminders from workshops
        where starts_at > ${timestamptz(now)} and starts_at <= ${timestamptz(latest)} and state in ('published', 'closed')
        -- A fixed order prevents deadlocks between concurrent processes.
        order by id`,
  )
  return rows.map(({ id, starts_at, time_zone, reminders }) => ({
    ...{ id, startsAt: new Date(starts_at), timeZone: time_zone, reminders },
  }))
}

const hourMs = 3_600_000
const addHours = (date: Date, hours: number) => new Date(date.getTime() + hours * hourMs)
