import { and, gt, lt, ne } from 'drizzle-orm'
import { workshops } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from './workshops.ts'

/** What an organiser should know of a workshop before it is announced. Nothing of it keeps them from doing so. */
export type Warning =
  | { warning: 'in_the_past' }
  | { warning: 'fewer_boards'; capacity: number; boards: number }
  | { warning: 'no_address' }
  | { warning: 'lead_elsewhere'; lead: string; slug: string }
  | { warning: 'no_mail' }

/** The warnings of a workshop. One that is cancelled or over has none. */
export async function warningsOf(deps: Deps, workshop: Workshop): Promise<Warning[]> {
  const { status, startsAt, endsAt, capacity, boards, address, venue, lead } = workshop
  if (status === 'cancelled' || (status === 'over' && workshop.state !== 'draft')) return []
  const elsewhere = lead ? await sameLead(deps, workshop, lead, startsAt, endsAt) : undefined
  return [
    ...(startsAt <= deps.now() ? [{ warning: 'in_the_past' as const }] : []),
    ...(boards > 0 && boards < capacity ? [{ warning: 'fewer_boards' as const, capacity, boards }] : []),
    ...(saysNothing(address) || saysNothing(venue) ? [{ warning: 'no_address' as const }] : []),
    ...(lead && elsewhere ? [{ warning: 'lead_elsewhere' as const, lead, slug: elsewhere }] : []),
    ...(!deps.config.smtpUrl ? [{ warning: 'no_mail' as const }] : []),
  ]
}

const saysNothing = (text: Workshop['address']) => !text.zh && !text.en

/** The slug of another workshop of the same person in charge that is at the same time. */
async function sameLead(deps: Deps, { id }: Workshop, lead: string, startsAt: Date, endsAt: Date) {
  const there = await deps.db
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
  return there.find((other) => other.lead?.trim().toLowerCase() === lead.trim().toLowerCase())?.slug
}
