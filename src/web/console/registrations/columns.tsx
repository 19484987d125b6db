import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { PeopleSort } from '../../../domain/registrations/list.ts'
import type { App } from '../../../http/context.ts'
import { withQuery } from '../../../http/links.ts'
import type { RegistrationMessages } from '../../../i18n/registrations.ts'
import { attendeeListPath, type PeopleQuery, type PeopleScope, serializePeopleQuery } from './query.ts'

/** The columns of an attendee list, in display order. */
export const columnNames = [
  'number',
  'workshop',
  'name',
  'status',
  'company',
  'phone',
  'email',
  'ready',
  'coming',
  'channel',
  'time',
] as const
export type ColumnName = (typeof columnNames)[number]

const defaultColumns: readonly ColumnName[] = [
  'number',
  'workshop',
  'name',
  'status',
  'company',
  'phone',
  'ready',
  'time',
]
const cookieName = 'people-columns'

/** The columns saved in this browser's cookie, or 'saved' if the query string just set them. Always includes the name. */
export function loadColumnPreferences(c: Context<App>): readonly ColumnName[] | 'saved' {
  const selectColumns = (names: readonly string[]) =>
    columnNames.filter((name) => name === 'name' || names.includes(name))
  const requested = c.req.queries('column')
  if (!requested) return selectColumns(getCookie(c, cookieName)?.split('.') ?? defaultColumns)
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  setCookie(c, cookieName, selectColumns(requested).join('.'), {
    ...{ path: '/console', maxAge: 365 * 24 * 3600, sameSite: 'Lax', httpOnly: true, secure },
  })
  return 'saved'
}

const sortableColumns: Partial<Record<ColumnName, PeopleSort['by']>> = {
  number: 'number',
  name: 'name',
  status: 'status',
  company: 'company',
  time: 'time',
}

/** Header of a column, with a sort link if the column is sortable. */
export function TableHead({
  name,
  scope,
  query,
  t,
}: {
  name: ColumnName
  scope: PeopleScope
  query: PeopleQuery
  t: RegistrationMessages
}) {
  const by = sortableColumns[name]
  if (!by) return <th scope="col">{t.columns[name]}</th>
  const { order } = query
  const sorted = order.by === by && (order.descending ? 'descending' : 'ascending')
  const next = { by, descending: sorted === 'ascending' }
  return (
    <th scope="col" aria-sort={sorted || undefined}>
      <a
        href={withQuery(attendeeListPath(scope), serializePeopleQuery({ ...query, order: next }))}
        title={t.list.sortBy(t.columns[name])}
      >
        {t.columns[name]}
      </a>
    </th>
  )
}

export function ColumnPicker({
  scope,
  query,
  columns,
  t,
}: {
  scope: PeopleScope
  query: PeopleQuery
  columns: readonly ColumnName[]
  t: RegistrationMessages
}) {
  return (
    <details class="columns">
      <summary>{t.list.columns}</summary>
      <form method="get" action={attendeeListPath(scope)}>
        {Object.entries(serializePeopleQuery(query)).map(
          ([name, value]) => value && <input type="hidden" name={name} value={value} />,
        )}
        {scope.kind === 'workshop' && columns.includes('workshop') && (
          <input type="hidden" name="column" value="workshop" />
        )}
        {columnNames
          .filter((name) => name !== 'name' && (name !== 'workshop' || scope.kind === 'campaign'))
          .map((name) => (
            <label class="check">
              <input type="checkbox" name="column" value={name} checked={columns.includes(name)} /> {t.columns[name]}
            </label>
          ))}
        <button type="submit" class="second" name="column" value="name">
          {t.list.columnsSubmit}
        </button>
      </form>
    </details>
  )
}
