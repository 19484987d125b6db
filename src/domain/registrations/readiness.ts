import { sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import type { RegistrationStatus } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import type { Item, Workshop } from '../workshops/workshops.ts'
import { isOfferExpired, type Registration } from './registrations.ts'

/*
 * An attendee's answers to the checklist, given at sign-up and changed on the ticket page until the workshop is over.
 */

/** `ready`: yes to all required items. `not_ready`: no to at least one. `unanswered`: neither. */
export const readinessStates = ['ready', 'not_ready', 'unanswered'] as const
export type Readiness = (typeof readinessStates)[number]

/** Items that attendees must confirm. `required_items` in drizzle/functions is the same rule. */
export function requiredItems({ items }: Pick<Workshop, 'items'>): Item[] {
  return items.filter(({ mustConfirm }) => mustConfirm)
}

/** Computes an attendee's readiness. `hasReadiness` in list.ts is the same rule in SQL. */
export function computeReadiness({ ready }: Pick<Registration, 'ready'>, workshop: Pick<Workshop, 'items'>): Readiness {
  const answers = requiredItems(workshop).map(({ id }) => ready[id])
  if (answers.every((answer) => answer === true)) return 'ready'
  return answers.includes(false) ? 'not_ready' : 'unanswered'
}

/** Required items that are not answered with yes, in the order of the checklist. */
export function missingItems({ ready }: Pick<Registration, 'ready'>, workshop: Pick<Workshop, 'items'>): Item[] {
  return requiredItems(workshop).filter(({ id }) => ready[id] !== true)
}

/** True until the workshop ends, unless the registration is cancelled or its offer has expired. */
export function canUpdateReadiness(registration: Registration, now: Date): boolean {
  const { status, workshop } = registration
  return status !== 'cancelled' && now < workshop.endsAt && !isOfferExpired(registration, now)
}

/**
 * Stores the ticked items: yes for each ticked required item, no for each that was yes before. Items never answered stay
 * unanswered.
 * @param tickedIds item ids; unknown ones are ignored
 */
export async function updateReadiness(
  deps: Deps,
  registration: Registration,
  tickedIds: readonly string[],
): Promise<'saved' | 'too_late'> {
  const { id, ready, workshop } = registration
  if (!canUpdateReadiness(registration, deps.now())) return 'too_late'
  const changed = requiredItems(workshop).flatMap((item): [string, boolean][] => {
    const isTicked = tickedIds.includes(item.id)
    return isTicked === (ready[item.id] ?? false) ? [] : [[item.id, isTicked]]
  })
  if (changed.length === 0) return 'saved'
  const saved = await query(
    deps.db,
    sql`update registrations r set ready = r.ready || ${JSON.stringify(Object.fromEntries(changed))}::jsonb
        from workshops w
        where r.id = ${id}::uuid and w.id = r.workshop_id and r.status <> 'cancelled' and r.erased_at is null
          and w.ends_at > ${timestamptz(deps.now())}
        returning r.id`,
  )
  return saved.length > 0 ? 'saved' : 'too_late'
}

/** Number of registrations by their answer to one item. */
export type ItemAnswers = { item: Item; ready: number; notYet: number; noAnswer: number }

/**
 * Counts the answers to the required items, in the order of the checklists, in one pass over the registrations of these
 * workshops. Erased registrations are not counted.
 */
export async function countAnswers(
  deps: Deps,
  workshops: readonly Workshop[],
  statuses: readonly RegistrationStatus[],
): Promise<ItemAnswers[]> {
  const workshopsWithRequired = workshops.filter((workshop) => requiredItems(workshop).length > 0)
  if (workshopsWithRequired.length === 0) return []
  const answers = await query<{
    workshop_id: string
    item: string | null
    ready: number
    not_yet: number
    people: number
  }>(
    deps.db,
    sql`with live as materialized (
          select workshop_id, ready from registrations
          where workshop_id = any(${uuidArray(workshopsWithRequired.map(({ id }) => id))})
            and status = any(${`{${statuses.join(',')}}`}::text[]) and erased_at is null
        )
        select workshop_id, null as item, 0 as ready, 0 as not_yet, count(*)::int as people from live group by workshop_id
        union all
        select workshop_id, answer.key, count(*) filter (where answer.value = 'true')::int,
          count(*) filter (where answer.value = 'false')::int, 0
        from live cross join lateral jsonb_each(ready) as answer
        group by workshop_id, answer.key`,
  )
  const items = new Map(
    workshopsWithRequired.flatMap((workshop) => requiredItems(workshop).map((item) => [item.id, item] as const)),
  )
  return [...items.values()].map((item) => {
    const workshopIds = new Set(
      workshopsWithRequired.filter((workshop) => workshop.items.some(({ id }) => id === item.id)).map(({ id }) => id),
    )
    const workshopRows = answers.filter((answer) => workshopIds.has(answer.workshop_id))
    const itemRows = workshopRows.filter((answer) => answer.item === item.id)
    const sum = (group: typeof workshopRows, count: (answer: (typeof workshopRows)[number]) => number) =>
      group.reduce((total, answer) => total + count(answer), 0)
    const ready = sum(itemRows, (answer) => answer.ready)
    const notYet = sum(itemRows, (answer) => answer.not_yet)
    return { item, ready, notYet, noAnswer: sum(workshopRows, ({ people }) => people) - ready - notYet }
  })
}
