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

export const posterFormats = ['phone', 'a4'] as const
export type PosterFormat = (typeof posterFormats)[number]

/**
 * A poster as SVG: title, cities and dates, checklist, and a QR (error level M, quiet zone 4) of an address.
 * `phone` is 1080 × 1440 pixels; `a4` is 210 × 297 mm on white, with a margin that every printer leaves. All is text in
 * the fonts of whoever opens it, broken into lines here. The more there is to say the smaller it is said; what still does
 * not fit ends in an ellipsis, and beyond eight workshops a number stands for the last of them.
 * @param url where the QR leads, a registration link as a rule; its host is printed beside it. Throws where it is no
 * absolute address, or longer than a QR can say (2,331 bytes).
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

/** Both are laid out in units of which the sheet has 1080 across: pixels on a phone, 0.194 mm on A4. */
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

/** What a part is drawn for: its width, and how large and in how many lines things may be said. */
type PartOptions = { format: PosterFormat; locale: Locale; wide: number; scale: number; lines: number }

/** A part of the poster: how high it is, and how it is drawn from a height downwards. */
type PosterPart = { height: number; draw(top: number): Child }

/** Title and summary hang from the top, the rest stands on the bottom; what is left over lies between them. */
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

/** What everything but the foot is multiplied by, and how many lines a text may have. */
const smallestSize = { scale: 0.5, lines: 2 }
const sizes = [
  ...[1.2, 1.15, 1.1, 1.05, 1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7].map((scale) => ({ scale, lines: 3 })),
  ...[0.75, 0.7, 0.65, 0.6, 0.55].map((scale) => ({ scale, lines: 2 })),
  smallestSize,
]

function headlinePart({ title, summary }: PromotionContent, { wide, scale, lines }: PartOptions): PosterPart {
  const words = measureText(title, 'bold')
  const large = { width: wide, sizes: [124, 116, 108, 100, 92, 84, 78, 72].map((size) => size * scale), lines: 2 }
  const long = { width: wide, sizes: [84, 76, 68, 60].map((size) => size * scale), lines: 3 }
  const inTwo = wrapText(words, { ...large, balanced: true })
  const name = inTwo.complete ? inTwo : wrapText(words, { ...long, balanced: true })
  const about = wrapText(measureText(summary.replaceAll('\n', ' '), 'regular'), {
    width: wide,
    sizes: [36 * scale, 32 * scale],
    lines,
    balanced: true,
  })
  return stackParts(
    [paragraphPart(name, { leading: 1.18, weight: 700 }), paragraphPart(about, { leading: 1.55, fill: soft })],
    26 * scale,
  )
}

/** One workshop is told large, a few in a row each, many as a timetable. */
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

/** A row a workshop: the day large, beside it the city and the hours over the venue. */
function dateRowsPart(workshops: Workshop[], { locale, wide, scale }: PartOptions): PosterPart {
  const rows = workshops.map((workshop) => ({
    says: formatDateRange(workshop, locale),
    ...placeNames(workshop, locale),
  }))
  const small = 27 * scale
  const large = 84 * scale
  const beside = maxTextWidth(rows.map(({ says }) => says.day)) * large + 12 * scale
  const from = beside + maxTextWidth(rows.flatMap(({ says }) => [says.month, says.weekday])) * small + 40 * scale
  const room = wide - from
  return stackParts(
    rows.map(({ says, city, venue }) => {
      const hours = wrapText(measureText(says.time, 'regular'), {
        width: room * 0.55,
        sizes: decreasingSizes(36 * scale),
        lines: 1,
      })
      const name = wrapText(measureText(city, 'bold'), {
        width: room - maxTextWidth(hours.lines, 'regular') * hours.size - 28 * scale,
        sizes: decreasingSizes(46 * scale),
        lines: 1,
      })
      const where = wrapText(measureText(venue, 'regular'), {
        width: room,
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
            <SvgText text={says.day} x={0} y={lower} size={large} weight={700} fill={accent} />,
            <SvgText text={says.month} x={beside} y={upper} size={small} />,
            <SvgText text={says.weekday} x={beside} y={lower} size={small} fill={soft} />,
            <SvgText text={name.lines[0]} x={from} y={first} size={name.size} weight={700} />,
            <SvgText text={hours.lines[0]} x={wide} y={first} size={hours.size} anchor="end" />,
            <SvgText text={where.lines[0]} x={from} y={lower} size={where.size} fill={soft} />,
          ]
        },
      }
    }),
    0,
  )
}

/** A line a workshop. Hours that are the same everywhere are said once, above. */
function timetablePart(workshops: Workshop[], space: PartOptions): PosterPart {
  const { locale, wide, scale } = space
  const t = promotionMessages(locale)
  const shown = workshops.length > 8 ? workshops.slice(0, 7) : workshops
  const rows = shown.map((workshop) => ({ says: formatDateRange(workshop, locale), ...placeNames(workshop, locale) }))
  const hours = workshops.map((workshop) => formatDateRange(workshop, locale).time)
  const everywhere = hours.every((time) => time === hours[0]) ? hours[0] : undefined
  const size = 32 * scale
  const between = 34 * scale
  const column = (most: number, fill: string, weight: 'bold' | 'regular', texts: string[]) => {
    const width = Math.min(most, maxTextWidth(texts, weight) * size)
    const cells = texts.map((text) =>
      wrapText(measureText(text, weight), { width, sizes: decreasingSizes(size), lines: 1 }),
    )
    return { width, fill, weight: weight === 'bold' ? 600 : undefined, cells }
  }
  const days = rows.map(({ says }) => t.date(says))
  const cities = rows.map(({ city }) => city)
  const columns = [column(wide * 0.3, accent, 'bold', days), column(wide * 0.24, ink, 'bold', cities)]
  if (everywhere === undefined) columns.push(column(wide * 0.22, ink, 'regular', hours.slice(0, rows.length)))
  const left = columns.reduce((free, { width }) => free - width - between, wide)
  const venues = rows.map(({ venue }) => venue)
  columns.push(column(left, soft, 'regular', venues))
  const lines: PosterPart[] = rows.map((_, n) => ({
    height: 62 * scale,
    draw(top) {
      let x = 0
      return [
        rulePart(wide, 0).draw(top),
        columns.map(({ width, cells, fill, weight }) => {
          const cell = cells[n]
          const drawn = (
            <SvgText text={cell?.lines[0]} x={x} y={top + 42 * scale} {...{ size: cell?.size, fill, weight }} />
          )
          x += width + between
          return drawn
        }),
      ]
    },
  }))
  const note = (text: string) => paragraphPart(fitLine(text, 30, space), { leading: 1.9, fill: soft })
  return stackParts(
    [
      ...(everywhere === undefined ? [] : [note(t.poster.everywhere(everywhere))]),
      ...lines,
      ...(shown.length < workshops.length
        ? [rulePart(wide, 6 * scale), note(t.poster.more(workshops.length - shown.length))]
        : []),
    ],
    0,
  )
}

/** What is lent, what to bring, what to know and what to install, a row each. */
function checklistPart({ checklist }: PromotionContent, { locale, wide, scale, lines }: PartOptions): PosterPart {
  const t = publicMessages(locale).itemTags
  const size = 30 * scale
  const from = maxTextWidth(checklist.map(({ tag }) => t[tag])) * size + 36 * scale
  return stackParts(
    checklist.map(({ tag, texts }) => {
      const things = wrapText(measureText(texts.join(' · '), 'regular'), {
        width: wide - from,
        sizes: [size, size * 0.9],
        lines,
      })
      const says = paragraphPart(things, { x: from })
      const fill = tag === 'provided' ? accent : soft
      return {
        height: says.height,
        draw: (top) => [
          paragraphPart({ size: things.size, lines: [t[tag]] }, { weight: 600, fill }).draw(top),
          says.draw(top),
        ],
      }
    }),
    14 * scale,
  )
}

/** The QR, and beside it what to do with it. As large on every poster. */
function qrPart({ url, format, locale, wide }: Omit<PartOptions, 'scale' | 'lines'> & { url: string }): PosterPart {
  const t = promotionMessages(locale).poster
  const { side, dark } = qrPath(url)
  const widest = 316
  // Modules of whole pixels, unless the address is so long that they would have to be of one.
  const module = side * 2 > widest ? widest / side : Math.floor(widest / side)
  const qr = module * side
  const padding = 32
  const x = padding + 8
  const room = wide - qr - padding - 2 * x
  // High enough for its words where an address makes a smaller QR.
  const height = Math.max(qr, 300) + 2 * padding
  const call = wrapText(measureText(t.call, 'bold'), { width: room, sizes: [84, 76, 68], lines: 1 })
  const broken = wrapText(measureText(t.call, 'bold'), { width: room, sizes: [64, 56], lines: 2 })
  const hint = wrapText(measureText(t.hint[format], 'regular'), { width: room, sizes: decreasingSizes(30), lines: 2 })
  const host = wrapText(measureText(stripControlChars(new URL(url).host), 'regular'), {
    width: room,
    sizes: decreasingSizes(26),
    lines: 1,
  })
  const words = stackParts(
    [
      paragraphPart(call.complete ? call : broken, { x, leading: 1.2, weight: 700, fill: onAccent }),
      paragraphPart(hint, { x, leading: 1.4, fill: softOnAccent }),
    ],
    10,
  )
  return {
    height,
    draw(above) {
      const top = Math.round(above)
      const [left, upper] = [Math.round(wide - padding - qr), Math.round(top + (height - qr) / 2)]
      return [
        <rect y={top} width={wide} height={height} rx="28" fill={accent} />,
        words.draw(top + padding - 4),
        <SvgText text={host.lines[0]} x={x} y={top + height - padding - 8} size={host.size} fill={softOnAccent} />,
        <rect x={left} y={upper} width={qr} height={qr} rx="12" fill="#fff" />,
        <path transform={`translate(${left} ${upper}) scale(${module})`} d={dark} shape-rendering="crispEdges">
          <title>{t.qrAlt}</title>
        </path>,
      ]
    },
  }
}

/** City, venue and address as plain lines; what is not known is empty. */
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

/** Lines under each other. Nothing to say takes no room. */
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

/** A thin line over what follows. */
function rulePart(wide: number, height: number): PosterPart {
  return { height, draw: (top) => <path d={`M0 ${round(top)}h${wide}`} stroke={hairline} stroke-width="2" /> }
}

/** Parts under each other, without those that have nothing to say. */
function stackParts(parts: PosterPart[], gap: number): PosterPart {
  const drawn = parts.filter(({ height }) => height > 0)
  return {
    height: drawn.reduce((sum, { height }) => sum + height, 0) + gap * Math.max(0, drawn.length - 1),
    draw(top) {
      let at = top
      return drawn.map(({ height, draw }) => {
        const part = draw(at)
        at += height + gap
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
