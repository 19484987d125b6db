import parsePhoneNumber from 'libphonenumber-js/mobile'
import type { CellObject } from 'write-excel-file/universal'
import type { Text } from '../db/schema.ts'
import type { Deps } from '../domain/deps.ts'
import { hasConfirmedAttendance } from '../domain/registrations/attendance-confirmation.ts'
import { type AttendeeRow, streamAttendees } from '../domain/registrations/export.ts'
import { type PeopleFilter, type PeopleSort, streamPeople } from '../domain/registrations/list.ts'
import type { Workshop } from '../domain/workshops/workshops.ts'
import { apiMessages } from '../i18n/api.ts'
import { doorMessages } from '../i18n/door.ts'
import { localize } from '../i18n/format.ts'
import { publicMessages } from '../i18n/public.ts'
import type { Locale } from '../lib/config.ts'
import { formatMinute, localDate } from '../lib/time-zones.ts'
import { appendRows, type Cell } from '../lib/xlsx-stream.ts'

/**
 * Streams the attendee list as CSV: UTF-8 with a byte order mark, without which Excel assumes the system's encoding, CRLF
 * and all cells quoted (RFC 4180).
 * @param workshops to export; with several, the first column names the workshop
 */
export async function* attendeesCsv(
  deps: Deps,
  workshops: readonly Workshop[],
  locale: Locale,
  filter: PeopleFilter = {},
  order?: PeopleSort,
): AsyncGenerator<string> {
  const columns = exportColumns(workshops, locale)
  yield `\uFEFF${csvRow(columns.map(({ header }) => header))}`
  for await (const lines of exportRows(deps, workshops, filter, order)) {
    yield lines.map((line) => csvRow(columns.map(({ cell }) => cell(line)))).join('')
  }
}

/** Streams the attendee list as XLSX. Texts are text cells, which are never evaluated as formulas. */
export async function* attendeesXlsx(
  deps: Deps,
  workshops: readonly Workshop[],
  locale: Locale,
  filter: PeopleFilter = {},
  order?: PeopleSort,
): AsyncGenerator<Uint8Array> {
  const { default: writeExcelFile } = await import('write-excel-file/universal')
  const columns = exportColumns(workshops, locale)
  const head = columns.map(({ header }): CellObject => ({ value: header, type: String, fontWeight: 'bold' }))
  const template = await writeExcelFile([head], {
    sheet: apiMessages(locale).roster.sheet,
    columns: columns.map(({ width }) => ({ width })),
    stickyRowsCount: 1,
  }).toBlob()
  async function* rows() {
    for await (const lines of exportRows(deps, workshops, filter, order)) {
      yield lines.map((line) => columns.map(({ cell }) => cell(line)))
    }
  }
  yield* appendRows(new Uint8Array(await template.arrayBuffer()), rows())
}

/**
 * File name of an attendee list, such as `shanghai-2026-12-19 上海 报名名单.csv`.
 * @param target a workshop, or the slug and title of a campaign
 */
export function attendeeFileName(target: { slug: string; city: Text }, locale: Locale, format: 'csv' | 'xlsx'): string {
  const name = `${target.slug} ${localize(target.city, locale)} ${apiMessages(locale).roster.sheet}`
  return `${name.replace(/[\\/:*?"<>|]/g, ' ')}.${format}`
}

/** Reads pages of one workshop in the order of sign-up, the usual case, without a query over the whole list first. */
function exportRows(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter,
  order: PeopleSort = { by: 'number' },
): AsyncIterable<AttendeeRow[]> {
  const { status, search, ...others } = filter
  const [workshop, another] = workshops
  const isDefaultList =
    !search?.trim() && !Object.values(others).some(Boolean) && order.by === 'number' && !order.descending
  return isDefaultList && workshop && !another
    ? streamAttendees(deps, workshop, status)
    : streamPeople(deps, workshops, filter, order)
}

/** `width` in characters. */
type ExportColumn = { header: string; width: number; cell(line: AttendeeRow): Cell }

function exportColumns(workshops: readonly Workshop[], locale: Locale): ExportColumn[] {
  const { roster } = apiMessages(locale)
  const { registrationStatuses } = publicMessages(locale)
  const byId = new Map(workshops.map((workshop) => [workshop.id, workshop]))
  const getWorkshop = (line: AttendeeRow) => byId.get(line.workshopId) as Workshop
  const localMinute = (read: (line: AttendeeRow) => Date | null) => (line: AttendeeRow) => {
    const moment = read(line)
    return moment && formatMinute(moment, getWorkshop(line).timeZone)
  }
  const itemIdsByWorkshop = new Map(workshops.map(({ id, items }) => [id, new Set(items.map((item) => item.id))]))
  const items = new Map(workshops.flatMap(({ items }) => items.map((item) => [item.id, item])))
  const column = (name: keyof typeof roster.heads, width: number, cell: ExportColumn['cell']): ExportColumn => ({
    header: roster.heads[name],
    width,
    cell,
  })
  return [
    ...(workshops.length > 1
      ? [
          column('workshop', 24, (line) => {
            const { city, startsAt, timeZone } = getWorkshop(line)
            return `${localize(city, locale)} ${localDate(startsAt, timeZone)}`
          }),
        ]
      : []),
    column('number', 8, (line) => line.seq),
    column('status', 14, (line) => registrationStatuses[line.status]),
    column('position', 12, (line) => line.position),
    column('name', 16, (line) => (line.erased ? roster.erased : line.name)),
    column('email', 28, (line) => line.email),
    column('phone', 20, (line) => formatPhone(line.phone)),
    column('phoneShared', 12, (line) => (line.phoneShared ? roster.shared : null)),
    column('company', 24, (line) => line.company),
    column('channel', 24, (line) => line.channel ?? (line.walkIn ? doorMessages(locale).list.walkIn : null)),
    ...[...items.values()]
      .filter((item) => item.mustConfirm)
      .map(({ id, text }) => ({
        header: localize(text, locale),
        width: 18,
        cell: (line: AttendeeRow) => {
          const { ready, erased, workshopId } = line
          // Other workshops of the campaign may have other items.
          if (erased || !itemIdsByWorkshop.get(workshopId)?.has(id)) return null
          return id in ready ? (ready[id] ? roster.ready : roster.notYet) : roster.noAnswer
        },
      })),
    column(
      'createdAt',
      18,
      localMinute(({ createdAt }) => createdAt),
    ),
    column(
      'seatedAt',
      18,
      localMinute(({ seatedAt }) => seatedAt),
    ),
    column(
      'offeredUntil',
      18,
      localMinute(({ offeredUntil }) => offeredUntil),
    ),
    column(
      'cancelledAt',
      18,
      localMinute(({ cancelledAt }) => cancelledAt),
    ),
    column('cancelledBy', 18, (line) => line.cancelledBy && roster.cancelledBy[line.cancelledBy]),
    column('locale', 10, (line) => roster.locales[line.locale] ?? line.locale),
    column('coming', 8, (line) =>
      line.status === 'confirmed' && hasConfirmedAttendance(line, getWorkshop(line)) ? roster.shared : null,
    ),
    column(
      'checkedInAt',
      18,
      localMinute(({ checkedInAt }) => checkedInAt),
    ),
  ]
}

/** A CSV line (RFC 4180) with all values quoted and formulas escaped. */
export function csvRow(cells: Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: Cell): string {
  if (cell === null || cell === '') return ''
  return typeof cell === 'number' ? `"${cell}"` : `"${escapeFormula(cell).replaceAll('"', '""')}"`
}

/**
 * Formats a phone number as +86 138 0013 8000, with spaces in every country. Chinese mobiles, the majority, are formatted
 * here: the library takes 10 µs per number.
 */
function formatPhone(phone: string | null): string | null {
  if (!phone) return null
  const chineseMobile = phone.replace(/^\+86(1[3-9]\d)(\d{4})(\d{4})$/, '+86 $1 $2 $3')
  if (chineseMobile !== phone) return chineseMobile
  return (parsePhoneNumber(phone)?.formatInternational() ?? phone).replace(/[^\d+]+/g, ' ')
}

/**
 * Escapes a cell for Excel, WPS and LibreOffice (OWASP, CSV injection): puts an apostrophe before anything that could
 * begin a formula, also after a semicolon, where Excel begins a new cell in much of Europe, quoted or not.
 *
 * A phone number keeps its plus sign: `+86 138 0013 8000` has no operator, name or reference and is neither a number nor
 * a formula, so spreadsheets keep it as text, unchanged for programs that read the file. Without the spaces Excel would
 * show 8.6E+12.
 */
function escapeFormula(cell: string): string {
  if (safePattern.test(cell) || phonePattern.test(cell)) return cell
  return cell.replace(formulaPattern, "$1'$2")
}

/** Fast check for nearly all cells: no formula at the beginning and no semicolon. A tenth of the time. */
const safePattern = /^[^\s\0"=+\-@＝＋－＠;][^;]*$/
const phonePattern = /^\+\d{1,4}(?: \d+)+$/
/** Also full-width signs, which Excel reads as plain ones, after spaces and quotes, which imports skip. */
const formulaPattern = /(^|;)([\s\0"]*[=+\-@＝＋－＠]|[\t\r\n\0])/g
