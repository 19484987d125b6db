import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { z } from 'zod'
import type { App } from '../context.ts'
import { readNote } from '../domain/board-serials.ts'
import { type Board, findBoard, findBoardByCode } from '../domain/boards.ts'
import { listDoorPeople } from '../domain/check-ins.ts'
import { lendBoard, returnBoard } from '../domain/loans.ts'
import { readFormBody, sentId } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { type BoardMessages, boardMessagesFor } from '../messages/boards.ts'
import { boardSaid, ReturnForm } from './board-of-person.tsx'
import { doorPage, Panel, Plain, type Tone } from './layout.tsx'
import { clock } from './panel.tsx'
import { type Door, doorOf } from './session.ts'

/** What the QR on a board's label leads to, and the buttons that lend it and take it back. */
export const boardPages = new Hono<App>()

/** What the QR on a label says. Only a door may see who has the board, and do something with it. */
boardPages.get('/b/:code', async (c) => {
  const board = await findBoardByCode(c.env.deps, c.req.param('code'))
  c.header('Cache-Control', 'no-store')
  if (!board) return c.notFound()
  return c.get('door') ? boardPage(c, await doorOf(c), board) : foundPage(c, board)
})

boardPages.post('/door/lend', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const t = boardMessagesFor(c.var.locale)
  const asked = lendForm.safeParse(await readFormBody(c)).data
  if (!asked) return refusedPage(c, t.door.refusedTitle, t.lendRefusals.not_found(), 404)
  const { id = deps.newId(), board: boardId, registration: registrationId, back } = asked
  const loan = { id, boardId, registrationId, workshopId: door.workshop.id, at: deps.now() }
  const lent = await lendBoard(deps, door.actor, loan)
  switch (lent.outcome) {
    case 'lent':
      return back === 'label'
        ? toLabel(c, boardId, 'lent')
        : c.redirect(withQuery(paths.doorPage(), { person: registrationId, done: 'lent' }), 303)
    case 'board_taken':
      return refusedPage(c, t.door.refusedTitle, t.lendRefusals.board_taken(lent.by ?? ''), 409)
    case 'has_board':
      return refusedPage(c, t.door.refusedTitle, t.lendRefusals.has_board(lent.serial), 409)
    case 'unusable':
      return refusedPage(c, t.door.refusedTitle, t.lendRefusals.unusable(), 409)
    case 'not_found':
      return refusedPage(c, t.door.refusedTitle, t.lendRefusals.not_found(), 404)
  }
})

boardPages.post('/door/return', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const t = boardMessagesFor(c.var.locale)
  const asked = returnForm.safeParse(await readFormBody(c)).data
  if (!asked) return refusedPage(c, t.door.notReturnedTitle, t.returnRefusals.not_found, 404)
  const { id = deps.newId(), board: boardId, broken, note = '', back } = asked
  if (broken === 'yes' && readNote(note) === undefined) {
    const form = <ReturnForm c={c} id={boardId} note={note} {...(back === 'label' && { back })} />
    return refusedPage(c, t.door.notReturnedTitle, t.problems.too_long(t.door.note), 422, form)
  }
  const returned = await returnBoard(deps, door.actor, {
    ...{ id, boardId, at: deps.now(), broken: broken === 'yes' },
    note: broken === 'yes' ? note : undefined,
  })
  if (returned.outcome !== 'returned') {
    const status = returned.outcome === 'not_found' ? 404 : 409
    return refusedPage(c, t.door.notReturnedTitle, t.returnRefusals[returned.outcome], status)
  }
  const done = broken === 'yes' ? 'broken' : 'returned'
  // Somebody of another workshop is not on this door's list.
  return back === 'label' || returned.workshopId !== door.workshop.id
    ? toLabel(c, boardId, done)
    : c.redirect(withQuery(paths.doorPage(), { person: returned.registrationId, done }), 303)
})

async function toLabel(c: Context<App>, boardId: string, done: string): Promise<Response> {
  const board = await findBoard(c.env.deps, boardId)
  return c.redirect(board ? withQuery(paths.boardLabel(board.code), { done }) : paths.doorPage(), 303)
}

/** `label` for who comes from the page of a label, and goes back there. */
const back = z.string().optional()
const lendForm = z.object({ id: sentId.optional(), board: sentId, registration: sentId, back })
const returnForm = z.object({
  ...{ id: sentId.optional(), board: sentId, back },
  ...{ broken: z.string().optional(), note: z.string().optional() },
})

/**
 * A board that a helper has in their hand: who has it, or to whom it may go. The phone's script, whose own scanner reads
 * labels too, draws its list in place of other pages, and nothing here.
 */
async function boardPage(c: Context<App>, door: Door, board: Board): Promise<Response> {
  const t = boardMessagesFor(c.var.locale)
  const { holder, place, note } = board
  const said = boardSaid(c.req.query('done'), t)
  const usable = place === 'free' || place === 'packed'
  const ours = holder?.workshop.id === door.workshop.id
  const lines = [
    ...(said?.lines ?? []),
    ...(holder
      ? [ours ? t.door.heldBy(holder.name, clock(holder.lentAt, door, c.var.locale)) : t.door.heldElsewhere]
      : []),
    ...(usable ? [t.door.free] : []),
    ...(place === 'broken' || place === 'retired' ? [t.door.out[place]] : []),
    ...(note ? [note] : []),
  ]
  const tone: Tone = usable ? 'ready' : place === 'lent' ? 'wait' : 'stop'
  const name = t.named(board.kind, board.serial)
  return doorPage(
    c,
    { title: name, tone: said ? 'in' : tone, phone: false },
    <Panel tone={said ? 'in' : tone} title={said?.title ?? name} name={said && name} lines={lines}>
      {holder && <ReturnForm c={c} id={board.id} back="label" />}
      {usable && (await lendTo(c, door, board))}
      <ToDoor t={t} />
    </Panel>,
  )
}

/** Those who are in and have no board, whoever came last before the others: that is who stands here. */
async function lendTo(c: Context<App>, door: Door, board: Board): Promise<Child> {
  const { deps } = c.env
  const t = boardMessagesFor(c.var.locale).door
  const people = (await listDoorPeople(deps, door.workshop))
    .flatMap((person) => (person.checkedIn && !person.board ? [{ ...person, came: person.checkedIn.at }] : []))
    .sort((a, b) => b.came.getTime() - a.came.getTime())
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

/** @param form as it was sent, where it can be corrected */
function refusedPage(
  c: Context<App>,
  title: string,
  reason: string,
  status: 404 | 409 | 422,
  form?: Child,
): Promise<Response> {
  const t = boardMessagesFor(c.var.locale)
  return doorPage(
    c,
    { title, tone: 'stop', status, phone: false },
    <Panel tone="stop" title={title} lines={[reason, t.door.nothing]}>
      {form}
      <ToDoor t={t} />
    </Panel>,
  )
}

function ToDoor({ t }: { t: BoardMessages }) {
  return (
    <p>
      <a class="button second" href={paths.doorPage()}>
        {t.door.toDoor}
      </a>
    </p>
  )
}

/** For whoever finds a board: whose it is, and how to give it back. Nothing about people. */
function foundPage(c: Context<App>, { kind, serial }: Board): Promise<Response> {
  const { privacyContact, baseUrl } = c.env.deps.config
  const t = boardMessagesFor(c.var.locale)
  const title = t.found.title(t.named(kind, serial))
  const lines = [
    t.found.owner(new URL(baseUrl).host),
    privacyContact ? t.found.contact(privacyContact) : t.found.site,
    t.found.helper,
  ]
  return doorPage(
    c,
    { title, phone: false },
    <Plain title={title} lines={lines}>
      <p>
        <a class="quiet" href={paths.privacy()}>
          {t.found.privacy}
        </a>
      </p>
    </Plain>,
  )
}
