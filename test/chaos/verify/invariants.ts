import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseUnavailable } from '../../../src/db/database.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import type { Run } from '../run.ts'

/**
 * Invariants that must hold at every moment, written independently of domain/doctor, so that each verifies the other.
 * One statement each, for a consistent snapshot.
 */
const invariantQueries: Record<string, string> = {
  'more seats are held than exist': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    where r.status not in ('waitlisted', 'cancelled') group by w.id having count(*) > w.capacity`,
  'a counter is wrong': `
    select w.slug from workshops w
    cross join lateral (
      select count(case when status = any ('{confirmed,offered}') then 1 end) as seats,
             count(case when status = 'waitlisted' then 1 end) as line
      from registrations where workshop_id = w.id
    ) counted
    where w.taken <> counted.seats or w.waitlisted <> counted.line`,
  'a person has two active registrations in a campaign': `
    select min(c.slug) from registrations r
    join workshops w on w.id = r.workshop_id join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    where r.status <> 'cancelled' and r.email <> '' group by c.id, lower(r.email) having count(*) > 1`,
  'there is a waitlist in spite of a free seat': `
    select distinct w.slug from workshops w join registrations r on r.workshop_id = w.id and r.status = 'waitlisted'
    where w.state = 'published' and w.starts_at > now() and w.capacity > (
      select count(*) from registrations seat where seat.workshop_id = w.id and seat.status in ('confirmed', 'offered')
    )`,
  'a confirmed registration is behind a waitlisted one': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    group by w.id having min(r.seq) filter (where r.status = 'waitlisted')
      < max(r.seq) filter (where r.status = 'confirmed' and not r.promoted_manually)`,
  'a manual promotion has no reason in the audit log': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    where r.promoted_manually and r.walk_in_at is null and not exists (
      select 1 from audit_entries e
      where e.registration_id = r.id and e.action = 'person.promoted' and e.pii ->> 'reason' <> ''
    )`,
  'a draft has registrations': `
    select w.slug from workshops w where w.state = 'draft' and w.taken + w.waitlisted > 0`,
  'a broadcast was sent to a mailbox twice': `
    select min(x.subject) from mails m join broadcasts x on x.id = m.broadcast_id
    join registrations r on r.id = m.registration_id
    group by x.id, lower(r.email) having count(*) > 1`,
  'a broadcast has no mails': `
    select x.subject from broadcasts x where not exists (select 1 from mails m where m.broadcast_id = x.id)`,
  'a campaign was copied with some of its cities only': `
    select c.slug from campaigns c left join workshops w on w.campaign_id = c.id
    group by c.id having count(w.id) <> 3`,
  'a board is lent to two people': `
    select min(b.serial) from loans l join boards b on b.id = l.board_id
    where l.returned_at is null group by l.board_id having count(*) > 1`,
  'a board was lent to two people': `
    select b.serial from loans one join loans other on other.board_id = one.board_id and other.id <> one.id
    join boards b on b.id = one.board_id
    where one.lent_at > other.lent_at and one.lent_at < coalesce(other.returned_at, 'infinity')`,
  'a person has two boards': `
    select r.name from loans l join registrations r on r.id = l.registration_id
    where l.returned_at is null group by r.id having count(*) > 1`,
  'a person is checked in twice': `
    select r.name from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome = 'in' group by r.id having count(*) > 1`,
  'another than the earliest check-in counts': `
    select r.name from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome <> 'undone' group by r.id
    having (array_agg(c.outcome order by c.at, c.id))[1] <> 'in' or count(*) filter (where c.outcome = 'in') <> 1`,
  'a person is checked in without a seat': `
    select r.name from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome <> 'undone' and (r.status <> 'confirmed' or r.workshop_id <> c.workshop_id)`,
  'a mail is addressed to a person without an address': `
    select r.name from mails m join registrations r on r.id = m.registration_id where r.email = ''`,
  'a reminder was enqueued twice': `
    select r.name from mails m join registrations r on r.id = m.registration_id
    where m.payload ? 'occasion' and m.state <> 'dead' group by r.id, m.kind having count(*) > 1`,
  'a number was used twice': `
    select min(w.slug) from registrations r join workshops w on w.id = r.workshop_id
    group by r.workshop_id, r.seq having count(*) > 1`,
}

/** Checks the invariants repeatedly until the signal aborts. Skips while the database is unavailable. */
export async function watchInvariants(run: Run, signal: AbortSignal, everySeconds: number): Promise<void> {
  while (!signal.aborted) {
    await checkSqlInvariants(run).catch((error) => {
      if (!isDatabaseUnavailable(error)) throw error
    })
    await sleep(everySeconds * 1000, undefined, { signal }).catch(() => {})
  }
}

/** @throws if the database is unavailable */
export async function checkSqlInvariants({ cluster, findings }: Run): Promise<void> {
  for (const [what, statement] of Object.entries(invariantQueries)) {
    const violatingRows = await cluster.sql.unsafe(`${statement} limit 5`).values()
    findings.check('invariants', violatingRows.length > 0 && `${what}: ${violatingRows.flat().join(', ')}`)
  }
  // The doctor needs only the database and the time.
  const violations = await findViolations({ db: cluster.directDatabase.db, now: () => new Date() } as Parameters<
    typeof findViolations
  >[0])
  findings.check('doctor', violations.length > 0 && JSON.stringify(violations))
}
