-- revision 2
-- Registers many people at once, for any mix of workshops: who gets a seat, who waits, who is refused and why.
-- Each entry is judged on its own, so that a bad one never fails its neighbours; the answer has a row per entry.
--
-- p_entries: [{ n, id, workshop_id, name, email, email_key, phone, company, locale, via, ready, consent_version,
--               idempotency_key, fingerprint }] in the order of arrival, n = 0, 1, 2 …
-- outcome:   registered | replayed | already_registered | idempotency_mismatch | full | not_open | closed | cancelled
--            | too_many (mails to this address today) | not_found; place is the position on the waitlist, counted from 1.
--            `undecided`: an earlier entry is of the same person or has the same key, and what became of it decides; hand
--            it in again. Who comes first is always decided.
--
-- First the campaigns with one seat per person are locked, then the workshops, each in the order of their ids; what
-- the locks protect is read after that.
--
-- Before the first ANALYZE the planner knows nothing of the tables and chooses plans that slow down with every stored
-- row. It is left only one: an index look-up per entry. Hence the switches and the lateral look-ups with a limit.
-- Entries are compared with each other by window functions alone: a join of them grows with the square of the batch.
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
declare
  v_workshops uuid[] := array(select distinct (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e);
begin
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id in (select w.campaign_id from workshops w where w.id = any (v_workshops))
  order by c.id
  for no key update;

  perform 1 from workshops w where w.id = any (v_workshops) order by w.id for no key update;

  return query
  with asked as (
    select e.*,
           w.waitlist, w.next_seq, w.last_placed_at, w.waitlisted,
           -- While anyone waits, no seat is free for a newcomer.
           case when w.waitlisted = 0 then w.capacity - w.taken else 0 end as free,
           kept.id as kept_id, live.id as live_id,
           coalesce(c.id, e.workshop_id) as one_seat_in,
           case
             when kept.fingerprint = e.fingerprint then 'replayed'
             when kept.id is not null then 'idempotency_mismatch'
             when w.id is null then 'not_found'
             when refusal_of(w, p_now) is not null then refusal_of(w, p_now)
             when live.id is not null then 'already_registered'
             when caused.tenth is not null then 'too_many'
             when not w.waitlist and (w.waitlisted > 0 or w.taken >= w.capacity) then 'full'
           end as verdict
    from jsonb_to_recordset(p_entries) as e (
      n integer, id uuid, workshop_id uuid, name text, email text, email_key text, phone text, company text,
      locale text, via text, ready jsonb, consent_version text, idempotency_key text, fingerprint text
    )
    left join workshops w on w.id = e.workshop_id
    left join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    left join lateral (
      select r.id, r.fingerprint from registrations r
      where r.idempotency_key = e.idempotency_key and r.first_workshop_id = e.workshop_id
      limit 1
    ) kept on true
    left join lateral (select there.id from in_the_way(e.email_key, w.id, c.id) there limit 1) live on true
    left join lateral (
      select m.id as tenth from mails_caused_by(e.email_key, p_now) m offset 9 limit 1
    ) caused on true
  ),
  -- An earlier entry of the same person or with the same key, which nothing stored refuses, may change everything.
  first_come as (
    select a.*,
           a.verdict is null and count(*) filter (where a.verdict is null) over person = 0
             and count(*) filter (where a.verdict is null) over key = 0 as comes_first,
           (a.verdict is null or a.verdict = 'full') and count(*) filter (where a.verdict is null) over person > 0
             or a.verdict is null and count(*) filter (where a.verdict is null) over key > 0 as comes_later
    from asked a
    window
      person as (partition by a.one_seat_in, a.email_key order by a.n rows between unbounded preceding and 1 preceding),
      key as (partition by a.workshop_id, a.idempotency_key order by a.n rows between unbounded preceding and 1 preceding)
  ),
  ranked as (
    select f.*, count(*) filter (where f.comes_first) over (partition by f.workshop_id order by f.n) as rank
    from first_come f
  ),
  judged as materialized (
    select r.*,
           case
             when not r.comes_first then null
             when r.rank <= r.free then 'confirmed'
             when r.waitlist then 'waitlisted'
           end as status
    from ranked r
  ),
  stored as (
    insert into registrations (
      id, workshop_id, seq, status, first_status, name, email, email_key, phone, company, locale, link_code, ready,
      consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at, seated_at
    )
    select j.id, j.workshop_id, j.next_seq + j.rank - 1, j.status, j.status, j.name, j.email, j.email_key, j.phone,
           j.company, j.locale, link.code, coalesce(j.ready, '{}'), j.consent_version, p_now, j.idempotency_key,
           j.workshop_id, j.fingerprint, p_now,
           -- Two servers' clocks differ; the order of the line does not go back in time.
           greatest(p_now, j.last_placed_at),
           case when j.status = 'confirmed' then p_now end
    from judged j
    left join registration_links link on link.code = j.via
    where j.status is not null
    order by j.n
  ),
  owed as (
    insert into mails (registration_id, kind, created_at, due_at)
    select j.id, j.status, p_now, p_now from judged j where j.status is not null
    union all
    -- The person is there already: the ticket goes to the address on file, and nothing to whoever typed it.
    (
      select distinct on (j.email_key) j.live_id, 'found', p_now, p_now
      from judged j
      where j.verdict = 'already_registered' and may_mail_ticket(j.email_key, p_now)
      order by j.email_key, j.n
    )
  )
  select j.n,
         case
           when j.comes_later then 'undecided'
           when j.verdict is not null then j.verdict
           when j.status is null then 'full'
           else 'registered'
         end,
         coalesce(kept.id, j.id),
         coalesce(kept.ticket_version, 1),
         -- A retry hears how things stand; of a registration that was cancelled since, how they stood.
         coalesce(case when kept.status = 'cancelled' then kept.first_status else kept.status end, j.status),
         case
           when kept.status = 'waitlisted' then (
             select count(*)::integer from registrations ahead
             where ahead.workshop_id = kept.workshop_id and ahead.status = 'waitlisted' and ahead.seq <= kept.seq
           )
           when j.status = 'waitlisted' then (j.waitlisted + j.rank - j.free)::integer
         end
  from judged j
  left join registrations kept on kept.id = j.kept_id and j.verdict = 'replayed'
  order by j.n;
end
$$;
