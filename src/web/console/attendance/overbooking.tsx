import {
  minSample,
  type OverbookingSuggestion,
  type PastAttendance,
  suggestOverbooking,
} from '../../../domain/attendance/attendance.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import type { Locale } from '../../../lib/config.ts'
import { formatPercent } from '../ui/numbers.tsx'

/** Suggested capacity for the next workshop, with the no-show rate it is based on. */
export function OverbookingAdvice({ suggestion, locale }: { suggestion: OverbookingSuggestion; locale: Locale }) {
  const t = postEventMessages(locale).attendance
  if (suggestion.kind === 'too_little') {
    return <p>{t.tooLittle(suggestion.workshops, suggestion.expected, minSample)}</p>
  }
  const { basis, workshops, expected, noShows, rate, seats, overbook } = suggestion
  return (
    <>
      <p>
        <strong>{overbook > 0 ? t.suggested(seats, overbook) : t.suggestedNone(seats)}</strong>
      </p>
      <p>
        {t.restsOn(basis, workshops, expected, noShows)}
        {locale === 'en' ? ' ' : ''}
        {t.rate(formatPercent(rate.found, locale), formatPercent(rate.low, locale), formatPercent(rate.high, locale))}
      </p>
      <p class="hint">{t.risk}</p>
    </>
  )
}

/**
 * The suggestion as a hint below a form's capacity field; undefined if there is none.
 * @param seats the value of the field; invalid ones have no suggestion
 */
export function overbookingHint(
  pastAttendance: readonly PastAttendance[],
  workshop: Pick<Workshop, 'title' | 'city'>,
  seats: string,
  locale: Locale,
): string | undefined {
  const capacity = /^\d{1,5}$/.test(seats.trim()) ? Number(seats) : 0
  if (capacity < 1) return undefined
  const suggestion = suggestOverbooking(pastAttendance, workshop, capacity)
  if (suggestion.kind === 'too_little' || suggestion.overbook === 0) return undefined
  const { rate, overbook } = suggestion
  return postEventMessages(locale).attendance.hint(capacity, overbook, formatPercent(rate.found, locale))
}
