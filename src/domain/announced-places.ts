import { type AnnouncedDate, type DateReading, daysWithoutTime, findDates, joinTimes } from './announced-dates.ts'
import { itemCue, statement } from './announced-items.ts'
import type { Section } from './announcement-parts.ts'
import {
  add,
  matchesOf,
  type Place,
  type Range,
  type Reader,
  significant,
  slice,
  take,
  textOf,
  trimmed,
} from './announcement-reader.ts'
import { findCities, type NamedCity } from './cities.ts'
import type { WorkshopDraft } from './workshops.ts'

export type AnnouncedWorkshop = Pick<WorkshopDraft, 'city' | 'venue' | 'address'> & {
  /** More than one where the announcement does not say which of them is this city's. */
  dates: AnnouncedDate[]
}

type Token = Range & ({ city: NamedCity } | { reading: DateReading })

/** Dates, times and cities of a range, in its order. */
export function tokensOf(reader: Reader, range: Range): Token[] {
  const readings = datesIn(reader, range)
  const cities = citiesIn(reader, range).filter(({ inside }) => !inside)
  return [
    ...readings.map((reading) => ({ start: reading.start, end: reading.end, reading })),
    ...cities.map((city) => ({ start: city.start, end: city.end, city })),
  ].sort((a, b) => a.start - b.start)
}

function datesIn({ plain, today, left }: Reader, { start, end }: Range, loose = false): DateReading[] {
  return findDates(plain, start, end, today, { loose, left })
}

function citiesIn({ text, plain, left }: Reader, { start, end }: Range): NamedCity[] {
  return findCities(text, plain, start, end, left)
}

/** Whether a range says nothing but dates, times and cities. */
export function isOnly(reader: Reader, range: Range, tokens: Token[]): boolean {
  if (tokens.length === 0) return false
  let at = range.start
  for (const { start, end } of [...tokens, { start: range.end, end: range.end }]) {
    if (significant.test(reader.plain.slice(at, start).replace(joining, ''))) return false
    at = end
  }
  return true
}

const joining = /举行|举办|[在于和与及至到或]|(?<![A-Za-z])(?:in|on|at|and|from|to|or)(?![A-Za-z])|[+&|~]/gi
const onlyJoining = new RegExp(`^(?:${joining.source})+$`, 'i')

/** Takes the dates and cities of a range that says nothing else, or of a title. */
export function readTokens(reader: Reader, range: Range, titled: boolean): void {
  const tokens = tokensOf(reader, range)
  const cities = tokens.flatMap((token) => ('city' in token ? [token.city] : []))
  const readings = tokens.flatMap((token) => ('reading' in token ? [token.reading] : []))
  if (!titled) takeJoining(reader, range, tokens)
  for (const city of cities) takeCity(reader, city)
  if (cities.length === 0 && readings.every(({ kind }) => kind === 'time')) {
    giveTimes(reader, readings)
    return
  }
  if (!titled && cities.length > 0)
    headCity(reader, cities.length === 1 && readings.length === 0 ? cities[0]?.key : undefined)
  takeDates(reader, joinTimes(readings), cities)
}

/** A city on its own heads what follows, unless one on its own stands before it: then they are a list. */
function headCity(reader: Reader, key: string | undefined): void {
  const { cityHere } = reader
  reader.cityHere = { key: cityHere.used || cityHere.key === key ? key : undefined, used: key === undefined }
}

function cityHere(reader: Reader): string | undefined {
  reader.cityHere.used = true
  return reader.cityHere.key
}

/** The words between dates and cities. */
function takeJoining(reader: Reader, range: Range, tokens: Range[]): void {
  let at = range.start
  for (const { start, end } of [
    ...tokens.toSorted((a, b) => a.start - b.start),
    { start: range.end, end: range.end },
  ]) {
    for (const word of matchesOf(joining, reader.plain.slice(at, Math.max(at, start)))) {
      take(reader, at + word.index, at + word.index + word[0].length, 'date', 'cue')
    }
    at = end
  }
}

/** More cities, and more dates of one, are no announcement: they are left over. */
const most = 60

function takeCity(reader: Reader, { start, end, nameEnd, key, city }: NamedCity): void {
  const place: Place = reader.places.get(key) ?? { city: {}, venue: {}, address: {}, dates: [] }
  if (!reader.places.has(key) && reader.places.size === most) return
  reader.places.set(key, place)
  place.city = { ...city, ...place.city }
  take(reader, start, nameEnd, 'city', 'value')
  if (end > nameEnd) take(reader, nameEnd, end, 'city', 'cue')
}

/**
 * Gives dates to the cities that stand with them: to the one city, or where both alternate to those that follow a date
 * (7月15日上海,7月22日南京) or come before it. Otherwise they are said of all.
 */
function takeDates(reader: Reader, readings: DateReading[], cities: NamedCity[]): void {
  const keys = new Set(cities.map(({ key }) => key))
  const groups = alternating(readings, cities)
  const runs = groups.filter(({ dated }) => dated.length > 0).length
  const step = groups[0]?.dated.length ? 1 : -1
  groups.forEach(({ dated }, index) => {
    const near = groups[index + step]?.cities ?? []
    const those =
      keys.size <= 1
        ? [cities[0]?.key ?? cityHere(reader)]
        : runs > 1 && near.length > 0
          ? near.map(({ key }) => key)
          : [undefined]
    for (const reading of dated) {
      const read = reading.kind === 'time' || those.every((key) => addDates(placeOf(reader, key), reading.dates))
      if (read) take(reader, reading.start, reading.end, 'date', 'value')
    }
  })
}

/** Runs of dates and runs of cities, as they take turns. */
function alternating(readings: DateReading[], cities: NamedCity[]): { dated: DateReading[]; cities: NamedCity[] }[] {
  const groups: { dated: DateReading[]; cities: NamedCity[] }[] = []
  for (const next of [...readings, ...cities].sort((a, b) => a.start - b.start)) {
    const last = groups.at(-1)
    if ('key' in next) {
      if (last && last.cities.length > 0) last.cities.push(next)
      else groups.push({ dated: [], cities: [next] })
    } else if (last && last.dated.length > 0) last.dated.push(next)
    else groups.push({ dated: [next], cities: [] })
  }
  return groups
}

const placeOf = (reader: Reader, key: string | undefined) => (key && reader.places.get(key)) || reader.anywhere

/**
 * Adds dates that are not there yet; one that brings the time of day replaces the same without.
 * @returns false if there was no room for them
 */
function addDates(place: Place, dates: AnnouncedDate[]): boolean {
  const added = [...place.dates]
  for (const date of dates) {
    const same = added.findIndex((other) => isSame(other, date))
    if (same < 0) added.push({ ...date })
    else added[same] = { ...added[same], ...date }
  }
  if (added.length > most) return false
  place.dates = added
  return true
}

function isSame(one: AnnouncedDate, other: AnnouncedDate): boolean {
  if ('month' in one || 'month' in other) return 'month' in one && 'month' in other && one.month === other.month
  const agree = (a: string | undefined, b: string | undefined) => !a || !b || a === b
  return (
    one.date === other.date &&
    agree(one.lastDate, other.lastDate) &&
    agree(one.from, other.from) &&
    agree(one.to, other.to)
  )
}

/** Gives a time that stands alone to the days before it that have none. */
function giveTimes(reader: Reader, readings: DateReading[]): void {
  const here = cityHere(reader)
  const places = here ? [placeOf(reader, here)] : [...reader.places.values(), reader.anywhere]
  const [reading] = readings
  if (reading?.kind !== 'time' || readings.length > 1) return
  const days = places.flatMap(({ dates }) => daysWithoutTime(dates))
  if (days.length === 0) return
  for (const day of days) Object.assign(day, reading.time)
  take(reader, reading.start, reading.end, 'date', 'value')
}

/** Reads what a label says is the time. */
export function readWhen(reader: Reader, range: Range): void {
  const readings = datesIn(reader, range, true)
  const cities = tokensOf(reader, range).flatMap((token) => ('city' in token ? [token.city] : []))
  for (const city of cities) takeCity(reader, city)
  takeJoining(reader, range, [...readings, ...cities])
  if (readings.every(({ kind }) => kind === 'time')) giveTimes(reader, readings)
  else takeDates(reader, joinTimes(readings), cities)
}

/** A line that begins with a city, or a date, and goes on with its place: 上海：浦东软件园, 7月15日 南京 紫峰大厦. */
export function readPlaceLine(reader: Reader, segment: Range): boolean {
  const range = trimmed(reader.plain, segment)
  if (range.end - range.start > 200) return false
  const tokens = tokensOf(reader, range)
  const city = tokens.find((token) => 'city' in token)
  if (!city || isOnly(reader, range, tokens)) return false
  const upToCity = { start: range.start, end: city.end }
  if (
    !isOnly(
      reader,
      upToCity,
      tokens.filter(({ end }) => end <= city.end),
    )
  )
    return false
  const rest = reader.plain.slice(city.end, range.end)
  if (
    !/^\s*[:,(·-]|^\s/.test(rest) ||
    statement.test(rest) ||
    itemCue(rest).length > 0 ||
    !(venueWord.test(rest) || /^\s*:/.test(rest))
  )
    return false
  readWhere(reader, range, 'where')
  return true
}

const venueWord =
  /[园楼室厅馆号路街]|大厦|中心|酒店|大学|学院|广场|咖啡|空间|校区|(?<![A-Za-z])(?:room|hall|cent(?:er|re)|building|park|tower|hotel|university|campus|road|rd|street|st|library|office|space|cafe|hub|floor)(?![A-Za-z])/i

const unsettled =
  /待定|待通知|另行|通知|确认后|(?<![A-Za-z])(?:tb[acd]|to be (?:announced|confirmed|decided))(?![A-Za-z])/i

/** Reads what a label says is the place: cities, each with the venue and address that follow it, and dates among them. */
export function readWhere(reader: Reader, range: Range, section: 'where' | 'city' | 'address'): void {
  const readings = joinTimes(datesIn(reader, range))
  const all = citiesIn(reader, range)
  const listed = all.filter(
    (city, index) =>
      !city.inside &&
      (all[index - 1]?.end === city.start ||
        startsPart.test(reader.plain.slice(Math.max(range.start, city.start - 12), city.start))),
  )
  const known = listed.length > 0 ? listed : section === 'address' ? [] : all.slice(0, 1)
  const unknown = known.length === 0 || section === 'city' ? unknownCities(reader, range, section, known) : []
  const cities = [...known, ...unknown].sort((a, b) => a.start - b.start)
  for (const city of cities) takeCity(reader, city)
  takeDates(reader, readings, cities)
  const fixed = [...(listed.length > 0 || unknown.length > 0 ? cities : []), ...readings].sort(
    (a, b) => a.start - b.start,
  )
  const keys = new Set(cities.map(({ key }) => key))
  let key = keys.size === 1 ? cities[0]?.key : keys.size === 0 ? cityHere(reader) : undefined
  let at = range.start
  for (const next of [...fixed, { start: range.end, end: range.end }]) {
    if (next.start >= at) takePlace(reader, { start: at, end: next.start }, key, keys.size, section)
    if ('key' in next) key = next.key
    at = Math.max(at, next.end)
  }
}

const startsPart = /^$|[,、;/|&()·:和及与\s\d+~-]$|(?:日|号|月|(?<![A-Za-z])(?:and|in|at|on))\s*$/

/** Cities that no list knows: short names that a label calls cities, or that stand alone where the place is said. */
function unknownCities(reader: Reader, range: Range, section: Section, known: NamedCity[]): NamedCity[] {
  if (section === 'address') return []
  const parts = partsOf(reader, range).filter(
    (part) => !known.some((city) => city.start < part.end && part.start < city.end),
  )
  const named = parts.map((part) => ({
    part,
    name: /^([\u4e00-\u9fff]{2,5}?)(市)?$|^([A-Z][a-z]+(?:[ -][A-Z][a-z]+)?)$/.exec(slice(reader, part)),
  }))
  const isCity = ({ part, name }: (typeof named)[number]) =>
    name !== null &&
    !venueWord.test(name[0]) &&
    !unsettled.test(name[0]) &&
    !online.test(name[0]) &&
    part.end > part.start
  if (section !== 'city' && !named.every(isCity)) return []
  return named.filter(isCity).map(({ part, name }) => {
    const nameEnd = part.start + (name?.[1] ?? name?.[3] ?? '').length
    const said = reader.text.slice(part.start, nameEnd)
    return { start: part.start, end: part.end, nameEnd, key: said, city: textOf(said), inside: false }
  })
}

const online = /线上|直播|腾讯|会议|(?<![A-Za-z])(?:online|zoom|remote)(?![A-Za-z])/i

const partEnds = /[,、;/|&]|和|及|与|(?<![A-Za-z])and(?![A-Za-z])/g

function partsOf(reader: Reader, range: Range): Range[] {
  const parts: Range[] = []
  let at = range.start
  for (const found of matchesOf(partEnds, slice(reader, range))) {
    parts.push(trimmed(reader.plain, { start: at, end: range.start + found.index }))
    at = range.start + found.index + found[0].length
  }
  parts.push(trimmed(reader.plain, { start: at, end: range.end }))
  return parts.filter(({ start, end }) => end > start)
}

const chineseAddress =
  /(?<!\d)\d+\s*(?:号|弄|巷)|[\u4e00-\u9fff](?:路|街|大道|巷)(?!演|由)|[\u4e00-\u9fff]{2}(?<![园校社景片])区(?!域)/

const englishAddress =
  /^\s*(?:No\.? ?)?\d+[A-Za-z]?,? (?:[A-Z][\w.'-]* ){0,4}(?:Road|Rd|Street|St|Avenue|Ave|Lane|Boulevard|Blvd|Way|Drive)\b/

const placeSeparator = /[,;()[\]]|(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff\d])/g

/** Takes the words between two cities as venue, and from the first that looks like one on as address. */
function takePlace(
  reader: Reader,
  around: Range,
  key: string | undefined,
  cities: number,
  section: 'where' | 'city' | 'address',
): void {
  const joints = { ...trimmed(reader.plain, around) }
  const said = slice(reader, joints)
  const word = onlyJoining.exec(said)
  if (word) take(reader, joints.start, joints.end, 'city', 'cue')
  if (word || !significant.test(said) || unsettled.test(said)) return
  const range = { start: joints.start, end: joints.end }
  const trailing = /(?:(?<![A-Za-z])(?:and|in|at|on)|[和及与])\s*$/i.exec(said.slice(-8))
  if (trailing && range.end < around.end) {
    take(reader, range.end - trailing[0].length, range.end, 'city', 'cue')
    range.end -= trailing[0].length
  }
  let addressAt = section === 'address' ? range.start : range.end
  let at = range.start
  if (section !== 'address') {
    const ends = matchesOf(placeSeparator, slice(reader, range)).map(({ index }) => range.start + index)
    for (const end of [...ends, range.end]) {
      const part = reader.plain.slice(at, end).replace(/^[,;()[\] ]+/, '')
      if (chineseAddress.test(part) || englishAddress.test(part)) {
        addressAt = at
        break
      }
      at = end
    }
  }
  const place = key ? reader.places.get(key) : undefined
  for (const [field, part] of [
    ['venue', { start: range.start, end: addressAt }],
    ['address', { start: addressAt, end: range.end }],
  ] as const) {
    const words = trimmed(reader.plain, part)
    if (!significant.test(slice(reader, words))) continue
    if (place) add(reader, place[field], words, field)
    else if (cities < 2) reader.venues.push({ range: words, field })
  }
}

/** Searches what no cue explains, for dates if no day is known and for cities if none is. */
export function readProse(reader: Reader): void {
  const places = [...reader.places.values(), reader.anywhere]
  const dates = places.flatMap((place) => place.dates)
  const [noDay, noDate, noCity] = [!dates.some((date) => 'date' in date), dates.length === 0, reader.places.size === 0]
  for (const range of reader.prose) {
    const readings = joinTimes(datesIn(reader, range)).filter(
      (reading) =>
        reading.kind === 'time' ||
        reading.dates.every((date) => isNew(reader, date) && ('date' in date ? noDay : noDate)),
    )
    const dated = readings.some(({ kind }) => kind === 'dates')
    const cities = noCity
      ? citiesIn(reader, range).filter(
          ({ start, inside }) =>
            !inside &&
            /(?:[在于到]|\b(?:in|and|at)\s+|[、,和及与&]\s*)$/i.test(
              reader.plain.slice(Math.max(range.start, start - 6), start),
            ),
        )
      : []
    for (const city of cities) takeCity(reader, city)
    if (dated) takeDates(reader, readings, cities)
  }
}

/** Whether a date is not one of years gone by. */
function isNew({ today }: Reader, date: AnnouncedDate): boolean {
  return Number(('date' in date ? date.date : date.month).slice(0, 4)) >= today.year
}

/** What was read, as workshops: one for each city, or one without a city where none was found. */
export function workshopsOf(reader: Reader): AnnouncedWorkshop[] {
  const places = [...reader.places.values()]
  const { anywhere } = reader
  if (places.length < 2) {
    for (const { range, field } of reader.venues) add(reader, (places[0] ?? anywhere)[field], range, field)
  }
  const shared = withoutIdleMonths(anywhere.dates)
  const workshops = places.map((place) => ({
    ...place,
    dates: withoutIdleMonths(place.dates.length > 0 ? place.dates : shared),
  }))
  const told = workshops.flatMap(({ dates }) => dates)
  const untold = shared.filter((date) => !told.some((other) => covers(other, date)))
  const placed = Object.keys(anywhere.venue).length + Object.keys(anywhere.address).length > 0
  // What is said of no city while every city has dates of its own must not be lost.
  return untold.length > 0 || placed ? [...workshops, { ...anywhere, dates: untold }] : workshops
}

/** A month is idle beside a day in it. */
function withoutIdleMonths(dates: AnnouncedDate[]): AnnouncedDate[] {
  return dates.filter((date) => 'date' in date || !dates.some((other) => 'date' in other && covers(other, date)))
}

function covers(one: AnnouncedDate, other: AnnouncedDate): boolean {
  if ('month' in other) return ('month' in one ? one.month : one.date).startsWith(other.month)
  return 'date' in one && one.date === other.date && (!other.from || one.from === other.from)
}

/** A title without the dates and cities at its ends: RT-Thread线下入门培训7月 - 上海,南京. */
export function stripEnds(reader: Reader, range: Range): Range | undefined {
  let title = trimmed(reader.plain, range)
  let tokens = tokensOf(reader, range)
  for (let token = tokens.at(-1); token && token.end >= title.end; token = tokens.at(-1)) {
    // 走进上海 is a phrase; 培训 上海 and 培训上海站 are not.
    const apart =
      'reading' in token ||
      token.end > token.city.nameEnd ||
      !/[\u4e00-\u9fff]/.test(reader.plain[token.start - 1] ?? '')
    if (!apart && token.start > title.start) break
    title = stripJoining(reader, trimmed(reader.plain, { start: title.start, end: Math.max(title.start, token.start) }))
    tokens = tokens.slice(0, -1)
  }
  for (let token = tokens.at(0); token && token.start <= title.start; token = tokens.at(0)) {
    const apart =
      'reading' in token || token.end > token.city.nameEnd || /[\s,:·|/、&)\]】-]/.test(reader.plain[token.end] ?? ' ')
    if (!apart) break
    title = trimmed(reader.plain, { start: Math.min(token.end, title.end), end: title.end })
    tokens = tokens.slice(1)
  }
  return significant.test(slice(reader, title)) ? title : undefined
}

function stripJoining(reader: Reader, range: Range): Range {
  const found = /(?:(?<![A-Za-z])(?:in|on|at|and|from)|&)\s*$/i.exec(slice(reader, range).slice(-8))
  if (!found) return range
  take(reader, range.end - found[0].length, range.end, 'date', 'cue')
  return stripJoining(reader, trimmed(reader.plain, { start: range.start, end: range.end - found[0].length }))
}
