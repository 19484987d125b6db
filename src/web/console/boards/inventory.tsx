import { type Context, Hono } from 'hono'
import {
  addBoards,
  type BoardWorkshop,
  boardPlaces,
  boardsPerPage,
  countBoards,
  listAllBoards,
  listBoards,
} from '../../../domain/boards/inventory.ts'
import { parseBoards } from '../../../domain/boards/serials.ts'
import { csvRow } from '../../../http/attendee-export.ts'
import { audit, currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { attachment } from '../../../http/responses.ts'
import { type BoardMessages, boardMessages } from '../../../i18n/boards.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatNumber } from '../../../i18n/format.ts'
import { localDate } from '../../../lib/time-zones.ts'
import { consolePage } from '../layout.tsx'
import { canEdit } from '../permissions.ts'
import { ErrorSummary, Field, type FieldError, Select, stringField } from '../ui/fields.tsx'
import { eventLabel } from '../ui/workshop-labels.ts'
import { BoardTable } from './board-table.tsx'
import { parseBoardFilter, serializeBoardFilter } from './filter.ts'
import { boardFieldErrors } from './form-fields.ts'

/** The board inventory: list, adding boards, CSV export. */
export const boardInventoryPages = new Hono<App>()

/** Viewers see the counts only, not who has which board. */
boardInventoryPages.get('/console/boards', async (c) => {
  const { deps } = c.env
  const t = boardMessages(c.var.locale)
  const counts = await countBoards(deps)
  const done = c.req.query('done')
  const added = Number(/^added-(\d{1,3})$/.exec(done ?? '')?.[1] ?? 0)
  return consolePage(
    c,
    {
      title: t.list.title,
      section: 'boards',
      scripts: canEdit(c) ? ['people'] : [],
      flash: added > 0 ? t.list.added(added) : done === 'removed' ? t.list.removed : undefined,
    },
    <>
      <h1>{t.list.title}</h1>
      <p class="lead">{t.list.lead}</p>
      {canEdit(c) && (
        <nav class="ways">
          <a class="button" href={paths.addBoards()}>
            {t.list.add}
          </a>
          {counts.length > 0 && (
            <a href={withQuery(paths.boardsCsv(), serializeBoardFilter(parseBoardFilter(c)))}>{t.list.csv}</a>
          )}
        </nav>
      )}
      {counts.length === 0 ? <p>{t.list.none}</p> : <BoardCountTable counts={counts} t={t} />}
      {counts.length > 0 && canEdit(c) && (await renderInventory(c, counts))}
    </>,
  )
})

type BoardCounts = Awaited<ReturnType<typeof countBoards>>

function BoardCountTable({ counts, t }: { counts: BoardCounts; t: BoardMessages }) {
  return (
    <div class="table" tabindex={0}>
      <table class="board-counts">
        <thead>
          <tr>
            <th scope="col">{t.fields.kind}</th>
            {boardPlaces.map((place) => (
              <th scope="col" class="number">
                {t.places[place]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map(({ kind, places }) => (
            <tr>
              <th scope="row">{kind}</th>
              {boardPlaces.map((place) => (
                <td class="number">{places[place] > 0 ? formatNumber(places[place]) : '·'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The filter, and the list with checkboxes to print labels of selected boards. */
async function renderInventory(c: Context<App>, counts: BoardCounts) {
  const t = boardMessages(c.var.locale)
  const filter = parseBoardFilter(c)
  const query = serializeBoardFilter(filter)
  const isFiltered = Object.values(query).some(Boolean)
  const pageParam = /^\d{1,6}$/.exec(c.req.query('page') ?? '')?.[0]
  const { boards, total, page } = await listBoards(c.env.deps, filter, Math.max(1, Number(pageParam ?? 1)))
  const totalBoards = counts.reduce((sum, { places }) => sum + Object.values(places).reduce((a, b) => a + b), 0)
  const pages = Math.max(1, Math.ceil(total / boardsPerPage))
  const pageHref = (n: number) => withQuery(paths.boards(), { ...query, page: n > 1 ? String(n) : undefined })
  return (
    <>
      <form class="filter" action={paths.boards()}>
        <Field name="q" type="search" label={t.list.search} hint={t.list.searchHint} value={filter.search ?? ''} />
        {counts.length > 1 && (
          <Select
            name="kind"
            label={t.fields.kind}
            value={filter.kind ?? ''}
            options={[{ value: '', text: t.list.any }, ...counts.map(({ kind }) => ({ value: kind, text: kind }))]}
          />
        )}
        <Select
          name="place"
          label={t.list.place}
          value={filter.place ?? ''}
          options={[
            { value: '', text: t.list.any },
            ...boardPlaces.map((place) => ({ value: place, text: t.places[place] })),
          ]}
        />
        <button type="submit" class="second">
          {t.list.filter}
        </button>
        {isFiltered && (
          <a class="clear" href={paths.boards()}>
            {t.list.clear}
          </a>
        )}
      </form>
      <p class="count">{isFiltered ? t.list.chosen(total, totalBoards) : t.list.total(totalBoards)}</p>
      {boards.length === 0 ? (
        <p>{t.list.noneFound}</p>
      ) : (
        <form class="people" action={paths.boardLabels()}>
          <input type="hidden" name="chosen" value="yes" />
          <p class="actions">
            <button type="submit" class="small second">
              {t.list.labelsChosen}
            </button>
            <a href={withQuery(paths.boardLabels(), query)}>{t.list.labels}</a>
          </p>
          <BoardTable boards={boards} c={c} t={t} />
        </form>
      )}
      {pages > 1 && (
        <p class="pages">
          {page > 1 && <a href={pageHref(page - 1)}>{t.list.previous}</a>}
          <span>{t.list.page(page, pages)}</span>
          {page < pages && <a href={pageHref(page + 1)}>{t.list.next}</a>}
        </p>
      )}
    </>
  )
}

boardInventoryPages.get('/console/boards.csv', async (c) => {
  const { deps } = c.env
  const t = boardMessages(c.var.locale)
  const filter = parseBoardFilter(c)
  const boards = await listAllBoards(deps, filter)
  const { kind, place, search } = filter
  await audit(c, {
    action: 'board.exported',
    payload: { count: boards.length, ...(kind && { board: kind }), ...(place && { status: place }) },
    pii: search ? { search } : undefined,
  })
  const head = [t.fields.kind, t.fields.serial, t.list.where, t.list.event, t.fields.note, t.list.code]
  const lines = boards.map((board) => {
    const { holder, packedFor, place, kind, serial, note, code } = board
    const at = (workshop: BoardWorkshop) =>
      `${eventLabel(workshop, c)} (${localDate(workshop.startsAt, workshop.timeZone)})`
    const event = holder ? at(holder.workshop) : packedFor ? at(packedFor) : null
    return csvRow([kind, serial, t.places[place], event, note, code])
  })
  return c.body(`\uFEFF${csvRow(head)}${lines.join('')}`, 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment('boards.csv', `${t.list.file}.csv`),
    'Cache-Control': 'no-store',
  })
})

boardInventoryPages.get('/console/boards/add', (c) => addBoardsPage(c, { kind: '', serials: '' }))

boardInventoryPages.post('/console/boards/add', async (c) => {
  const { deps } = c.env
  const t = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const values = { kind: stringField(body, 'kind'), serials: stringField(body, 'serials') }
  const { problems, ...draft } = parseBoards(values)
  if (problems.length > 0) return addBoardsPage(c, values, boardFieldErrors(problems, t))
  const added = await addBoards(deps, currentActor(c), draft)
  if (added.kind === 'refused') {
    return addBoardsPage(c, values, [{ field: 'serials', text: t.add.exist(added.serials.slice(0, 50)) }], 409)
  }
  const query = { kind: draft.kind, done: `added-${added.ids.length}` }
  return c.redirect(withQuery(paths.boards(), query), 303)
})

async function addBoardsPage(
  c: Context<App>,
  values: { kind: string; serials: string },
  problems: FieldError[] = [],
  status: 409 | 422 = 422,
) {
  const t = boardMessages(c.var.locale)
  const kinds = await countBoards(c.env.deps)
  return consolePage(
    c,
    {
      title: t.add.title,
      section: 'boards',
      back: { href: paths.boards(), text: t.list.title },
      status: problems.length > 0 ? status : 200,
    },
    <>
      <ErrorSummary problems={problems} t={consoleMessages(c.var.locale)} />
      <h1>{t.add.title}</h1>
      <form class="narrow" method="post" action={paths.addBoards()} novalidate>
        <Field
          name="kind"
          label={t.fields.kind}
          hint={t.add.kindHint}
          value={values.kind}
          problems={problems}
          autocomplete="off"
          list="kinds"
          required
        />
        <datalist id="kinds">
          {kinds.map(({ kind }) => (
            <option value={kind} />
          ))}
        </datalist>
        <Field
          name="serials"
          label={t.fields.serials}
          hint={t.add.serialsHint}
          value={values.serials}
          problems={problems}
          rows={6}
          required
        />
        <p class="actions">
          <button type="submit">{t.add.submit}</button>
        </p>
      </form>
    </>,
  )
}
