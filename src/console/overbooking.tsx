import type { Locale } from '../config.ts'
import { least, type Past, type Suggestion, suggestOverbooking } from '../domain/attendance.ts'
import type { Workshop } from '../domain/workshops.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'
import { figureMessagesFor } from '../messages/figures.ts'

/** How many seats to give next time, and why. */
export function Overbooking({ suggestion, locale }: { suggestion: Suggestion; locale: Locale }) {
  const t = afterwardsMessagesFor(locale).attendance
  if (suggestion.kind === 'too_little') {
    return <p>{t.tooLittle(suggestion.workshops, suggestion.expected, least)}</p>
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
        {t.rate(percent(rate.found, locale), percent(rate.low, locale), percent(rate.high, locale))}
      </p>
      <p class="hint">{t.risk}</p>
    </>
  )
}

/**
 * The suggestion in a line, below the seats of a workshop in a form; undefined where there is none to make.
 * @param seats as they stand in the form; what is no number of seats has no suggestion
 */
export function overbookingHint(
  past: readonly Past[],
  next: Pick<Workshop, 'title' | 'city'>,
  seats: string,
  locale: Locale,
): string | undefined {
  const capacity = /^\d{1,5}$/.test(seats.trim()) ? Number(seats) : 0
  if (capacity < 1) return undefined
  const suggestion = suggestOverbooking(past, next, capacity)
  if (suggestion.kind === 'too_little' || suggestion.overbook === 0) return undefined
  const { rate, overbook } = suggestion
  return afterwardsMessagesFor(locale).attendance.hint(capacity, overbook, percent(rate.found, locale))
}

/** A share between 0 and 1 as 12%. */
export function percent(share: number, locale: Locale): string {
  return figureMessagesFor(locale).percent(String(Math.round(share * 100)))
}
