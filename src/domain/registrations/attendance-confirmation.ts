import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { Deps } from '../deps.ts'
import { localStartDate, planReminders, reminderKey, seatedAtCutoff } from '../mails/reminders.ts'
import type { Workshop } from '../workshops/workshops.ts'
import type { Registration } from './registrations.ts'

/*
 * Attendees confirm before the workshop that they will attend. A confirmation is for a date: a workshop that is rescheduled
 * to another day asks again. Declining is a cancellation, which releases the seat.
 */

/** True if the attendee confirmed for the current date of the workshop. */
export function hasConfirmedAttendance(
  { attendanceConfirmedFor }: { attendanceConfirmedFor: string | null },
  workshop: Pick<Workshop, 'startsAt' | 'timeZone'>,
): boolean {
  return attendanceConfirmedFor === localStartDate(workshop)
}

/** True from the reminder until the start, for attendees who were seated before the reminder. */
export function isPromptedToConfirm({ workshop, seatedAt }: Registration, now: Date): boolean {
  const reminder = planReminders(workshop).find(({ kind }) => kind === 'coming')
  if (!reminder || seatedAt === null) return false
  return reminder.at <= now && now < workshop.startsAt && seatedAt <= seatedAtCutoff(reminder, now)
}

/** `asked`: was sent the reminder and has not answered. */
export const confirmationStatuses = ['yes', 'asked', 'not_asked'] as const
export type ConfirmationStatus = (typeof confirmationStatuses)[number]

/** SQL condition: registration `r` of this workshop is confirmed and has this attendance-confirmation status. */
export function hasConfirmationStatus(
  workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>,
  status: ConfirmationStatus,
): SQL {
  const hasConfirmed = sql`r.attendance_confirmed_for is not distinct from ${localStartDate(workshop)}::date`
  // Looked up per registration, by the unique index that prevents duplicate reminders.
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

/** Counts confirmed registrations by attendance-confirmation status. */
export async function countConfirmations(
  deps: Deps,
  workshop: Pick<Workshop, 'id' | 'startsAt' | 'timeZone'>,
): Promise<Record<ConfirmationStatus, number>> {
  const [counts] = await query<Record<ConfirmationStatus, number>>(
    deps.db,
    sql`select ${sql.join(
      confirmationStatuses.map(
        (status) =>
          sql`count(*) filter (where ${hasConfirmationStatus(workshop, status)})::int as ${sql.identifier(status)}`,
      ),
      sql`, `,
    )} from registrations r where ${isConfirmedRegistration(workshop)}`,
  )
  return counts ?? { yes: 0, asked: 0, not_asked: 0 }
}

export function canConfirmAttendance({ status, workshop }: Registration, now: Date): boolean {
  return status === 'confirmed' && now < workshop.startsAt
}

/** Confirms attendance for the date of the workshop. Idempotent. Refused without a confirmed seat and from the start on. */
export async function confirmAttendance(
  deps: Deps,
  registration: Registration,
): Promise<'confirmed' | 'too_late' | 'no_seat'> {
  const { id, status, workshop } = registration
  const now = deps.now()
  if (now >= workshop.startsAt) return 'too_late'
  if (status !== 'confirmed') return 'no_seat'
  // The condition on the start fails if the workshop was rescheduled since it was read.
  const updated = await query(
    deps.db,
    sql`update registrations r set attendance_confirmed_for = ${localStartDate(workshop)}::date
        from workshops w
        where r.id = ${id}::uuid and w.id = r.workshop_id and w.id = ${workshop.id}::uuid
          and w.starts_at = ${timestamptz(workshop.startsAt)} and r.status = 'confirmed' and r.erased_at is null
        returning r.id`,
  )
  return updated.length > 0 ? 'confirmed' : 'no_seat'
}
