import type { Context } from 'hono'
import type { Board } from '../../../domain/boards/inventory.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import type { BoardMessages } from '../../../i18n/boards.ts'
import { Field, type FieldError, Select } from '../ui/fields.tsx'
import { BoardTable } from './board-table.tsx'

export type AllocateFormValues = { kind: string; count: string; serials: string }

/** The boards allocated to a workshop, with buttons that release them. */
export function Allocations({
  c,
  workshop,
  allocated,
  t,
}: {
  c: Context<App>
  workshop: Workshop
  allocated: Board[]
  t: BoardMessages
}) {
  const words = t.workshop
  return (
    <form class="people" method="post" action={paths.deallocateBoards(workshop.slug)}>
      <BoardTable boards={allocated} forWorkshop c={c} t={t} />
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
 * Allocates a number of boards of a kind, or boards by serial number.
 * @param allocated current boards; the form sends their count, so that submitting twice allocates once
 */
export function AllocateForm({
  workshop,
  allocated,
  kinds,
  values,
  problems,
  t,
}: {
  workshop: Workshop
  allocated: Board[]
  kinds: string[]
  values: AllocateFormValues
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
