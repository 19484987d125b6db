import type { Context } from 'hono'
import type { itemKinds } from '../../../db/schema.ts'
import type { ItemDraft } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { joinSentences, localize } from '../../../i18n/format.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import type { FieldError } from './fields.tsx'

/**
 * The checklist as form fields, a row per item. Buttons move or add a row by submitting the form, so that no script is
 * needed; the value of `do` names the clicked button.
 */
export function ChecklistEditor({
  items,
  clickedButton,
  problems,
  hint,
  t,
}: {
  items: ItemDraft[]
  /** The reorder button that caused this rendering, so that keyboard users keep their focus. */
  clickedButton?: string | undefined
  problems: FieldError[]
  hint?: string | undefined
  t: ConsoleMessages
}) {
  const lines = [...items, emptyItem]
  const focus = clickedButton && nextFocus(clickedButton, items.length)
  return (
    <fieldset>
      <legend>{t.items.title}</legend>
      <p class="hint">
        {joinSentences(t.items.lead, t.items.emptyHint)} {hint}
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
            autofocus={focus === `item.${n}`}
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
            {(['up', 'down'] as const).map((direction) => (
              <button
                class="small second"
                type="submit"
                name="do"
                value={`${direction}.${n}`}
                aria-label={`${t.items[direction]} ${n + 1}`}
                disabled={!canMove(direction, n, items.length)}
                autofocus={focus === `${direction}.${n}`}
              >
                {direction === 'up' ? '↑' : '↓'}
              </button>
            ))}
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

const canMove = (direction: 'up' | 'down', line: number, length: number) =>
  direction === 'up' ? line > 0 && line < length : line < length - 1

/** The field to focus after a button: the moved line's same button, its opposite at an end, or the added line. */
function nextFocus(clickedButton: string, length: number): string | undefined {
  if (clickedButton === 'add-item') return `item.${length}`
  const { direction, to } = parseMove(clickedButton) ?? {}
  if (!direction || to === undefined) return undefined
  return canMove(direction, to, length) ? `${direction}.${to}` : `${direction === 'up' ? 'down' : 'up'}.${to}`
}

/** Applies a reorder button. Other actions leave the items unchanged. */
export function reorderItems(items: ItemDraft[], action: string): ItemDraft[] {
  const { from, to } = parseMove(action) ?? {}
  if (from === undefined || to === undefined) return items
  const reordered = [...items]
  const [a, b] = [reordered[from], reordered[to]]
  if (a && b) [reordered[from], reordered[to]] = [b, a]
  return reordered
}

function parseMove(action: string): { direction: 'up' | 'down'; from: number; to: number } | undefined {
  const [, direction, line = ''] = /^(up|down)\.(\d{1,4})$/.exec(action) ?? []
  const from = Number(line)
  if (direction === 'up') return { direction, from, to: from - 1 }
  return direction === 'down' ? { direction, from, to: from + 1 } : undefined
}

export function ChecklistItems({ items, t, c }: { items: ItemDraft[]; t: ConsoleMessages; c: Context<App> }) {
  return (
    <ul class="rows items">
      {items.map((item) => (
        <li>
          <span>
            <span class="mark">{t.items.kinds[item.kind]}</span>{' '}
            {item.url ? (
              <a href={item.url}>{localize(item.text, c.get('locale'))}</a>
            ) : (
              localize(item.text, c.get('locale'))
            )}
            {item.mustConfirm && <small>{t.items.mustConfirm}</small>}
          </span>
        </li>
      ))}
    </ul>
  )
}
