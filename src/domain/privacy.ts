import { sql } from 'drizzle-orm'
import { at, rows } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import { forgetSearches } from './audit.ts'
import { forgetHeldSignUps } from './held-sign-ups.ts'
import { forgetStaleSignIns } from './organisers.ts'
import type { Registration } from './registrations.ts'
import { forgetPeople } from './seats.ts'

/**
 * Forgets everyone whose workshop ended longer ago than RETENTION_DAYS, what organisers searched for longer ago than that,
 * the sign-ups that nobody came to confirm, and organisers' sign-ins that are good no longer. Returns how many people were registered.
 */
export async function purge(deps: Deps): Promise<number> {
  await forgetHeldSignUps(deps)
  await forgetStaleSignIns(deps)
  const before = new Date(deps.now().getTime() - deps.config.retentionDays * 24 * 3600 * 1000)
  await forgetSearches(deps, before)
  let forgotten = 0
  for (;;) {
    const due = await rows<{ id: string }>(
      deps.db,
      sql`select r.id from registrations r join workshops w on w.id = r.workshop_id
          where w.ends_at < ${at(before)} and r.erased_at is null limit 1000`,
    )
    if (due.length === 0) return forgotten
    forgotten += await forgetPeople(
      deps,
      due.map((row) => row.id),
      'purge',
    )
  }
}

/** Everything that is stored about the person of a registration, for them to take along. */
export async function copyOfData(deps: Deps, registration: Registration) {
  const mails = await rows<{ kind: string; state: string; created_at: string; sent_at: string | null }>(
    deps.db,
    sql`select kind, state, created_at, sent_at from mails where registration_id = ${registration.id}::uuid order by id`,
  )
  const [link] = await rows<{ channel: string }>(
    deps.db,
    sql`select l.channel from registrations r join registration_links l on l.code = r.link_code
        where r.id = ${registration.id}::uuid`,
  )
  const { workshop, ...facts } = registration
  const { id, seq, status, position, name, email, phone, company, locale, ready, comingOn } = facts
  const { consentVersion, consentAt, createdAt, seatedAt, offeredUntil, cancelledAt, cancelledBy } = facts
  return {
    workshop: { slug: workshop.slug, title: workshop.title, startsAt: workshop.startsAt },
    registration: {
      ...{ id, number: seq, status, position, name, email, phone, company, language: locale, ready, comingOn },
      channel: link?.channel ?? null,
      ...{ consentVersion, consentAt, createdAt, seatedAt, offeredUntil, cancelledAt, cancelledBy },
    },
    mails,
  }
}
