// Over 400 lines: dates are assigned to cities and venues to both, through one set of places, so they stay together.
import type { WorkshopDraft } from '../../workshops/workshops.ts'
import { type CityMatch, findCities } from './cities.ts'
import { type AnnouncedDate, attachTimes, type DateReading, daysWithoutTime, findDates } from './dates.ts'
import { findItemCues, statementPattern } from './items.ts'
import {
  assignText,
  findMatches,
  type Place,
  type Range,
  recordSpan,
  type Scanner,
  significantChar,
  slice,
  toLocalizedText,
  trimRange,
} from './scanner.ts'
import type { Section } from './sections.ts'

export type ParsedWorkshop = Pick<WorkshopDraft, 'city' | 'venue' | 'address'> & {
  /** More than one if the announcement does not say which of them is for this city. */
  dates: AnnouncedDate[]
}

type Token = Range & ({ city: CityMatch } | { reading: DateReading })

/** The dates, times and cities of a range, in order. */
export function tokenize(scanner: Scanner, range: Range): Token[] {
  const readings = scanDates(scanner, range)
  const cities = scanCities(scanner, range).filter(({ inInstitution }) => !inInstitution)
  return [
    ...readings.map((reading) => ({ start: reading.start, end: reading.end, reading })),
    ...cities.map((city) => ({ start: city.start, end: city.end, city })),
  ].sort((a, b) => a.start - b.start)
}

function scanDates({ normalized, today, budget }: Scanner, { start, end }: Range, loose = false): DateReading[] {
  return findDates(normalized, start, end, today, { loose, budget })
}

function scanCities({ text, normalized, budget }: Scanner, { start, end }: Range): CityMatch[] {
  return findCities(text, normalized, start, end, budget)
}

/** True if a range contains only these tokens and connectors such as "in" and 和. */
export function hasOnlyTokens(scanner: Scanner, range: Range, tokens: Token[]): boolean {
  if (tokens.length === 0) return false
  let position = range.start
  for (const { start, end } of [...tokens, { start: range.end, end: range.end }]) {
    if (significantChar.test(scanner.normalized.slice(position, start).replace(connectors, ''))) return false
    position = end
  }
  return true
}

const connectors = /举行|举办|[在于和与及至到或]|(?<![A-Za-z])(?:in|on|at|and|from|to|or)(?![A-Za-z])|[+&|~]/gi
const connectorsOnly = new RegExp(`^(?:${connectors.source})+$`, 'i')

/** Parses the dates and cities of a range that contains only those, or of a title. */
export function parseTokens(scanner: Scanner, range: Range, inTitle: boolean): void {
  const tokens = tokenize(scanner, range)
  const cities = tokens.flatMap((token) => ('city' in token ? [token.city] : []))
  const readings = tokens.flatMap((token) => ('reading' in token ? [token.reading] : []))
  if (!inTitle) recordConnectors(scanner, range, tokens)
  for (const city of cities) recordCity(scanner, city)
  if (cities.length === 0 && readings.every(({ kind }) => kind === 'time')) {
    assignTimes(scanner, readings)
    return
  }
  if (!inTitle && cities.length > 0)
    setCurrentCity(scanner, cities.length === 1 && readings.length === 0 ? cities[0]?.key : undefined)
  assignDates(scanner, attachTimes(readings), cities)
}

/** A city alone is the heading of what follows, unless another one directly precedes it: then they are a list. */
function setCurrentCity(scanner: Scanner, key: string | undefined): void {
  const { currentCity } = scanner
  scanner.currentCity = { key: currentCity.used || currentCity.key === key ? key : undefined, used: key === undefined }
}

function useCurrentCity(scanner: Scanner): string | undefined {
  scanner.currentCity.used = true
  return scanner.currentCity.key
}

function recordConnectors(scanner: Scanner, range: Range, tokens: Range[]): void {
  let position = range.start
  for (const { start, end } of [
    ...tokens.toSorted((a, b) => a.start - b.start),
    { start: range.end, end: range.end },
  ]) {
    for (const word of findMatches(connectors, scanner.normalized.slice(position, Math.max(position, start)))) {
      recordSpan(scanner, position + word.index, position + word.index + word[0].length, 'date', 'cue')
    }
    position = end
  }
}

/** The maximum of cities, and of dates per city. Further ones remain unparsed. */
const maxPerWorkshop = 60

function recordCity(scanner: Scanner, { start, end, nameEnd, key, city }: CityMatch): void {
  const place: Place = scanner.places.get(key) ?? { city: {}, venue: {}, address: {}, dates: [] }
  if (!scanner.places.has(key) && scanner.places.size === maxPerWorkshop) return
  scanner.places.set(key, place)
  place.city = { ...city, ...place.city }
  recordSpan(scanner, start, nameEnd, 'city', 'value')
  if (end > nameEnd) recordSpan(scanner, nameEnd, end, 'city', 'cue')
}

/**
 * Assigns dates to cities: to the only city; or if both alternate, to the cities after each date (7月15日上海,7月22日南京) or
 * before it; or else to all.
 */
function assignDates(scanner: Scanner, readings: DateReading[], cities: CityMatch[]): void {
  const keys = new Set(cities.map(({ key }) => key))
  const groups = groupAlternating(readings, cities)
  const datedGroups = groups.filter(({ dated }) => dated.length > 0).length
  const step = groups[0]?.dated.length ? 1 : -1
  groups.forEach(({ dated }, index) => {
    const adjacent = groups[index + step]?.cities ?? []
    const targets =
      keys.size <= 1
        ? [cities[0]?.key ?? useCurrentCity(scanner)]
        : datedGroups > 1 && adjacent.length > 0
          ? adjacent.map(({ key }) => key)
          : [undefined]
    for (const reading of dated) {
      const assigned =
        reading.kind === 'time' || targets.every((key) => addDates(findPlace(scanner, key), reading.dates))
      if (assigned) recordSpan(scanner, reading.start, reading.end, 'date', 'value')
    }
  })
}

/** Groups consecutive dates and consecutive cities. */
function groupAlternating(
  readings: DateReading[],
  cities: CityMatch[],
): { dated: DateReading[]; cities: CityMatch[] }[] {
  const groups: { dated: DateReading[]; cities: CityMatch[] }[] = []
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

const findPlace = (scanner: Scanner, key: string | undefined) =>
  (key && scanner.places.get(key)) || scanner.unassignedPlace

/**
 * Adds new dates. A date with a time replaces the same date without one.
 * @returns false if there would be more than `maxPerWorkshop`
 */
function addDates(place: Place, dates: AnnouncedDate[]): boolean {
  const added = [...place.dates]
  for (const date of dates) {
    const same = added.findIndex((other) => isSameDate(other, date))
    if (same < 0) added.push({ ...date })
    else added[same] = { ...added[same], ...date }
  }
  if (added.length > maxPerWorkshop) return false
  place.dates = added
  return true
}

function isSameDate(one: AnnouncedDate, other: AnnouncedDate): boolean {
  if ('month' in one || 'month' in other) return 'month' in one && 'month' in other && one.month === other.month
  const agree = (a: string | undefined, b: string | undefined) => !a || !b || a === b
  return (
    one.date === other.date &&
    agree(one.lastDate, other.lastDate) &&
    agree(one.from, other.from) &&
    agree(one.to, other.to)
  )
}

/** Assigns a time without a date to the earlier days that have none. */
function assignTimes(scanner: Scanner, readings: DateReading[]): void {
  const currentCity = useCurrentCity(scanner)
  const places = currentCity ? [findPlace(scanner, currentCity)] : [...scanner.places.values(), scanner.unassignedPlace]
  const [reading] = readings
  if (reading?.kind !== 'time' || readings.length > 1) return
  const days = places.flatMap(({ dates }) => daysWithoutTime(dates))
  if (days.length === 0) return
  for (const day of days) Object.assign(day, reading.time)
  recordSpan(scanner, reading.start, reading.end, 'date', 'value')
}

/** Parses the text of a label for dates. */
export function parseDates(scanner: Scanner, range: Range): void {
  const readings = scanDates(scanner, range, true)
  const cities = tokenize(scanner, range).flatMap((token) => ('city' in token ? [token.city] : []))
  for (const city of cities) recordCity(scanner, city)
  recordConnectors(scanner, range, [...readings, ...cities])
  if (readings.every(({ kind }) => kind === 'time')) assignTimes(scanner, readings)
  else assignDates(scanner, attachTimes(readings), cities)
}

/** Parses a line that begins with a city, or a date, and continues with its place: 上海：浦东软件园, 7月15日 南京 紫峰大厦. */
export function parsePlaceLine(scanner: Scanner, segment: Range): boolean {
  const range = trimRange(scanner.normalized, segment)
  if (range.end - range.start > 200) return false
  const tokens = tokenize(scanner, range)
  const city = tokens.find((token) => 'city' in token)
  if (!city || hasOnlyTokens(scanner, range, tokens)) return false
  const upToCity = { start: range.start, end: city.end }
  if (
    !hasOnlyTokens(
      scanner,
      upToCity,
      tokens.filter(({ end }) => end <= city.end),
    )
  )
    return false
  const rest = scanner.normalized.slice(city.end, range.end)
  if (
    !/^\s*[:,(·-]|^\s/.test(rest) ||
    statementPattern.test(rest) ||
    findItemCues(rest).length > 0 ||
    !(venuePattern.test(rest) || /^\s*:/.test(rest))
  )
    return false
  parsePlaces(scanner, range, 'where')
  return true
}

const venuePattern =
  /[园楼室厅馆号路街]|大厦|中心|酒店|大学|学院|广场|咖啡|空间|校区|(?<![A-Za-z])(?:room|hall|cent(?:er|re)|building|park|tower|hotel|university|campus|road|rd|street|st|library|office|space|cafe|hub|floor)(?![A-Za-z])/i

const undecidedPattern =
  /待定|待通知|另行|通知|确认后|(?<![A-Za-z])(?:tb[acd]|to be (?:announced|confirmed|decided))(?![A-Za-z])/i

/** Parses the text of a label for places: cities, each followed by its venue and address, with dates in between. */
export function parsePlaces(scanner: Scanner, range: Range, section: 'where' | 'city' | 'address'): void {
  const readings = attachTimes(scanDates(scanner, range))
  const matches = scanCities(scanner, range)
  const listed = matches.filter(
    (city, index) =>
      !city.inInstitution &&
      (matches[index - 1]?.end === city.start ||
        partStart.test(scanner.normalized.slice(Math.max(range.start, city.start - 12), city.start))),
  )
  const known = listed.length > 0 ? listed : section === 'address' ? [] : matches.slice(0, 1)
  const unknown = known.length === 0 || section === 'city' ? findUnknownCities(scanner, range, section, known) : []
  const cities = [...known, ...unknown].sort((a, b) => a.start - b.start)
  for (const city of cities) recordCity(scanner, city)
  assignDates(scanner, readings, cities)
  const anchors = [...(listed.length > 0 || unknown.length > 0 ? cities : []), ...readings].sort(
    (a, b) => a.start - b.start,
  )
  const keys = new Set(cities.map(({ key }) => key))
  let key = keys.size === 1 ? cities[0]?.key : keys.size === 0 ? useCurrentCity(scanner) : undefined
  let position = range.start
  for (const next of [...anchors, { start: range.end, end: range.end }]) {
    if (next.start >= position) assignPlace(scanner, { start: position, end: next.start }, key, keys.size, section)
    if ('key' in next) key = next.key
    position = Math.max(position, next.end)
  }
}

const partStart = /^$|[,、;/|&()·:和及与\s\d+~-]$|(?:日|号|月|(?<![A-Za-z])(?:and|in|at|on))\s*$/

/** Cities missing in cities.ts: short names after a label for cities, or alone after a label for places. */
function findUnknownCities(scanner: Scanner, range: Range, section: Section, known: CityMatch[]): CityMatch[] {
  if (section === 'address') return []
  const parts = splitParts(scanner, range).filter(
    (part) => !known.some((city) => city.start < part.end && part.start < city.end),
  )
  const named = parts.map((part) => ({
    part,
    name: /^([\u4e00-\u9fff]{2,5}?)(市)?$|^([A-Z][a-z]+(?:[ -][A-Z][a-z]+)?)$/.exec(slice(scanner, part)),
  }))
  const isCity = ({ part, name }: (typeof named)[number]) =>
    name !== null &&
    !venuePattern.test(name[0]) &&
    !undecidedPattern.test(name[0]) &&
    !onlinePattern.test(name[0]) &&
    part.end > part.start
  if (section !== 'city' && !named.every(isCity)) return []
  return named.filter(isCity).map(({ part, name }) => {
    const nameEnd = part.start + (name?.[1] ?? name?.[3] ?? '').length
    const cityName = scanner.text.slice(part.start, nameEnd)
    return {
      start: part.start,
      end: part.end,
      nameEnd,
      key: cityName,
      city: toLocalizedText(cityName),
      inInstitution: false,
    }
  })
}

const onlinePattern = /线上|直播|腾讯|会议|(?<![A-Za-z])(?:online|zoom|remote)(?![A-Za-z])/i

const partSeparator = /[,、;/|&]|和|及|与|(?<![A-Za-z])and(?![A-Za-z])/g

function splitParts(scanner: Scanner, range: Range): Range[] {
  const parts: Range[] = []
  let position = range.start
  for (const match of findMatches(partSeparator, slice(scanner, range))) {
    parts.push(trimRange(scanner.normalized, { start: position, end: range.start + match.index }))
    position = range.start + match.index + match[0].length
  }
  parts.push(trimRange(scanner.normalized, { start: position, end: range.end }))
  return parts.filter(({ start, end }) => end > start)
}

const chineseAddress =
  /(?<!\d)\d+\s*(?:号|弄|巷)|[\u4e00-\u9fff](?:路|街|大道|巷)(?!演|由)|[\u4e00-\u9fff]{2}(?<![园校社景片])区(?!域)/

const englishAddress =
  /^\s*(?:No\.? ?)?\d+[A-Za-z]?,? (?:[A-Z][\w.'-]* ){0,4}(?:Road|Rd|Street|St|Avenue|Ave|Lane|Boulevard|Blvd|Way|Drive)\b/

const placeSeparator = /[,;()[\]]|(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff\d])/g

/** Assigns the text between two cities as the venue and, from the first part that looks like one, as the address. */
function assignPlace(
  scanner: Scanner,
  around: Range,
  key: string | undefined,
  cityCount: number,
  section: 'where' | 'city' | 'address',
): void {
  const trimmedRange = { ...trimRange(scanner.normalized, around) }
  const text = slice(scanner, trimmedRange)
  const word = connectorsOnly.exec(text)
  if (word) recordSpan(scanner, trimmedRange.start, trimmedRange.end, 'city', 'cue')
  if (word || !significantChar.test(text) || undecidedPattern.test(text)) return
  const range = { start: trimmedRange.start, end: trimmedRange.end }
  const trailing = /(?:(?<![A-Za-z])(?:and|in|at|on)|[和及与])\s*$/i.exec(text.slice(-8))
  if (trailing && range.end < around.end) {
    recordSpan(scanner, range.end - trailing[0].length, range.end, 'city', 'cue')
    range.end -= trailing[0].length
  }
  let addressAt = section === 'address' ? range.start : range.end
  let position = range.start
  if (section !== 'address') {
    const ends = findMatches(placeSeparator, slice(scanner, range)).map(({ index }) => range.start + index)
    for (const end of [...ends, range.end]) {
      const part = scanner.normalized.slice(position, end).replace(/^[,;()[\] ]+/, '')
      if (chineseAddress.test(part) || englishAddress.test(part)) {
        addressAt = position
        break
      }
      position = end
    }
  }
  const place = key ? scanner.places.get(key) : undefined
  for (const [field, part] of [
    ['venue', { start: range.start, end: addressAt }],
    ['address', { start: addressAt, end: range.end }],
  ] as const) {
    const words = trimRange(scanner.normalized, part)
    if (!significantChar.test(slice(scanner, words))) continue
    if (place) assignText(scanner, place[field], words, field)
    else if (cityCount < 2) scanner.unassignedVenues.push({ range: words, field })
  }
}

/** Searches text without cues for dates if no day is known, and for cities if none is known. */
export function parseFreeText(scanner: Scanner): void {
  const places = [...scanner.places.values(), scanner.unassignedPlace]
  const dates = places.flatMap((place) => place.dates)
  const [noDay, noDate, noCity] = [!dates.some((date) => 'date' in date), dates.length === 0, scanner.places.size === 0]
  for (const range of scanner.freeText) {
    const readings = attachTimes(scanDates(scanner, range)).filter(
      (reading) =>
        reading.kind === 'time' ||
        reading.dates.every((date) => isThisYearOrLater(scanner, date) && ('date' in date ? noDay : noDate)),
    )
    const dated = readings.some(({ kind }) => kind === 'dates')
    const cities = noCity
      ? scanCities(scanner, range).filter(
          ({ start, inInstitution }) =>
            !inInstitution &&
            /(?:[在于到]|\b(?:in|and|at)\s+|[、,和及与&]\s*)$/i.test(
              scanner.normalized.slice(Math.max(range.start, start - 6), start),
            ),
        )
      : []
    for (const city of cities) recordCity(scanner, city)
    if (dated) assignDates(scanner, readings, cities)
  }
}

function isThisYearOrLater({ today }: Scanner, date: AnnouncedDate): boolean {
  return Number(('date' in date ? date.date : date.month).slice(0, 4)) >= today.year
}

/** Builds one workshop per city, or one without a city if none was found. */
export function buildWorkshops(scanner: Scanner): ParsedWorkshop[] {
  const places = [...scanner.places.values()]
  const { unassignedPlace } = scanner
  if (places.length < 2) {
    for (const { range, field } of scanner.unassignedVenues)
      assignText(scanner, (places[0] ?? unassignedPlace)[field], range, field)
  }
  const shared = removeRedundantMonths(unassignedPlace.dates)
  const workshops = places.map((place) => ({
    ...place,
    dates: removeRedundantMonths(place.dates.length > 0 ? place.dates : shared),
  }))
  const assigned = workshops.flatMap(({ dates }) => dates)
  const unassigned = shared.filter((date) => !assigned.some((other) => covers(other, date)))
  const hasPlace = Object.keys(unassignedPlace.venue).length + Object.keys(unassignedPlace.address).length > 0
  // Dates and places without a city are kept even if every city has its own dates.
  return unassigned.length > 0 || hasPlace ? [...workshops, { ...unassignedPlace, dates: unassigned }] : workshops
}

/** Drops months that contain one of the days. */
function removeRedundantMonths(dates: AnnouncedDate[]): AnnouncedDate[] {
  return dates.filter((date) => 'date' in date || !dates.some((other) => 'date' in other && covers(other, date)))
}

function covers(date: AnnouncedDate, other: AnnouncedDate): boolean {
  if ('month' in other) return ('month' in date ? date.month : date.date).startsWith(other.month)
  return 'date' in date && date.date === other.date && (!other.from || date.from === other.from)
}

/** Trims dates and cities from the ends of a title: RT-Thread线下入门培训7月 - 上海,南京. */
export function trimSpan(scanner: Scanner, range: Range): Range | undefined {
  let title = trimRange(scanner.normalized, range)
  let tokens = tokenize(scanner, range)
  for (let token = tokens.at(-1); token && token.end >= title.end; token = tokens.at(-1)) {
    // 走进上海 is one phrase; 培训 上海 and 培训上海站 are not.
    const isSeparate =
      'reading' in token ||
      token.end > token.city.nameEnd ||
      !/[\u4e00-\u9fff]/.test(scanner.normalized[token.start - 1] ?? '')
    if (!isSeparate && token.start > title.start) break
    title = trimConnectors(
      scanner,
      trimRange(scanner.normalized, { start: title.start, end: Math.max(title.start, token.start) }),
    )
    tokens = tokens.slice(0, -1)
  }
  for (let token = tokens.at(0); token && token.start <= title.start; token = tokens.at(0)) {
    const isSeparate =
      'reading' in token ||
      token.end > token.city.nameEnd ||
      /[\s,:·|/、&)\]】-]/.test(scanner.normalized[token.end] ?? ' ')
    if (!isSeparate) break
    title = trimRange(scanner.normalized, { start: Math.min(token.end, title.end), end: title.end })
    tokens = tokens.slice(1)
  }
  return significantChar.test(slice(scanner, title)) ? title : undefined
}

function trimConnectors(scanner: Scanner, range: Range): Range {
  const match = /(?:(?<![A-Za-z])(?:in|on|at|and|from)|&)\s*$/i.exec(slice(scanner, range).slice(-8))
  if (!match) return range
  recordSpan(scanner, range.end - match[0].length, range.end, 'date', 'cue')
  return trimConnectors(
    scanner,
    trimRange(scanner.normalized, { start: range.start, end: range.end - match[0].length }),
  )
}
