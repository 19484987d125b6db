export type CalendarDay = { year: number; month: number; day: number }

/**
 * The date of a workshop in an announcement: a month (`YYYY-MM`), or a day (`YYYY-MM-DD`), or several days up to `lastDate`.
 * Times are local, `HH:MM`: an announcement names no time zone.
 */
export type AnnouncedDate = { month: string } | { date: string; lastDate?: string; from?: string; to?: string }

export type AnnouncedTime = { from: string; to?: string }

/** Dates or a time, with their position in the text. */
export type DateReading = { start: number; end: number } & (
  | { kind: 'dates'; dates: AnnouncedDate[] }
  | { kind: 'time'; time: AnnouncedTime }
)

/**
 * Finds the dates and times in a range of a text, in order. A month without a year is the next one, including the current
 * month. Invalid days and weekdays that contradict their date are ignored. Times are separate readings: see `attachTimes`.
 * @param normalized the text in half-width characters
 * @param loose whether 7.15 is a date
 * @param budget the number of possible beginnings of a date or time that may still be examined; reduced by those that are
 */
export function findDates(
  normalized: string,
  start: number,
  end: number,
  today: CalendarDay,
  { loose, budget }: { loose: boolean; budget: { tokens: number } },
): DateReading[] {
  const scan: DateScan = { text: normalized.slice(start, end), today, year: undefined, loose }
  const readings: DateReading[] = []
  for (let position = 0; budget.tokens > 0; budget.tokens--) {
    startPattern.lastIndex = position
    const match = startPattern.exec(scan.text)
    if (!match) break
    const reading = parseDatesAt(scan, match.index) ?? parseTimeAt(scan, match.index)
    if (reading) readings.push({ ...reading, start: start + reading.start, end: start + reading.end })
    // A number is read in whole or not at all.
    position = reading ? reading.end : match.index + match[0].length
  }
  return mergeRanges(normalized, readings)
}

/**
 * Assigns each time to the dates before it that have none yet, or else to the date after it.
 * @returns all readings except times that were not assigned
 */
export function attachTimes(readings: DateReading[]): DateReading[] {
  const attached = new Set<DateReading>()
  readings.forEach((reading, index) => {
    if (reading.kind === 'dates') {
      attached.add(reading)
      return
    }
    const daysToFill: { from?: string; to?: string }[] = []
    for (let before = index - 1; before >= 0; before--) {
      const earlier = readings[before]
      if (earlier?.kind !== 'dates') break
      daysToFill.push(...daysWithoutTime(earlier.dates))
    }
    const next = readings[index + 1]
    if (daysToFill.length === 0 && next?.kind === 'dates') daysToFill.push(...daysWithoutTime(next.dates))
    for (const day of daysToFill) Object.assign(day, reading.time)
    if (daysToFill.length > 0) attached.add(reading)
  })
  return readings.filter((reading) => attached.has(reading))
}

export function daysWithoutTime(dates: AnnouncedDate[]): Extract<AnnouncedDate, { date: string }>[] {
  return dates.filter((date) => 'date' in date).filter((day) => !day.from)
}

type DateScan = { text: string; today: CalendarDay; year: number | undefined; loose: boolean }

const withUpperCase = (names: string) => `${names}|${names.toUpperCase()}`
const monthNames = withUpperCase(
  'Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?',
)
const dayNames = withUpperCase(
  'Mon(?:day)?|Tue(?:s|sday)?|Wed(?:nesday)?|Thu(?:rs|rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?',
)
const periods = '凌晨|早上|早|上午|中午|下午|傍晚|晚上|晚'
const numerals = '零一二三四五六七八九十'
const rangeSeparator = ' ?(?:-+|~|至|到|to|until|till) ?'
const listSeparator = ' ?(?:[、,和及与&/]|and) ?'
const ordinalSuffix = '(?:st|nd|rd|th)?(?!\\w|:\\d| ?[ap]\\.?m)'

/** Where a date or time can begin. */
const startPattern = new RegExp(
  `(?<![\\w.,/:-])\\d+|(?<=[-~,:、(]|[^\\x00-\\x7f])\\d+|[一二三四五六七八九十]{1,3}(?=月|点)|两(?=点)|(?:${periods})|(?<![A-Za-z])(?:${monthNames}|${dayNames})(?![a-z])`,
  'g',
)

const sticky = (pattern: string, flags = 'y') => new RegExp(pattern, flags)
const chineseYear = sticky('(\\d{4}) ?年 ?')
const chineseMonth = sticky(`(\\d{1,2}|[一二三四五六七八九十]{1,3}) ?月份?`)
const chineseDay = sticky(
  ` ?(\\d{1,2}|[一二三四五六七八九十]{1,3})(?!\\d|[.:]\\d| ?(?:[点时人个名元块位岁场家台套种期周]|小时)) ?(日|号(?!楼|馆|厅|会|线|门|院|教))?`,
)
const numericDate = sticky('(\\d{4})([-/.])(\\d{1,2})(?:\\2(\\d{1,2}))?(?![\\d/.:-]?\\d)')
const monthAndDay = sticky('(\\d{1,2})([/.])(\\d{1,2})(?![\\d/.:]?\\d|-\\d(?!\\d?/))')
const englishDayFirst = sticky(
  `(?:(${dayNames})\\.?,? )?(?:the )?(\\d{1,2}${ordinalSuffix}(?:(?:${rangeSeparator}|${listSeparator})\\d{1,2}${ordinalSuffix}){0,11}) (?:of )?(${monthNames})\\.?(?:,? (\\d{4}))?(?!\\w)`,
)
const englishMonthFirst = sticky(
  `(?:(${dayNames})\\.?,? )?(${monthNames})\\.? (?:the )?(\\d{1,2}${ordinalSuffix}(?:(?:${rangeSeparator}|${listSeparator})\\d{1,2}${ordinalSuffix}){0,11})(?:,? (\\d{4})(?!\\w|:\\d))?`,
)
const englishMonth = sticky(`(${monthNames})\\.?(?:,? (\\d{4}))?(?!\\w)`, 'y')
const weekday = sticky(` ?\\(? ?(?:(?:周|星期|礼拜)([一二三四五六日天])|(${dayNames})(?![a-z])) ?\\)?`, 'yi')
const separator = sticky(`(${rangeSeparator})|${listSeparator}`, 'yi')
const clockTime = sticky(
  ` ?(${periods})? ?(?:(\\d{1,2}):(\\d\\d)(?!\\d)|(\\d{1,2}|两|[一二三四五六七八九十]{1,3}) ?(?:[点时](?![要说建注内间]) ?(?:(半)|(\\d{1,2}|[一二三四五]?十[一二三四五六七八九]?) ?分?(?!\\d)|整)?)?)(?: ?([ap])\\.?m(?:\\.|(?![a-z])))?`,
  'yi',
)

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function parseDatesAt(scan: DateScan, at: number): DateReading | undefined {
  return parseChineseDate(scan, at) ?? parseNumericDate(scan, at) ?? parseEnglishDate(scan, at)
}

/** 7月, 2023年7月15日(周六), 7月15、22日, 7月15日-16日. */
function parseChineseDate(scan: DateScan, at: number): DateReading | undefined {
  const namedYear = matchAt(chineseYear, scan.text, at)
  const month = matchAt(chineseMonth, scan.text, namedYear ? at + namedYear[0].length : at)
  const number = parseNumeral(month?.[1])
  if (!month || number < 1 || number > 12) return undefined
  if (namedYear) scan.year = Number(namedYear[1])
  const year = inferYear(scan, number)
  let end = month.index + month[0].length
  const dates: AnnouncedDate[] = []
  for (let separatorMatch: RegExpExecArray | null | undefined; ; ) {
    const day = matchAt(chineseDay, scan.text, separatorMatch ? separatorMatch.index + separatorMatch[0].length : end)
    // After a comma a bare number is not a day: 7月15日,3块开发板.
    if (!day || (separatorMatch && !day[2])) break
    if (!addDay(dates, year, number, parseNumeral(day[1]), separatorMatch?.[1] !== undefined)) {
      if (dates.length === 0) return undefined
      break
    }
    end = skipWeekday(scan, day.index + day[0].length, dates)
    separatorMatch = matchAt(separator, scan.text, end)
    if (!separatorMatch) break
  }
  if (dates.length === 0) {
    if (!isValidYear(year)) return undefined
    dates.push({ month: `${year}-${twoDigits(number)}` })
  }
  return { kind: 'dates', start: at, end, dates }
}

/** 2023-07-15, 2023/7, 7/15; 7.15 where dates are expected. */
function parseNumericDate(scan: DateScan, at: number): DateReading | undefined {
  const whole = matchAt(numericDate, scan.text, at)
  const short = whole ? null : matchAt(monthAndDay, scan.text, at)
  const match = whole ?? short
  if (!match || (short?.[2] === '.' && !scan.loose)) return undefined
  let [month, day] = whole ? [Number(whole[3]), whole[4] && Number(whole[4])] : [Number(short?.[1]), Number(short?.[3])]
  if (short && month > 12) [month, day] = [day as number, month]
  if (month < 1 || month > 12) return undefined
  if (whole) scan.year = Number(whole[1])
  const year = inferYear(scan, month)
  const end = at + match[0].length
  if (!day)
    return isValidYear(year)
      ? { kind: 'dates', start: at, end, dates: [{ month: `${year}-${twoDigits(month)}` }] }
      : undefined
  const dates: AnnouncedDate[] = []
  if (!addDay(dates, year, month, day, false)) return undefined
  return { kind: 'dates', start: at, end: skipWeekday(scan, end, dates), dates }
}

/** Sat 15 July 2023, July 15th, 15-16 July, 15 and 22 July, July 2023. */
function parseEnglishDate(scan: DateScan, at: number): DateReading | undefined {
  const dayFirst = matchAt(englishDayFirst, scan.text, at)
  const match = dayFirst ?? matchAt(englishMonthFirst, scan.text, at)
  const month = match ? match[dayFirst ? 3 : 2] : matchAt(englishMonth, scan.text, at)?.[1]
  const monthOnly = match ? null : matchAt(englishMonth, scan.text, at)
  const number = monthNumber(month)
  if (!number || !(match ?? monthOnly)) return undefined
  const namedYear = match ? match[4] : monthOnly?.[2]
  // "March" and "May" are also ordinary words.
  if (
    !match &&
    !namedYear &&
    /^(?:Mar|March|May)$/i.test(month as string) &&
    !/(?:\b(?:in|of|during|this)|^[^A-Za-z]*|[:(-]) ?$/.test(scan.text.slice(Math.max(0, at - 12), at))
  ) {
    return undefined
  }
  if (namedYear) scan.year = Number(namedYear)
  const year = inferYear(scan, number)
  if (!match) {
    const end = at + (monthOnly as RegExpExecArray)[0].length
    return isValidYear(year)
      ? { kind: 'dates', start: at, end, dates: [{ month: `${year}-${twoDigits(number)}` }] }
      : undefined
  }
  const dates: AnnouncedDate[] = []
  for (const day of match[dayFirst ? 2 : 3]?.matchAll(/(-|~|to|until|till)? ?(\d+)/gi) ?? []) {
    if (!addDay(dates, year, number, Number(day[2]), day[1] !== undefined)) return undefined
  }
  const weekdayName = match[1]
  const start = weekdayName && !isOnWeekday(dates, weekdayNumber(weekdayName)) ? at + weekdayName.length : at
  return { kind: 'dates', start, end: skipWeekday(scan, at + match[0].length, dates), dates }
}

/** 9:30-17:00, 下午两点, 2-5pm, 14时30分. */
function parseTimeAt({ text }: DateScan, at: number): DateReading | undefined {
  const first = matchAt(clockTime, text, at)
  if (!first || first.index !== at) return undefined
  let end = at + first[0].length
  const joint = matchAt(separator, text, end)
  const second = joint?.[1] ? matchAt(clockTime, text, end + joint[0].length) : null
  const to = second && isExplicitTime(second) ? second : null
  // 2-5pm: the first number is a time because the second one is.
  if (!isExplicitTime(first) && !to) return undefined
  const pm = to && !first[1] && !first[7] && to[7] ? to[7] : undefined
  const from = parseMinutes(first, pm && parseHour(first) <= parseHour(to as RegExpExecArray) ? pm : undefined)
  if (from === undefined) return undefined
  const time: AnnouncedTime = { from: formatMinutes(from) }
  const until = to ? parseMinutes(to, undefined) : undefined
  if (to && until !== undefined) {
    // 下午2点到5点: the second time is in the afternoon too.
    const late = until <= from && until < 720 && until + 720 > from && !to[1] && !to[7] ? until + 720 : until
    if (late > from) {
      time.to = formatMinutes(late)
      end = to.index + to[0].length
    }
  }
  if (!time.to && !isExplicitTime(first)) return undefined
  return { kind: 'time', start: at, end, time }
}

/** True if minutes, am/pm or 点 mark the number as a time. */
function isExplicitTime(match: RegExpExecArray): boolean {
  return match[3] !== undefined || match[7] !== undefined || /[点时]/.test(match[0])
}

const parseHour = (match: RegExpExecArray) => parseNumeral(match[2] ?? match[4])

/** Minutes since midnight, or undefined for an invalid time. */
function parseMinutes(match: RegExpExecArray, ampm: string | undefined): number | undefined {
  const hour = parseHour(match)
  const minute = match[5] ? 30 : parseNumeral(match[3] ?? match[6] ?? '0')
  const half = (match[7] ?? ampm)?.toLowerCase()
  const afternoon = half === 'p' || /^(?:下午|傍晚|晚)/.test(match[1] ?? '') || (match[1] === '中午' && hour < 5)
  if (hour > 24 || minute > 59 || (half && (hour < 1 || hour > 12))) return undefined
  const minutes = (afternoon && hour < 12 ? hour + 12 : half === 'a' && hour === 12 ? 0 : hour) * 60 + minute
  return minutes < 1440 ? minutes : undefined
}

const formatMinutes = (minutes: number) => `${twoDigits(Math.trunc(minutes / 60))}:${twoDigits(minutes % 60)}`
const twoDigits = (n: number) => String(n).padStart(2, '0')

/** Appends a day, or makes it the `lastDate` of the day before. Returns false if that is not possible. */
function addDay(dates: AnnouncedDate[], year: number, month: number, day: number, endsRange: boolean): boolean {
  const moment = new Date(Date.UTC(year, month - 1, day))
  if (!isValidYear(year) || moment.getUTCMonth() !== month - 1) return false
  const date = `${year}-${twoDigits(month)}-${twoDigits(day)}`
  const first = dates.at(-1)
  if (!endsRange) dates.push({ date })
  else if (first && 'date' in first && !first.lastDate && first.date < date) first.lastDate = date
  else return false
  return true
}

const isValidYear = (year: number) => year >= 2000 && year <= 2999

function inferYear({ year, today }: DateScan, month: number): number {
  return year ?? (month < today.month ? today.year + 1 : today.year)
}

/** The end of a weekday that follows a date and matches it, or else the end of the date. */
function skipWeekday({ text }: DateScan, end: number, dates: AnnouncedDate[]): number {
  const match = matchAt(weekday, text, end)
  if (!match) return end
  const number = match[1]
    ? '日一二三四五六'.indexOf(match[1] === '天' ? '日' : match[1])
    : weekdayNumber(match[2] as string)
  return isOnWeekday(dates.slice(-1), number) ? end + match[0].length : end
}

/** True if the first of these dates, or the last day of its range, is on the weekday; 0 is Sunday. */
function isOnWeekday([first]: AnnouncedDate[], weekday: number): boolean {
  if (!first || !('date' in first)) return false
  return [first.date, first.lastDate ?? first.date].some(
    (date) => new Date(`${date}T00:00:00Z`).getUTCDay() === weekday,
  )
}

const weekdayNumber = (name: string) => 'sunmontuewedthufrisat'.indexOf(name.slice(0, 3).toLowerCase()) / 3

function monthNumber(name: string | undefined): number {
  return name ? 'janfebmaraprmayjunjulaugsepoctnovdec'.indexOf(name.slice(0, 3).toLowerCase()) / 3 + 1 : 0
}

/** Parses digits or 一 to 九十九; 两 is 2. NaN if there is no number. */
export function parseNumeral(text: string | undefined): number {
  if (!text) return Number.NaN
  if (/^\d+$/.test(text)) return Number(text)
  if (text === '两') return 2
  const [tens, ones] = text.includes('十') ? text.split('十') : ['零', text]
  const digit = (numeral: string | undefined, empty: number) => (numeral ? numerals.indexOf(numeral) : empty)
  return digit(tens, 1) * 10 + digit(ones, 0)
}

/** Merges two dates with only a range separator between them: 7月31日-8月2日. */
function mergeRanges(normalized: string, readings: DateReading[]): DateReading[] {
  const merged: DateReading[] = []
  for (const reading of readings) {
    const before = merged.at(-1)
    const [last, next] = [before?.kind === 'dates' && before.dates.at(-1), reading.kind === 'dates' && reading.dates[0]]
    if (
      before &&
      last &&
      next &&
      'date' in last &&
      'date' in next &&
      !last.lastDate &&
      last.date < next.date &&
      reading.kind === 'dates' &&
      reading.dates.length === 1 &&
      onlyRangeSeparator.test(normalized.slice(before.end, reading.start))
    ) {
      last.lastDate = next.lastDate ?? next.date
      before.end = reading.end
    } else merged.push(reading)
  }
  return merged
}

const onlyRangeSeparator = new RegExp(`^${rangeSeparator}$`, 'i')
