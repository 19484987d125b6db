import { type Context, Hono } from 'hono'
import { registrationStatuses } from '../../../db/schema.ts'
import { confirmationStatuses, hasConfirmedAttendance } from '../../../domain/registrations/attendance-confirmation.ts'
import type { AttendeeRow } from '../../../domain/registrations/export.ts'
import { countPeople, listPeople, type PeopleCounts, peoplePerPage } from '../../../domain/registrations/list.ts'
import { computeReadiness, readinessStates, requiredItems } from '../../../domain/registrations/readiness.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { broadcastMessages } from '../../../i18n/broadcasts.ts'
import { doorMessages } from '../../../i18n/door.ts'
import { localize } from '../../../i18n/format.ts'
import { type RegistrationMessages, registrationMessages } from '../../../i18n/registrations.ts'
import { formatMinute } from '../../../lib/time-zones.ts'
import { consolePage } from '../layout.tsx'
import { Select } from '../ui/fields.tsx'
import { RegistrationStatusBadge } from '../ui/status-badges.tsx'
import { workshopLabel } from '../ui/workshop-labels.ts'
import { type ColumnName, ColumnPicker, columnNames, loadColumnPreferences, TableHead } from './columns.tsx'
import {
  attendeeListPath,
  loadScope,
  newBroadcastPath,
  type PeopleQuery,
  type PeopleScope,
  parsePeopleQuery,
  scopeIds,
  scopePath,
  scopeTitle,
  serializePeopleQuery,
} from './query.ts'

/** The attendee list of a workshop, or of all workshops of a campaign. */
export const attendeeListPages = new Hono<App>()

attendeeListPages.get('/console/workshops/:slug/people', (c) => attendeeListPage(c, 'workshop'))
attendeeListPages.get('/console/campaigns/:slug/people', (c) => attendeeListPage(c, 'campaign'))

async function attendeeListPage(c: Context<App>, kind: PeopleScope['kind']): Promise<Response> {
  const { deps } = c.env
  const scope = await loadScope(c, kind)
  if (!scope) return c.notFound()
  const query = parsePeopleQuery(c)
  const columns = loadColumnPreferences(c)
  if (columns === 'saved') {
    return c.redirect(
      withQuery(attendeeListPath(scope), { ...serializePeopleQuery(query), page: c.req.query('page') }),
      303,
    )
  }
  const { workshops } = scope
  const counts = await countPeople(deps, workshops)
  const result = await listPeople(deps, workshops, query.filter, query.order, query.page)
  if (query.filter.search) {
    await audit(c, {
      action: 'list.looked_up',
      ...scopeIds(scope),
      payload: { count: result.total },
      pii: { search: query.filter.search },
    })
  }
  const t = registrationMessages(c.var.locale)
  const visibleColumns = columnNames.filter(
    (name) => columns.includes(name) && (name !== 'workshop' || scope.kind === 'campaign'),
  )
  return consolePage(
    c,
    {
      title: `${t.list.title} · ${scopeTitle(c, scope)}`,
      section: 'campaigns',
      back: { href: scopePath(scope), text: scopeTitle(c, scope) },
      scripts: ['people'],
      flash: c.req.query('done') === 'erased' ? t.person.erased : undefined,
    },
    <>
      <h1>{t.list.title}</h1>
      <Toolbar c={c} scope={scope} query={query} t={t} />
      <FilterForm c={c} scope={scope} query={query} counts={counts} t={t} />
      <p class="count" role="status">
        {totalLabel(result.total, counts, query, t)}
      </p>
      {result.lines.length > 0 && (
        <form method="post" action={paths.bulkActions()} class="people">
          <input type="hidden" name="back" value={listHref(scope, query)} />
          <BulkActionBar t={t} />
          <section class="people-frame" tabindex={0} aria-label={t.list.title}>
            <table class="people">
              <thead>
                <tr>
                  <th class="choose">
                    <input type="checkbox" data-choose-all="" aria-label={t.list.chooseAll} hidden />
                  </th>
                  {visibleColumns.map((name) => (
                    <TableHead name={name} scope={scope} query={query} t={t} />
                  ))}
                </tr>
              </thead>
              <tbody>
                {result.lines.map((line) => (
                  <AttendeeTableRow c={c} line={line} workshops={workshops} visibleColumns={visibleColumns} t={t} />
                ))}
              </tbody>
            </table>
          </section>
        </form>
      )}
      <Pagination scope={scope} query={{ ...query, page: result.page }} total={result.total} t={t} />
      <ColumnPicker scope={scope} query={query} columns={columns} t={t} />
    </>,
  )
}

function totalLabel(total: number, counts: PeopleCounts, { filter }: PeopleQuery, t: RegistrationMessages): string {
  const all = Object.values(counts.statuses).reduce((sum, people) => sum + people, 0)
  if (all === 0) return t.list.none
  if (total === 0) return t.list.noneFound
  return Object.values(filter).some(Boolean) ? t.list.chosen(total, all) : t.list.total(all)
}

function listHref(scope: PeopleScope, query: PeopleQuery): string {
  const page = query.page > 1 ? String(query.page) : undefined
  return withQuery(attendeeListPath(scope), { ...serializePeopleQuery(query), page })
}

/** Links to other pages for these people. Broadcasts, exports and sheets keep the filter. */
function Toolbar({
  c,
  scope,
  query,
  t,
}: {
  c: Context<App>
  scope: PeopleScope
  query: PeopleQuery
  t: RegistrationMessages
}) {
  const withFilter = (path: string) => withQuery(path, serializePeopleQuery(query))
  const list = attendeeListPath(scope)
  const [workshop] = scope.workshops
  return (
    <nav class="ways">
      {scope.kind === 'workshop' && workshop && <a href={paths.addPerson(workshop.slug)}>{t.list.add}</a>}
      <a href={withFilter(newBroadcastPath(scope))}>{broadcastMessages(c.var.locale).list.toFiltered}</a>
      <a href={`${list}/duplicates`}>{t.list.duplicates}</a>
      {scope.kind === 'workshop' && workshop && (
        <>
          <a href={withFilter(paths.signInSheet(workshop.slug))}>{t.list.signInSheet}</a>
          <a href={withFilter(paths.nameBadges(workshop.slug))}>{t.list.badges}</a>
        </>
      )}
      <a href={withFilter(`${list}.csv`)}>{t.list.csv}</a>
      <a href={withFilter(`${list}.xlsx`)}>{t.list.xlsx}</a>
    </nav>
  )
}

function FilterForm({
  c,
  scope,
  query,
  counts,
  t,
}: {
  c: Context<App>
  scope: PeopleScope
  query: PeopleQuery
  counts: PeopleCounts
  t: RegistrationMessages
}) {
  const { filter } = query
  const any = { value: '', text: t.list.any }
  const { sort } = serializePeopleQuery(query)
  const required = new Map(
    scope.workshops.flatMap(requiredItems).map((item) => [item.id, localize(item.text, c.var.locale)]),
  )
  const links = counts.links.map(({ code, channel, people }) => ({
    value: code ?? 'none',
    text: t.list.of(channel ?? t.list.noLink, people),
  }))
  return (
    <form method="get" action={attendeeListPath(scope)} class="filter">
      {sort && <input type="hidden" name="sort" value={sort} />}
      {c.req.query('lang') && <input type="hidden" name="lang" value={c.req.query('lang')} />}
      <div class="field">
        <label for="q">{t.list.search}</label>
        <input id="q" name="q" type="search" value={filter.search ?? ''} maxlength={100} aria-describedby="q-hint" />
        <p class="hint" id="q-hint">
          {t.list.searchHint}
        </p>
      </div>
      <Select
        name="status"
        label={t.list.status}
        value={filter.status ?? ''}
        options={[
          any,
          ...registrationStatuses.map((status) => ({
            value: status,
            text: t.list.of(t.statuses[status], counts.statuses[status]),
          })),
        ]}
      />
      {(links.length > 1 || filter.link) && (
        <Select name="link" label={t.list.link} value={filter.link ?? ''} options={[any, ...links]} />
      )}
      {required.size > 0 && (
        <Select
          name="ready"
          label={t.list.readiness}
          value={serializePeopleQuery(query).ready ?? ''}
          options={[
            any,
            ...readinessStates.map((readiness) => ({ value: readiness, text: t.readinessStatuses[readiness] })),
            ...[...required].flatMap(([id, text]) => [
              { value: `${id}.not`, text: t.list.item(text, false) },
              { value: `${id}.ready`, text: t.list.item(text, true) },
            ]),
          ]}
        />
      )}
      <Select
        name="coming"
        label={t.list.coming}
        value={filter.coming ?? ''}
        options={[
          any,
          ...confirmationStatuses.map((coming) => ({ value: coming, text: t.attendanceConfirmations[coming] })),
        ]}
      />
      <div class="field">
        <button type="submit">{t.list.filter}</button>
      </div>
      {Object.values(filter).some(Boolean) && (
        <a class="clear" href={withQuery(attendeeListPath(scope), { sort })}>
          {t.list.clear}
        </a>
      )}
    </form>
  )
}

/** Buttons for the selected people; each leads to a confirmation page. */
function BulkActionBar({ t }: { t: RegistrationMessages }) {
  return (
    <div class="chosen">
      <span>{t.list.toChosen}</span>
      {(['promote', 'move', 'cancel'] as const).map((action) => (
        <button type="submit" name="action" value={action} class="second">
          {t.list[action]}
        </button>
      ))}
    </div>
  )
}

function AttendeeTableRow({
  c,
  line,
  workshops,
  visibleColumns,
  t,
}: {
  c: Context<App>
  line: AttendeeRow
  workshops: readonly Workshop[]
  visibleColumns: readonly ColumnName[]
  t: RegistrationMessages
}) {
  const workshop = workshops.find(({ id }) => id === line.workshopId) as Workshop
  const cells: Record<ColumnName, unknown> = {
    number: line.seq,
    workshop: workshopLabel(workshop, c),
    name: line.erased ? t.list.erased : <a href={paths.person(line.id)}>{line.name}</a>,
    status: <RegistrationStatusBadge status={line.status} position={line.position} t={t} />,
    company: line.company,
    phone: (
      <>
        {line.phone}
        {line.phoneShared && <small>{t.list.phoneShared}</small>}
      </>
    ),
    email: line.email,
    ready:
      line.erased || requiredItems(workshop).length === 0 ? '' : t.readinessStatuses[computeReadiness(line, workshop)],
    coming: line.status === 'confirmed' && hasConfirmedAttendance(line, workshop) ? t.attendanceConfirmations.yes : '',
    channel: line.channel ?? (line.walkIn ? doorMessages(c.var.locale).list.walkIn : null),
    time: <time datetime={line.createdAt.toISOString()}>{formatMinute(line.createdAt, workshop.timeZone)}</time>,
  }
  return (
    <tr class={line.status === 'cancelled' ? 'gone' : undefined}>
      <td class="choose">
        {!line.erased && (
          <input type="checkbox" name="id" value={line.id} aria-label={t.list.choose(`${line.seq} ${line.name}`)} />
        )}
      </td>
      {visibleColumns.map((name) => (
        <td class={`of-${name}`} data-head={t.columns[name]}>
          {cells[name]}
        </td>
      ))}
    </tr>
  )
}

function Pagination({
  scope,
  query,
  total,
  t,
}: {
  scope: PeopleScope
  query: PeopleQuery
  total: number
  t: RegistrationMessages
}) {
  const pages = Math.ceil(total / peoplePerPage)
  if (pages <= 1) return null
  const pageHref = (page: number) => listHref(scope, { ...query, page })
  return (
    <nav class="pages">
      {query.page > 1 && (
        <a rel="prev" href={pageHref(query.page - 1)}>
          {t.list.previous}
        </a>
      )}
      <span>{t.list.page(query.page, pages)}</span>
      {query.page < pages && (
        <a rel="next" href={pageHref(query.page + 1)}>
          {t.list.next}
        </a>
      )}
    </nav>
  )
}
