import { type Context, Hono } from 'hono'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { boardStates } from '../db/schema.ts'
import { readNote } from '../domain/board-serials.ts'
import { type Board, type BoardWorkshop, findBoard, removeBoard, renameBoard, setBoardState } from '../domain/boards.ts'
import { loansOfBoard, type PastLoan, returnBoard } from '../domain/loans.ts'
import { isId, readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { type BoardMessages, boardMessagesFor } from '../messages/boards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { moment } from '../messages/text.ts'
import { eventOf, Place, sayBoardProblems, Where } from './boards.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Choice, Field, type Problem, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'

/** One board: where it is, in which state, who had it. */
export const boardPage = new Hono<App>()

boardPage.get('/console/boards/:id', async (c) => {
  const board = await boardOfPath(c)
  return board ? showBoard(c, board) : c.notFound()
})

boardPage.post('/console/boards/:id/edit', async (c) => {
  const board = await boardOfPath(c)
  if (!board) return c.notFound()
  const t = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const shown = { kind: typed(body, 'kind'), serial: typed(body, 'serial') }
  const outcome = await renameBoard(c.env.deps, actorOf(c), board, shown)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'changed') return done(c, board, 'saved')
  if (outcome === 'exists') {
    return showBoard(c, board, { shown, status: 409, problems: [{ field: 'serial', text: t.board.exists }] })
  }
  return showBoard(c, board, { shown, status: 422, problems: sayBoardProblems(outcome, t) })
})

boardPage.post('/console/boards/:id/state', async (c) => {
  const board = await boardOfPath(c)
  if (!board) return c.notFound()
  if (!(await isConfirmed(c))) return showBoard(c, board)
  const t = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const state = boardStates.find((known) => known === typed(body, 'state')) ?? board.state
  const note = typed(body, 'note')
  const outcome = await setBoardState(c.env.deps, actorOf(c), board, { state, note })
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'changed') return done(c, board, 'saved')
  const shown = { state, note }
  if (outcome === 'lent') {
    return showBoard(c, board, { shown, status: 409, problems: [{ field: 'state', text: t.board.lent }] })
  }
  return showBoard(c, board, { shown, status: 422, problems: sayBoardProblems(outcome, t) })
})

boardPage.post('/console/boards/:id/return', async (c) => {
  const { deps } = c.env
  const board = await boardOfPath(c)
  if (!board) return c.notFound()
  if (!(await isConfirmed(c))) return showBoard(c, board)
  const t = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const as = typed(body, 'as')
  const damage = typed(body, 'damage')
  if (readNote(damage) === undefined) {
    const problems = [{ field: 'damage', text: t.problems.too_long(t.fields.note) }]
    return showBoard(c, board, { shown: { damage, as }, status: 422, problems })
  }
  const returned = await returnBoard(deps, actorOf(c), {
    ...{ id: readNonce(body) ?? deps.newId(), boardId: board.id, at: deps.now() },
    ...{ broken: as === 'broken', lost: as === 'lost' },
    note: damage,
  })
  if (returned.outcome === 'not_found') return c.notFound()
  if (returned.outcome === 'returned') return done(c, board, 'returned')
  return showBoard(c, board, { status: 409, problems: [{ field: 'state', text: t.returnRefusals.not_lent }] })
})

boardPage.post('/console/boards/:id/remove', async (c) => {
  const board = await boardOfPath(c)
  if (!board) return c.notFound()
  if (!(await isConfirmed(c))) return showBoard(c, board)
  const outcome = await removeBoard(c.env.deps, actorOf(c), board)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'removed') return c.redirect(withQuery(paths.boards(), { done: 'removed' }), 303)
  const { wasLent } = boardMessagesFor(c.var.locale).board
  return showBoard(c, board, { status: 409, problems: [{ field: 'state', text: wasLent }] })
})

async function boardOfPath(c: Context<App>): Promise<Board | undefined> {
  const id = c.req.param('id') ?? ''
  return isId(id) ? findBoard(c.env.deps, id) : undefined
}

/** What makes a form that is sent twice one loan or return. */
export function readNonce(body: Record<string, unknown>): string | undefined {
  const nonce = typed(body, 'nonce')
  return isId(nonce) ? nonce : undefined
}

function done(c: Context<App>, { id }: Board, what: 'saved' | 'returned'): Response {
  return c.redirect(withQuery(paths.board(id), { done: what }), 303)
}

/** A form as it was sent, for it to come back, and why. */
type Again = {
  shown?: Partial<{ kind: string; serial: string; state: string; note: string; damage: string; as: string }>
  problems: Problem[]
  status: 409 | 422
}

async function showBoard(c: Context<App>, board: Board, again?: Again): Promise<Response> {
  const { deps } = c.env
  const t = boardMessagesFor(c.var.locale)
  const words = t.board
  const past = await loansOfBoard(deps, board.id)
  const problems = again?.problems ?? []
  const shown = { kind: board.kind, serial: board.serial, state: board.state, note: board.note ?? '', ...again?.shown }
  const said = { saved: words.saved, returned: words.returned }
  const name = t.named(board.kind, board.serial)
  return consolePage(
    c,
    {
      title: name,
      section: 'boards',
      back: { href: paths.boards(), text: words.back },
      done: said[c.req.query('done') as keyof typeof said],
      status: again?.status,
    },
    <>
      <Problems problems={problems} t={consoleMessagesFor(c.var.locale)} />
      <h1>
        {name} <Place place={board.place} t={t} />
      </h1>
      <p class="lead">
        <Where board={board} c={c} />
        {board.holder && past[0] && (
          <>
            <br />
            <small>
              {words.since(momentAt(board.holder.lentAt, board.holder.workshop, c), past[0].lentBy || words.nobody)}
            </small>
          </>
        )}
      </p>
      <p class="links">
        <a href={withQuery(paths.boardLabels(), { chosen: 'yes', id: board.id })}>{words.label}</a>
      </p>
      {board.holder && <ReturnForm c={c} board={board} shown={again?.shown} problems={problems} t={t} />}
      <form class="narrow" method="post" action={paths.boardState(board.id)} novalidate>
        <ConfirmField />
        <Choice
          name="state"
          label={words.state}
          value={shown.state}
          options={boardStates.map((state) => ({ value: state, text: t.states[state] }))}
        />
        <Field
          name="note"
          label={t.fields.note}
          hint={words.noteHint}
          value={shown.note}
          problems={problems}
          rows={2}
        />
        <p class="actions">
          <button type="submit">{words.stateSubmit}</button>
        </p>
      </form>
      <h2>{words.history}</h2>
      {past.length === 0 ? <p>{words.noHistory}</p> : <History past={past} c={c} t={t} />}
      <details open={again?.shown?.serial !== undefined}>
        <summary>{words.edit}</summary>
        <form class="narrow" method="post" action={paths.boardEdit(board.id)} novalidate>
          <Field name="kind" label={t.fields.kind} value={shown.kind} problems={problems} required />
          <Field name="serial" label={t.fields.serial} value={shown.serial} problems={problems} required />
          <p class="actions">
            <button type="submit">{words.editSubmit}</button>
          </p>
        </form>
      </details>
      {past.length === 0 && (
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
  shown: { as: chosen = 'fine', damage = '' } = {},
  problems,
  t,
}: {
  c: Context<App>
  board: Board
  shown: Again['shown']
  problems: Problem[]
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
              <input type="radio" name="as" value={as} checked={as === chosen} />
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

function History({ past, c, t }: { past: PastLoan[]; c: Context<App>; t: BoardMessages }) {
  const words = t.board
  return (
    <ul class="history">
      {past.map(({ person, workshop, lentAt, lentBy, returnedAt, returnedBy }) => (
        <li>
          <span>
            {person ? <a href={paths.person(person.registrationId)}>{person.name}</a> : words.unknown}
            {' · '}
            <a href={paths.workshopBoards(workshop.slug)}>{eventOf(workshop, c)}</a>
            <br />
            <small>
              {returnedAt
                ? words.until(momentAt(lentAt, workshop, c), momentAt(returnedAt, workshop, c))
                : words.from(momentAt(lentAt, workshop, c))}
              {lentBy && ` · ${words.by(lentBy, returnedBy || null)}`}
            </small>
          </span>
        </li>
      ))}
    </ul>
  )
}

function momentAt(at: Date, { timeZone }: BoardWorkshop, c: Context<App>): string {
  return moment(at, timeZone, c.var.locale)
}
