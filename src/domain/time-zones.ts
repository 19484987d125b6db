/** A moment as ISO 8601 with the offset that its time zone has then: 2026-12-19T09:30:00+08:00. */
export function isoIn(moment: Date, timeZone: string): string {
  const offset = offsetAt(moment, timeZone)
  const size = Math.abs(offset)
  const twoDigits = (n: number) => String(n).padStart(2, '0')
  return `${clockIn(moment, timeZone).replace(' ', 'T')}${offset < 0 ? '-' : '+'}${twoDigits(Math.trunc(size / 60))}:${twoDigits(size % 60)}`
}

/** What the clocks of a time zone show at a moment: 2026-12-19 09:30:00. */
export function clockIn(moment: Date, timeZone: string): string {
  return after(moment, offsetAt(moment, timeZone)).toISOString().slice(0, 19).replace('T', ' ')
}

/**
 * Reads a date and time of ISO 8601 from the years 2000 to 2999; one without an offset is meant in `timeZone`.
 * Undefined for anything else. As in RFC 5545, 3.3.5, a time that occurs twice is its first occurrence, and one that is
 * skipped when the clocks are put forward is read with the offset from before.
 */
export function readMoment(text: string, timeZone: string): Date | undefined {
  const [, date, time, seconds = '00', zulu, sign, hours, minutes = '00'] = isoDateTime.exec(text) ?? []
  const local = new Date(`${date}T${time}:${seconds}Z`)
  // Date reads the 30th of February as the 2nd of March.
  if (!date || Number.isNaN(local.getTime()) || !local.toISOString().startsWith(`${date}T${time}`)) return undefined
  if (zulu) return local
  if (sign) return after(local, -Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)))
  const [before, since] = [-1440, 1440].map((minutes) => offsetAt(after(local, minutes), timeZone)) as [number, number]
  const fitting = [before, since].find((offset) => offsetAt(after(local, -offset), timeZone) === offset)
  return after(local, -(fitting ?? before))
}

const isoDateTime =
  /^(2\d{3}-\d\d-\d\d)[T ]([01]\d:[0-5]\d|2[0-3]:[0-5]\d)(?::([0-5]\d)(?:[.,]\d{1,9})?)?(?:([Zz])|([+-])([01]\d)(?::?([0-5]\d))?)?$/

/** The date that the calendar of a time zone shows at a moment: 2026-12-19. */
export function dateIn(moment: Date, timeZone: string): string {
  return clockIn(moment, timeZone).slice(0, 10)
}

/** The time of day that the clocks of a time zone show: 09:30. */
export function timeIn(moment: Date, timeZone: string): string {
  return clockIn(moment, timeZone).slice(11, 16)
}

/** Both, as they are written for organisers: 2026-12-19 09:30. */
export function minuteIn(moment: Date, timeZone: string): string {
  return clockIn(moment, timeZone).slice(0, 16)
}

/** The first moment of the next day in a time zone. */
export function nextMidnight(moment: Date, timeZone: string): Date {
  const today = new Date(`${dateIn(moment, timeZone)}T00:00Z`)
  const tomorrow = new Date(today.getTime() + 24 * hourLong).toISOString().slice(0, 10)
  return readMoment(`${tomorrow}T00:00`, timeZone) as Date
}

const after = (moment: Date, minutes: number) => new Date(moment.getTime() + minutes * 60_000)

/**
 * Minutes that the clocks of a time zone are ahead of UTC at a moment. Intl takes 5 µs to say it, so for each hour it is
 * asked once, at both ends; only in an hour in which the clocks are changed the moment itself counts.
 */
function offsetAt(moment: Date, timeZone: string): number {
  const hour = Math.floor(moment.getTime() / hourLong)
  const known = offsets.get(timeZone) ?? new Map<number, number | 'changes'>()
  let offset = known.get(hour)
  if (offset === undefined) {
    const [first, last] = [hour, hour + 1].map((n) => readOffset(new Date(n * hourLong), timeZone)) as [number, number]
    offset = first === last ? first : 'changes'
    if (known.size >= mostHours) known.clear()
    offsets.set(timeZone, known.set(hour, offset))
  }
  return offset === 'changes' ? readOffset(moment, timeZone) : offset
}

const hourLong = 3_600_000
const offsets = new Map<string, Map<number, number | 'changes'>>()
/** Six weeks. */
const mostHours = 1000

function readOffset(moment: Date, timeZone: string): number {
  const { year, month, day, hour, minute, second } = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(moment)
      .map((part) => [part.type, part.value]),
  )
  return Math.round((Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - moment.getTime()) / 60_000)
}

/** Making one takes longer than using it a hundred times. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
  formats.set(timeZone, format)
  return format
}

const formats = new Map<string, Intl.DateTimeFormat>()
