import type { Child } from 'hono/jsx'
import { formatNumber } from '../../../i18n/format.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'

/** Key numbers with their labels. Numbers are formatted, strings are not. */
export function KeyNumbers({ numbers }: { numbers: [value: number | string, label: string][] }) {
  return (
    <ul class="numbers">
      {numbers.map(([value, label]) => (
        <li>
          <b>{typeof value === 'number' ? formatNumber(value) : value}</b>
          <small>{label}</small>
        </li>
      ))}
    </ul>
  )
}

/** A table of names and numbers. With more than five columns, rows are stacked on a phone. */
export function NumberTable({ heads, rows }: { heads: string[]; rows: (Child | number)[][] }) {
  const wide = heads.length > 5
  return (
    <div class="table" tabindex={0}>
      <table class={wide ? 'stack' : undefined}>
        <thead>
          <tr>
            {heads.map((head, column) => (
              <th scope="col" class={column > 0 ? 'number' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...cells]) => (
            <tr>
              <th scope="row">{name}</th>
              {cells.map((cell, column) => (
                <td class="number" data-head={wide ? heads[column + 1] : undefined}>
                  {typeof cell === 'number' ? formatNumber(cell) : cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Formats 0.12 as "12%". */
export function formatPercent(share: number, locale: Locale): string {
  return reportMessages(locale).percent(String(Math.round(share * 100)))
}

/** `part` of `whole` as a percentage; a dash if `whole` is 0. */
export function formatShare(part: number, whole: number, locale: Locale): string {
  const statsMessages = reportMessages(locale)
  return whole > 0 ? statsMessages.percent(String(Math.round((100 * part) / whole))) : statsMessages.figures.notCounted
}
