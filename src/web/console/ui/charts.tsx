import { scaleBand, scaleLinear } from 'd3-scale'
import type { Child } from 'hono/jsx'
import { formatNumber } from '../../../i18n/format.ts'
import { NumberTable } from './numbers.tsx'

/*
 * Charts as SVG, rendered on the server. Widths are percentages and heights are pixels, so that a chart fills its container
 * while its text keeps its size, on a phone, on a desktop and in print. Colours are classes in console.css, because the
 * Content-Security-Policy forbids inline styles.
 */

/** Fill of a part of a bar: the accent and two greys, in order of importance. */
export type Tone = 'accent' | 'grey' | 'pale'

/** Accessible title and description. `id` must be unique on the page. */
type ChartDescription = { id: string; title: string; description: string }

/** A chart with caption, legend, and its numbers as a collapsed table. */
export function Figure({
  caption,
  legend = [],
  table,
  tableLabel,
  children,
}: {
  caption?: Child
  legend?: { tone: Tone; text: string }[]
  table: { heads: string[]; rows: (string | number)[][] }
  tableLabel: string
  children: Child
}) {
  return (
    <figure class="figure">
      {caption && <figcaption>{caption}</figcaption>}
      {legend.length > 1 && (
        <ul class="keys">
          {legend.map(({ tone, text }) => (
            <li>
              <svg class="chart" width="12" height="12" aria-hidden="true">
                <rect class={tone} width="12" height="12" rx="2" />
              </svg>
              {text}
            </li>
          ))}
        </ul>
      )}
      {children}
      <details class="behind">
        <summary>{tableLabel}</summary>
        <NumberTable {...table} />
      </details>
    </figure>
  )
}

export type Bar = {
  /** Full name, for the tooltip. */
  name: string
  /** Short name, below the bar if there is room. */
  label: string
  parts: { tone: Tone; value: number }[]
}

/**
 * Bars over time. Few bars all show their value, else only the highest does.
 * @param max the value of a bar of full height, if several charts share a scale
 */
export function ColumnChart({
  bars,
  max = Math.max(0, ...bars.map(sumParts)),
  height = 160,
  ...chartLabels
}: ChartDescription & { bars: Bar[]; max?: number; height?: number }) {
  const [top, bottom] = [20, height - 22]
  const y = scaleLinear([0, Math.max(1, max)], [bottom, top])
  const x = scaleBand(
    bars.map((_, index) => index),
    [0, 100],
  ).paddingInner(bars.length > 1 ? 0.25 : 0)
  // Few bars would otherwise be too wide.
  const width = Math.min(x.bandwidth(), 12)
  const showsAllValues = bars.length <= maxValueLabels
  const peak = bars.findIndex((bar) => sumParts(bar) > 0 && sumParts(bar) === Math.max(...bars.map(sumParts)))
  const labelledBars = pickLabelledBars(bars.length)
  return (
    <svg
      class="chart"
      width="100%"
      height={height}
      role="img"
      aria-labelledby={`${chartLabels.id}-t ${chartLabels.id}-d`}
    >
      <title id={`${chartLabels.id}-t`}>{chartLabels.title}</title>
      <desc id={`${chartLabels.id}-d`}>{chartLabels.description}</desc>
      <line class="base" x1="0" x2="100%" y1={bottom + 0.5} y2={bottom + 0.5} />
      {bars.map((bar, index) => {
        const left = (x(index) ?? 0) + (x.bandwidth() - width) / 2
        const anchor = showsAllValues ? 'middle' : textAnchor(index, bars.length)
        return (
          <g>
            <title>{`${bar.name}: ${bar.parts.map(({ value }) => formatNumber(value)).join(' + ')}`}</title>
            {stackParts(bar.parts).map(({ tone, from, to }) => (
              <rect
                class={tone}
                x={svgPercent(left)}
                width={svgPercent(width)}
                // At least 2 px, so that 1 of 1,000 is visible.
                y={round(Math.min(y(to), y(from) - 2))}
                height={round(Math.max(2, y(from) - y(to)))}
              />
            ))}
            {(index === peak || (showsAllValues && sumParts(bar) > 0)) && (
              <text
                x={svgPercent(anchor === 'start' ? left : anchor === 'end' ? left + width : left + width / 2)}
                y={round(y(sumParts(bar)) - 6)}
                text-anchor={anchor}
              >
                {formatNumber(sumParts(bar))}
              </text>
            )}
            {labelledBars.includes(index) && (
              <AxisLabel index={index} count={bars.length} x={left + width / 2} y={height - 4} text={bar.label} />
            )}
          </g>
        )
      })}
    </svg>
  )
}

/** More values than these do not fit on a phone. */
const maxValueLabels = 9

/** Indexes of the bars with a label: all of up to four, else first, middle and last, as fit on a phone. */
function pickLabelledBars(bars: number): number[] {
  const last = bars - 1
  return bars <= 4 ? [...Array(bars).keys()] : [0, Math.round(last / 2), last]
}

/** Label below a bar. The first and last of many are aligned to the edge, or they would be cut off. */
function AxisLabel({ index, count, x, y, text }: { index: number; count: number; x: number; y: number; text: string }) {
  const anchor = count <= 4 ? 'middle' : index === 0 ? 'start' : index === count - 1 ? 'end' : 'middle'
  return (
    <text
      class="soft"
      x={anchor === 'start' ? '0' : anchor === 'end' ? '100%' : svgPercent(x)}
      y={y}
      text-anchor={anchor}
    >
      {text}
    </text>
  )
}

/** Values near an edge are aligned to their bar, or they would be cut off. */
function textAnchor(index: number, bars: number): 'start' | 'middle' | 'end' {
  const position = (index + 0.5) / bars
  return position < 0.08 ? 'start' : position > 0.92 ? 'end' : 'middle'
}

export type Row = {
  /** Truncated if it is too long for a phone. */
  label: string
  parts: { tone: Tone; value: number }[]
  /** Value as text, at the right end. */
  valueText: string
}

/**
 * Horizontal bars, each below its label.
 * @param max the value of a bar of full length; by default the longest bar's
 * @param centred centres the bars, as a funnel
 */
export function BarChart({
  rows,
  max = Math.max(1, ...rows.map(sumParts)),
  centred = false,
  ...chartLabels
}: ChartDescription & { rows: Row[]; max?: number; centred?: boolean }) {
  const x = scaleLinear([0, Math.max(1, max)], [0, 100])
  return (
    <svg
      class="chart"
      width="100%"
      height={rows.length * rowHeight}
      role="img"
      aria-labelledby={`${chartLabels.id}-t ${chartLabels.id}-d`}
    >
      <title id={`${chartLabels.id}-t`}>{chartLabels.title}</title>
      <desc id={`${chartLabels.id}-d`}>{chartLabels.description}</desc>
      {rows.map((row, index) => {
        const top = index * rowHeight
        const begin = centred ? (100 - x(sumParts(row))) / 2 : 0
        return (
          <g>
            <title>{`${row.label}: ${row.valueText}`}</title>
            <text x="0" y={top + 16}>
              {truncateLabel(row.label)}
            </text>
            <text class="soft" x="100%" y={top + 16} text-anchor="end">
              {row.valueText}
            </text>
            {!centred && <rect class="track" x="0" y={top + 25} width="100%" height="10" />}
            {stackParts(row.parts).map(({ tone, from, to }) => (
              <rect
                class={tone}
                x={svgPercent(begin + x(from))}
                y={top + 25}
                width={svgPercent(Math.max(0.5, x(to) - x(from)))}
                height="10"
              />
            ))}
          </g>
        )
      })}
    </svg>
  )
}

const rowHeight = 48

/** Charts side by side on a common scale. */
export function SmallMultiples({ charts }: { charts: (ChartDescription & { caption: Child; bars: Bar[] })[] }) {
  const max = Math.max(0, ...charts.flatMap(({ bars }) => bars.map(sumParts)))
  return (
    <ul class="multiples">
      {charts.map(({ caption, ...chart }) => (
        <li>
          <span>{caption}</span>
          <ColumnChart {...chart} max={max} height={110} />
        </li>
      ))}
    </ul>
  )
}

function sumParts({ parts }: { parts: { value: number }[] }): number {
  return parts.reduce((sum, { value }) => sum + value, 0)
}

/** Start and end of each part of a stacked bar, without empty parts. */
function stackParts(parts: { tone: Tone; value: number }[]): { tone: Tone; from: number; to: number }[] {
  let end = 0
  const stacked = parts.map(({ tone, value }) => {
    const from = end
    end += value
    return { tone, from, to: end }
  })
  return stacked.filter(({ from, to }) => to > from)
}

/** SVG text cannot be measured on the server: CJK characters count as two, and a phone fits 34. */
function truncateLabel(text: string): string {
  const maxWidth = 34
  let width = 0
  let truncated = ''
  for (const char of text) {
    width += char > '\u2e80' ? 2 : 1
    if (width > maxWidth) return `${truncated.trimEnd()}…`
    truncated += char
  }
  return text
}

function svgPercent(value: number): string {
  return `${round(value)}%`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
