import parsePhoneNumber from 'libphonenumber-js/mobile'
import writeExcelFile, { type CellObject } from 'write-excel-file/universal'
import type { Locale } from './config.ts'
import type { RegistrationStatus } from './db/schema.ts'
import type { Deps } from './deps.ts'
import { type RosterLine, wholeRoster } from './domain/roster.ts'
import { clockIn } from './domain/time-zones.ts'
import type { Workshop } from './domain/workshops.ts'
import { apiMessagesFor } from './messages/api.ts'
import { messagesFor } from './messages/messages.ts'
import { pick } from './messages/text.ts'
import { addRows, type Cell } from './workbook.ts'

/**
 * The attendee list as CSV, piece by piece: UTF-8 with a byte order mark, without which Excel takes it for the system's
 * own encoding, CRLF and quotes around all cells (RFC 4180).
 */
export async function* rosterCsv(
  deps: Deps,
  workshop: Workshop,
  locale: Locale,
  status?: RegistrationStatus,
): AsyncGenerator<string> {
  const columns = columnsOf(workshop, locale)
  yield `\uFEFF${csvLine(columns.map(({ head }) => head))}`
  for await (const lines of wholeRoster(deps, workshop, status)) {
    yield lines.map((line) => csvLine(columns.map(({ cell }) => cell(line)))).join('')
  }
}

/** The attendee list as a workbook, piece by piece. Texts are cells of text, which no program computes. */
export async function* rosterXlsx(
  deps: Deps,
  workshop: Workshop,
  locale: Locale,
  status?: RegistrationStatus,
): AsyncGenerator<Uint8Array> {
  const columns = columnsOf(workshop, locale)
  const head = columns.map(({ head }): CellObject => ({ value: head, type: String, fontWeight: 'bold' }))
  const begun = await writeExcelFile([head], {
    sheet: apiMessagesFor(locale).roster.sheet,
    columns: columns.map(({ width }) => ({ width })),
    stickyRowsCount: 1,
  }).toBlob()
  async function* rows() {
    for await (const lines of wholeRoster(deps, workshop, status)) {
      yield lines.map((line) => columns.map(({ cell }) => cell(line)))
    }
  }
  yield* addRows(new Uint8Array(await begun.arrayBuffer()), rows())
}

/** What the file of an attendee list is called: shanghai-2026-12-19 上海 报名名单.csv, say. */
export function rosterFileName(workshop: Workshop, locale: Locale, format: 'csv' | 'xlsx'): string {
  const name = `${workshop.slug} ${pick(workshop.city, locale)} ${apiMessagesFor(locale).roster.sheet}`
  return `${name.replace(/[\\/:*?"<>|]/g, ' ')}.${format}`
}

/** `width` in characters. */
type Column = { head: string; width: number; cell(line: RosterLine): Cell }

function columnsOf({ timeZone, items }: Workshop, locale: Locale): Column[] {
  const { roster } = apiMessagesFor(locale)
  const { registrationStatuses } = messagesFor(locale)
  const minute = (moment: Date | null) => moment && clockIn(moment, timeZone).slice(0, -':00'.length)
  const column = (name: keyof typeof roster.heads, width: number, cell: Column['cell']): Column => ({
    head: roster.heads[name],
    width,
    cell,
  })
  return [
    column('number', 8, (line) => line.seq),
    column('status', 14, (line) => registrationStatuses[line.status]),
    column('position', 12, (line) => line.position),
    column('name', 16, (line) => (line.erased ? roster.erased : line.name)),
    column('email', 28, (line) => line.email),
    column('phone', 20, (line) => phoneAsRead(line.phone)),
    column('phoneShared', 12, (line) => (line.phoneShared ? roster.shared : null)),
    column('company', 24, (line) => line.company),
    column('channel', 24, (line) => line.channel),
    ...items
      .filter((item) => item.mustConfirm)
      .map(({ id, text }) => ({
        head: pick(text, locale),
        width: 18,
        cell: ({ ready, erased }: RosterLine) =>
          erased ? null : id in ready ? (ready[id] ? roster.ready : roster.notYet) : roster.noAnswer,
      })),
    column('createdAt', 18, (line) => minute(line.createdAt)),
    column('seatedAt', 18, (line) => minute(line.seatedAt)),
    column('offeredUntil', 18, (line) => minute(line.offeredUntil)),
    column('cancelledAt', 18, (line) => minute(line.cancelledAt)),
    column('cancelledBy', 18, (line) => line.cancelledBy && roster.cancelledBy[line.cancelledBy]),
    column('locale', 10, (line) => roster.locales[line.locale] ?? line.locale),
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
