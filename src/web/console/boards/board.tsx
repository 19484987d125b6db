import { type Context, Hono } from 'hono'
import { boardStates } from '../../../db/schema.ts'
import {
  type Board,
  type BoardWorkshop,
  findBoard,
  removeBoard,
  renameBoard,
  setBoardState,
} from '../../../domain/boards/inventory.ts'
import { listBoardLoans, type PastLoan, returnBoard } from '../../../domain/boards/loans.ts'
import { parseNote } from '../../../domain/boards/serials.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { isUuid, parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { type BoardMessages, boardMessages } from '../../../i18n/boards.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary, Field, type FieldError, optionalUuid, Select, stringField } from '../ui/fields.tsx'
import { eventLabel } from '../ui/workshop-labels.ts'
import { BoardLocation, PlaceBadge } from './board-table.tsx'
import { boardFieldErrors } from './form-fields.ts'

/** One board: location, state and loan history. */
export const boardDetailPages = new Hono<App>()

boardDetailPages.get('/console/boards/:id', async (c) => {
  const board = await loadBoard(c)
  return board ? renderBoardPage(c, board) : c.notFound()
})

boardDetailPages.post('/console/boards/:id/edit', async (c) => {
  const board = await loadBoard(c)
  if (!board) return c.notFound()
  const t = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const values = { kind: stringField(body, 'kind'), serial: stringField(body, 'serial') }
  const outcome = await renameBoard(c.env.deps, currentActor(c), board, values)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'changed') return redirectToBoard(c, board, 'saved')
  if (outcome === 'exists') {
    return renderBoardPage(c, board, { values, status: 409, problems: [{ field: 'serial', text: t.board.exists }] })
  }
  return renderBoardPage(c, board, { values, status: 422, problems: boardFieldErrors(outcome, t) })
})

boardDetailPages.post('/console/boards/:id/state', async (c) => {
  const board = await loadBoard(c)
  if (!board) return c.notFound()
  if (!(await isConfirmed(c))) return renderBoardPage(c, board)
  const t = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const state = boardStates.find((known) => known === stringField(body, 'state')) ?? board.state
  const note = stringField(body, 'note')
  const outcome = await setBoardState(c.env.deps, currentActor(c), board, { state, note })
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'changed') return redirectToBoard(c, board, 'saved')
  const values = { state, note }
  if (outcome === 'lent') {
    return renderBoardPage(c, board, { values, status: 409, problems: [{ field: 'state', text: t.board.lent }] })
  }
  return renderBoardPage(c, board, { values, status: 422, problems: boardFieldErrors(outcome, t) })
})

boardDetailPages.post('/console/boards/:id/return', async (c) => {
  const { deps } = c.env
  const board = await loadBoard(c)
  if (!board) return c.notFound()
  if (!(await isConfirmed(c))) return renderBoardPage(c, board)
  const t = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const as = stringField(body, 'as')
  const damage = stringField(body, 'damage')
  if (parseNote(damage) === undefined) {
    const problems = [{ field: 'damage', text: t.problems.too_long(t.fields.note) }]
    return renderBoardPage(c, board, { values: { damage, as }, status: 422, problems })
  }
  const result = await returnBoard(deps, currentActor(c), {
    ...{ id: optionalUuid(body, 'nonce') ?? deps.newId(), boardId: board.id, at: deps.now() },
    ...{ broken: as === 'broken', lost: as === 'lost' },
    note: damage,
  })
  if (result.outcome === 'not_found') return c.notFound()
  if (result.outcome === 'returned') return redirectToBoard(c, board, 'returned')
  return renderBoardPage(c, board, { status: 409, problems: [{ field: 'state', text: t.returnRefusals.not_lent }] })
})

boardDetailPages.post('/console/boards/:id/remove', async (c) => {
  const board = await loadBoard(c)
  if (!board) return c.notFound()
  if (!(await isConfirmed(c))) return renderBoardPage(c, board)
  const outcome = await removeBoard(c.env.deps, currentActor(c), board)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'removed') return c.redirect(withQuery(paths.boards(), { done: 'removed' }), 303)
  const { wasLent } = boardMessages(c.var.locale).board
  return renderBoardPage(c, board, { status: 409, problems: [{ field: 'state', text: wasLent }] })
})

async function loadBoard(c: Context<App>): Promise<Board | undefined> {
  const id = c.req.param('id') ?? ''
  return isUuid(id) ? findBoard(c.env.deps, id) : undefined
}

function redirectToBoard(c: Context<App>, { id }: Board, flash: 'saved' | 'returned'): Response {
  return c.redirect(withQuery(paths.board(id), { done: flash }), 303)
}

/** A rejected form with its submitted values. */
type RejectedBoardForm = {
  values?: Partial<{ kind: string; serial: string; state: string; note: string; damage: string; as: string }>
  problems: FieldError[]
  status: 409 | 422
}

async function renderBoardPage(c: Context<App>, board: Board, rejected?: RejectedBoardForm): Promise<Response> {
  const { deps } = c.env
  const t = boardMessages(c.var.locale)
  const words = t.board
  const loans = await listBoardLoans(deps, board.id)
  const problems = rejected?.problems ?? []
  const values = {
    kind: board.kind,
    serial: board.serial,
    state: board.state,
    note: board.note ?? '',
    ...rejected?.values,
  }
  const flashMessages = { saved: words.saved, returned: words.returned }
  const name = t.named(board.kind, board.serial)
  return consolePage(
    c,
    {
      title: name,
      section: 'boards',
      back: { href: paths.boards(), text: words.back },
      flash: flashMessages[c.req.query('done') as keyof typeof flashMessages],
      status: rejected?.status,
    },
    <>
      <ErrorSummary problems={problems} t={consoleMessages(c.var.locale)} />
      <h1>
        {name} <PlaceBadge place={board.place} t={t} />
      </h1>
      <p class="lead">
        <BoardLocation board={board} c={c} />
        {board.holder && loans[0] && (
          <>
            <br />
            <small>
              {words.since(
                formatLoanTime(board.holder.lentAt, board.holder.workshop, c),
                loans[0].lentBy || words.nobody,
              )}
            </small>
          </>
        )}
      </p>
      <p class="links">
        <a href={withQuery(paths.boardLabels(), { chosen: 'yes', id: board.id })}>{words.label}</a>
      </p>
      {board.holder && <ReturnForm c={c} board={board} values={rejected?.values} problems={problems} t={t} />}
      <form class="narrow" method="post" action={paths.boardState(board.id)} novalidate>
        <ConfirmField />
        <Select
          name="state"
          label={words.state}
          value={values.state}
          options={boardStates.map((state) => ({ value: state, text: t.states[state] }))}
        />
        <Field
          name="note"
          label={t.fields.note}
          hint={words.noteHint}
          value={values.note}
          problems={problems}
          rows={2}
        />
        <p class="actions">
          <button type="submit">{words.stateSubmit}</button>
        </p>
      </form>
      <h2>{words.history}</h2>
      {loans.length === 0 ? <p>{words.noHistory}</p> : <LoanHistory loans={loans} c={c} t={t} />}
      <details open={rejected?.values?.serial !== undefined}>
        <summary>{words.edit}</summary>
        <form class="narrow" method="post" action={paths.boardEdit(board.id)} novalidate>
          <Field name="kind" label={t.fields.kind} value={values.kind} problems={problems} required />
          <Field name="serial" label={t.fields.serial} value={values.serial} problems={problems} required />
          <p class="actions">
            <button type="submit">{words.editSubmit}</button>
          </p>
        </form>
      </details>
      {loans.length === 0 && (
        <details>
          <summary>{words.remove}</summary>
          <form class="narrow" method="post" action={paths.boardRemove(board.id)}>
            <ConfirmField />
            <p>{words.removeHint}</p>
            <p class="actions">
              <button type="submit" class="warn">
                {words.remove}
              </button>
            </p>
          </form>
        </details>
      )}
    </>,
  )
}

function ReturnForm({
  c,
  board,
  values: { as: selected = 'fine', damage = '' } = {},
  problems,
  t,
}: {
  c: Context<App>
  board: Board
  values: RejectedBoardForm['values']
  problems: FieldError[]
  t: BoardMessages
}) {
  const { returnedAll } = t.board
  return (
    <form class="narrow city" method="post" action={paths.boardReturn(board.id)}>
      <ConfirmField />
      <input type="hidden" name="nonce" value={c.env.deps.newId()} />
      <fieldset>
        <legend>{t.board.return}</legend>
        <p class="hint">{t.board.returnHint}</p>
        {(['fine', 'broken', 'lost'] as const).map((as) => (
          <div class="field">
            <label class="check">
              <input type="radio" name="as" value={as} checked={as === selected} />
              <span>{returnedAll[as]}</span>
            </label>
          </div>
        ))}
      </fieldset>
      <Field name="damage" label={t.fields.note} hint={t.board.noteHint} value={damage} problems={problems} />
      <p class="actions">
        <button type="submit">{t.board.return}</button>
      </p>
    </form>
  )
}

function LoanHistory({ loans, c, t }: { loans: PastLoan[]; c: Context<App>; t: BoardMessages }) {
  const words = t.board
  return (
    <ul class="history">
      {loans.map(({ person, workshop, lentAt, lentBy, returnedAt, returnedBy }) => (
        <li>
          <span>
            {person ? <a href={paths.person(person.registrationId)}>{person.name}</a> : words.unknown}
            {' · '}
            <a href={paths.workshopBoards(workshop.slug)}>{eventLabel(workshop, c)}</a>
            <br />
            <small>
              {returnedAt
                ? words.until(formatLoanTime(lentAt, workshop, c), formatLoanTime(returnedAt, workshop, c))
                : words.from(formatLoanTime(lentAt, workshop, c))}
              {lentBy && ` · ${words.by(lentBy, returnedBy || null)}`}
            </small>
          </span>
        </li>
      ))}
    </ul>
  )
}

function formatLoanTime(at: Date, { timeZone }: BoardWorkshop, c: Context<App>): string {
  return formatDateTime(at, timeZone, c.var.locale)
}
