import { sql } from 'drizzle-orm'
import { query } from '../../db/database.ts'
import type { Deps } from '../deps.ts'

export type Violation = { invariant: string; broken: string[] }

/** Checks the invariants of the database. Each violation names up to 20 rows that break it. */
export async function findViolations(deps: Deps): Promise<Violation[]> {
  const violations: Violation[] = []
  for (const [invariant, statement] of Object.entries(invariants)) {
    const broken = await query<{ what: string }>(
      deps.db,
      sql.raw(`${statement.replace('now()', `'${deps.now().toISOString()}'`)} limit 20`),
    )
    if (broken.length > 0) violations.push({ invariant, broken: broken.map((row) => row.what) })
  }
  return violations
}

const activeStatuses = `('confirmed', 'waitlisted', 'offered')`
const seatedStatuses = `('confirmed', 'offered')`

const invariants: Record<string, string> = {
  'taken is the number of seats held and never exceeds the capacity': `
    select w.slug || ': taken ' || w.taken || ', held ' || held.n || ', capacity ' || w.capacity || ', waitlisted ' || w.waitlisted || ', waiting ' || held.waiting as what
    from workshops w
    cross join lateral (
      select count(*) filter (where status in ${seatedStatuses}) as n, count(*) filter (where status = 'waitlisted') as waiting
      from registrations r where r.workshop_id = w.id
    ) held
    where w.taken <> held.n or w.taken > w.capacity or w.waitlisted <> held.waiting`,
  'sequence numbers are unique within a workshop and rise with time': `
    select w.slug || ': number ' || r.seq as what
    from (
      select workshop_id, seq, placed_at, lead(seq) over line as next_seq, lead(placed_at) over line as next_placed_at
      from registrations window line as (partition by workshop_id order by seq)
    ) r join workshops w on w.id = r.workshop_id
    where r.seq = r.next_seq or r.placed_at > r.next_placed_at or r.seq >= w.next_seq`,
  'no registration is waitlisted while its open workshop has a free seat': `
    select w.slug || ': ' || (w.capacity - w.taken) || ' free' as what
    from workshops w
    where w.state = 'published' and w.starts_at > now() and w.taken < w.capacity
      and exists (select 1 from registrations r where r.workshop_id = w.id and r.status = 'waitlisted')`,
  'no registration overtook the waitlist without an audited decision': `
    select w.slug || ': number ' || seat.seq || ' before ' || line.first as what
    from (select workshop_id, min(seq) as first from registrations where status = 'waitlisted' group by workshop_id) line
    join registrations seat on seat.workshop_id = line.workshop_id and seat.seq > line.first
      and seat.status in ${seatedStatuses} and not seat.promoted_manually
    join workshops w on w.id = line.workshop_id`,
  'one active registration per person and workshop': `
    select w.slug || ': ' || count(*) || ' of one person' as what
    from registrations r join workshops w on w.id = r.workshop_id
    where r.status in ${activeStatuses} group by w.slug, r.email_key having count(*) > 1`,
  'no offer lasts beyond the start of its workshop': `
    select r.id::text as what
    from registrations r join workshops w on w.id = r.workshop_id
    where r.status = 'offered' and r.offered_until > w.starts_at`,
  'every registration, offer, promotion, move and cancellation has its mail': `
    select r.id::text || ': ' || kind as what
    from (
      select id, first_status as kind from registrations
      union all
      select id, 'promoted' from registrations
      where seated_at is not null and ((moved_at is null and first_status = 'waitlisted') or seated_at > moved_at)
      union all
      select id, 'offered' from registrations where status = 'offered' or cancelled_by = 'deadline'
      union all
      select id, 'moved' from registrations where moved_at is not null
      union all
      select id, 'cancelled' from registrations where cancelled_at is not null
    ) r
    -- Without an address nothing is mailed: a walk-in has none until an organiser adds it, and a person who was erased
    -- while the workshop ran has none for events after that, such as a new date. The time of an offer is not stored.
    where not exists (
        select 1 from registrations w
        where w.id = r.id and (
          w.source = 'walk_in'
          or w.erased_at <= case r.kind
            when 'cancelled' then w.cancelled_at when 'promoted' then w.seated_at when 'offered' then w.erased_at
          end
        )
      )
      and not exists (select 1 from mails m where m.registration_id = r.id and m.kind = r.kind)`,
  'no queued mail is without an address': `
    select m.id::text || ': ' || m.kind as what
    from mails m join registrations r on r.id = m.registration_id
    where m.state in ('pending', 'sending') and r.email = '' and r.erased_at is null`,
  'one check-in counts per registration': `
    select c.registration_id::text as what
    from check_ins c where c.outcome = 'in' group by c.registration_id having count(*) > 1`,
  'a repeated check-in is later than the one that counts': `
    select again.id::text as what
    from check_ins again
    where again.outcome = 'again' and not exists (
      select 1 from check_ins first
      where first.registration_id = again.registration_id and first.outcome = 'in'
        and (first.at, first.id) < (again.at, again.id)
    )`,
  'a checked-in registration is confirmed in that workshop': `
    select r.id::text || ': ' || r.status as what
    from check_ins c join registrations r on r.id = c.registration_id
    where c.outcome = 'in' and (r.status <> 'confirmed' or r.workshop_id <> c.workshop_id)`,
  'no seat was released as a no-show within the grace period': `
    select r.id::text as what
    from registrations r join workshops w on w.id = r.workshop_id
    -- The grace period may have been changed later: workshops updated since are not checked.
    where r.cancelled_by = 'absence' and w.updated_at <= r.cancelled_at
      and (w.grace_minutes is null or r.cancelled_at < w.starts_at + make_interval(mins => w.grace_minutes))`,
  'every pending sign-up has its mail': `
    select h.id::text as what
    from pending_sign_ups h
    where not exists (select 1 from mails m where m.pending_sign_up_id = h.id and m.kind = 'held')`,
  'every idempotency key exists once per workshop': `
    select w.slug || ': ' || r.idempotency_key as what
    from registrations r join workshops w on w.id = r.first_workshop_id
    group by w.slug, r.idempotency_key, r.first_workshop_id having count(*) > 1`,
  'loans of a board do not overlap': `
    select b.kind || ' ' || b.serial || ': ' || l.id as what
    from (
      select id, board_id, lent_at, lag(returned_at) over line as back, lag(id) over line as before
      from loans window line as (partition by board_id order by lent_at, coalesce(returned_at, 'infinity'))
    ) l join boards b on b.id = l.board_id
    where l.before is not null and (l.back is null or l.lent_at < l.back)`,
  'a registration has at most one active loan': `
    select l.registration_id::text as what
    from loans l where l.returned_at is null
    group by l.registration_id having count(*) > 1`,
  'a lent board has a known borrower, and no loan ends before it begins': `
    select l.id::text as what
    from loans l left join registrations r on r.id = l.registration_id
    where (l.returned_at is null and (r.id is null or r.erased_at is not null)) or l.returned_at < l.lent_at`,
  'an unusable board is neither lent nor allocated': `
    select b.kind || ' ' || b.serial as what
    from boards b
    where b.state <> 'usable' and (
      b.allocated_to is not null or exists (select 1 from loans l where l.board_id = b.id and l.returned_at is null)
    )`,
}
