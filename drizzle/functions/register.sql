-- revision 1
-- Registers many people at once, for any mix of workshops: who gets a seat, who waits, who is refused and why.
-- Each entry is judged on its own, so that a bad one never fails its neighbours; the answer has a row per entry.
--
-- p_entries: [{ n, id, workshop_id, name, email, email_key, phone, company, locale, via, ready, consent_version,
--               idempotency_key, fingerprint }] in the order of arrival, n = 0, 1, 2 …
-- outcome:   registered | replayed | already_registered | idempotency_mismatch | full | not_open | closed | cancelled
--            | too_many (mails to this address today) | not_found; place is the position on the waitlist, counted from 1. `undecided`: the answer depends on an
--            earlier entry of the same person or key that was refused; hand it in again.
--
-- First the campaigns with one seat per person are locked, then the workshops, each in the order of their ids; what
-- the locks protect is read after that.
--
-- Before the first ANALYZE the planner knows nothing of the tables and chooses plans that slow down with every stored
-- row. It is left only one: an index look-up per entry. Hence the switches, the lateral look-ups with a limit, and
-- workshops compared as text, so that no index that begins with the workshop is a choice. Without them 9,000 stored
-- registrations made it three times slower, with them not at all.
create or replace function register(p_entries jsonb, p_now timestamptz)
returns table (n integer, outcome text, id uuid, ticket_version integer, status text, place integer)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set lock_timeout = '1s'
as $$
#variable_conflict use_column
begin
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id in (
      select w.campaign_id from workshops w
      where w.id in (select (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e)
    )
  order by c.id
  for no key update;

  perform 1
  from workshops w
  where w.id in (select (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e)
  order by w.id
  for no key update;

  return query
  with asked as materialized (
    select e.*,
           w.capacity, w.taken, w.waitlisted, w.waitlist, w.next_seq,
           w.last_placed_at, kept.id as kept_id, live.id as live_id,
           coalesce(c.id, e.workshop_id) as one_seat_in,
           case
             when kept.fingerprint = e.fingerprint then 'replayed'
             when kept.id is not null then 'idempotency_mismatch'
             when w.id is null then 'not_found'
             when refusal_of(w, p_now) is not null then refusal_of(w, p_now)
             when live.id is not null then 'already_registered'
             when mails_caused(e.email_key, p_now) >= 10 then 'too_many'
           end as verdict,
           first_value(e.n) over tries as first_try,
           first_value(e.fingerprint) over tries as first_fingerprint
    from jsonb_to_recordset(p_entries) as e (
      n integer, id uuid, workshop_id uuid, name text, email text, email_key text, phone text, company text,
      locale text, via text, ready jsonb, consent_version text, idempotency_key text, fingerprint text
    )
    left join workshops w on w.id = e.workshop_id
    left join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    left join lateral (
      select * from registrations r
      where r.idempotency_key = e.idempotency_key and r.first_workshop_id::text = e.workshop_id::text
      limit 1
    ) kept on true
    left join lateral live_registration(e.email_key, w) as live (id) on true
    window tries as (partition by e.workshop_id, e.idempotency_key order by e.n)
  ),
  newcomer as (
    select a.*, first_value(a.n) over (partition by a.one_seat_in, a.email_key order by a.n) as first_of_person
    from asked a
    where a.verdict is null and a.first_try = a.n
  ),
  -- While anyone waits, no seat is free for a newcomer.
  ranked as (
    select c.*,
           row_number() over (partition by c.workshop_id order by c.n) as rank,
           case when c.waitlisted = 0 then c.capacity - c.taken else 0 end as free
    from newcomer c
    where c.first_of_person = c.n
  ),
  placed as materialized (
    select r.*,
           case when r.rank <= r.free then 'confirmed' when r.waitlist then 'waitlisted' end as status,
           (r.waitlisted + r.rank - r.free)::integer as place_in_line
    from ranked r
  ),
  stored as (
    insert into registrations (
      id, workshop_id, seq, status, first_status, name, email, email_key, phone, company, locale, link_code, ready,
      consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at, seated_at
    )
    select p.id, p.workshop_id, p.next_seq + p.rank - 1, p.status, p.status, p.name, p.email, p.email_key, p.phone,
           p.company, p.locale, link.code, coalesce(p.ready, '{}'), p.consent_version, p_now, p.idempotency_key,
           p.workshop_id, p.fingerprint, p_now,
           -- Two servers' clocks differ; the order of the line does not go back in time.
           greatest(p_now, p.last_placed_at),
           case when p.status = 'confirmed' then p_now end
    from placed p
    left join registration_links link on link.code = p.via
    where p.status is not null
    order by p.n
  ),
  owed as (
    insert into mails (registration_id, kind, created_at, due_at)
    select p.id, p.status, p_now, p_now from placed p where p.status is not null
    union all
    -- The person is there already: the ticket goes to the address on file, and nothing to whoever typed it.
    select distinct on (a.email_key) a.live_id, 'found', p_now, p_now
    from asked a
    where a.verdict = 'already_registered' and may_mail_ticket(a.email_key, p_now)
  ),
  answered as (
    select a.n,
           case
             when a.verdict is not null then a.verdict
             when a.first_fingerprint <> a.fingerprint then
               case when p.status is null then 'undecided' else 'idempotency_mismatch' end
             when c.first_of_person < c.n then
               case when earlier.status is null then 'undecided' else 'already_registered' end
             when p.status is null then 'full'
             when a.first_try < a.n then 'replayed'
             else 'registered'
           end as outcome,
           kept.id as kept_id, kept.ticket_version as kept_version, kept.workshop_id as kept_workshop,
           kept.status as kept_status, kept.first_status, kept.seq as kept_seq,
           p.id as new_id, p.status as new_status, p.place_in_line
    from asked a
    left join newcomer c on c.n = a.first_try
    left join placed p on p.n = a.first_try
    left join placed earlier on earlier.n = c.first_of_person
    left join registrations kept on kept.id = a.kept_id and a.verdict = 'replayed'
  )
  select a.n, a.outcome,
         coalesce(a.kept_id, a.new_id),
         coalesce(a.kept_version, 1),
         -- A retry hears how things stand; of a registration that was cancelled since, how they stood.
         coalesce(case when a.kept_status = 'cancelled' then a.first_status else a.kept_status end, a.new_status),
         case
           when a.kept_status = 'waitlisted' then (
             select count(*)::integer from registrations ahead
             where ahead.workshop_id = a.kept_workshop and ahead.status = 'waitlisted' and ahead.seq <= a.kept_seq
           )
           when a.new_status = 'waitlisted' then a.place_in_line
         end
  from answered a
  order by a.n;
end
$$;
