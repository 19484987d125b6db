import type { Context } from 'hono'
import type { App } from '../context.ts'
import type { Board } from '../domain/boards.ts'
import type { Workshop } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import type { BoardMessages } from '../messages/boards.ts'
import { BoardTable } from './boards.tsx'
import { Choice, Field, type Problem } from './fields.tsx'

/** What was typed to pack boards. */
export type PackTyped = { kind: string; count: string; serials: string }

/** The boards in the box of a workshop, to choose which are taken out again. */
export function Packed({
  c,
  workshop,
  packed,
  t,
}: {
  c: Context<App>
  workshop: Workshop
  packed: Board[]
  t: BoardMessages
}) {
  const words = t.workshop
  return (
    <form class="people" method="post" action={paths.unpackBoards(workshop.slug)}>
      <BoardTable boards={packed} inBox c={c} t={t} />
      <p class="actions">
        <button type="submit" class="small second" name="do" value="chosen">
          {words.unpack}
        </button>
        <button type="submit" class="small second" name="do" value="all">
          {words.unpackAll}
        </button>
      </p>
    </form>
  )
}

/**
 * Packs so many of a kind, or chosen ones by their serial numbers.
 * @param packed what is in the box, so that the form sent twice packs once
 */
export function PackForm({
  workshop,
  packed,
  kinds,
  shown,
  problems,
  t,
}: {
  workshop: Workshop
  packed: Board[]
  kinds: string[]
  shown: PackTyped
  problems: Problem[]
  t: BoardMessages
}) {
  const words = t.workshop
  return (
    <>
      <h2>{words.pack}</h2>
      <form class="narrow" method="post" action={paths.packBoards(workshop.slug)} novalidate>
        {kinds.map((kind) => (
          <input
            type="hidden"
            name={`packed.${kind}`}
            value={String(packed.filter((board) => board.kind === kind).length)}
          />
        ))}
        <p class="hint">{words.packHint}</p>
        <div class="pairs">
          <Choice
            name="kind"
            label={t.fields.kind}
            value={shown.kind}
            options={kinds.map((kind) => ({ value: kind, text: kind }))}
          />
          <Field name="count" type="number" label={words.packCount} value={shown.count} problems={problems} min={1} />
        </div>
        <Field
          name="serials"
          label={words.packSerials}
          hint={words.packSerialsHint}
          value={shown.serials}
          problems={problems}
          rows={2}
        />
        <p class="actions">
          <button type="submit">{words.packSubmit}</button>
        </p>
      </form>
    </>
  )
}
