import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { Deps } from '../deps.ts'
import { localStartDate, planReminders, reminderKey, seatedAtCutoff } from '../mails/reminders.ts'
import type { Workshop } from '../workshops/workshops.ts'
import type { Registration } from './registrations.ts'

/*
 * Whether somebody comes. They say so for the day on which the workshop is: moved to another day, it asks again. Whoever
 * does not come gives the seat back, which is a cancellation.
 */

/** Whether somebody said that they come on the day on which their workshop is now. */
export function hasConfirmedAttendance(
  { attendanceConfirmedFor }: { attendanceConfirmedFor: string | null },
  workshop: Pick<Workshop, 'startsAt' | 'timeZone'>,
): boolean {
  return attendanceConfirmedFor === localStartDate(workshop)
}

/** Whether somebody is asked now whether they come: from the reminder on until the start, and who got the seat before it. */
export function isPromptedToConfirm({ workshop, seatedAt }: Registration, now: Date): boolean {
  const reminder = planReminders(workshop).find(({ kind }) => kind === 'coming')
  if (!reminder || seatedAt === null) return false
  return reminder.at <= now && now < workshop.startsAt && seatedAt <= seatedAtCutoff(reminder, now)
}

/** `asked`: was mailed the question, and has not answered. */
export const confirmationStatuses = ['yes', 'asked', 'not_asked'] as const
export type ConfirmationStatus = (typeof confirmationStatuses)[number]

/** What is true of the registrations `r` of a workshop that have a seat of their own and stand so with the question. */
export function hasConfirmationStatus(
  workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>,
  status: ConfirmationStatus,
): SQL {
  const hasConfirmed = sql`r.attendance_confirmed_for is not distinct from ${localStartDate(workshop)}::date`
  // Looked up for each of them alone, by the index that owes the question once.
  const promptMail = sql`(
    select 1 from mails m
    where m.registration_id = r.id and m.kind = 'coming' and m.payload ->> 'occasion' = ${reminderKey(workshop)}
      and m.state <> 'dead'
    limit 1
  )`
  const conditionByStatus = {
    yes: hasConfirmed,
    asked: sql`not ${hasConfirmed} and ${promptMail} = 1`,
    not_asked: sql`not ${hasConfirmed} and ${promptMail} is null`,
  }
  return sql`(${isConfirmedRegistration(workshop)} and ${conditionByStatus[status]})`
}

const isConfirmedRegistration = ({ id }: Pick<Workshop, 'id'>) =>
  sql`r.workshop_id = ${id}::uuid and r.status = 'confirmed' and r.erased_at is null`

/** How many people with a seat of their own stand how with the question whether they come. */
export async function countConfirmations(
  deps: Deps,
  workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>,
): Promise<Record<ConfirmationStatus, number>> {
  const [counted] = await query<Record<ConfirmationStatus, number>>(
    deps.db,
    sql`select ${sql.join(
      confirmationStatuses.map(
        (status) =>
          sql`count(*) filter (where ${hasConfirmationStatus(workshop, status)})::int as ${sql.identifier(status)}`,
      ),
      sql`, `,
    )} from registrations r where ${isConfirmedRegistration(workshop)}`,
  )
  return counted ?? { yes: 0, asked: 0, not_asked: 0 }
}

/** Whether somebody has a seat of which they can say that they will use it. */
export function canConfirmAttendance({ status, workshop }: Registration, now: Date): boolean {
  return status === 'confirmed' && now < workshop.startsAt
}

/**
 * Stores that somebody comes on the day of their workshop; said again it is the same. Refused without a seat of their own,
 * and from the start on.
 */
export async function confirmAttendance(
  deps: Deps,
  registration: Registration,
): Promise<'said' | 'too_late' | 'no_seat'> {
  const { id, status, workshop } = registration
  const now = deps.now()
  if (now >= workshop.startsAt) return 'too_late'
  if (status !== 'confirmed') return 'no_seat'
  // What was read may have changed: moved to another day, the workshop asks again.
  const updated = await query(
    deps.db,
    sql`update registrations r set attendance_confirmed_for = ${localStartDate(workshop)}::date
        from workshops w
        where r.id = ${id}::uuid and w.id = r.workshop_id and w.id = ${workshop.id}::uuid
          and w.starts_at = ${timestamptz(workshop.startsAt)} and r.status = 'confirmed' and r.erased_at is null
        returning r.id`,
  )
  return updated.length > 0 ? 'said' : 'no_seat'
}
