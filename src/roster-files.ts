import parsePhoneNumber from 'libphonenumber-js/mobile'
import type { CellObject } from 'write-excel-file/universal'
import type { Locale } from './config.ts'
import type { Text } from './db/schema.ts'
import type { Deps } from './deps.ts'
import { saidComing } from './domain/coming.ts'
import { allPeople, type PeopleFilter, type PeopleOrder } from './domain/people.ts'
import { type RosterLine, wholeRoster } from './domain/roster.ts'
import { dateIn, minuteIn } from './domain/time-zones.ts'
import type { Workshop } from './domain/workshops.ts'
import { apiMessagesFor } from './messages/api.ts'
import { doorMessagesFor } from './messages/door.ts'
import { messagesFor } from './messages/messages.ts'
import { pick } from './messages/text.ts'
import { addRows, type Cell } from './workbook.ts'

/**
 * The attendee list as CSV, piece by piece: UTF-8 with a byte order mark, without which Excel takes it for the system's
 * own encoding, CRLF and quotes around all cells (RFC 4180).
 * @param workshops whose people; with several, each line says to which it belongs
 */
export async function* rosterCsv(
  deps: Deps,
  workshops: readonly Workshop[],
  locale: Locale,
  filter: PeopleFilter = {},
  order?: PeopleOrder,
): AsyncGenerator<string> {
  const columns = columnsOf(workshops, locale)
  yield `\uFEFF${csvLine(columns.map(({ head }) => head))}`
  for await (const lines of linesOf(deps, workshops, filter, order)) {
    yield lines.map((line) => csvLine(columns.map(({ cell }) => cell(line)))).join('')
  }
}

/** The attendee list as a workbook, piece by piece. Texts are cells of text, which no program computes. */
export async function* rosterXlsx(
  deps: Deps,
  workshops: readonly Workshop[],
  locale: Locale,
  filter: PeopleFilter = {},
  order?: PeopleOrder,
): AsyncGenerator<Uint8Array> {
  const { default: writeExcelFile } = await import('write-excel-file/universal')
  const columns = columnsOf(workshops, locale)
  const head = columns.map(({ head }): CellObject => ({ value: head, type: String, fontWeight: 'bold' }))
  const begun = await writeExcelFile([head], {
    sheet: apiMessagesFor(locale).roster.sheet,
    columns: columns.map(({ width }) => ({ width })),
    stickyRowsCount: 1,
  }).toBlob()
  async function* rows() {
    for await (const lines of linesOf(deps, workshops, filter, order)) {
      yield lines.map((line) => columns.map(({ cell }) => cell(line)))
    }
  }
  yield* addRows(new Uint8Array(await begun.arrayBuffer()), rows())
}

/**
 * What the file of an attendee list is called: shanghai-2026-12-19 上海 报名名单.csv, say.
 * @param of a workshop, or what a campaign has in place of a city
 */
export function rosterFileName(of: { slug: string; city: Text }, locale: Locale, format: 'csv' | 'xlsx'): string {
  const name = `${of.slug} ${pick(of.city, locale)} ${apiMessagesFor(locale).roster.sheet}`
  return `${name.replace(/[\\/:*?"<>|]/g, ' ')}.${format}`
}

/** The list in the order of sign-up of one workshop, which most ask for, is read without looking at all of it first. */
function linesOf(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter,
  order: PeopleOrder = { by: 'number' },
): AsyncIterable<RosterLine[]> {
  const { status, search, ...others } = filter
  const [workshop, another] = workshops
  const plain = !search?.trim() && !Object.values(others).some(Boolean) && order.by === 'number' && !order.descending
  return plain && workshop && !another ? wholeRoster(deps, workshop, status) : allPeople(deps, workshops, filter, order)
}

/** `width` in characters. */
type Column = { head: string; width: number; cell(line: RosterLine): Cell }

function columnsOf(workshops: readonly Workshop[], locale: Locale): Column[] {
  const { roster } = apiMessagesFor(locale)
  const { registrationStatuses } = messagesFor(locale)
  const byId = new Map(workshops.map((workshop) => [workshop.id, workshop]))
  const workshopOf = (line: RosterLine) => byId.get(line.workshopId) as Workshop
  const minuteOf = (read: (line: RosterLine) => Date | null) => (line: RosterLine) => {
    const moment = read(line)
    return moment && minuteIn(moment, workshopOf(line).timeZone)
  }
  const asked = new Map(workshops.map(({ id, items }) => [id, new Set(items.map((item) => item.id))]))
  const items = new Map(workshops.flatMap(({ items }) => items.map((item) => [item.id, item])))
  const column = (name: keyof typeof roster.heads, width: number, cell: Column['cell']): Column => ({
    head: roster.heads[name],
    width,
    cell,
  })
  return [
    ...(workshops.length > 1
      ? [
          column('workshop', 24, (line) => {
            const { city, startsAt, timeZone } = workshopOf(line)
            return `${pick(city, locale)} ${dateIn(startsAt, timeZone)}`
          }),
        ]
      : []),
    column('number', 8, (line) => line.seq),
    column('status', 14, (line) => registrationStatuses[line.status]),
    column('position', 12, (line) => line.position),
    column('name', 16, (line) => (line.erased ? roster.erased : line.name)),
    column('email', 28, (line) => line.email),
    column('phone', 20, (line) => phoneAsRead(line.phone)),
    column('phoneShared', 12, (line) => (line.phoneShared ? roster.shared : null)),
    column('company', 24, (line) => line.company),
    column('channel', 24, (line) => line.channel ?? (line.walkIn ? doorMessagesFor(locale).list.walkIn : null)),
    ...[...items.values()]
      .filter((item) => item.mustConfirm)
      .map(({ id, text }) => ({
        head: pick(text, locale),
        width: 18,
        cell: (line: RosterLine) => {
          const { ready, erased, workshopId } = line
          // Another workshop of the campaign may ask for something else.
          if (erased || !asked.get(workshopId)?.has(id)) return null
          return id in ready ? (ready[id] ? roster.ready : roster.notYet) : roster.noAnswer
        },
      })),
    column(
      'createdAt',
      18,
      minuteOf(({ createdAt }) => createdAt),
    ),
    column(
      'seatedAt',
      18,
      minuteOf(({ seatedAt }) => seatedAt),
    ),
    column(
      'offeredUntil',
      18,
      minuteOf(({ offeredUntil }) => offeredUntil),
    ),
    column(
      'cancelledAt',
      18,
      minuteOf(({ cancelledAt }) => cancelledAt),
    ),
    column('cancelledBy', 18, (line) => line.cancelledBy && roster.cancelledBy[line.cancelledBy]),
    column('locale', 10, (line) => roster.locales[line.locale] ?? line.locale),
    column('coming', 8, (line) =>
      line.status === 'confirmed' && saidComing(line, workshopOf(line)) ? roster.shared : null,
    ),
    column(
      'checkedInAt',
      18,
      minuteOf(({ checkedInAt }) => checkedInAt),
    ),
  ]
}

/** A line of RFC 4180, with quotes around whatever is there, in which no program will compute anything. */
export function csvLine(cells: Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: Cell): string {
  if (cell === null || cell === '') return ''
  return typeof cell === 'number' ? `"${cell}"` : `"${defused(cell).replaceAll('"', '""')}"`
}

/**
 * +86 138 0013 8000, with spaces in every country, also where people write hyphens. Chinese mobiles, which are most of
 * them, are written here: the library takes 10 µs for a number.
 */
function phoneAsRead(phone: string | null): string | null {
  if (!phone) return null
  const chinese = phone.replace(/^\+86(1[3-9]\d)(\d{4})(\d{4})$/, '+86 $1 $2 $3')
  if (chinese !== phone) return chinese
  return (parsePhoneNumber(phone)?.formatInternational() ?? phone).replace(/[^\d+]+/g, ' ')
}

/**
 * A cell that Excel, WPS and LibreOffice will not compute (OWASP, CSV injection): an apostrophe stands before whatever
 * could begin a formula. After a semicolon too, where Excel begins a new cell in much of Europe, quoted or not.
 *
 * A phone number keeps its plus sign: `+86 138 0013 8000` is digits and single spaces, has no operator, name or
 * reference in it, and is neither a number nor a formula, so that it stays text, unchanged for programs that read the
 * file. Without the spaces Excel would make it 8.6E+12.
 */
function defused(cell: string): string {
  if (harmless.test(cell) || phoneShape.test(cell)) return cell
  return cell.replace(formulaStart, "$1'$2")
}

/** What does not begin like a formula and has no semicolon: nearly all there is, known at a tenth of the effort. */
const harmless = /^[^\s\0"=+\-@＝＋－＠;][^;]*$/
const phoneShape = /^\+\d{1,4}(?: \d+)+$/
/** Full-width signs too, which Excel takes for plain ones, and what imports skip before them: spaces and quotes. */
const formulaStart = /(^|;)([\s\0"]*[=+\-@＝＋－＠]|[\t\r\n\0])/g
