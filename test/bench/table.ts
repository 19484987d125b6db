import { median } from './statistics.ts'

/** One row of the table. */
export type Row = {
  /** The bench item, as in `--only`. */
  item: string
  what: string
  unit: string
  figure: number
  baseline?: number
  /** Description of the baseline. */
  against?: string
  /** Median of figure / baseline in each round. */
  ratio?: number
  /** Required value of the ratio, or of the figure without a baseline. */
  bar?: Bar
  met?: boolean
  /** The measurement failed; the note has the error. */
  failed?: true
  /** Values of each round. */
  rounds?: { figure: number[]; baseline?: number[] }
  /** Error, or details of the row. */
  note?: string
}

export type Bar = { atLeast: number } | { atMost: number }

/** A row without a baseline: a duration, a share, an amount. */
export function measurement(
  row: Pick<Row, 'item' | 'what' | 'unit' | 'bar' | 'note'> & { figure: number | readonly number[] },
): Row {
  const rounds = [row.figure].flat()
  return evaluate({ ...row, figure: median(rounds), rounds: { figure: rounds } })
}

/** A row with a baseline that was measured in the same rounds. */
export function comparison(
  row: Pick<Row, 'item' | 'what' | 'unit' | 'bar' | 'note' | 'against'> & {
    figure: readonly number[]
    baseline: readonly number[]
  },
): Row {
  const ratios = row.figure.map((figure, round) => figure / (row.baseline[round] as number))
  return evaluate({
    ...row,
    figure: median(row.figure),
    baseline: median(row.baseline),
    ratio: median(ratios),
    rounds: { figure: [...row.figure], baseline: [...row.baseline] },
  })
}

/** A row for a failed measurement. */
export function failedRow(row: Pick<Row, 'item' | 'what' | 'note'>): Row {
  return { ...row, unit: '', figure: Number.NaN, met: false, failed: true }
}

function evaluate(row: Row): Row {
  if (!row.bar) return row
  const value = row.ratio ?? row.figure
  return { ...row, met: 'atLeast' in row.bar ? value >= row.bar.atLeast : value <= row.bar.atMost }
}

/** Renders the rows as a Markdown table. */
export function renderTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.item,
    row.what,
    `${formatNumber(row.figure)} ${row.unit}`,
    row.baseline === undefined ? '' : `${formatNumber(row.baseline)} ${row.against ?? ''}`,
    row.ratio === undefined ? '' : formatNumber(row.ratio),
    row.bar === undefined
      ? ''
      : 'atLeast' in row.bar
        ? `≥ ${formatNumber(row.bar.atLeast)}`
        : `≤ ${formatNumber(row.bar.atMost)}`,
    row.failed ? 'FAILED' : row.met === undefined ? '' : row.met ? 'met' : 'NOT MET',
    row.note ?? '',
  ])
  const headers = ['item', 'what', 'figure', 'baseline', 'ratio', 'bar', '', 'note']
  const widths = headers.map((head, n) => Math.max(...[headers, ...lines].map((line) => (line[n] ?? head).length)))
  const line = (cells: string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  return [line(headers), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n')
}

/** Three significant digits. */
function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
