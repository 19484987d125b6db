import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { App } from '../context.ts'
import type { PeopleOrder } from '../domain/people.ts'
import { withQuery } from '../links.ts'
import type { PeopleMessages } from '../messages/people.ts'
import { listPath, type PeopleQuery, type Whose, writePeopleQuery } from './people-query.ts'

/** The columns of an attendee list, in their order. */
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

const usual: readonly ColumnName[] = ['number', 'workshop', 'name', 'status', 'company', 'phone', 'ready', 'time']
const cookieName = 'people-columns'

/** The columns that this browser wants, or `remembered` where it has just chosen them. The name is always there. */
export function rememberColumns(c: Context<App>): readonly ColumnName[] | 'remembered' {
  const known = (names: readonly string[]) => columnNames.filter((name) => name === 'name' || names.includes(name))
  const asked = c.req.queries('column')
  if (!asked) return known(getCookie(c, cookieName)?.split('.') ?? usual)
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  setCookie(c, cookieName, known(asked).join('.'), {
    ...{ path: '/console', maxAge: 365 * 24 * 3600, sameSite: 'Lax', httpOnly: true, secure },
  })
  return 'remembered'
}

/** The columns by which a list can be sorted. */
const sortable: Partial<Record<ColumnName, PeopleOrder['by']>> = {
  number: 'number',
  name: 'name',
  status: 'status',
  company: 'company',
  time: 'time',
}

/** The head of a column, which sorts the list by it, where that is possible. */
export function Head({
  name,
  whose,
  query,
  t,
}: {
  name: ColumnName
  whose: Whose
  query: PeopleQuery
  t: PeopleMessages
}) {
  const by = sortable[name]
  if (!by) return <th scope="col">{t.columns[name]}</th>
  const { order } = query
  const sorted = order.by === by && (order.descending ? 'descending' : 'ascending')
  const next = { by, descending: sorted === 'ascending' }
  return (
    <th scope="col" aria-sort={sorted || undefined}>
      <a
        href={withQuery(listPath(whose), writePeopleQuery({ ...query, order: next }))}
        title={t.list.sortBy(t.columns[name])}
      >
        {t.columns[name]}
      </a>
    </th>
  )
}

/** The form that chooses which columns are shown. */
export function Columns({
  whose,
  query,
  columns,
  t,
}: {
  whose: Whose
  query: PeopleQuery
  columns: readonly ColumnName[]
  t: PeopleMessages
}) {
  return (
    <details class="columns">
      <summary>{t.list.columns}</summary>
      <form method="get" action={listPath(whose)}>
        {Object.entries(writePeopleQuery(query)).map(
          ([name, value]) => value && <input type="hidden" name={name} value={value} />,
        )}
        {whose.of === 'workshop' && columns.includes('workshop') && (
          <input type="hidden" name="column" value="workshop" />
        )}
        {columnNames
          .filter((name) => name !== 'name' && (name !== 'workshop' || whose.of === 'campaign'))
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
