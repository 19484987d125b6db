import type { Context } from 'hono'
import { findNextBoard } from '../../domain/boards/loans.ts'
import { boardLimits } from '../../domain/boards/serials.ts'
import type { DoorPerson } from '../../domain/door/check-ins.ts'
import type { App } from '../../http/context.ts'
import { paths } from '../../http/links.ts'
import { type BoardMessages, boardMessages } from '../../i18n/boards.ts'
import { PersonActionForm } from './layout.tsx'
import type { DoorContext } from './session.ts'

/** Flash message of a loan or return; undefined for other values of `?done=`. */
export function boardResult(
  flash: string | undefined,
  t: BoardMessages,
): { title: string; lines: string[] } | undefined {
  if (flash === 'lent') return { title: t.door.lentTitle, lines: [] }
  if (flash === 'returned') return { title: t.door.returnedTitle, lines: [] }
  if (flash === 'broken') return { title: t.door.returnedTitle, lines: [t.door.brokenHint] }
  return undefined
}

/** For a checked-in person: the board to return, or the next one to lend. */
export async function PersonBoard({ c, door, person }: { c: Context<App>; door: DoorContext; person: DoorPerson }) {
  const { deps } = c.env
  const t = boardMessages(c.var.locale)
  if (person.board) {
    const { id, kind, serial } = person.board
    return (
      <div class="board">
        <p>{t.door.has(t.named(kind, serial))}</p>
        <DoorReturnForm c={c} id={id} label={t.door.returnOf(person.name)} />
      </div>
    )
  }
  if (person.status !== 'confirmed') return null
  const next = await findNextBoard(deps, door.workshop.id)
  if (!next) return null
  const board = t.named(next.kind, next.serial)
  return (
    <div class="board">
      <PersonActionForm
        action={paths.doorLend()}
        fields={{ id: deps.newId(), board: next.id, registration: person.id }}
        label={t.door.lendNextOf(person.name, board)}
        text={t.door.lendNext(board)}
      />
      <p class="hint">{t.door.lendHint}</p>
    </div>
  )
}

export function DoorReturnForm({
  c,
  id,
  label,
  note,
  back,
}: {
  c: Context<App>
  id: string
  label?: string
  /** The submitted damage note, when the form is rendered again. */
  note?: string
  /** Where to return afterwards; see boards.tsx. */
  back?: 'label'
}) {
  const t = boardMessages(c.var.locale).door
  return (
    <form method="post" action={paths.doorReturn()}>
      <input type="hidden" name="id" value={c.env.deps.newId()} />
      <input type="hidden" name="board" value={id} />
      {back && <input type="hidden" name="back" value={back} />}
      <button type="submit" class="second" aria-label={label}>
        {t.return}
      </button>
      <details open={note !== undefined}>
        <summary>{t.broken}</summary>
        <label class="check">
          <input type="checkbox" name="broken" value="yes" checked={note !== undefined} />
          <span>{t.brokenHint}</span>
        </label>
        <label for="note">{t.note}</label>
        <input id="note" name="note" value={note} maxlength={boardLimits.note} autocomplete="off" />
      </details>
    </form>
  )
}
