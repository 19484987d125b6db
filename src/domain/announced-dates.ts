/** A calendar day. */
export type Day = { year: number; month: number; day: number }

/**
 * When an announcement says that a workshop is: in a month (`YYYY-MM`), or on a day (`YYYY-MM-DD`), on several up to
 * `lastDate`. Times are `HH:MM` as the clocks on the spot show them: an announcement names no time zone.
 */
export type AnnouncedDate = { month: string } | { date: string; lastDate?: string; from?: string; to?: string }

export type AnnouncedTime = { from: string; to?: string }

/** A date or a time, and where in the text it was read. */
export type DateReading = { start: number; end: number } & (
  | { kind: 'dates'; dates: AnnouncedDate[] }
  | { kind: 'time'; time: AnnouncedTime }
)

/**
 * The dates and times in a range of a text, in its order. A month without a year is the next one, today's included. A day
 * that no calendar has is not read, nor is a weekday that contradicts its date. Times stay on their own: see `joinTimes`.
 * @param plain the text in plain width
 * @param loose whether 7.15 is a date
 * @param left how many places where a date or time can begin may still be looked at; it is lowered by those that were
 */
export function findDates(
  plain: string,
  start: number,
  end: number,
  today: Day,
  { loose, left }: { loose: boolean; left: { tokens: number } },
): DateReading[] {
  const scan: Scan = { text: plain.slice(start, end), today, year: undefined, loose }
  const readings: DateReading[] = []
  for (let at = 0; left.tokens > 0; left.tokens--) {
    starts.lastIndex = at
    const match = starts.exec(scan.text)
    if (!match) break
    const reading = readDates(scan, match.index) ?? readTime(scan, match.index)
    if (reading) readings.push({ ...reading, start: start + reading.start, end: start + reading.end })
    // What begins with a digit is read in whole or not at all.
    at = reading ? reading.end : match.index + match[0].length
  }
  return joinRanges(plain, readings)
}

/**
 * Gives each time to the dates before it that have none yet, or else to the one after it.
 * @returns the readings that found their place: all but times that no date waits for
 */
export function joinTimes(readings: DateReading[]): DateReading[] {
  const joined = new Set<DateReading>()
  readings.forEach((reading, index) => {
    if (reading.kind === 'dates') {
      joined.add(reading)
      return
    }
    const waiting: { from?: string; to?: string }[] = []
    for (let before = index - 1; before >= 0; before--) {
      const earlier = readings[before]
      if (earlier?.kind !== 'dates') break
      waiting.push(...daysWithoutTime(earlier.dates))
    }
    const next = readings[index + 1]
    if (waiting.length === 0 && next?.kind === 'dates') waiting.push(...daysWithoutTime(next.dates))
    for (const day of waiting) Object.assign(day, reading.time)
    if (waiting.length > 0) joined.add(reading)
  })
  return readings.filter((reading) => joined.has(reading))
}

/** Those that name a day, and no time yet. */
export function daysWithoutTime(dates: AnnouncedDate[]): Extract<AnnouncedDate, { date: string }>[] {
  return dates.filter((date) => 'date' in date).filter((day) => !day.from)
}

type Scan = { text: string; today: Day; year: number | undefined; loose: boolean }

const inCapitals = (names: string) => `${names}|${names.toUpperCase()}`
const monthNames = inCapitals(
  'Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?',
)
const dayNames = inCapitals(
  'Mon(?:day)?|Tue(?:s|sday)?|Wed(?:nesday)?|Thu(?:rs|rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?',
)
const periods = '凌晨|早上|早|上午|中午|下午|傍晚|晚上|晚'
const numerals = '零一二三四五六七八九十'
const between = ' ?(?:-+|~|至|到|to|until|till) ?'
const list = ' ?(?:[、,和及与&/]|and) ?'
const th = '(?:st|nd|rd|th)?(?!\\w|:\\d| ?[ap]\\.?m)'

/** Where a date or time can begin. */
const starts = new RegExp(
  `(?<![\\w.,/:-])\\d+|(?<=[-~,:、(]|[^\\x00-\\x7f])\\d+|[一二三四五六七八九十]{1,3}(?=月|点)|两(?=点)|(?:${periods})|(?<![A-Za-z])(?:${monthNames}|${dayNames})(?![a-z])`,
  'g',
)

const sticky = (pattern: string, flags = 'y') => new RegExp(pattern, flags)
const chineseYear = sticky('(\\d{4}) ?年 ?')
const chineseMonth = sticky(`(\\d{1,2}|[一二三四五六七八九十]{1,3}) ?月份?`)
const chineseDay = sticky(
  ` ?(\\d{1,2}|[一二三四五六七八九十]{1,3})(?!\\d|[.:]\\d| ?(?:[点时人个名元块位岁场家台套种期周]|小时)) ?(日|号(?!楼|馆|厅|会|线|门|院|教))?`,
)
const numeric = sticky('(\\d{4})([-/.])(\\d{1,2})(?:\\2(\\d{1,2}))?(?![\\d/.:-]?\\d)')
const monthAndDay = sticky('(\\d{1,2})([/.])(\\d{1,2})(?![\\d/.:]?\\d|-\\d(?!\\d?/))')
const englishDayFirst = sticky(
  `(?:(${dayNames})\\.?,? )?(?:the )?(\\d{1,2}${th}(?:(?:${between}|${list})\\d{1,2}${th}){0,11}) (?:of )?(${monthNames})\\.?(?:,? (\\d{4}))?(?!\\w)`,
)
const englishMonthFirst = sticky(
  `(?:(${dayNames})\\.?,? )?(${monthNames})\\.? (?:the )?(\\d{1,2}${th}(?:(?:${between}|${list})\\d{1,2}${th}){0,11})(?:,? (\\d{4})(?!\\w|:\\d))?`,
)
const englishMonth = sticky(`(${monthNames})\\.?(?:,? (\\d{4}))?(?!\\w)`, 'y')
const weekday = sticky(` ?\\(? ?(?:(?:周|星期|礼拜)([一二三四五六日天])|(${dayNames})(?![a-z])) ?\\)?`, 'yi')
const separator = sticky(`(${between})|${list}`, 'yi')
const clock = sticky(
  ` ?(${periods})? ?(?:(\\d{1,2}):(\\d\\d)(?!\\d)|(\\d{1,2}|两|[一二三四五六七八九十]{1,3}) ?(?:[点时](?![要说建注内间]) ?(?:(半)|(\\d{1,2}|[一二三四五]?十[一二三四五六七八九]?) ?分?(?!\\d)|整)?)?)(?: ?([ap])\\.?m(?:\\.|(?![a-z])))?`,
  'yi',
)

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function readDates(scan: Scan, at: number): DateReading | undefined {
  return readChinese(scan, at) ?? readNumeric(scan, at) ?? readEnglish(scan, at)
}

/** 7月, 2023年7月15日(周六), 7月15、22日, 7月15日-16日. */
function readChinese(scan: Scan, at: number): DateReading | undefined {
  const named = match(chineseYear, scan.text, at)
  const month = match(chineseMonth, scan.text, named ? at + named[0].length : at)
  const number = numberOf(month?.[1])
  if (!month || number < 1 || number > 12) return undefined
  if (named) scan.year = Number(named[1])
  const year = yearOf(scan, number)
  let end = month.index + month[0].length
  const dates: AnnouncedDate[] = []
  for (let separated: RegExpExecArray | null | undefined; ; ) {
    const day = match(chineseDay, scan.text, separated ? separated.index + separated[0].length : end)
    // After a comma a bare number is no day: 7月15日,3块开发板.
    if (!day || (separated && !day[2])) break
    if (!addDay(dates, year, number, numberOf(day[1]), separated?.[1] !== undefined)) {
      if (dates.length === 0) return undefined
      break
    }
    end = skipWeekday(scan, day.index + day[0].length, dates)
    separated = match(separator, scan.text, end)
    if (!separated) break
  }
  if (dates.length === 0) {
    if (!validYear(year)) return undefined
    dates.push({ month: `${year}-${twoDigits(number)}` })
  }
  return { kind: 'dates', start: at, end, dates }
}

/** 2023-07-15, 2023/7, 7/15; 7.15 where dates are expected. */
function readNumeric(scan: Scan, at: number): DateReading | undefined {
  const whole = match(numeric, scan.text, at)
  const short = whole ? null : match(monthAndDay, scan.text, at)
  const found = whole ?? short
  if (!found || (short?.[2] === '.' && !scan.loose)) return undefined
  let [month, day] = whole ? [Number(whole[3]), whole[4] && Number(whole[4])] : [Number(short?.[1]), Number(short?.[3])]
  if (short && month > 12) [month, day] = [day as number, month]
  if (month < 1 || month > 12) return undefined
  if (whole) scan.year = Number(whole[1])
  const year = yearOf(scan, month)
  const end = at + found[0].length
  if (!day)
    return validYear(year)
      ? { kind: 'dates', start: at, end, dates: [{ month: `${year}-${twoDigits(month)}` }] }
      : undefined
  const dates: AnnouncedDate[] = []
  if (!addDay(dates, year, month, day, false)) return undefined
  return { kind: 'dates', start: at, end: skipWeekday(scan, end, dates), dates }
}

/** Sat 15 July 2023, July 15th, 15-16 July, 15 and 22 July, July 2023. */
function readEnglish(scan: Scan, at: number): DateReading | undefined {
  const dayFirst = match(englishDayFirst, scan.text, at)
  const found = dayFirst ?? match(englishMonthFirst, scan.text, at)
  const month = found ? found[dayFirst ? 3 : 2] : match(englishMonth, scan.text, at)?.[1]
  const bare = found ? null : match(englishMonth, scan.text, at)
  const number = monthNumber(month)
  if (!number || !(found ?? bare)) return undefined
  const named = found ? found[4] : bare?.[2]
  // "March" and "May" are words too.
  if (
    !found &&
    !named &&
    /^(?:Mar|March|May)$/i.test(month as string) &&
    !/(?:\b(?:in|of|during|this)|^[^A-Za-z]*|[:(-]) ?$/.test(scan.text.slice(Math.max(0, at - 12), at))
  ) {
    return undefined
  }
  if (named) scan.year = Number(named)
  const year = yearOf(scan, number)
  if (!found) {
    const end = at + (bare as RegExpExecArray)[0].length
    return validYear(year)
      ? { kind: 'dates', start: at, end, dates: [{ month: `${year}-${twoDigits(number)}` }] }
      : undefined
  }
  const dates: AnnouncedDate[] = []
  for (const day of found[dayFirst ? 2 : 3]?.matchAll(/(-|~|to|until|till)? ?(\d+)/gi) ?? []) {
    if (!addDay(dates, year, number, Number(day[2]), day[1] !== undefined)) return undefined
  }
  const said = found[1]
  const start = said && !fallsOn(dates, weekdayNumber(said)) ? at + said.length : at
  return { kind: 'dates', start, end: skipWeekday(scan, at + found[0].length, dates), dates }
}

/** 9:30-17:00, 下午两点, 2-5pm, 14时30分. */
function readTime({ text }: Scan, at: number): DateReading | undefined {
  const first = match(clock, text, at)
  if (!first || first.index !== at) return undefined
  let end = at + first[0].length
  const joint = match(separator, text, end)
  const second = joint?.[1] ? match(clock, text, end + joint[0].length) : null
  const to = second && isClock(second) ? second : null
  // 2-5pm: the first number is a time because the second one is.
  if (!isClock(first) && !to) return undefined
  const pm = to && !first[1] && !first[7] && to[7] ? to[7] : undefined
  const from = timeOf(first, pm && hourOf(first) <= hourOf(to as RegExpExecArray) ? pm : undefined)
  if (from === undefined) return undefined
  const time: AnnouncedTime = { from: asTime(from) }
  const until = to ? timeOf(to, undefined) : undefined
  if (to && until !== undefined) {
    // 下午2点到5点: the second time is in the afternoon too.
    const late = until <= from && until < 720 && until + 720 > from && !to[1] && !to[7] ? until + 720 : until
    if (late > from) {
      time.to = asTime(late)
      end = to.index + to[0].length
    }
  }
  if (!time.to && !isClock(first)) return undefined
  return { kind: 'time', start: at, end, time }
}

/** Whether a number is a time by what stands with it. */
function isClock(found: RegExpExecArray): boolean {
  return found[3] !== undefined || found[7] !== undefined || /[点时]/.test(found[0])
}

const hourOf = (found: RegExpExecArray) => numberOf(found[2] ?? found[4])

/** Minutes since midnight, or undefined for none that a clock shows. */
function timeOf(found: RegExpExecArray, ampm: string | undefined): number | undefined {
  const hour = hourOf(found)
  const minute = found[5] ? 30 : numberOf(found[3] ?? found[6] ?? '0')
  const half = (found[7] ?? ampm)?.toLowerCase()
  const afternoon = half === 'p' || /^(?:下午|傍晚|晚)/.test(found[1] ?? '') || (found[1] === '中午' && hour < 5)
  if (hour > 24 || minute > 59 || (half && (hour < 1 || hour > 12))) return undefined
  const minutes = (afternoon && hour < 12 ? hour + 12 : half === 'a' && hour === 12 ? 0 : hour) * 60 + minute
  return minutes < 1440 ? minutes : undefined
}

const asTime = (minutes: number) => `${twoDigits(Math.trunc(minutes / 60))}:${twoDigits(minutes % 60)}`
const twoDigits = (n: number) => String(n).padStart(2, '0')

/** Appends a day, or makes it the last of the one before; false for one that no calendar has. */
function addDay(dates: AnnouncedDate[], year: number, month: number, day: number, ends: boolean): boolean {
  const moment = new Date(Date.UTC(year, month - 1, day))
  if (!validYear(year) || moment.getUTCMonth() !== month - 1) return false
  const date = `${year}-${twoDigits(month)}-${twoDigits(day)}`
  const first = dates.at(-1)
  if (!ends) dates.push({ date })
  else if (first && 'date' in first && !first.lastDate && first.date < date) first.lastDate = date
  else return false
  return true
}

const validYear = (year: number) => year >= 2000 && year <= 2999

function yearOf({ year, today }: Scan, month: number): number {
  return year ?? (month < today.month ? today.year + 1 : today.year)
}

/** The end of a weekday that follows a date and agrees with it, or where the date ended. */
function skipWeekday({ text }: Scan, end: number, dates: AnnouncedDate[]): number {
  const found = match(weekday, text, end)
  if (!found) return end
  const number = found[1]
    ? '日一二三四五六'.indexOf(found[1] === '天' ? '日' : found[1])
    : weekdayNumber(found[2] as string)
  return fallsOn(dates.slice(-1), number) ? end + found[0].length : end
}

/** Whether the first of these dates is on a weekday, 0 for Sunday; of a range either end may be meant. */
function fallsOn([first]: AnnouncedDate[], weekday: number): boolean {
  if (!first || !('date' in first)) return false
  return [first.date, first.lastDate ?? first.date].some(
    (date) => new Date(`${date}T00:00:00Z`).getUTCDay() === weekday,
  )
}

const weekdayNumber = (name: string) => 'sunmontuewedthufrisat'.indexOf(name.slice(0, 3).toLowerCase()) / 3

function monthNumber(name: string | undefined): number {
  return name ? 'janfebmaraprmayjunjulaugsepoctnovdec'.indexOf(name.slice(0, 3).toLowerCase()) / 3 + 1 : 0
}

/** A number in digits or as 一 to 九十九; 两 is 2, and NaN is none. */
export function numberOf(text: string | undefined): number {
  if (!text) return Number.NaN
  if (/^\d+$/.test(text)) return Number(text)
  if (text === '两') return 2
  const [tens, ones] = text.includes('十') ? text.split('十') : ['零', text]
  const digit = (numeral: string | undefined, empty: number) => (numeral ? numerals.indexOf(numeral) : empty)
  return digit(tens, 1) * 10 + digit(ones, 0)
}

/** Makes one of two dates with only "to" between them: 7月31日-8月2日. */
function joinRanges(plain: string, readings: DateReading[]): DateReading[] {
  const joined: DateReading[] = []
  for (const reading of readings) {
    const before = joined.at(-1)
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
      onlyBetween.test(plain.slice(before.end, reading.start))
    ) {
      last.lastDate = next.lastDate ?? next.date
      before.end = reading.end
    } else joined.push(reading)
  }
  return joined
}

const onlyBetween = new RegExp(`^${between}$`, 'i')
