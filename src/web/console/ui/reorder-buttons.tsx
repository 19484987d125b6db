import { postEventMessages } from '../../../i18n/post-event.ts'
import type { Locale } from '../../../lib/config.ts'

/**
 * Buttons that move a line of a form up or down or remove it, by submitting the form: no script is needed. The value of
 * `do` names the clicked button.
 * @param count number of lines; the empty one after them has no buttons
 */
export function ReorderButtons({
  n,
  count,
  label,
  locale,
}: {
  n: number
  count: number
  label: string
  locale: Locale
}) {
  const t = postEventMessages(locale).materials
  const button = (action: string, name: string, text: string, disabled: boolean) => (
    <button class="small second" type="submit" name="do" value={`${action}.${n}`} aria-label={name} disabled={disabled}>
      {text}
    </button>
  )
  if (n >= count) return null
  return (
    <p class="move">
      {button('up', `${t.up} · ${label}`, '↑', n === 0)}
      {button('down', `${t.down} · ${label}`, '↓', n === count - 1)}
      {button('drop', `${t.drop} · ${label}`, t.drop, false)}
    </p>
  )
}

/** Applies a button of `ReorderButtons`. Other actions leave the lines unchanged. */
export function applyReorder<Line>(lines: readonly Line[], action: string): Line[] {
  const [, command, line = ''] = /^(up|down|drop)\.(\d{1,3})$/.exec(action) ?? []
  const from = Number(line)
  if (command === 'drop') return lines.filter((_, n) => n !== from)
  const to = command === 'up' ? from - 1 : from + 1
  const reordered = [...lines]
  const [first, second] = [reordered[from], reordered[to]]
  if (command && first && second) [reordered[from], reordered[to]] = [second, first]
  return reordered
}
