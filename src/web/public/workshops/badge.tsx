import { seatsLeft, type Workshop } from '../../../domain/workshops/workshops.ts'
import { localize } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import type { Locale } from '../../../lib/config.ts'

/** Renders an SVG badge for other sites: the city, and the seats left or the status. */
export function renderBadge(workshop: Workshop, locale: Locale): string {
  const t = publicMessages(locale)
  const city = localize(workshop.city, locale)
  const { status } = workshop
  const label = status === 'open' ? t.badge.seats(seatsLeft(workshop)) : t.workshopStatuses[status]
  const colour = status === 'open' ? '#0b6e4f' : status === 'waitlist' || status === 'upcoming' ? '#a8480f' : '#5d646b'
  const left = estimateTextWidth(city) + 16
  const right = estimateTextWidth(label) + 16
  return String(
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={left + right}
      height="22"
      viewBox={`0 0 ${left + right} 22`}
      role="img"
      font-family="system-ui, -apple-system, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
      font-size="12"
      text-anchor="middle"
      fill="#fff"
    >
      <title>{`${city}: ${label}`}</title>
      <rect width={left + right} height="22" rx="6" fill="#1b1d1f" />
      <path d={`M${left} 0h${right - 6}a6 6 0 0 1 6 6v10a6 6 0 0 1 -6 6h-${right - 6}z`} fill={colour} />
      <text x={left / 2} y="15.5">
        {city}
      </text>
      <text x={left + right / 2} y="15.5">
        {label}
      </text>
    </svg>,
  )
}

/** Pixels at 12 px: Chinese characters are square, others about half as wide. */
function estimateTextWidth(text: string): number {
  return Math.ceil([...text].reduce((width, char) => width + (char > '\u2e80' ? 12 : 6.8), 0))
}
