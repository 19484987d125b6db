import { scaleBand, scaleLinear } from 'd3-scale'
import type { Child } from 'hono/jsx'
import { formatNumber } from '../../../i18n/format.ts'
import { NumberTable } from './numbers.tsx'

/*
 * Charts as SVG, drawn here. Lengths along the page are percentages and heights are pixels, so that a chart is as wide as
 * its place while its letters keep their size, on a phone, on a desktop and in print. Colours come from classes in
 * console.css, for our Content-Security-Policy lets no style into the page.
 */

/** A part of a bar: the accent and two greys, from what matters to what does not. */
export type Tone = 'accent' | 'grey' | 'pale'

/** What a chart says to those who do not see it. `id` is the only one on the page. */
type ChartDescription = { id: string; title: string; description: string }

/** A chart with its caption, what its tones mean, and its numbers as a table that opens. */
export function Figure({
  caption,
  keys: legend = [],
  numbers: table,
  open: tableLabel,
  children,
}: {
  caption?: Child
  /** What the tones mean, where there are several. */
  keys?: { tone: Tone; text: string }[]
  numbers: { heads: string[]; rows: (string | number)[][] }
  /** What the line says that opens the table. */
  open: string
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
  /** What it is, at full length. */
  name: string
  /** Below the bar, where there is room for it. */
  label: string
  parts: { tone: Tone; value: number }[]
}

/**
 * Bars over time. The highest one bears its number, few bars bear all of theirs; of the days below, the first, the last
 * and one between are named.
 * @param most the value of a bar of full height, where several charts are to be compared
 */
export function ColumnChart({
  bars,
  most: max = Math.max(0, ...bars.map(sumParts)),
  height = 160,
  ...chartLabels
}: ChartDescription & { bars: Bar[]; most?: number; height?: number }) {
  const [top, bottom] = [20, height - 22]
  const y = scaleLinear([0, Math.max(1, max)], [bottom, top])
  const x = scaleBand(
    bars.map((_, index) => index),
    [0, 100],
  ).paddingInner(bars.length > 1 ? 0.25 : 0)
  // A bar that stands alone or with few others is no wall.
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
                // Of 1,000 one is to be seen.
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
              <AxisLabel index={index} of={bars.length} x={left + width / 2} y={height - 4} text={bar.label} />
            )}
          </g>
        )
      })}
    </svg>
  )
}

/** So many bars have room for their numbers on a phone. */
const maxValueLabels = 9

/** Which bars are named below: on a phone there is room for all if they are few, and for three else. */
function pickLabelledBars(bars: number): number[] {
  const last = bars - 1
  return bars <= 4 ? [...Array(bars).keys()] : [0, Math.round(last / 2), last]
}

/** What stands below a bar. That of the first and the last of many would be cut off in the middle of it. */
function AxisLabel({
  index,
  of: count,
  x,
  y,
  text,
}: {
  index: number
  of: number
  x: number
  y: number
  text: string
}) {
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

/** Near an edge a number begins or ends at its bar, or it would be cut off. */
function textAnchor(index: number, bars: number): 'start' | 'middle' | 'end' {
  const position = (index + 0.5) / bars
  return position < 0.08 ? 'start' : position > 0.92 ? 'end' : 'middle'
}

export type Row = {
  /** Shortened where it is too long for a phone. */
  label: string
  parts: { tone: Tone; value: number }[]
  /** At the other end of the line. */
  said: string
}

/**
 * Bars across, one below the other, each under its label.
 * @param most the value of a bar of full length: the longest bar, if nothing is said
 * @param centred as a funnel, each bar in the middle
 */
export function BarChart({
  rows,
  most: max = Math.max(1, ...rows.map(sumParts)),
  centred = false,
  ...chartLabels
}: ChartDescription & { rows: Row[]; most?: number; centred?: boolean }) {
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
            <title>{`${row.label}: ${row.said}`}</title>
            <text x="0" y={top + 16}>
              {truncateLabel(row.label)}
            </text>
            <text class="soft" x="100%" y={top + 16} text-anchor="end">
              {row.said}
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

/** A chart for each of several years, side by side and on one scale. */
export function SmallMultiples({ charts }: { charts: (ChartDescription & { caption: Child; bars: Bar[] })[] }) {
  const max = Math.max(0, ...charts.flatMap(({ bars }) => bars.map(sumParts)))
  return (
    <ul class="multiples">
      {charts.map(({ caption, ...chart }) => (
        <li>
          <span>{caption}</span>
          <ColumnChart {...chart} most={max} height={110} />
        </li>
      ))}
    </ul>
  )
}

function sumParts({ parts }: { parts: { value: number }[] }): number {
  return parts.reduce((sum, { value }) => sum + value, 0)
}

/** Where the parts begin and end, without those that are nothing. */
function stackParts(parts: { tone: Tone; value: number }[]): { tone: Tone; from: number; to: number }[] {
  let end = 0
  const stacked = parts.map(({ tone, value }) => {
    const from = end
    end += value
    return { tone, from, to: end }
  })
  return stacked.filter(({ from, to }) => to > from)
}

/** A picture cannot measure its text: a Chinese character counts as two letters, and a phone has room for 34. */
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
