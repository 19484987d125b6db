import { localDateTime, parseDateTime } from '../../lib/time-zones.ts'
import type { Workshop, WorkshopDraft } from '../workshops/workshops.ts'

/** The settings that a copy of a workshop takes over: all but title, place, dates, capacity and boards. */
export function copySettings(workshop: Workshop): Partial<WorkshopDraft> {
  const { timeZone, waitlist, phone, confirmHours, graceMinutes, proofOfWork, lead, entry, reminders } = workshop
  const { feedbackQuestions, hasOwnItems, items } = workshop
  return {
    ...{
      timeZone,
      waitlist,
      phone,
      confirmHours,
      graceMinutes,
      proofOfWork,
      lead,
      entry,
      reminders,
      feedbackQuestions,
    },
    items: hasOwnItems ? items.map(({ id: _, ...item }) => item) : [],
  }
}

/**
 * The time of a workshop one month later: on the same weekday of the month, such as the second Saturday (the last one if the
 * month has no fifth), at the same local time. Unchanged if that is after the last year that `parseDateTime` accepts.
 */
export function shiftOneMonth({ startsAt, endsAt, timeZone }: Pick<Workshop, 'startsAt' | 'endsAt' | 'timeZone'>): {
  startsAt: Date
  endsAt: Date
} {
  const [start, end] = [startsAt, endsAt].map((moment) => localDateTime(moment, timeZone)) as [string, string]
  const startDay = dayNumber(start)
  const shiftedDay = sameWeekdayNextMonth(startDay)
  const shiftTime = (local: string) =>
    parseDateTime(`${dateFromDayNumber(shiftedDay + dayNumber(local) - startDay)}T${local.slice(11)}`, timeZone)
  const [shiftedStart, shiftedEnd] = [shiftTime(start), shiftTime(end)]
  return shiftedStart && shiftedEnd ? { startsAt: shiftedStart, endsAt: shiftedEnd } : { startsAt, endsAt }
}

const msPerDay = 86_400_000
/** Days from 1970-01-01 to a local date and time. */
const dayNumber = (local: string) => Date.parse(`${local.slice(0, 10)}T00:00:00Z`) / msPerDay
const dateFromDayNumber = (number: number) => new Date(number * msPerDay).toISOString().slice(0, 10)

function sameWeekdayNextMonth(day: number): number {
  const date = new Date(day * msPerDay)
  const nth = Math.ceil(date.getUTCDate() / 7)
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / msPerDay
  const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 2, 1) / msPerDay
  const firstMatch = first + ((date.getUTCDay() - new Date(first * msPerDay).getUTCDay() + 7) % 7)
  const target = firstMatch + (nth - 1) * 7
  return target < next ? target : target - 7
}
