import { type Context, Hono } from 'hono'
import { attachment } from '../answer.ts'
import { actorOf, audited } from '../audited.ts'
import type { App } from '../context.ts'
import { type BoardProblem, readBoards } from '../domain/board-serials.ts'
import {
  addBoards,
  allBoards,
  type Board,
  type BoardFilter,
  type BoardPlace,
  type BoardWorkshop,
  boardPlaces,
  boardsPerPage,
  countBoards,
  listBoards,
} from '../domain/boards.ts'
import { readSearch } from '../domain/plain-text.ts'
import { dateIn } from '../domain/time-zones.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { type BoardMessages, boardMessagesFor } from '../messages/boards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { day, number, pick } from '../messages/text.ts'
import { csvLine } from '../roster-files.ts'
import { mayChange } from './campaigns.tsx'
import { Choice, Field, type Problem, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'

/** The inventory of boards: the list, adding to it, the file of it. */
export const boardPages = new Hono<App>()

/** A viewer sees how many there are, and not who has them. */
boardPages.get('/console/boards', async (c) => {
  const { deps } = c.env
  const t = boardMessagesFor(c.var.locale)
  const counts = await countBoards(deps)
  const done = c.req.query('done')
  const added = Number(/^added-(\d{1,3})$/.exec(done ?? '')?.[1] ?? 0)
  return consolePage(
    c,
    {
      title: t.list.title,
      section: 'boards',
      scripts: mayChange(c) ? ['people'] : [],
      done: added > 0 ? t.list.added(added) : done === 'removed' ? t.list.removed : undefined,
    },
    <>
      <h1>{t.list.title}</h1>
      <p class="lead">{t.list.lead}</p>
      {mayChange(c) && (
        <nav class="ways">
          <a class="button" href={paths.addBoards()}>
            {t.list.add}
          </a>
          {counts.length > 0 && <a href={withQuery(paths.boardsCsv(), writeFilter(readFilter(c)))}>{t.list.csv}</a>}
        </nav>
      )}
      {counts.length === 0 ? <p>{t.list.none}</p> : <Counts counts={counts} t={t} />}
      {counts.length > 0 && mayChange(c) && (await inventory(c, counts))}
    </>,
  )
})

type Counted = Awaited<ReturnType<typeof countBoards>>

function Counts({ counts, t }: { counts: Counted; t: BoardMessages }) {
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
                <td class="number">{places[place] > 0 ? number(places[place]) : '·'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The filter and the list itself. Each board can be chosen to print its label. */
async function inventory(c: Context<App>, counts: Counted) {
  const t = boardMessagesFor(c.var.locale)
  const filter = readFilter(c)
  const query = writeFilter(filter)
  const filtered = Object.values(query).some(Boolean)
  const asked = /^\d{1,6}$/.exec(c.req.query('page') ?? '')?.[0]
  const { boards, total, page } = await listBoards(c.env.deps, filter, Math.max(1, Number(asked ?? 1)))
  const all = counts.reduce((sum, { places }) => sum + Object.values(places).reduce((a, b) => a + b), 0)
  const pages = Math.max(1, Math.ceil(total / boardsPerPage))
  const pageAt = (n: number) => withQuery(paths.boards(), { ...query, page: n > 1 ? String(n) : undefined })
  return (
    <>
      <form class="filter" action={paths.boards()}>
        <Field name="q" type="search" label={t.list.search} hint={t.list.searchHint} value={filter.search ?? ''} />
        {counts.length > 1 && (
          <Choice
            name="kind"
            label={t.fields.kind}
            value={filter.kind ?? ''}
            options={[{ value: '', text: t.list.any }, ...counts.map(({ kind }) => ({ value: kind, text: kind }))]}
          />
        )}
        <Choice
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
        {filtered && (
          <a class="clear" href={paths.boards()}>
            {t.list.clear}
          </a>
        )}
      </form>
      <p class="count">{filtered ? t.list.chosen(total, all) : t.list.total(all)}</p>
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
          {page > 1 && <a href={pageAt(page - 1)}>{t.list.previous}</a>}
          <span>{t.list.page(page, pages)}</span>
          {page < pages && <a href={pageAt(page + 1)}>{t.list.next}</a>}
        </p>
      )}
    </>
  )
}

/** Boards to choose from. Those `inBox` of a workshop, on its own page, stand without that and without their notes. */
export function BoardTable({
  boards,
  inBox = false,
  c,
  t,
}: {
  boards: Board[]
  inBox?: boolean
  c: Context<App>
  t: BoardMessages
}) {
  return (
    <div class="people-frame boards">
      <table>
        <thead>
          <tr>
            <th class="choose" scope="col">
              <input type="checkbox" data-choose-all="" hidden aria-label={t.list.chooseAll} />
            </th>
            <th scope="col">{t.fields.serial}</th>
            <th scope="col">{t.fields.kind}</th>
            <th scope="col">{t.list.where}</th>
            {!inBox && <th scope="col">{t.fields.note}</th>}
          </tr>
        </thead>
        <tbody>
          {boards.map((board) => (
            <tr class={board.place === 'retired' ? 'gone' : undefined}>
              <td class="choose">
                <input
                  type="checkbox"
                  name="id"
                  value={board.id}
                  aria-label={t.list.choose(t.named(board.kind, board.serial))}
                />
              </td>
              <td class="of-name" data-head={t.fields.serial}>
                <a href={paths.board(board.id)}>{board.serial}</a>
              </td>
              <td data-head={t.fields.kind}>{board.kind}</td>
              <td data-head={t.list.where}>
                <span>
                  <Place place={board.place} t={t} /> {(board.holder || !inBox) && <Where board={board} c={c} />}
                </span>
              </td>
              {!inBox && <td data-head={t.fields.note}>{board.note ?? ''}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** 借出 / 在库 */
export function Place({ place, t }: { place: BoardPlace; t: BoardMessages }) {
  const tone = { free: '', packed: '', lent: '', broken: 'warn', retired: 'off' }[place]
  return <span class={`mark ${tone}`}>{t.places[place]}</span>
}

/** Who has a board, or for which workshop it is packed. */
export function Where({ board: { holder, packedFor }, c }: { board: Board; c: Context<App> }) {
  if (holder) {
    return (
      <>
        <a href={paths.person(holder.registrationId)}>{holder.name}</a>
        {' · '}
        <a class="quiet" href={paths.workshopBoards(holder.workshop.slug)}>
          {eventOf(holder.workshop, c)}
        </a>
      </>
    )
  }
  if (packedFor) return <a href={paths.workshopBoards(packedFor.slug)}>{eventOf(packedFor, c)}</a>
  return null
}

/** 上海 12月19日 */
export function eventOf({ city, startsAt, timeZone }: BoardWorkshop, c: Context<App>): string {
  return [pick(city, c.var.locale), day(startsAt, timeZone, c.var.locale)].filter(Boolean).join(' ')
}

/** The filter that stands in the address. What it does not know counts as not said. */
export function readFilter(c: Context<App>): BoardFilter {
  const { kind, place, q } = c.req.query()
  return {
    kind: readSearch(kind),
    place: boardPlaces.find((known) => known === place),
    search: readSearch(q),
  }
}

function writeFilter({ kind, place, search }: BoardFilter): Record<string, string | undefined> {
  return { kind, place, q: search }
}

boardPages.get('/console/boards.csv', async (c) => {
  const { deps } = c.env
  const t = boardMessagesFor(c.var.locale)
  const filter = readFilter(c)
  const boards = await allBoards(deps, filter)
  const { kind, place, search } = filter
  await audited(c, {
    action: 'board.exported',
    facts: { count: boards.length, ...(kind && { board: kind }), ...(place && { status: place }) },
    personal: search ? { search } : undefined,
  })
  const head = [t.fields.kind, t.fields.serial, t.list.where, t.list.event, t.fields.note, t.list.code]
  const lines = boards.map((board) => {
    const { holder, packedFor, place, kind, serial, note, code } = board
    const at = (workshop: BoardWorkshop) => `${eventOf(workshop, c)} (${dateIn(workshop.startsAt, workshop.timeZone)})`
    const event = holder ? at(holder.workshop) : packedFor ? at(packedFor) : null
    return csvLine([kind, serial, t.places[place], event, note, code])
  })
  return c.body(`\uFEFF${csvLine(head)}${lines.join('')}`, 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment('boards.csv', `${t.list.file}.csv`),
    'Cache-Control': 'no-store',
  })
})

boardPages.get('/console/boards/add', (c) => addPage(c, { kind: '', serials: '' }))

boardPages.post('/console/boards/add', async (c) => {
  const { deps } = c.env
  const t = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const shown = { kind: typed(body, 'kind'), serials: typed(body, 'serials') }
  const { problems, ...draft } = readBoards(shown)
  if (problems.length > 0) return addPage(c, shown, sayBoardProblems(problems, t))
  const added = await addBoards(deps, actorOf(c), draft)
  if (added.kind === 'refused') {
    return addPage(c, shown, [{ field: 'serials', text: t.add.exist(added.serials.slice(0, 50)) }], 409)
  }
  const query = { kind: draft.kind, done: `added-${added.ids.length}` }
  return c.redirect(withQuery(paths.boards(), query), 303)
})

async function addPage(
  c: Context<App>,
  shown: { kind: string; serials: string },
  problems: Problem[] = [],
  status: 409 | 422 = 422,
) {
  const t = boardMessagesFor(c.var.locale)
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
      <Problems problems={problems} t={consoleMessagesFor(c.var.locale)} />
      <h1>{t.add.title}</h1>
      <form class="narrow" method="post" action={paths.addBoards()} novalidate>
        <Field
          name="kind"
          label={t.fields.kind}
          hint={t.add.kindHint}
          value={shown.kind}
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
          value={shown.serials}
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

/** What is wrong with what was typed about boards, in sentences. */
export function sayBoardProblems(problems: BoardProblem[], t: BoardMessages): Problem[] {
  return problems.map((problem) => {
    const { field, code } = problem
    return { field, text: t.problems[code](t.fields[field], 'text' in problem ? problem.text : '') }
  })
}
