import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseUnavailable } from '../../../src/db/database.ts'
import { findViolations } from '../../../src/domain/reports/doctor.ts'
import type { Run } from '../run.ts'

/**
 * What must hold at every moment, written down here once more and in other words than in domain/doctor.ts, so that
 * neither has to be believed. A statement each, so that it sees one moment.
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
  'a person has two live registrations in a campaign': `
    select min(c.slug) from registrations r
    join workshops w on w.id = r.workshop_id join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    where r.status <> 'cancelled' and r.email <> '' group by c.id, lower(r.email) having count(*) > 1`,
  'somebody waits beside a free seat': `
    select distinct w.slug from workshops w join registrations r on r.workshop_id = w.id and r.status = 'waitlisted'
    where w.state = 'published' and w.starts_at > now() and w.capacity > (
      select count(*) from registrations seat where seat.workshop_id = w.id and seat.status in ('confirmed', 'offered')
    )`,
  'somebody sits who came after somebody who waits': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    group by w.id having min(r.seq) filter (where r.status = 'waitlisted')
      < max(r.seq) filter (where r.status = 'confirmed' and not r.promoted_manually)`,
  'somebody was let pass, and nothing says why': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    where r.promoted_manually and r.walk_in_at is null and not exists (
      select 1 from audit_entries e
      where e.registration_id = r.id and e.action = 'person.promoted' and e.pii ->> 'reason' <> ''
    )`,
  'somebody is registered for what nobody sees': `
    select w.slug from workshops w where w.state = 'draft' and w.taken + w.waitlisted > 0`,
  'a message has come to a mailbox twice': `
    select min(x.subject) from mails m join broadcasts x on x.id = m.broadcast_id
    join registrations r on r.id = m.registration_id
    group by x.id, lower(r.email) having count(*) > 1`,
  'a message is there that goes to nobody': `
    select x.subject from broadcasts x where not exists (select 1 from mails m where m.broadcast_id = x.id)`,
  'a month was copied with some of its cities': `
    select c.slug from campaigns c left join workshops w on w.campaign_id = c.id
    group by c.id having count(w.id) <> 3`,
  'a board is with two people': `
    select min(b.serial) from loans l join boards b on b.id = l.board_id
    where l.returned_at is null group by l.board_id having count(*) > 1`,
  'a board was with two people': `
    select b.serial from loans one join loans other on other.board_id = one.board_id and other.id <> one.id
    join boards b on b.id = one.board_id
    where one.lent_at > other.lent_at and one.lent_at < coalesce(other.returned_at, 'infinity')`,
  'somebody has two boards': `
    select r.name from loans l join registrations r on r.id = l.registration_id
    where l.returned_at is null group by r.id having count(*) > 1`,
  'somebody is in twice': `
    select r.name from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome = 'in' group by r.id having count(*) > 1`,
  'not the earliest check-in counts': `
    select r.name from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome <> 'undone' group by r.id
    having (array_agg(c.outcome order by c.at, c.id))[1] <> 'in' or count(*) filter (where c.outcome = 'in') <> 1`,
  'somebody is in and has no seat there': `
    select r.name from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome <> 'undone' and (r.status <> 'confirmed' or r.workshop_id <> c.workshop_id)`,
  'a mail is owed to somebody without an address': `
    select r.name from mails m join registrations r on r.id = m.registration_id where r.email = ''`,
  'a reminder was owed twice': `
    select r.name from mails m join registrations r on r.id = m.registration_id
    where m.payload ? 'occasion' and m.state <> 'dead' group by r.id, m.kind having count(*) > 1`,
  'a number was used twice': `
    select min(w.slug) from registrations r join workshops w on w.id = r.workshop_id
    group by r.workshop_id, r.seq having count(*) > 1`,
}

/** Looks again and again until the signal aborts. While the database is away there is nothing to see. */
export async function watchInvariants(run: Run, signal: AbortSignal, everySeconds: number): Promise<void> {
  while (!signal.aborted) {
    await checkSqlInvariants(run).catch((error) => {
      if (!isDatabaseUnavailable(error)) throw error
    })
    await sleep(everySeconds * 1000, undefined, { signal }).catch(() => {})
  }
}

/** @throws if the database is away */
export async function checkSqlInvariants({ cluster, findings }: Run): Promise<void> {
  for (const [what, statement] of Object.entries(invariantQueries)) {
    const violatingRows = await cluster.sql.unsafe(`${statement} limit 5`).values()
    findings.check('invariants', violatingRows.length > 0 && `${what}: ${violatingRows.flat().join(', ')}`)
  }
  // The doctor needs nothing but the database and the time.
  const violations = await findViolations({ db: cluster.directDatabase.db, now: () => new Date() } as Parameters<
    typeof findViolations
  >[0])
  findings.check('doctor', violations.length > 0 && JSON.stringify(violations))
}
