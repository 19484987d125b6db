import type { Child } from 'hono/jsx'
import type { Campaign } from '../../domain/campaigns/campaigns.ts'
import { type Item, seatsLeft, type Workshop, type WorkshopStatus } from '../../domain/workshops/workshops.ts'
import { paths, withQuery } from '../../http/links.ts'
import { formatDateRange, formatDateTime, formatPlace, localize } from '../../i18n/format.ts'
import { itemTag } from '../../i18n/item-tags.ts'
import { publicMessages } from '../../i18n/public.ts'
import type { Locale } from '../../lib/config.ts'

/** Date, time and place of a workshop. */
export function WorkshopSummary({ workshop, locale }: { workshop: Workshop; locale: Locale }) {
  const { date, weekday, time, zone } = formatDateRange(workshop, locale)
  const address = localize(workshop.address, locale)
  return (
    <div class="facts">
      <DateTile workshop={workshop} locale={locale} />
      <p>
        <time datetime={workshop.startsAt.toISOString()}>
          {weekday} {time}
        </time>
        <small>
          {date} · {zone}
        </small>
      </p>
      <PinIcon />
      <p>
        {formatPlace(workshop, locale)}
        {address && <small>{address}</small>}
      </p>
    </div>
  )
}

/** Calendar leaf. Hidden from screen readers, because the date is next to it as text. */
export function DateTile({ workshop, locale }: { workshop: Workshop; locale: Locale }) {
  const { month, day } = formatDateRange(workshop, locale)
  return (
    <div class="tile" aria-hidden="true">
      <span>{month}</span>
      <b>{day}</b>
    </div>
  )
}

/** Seats left, or why none can be had, plus other cities with free seats. */
export function SeatStatus({
  workshop,
  otherCities,
  locale,
}: {
  workshop: Workshop
  otherCities: Child
  locale: Locale
}) {
  const t = publicMessages(locale).workshop
  const { status, capacity } = workshop
  if (status === 'open') {
    return (
      <div class="seats" id="seats" data-live="">
        <b data-seats-left="">{seatsLeft(workshop)}</b>
        <div>
          {t.seatsOf(capacity)}
          <progress max={capacity} value={workshop.taken} aria-hidden="true" />
        </div>
      </div>
    )
  }
  return (
    <div class={`seats words ${statusTones[status]}`} id="seats" data-live="">
      <b>{t.big[status]}</b>
      <div>
        <UnavailableReason workshop={workshop} locale={locale} />
        {otherCities}
      </div>
    </div>
  )
}

/** CSS class by status. */
export const statusTones = {
  open: 'good',
  upcoming: 'good',
  waitlist: 'none',
  full: 'none',
  cancelled: 'none',
  closed: 'past',
  over: 'past',
} satisfies Record<WorkshopStatus, 'good' | 'none' | 'past'>

function UnavailableReason({ workshop, locale }: { workshop: Workshop; locale: Locale }) {
  const t = publicMessages(locale).workshop
  const { status, capacity, opensAt, closesAt, timeZone } = workshop
  switch (status) {
    case 'upcoming':
      return <>{opensAt && t.opens(formatDateTime(opensAt, timeZone, locale))}</>
    case 'waitlist':
      return (
        <>
          {t.waiting.before}
          <span data-waitlisted="">{workshop.waitlisted}</span>
          {t.waiting.after}
        </>
      )
    case 'full':
      return <>{t.noWaitlist(capacity)}</>
    case 'closed':
      return (
        <>
          {closesAt && workshop.state === 'published'
            ? t.closedAt(formatDateTime(closesAt, timeZone, locale))
            : t.closed}
        </>
      )
    case 'cancelled':
      return <>{t.cancelled}</>
    default:
      return <>{t.over}</>
  }
}

/** Links to the other workshops of a campaign with seats left, or else with a waitlist. */
export function OtherCities({
  campaign,
  workshop: current,
  via,
  locale,
}: {
  campaign: Campaign | undefined
  workshop: Workshop
  via: string | undefined
  locale: Locale
}) {
  const t = publicMessages(locale).workshop
  const otherWorkshops = campaign?.workshops.filter(({ id }) => id !== current.id) ?? []
  const open = otherWorkshops.filter(({ status }) => status === 'open')
  return (
    <>
      {(open.length > 0 ? open : otherWorkshops.filter(({ status }) => status === 'waitlist')).map((workshop) => (
        <a class="other-city" href={withQuery(paths.workshop(workshop.slug), { via })}>
          {workshop.status === 'open'
            ? t.otherCitySeats(localize(workshop.city, locale), seatsLeft(workshop))
            : t.otherCityWaitlist(localize(workshop.city, locale))}
        </a>
      ))}
    </>
  )
}

export function Checklist({
  items,
  answers = {},
  locale,
}: {
  items: Item[]
  /** The attendee's own answers, on the ticket. */
  answers?: Record<string, boolean>
  locale: Locale
}) {
  const t = publicMessages(locale)
  return (
    <ul class="list">
      {items.map((item) => {
        const tag = itemTag(item)
        const answer = answers[item.id]
        return (
          <li>
            <span class={tag === 'provided' ? 'tag' : 'tag yours'}>{t.itemTags[tag]}</span>
            <span>
              {localize(item.text, locale)}
              {item.url && (
                <small>
                  <a href={item.url} rel="noopener noreferrer">
                    {t.workshop.install}
                  </a>
                </small>
              )}
              {answer !== undefined && <small>{answer ? t.ticket.answeredReady : t.ticket.answeredNotYet}</small>}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

function PinIcon() {
  return (
    <div class="tile" aria-hidden="true">
      <svg
        width="20"
        height="20"
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        aria-hidden="true"
      >
        <path d="M12 21s7-6.2 7-11a7 7 0 1 0-14 0c0 4.8 7 11 7 11z" />
        <circle cx="12" cy="10" r="2.6" />
      </svg>
    </div>
  )
}
