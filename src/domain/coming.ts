import { type SQL, sql } from 'drizzle-orm'
import { at, rows } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import type { Registration } from './registrations.ts'
import { dayOf, occasionOf, remindersOf, seatedBy } from './reminders.ts'
import type { Workshop } from './workshops.ts'

/*
 * Whether somebody comes. They say so for the day on which the workshop is: moved to another day, it asks again. Whoever
 * does not come gives the seat back, which is a cancellation.
 */

/** Whether somebody said that they come on the day on which their workshop is now. */
export function saidComing(
  { comingOn }: { comingOn: string | null },
  workshop: Pick<Workshop, 'startsAt' | 'timeZone'>,
): boolean {
  return comingOn === dayOf(workshop)
}

/** Whether somebody is asked now whether they come: from the reminder on until the start, and who got the seat before it. */
export function isAskedToCome({ workshop, seatedAt }: Registration, now: Date): boolean {
  const question = remindersOf(workshop).find(({ kind }) => kind === 'coming')
  if (!question || seatedAt === null) return false
  return question.at <= now && now < workshop.startsAt && seatedAt <= seatedBy(question, now)
}

/** `asked`: was mailed the question, and has not answered. */
export const comings = ['yes', 'asked', 'not_asked'] as const
export type Coming = (typeof comings)[number]

/** What is true of the registrations `r` of a workshop that have a seat of their own and stand so with the question. */
export function isComing(workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>, coming: Coming): SQL {
  const said = sql`r.coming_on is not distinct from ${dayOf(workshop)}::date`
  // Looked up for each of them alone, by the index that owes the question once.
  const asked = sql`(
    select 1 from mails m
    where m.registration_id = r.id and m.kind = 'coming' and m.facts ->> 'occasion' = ${occasionOf(workshop)}
      and m.state <> 'dead'
    limit 1
  )`
  const stands = {
    yes: said,
    asked: sql`not ${said} and ${asked} = 1`,
    not_asked: sql`not ${said} and ${asked} is null`,
  }
  return sql`(${hasOwnSeat(workshop)} and ${stands[coming]})`
}

const hasOwnSeat = ({ id }: Pick<Workshop, 'id'>) =>
  sql`r.workshop_id = ${id}::uuid and r.status = 'confirmed' and r.erased_at is null`

/** How many people with a seat of their own stand how with the question whether they come. */
export async function countComing(
  deps: Deps,
  workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>,
): Promise<Record<Coming, number>> {
  const [counted] = await rows<Record<Coming, number>>(
    deps.db,
    sql`select ${sql.join(
      comings.map(
        (coming) => sql`count(*) filter (where ${isComing(workshop, coming)})::int as ${sql.identifier(coming)}`,
      ),
      sql`, `,
    )} from registrations r where ${hasOwnSeat(workshop)}`,
  )
  return counted ?? { yes: 0, asked: 0, not_asked: 0 }
}

/** Whether somebody has a seat of which they can say that they will use it. */
export function maySayComing({ status, workshop }: Registration, now: Date): boolean {
  return status === 'confirmed' && now < workshop.startsAt
}

/**
 * Stores that somebody comes on the day of their workshop; said again it is the same. Refused without a seat of their own,
 * and from the start on.
 */
export async function sayComing(deps: Deps, registration: Registration): Promise<'said' | 'too_late' | 'no_seat'> {
  const { id, status, workshop } = registration
  const now = deps.now()
  if (now >= workshop.startsAt) return 'too_late'
  if (status !== 'confirmed') return 'no_seat'
  // What was read may have changed: moved to another day, the workshop asks again.
  const said = await rows(
    deps.db,
    sql`update registrations r set coming_on = ${dayOf(workshop)}::date
        from workshops w
        where r.id = ${id}::uuid and w.id = r.workshop_id and w.id = ${workshop.id}::uuid
          and w.starts_at = ${at(workshop.startsAt)} and r.status = 'confirmed' and r.erased_at is null
        returning r.id`,
  )
  return said.length > 0 ? 'said' : 'no_seat'
}
