import { and, gt, lt, ne } from 'drizzle-orm'
import { workshops } from '../../db/schema.ts'
import { localDate } from '../../lib/time-zones.ts'
import { countUsableBoards } from '../boards/inventory.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from './workshops.ts'

/** Something to check before a workshop is announced. Warnings do not block anything. */
export type Warning =
  | { warning: 'in_the_past' }
  | { warning: 'fewer_boards'; capacity: number; boards: number }
  /** More boards than the inventory has usable ones. */
  | { warning: 'boards_missing'; boards: number; usable: number }
  /** Together with other workshops on the same day, more boards than the inventory has usable ones. */
  | { warning: 'boards_shared'; boards: number; usable: number; slugs: string[] }
  | { warning: 'no_address' }
  | { warning: 'lead_elsewhere'; lead: string; slug: string }
  | { warning: 'no_mail' }

/** The warnings of a workshop. Cancelled workshops have none, nor have those that are over, except drafts. */
export async function findWarnings(deps: Deps, workshop: Workshop): Promise<Warning[]> {
  const { status, startsAt, endsAt, capacity, boards, address, venue, lead } = workshop
  if (status === 'cancelled' || (status === 'over' && workshop.state !== 'draft')) return []
  const leadConflict = lead ? await findLeadConflict(deps, workshop, lead, startsAt, endsAt) : undefined
  return [
    ...(startsAt <= deps.now() ? [{ warning: 'in_the_past' as const }] : []),
    ...(boards > 0 && boards < capacity ? [{ warning: 'fewer_boards' as const, capacity, boards }] : []),
    ...(await findBoardWarnings(deps, workshop)),
    ...(isBlank(address) || isBlank(venue) ? [{ warning: 'no_address' as const }] : []),
    ...(lead && leadConflict ? [{ warning: 'lead_elsewhere' as const, lead, slug: leadConflict }] : []),
    ...(!deps.config.smtpUrl ? [{ warning: 'no_mail' as const }] : []),
  ]
}

/** None without an inventory. Boards travel overnight, so workshops on the same day cannot share boards. */
async function findBoardWarnings(deps: Deps, workshop: Workshop): Promise<Warning[]> {
  const usable = workshop.boards > 0 ? await countUsableBoards(deps) : undefined
  if (usable === undefined) return []
  if (workshop.boards > usable) return [{ warning: 'boards_missing', boards: workshop.boards, usable }]
  const { boards, slugs } = await findBusiestDay(deps, workshop)
  return boards > usable ? [{ warning: 'boards_shared', boards, usable, slugs }] : []
}

/**
 * The day of a workshop on which it and other workshops need the most boards together, by local dates. Returns the number of
 * boards and the slugs of the other workshops.
 */
async function findBusiestDay(deps: Deps, { id, startsAt, endsAt, timeZone, boards: own }: Workshop) {
  const day = 24 * 3_600_000
  const nearby = await deps.db
    .select()
    .from(workshops)
    .where(
      and(
        ne(workshops.id, id),
        ne(workshops.state, 'cancelled'),
        gt(workshops.boards, 0),
        // Local dates in different time zones are less than two days apart.
        lt(workshops.startsAt, new Date(endsAt.getTime() + 2 * day)),
        gt(workshops.endsAt, new Date(startsAt.getTime() - 2 * day)),
      ),
    )
    .orderBy(workshops.startsAt, workshops.id)
  const [first, last] = [localDate(startsAt, timeZone), localDate(endsAt, timeZone)]
  const others = nearby.map((other) => ({
    ...{ slug: other.slug, boards: other.boards },
    ...{ first: localDate(other.startsAt, other.timeZone), last: localDate(other.endsAt, other.timeZone) },
  }))
  // The maximum is reached on the first day of one of them.
  const days = [first, ...others.map((other) => other.first).filter((day) => day > first && day <= last)]
  return days
    .map((day) => {
      const onThatDay = others.filter((other) => other.first <= day && day <= other.last)
      return {
        boards: onThatDay.reduce((sum, other) => sum + other.boards, own),
        slugs: onThatDay.map(({ slug }) => slug),
      }
    })
    .reduce((busiest, day) => (day.boards > busiest.boards ? day : busiest))
}

const isBlank = (text: Workshop['address']) => !text.zh && !text.en

/** The slug of another workshop with the same person in charge at the same time. */
async function findLeadConflict(deps: Deps, { id }: Workshop, lead: string, startsAt: Date, endsAt: Date) {
  const overlapping = await deps.db
    .select({ slug: workshops.slug, lead: workshops.lead })
    .from(workshops)
    .where(
      and(
        ne(workshops.id, id),
        ne(workshops.state, 'cancelled'),
        lt(workshops.startsAt, endsAt),
        gt(workshops.endsAt, startsAt),
      ),
    )
  return overlapping.find((other) => other.lead?.trim().toLowerCase() === lead.trim().toLowerCase())?.slug
}
