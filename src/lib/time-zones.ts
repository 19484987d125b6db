/** A moment as ISO 8601 with the offset that its time zone has then: 2026-12-19T09:30:00+08:00. */
export function formatIso(moment: Date, timeZone: string): string {
  const offset = utcOffset(moment, timeZone)
  const minutes = Math.abs(offset)
  const twoDigits = (n: number) => String(n).padStart(2, '0')
  return `${localDateTime(moment, timeZone).replace(' ', 'T')}${offset < 0 ? '-' : '+'}${twoDigits(Math.trunc(minutes / 60))}:${twoDigits(minutes % 60)}`
}

/** What the clocks of a time zone show at a moment: 2026-12-19 09:30:00. */
export function localDateTime(moment: Date, timeZone: string): string {
  return addMinutes(moment, utcOffset(moment, timeZone)).toISOString().slice(0, 19).replace('T', ' ')
}

/**
 * Reads a date and time of ISO 8601 from the years 2000 to 2999; one without an offset is meant in `timeZone`.
 * Undefined for anything else. As in RFC 5545, 3.3.5, a time that occurs twice is its first occurrence, and one that is
 * skipped when the clocks are put forward is read with the offset from before.
 */
export function parseDateTime(text: string, timeZone: string): Date | undefined {
  const [, date, time, seconds = '00', zulu, sign, hours, minutes = '00'] = isoDateTime.exec(text) ?? []
  const local = new Date(`${date}T${time}:${seconds}Z`)
  // Date reads the 30th of February as the 2nd of March.
  if (!date || Number.isNaN(local.getTime()) || !local.toISOString().startsWith(`${date}T${time}`)) return undefined
  if (zulu) return local
  if (sign) return addMinutes(local, -Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)))
  const [before, following] = [-1440, 1440].map((minutes) => utcOffset(addMinutes(local, minutes), timeZone)) as [
    number,
    number,
  ]
  const matchingOffset = [before, following].find(
    (offset) => utcOffset(addMinutes(local, -offset), timeZone) === offset,
  )
  return addMinutes(local, -(matchingOffset ?? before))
}

const isoDateTime =
  /^(2\d{3}-\d\d-\d\d)[T ]([01]\d:[0-5]\d|2[0-3]:[0-5]\d)(?::([0-5]\d)(?:[.,]\d{1,9})?)?(?:([Zz])|([+-])([01]\d)(?::?([0-5]\d))?)?$/

/** The date that the calendar of a time zone shows at a moment: 2026-12-19. */
export function localDate(moment: Date, timeZone: string): string {
  return localDateTime(moment, timeZone).slice(0, 10)
}

/** The time of day that the clocks of a time zone show: 09:30. */
export function localTime(moment: Date, timeZone: string): string {
  return localDateTime(moment, timeZone).slice(11, 16)
}

/** Both, as they are written for organisers: 2026-12-19 09:30. */
export function formatMinute(moment: Date, timeZone: string): string {
  return localDateTime(moment, timeZone).slice(0, 16)
}

/** The first moment of the next day in a time zone. */
export function nextMidnight(moment: Date, timeZone: string): Date {
  const today = new Date(`${localDate(moment, timeZone)}T00:00Z`)
  const tomorrow = new Date(today.getTime() + 24 * hourMs).toISOString().slice(0, 10)
  return parseDateTime(`${tomorrow}T00:00`, timeZone) as Date
}

const addMinutes = (moment: Date, minutes: number) => new Date(moment.getTime() + minutes * 60_000)

/**
 * Minutes that the clocks of a time zone are ahead of UTC at a moment. Intl takes 5 µs to say it, so for each hour it is
 * asked once, at both ends; only in an hour in which the clocks are changed the moment itself counts.
 */
function utcOffset(moment: Date, timeZone: string): number {
  const hour = Math.floor(moment.getTime() / hourMs)
  const cached = offsetCache.get(timeZone) ?? new Map<number, number | 'changes'>()
  let offset = cached.get(hour)
  if (offset === undefined) {
    const [first, last] = [hour, hour + 1].map((n) => computeOffset(new Date(n * hourMs), timeZone)) as [number, number]
    offset = first === last ? first : 'changes'
    if (cached.size >= maxCachedHours) cached.clear()
    offsetCache.set(timeZone, cached.set(hour, offset))
  }
  return offset === 'changes' ? computeOffset(moment, timeZone) : offset
}

const hourMs = 3_600_000
const offsetCache = new Map<string, Map<number, number | 'changes'>>()
/** Six weeks. */
const maxCachedHours = 1000

function computeOffset(moment: Date, timeZone: string): number {
  const { year, month, day, hour, minute, second } = Object.fromEntries(
    getFormat(timeZone)
      .formatToParts(moment)
      .map((part) => [part.type, part.value]),
  )
  return Math.round((Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - moment.getTime()) / 60_000)
}

/** Making one takes longer than using it a hundred times. */
function getFormat(timeZone: string): Intl.DateTimeFormat {
  const format =
    formatCache.get(timeZone) ??
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
  formatCache.set(timeZone, format)
  return format
}

const formatCache = new Map<string, Intl.DateTimeFormat>()
