import { localDateTime, parseDateTime } from '../../lib/time-zones.ts'
import type { Workshop, WorkshopDraft } from '../workshops/workshops.ts'

/** How a workshop is run, for the next one like it: all but who, when and where. What its checklist is alone, too. */
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
 * When a workshop would be a month later: on the same weekday of the month, the second Saturday say, or the last one
 * where there is none so late; at the same time of day in its time zone. After the last month that `readMoment` knows there
 * is none later.
 */
export function shiftOneMonth({ startsAt, endsAt, timeZone }: Pick<Workshop, 'startsAt' | 'endsAt' | 'timeZone'>): {
  startsAt: Date
  endsAt: Date
} {
  const [start, end] = [startsAt, endsAt].map((moment) => localDateTime(moment, timeZone)) as [string, string]
  const startDay = dayNumber(start)
  const shiftedDay = sameWeekdayNextMonth(startDay)
  const shiftTime = (clock: string) =>
    parseDateTime(`${dateFromDayNumber(shiftedDay + dayNumber(clock) - startDay)}T${clock.slice(11)}`, timeZone)
  const [shiftedStart, shiftedEnd] = [shiftTime(start), shiftTime(end)]
  return shiftedStart && shiftedEnd ? { startsAt: shiftedStart, endsAt: shiftedEnd } : { startsAt, endsAt }
}

const msPerDay = 86_400_000
/** Days since 1970 of the date that a clock shows. */
const dayNumber = (clock: string) => Date.parse(`${clock.slice(0, 10)}T00:00:00Z`) / msPerDay
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
