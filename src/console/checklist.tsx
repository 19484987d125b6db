import type { itemKinds } from '../db/schema.ts'
import type { ItemDraft } from '../domain/workshops.ts'
import type { ConsoleMessages } from '../messages/console.zh-CN.ts'
import type { Problem } from './fields.tsx'

/**
 * The checklist as fields, a line for each item. Buttons move a line or add one by sending the form, so that no script is
 * needed; `do` says which of them it was.
 */
export function ChecklistEditor({
  items,
  problems,
  hint,
  t,
}: {
  items: ItemDraft[]
  problems: Problem[]
  hint?: string | undefined
  t: ConsoleMessages
}) {
  const lines = [...items, emptyItem]
  return (
    <fieldset>
      <legend>{t.items.title}</legend>
      <p class="hint">
        {t.items.lead} {t.items.emptyHint} {hint}
      </p>
      {lines.map((item, n) => (
        <div class="item">
          {item.id && <input type="hidden" name={`item.${n}.id`} value={item.id} />}
          <select name={`item.${n}.kind`} aria-label={`${t.items.kind} ${n + 1}`}>
            {(['provided', 'bring', 'prerequisite'] satisfies (typeof itemKinds)[number][]).map((kind) => (
              <option value={kind} selected={kind === item.kind}>
                {t.items.kinds[kind]}
              </option>
            ))}
          </select>
          <input
            id={`item.${n}.zh`}
            name={`item.${n}.zh`}
            value={item.text.zh ?? ''}
            aria-label={`${t.items.text} ${n + 1}`}
            placeholder={t.items.text}
          />
          <input
            id={`item.${n}.en`}
            name={`item.${n}.en`}
            lang="en"
            value={item.text.en ?? ''}
            aria-label={`${t.items.textEn} ${n + 1}`}
            placeholder={t.items.textEn}
          />
          <span class="move">
            <Move action={`up.${n}`} label={`${t.items.up} ${n + 1}`} off={n === 0 || n >= items.length} text="↑" />
            <Move action={`down.${n}`} label={`${t.items.down} ${n + 1}`} off={n >= items.length - 1} text="↓" />
          </span>
          <div class="url">
            <input
              id={`item.${n}.url`}
              name={`item.${n}.url`}
              inputmode="url"
              value={item.url ?? ''}
              aria-label={`${t.items.url} ${n + 1}`}
              placeholder={t.items.url}
            />
            {problems
              .filter(({ field }) => field.startsWith(`item.${n}.`))
              .map(({ text }) => (
                <p class="problem">{text}</p>
              ))}
            <label class="check">
              <input type="checkbox" name={`item.${n}.confirm`} value="yes" checked={item.mustConfirm} />
              <span>{t.items.mustConfirm}</span>
            </label>
          </div>
        </div>
      ))}
      <button class="small second" type="submit" name="do" value="add-item" formnovalidate>
        {t.items.add}
      </button>
    </fieldset>
  )
}

const emptyItem: ItemDraft = { kind: 'bring', text: {}, mustConfirm: false }

function Move({ action, label, off, text }: { action: string; label: string; off: boolean; text: string }) {
  return (
    <button class="small second" type="submit" name="do" value={action} aria-label={label} disabled={off}>
      {text}
    </button>
  )
}

/** The checklist after a button beside a line was pressed. */
export function rearranged(items: ItemDraft[], action: string): ItemDraft[] {
  const [, direction, line = ''] = /^(up|down)\.(\d+)$/.exec(action) ?? []
  if (!direction) return items
  const from = Number(line)
  const to = direction === 'up' ? from - 1 : from + 1
  const moved = [...items]
  const [a, b] = [moved[from], moved[to]]
  if (a && b) [moved[from], moved[to]] = [b, a]
  return moved
}
