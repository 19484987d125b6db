import { sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { CheckInOutcome } from '../../db/schema.ts'
import { findCertificate } from '../attendance/certificates.ts'
import { findFeedback } from '../attendance/feedback.ts'
import { purgeSearchLog } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { purgeExpiredSignIns } from '../organisers/organisers.ts'
import { purgePendingSignUps } from './pending-sign-ups.ts'
import type { Registration } from './registrations.ts'
import { eraseRegistrations } from './seats.ts'

/**
 * Deletes personal data whose retention period has ended: registrations (unless a board was not returned) and door sessions
 * RETENTION_DAYS after the workshop, logged searches after RETENTION_DAYS, pending sign-ups and organiser sign-ins when they
 * expire. Returns the number of erased registrations.
 */
export async function purge(deps: Deps): Promise<number> {
  await purgePendingSignUps(deps)
  await purgeExpiredSignIns(deps)
  const before = new Date(deps.now().getTime() - deps.config.retentionDays * 24 * 3600 * 1000)
  await purgeSearchLog(deps, before)
  await purgeDoorSessions(deps, before)
  let erased = 0
  for (;;) {
    const due = await query<{ id: string }>(
      deps.db,
      sql`select r.id from registrations r join workshops w on w.id = r.workshop_id
          where w.ends_at < ${timestamptz(before)} and r.erased_at is null
            and (select 1 from loans l where l.registration_id = r.id and l.returned_at is null limit 1) is null
          limit 1000`,
    )
    if (due.length === 0) return erased
    const erasedNow = await eraseRegistrations(
      deps,
      due.map((row) => row.id),
      'purge',
    )
    // The remaining ones were lent a board since; the next run tries again.
    if (erasedNow === 0) return erased
    erased += erasedNow
  }
}

/**
 * Deletes the door sessions of workshops that ended before a time. Helpers' names in check-ins and loans are cleared when the
 * attendee is erased; see erase_people.sql.
 */
async function purgeDoorSessions(deps: Deps, before: Date): Promise<void> {
  await deps.db.transaction(async (db) => {
    const ended = sql`
      select s.id, s.workshop_id from door_sessions s join workshops w on w.id = s.workshop_id where w.ends_at < ${timestamptz(before)}`
    // Joined by workshop too, because that column has the index.
    await db.execute(sql`
      with ended as materialized (${ended})
      update check_ins i set door_session_id = null from ended
      where i.workshop_id = ended.workshop_id and i.door_session_id = ended.id`)
    await db.execute(sql`delete from door_sessions where id in (select id from (${ended}) ended)`)
  })
}

/** Exports all stored data about the person of a registration, for the person to download. */
export async function exportPersonalData(deps: Deps, registration: Registration) {
  const mails = await query<{ kind: string; state: string; created_at: string; sent_at: string | null }>(
    deps.db,
    sql`select kind, state, created_at, sent_at from mails where registration_id = ${registration.id}::uuid order by id`,
  )
  const [link] = await query<{ channel: string }>(
    deps.db,
    sql`select l.channel from registrations r join registration_links l on l.code = r.link_code
        where r.id = ${registration.id}::uuid`,
  )
  const [extra] = await query<{ walk_in_at: string | null; attendance_confirmed_for: string | null }>(
    deps.db,
    sql`select walk_in_at, attendance_confirmed_for::text from registrations where id = ${registration.id}::uuid`,
  )
  const checkIns = await query<{ at: string; outcome: CheckInOutcome; undone_at: string | null }>(
    deps.db,
    sql`select at, outcome, undone_at from check_ins where registration_id = ${registration.id}::uuid order by at, id`,
  )
  const loans = await query<{ kind: string; serial: string; lent_at: string; returned_at: string | null }>(
    deps.db,
    sql`select b.kind, b.serial, l.lent_at, l.returned_at from loans l join boards b on b.id = l.board_id
        where l.registration_id = ${registration.id}::uuid order by l.lent_at`,
  )
  const certificate = await findCertificate(deps, registration.id)
  const feedback = await findFeedback(deps, registration.id)
  const { workshop, ...facts } = registration
  const { id, seq, status, position, name, email, phone, company, locale, ready, attendanceConfirmedFor } = facts
  const { consentVersion, consentAt, createdAt, seatedAt, offeredUntil, cancelledAt, cancelledBy } = facts
  return {
    workshop: { slug: workshop.slug, title: workshop.title, startsAt: workshop.startsAt },
    registration: {
      ...{
        id,
        number: seq,
        status,
        position,
        name,
        email,
        phone,
        company,
        language: locale,
        ready,
        comingOn: attendanceConfirmedFor,
      },
      channel: link?.channel ?? null,
      ...{ consentVersion, consentAt, createdAt, seatedAt, offeredUntil, cancelledAt, cancelledBy },
      comingOn: extra?.attendance_confirmed_for ?? null,
      walkInAt: extra?.walk_in_at ?? null,
    },
    checkIns,
    loans,
    certificate: certificate ?? null,
    feedback: feedback ?? null,
    mails,
  }
}
