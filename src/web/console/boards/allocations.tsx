import type { Context } from 'hono'
import type { Board } from '../../../domain/boards/inventory.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import type { BoardMessages } from '../../../i18n/boards.ts'
import { Field, type FieldError, Select } from '../ui/fields.tsx'
import { BoardTable } from './board-table.tsx'

/** What was typed to pack boards. */
export type AllocateFormValues = { kind: string; count: string; serials: string }

/** The boards in the box of a workshop, to choose which are taken out again. */
export function Allocations({
  c,
  workshop,
  packed: allocated,
  t,
}: {
  c: Context<App>
  workshop: Workshop
  packed: Board[]
  t: BoardMessages
}) {
  const words = t.workshop
  return (
    <form class="people" method="post" action={paths.deallocateBoards(workshop.slug)}>
      <BoardTable boards={allocated} inBox c={c} t={t} />
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
export function AllocateForm({
  workshop,
  packed: allocated,
  kinds,
  shown: values,
  problems,
  t,
}: {
  workshop: Workshop
  packed: Board[]
  kinds: string[]
  shown: AllocateFormValues
  problems: FieldError[]
  t: BoardMessages
}) {
  const words = t.workshop
  return (
    <>
      <h2>{words.pack}</h2>
      <form class="narrow" method="post" action={paths.allocateBoards(workshop.slug)} novalidate>
        {kinds.map((kind) => (
          <input
            type="hidden"
            name={`packed.${kind}`}
            value={String(allocated.filter((board) => board.kind === kind).length)}
          />
        ))}
        <p class="hint">{words.packHint}</p>
        <div class="pairs">
          <Select
            name="kind"
            label={t.fields.kind}
            value={values.kind}
            options={kinds.map((kind) => ({ value: kind, text: kind }))}
          />
          <Field name="count" type="number" label={words.packCount} value={values.count} problems={problems} min={1} />
        </div>
        <Field
          name="serials"
          label={words.packSerials}
          hint={words.packSerialsHint}
          value={values.serials}
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
