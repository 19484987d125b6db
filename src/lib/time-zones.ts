/** Formats a moment as ISO 8601 with the UTC offset of a time zone: 2026-12-19T09:30:00+08:00. */
export function formatIso(moment: Date, timeZone: string): string {
  const offset = utcOffset(moment, timeZone)
  const minutes = Math.abs(offset)
  const twoDigits = (n: number) => String(n).padStart(2, '0')
  return `${localDateTime(moment, timeZone).replace(' ', 'T')}${offset < 0 ? '-' : '+'}${twoDigits(Math.trunc(minutes / 60))}:${twoDigits(minutes % 60)}`
}

/** The local date and time in a time zone: 2026-12-19 09:30:00. */
export function localDateTime(moment: Date, timeZone: string): string {
  return addMinutes(moment, utcOffset(moment, timeZone)).toISOString().slice(0, 19).replace('T', ' ')
}

/**
 * Parses an ISO 8601 date and time of the years 2000 to 2999; without an offset it is local time in `timeZone`. Returns
 * undefined for anything else. As in RFC 5545, 3.3.5, a local time that occurs twice means its first occurrence, and one
 * that is skipped at the start of daylight saving time is interpreted with the offset before it.
 */
export function parseDateTime(text: string, timeZone: string): Date | undefined {
  const [, date, time, seconds = '00', zulu, sign, hours, minutes = '00'] = isoDateTime.exec(text) ?? []
  const local = new Date(`${date}T${time}:${seconds}Z`)
  // Date parses February 30 as March 2.
  if (!date || Number.isNaN(local.getTime()) || !local.toISOString().startsWith(`${date}T${time}`)) return undefined
  if (zulu) return local
  if (sign) return addMinutes(local, -Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)))
  const [before, after] = [-1440, 1440].map((minutes) => utcOffset(addMinutes(local, minutes), timeZone)) as [
    number,
    number,
  ]
  const matchingOffset = [before, after].find((offset) => utcOffset(addMinutes(local, -offset), timeZone) === offset)
  return addMinutes(local, -(matchingOffset ?? before))
}

const isoDateTime =
  /^(2\d{3}-\d\d-\d\d)[T ]([01]\d:[0-5]\d|2[0-3]:[0-5]\d)(?::([0-5]\d)(?:[.,]\d{1,9})?)?(?:([Zz])|([+-])([01]\d)(?::?([0-5]\d))?)?$/

/** The local date in a time zone: 2026-12-19. */
export function localDate(moment: Date, timeZone: string): string {
  return localDateTime(moment, timeZone).slice(0, 10)
}

/** The local time of day in a time zone: 09:30. */
export function localTime(moment: Date, timeZone: string): string {
  return localDateTime(moment, timeZone).slice(11, 16)
}

/** The local date and time to the minute: 2026-12-19 09:30. */
export function formatMinute(moment: Date, timeZone: string): string {
  return localDateTime(moment, timeZone).slice(0, 16)
}

/** The start of the next local day in a time zone. */
export function nextMidnight(moment: Date, timeZone: string): Date {
  const today = new Date(`${localDate(moment, timeZone)}T00:00Z`)
  const tomorrow = new Date(today.getTime() + 24 * hourMs).toISOString().slice(0, 10)
  return parseDateTime(`${tomorrow}T00:00`, timeZone) as Date
}

const addMinutes = (moment: Date, minutes: number) => new Date(moment.getTime() + minutes * 60_000)

/**
 * The UTC offset of a time zone at a moment, in minutes. Intl takes 5 µs per call, so the offset is cached per hour, from
 * the values at its start and end; only for an hour in which it changes is the moment itself computed.
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
/** Six weeks of hours. */
const maxCachedHours = 1000

function computeOffset(moment: Date, timeZone: string): number {
  const { year, month, day, hour, minute, second } = Object.fromEntries(
    getFormat(timeZone)
      .formatToParts(moment)
      .map((part) => [part.type, part.value]),
  )
  return Math.round((Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - moment.getTime()) / 60_000)
}

/** Cached, because creating a format takes longer than using it a hundred times. */
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
