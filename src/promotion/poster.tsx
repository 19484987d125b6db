import type { Child } from 'hono/jsx'
import type { Campaign } from '../domain/campaigns/campaigns.ts'
import type { Workshop } from '../domain/workshops/workshops.ts'
import { formatDateRange, localize } from '../i18n/format.ts'
import { promotionMessages } from '../i18n/promotion.ts'
import { publicMessages } from '../i18n/public.ts'
import type { Locale } from '../lib/config.ts'
import { qrPath } from '../lib/qr.ts'
import { type PromotionContent, promotionContent, stripControlChars } from './content.ts'
import { type FittedText, measureText, textWidth, wrapText } from './text-layout.ts'

/*
 * 400 lines: the parts of one drawing, which share sizes, colours and helpers.
 */

export const posterFormats = ['phone', 'a4'] as const
export type PosterFormat = (typeof posterFormats)[number]

/**
 * Renders a poster as SVG: title, cities and dates, checklist, and a QR code (error level M, quiet zone 4).
 * `phone` is 1080 × 1440 pixels; `a4` is 210 × 297 mm on white, with a margin that all printers can print. Texts are in
 * the viewer's fonts, wrapped here. More content gets smaller type; what still does not fit ends in an ellipsis, and of
 * more than eight workshops only seven are listed, with the number of the others.
 * @param url usually of a registration link; its host is printed next to the code
 * @throws if `url` is not absolute or longer than 2,331 bytes, the capacity of a QR code
 */
export function renderPoster(
  subject: Campaign | Workshop,
  { url, format, locale }: { url: string; format: PosterFormat; locale: Locale },
): string {
  const content = promotionContent(subject, locale)
  const { width, height, margin, paper, printed } = posterSheets[format]
  return String(
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={printed?.width ?? width}
      height={printed?.height ?? height}
      viewBox={printed?.viewBox ?? `0 0 ${width} ${height}`}
      role="img"
      xml:lang={locale}
      font-family="system-ui, -apple-system, PingFang SC, HarmonyOS Sans SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
    >
      <title>{promotionMessages(locale).poster.alt(content.title)}</title>
      <g transform={printed?.transform}>
        <rect width={width} height={round(height)} fill={paper} />
        <g transform={`translate(${margin} ${margin})`}>
          {layoutPoster(content, { url, format, locale, wide: width - 2 * margin, high: height - 2 * margin })}
        </g>
      </g>
    </svg>,
  )
}

/** Both are laid out 1080 units wide: pixels on a phone, 0.194 mm on A4. */
const posterSheets = {
  phone: { width: 1080, height: 1440, margin: 84, paper: '#fbfaf7', printed: undefined },
  a4: {
    width: 1080,
    height: (1080 * 297) / 210,
    margin: 90,
    paper: '#fff',
    printed: { width: '210mm', height: '297mm', viewBox: '0 0 210 297', transform: `scale(${210 / 1080})` },
  },
}

const ink = '#1b1d1f'
const soft = '#5d646b'
const hairline = '#d9d5cc'
const accent = '#0b6e4f'
const onAccent = '#fff'
const softOnAccent = '#d3e8df'

/** `scale` of the type, and the maximum number of `lines` of a text. */
type PartOptions = { format: PosterFormat; locale: Locale; wide: number; scale: number; lines: number }

/** A part of known height, drawn downwards from `top`. */
type PosterPart = { height: number; draw(top: number): Child }

/** Aligns title and summary to the top and the other parts to the bottom, at the largest size that fits. */
function layoutPoster(
  content: PromotionContent,
  sheet: Omit<PartOptions, 'scale' | 'lines'> & { url: string; high: number },
): Child {
  const foot = qrPart(sheet)
  for (const size of sizes) {
    const space = { ...sheet, ...size }
    const gap = 56 * space.scale
    const head = headlinePart(content, space)
    const bottom = stackParts([datesPart(content, space), checklistPart(content, space), foot], gap)
    if (head.height + gap + bottom.height > sheet.high && size !== smallestSize) continue
    return [head.draw(0), bottom.draw(sheet.high - bottom.height)]
  }
}

/** Candidates for PartOptions, largest first. The part with the QR code does not scale. */
const smallestSize = { scale: 0.5, lines: 2 }
const sizes = [
  ...[1.2, 1.15, 1.1, 1.05, 1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7].map((scale) => ({ scale, lines: 3 })),
  ...[0.75, 0.7, 0.65, 0.6, 0.55].map((scale) => ({ scale, lines: 2 })),
  smallestSize,
]

function headlinePart({ title, summary }: PromotionContent, { wide, scale, lines }: PartOptions): PosterPart {
  const text = measureText(title, 'bold')
  const large = { width: wide, sizes: [124, 116, 108, 100, 92, 84, 78, 72].map((size) => size * scale), lines: 2 }
  const long = { width: wide, sizes: [84, 76, 68, 60].map((size) => size * scale), lines: 3 }
  const inTwoLines = wrapText(text, { ...large, balanced: true })
  const headline = inTwoLines.complete ? inTwoLines : wrapText(text, { ...long, balanced: true })
  const about = wrapText(measureText(summary.replaceAll('\n', ' '), 'regular'), {
    width: wide,
    sizes: [36 * scale, 32 * scale],
    lines,
    balanced: true,
  })
  return stackParts(
    [paragraphPart(headline, { leading: 1.18, weight: 700 }), paragraphPart(about, { leading: 1.55, fill: soft })],
    26 * scale,
  )
}

/** One workshop is shown large, up to four as rows, more as a timetable. */
function datesPart({ workshops }: PromotionContent, space: PartOptions): PosterPart {
  const [only, ...others] = workshops
  if (!only) return paragraphPart(fitLine(promotionMessages(space.locale).poster.none, 48, space), { weight: 600 })
  if (others.length === 0) return singleDatePart(only, space)
  return workshops.length <= 4 ? dateRowsPart(workshops, space) : timetablePart(workshops, space)
}

function singleDatePart(workshop: Workshop, space: PartOptions): PosterPart {
  const { locale, wide, scale } = space
  const dates = formatDateRange(workshop, locale)
  const { city, venue, address } = placeNames(workshop, locale)
  const place = measureText([city, venue].filter(Boolean).join(' · '), 'regular')
  return stackParts(
    [
      rulePart(wide, 24 * scale),
      paragraphPart(fitLine(promotionMessages(locale).day(dates), 144, space), {
        leading: 1.15,
        weight: 700,
        fill: accent,
      }),
      paragraphPart(fitLine(`${dates.weekday} ${dates.time}`, 52, space), { weight: 600 }),
      paragraphPart(wrapText(place, { width: wide, sizes: decreasingSizes(42 * scale), lines: 2 }), { leading: 1.4 }),
      paragraphPart(
        wrapText(measureText(address, 'regular'), { width: wide, sizes: decreasingSizes(32 * scale), lines: 2 }),
        {
          fill: soft,
        },
      ),
    ],
    10 * scale,
  )
}

/** One row per workshop: the day large, then city and hours above the venue. */
function dateRowsPart(workshops: Workshop[], { locale, wide, scale }: PartOptions): PosterPart {
  const rows = workshops.map((workshop) => ({
    dates: formatDateRange(workshop, locale),
    ...placeNames(workshop, locale),
  }))
  const small = 27 * scale
  const large = 84 * scale
  const monthX = maxTextWidth(rows.map(({ dates }) => dates.day)) * large + 12 * scale
  const cityX = monthX + maxTextWidth(rows.flatMap(({ dates }) => [dates.month, dates.weekday])) * small + 40 * scale
  const available = wide - cityX
  return stackParts(
    rows.map(({ dates, city, venue }) => {
      const hours = wrapText(measureText(dates.time, 'regular'), {
        width: available * 0.55,
        sizes: decreasingSizes(36 * scale),
        lines: 1,
      })
      const name = wrapText(measureText(city, 'bold'), {
        width: available - maxTextWidth(hours.lines, 'regular') * hours.size - 28 * scale,
        sizes: decreasingSizes(46 * scale),
        lines: 1,
      })
      const place = wrapText(measureText(venue, 'regular'), {
        width: available,
        sizes: decreasingSizes(29 * scale),
        lines: 1,
      })
      return {
        height: 136 * scale,
        draw(top) {
          const [upper, lower] = [top + 62 * scale, top + 102 * scale]
          const first = venue ? upper : (upper + lower) / 2
          return [
            rulePart(wide, 0).draw(top),
            <SvgText text={dates.day} x={0} y={lower} size={large} weight={700} fill={accent} />,
            <SvgText text={dates.month} x={monthX} y={upper} size={small} />,
            <SvgText text={dates.weekday} x={monthX} y={lower} size={small} fill={soft} />,
            <SvgText text={name.lines[0]} x={cityX} y={first} size={name.size} weight={700} />,
            <SvgText text={hours.lines[0]} x={wide} y={first} size={hours.size} anchor="end" />,
            <SvgText text={place.lines[0]} x={cityX} y={lower} size={place.size} fill={soft} />,
          ]
        },
      }
    }),
    0,
  )
}

/** One line per workshop. Hours that all have in common are printed once, above. */
function timetablePart(workshops: Workshop[], space: PartOptions): PosterPart {
  const { locale, wide, scale } = space
  const t = promotionMessages(locale)
  const shown = workshops.length > 8 ? workshops.slice(0, 7) : workshops
  const rows = shown.map((workshop) => ({ dates: formatDateRange(workshop, locale), ...placeNames(workshop, locale) }))
  const hours = workshops.map((workshop) => formatDateRange(workshop, locale).time)
  const commonHours = hours.every((time) => time === hours[0]) ? hours[0] : undefined
  const size = 32 * scale
  const columnGap = 34 * scale
  const column = (maxWidth: number, fill: string, weight: 'bold' | 'regular', texts: string[]) => {
    const width = Math.min(maxWidth, maxTextWidth(texts, weight) * size)
    const cells = texts.map((text) =>
      wrapText(measureText(text, weight), { width, sizes: decreasingSizes(size), lines: 1 }),
    )
    return { width, fill, weight: weight === 'bold' ? 600 : undefined, cells }
  }
  const days = rows.map(({ dates }) => t.date(dates))
  const cities = rows.map(({ city }) => city)
  const columns = [column(wide * 0.3, accent, 'bold', days), column(wide * 0.24, ink, 'bold', cities)]
  if (commonHours === undefined) columns.push(column(wide * 0.22, ink, 'regular', hours.slice(0, rows.length)))
  const available = columns.reduce((free, { width }) => free - width - columnGap, wide)
  const venues = rows.map(({ venue }) => venue)
  columns.push(column(available, soft, 'regular', venues))
  const lines: PosterPart[] = rows.map((_, n) => ({
    height: 62 * scale,
    draw(top) {
      let x = 0
      return [
        rulePart(wide, 0).draw(top),
        columns.map(({ width, cells, fill, weight }) => {
          const cell = cells[n]
          const text = (
            <SvgText text={cell?.lines[0]} x={x} y={top + 42 * scale} {...{ size: cell?.size, fill, weight }} />
          )
          x += width + columnGap
          return text
        }),
      ]
    },
  }))
  const note = (text: string) => paragraphPart(fitLine(text, 30, space), { leading: 1.9, fill: soft })
  return stackParts(
    [
      ...(commonHours === undefined ? [] : [note(t.poster.everywhere(commonHours))]),
      ...lines,
      ...(shown.length < workshops.length
        ? [rulePart(wide, 6 * scale), note(t.poster.more(workshops.length - shown.length))]
        : []),
    ],
    0,
  )
}

/** One row per tag: provided, to bring, to know, to install. */
function checklistPart({ checklist }: PromotionContent, { locale, wide, scale, lines }: PartOptions): PosterPart {
  const t = publicMessages(locale).itemTags
  const size = 30 * scale
  const textX = maxTextWidth(checklist.map(({ tag }) => t[tag])) * size + 36 * scale
  return stackParts(
    checklist.map(({ tag, texts }) => {
      const itemTexts = wrapText(measureText(texts.join(' · '), 'regular'), {
        width: wide - textX,
        sizes: [size, size * 0.9],
        lines,
      })
      const paragraph = paragraphPart(itemTexts, { x: textX })
      const fill = tag === 'provided' ? accent : soft
      return {
        height: paragraph.height,
        draw: (top) => [
          paragraphPart({ size: itemTexts.size, lines: [t[tag]] }, { weight: 600, fill }).draw(top),
          paragraph.draw(top),
        ],
      }
    }),
    14 * scale,
  )
}

/** The QR code with a call to action. Has the same size on every poster. */
function qrPart({ url, format, locale, wide }: Omit<PartOptions, 'scale' | 'lines'> & { url: string }): PosterPart {
  const t = promotionMessages(locale).poster
  const { side, dark } = qrPath(url)
  const maxWidth = 316
  // Modules are whole pixels, unless a long URL would make them one pixel wide.
  const module = side * 2 > maxWidth ? maxWidth / side : Math.floor(maxWidth / side)
  const qr = module * side
  const padding = 32
  const x = padding + 8
  const available = wide - qr - padding - 2 * x
  // At least as high as the text, next to a small QR code.
  const height = Math.max(qr, 300) + 2 * padding
  const call = wrapText(measureText(t.call, 'bold'), { width: available, sizes: [84, 76, 68], lines: 1 })
  const wrappedCall = wrapText(measureText(t.call, 'bold'), { width: available, sizes: [64, 56], lines: 2 })
  const hint = wrapText(measureText(t.hint[format], 'regular'), {
    width: available,
    sizes: decreasingSizes(30),
    lines: 2,
  })
  const host = wrapText(measureText(stripControlChars(new URL(url).host), 'regular'), {
    width: available,
    sizes: decreasingSizes(26),
    lines: 1,
  })
  const textPart = stackParts(
    [
      paragraphPart(call.complete ? call : wrappedCall, { x, leading: 1.2, weight: 700, fill: onAccent }),
      paragraphPart(hint, { x, leading: 1.4, fill: softOnAccent }),
    ],
    10,
  )
  return {
    height,
    draw(y) {
      const top = Math.round(y)
      const [left, upper] = [Math.round(wide - padding - qr), Math.round(top + (height - qr) / 2)]
      return [
        <rect y={top} width={wide} height={height} rx="28" fill={accent} />,
        textPart.draw(top + padding - 4),
        <SvgText text={host.lines[0]} x={x} y={top + height - padding - 8} size={host.size} fill={softOnAccent} />,
        <rect x={left} y={upper} width={qr} height={qr} rx="12" fill="#fff" />,
        <path transform={`translate(${left} ${upper}) scale(${module})`} d={dark} shape-rendering="crispEdges">
          <title>{t.qrAlt}</title>
        </path>,
      ]
    },
  }
}

function placeNames({ city, venue, address }: Workshop, locale: Locale) {
  const name = (text: Workshop['city']) => stripControlChars(localize(text, locale))
  return { city: name(city), venue: name(venue), address: name(address) }
}

function fitLine(text: string, size: number, { wide, scale }: PartOptions): FittedText {
  return wrapText(measureText(text, 'bold'), { width: wide, sizes: decreasingSizes(size * scale), lines: 1 })
}

function decreasingSizes(size: number): number[] {
  return [1, 0.93, 0.86, 0.79, 0.72].map((factor) => size * factor)
}

function maxTextWidth(texts: string[], weight: 'bold' | 'regular' = 'bold'): number {
  return Math.max(0, ...texts.map((text) => textWidth(text, weight)))
}

function paragraphPart(
  { size, lines }: Omit<FittedText, 'complete'>,
  { x = 0, leading = 1.5, weight, fill }: { x?: number; leading?: number; weight?: number; fill?: string } = {},
): PosterPart {
  return {
    height: lines.length * size * leading,
    draw: (top) =>
      lines.map((text, n) => (
        <SvgText text={text} x={x} y={top + (n + 0.5) * size * leading + size * 0.36} {...{ size, weight, fill }} />
      )),
  }
}

/** A thin line at the top. */
function rulePart(wide: number, height: number): PosterPart {
  return { height, draw: (top) => <path d={`M0 ${round(top)}h${wide}`} stroke={hairline} stroke-width="2" /> }
}

/** Stacks parts vertically, without empty ones. */
function stackParts(parts: PosterPart[], gap: number): PosterPart {
  const visible = parts.filter(({ height }) => height > 0)
  return {
    height: visible.reduce((sum, { height }) => sum + height, 0) + gap * Math.max(0, visible.length - 1),
    draw(top) {
      let y = top
      return visible.map(({ height, draw }) => {
        const part = draw(y)
        y += height + gap
        return part
      })
    },
  }
}

function SvgText({
  text,
  x,
  y,
  size = 0,
  weight,
  fill = ink,
  anchor,
}: {
  text: string | undefined
  x: number
  y: number
  size: number | undefined
  weight?: number | undefined
  fill?: string | undefined
  anchor?: 'end'
}) {
  if (!text) return null
  return (
    <text x={round(x)} y={round(y)} font-size={round(size)} font-weight={weight} fill={fill} text-anchor={anchor}>
      {text}
    </text>
  )
}

function round(length: number): number {
  return Math.round(length * 10) / 10
}
