import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import type { AttendeeRow } from '../../../domain/registrations/export.ts'
import { type PeopleFilter, streamPeople } from '../../../domain/registrations/list.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import { attendeeFileName, attendeesCsv, attendeesXlsx } from '../../../http/attendee-export.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { withQuery } from '../../../http/links.ts'
import { attachment, streamBody } from '../../../http/responses.ts'
import { formatDateRange, formatPlace, localize } from '../../../i18n/format.ts'
import { type RegistrationMessages, registrationMessages } from '../../../i18n/registrations.ts'
import { chunk, printPage } from '../ui/print-page.tsx'
import {
  attendeeListPath,
  loadScope,
  type PeopleQuery,
  type PeopleScope,
  parsePeopleQuery,
  scopeIds,
  scopeTitle,
  serializePeopleQuery,
} from './query.ts'

/** The attendee list as CSV, XLSX, sign-in sheet and name badges. All apply the filter of the list. */
export const attendeeExportPages = new Hono<App>()

for (const kind of ['workshop', 'campaign'] as const) {
  attendeeExportPages.get(`/console/${kind}s/:slug/people.csv`, (c) => exportFile(c, kind, 'csv'))
  attendeeExportPages.get(`/console/${kind}s/:slug/people.xlsx`, (c) => exportFile(c, kind, 'xlsx'))
}

const mediaTypes = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

async function exportFile(c: Context<App>, kind: PeopleScope['kind'], format: 'csv' | 'xlsx'): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const scope = await loadScope(c, kind)
  if (!scope) return c.notFound()
  const { filter, order } = parsePeopleQuery(c)
  await auditExport(c, scope, filter, format)
  const render = format === 'csv' ? attendeesCsv : attendeesXlsx
  const [slug, city] = scope.kind === 'workshop' ? [scope.workshops[0].slug, scope.workshops[0].city] : [scope.slug, {}]
  return c.body(await streamBody(deps, render(deps, scope.workshops, locale, filter, order)), 200, {
    'Content-Type': mediaTypes[format],
    'Content-Disposition': attachment(`${slug}.${format}`, attendeeFileName({ slug, city }, locale, format)),
    'Cache-Control': 'no-store',
  })
}

async function auditExport(c: Context<App>, scope: PeopleScope, filter: PeopleFilter, format: string): Promise<void> {
  const { search, ...facts } = filter
  await audit(c, {
    action: 'list.exported',
    ...scopeIds(scope),
    payload: { format, ...facts },
    pii: search ? { search } : undefined,
  })
}

attendeeExportPages.get('/console/workshops/:slug/people/sign-in-sheet', async (c) => {
  const sheet = await loadSheet(c)
  if (!sheet) return c.notFound()
  const { t, workshop, people } = sheet
  return attendeePrintPage(
    c,
    sheet,
    t.sheet.signIn,
    <table class="sign-in">
      <caption>
        <b>{localize(workshop.title, c.var.locale)}</b> {dateAndPlace(c, workshop)} · {t.sheet.people(people.length)}
      </caption>
      <thead>
        <tr>
          <th scope="col">{t.sheet.number}</th>
          <th scope="col">{t.sheet.name}</th>
          <th scope="col">{t.sheet.company}</th>
          <th scope="col">{t.sheet.phone}</th>
          <th scope="col" class="signature">
            {t.sheet.signature}
          </th>
        </tr>
      </thead>
      <tbody>
        {people.map(({ seq, name, company, phone }) => (
          <tr>
            <td>{seq}</td>
            <td>{name}</td>
            <td>{company}</td>
            <td>{phone?.slice(-4)}</td>
            <td />
          </tr>
        ))}
      </tbody>
    </table>,
  )
})

/** A4 fits two columns of five badges of 90 × 54 mm, the size of badge holders. */
const badgesPerPage = 10

attendeeExportPages.get('/console/workshops/:slug/people/name-badges', async (c) => {
  const sheet = await loadSheet(c)
  if (!sheet) return c.notFound()
  const { t, workshop, people } = sheet
  return attendeePrintPage(
    c,
    sheet,
    t.sheet.badges,
    chunk(people, badgesPerPage).map((page) => (
      <section class="badges">
        {page.map(({ seq, name, company }) => (
          <div class="name-badge">
            <b class={name.length > 12 ? 'long' : undefined}>{name}</b>
            <span>{company}</span>
            <small>
              {localize(workshop.title, c.var.locale)} · {seq}
            </small>
          </div>
        ))}
      </section>
    )),
  )
})

type AttendeeSheet = {
  workshop: Workshop
  people: AttendeeRow[]
  query: PeopleQuery
  scope: PeopleScope
  t: RegistrationMessages
}

/** The people who match the filter; confirmed ones if it names no status. */
async function loadSheet(c: Context<App>): Promise<AttendeeSheet | undefined> {
  const scope = await loadScope(c, 'workshop')
  if (!scope) return undefined
  const [workshop] = scope.workshops as [Workshop]
  const query = parsePeopleQuery(c)
  const filter = { ...query.filter, status: query.filter.status ?? ('confirmed' as const) }
  await auditExport(c, scope, filter, c.req.path.split('/').at(-1) ?? '')
  const people: AttendeeRow[] = []
  for await (const lines of streamPeople(c.env.deps, [workshop], filter, query.order)) {
    people.push(...lines.filter(({ erased }) => !erased))
  }
  return { workshop, people, query, scope, t: registrationMessages(c.var.locale) }
}

function dateAndPlace(c: Context<App>, workshop: Workshop): string {
  const { fullDate, time } = formatDateRange(workshop, c.var.locale)
  return [`${fullDate} ${time}`, formatPlace(workshop, c.var.locale)].join(' · ')
}

/** A print page with a link back to the filtered list. */
function attendeePrintPage(c: Context<App>, { scope, query, people, t }: AttendeeSheet, title: string, content: Child) {
  const back = { href: withQuery(attendeeListPath(scope), serializePeopleQuery(query)), text: t.sheet.back }
  const hint = people.length > 0 ? t.sheet.print : t.sheet.nobody
  return printPage(c, { title, subject: scopeTitle(c, scope), back, hint }, people.length > 0 && content)
}
