import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { z } from 'zod'
import { type Board, findBoard, findBoardByCode } from '../../domain/boards/inventory.ts'
import { lendBoard, returnBoard } from '../../domain/boards/loans.ts'
import { parseNote } from '../../domain/boards/serials.ts'
import { listDoorPeople } from '../../domain/door/check-ins.ts'
import type { App } from '../../http/context.ts'
import { parseFormBody, uuidField } from '../../http/form-body.ts'
import { paths, withQuery } from '../../http/links.ts'
import { type BoardMessages, boardMessages } from '../../i18n/boards.ts'
import { doorPage, Notice, type Severity, StatusPanel } from './layout.tsx'
import { boardResult, DoorReturnForm } from './person-board.tsx'
import { type DoorContext, requireDoorSession } from './session.ts'
import { formatDoorTime } from './status-panel.tsx'

/** The page behind a board label's QR, and the forms that lend and return boards. */
export const doorBoardPages = new Hono<App>()

/** Target of a label's QR. Only door sessions see who has the board. */
doorBoardPages.get('/b/:code', async (c) => {
  const board = await findBoardByCode(c.env.deps, c.req.param('code'))
  c.header('Cache-Control', 'no-store')
  if (!board) return c.notFound()
  return c.get('door') ? doorBoardPage(c, await requireDoorSession(c), board) : foundBoardPage(c, board)
})

doorBoardPages.post('/door/lend', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const t = boardMessages(c.var.locale)
  const input = lendForm.safeParse(await parseFormBody(c)).data
  if (!input) return boardRefusalPage(c, t.door.refusedTitle, t.loanRefusals.not_found(), 404)
  const { id = deps.newId(), board: boardId, registration: registrationId, back } = input
  const loan = { id, boardId, registrationId, workshopId: door.workshop.id, at: deps.now() }
  const result = await lendBoard(deps, door.actor, loan)
  switch (result.outcome) {
    case 'lent':
      return back === 'label'
        ? redirectToLabel(c, boardId, 'lent')
        : c.redirect(withQuery(paths.doorPage(), { person: registrationId, done: 'lent' }), 303)
    case 'board_taken':
      return boardRefusalPage(c, t.door.refusedTitle, t.loanRefusals.board_taken(result.by ?? ''), 409)
    case 'has_board':
      return boardRefusalPage(c, t.door.refusedTitle, t.loanRefusals.has_board(result.serial), 409)
    case 'unusable':
      return boardRefusalPage(c, t.door.refusedTitle, t.loanRefusals.unusable(), 409)
    case 'not_found':
      return boardRefusalPage(c, t.door.refusedTitle, t.loanRefusals.not_found(), 404)
  }
})

doorBoardPages.post('/door/return', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const t = boardMessages(c.var.locale)
  const input = returnForm.safeParse(await parseFormBody(c)).data
  if (!input) return boardRefusalPage(c, t.door.notReturnedTitle, t.returnRefusals.not_found, 404)
  const { id = deps.newId(), board: boardId, broken, note = '', back } = input
  if (broken === 'yes' && parseNote(note) === undefined) {
    const form = <DoorReturnForm c={c} id={boardId} note={note} {...(back === 'label' && { back })} />
    return boardRefusalPage(c, t.door.notReturnedTitle, t.problems.too_long(t.door.note), 422, form)
  }
  const result = await returnBoard(deps, door.actor, {
    ...{ id, boardId, at: deps.now(), broken: broken === 'yes' },
    note: broken === 'yes' ? note : undefined,
  })
  if (result.outcome !== 'returned') {
    const status = result.outcome === 'not_found' ? 404 : 409
    return boardRefusalPage(c, t.door.notReturnedTitle, t.returnRefusals[result.outcome], status)
  }
  const done = broken === 'yes' ? 'broken' : 'returned'
  // Borrowers from another workshop are not on this door's list.
  return back === 'label' || result.workshopId !== door.workshop.id
    ? redirectToLabel(c, boardId, done)
    : c.redirect(withQuery(paths.doorPage(), { person: result.registrationId, done }), 303)
})

async function redirectToLabel(c: Context<App>, boardId: string, done: string): Promise<Response> {
  const board = await findBoard(c.env.deps, boardId)
  return c.redirect(board ? withQuery(paths.boardLabel(board.code), { done }) : paths.doorPage(), 303)
}

/** `label` returns to the page of the label instead of the list. */
const back = z.string().optional()
const lendForm = z.object({ id: uuidField.optional(), board: uuidField, registration: uuidField, back })
const returnForm = z.object({
  ...{ id: uuidField.optional(), board: uuidField, back },
  ...{ broken: z.string().optional(), note: z.string().optional() },
})

/**
 * A scanned board: who has it, or a form to lend it. Without the door script, which would replace the page with its list;
 * its own scanner reads labels as well.
 */
async function doorBoardPage(c: Context<App>, door: DoorContext, board: Board): Promise<Response> {
  const t = boardMessages(c.var.locale)
  const { holder, place, note } = board
  const result = boardResult(c.req.query('done'), t)
  const usable = place === 'free' || place === 'packed'
  const isOwnWorkshop = holder?.workshop.id === door.workshop.id
  const lines = [
    ...(result?.lines ?? []),
    ...(holder
      ? [
          isOwnWorkshop
            ? t.door.heldBy(holder.name, formatDoorTime(holder.lentAt, door, c.var.locale))
            : t.door.heldElsewhere,
        ]
      : []),
    ...(usable ? [t.door.free] : []),
    ...(place === 'broken' || place === 'retired' ? [t.door.out[place]] : []),
    ...(note ? [note] : []),
  ]
  const severity: Severity = usable ? 'ready' : place === 'lent' ? 'wait' : 'stop'
  const name = t.named(board.kind, board.serial)
  return doorPage(
    c,
    { title: name, severity: result ? 'in' : severity, loadApp: false },
    <StatusPanel severity={result ? 'in' : severity} title={result?.title ?? name} name={result && name} lines={lines}>
      {holder && <DoorReturnForm c={c} id={board.id} back="label" />}
      {usable && (await lendToForm(c, door, board))}
      <DoorLink t={t} />
    </StatusPanel>,
  )
}

/** A select of checked-in people without a board. The latest check-in comes first, as it is most likely theirs. */
async function lendToForm(c: Context<App>, door: DoorContext, board: Board): Promise<Child> {
  const { deps } = c.env
  const t = boardMessages(c.var.locale).door
  const people = (await listDoorPeople(deps, door.workshop))
    .flatMap((person) => (person.checkedIn && !person.board ? [{ ...person, checkedInAt: person.checkedIn.at }] : []))
    .sort((a, b) => b.checkedInAt.getTime() - a.checkedInAt.getTime())
  if (people.length === 0) return <p>{t.whomNobody}</p>
  return (
    <form method="post" action={paths.doorLend()}>
      <input type="hidden" name="id" value={deps.newId()} />
      <input type="hidden" name="board" value={board.id} />
      <input type="hidden" name="back" value="label" />
      <label for="registration">{t.whom}</label>
      <select id="registration" name="registration" aria-describedby="whom-hint">
        {people.map(({ id, name, seq, tail }) => (
          <option value={id}>{[name || `#${seq}`, tail].filter(Boolean).join(' · ')}</option>
        ))}
      </select>
      <p class="hint" id="whom-hint">
        {t.whomHint}
      </p>
      <button type="submit">{t.lend}</button>
    </form>
  )
}

/** @param form the submitted form, if it can be corrected */
function boardRefusalPage(
  c: Context<App>,
  title: string,
  reason: string,
  status: 404 | 409 | 422,
  form?: Child,
): Promise<Response> {
  const t = boardMessages(c.var.locale)
  return doorPage(
    c,
    { title, severity: 'stop', status, loadApp: false },
    <StatusPanel severity="stop" title={title} lines={[reason, t.door.nothing]}>
      {form}
      <DoorLink t={t} />
    </StatusPanel>,
  )
}

function DoorLink({ t }: { t: BoardMessages }) {
  return (
    <p>
      <a class="button second" href={paths.doorPage()}>
        {t.door.toDoor}
      </a>
    </p>
  )
}

/** For finders of a board: its owner and how to return it. No personal data. */
function foundBoardPage(c: Context<App>, { kind, serial }: Board): Promise<Response> {
  const { privacyContact, baseUrl } = c.env.deps.config
  const t = boardMessages(c.var.locale)
  const title = t.found.title(t.named(kind, serial))
  const lines = [
    t.found.owner(new URL(baseUrl).host),
    privacyContact ? t.found.contact(privacyContact) : t.found.site,
    t.found.helper,
  ]
  return doorPage(
    c,
    { title, loadApp: false },
    <Notice title={title} lines={lines}>
      <p>
        <a class="quiet" href={paths.privacy()}>
          {t.found.privacy}
        </a>
      </p>
    </Notice>,
  )
}
