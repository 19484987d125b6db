import type { itemKinds } from '../db/schema.ts'
import type { ItemDraft } from '../domain/workshops.ts'
import type { ConsoleMessages } from '../messages/console.zh-CN.ts'
import { sentences } from '../messages/text.ts'
import type { Problem } from './fields.tsx'

/**
 * The checklist as fields, a line for each item. Buttons move a line or add one by sending the form, so that no script is
 * needed; `do` says which of them it was.
 */
export function ChecklistEditor({
  items,
  pressed,
  problems,
  hint,
  t,
}: {
  items: ItemDraft[]
  /** Which button rearranged it just now, if one did: whoever works by keys goes on from there. */
  pressed?: string | undefined
  problems: Problem[]
  hint?: string | undefined
  t: ConsoleMessages
}) {
  const lines = [...items, emptyItem]
  const focus = pressed && focusAfter(pressed, items.length)
  return (
    <fieldset>
      <legend>{t.items.title}</legend>
      <p class="hint">
        {sentences(t.items.lead, t.items.emptyHint)} {hint}
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
            {(['up', 'down'] as const).map((way) => (
              <button
                class="small second"
                type="submit"
                name="do"
                value={`${way}.${n}`}
                aria-label={`${t.items[way]} ${n + 1}`}
                disabled={!mayMove(way, n, items.length)}
                autofocus={focus === `${way}.${n}`}
              >
                {way === 'up' ? '↑' : '↓'}
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

const mayMove = (way: 'up' | 'down', line: number, length: number) =>
  way === 'up' ? line > 0 && line < length : line < length - 1

/** Where to go on after a button: at the line that moved, by the same button while it can move on, or at the empty line. */
function focusAfter(pressed: string, length: number): string | undefined {
  if (pressed === 'add-item') return `item.${length}`
  const { way, to } = readMove(pressed) ?? {}
  if (!way || to === undefined) return undefined
  return mayMove(way, to, length) ? `${way}.${to}` : `${way === 'up' ? 'down' : 'up'}.${to}`
}

/** The checklist after a button beside a line was pressed. */
export function rearranged(items: ItemDraft[], action: string): ItemDraft[] {
  const { from, to } = readMove(action) ?? {}
  if (from === undefined || to === undefined) return items
  const moved = [...items]
  const [a, b] = [moved[from], moved[to]]
  if (a && b) [moved[from], moved[to]] = [b, a]
  return moved
}

function readMove(action: string): { way: 'up' | 'down'; from: number; to: number } | undefined {
  const [, way, line = ''] = /^(up|down)\.(\d{1,4})$/.exec(action) ?? []
  const from = Number(line)
  if (way === 'up') return { way, from, to: from - 1 }
  return way === 'down' ? { way, from, to: from + 1 } : undefined
}
