import type { Locale } from '../config.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'

/**
 * Buttons that move a line of a form up or down, or take it away, by sending the form: no script is needed. `do` says which.
 * @param of how many lines there are; one after them is new and empty
 */
export function LineButtons({ n, of, label, locale }: { n: number; of: number; label: string; locale: Locale }) {
  const t = afterwardsMessagesFor(locale).materials
  const button = (action: string, name: string, text: string, off: boolean) => (
    <button class="small second" type="submit" name="do" value={`${action}.${n}`} aria-label={name} disabled={off}>
      {text}
    </button>
  )
  if (n >= of) return null
  return (
    <p class="move">
      {button('up', `${t.up} · ${label}`, '↑', n === 0)}
      {button('down', `${t.down} · ${label}`, '↓', n === of - 1)}
      {button('drop', `${t.drop} · ${label}`, t.drop, false)}
    </p>
  )
}

/** The lines after such a button was pressed; any other action leaves them as they are. */
export function moved<Line>(lines: readonly Line[], action: string): Line[] {
  const [, what, line = ''] = /^(up|down|drop)\.(\d{1,3})$/.exec(action) ?? []
  const from = Number(line)
  if (what === 'drop') return lines.filter((_, n) => n !== from)
  const to = what === 'up' ? from - 1 : from + 1
  const after = [...lines]
  const [one, other] = [after[from], after[to]]
  if (what && one && other) [after[from], after[to]] = [other, one]
  return after
}
