import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseAway } from '../../src/db/database.ts'
import { examine } from '../../src/domain/doctor.ts'
import type { Run } from './run.ts'

/**
 * What must hold at every moment, written down here once more and in other words than in domain/doctor.ts, so that
 * neither has to be believed. A statement each, so that it sees one moment.
 */
const invariants: Record<string, string> = {
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
    where r.status <> 'cancelled' group by c.id, lower(r.email) having count(*) > 1`,
  'somebody waits beside a free seat': `
    select distinct w.slug from workshops w join registrations r on r.workshop_id = w.id and r.status = 'waitlisted'
    where w.state = 'published' and w.capacity > (
      select count(*) from registrations seat where seat.workshop_id = w.id and seat.status in ('confirmed', 'offered')
    )`,
  'somebody sits who came after somebody who waits': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    group by w.id having min(r.seq) filter (where r.status = 'waitlisted')
      < max(r.seq) filter (where r.status = 'confirmed' and not r.out_of_turn)`,
  'somebody was let pass, and nothing says why': `
    select w.slug from registrations r join workshops w on w.id = r.workshop_id
    where r.out_of_turn and not exists (
      select 1 from audit_entries e
      where e.registration_id = r.id and e.action = 'person.promoted' and e.personal ->> 'reason' <> ''
    )`,
  'somebody is registered for what nobody sees': `
    select w.slug from workshops w where w.state = 'draft' and w.taken + w.waitlisted > 0`,
  'a message has come to a mailbox twice': `
    select min(x.subject) from mails m join messages x on x.id = m.written_id
    join registrations r on r.id = m.registration_id
    group by x.id, lower(r.email) having count(*) > 1`,
  'a message is there that goes to nobody': `
    select x.subject from messages x where not exists (select 1 from mails m where m.written_id = x.id)`,
  'a month was copied with some of its cities': `
    select c.slug from campaigns c left join workshops w on w.campaign_id = c.id
    group by c.id having count(w.id) <> 3`,
  'a number was used twice': `
    select min(w.slug) from registrations r join workshops w on w.id = r.workshop_id
    group by r.workshop_id, r.seq having count(*) > 1`,
}

/** Looks again and again until the signal aborts. While the database is away there is nothing to see. */
export async function watchInvariants(run: Run, signal: AbortSignal, everySeconds: number): Promise<void> {
  while (!signal.aborted) {
    await checkInvariants(run).catch((error) => {
      if (!isDatabaseAway(error)) throw error
    })
    await sleep(everySeconds * 1000, undefined, { signal }).catch(() => {})
  }
}

/** @throws if the database is away */
export async function checkInvariants({ stage, findings }: Run): Promise<void> {
  for (const [what, statement] of Object.entries(invariants)) {
    const broken = await stage.sql.unsafe(`${statement} limit 5`).values()
    findings.check('invariants', broken.length > 0 && `${what}: ${broken.flat().join(', ')}`)
  }
  // The doctor needs nothing but the database and the time.
  const found = await examine({ db: stage.direct.db, now: () => new Date() } as Parameters<typeof examine>[0])
  findings.check('doctor', found.length > 0 && JSON.stringify(found))
}
